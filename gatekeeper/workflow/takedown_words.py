"""What people typed about a removal: an author's wish to have a post taken down, and what a person saw when it went.

It may speak of a child, so it stands in no line of the audit and no e-mail tells it. A wish lies beside the e-mail that
tells of it and goes with its post; what was seen lies with the removal's reason and goes with that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gatekeeper.mail.model import Notice

ASKED: Final = "takedown_asked"
_TYPED: Final = "typed"
_SEEN: Final = "\n\nTaken down by hand: "


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What an author wrote when they asked to have a post taken down from one channel."""

    words: str
    by: int
    at: datetime


def subject_of_wish(publication_id: int, *, at: datetime) -> str:
    """What the e-mails about one wish are about."""
    return f"{_about(publication_id)}{at.isoformat()}"


def with_wish(context: dict[str, Any], *, words: str, by: int) -> dict[str, Any]:
    """The facts for the e-mail, with what was typed, which its template does not ask for."""
    return {**context, _TYPED: words, "by": by}


def newest_wish(session: Session, publication_id: int) -> Wish | None:
    """What was asked last about this publication, as long as it is kept."""
    found = session.scalars(
        select(Notice)
        .where(Notice.kind == ASKED, Notice.subject.startswith(_about(publication_id)))
        .order_by(Notice.id.desc())
        .limit(1)
    ).first()
    if found is None or not found.context.get(_TYPED):
        return None
    return Wish(words=found.context[_TYPED], by=found.context["by"], at=found.created_at)


def forget_wishes(session: Session, publication_ids: Iterable[int]) -> None:
    """Erase what authors typed about these; that they asked stays."""
    about = [Notice.subject.startswith(_about(one)) for one in publication_ids]
    if about:
        for notice in session.scalars(select(Notice).where(Notice.kind == ASKED, or_(*about)).with_for_update()):
            notice.context = {name: value for name, value in notice.context.items() if name != _TYPED}
        session.flush()


def with_seen(words: str, seen: str) -> str:
    """The words of a removal, with what a person did or saw on the platform."""
    return f"{words}{_SEEN}{seen}"


def parted(words: str) -> tuple[str, str]:
    """The reason as it was typed, and what a person did or saw; either may be empty."""
    reason, *seen = words.split(_SEEN)
    return reason, " / ".join(seen)


def _about(publication_id: int) -> str:
    return f"publication:{publication_id}:asked:"
