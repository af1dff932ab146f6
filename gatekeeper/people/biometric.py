"""Whether a child's face may be matched by a machine: what the law wants to know before, and the answer today.

Protection of Freedoms Act 2012, section 26: each parent is told; at least one consents in writing; no parent objects;
and the child's own no beats every yes. A yes without these facts on record is no yes.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from gatekeeper.db.base import Base
from gatekeeper.people.consent import Answer, Consent, Purpose, newest_answers
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.roll import ANY_CHANNEL


class Said(StrEnum):
    """What came of asking a family, and the child."""

    YES = "yes"
    PARENT_OBJECTS = "parent"
    CHILD_OBJECTS = "child"
    NOT_GIVEN = "not_given"


class BiometricFacts(Base):
    """The facts behind one recorded answer about matching a child's face."""

    __tablename__ = "biometric_facts"
    __table_args__ = (
        CheckConstraint("said IN ('yes', 'parent', 'child', 'not_given')", name="said"),
        # a yes says who consented in writing and who was told, or it cannot be written down
        CheckConstraint("said <> 'yes' OR (written_by <> '' AND told <> '')", name="yes_has_facts"),
    )

    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"), primary_key=True)
    said: Mapped[str] = mapped_column(String(20))
    written_by: Mapped[str] = mapped_column(Text, default="")  # which parent consented in writing
    told: Mapped[str] = mapped_column(Text, default="")  # each parent, and how they were told


def biometric_answer(session: Session, pupil: Pupil, *, today: date) -> Answer:
    """Whether this child's face may be matched today. Everything that is not a whole yes is a no."""
    return _answer(pupil, newest_biometric(session, pupil.id), today=today)


def biometric_answers(session: Session, pupils: Sequence[Pupil], *, today: date) -> dict[int, Answer]:
    """The same for many children at once, by their ids."""
    newest = newest_answers(session, [pupil.id for pupil in pupils], Purpose.BIOMETRIC)
    rows = {pupil_id: row for (pupil_id, kind), row in newest.items() if kind == ANY_CHANNEL}
    wanted = select(BiometricFacts).where(BiometricFacts.consent_id.in_([row.id for row in rows.values()]))
    facts = {one.consent_id: one for one in session.scalars(wanted)}
    found = {pupil_id: (row, facts.get(row.id)) for pupil_id, row in rows.items()}
    return {pupil.id: _answer(pupil, found.get(pupil.id), today=today) for pupil in pupils}


def _answer(  # noqa: C901, PLR0911 - one sentence each
    pupil: Pupil, newest: tuple[Consent, BiometricFacts | None] | None, *, today: date
) -> Answer:
    if pupil.never_publish:
        return Answer(allowed=False, sentence="Must never be shown, so the face is not matched either.")
    if pupil.left_on is not None and pupil.left_on < today:
        return Answer(allowed=False, sentence="Has left the school.")
    if newest is None:
        return Answer(allowed=False, sentence="Nothing on record.")
    consent, facts = newest
    if facts is not None and facts.said == Said.CHILD_OBJECTS:
        return _no("The pupil objects. That beats every consent.", consent)
    if facts is not None and facts.said == Said.PARENT_OBJECTS:
        return _no("A parent objects. One objection is enough.", consent)
    if not consent.allowed:
        return _no("No consent in writing.", consent)
    if consent.withdrawn_at is not None:
        return _no("The consent was withdrawn.", consent)
    if facts is None or not facts.written_by or not facts.told:
        return _no("The record does not say who consented in writing and that each parent was told.", consent)
    if consent.given_on > today:
        return _no(f"The consent does not begin until {consent.given_on:%-d %B %Y}.", consent)
    if consent.expires_on is not None and consent.expires_on < today:
        return _no("The consent has run out.", consent)
    return Answer(allowed=True, sentence="Consent in writing, and nobody objects.", consent_id=consent.id)


def newest_biometric(session: Session, pupil_id: int) -> tuple[Consent, BiometricFacts | None] | None:
    """The answer that counts, with its facts."""
    found = session.execute(
        select(Consent, BiometricFacts)
        .outerjoin(BiometricFacts, BiometricFacts.consent_id == Consent.id)
        .where(Consent.pupil_id == pupil_id, Consent.channel_kind == ANY_CHANNEL, Consent.purpose == Purpose.BIOMETRIC)
        .order_by(Consent.id.desc())
        .limit(1)
    ).first()
    return (found[0], found[1]) if found else None


def biometric_facts(session: Session, pupil_id: int) -> dict[int, BiometricFacts]:
    """The facts behind every answer ever recorded of this child, by the answer's number."""
    rows = session.scalars(
        select(BiometricFacts)
        .join(Consent, Consent.id == BiometricFacts.consent_id)
        .where(Consent.pupil_id == pupil_id)
    )
    return {row.consent_id: row for row in rows}


def _no(sentence: str, consent: Consent) -> Answer:
    return Answer(allowed=False, sentence=sentence, consent_id=consent.id)
