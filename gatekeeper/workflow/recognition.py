"""Whether faces may be matched at all, whose templates may be used, and the end of those that may not be kept.

Off until the impact assessment is on record; then only for a child whose family consented in writing and nobody
objects, only within the school year, only while the child is at the school. Whatever takes one of these away deletes
the templates in the same transaction, with every suggestion that came of them. The sweep looks for those whose day
has come.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.clock import london
from gatekeeper.faces.template_seal import ENGINE
from gatekeeper.people.biometric import biometric_answer
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import record
from gatekeeper.people.templates import Enrolment, FaceTemplate
from gatekeeper.posts.media import MediaStore
from gatekeeper.posts.model import Face, FaceSuggestion
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

PHOTO_LASTS: Final = timedelta(hours=1)  # then a photo for enrolment is gone, whatever became of it
_STALE: Final = timedelta(days=1)
_NEEDED: Final = ("dpia_reference", "dpo", "date")
_TOO_LATE: Final = "It waited too long to be looked at, and the photo was deleted. Please take it again."


def is_on(session: Session) -> bool:
    """Whether the school may match faces: an assessment with its reference, its officer and its day is on record."""
    recorded = school_settings(session)["recognition"]
    return isinstance(recorded, dict) and all(recorded.get(name) for name in _NEEDED)


def roster(session: Session, classes: Sequence[str], *, today: date) -> list[FaceTemplate]:
    """The templates of those classes that may be used today. No class named, nobody to compare with."""
    if not classes or not is_on(session):
        return []
    rows = session.execute(
        select(FaceTemplate, Pupil)
        .join(Pupil, Pupil.id == FaceTemplate.pupil_id)
        .where(Pupil.class_name.in_(classes), FaceTemplate.engine == ENGINE, FaceTemplate.expires_on >= today)
        .order_by(FaceTemplate.id)
    ).all()
    answers = {pupil.id: biometric_answer(session, pupil, today=today).allowed for _, pupil in rows}
    return [template for template, pupil in rows if answers[pupil.id]]


def forget_unfounded(session: Session, *, now: datetime, pupil_id: int | None = None) -> int:
    """Delete every template that may not be kept any more, of one pupil or of all; says how many.

    In the caller's transaction: the consent, the leaving or the switch is not written down without it.
    """
    concerned = or_(
        Pupil.id.in_(select(FaceTemplate.pupil_id)),
        Pupil.id.in_(select(Enrolment.pupil_id).where(Enrolment.state == "waiting")),
    )
    query = select(Pupil).where(concerned).order_by(Pupil.id)
    if pupil_id is not None:
        query = query.where(Pupil.id == pupil_id)
    session.flush()
    # locked, as the enrolment locks them: a template made in this moment is either seen here or not made
    pupils = session.scalars(query.with_for_update(key_share=True).execution_options(populate_existing=True)).all()
    return sum(_forget(session, pupil, now=now) for pupil in pupils)


def _forget(session: Session, pupil: Pupil, *, now: datetime) -> int:
    today = london(now).date()
    allowed = is_on(session)
    answer = biometric_answer(session, pupil, today=today)
    templates = session.scalars(select(FaceTemplate).where(FaceTemplate.pupil_id == pupil.id)).all()
    if allowed and answer.allowed:
        gone = [template for template in templates if template.expires_on < today]
        for template in templates:
            template.consent_id = answer.consent_id or template.consent_id  # a renewed consent carries them on
    else:
        gone = list(templates)
        waiting = select(Enrolment.id).where(Enrolment.pupil_id == pupil.id, Enrolment.state == "waiting")
        for enrolment_id in session.scalars(waiting):
            jobs.order(session, jobs.ENROL, enrolment_id, now=now)  # which will refuse, and delete the photo
    if gone:
        delete_templates(session, pupil.id, [template.id for template in gone], by=None, now=now)
    return len(gone)


def delete_templates(session: Session, pupil_id: int, ids: Sequence[int], *, by: int | None, now: datetime) -> None:
    """Delete these templates of a pupil, and the suggestions of this pupil that came of them."""
    session.execute(delete(FaceTemplate).where(FaceTemplate.id.in_(ids), FaceTemplate.pupil_id == pupil_id))
    session.execute(delete(FaceSuggestion).where(FaceSuggestion.pupil_id == pupil_id))
    detail = {"number": len(ids)}
    record(session, at=now, staff_id=by, action="templates.deleted", subject=f"pupil:{pupil_id}", detail=detail)


def photo_store(services: Services) -> MediaStore:
    """Where photos for enrolment lie for a moment, apart from those of posts, so that none is shared with a post."""
    return MediaStore(services.settings.data / "enrolment")


def clean(services: Services) -> None:
    """One round of the sweep: what may not be kept, photos that waited too long, suggestions nobody needs any more."""
    now = services.clock.now()
    kept = (FaceTemplate.id, FaceSuggestion.face_id, Enrolment.id)
    with services.db.read() as session:  # a school that matches no faces has nothing to clean
        empty = all(session.scalar(select(column).limit(1)) is None for column in kept)
    if not empty:
        _clean(services, now=now)
    _delete_old_photos(photo_store(services).root, before=now - PHOTO_LASTS)


def _clean(services: Services, *, now: datetime) -> None:
    with services.step() as session:
        forget_unfounded(session, now=now)
        late = select(Enrolment).where(Enrolment.state == "waiting", Enrolment.asked_at < now - PHOTO_LASTS)
        for enrolment in session.scalars(late.with_for_update()):
            enrolment.state, enrolment.sentence = "refused", _TOO_LATE
            enrolment.media_sha256, enrolment.ended_at = "", now
        answered = select(Face.id).where(Face.state != FaceState.UNKNOWN, Face.resolved_at < now - _STALE)
        session.execute(delete(FaceSuggestion).where(FaceSuggestion.face_id.in_(answered)))


def _delete_old_photos(folder: Path, *, before: datetime) -> None:
    """Whatever a crash left behind there."""
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file() and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
            log.warning("deleted a photo for enrolment that had been left behind")
