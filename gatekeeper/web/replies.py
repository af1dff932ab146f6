"""The author's answers to what was asked for, as a form sends them: on the post's page, and with the form of the post."""

import re
from typing import Final

from flask import request

from gatekeeper.web.access import person, services
from gatekeeper.workflow import asked_changes

_FIELD: Final = re.compile(r"reply-(\d{1,3})", re.ASCII)


def keep_replies(post_id: int) -> None:
    """Keep the answers that came with this form, if any did.

    Raises:
        BadInput, Conflict, NotFound: as `asked_changes.answer`.
    """
    decision_id = request.form.get("asked", "")
    fields = {name: found for name in request.form if (found := _FIELD.fullmatch(name))}
    replies = {
        int(found[1]): _typed(name) or "" for name, found in fields.items() if _typed(name) != _typed(f"was-{found[1]}")
    }
    if decision_id and replies:
        asked_changes.answer(services(), post_id, person().id, decision_id=decision_id, replies=replies)


def _typed(name: str) -> str | None:
    """What stands in a field; `was-1` is what the page showed for `reply-1`.

    An answer that this page did not change is left alone, so that a window opened earlier takes back none of another's.
    """
    words = request.form.get(name)
    return words if words is None else words.replace("\r\n", "\n")
