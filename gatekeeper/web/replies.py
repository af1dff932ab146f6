"""The author's answers to what was asked for, as a form sends them: on the post's page, and with the form of the post."""

import re

from flask import request

from gatekeeper.web.access import person, services
from gatekeeper.workflow import asked_changes


def keep_replies(post_id: int) -> None:
    """Keep the answers that came with this form, if any did.

    Raises:
        BadInput, Conflict, NotFound: as `asked_changes.answer`.
    """
    decision_id = request.form.get("asked", "")
    found = {name: re.fullmatch(r"reply-(\d{1,3})", name, re.ASCII) for name in request.form}
    replies = {int(number[1]): request.form.get(name, "") for name, number in found.items() if number}
    if decision_id and replies:
        asked_changes.answer(services(), post_id, person().id, decision_id=decision_id, replies=replies)
