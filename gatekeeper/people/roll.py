"""Finding children on the roll, and their recorded permissions as they stand and as they were."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gatekeeper.people.consent import Consent, Purpose
from gatekeeper.people.pupils import Pupil

ANY_CHANNEL = "any"  # what stands in the channel column of a purpose that knows no channels


@dataclass(frozen=True)
class Page:
    """One page of a longer list."""

    items: Sequence[Pupil]
    number: int
    pages: int
    total: int


def find_pupils(
    session: Session,
    *,
    today: date,
    words: str = "",
    class_name: str = "",
    left: bool = False,
    page: int = 1,
    size: int = 50,
) -> Page:
    """Children whose name or number holds all the words, of one class if wished; leavers only when asked for.

    Who left so long ago that the name was erased is not among them.
    """
    query = select(Pupil).order_by(Pupil.class_name, Pupil.last_name, Pupil.first_name, Pupil.id)
    query = query.where(or_(Pupil.first_name != "", Pupil.last_name != ""))
    present = or_(Pupil.left_on.is_(None), Pupil.left_on >= today)
    query = query.where(~present if left else present)
    if class_name:
        query = query.where(Pupil.class_name == class_name)
    wanted = plain(words).split()
    # compared here and not in the database: one roll is small, and no two databases fold "Zoë" alike
    found = [pupil for pupil in session.scalars(query) if all(word in _searchable(pupil) for word in wanted)]
    pages = max(1, -(-len(found) // size))
    number = min(max(1, page), pages)
    return Page(found[(number - 1) * size : number * size], number, pages, len(found))


def plain(words: str) -> str:
    """Without accents and case, as people type names into a search box."""
    apart = unicodedata.normalize("NFKD", words.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def _searchable(pupil: Pupil) -> str:
    return plain(f"{pupil.first_name} {pupil.last_name} {pupil.known_as} {pupil.reference}")


def class_names(session: Session) -> Sequence[str]:
    """Every class that a child on the roll is in."""
    return session.scalars(
        select(Pupil.class_name).where(Pupil.class_name != "").distinct().order_by(Pupil.class_name)
    ).all()


def newest_consent(
    session: Session, pupil_id: int, channel_kind: str, purpose: Purpose = Purpose.SOCIAL_MEDIA
) -> Consent | None:
    """The row that counts."""
    return session.scalars(
        select(Consent)
        .where(Consent.pupil_id == pupil_id, Consent.channel_kind == channel_kind, Consent.purpose == purpose)
        .order_by(Consent.id.desc())
        .limit(1)
    ).first()


def consent_history(session: Session, pupil_id: int) -> Sequence[Consent]:
    """Everything ever recorded about a child, the newest first."""
    return session.scalars(select(Consent).where(Consent.pupil_id == pupil_id).order_by(Consent.id.desc())).all()
