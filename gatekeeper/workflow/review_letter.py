"""The draft of the letter to a family: what was asked, and what was done, when. It is sent by nobody but a person."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Publication
from gatekeeper.posts.public import ConsentReview, ReviewItem, Takedown
from gatekeeper.workflow.consent_review import GIVEN_AGAIN

_OPENINGS: Final = {
    "withdrawn": "On {day} you withdrew your permission for us to show {name} on {where}.",
    "refused": "On {day} we recorded that {name} may not be shown on {where}.",
    "never": "On {day} we recorded that {name} must never be shown in public.",
    "left": "{name} has left our school, so we show {name} on {where} no longer.",
    "expired": "Your permission for us to show {name} on {where} has run out.",
}
_CLOSING: Final = (
    "From now on {name} appears in nothing new on {where}. What others copied before that we cannot call back; if you "
    "come across such a copy, please tell us."
)


def drafted(session: Session, review: ConsentReview, *, by: int) -> str:
    """The letter as the facts stand at this moment."""
    pupil = session.get_one(Pupil, review.pupil_id)
    name = pupil.known_as or pupil.first_name
    where = _listed([label_of(kind) for kind in review.kinds])
    told = {"name": name, "where": where, "day": _day(review.opened_at)}
    lines = [_line(session, item) for item in _public(session, review)]
    done = "\n".join(f"- {line}" for line in lines if line)
    held = session.scalars(
        select(ReviewItem.id).where(ReviewItem.review_id == review.id, ReviewItem.state == "held").limit(1)
    ).first()
    parts = [
        f"Dear family of {pupil.full_name},",
        _OPENINGS[review.cause].format(**told),
        f"This is what we did:\n{done}"
        if done
        else f"We looked for {name} in everything we published there, and found nothing that is still public.",
        f"Posts with {name} that were not published yet were held back." if held is not None else "",
        _CLOSING.format(**told),
        f"Yours sincerely,\n{session.get_one(Staff, by).name}\n{school_settings(session)['name']}",
    ]
    return "\n\n".join(part for part in parts if part)


def _public(session: Session, review: ConsentReview) -> list[ReviewItem]:
    return list(
        session.scalars(
            select(ReviewItem)
            .where(ReviewItem.review_id == review.id, ReviewItem.publication_id.is_not(None))
            .order_by(ReviewItem.id)
        )
    )


def _line(session: Session, item: ReviewItem) -> str:
    publication = session.get_one(Publication, item.publication_id)
    account = session.get_one(ChannelAccount, publication.account_id)
    where = label_of(account.kind)
    when = f"of {_day(publication.published_at)}" if publication.published_at else "that was on its way"
    if item.state == "gone":
        removal = session.get(Takedown, item.takedown_id) if item.takedown_id else None
        at = (removal.confirmed_at if removal else None) or item.ended_at
        seen = "We saw that it is gone." if removal and removal.confirmed_by else "We read there that it is gone."
        return f"Our post {when} was removed from {where} on {_moment(at)}. {seen}"
    if item.state == "kept":
        return "" if item.words == GIVEN_AGAIN else f"Our post {when} on {where} stays, because: {item.words}"
    if item.state == "held":
        return ""
    return f"Our post {when} on {where} is being removed. We will tell you when it is gone."


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "our pages"


def _day(at: datetime | None) -> str:
    local = london(at) if at else None
    return f"{local.day} {local:%B %Y}" if local else ""


def _moment(at: datetime | None) -> str:
    return f"{_day(at)} at {london(at):%H:%M}" if at else ""
