"""Opens the reviews that a date calls for: a permission that has run out, a child whose last day is over.

Looked for at the first sweep of each day and at the start; what was missed while the computer was off is found then,
because each child's register is held against what was reviewed since.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.consent import Consent, Purpose, answer_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, record
from gatekeeper.policy.limits import LIMITS
from gatekeeper.posts.public import ConsentReview
from gatekeeper.workflow.consent_review import open_review
from gatekeeper.workflow.services import Services

DONE: Final = "consent.dates_checked"
#: how far back a first look goes; a school that begins today has children who left years ago
_FIRST: Final = timedelta(days=400)


def run(services: Services) -> None:
    """Review every child for whom a date has come since the last look. Once a day; the other rounds do nothing."""
    now = services.clock.now()
    today = london(now).date()
    with services.db.read() as session:
        last = _last_look(session)
        if last is not None and last >= today:
            return
        # the day of the last look counted the day before it as over; nothing between is left out
        since = last or today - _FIRST
        numbers = _ended(session, since=since, today=today)
    for pupil_id in numbers:
        with services.step() as session:
            _review(session, pupil_id, today=today, now=now)
    with services.step() as session:
        detail = {"day": today.isoformat(), "children": len(numbers)}
        record(session, at=now, staff_id=None, action=DONE, subject="register", detail=detail)


def _last_look(session: Session) -> date | None:
    at = session.scalars(select(func.max(Audit.at)).where(Audit.action == DONE)).first()
    return london(at).date() if at is not None else None


def _ended(session: Session, *, since: date, today: date) -> Sequence[int]:
    """The children who left, or for whom a permission ended, from the day before `since` up to yesterday."""
    first = since - timedelta(days=1)
    newest = (
        select(func.max(Consent.id))
        .where(Consent.purpose == Purpose.SOCIAL_MEDIA)
        .group_by(Consent.pupil_id, Consent.channel_kind)
    )
    expired = select(Consent.pupil_id).where(
        Consent.id.in_(newest), Consent.allowed, Consent.withdrawn_at.is_(None),
        and_(Consent.expires_on >= first, Consent.expires_on < today),
    )  # fmt: skip
    left = and_(Pupil.left_on >= first, Pupil.left_on < today)
    return session.scalars(select(Pupil.id).where(or_(left, Pupil.id.in_(expired))).order_by(Pupil.id)).all()


def _review(session: Session, pupil_id: int, *, today: date, now: datetime) -> None:
    pupil = session.scalars(select(Pupil).where(Pupil.id == pupil_id).with_for_update(key_share=True)).one()
    gone = pupil.left_on is not None and pupil.left_on < today
    kinds = [kind for kind in LIMITS if not answer_for(session, pupil, kind, today=today, words=kind).allowed]
    had = _had(session, pupil_id) if not gone else set(LIMITS)
    kinds = [kind for kind in kinds if kind in had and not _was_reviewed(session, pupil_id, kind, pupil, today)]
    if kinds:
        open_review(session, pupil_id, cause="left" if gone else "expired", kinds=kinds, by=None, now=now)


def _had(session: Session, pupil_id: int) -> set[str]:
    """The kinds of channel for which a permission was recorded that has run out."""
    rows = select(Consent.channel_kind).where(
        Consent.pupil_id == pupil_id, Consent.purpose == Purpose.SOCIAL_MEDIA, Consent.expires_on.is_not(None)
    )
    return set(session.scalars(rows))


def _was_reviewed(session: Session, pupil_id: int, kind: str, pupil: Pupil, today: date) -> bool:
    """Whether this kind was reviewed since the day that ended it: a second look in one day lists nothing again."""
    ends: Iterable[date | None] = (
        pupil.left_on,
        session.scalars(
            select(Consent.expires_on)
            .where(Consent.pupil_id == pupil_id, Consent.channel_kind == kind, Consent.purpose == Purpose.SOCIAL_MEDIA)
            .order_by(Consent.id.desc())
            .limit(1)
        ).first(),
    )
    latest = max((day for day in ends if day is not None and day < today), default=today)
    reviews = session.scalars(select(ConsentReview).where(ConsentReview.pupil_id == pupil_id))
    return any(kind in review.kinds and london(review.opened_at).date() > latest for review in reviews)
