"""Enrols one pupil: takes a few photos, makes of each the numbers that faces are compared by, and deletes the photo.

The website only lays the photo down, made anew from its bare pixels. The scanning process looks at it, keeps 128
sealed numbers if there is exactly one clear face, and deletes the photo whatever came of it. May this pupil be enrolled
is asked when the photo comes and again when the template is written.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict, GatekeeperError, NotFound, NotScanned
from gatekeeper.faces.boxes import Box, Face
from gatekeeper.faces.likeness import FARTHEST
from gatekeeper.faces.match import Encoding, can_be_compared, distances
from gatekeeper.faces.template_seal import ENGINE, Place, TemplateKeys
from gatekeeper.people.biometric import biometric_answer
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import record
from gatekeeper.people.templates import MOST_TEMPLATES, Enrolment, FaceTemplate, end_of_school_year
from gatekeeper.posts.media import MediaDamaged, PictureRefused, decode, publishable
from gatekeeper.workflow.recognition import delete_templates, is_on, photo_store
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.suggest import gallery

log = logging.getLogger(__name__)

SMALLEST_FACE: Final = 80  # pixels of the shorter side
_CLEAR: Final = 0.8  # how sure the detectors are of a face that nothing hides
_PART: Final = 0.5  # of an unsure box inside the face
_OFF: Final = "Matching is switched off for the school, so no photo is taken."


class Unfit(GatekeeperError):
    """This photo cannot be used for enrolment; the text says why to the person who took it."""


def add_photos(services: Services, pupil_id: int, photos: Sequence[bytes], *, by: int) -> int:
    """Take photos of one pupil to be enrolled; says how many. All of them are taken, or none.

    Raises:
        BadInput: no photo, too many, or one that cannot be opened.
        Conflict: this pupil may not be enrolled.
        NotFound: there is no such pupil.
    """
    if not photos:
        raise _bad("Choose at least one photo.")
    with services.db.read() as session:
        _check_room(session, pupil_id, len(photos), today=_today(services))
    pictures = [_picture(data, number, len(photos)) for number, data in enumerate(photos, start=1)]
    store = photo_store(services)
    digests = list(dict.fromkeys(store.put(picture, ".jpg") for picture in pictures))
    with services.step() as session:
        now = services.clock.now()
        _check_room(session, pupil_id, len(digests), today=_today(services))
        taken = select(Enrolment.media_sha256).where(Enrolment.media_sha256.in_(digests))
        if session.scalars(taken).first():
            raise _bad("This photo is being looked at already.")
        for digest in digests:
            row = Enrolment(pupil_id=pupil_id, media_sha256=digest, asked_by=by, asked_at=now)
            session.add(row)
            session.flush()
            jobs.order(session, jobs.ENROL, row.id, now=now)
        record(session, at=now, staff_id=by, action="enrolment.asked", subject=f"pupil:{pupil_id}")
    return len(digests)


def enrol(services: Services, enrolment_id: int) -> None:
    """Make the template of one waiting photo, or say why it cannot be made; the photo is deleted either way.

    Raises:
        NotScanned: the detectors or the encoder could not look; the photo waits to be tried again.
    """
    with services.db.read() as session:
        row = session.get(Enrolment, enrolment_id)
        if row is None or row.state != "waiting":
            return
        digest, pupil_id = row.media_sha256, row.pupil_id
        refusal = _refusal(session, session.get_one(Pupil, pupil_id), today=_today(services))
    if refusal:
        _end(services, enrolment_id, digest, refusal)
        return
    try:
        encoding = _encoding(services, photo_store(services).read(digest))
        _write_template(services, enrolment_id, encoding)
    except (Unfit, PictureRefused) as problem:
        _end(services, enrolment_id, digest, str(problem))
    except MediaDamaged:
        _end(services, enrolment_id, digest, "The photo is gone. Please take it again.")
    else:
        photo_store(services).remove(digest)


def give_up(services: Services, enrolment_id: int, reason: str) -> None:
    """Say that the photo could not be looked at, and delete it."""
    with services.db.read() as session:
        row = session.get(Enrolment, enrolment_id)
    if row is not None and row.state == "waiting":
        _end(services, enrolment_id, row.media_sha256, reason)


def delete_template(services: Services, template_id: int, *, by: int) -> int:
    """Delete one template; the pupil's id is given back.

    Raises:
        NotFound: there is none any more.
    """
    with services.step() as session:
        row = session.get(FaceTemplate, template_id)
        if row is None:
            raise NotFound("This template is gone already.")
        delete_templates(session, row.pupil_id, [template_id], by=by, now=services.clock.now())
        return row.pupil_id


def seal_anew(services: Services, _subject: int = 0) -> None:
    """Seal every template with the key in use that is still sealed with an older one."""
    keys = TemplateKeys(services.settings.secret("TEMPLATE_KEY"))
    with services.step() as session:
        old = select(FaceTemplate).where(FaceTemplate.key_id != keys.current).order_by(FaceTemplate.id)
        count = 0
        for row in session.scalars(old.with_for_update()):
            place = Place(row=row.id, pupil=row.pupil_id, engine=row.engine)
            try:
                encoding = keys.open(row.sealed, place, key_id=row.key_id)
            except GatekeeperError:
                log.warning("template %d cannot be opened: its key is gone", row.id)
                continue
            row.sealed, row.key_id = keys.seal(encoding, place), keys.current
            count += 1
    if count:
        log.info("sealed %d face templates with the key in use", count)


def order_seal_anew(services: Services) -> None:
    """Order that, when there are templates at all: as the scanning process starts, with the keys it was given."""
    with services.step() as session:
        if session.scalar(select(FaceTemplate.id).limit(1)) is not None:
            jobs.order(session, jobs.RESEAL, 0, now=services.clock.now())


def the_one_clear_face(faces: Sequence[Face]) -> Box:
    """The face of a photo for enrolment.

    Raises:
        Unfit: there is none, more than one, or it is too small or not clear.
    """
    large = sorted((face for face in faces if can_be_compared(face.box)), key=lambda face: -face.box.area)
    if not large:
        raise Unfit("No face was found. Take the photo from the front, in good light, with the face filling it.")
    face, *others = large
    if any(not _is_part_of(other, face) for other in others):
        raise Unfit("More than one face was found. Only this pupil may be in the photo.")
    if min(face.box.width, face.box.height) < SMALLEST_FACE:
        raise Unfit(f"The face is too small: it needs {SMALLEST_FACE} pixels. Go nearer.")
    if face.score < _CLEAR:
        raise Unfit("The face is not clear. Take the photo from the front, in good light, with nothing before it.")
    return face.box


def _is_part_of(other: Face, face: Face) -> bool:
    """Whether an unsure box is half of the same face, as detectors sometimes draw it, and not somebody else."""
    return other.score < _CLEAR and other.box.shared(face.box) >= _PART * other.box.area


def _picture(data: bytes, number: int, count: int) -> bytes:
    try:
        return publishable(data)[1].data
    except PictureRefused as refused:
        raise _bad(f"Photo {number}: {refused}" if count > 1 else str(refused)) from refused


def _encoding(services: Services, data: bytes) -> Encoding:
    if services.faces is None or services.encoder is None:
        raise NotScanned("This process cannot look at photos.")
    pixels = np.ascontiguousarray(decode(data).pixels)
    box = the_one_clear_face(services.faces.detect(pixels))
    (encoding,) = services.encoder.encode(pixels, [box])
    if encoding is None:
        raise Unfit("The face could not be made out. Take the photo from the front, in good light.")
    return encoding


def _write_template(services: Services, enrolment_id: int, encoding: Encoding) -> None:
    """Seal and keep the numbers, if the family has not said no meanwhile.

    Raises:
        Unfit: it has, or this is not the same child as in the templates kept before.
    """
    keys = TemplateKeys(services.settings.secret("TEMPLATE_KEY"))
    with services.step() as session:
        now, today = services.clock.now(), _today(services)
        row = session.scalars(select(Enrolment).where(Enrolment.id == enrolment_id).with_for_update()).one()
        if row.state != "waiting":
            return
        # held like this by whoever records a no: it comes before this or deletes what is written here
        held = select(Pupil).where(Pupil.id == row.pupil_id).with_for_update(key_share=True)
        pupil = session.scalars(held).one()
        answer = biometric_answer(session, pupil, today=today)
        if not is_on(session) or not answer.allowed or answer.consent_id is None:
            raise Unfit(_refusal(session, pupil, today=today))
        kept = session.scalars(select(FaceTemplate).where(FaceTemplate.pupil_id == pupil.id)).all()
        for known in gallery(keys, kept).values():
            if distances(known, encoding).min() > FARTHEST:
                raise Unfit(
                    "This does not look like the photos kept of this pupil. If one of those shows another child, "
                    "delete it first."
                )
        _add_template(session, keys, encoding, row, consent_id=answer.consent_id, now=now, today=today)
        row.state, row.sentence, row.media_sha256, row.ended_at = "done", "", "", now


def _add_template(
    session: Session,
    keys: TemplateKeys,
    encoding: Encoding,
    row: Enrolment,
    *,
    consent_id: int,
    now: datetime,
    today: date,
) -> None:
    template = FaceTemplate(
        pupil_id=row.pupil_id,
        consent_id=consent_id,
        engine=ENGINE,
        sealed="",
        key_id=keys.current,
        made_by=row.asked_by,
        made_at=now,
        expires_on=end_of_school_year(today),
    )
    session.add(template)
    session.flush()  # its number is part of what the seal is bound to
    template.sealed = keys.seal(encoding, Place(row=template.id, pupil=row.pupil_id))
    record(session, at=now, staff_id=row.asked_by, action="template.made", subject=f"pupil:{row.pupil_id}")


def _end(services: Services, enrolment_id: int, digest: str, sentence: str) -> None:
    with services.step() as session:
        row = session.get(Enrolment, enrolment_id)
        if row is not None and row.state == "waiting":
            row.state, row.sentence, row.media_sha256 = "refused", sentence, ""
            row.ended_at = services.clock.now()
    photo_store(services).remove(digest)


def _check_room(session: Session, pupil_id: int, count: int, *, today: date) -> None:
    pupil = session.get(Pupil, pupil_id)
    if pupil is None:
        raise NotFound("There is no such pupil on the roll.")
    if refusal := _refusal(session, pupil, today=today):
        raise Conflict(refusal)
    kept = select(func.count()).select_from(FaceTemplate).where(FaceTemplate.pupil_id == pupil_id)
    waiting = (
        select(func.count()).select_from(Enrolment).where(Enrolment.pupil_id == pupil_id, Enrolment.state == "waiting")
    )
    left = MOST_TEMPLATES - (session.scalar(kept) or 0) - (session.scalar(waiting) or 0)
    if count > left:
        raise _bad(
            f"At most {MOST_TEMPLATES} photos of a pupil are kept, so {left} more can be taken."
            if left > 0
            else f"There are {MOST_TEMPLATES} photos of this pupil already. Delete one to take another."
        )


def _refusal(session: Session, pupil: Pupil, *, today: date) -> str:
    """Why this pupil may not be enrolled, or nothing."""
    if not is_on(session):
        return _OFF
    answer = biometric_answer(session, pupil, today=today)
    return "" if answer.allowed else answer.sentence


def _today(services: Services) -> date:
    return london(services.clock.now()).date()


def _bad(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"photos": sentence})
