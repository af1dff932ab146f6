"""Who may be enrolled and who is, as the consent lead sees it. No photo is shown: none is kept."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from gatekeeper.errors import NotFound
from gatekeeper.people.biometric import BiometricFacts, biometric_answer, biometric_answers, newest_biometric
from gatekeeper.people.consent import Answer, Consent
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.templates import ENOUGH_TEMPLATES, MOST_TEMPLATES, Enrolment, FaceTemplate
from gatekeeper.workflow.recognition import is_on


class Standing(StrEnum):
    """Where a pupil with consent stands."""

    ENROLLED = "enrolled"
    MORE = "more"  # enrolled, with fewer photos than find a face well
    WAITING = "waiting"
    AGAIN = "again"  # was enrolled before, and what was kept is gone
    NOT_YET = "not_yet"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One pupil with consent in the list."""

    pupil_id: int
    name: str
    class_name: str
    standing: Standing
    photos: int
    until: date | None


@dataclass(frozen=True, kw_only=True)
class EnrolmentList:
    """The whole list, and how many pupils are never enrolled because there is no consent."""

    on: bool
    lines: Sequence[Line]
    without: int


@dataclass(frozen=True, kw_only=True)
class PupilEnrolment:
    """One pupil's page."""

    pupil: Pupil
    on: bool
    answer: Answer
    consent: Consent | None
    facts: BiometricFacts | None
    templates: Sequence[FaceTemplate]
    tries: Sequence[Enrolment]
    waiting: int
    again: bool

    @property
    def may_add(self) -> int:
        """How many more photos may be taken."""
        if not self.on or not self.answer.allowed:
            return 0
        return max(0, MOST_TEMPLATES - len(self.templates) - self.waiting)


def enrolment_list(session: Session, *, today: date) -> EnrolmentList:
    """Every pupil of the school whose face may be matched, by class, and whether they are enrolled."""
    kept: Counter[int] = Counter()
    until: dict[int, date] = {}
    for pupil_id, ends, number in session.execute(
        select(FaceTemplate.pupil_id, func.min(FaceTemplate.expires_on), func.count()).group_by(FaceTemplate.pupil_id)
    ):
        kept[pupil_id], until[pupil_id] = number, ends
    waiting = _pupils_with(session, "waiting")
    before = _pupils_with(session, "done")
    present = (
        select(Pupil)
        .where(or_(Pupil.left_on.is_(None), Pupil.left_on >= today))
        .order_by(Pupil.class_name, Pupil.last_name, Pupil.first_name, Pupil.id)
    )
    lines, without = [], 0
    pupils = session.scalars(present).all()
    answers = biometric_answers(session, pupils, today=today)
    for pupil in pupils:
        if not answers[pupil.id].allowed:
            without += 1
            continue
        lines.append(
            Line(
                pupil_id=pupil.id,
                name=pupil.full_name,
                class_name=pupil.class_name,
                standing=_standing(kept[pupil.id], waits=pupil.id in waiting, again=pupil.id in before),
                photos=kept[pupil.id],
                until=until.get(pupil.id),
            )
        )
    return EnrolmentList(on=is_on(session), lines=lines, without=without)


def pupil_enrolment(session: Session, pupil_id: int, *, today: date) -> PupilEnrolment:
    """Everything one pupil's page shows.

    Raises:
        NotFound: there is no such pupil.
    """
    pupil = session.get(Pupil, pupil_id)
    if pupil is None:
        raise NotFound("There is no such pupil on the roll.")
    newest = newest_biometric(session, pupil_id)
    tries = session.scalars(
        select(Enrolment).where(Enrolment.pupil_id == pupil_id).order_by(Enrolment.id.desc()).limit(10)
    ).all()
    templates = session.scalars(
        select(FaceTemplate).where(FaceTemplate.pupil_id == pupil_id).order_by(FaceTemplate.id)
    ).all()
    return PupilEnrolment(
        pupil=pupil,
        on=is_on(session),
        answer=biometric_answer(session, pupil, today=today),
        consent=newest[0] if newest else None,
        facts=newest[1] if newest else None,
        templates=templates,
        tries=tries,
        waiting=sum(row.state == "waiting" for row in tries),
        again=not templates and any(row.state == "done" for row in tries),
    )


def _pupils_with(session: Session, state: str) -> set[int]:
    return set(session.scalars(select(Enrolment.pupil_id).where(Enrolment.state == state)))


def _standing(kept: int, *, waits: bool, again: bool) -> Standing:
    if waits:
        return Standing.WAITING
    if kept:
        return Standing.ENROLLED if kept >= ENOUGH_TEMPLATES else Standing.MORE
    return Standing.AGAIN if again else Standing.NOT_YET
