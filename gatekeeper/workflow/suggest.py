"""Suggests who a face might be, among the pupils of the classes that the author named. It never clears anything.

The numbers of the faces in a photo stand in memory only, for as long as they are compared; what is kept is the pupil,
the rank and the distance, until somebody has answered. A suggestion is a comfort: when it cannot be made, the check
goes on without it.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.faces.boxes import Box
from gatekeeper.faces.likeness import Likeness, is_likely, rank
from gatekeeper.faces.match import Encoding, can_be_compared
from gatekeeper.faces.template_seal import CannotBeOpened, Place, TemplateKeys
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.roll import class_names
from gatekeeper.people.staff import record
from gatekeeper.people.templates import FaceTemplate
from gatekeeper.posts.media import Pixels, decode
from gatekeeper.posts.model import Face, FaceSuggestion, Photo
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.workflow.facts import is_inside
from gatekeeper.workflow.own_post import own_post
from gatekeeper.workflow.recognition import roster
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

P = PostState
MOST_CLASSES: Final = 6  # more than that is no roster any more, it is the school
#: the states in which its author may still say who is in a photo
_OPEN: Final = frozenset(
    {P.DRAFT, P.OPEN, P.SCANNING, P.SCAN_FAILED, P.CHANGES, P.REFUSED, P.EXPIRED, P.FAILED, P.MISSED}
)


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Somebody a face might be, for the person who answers to confirm or not."""

    pupil_id: int
    name: str
    class_name: str
    likely: bool  # within the strict bound for the pupil's age, and the next one clearly further away


def suggest(services: Services, photo_id: int, pixels: Pixels) -> None:
    """Compare the faces of one photo that nobody has answered for with the pupils of its classes.

    Args:
        pixels: the upright original in RGB.
    """
    try:
        _suggest(services, photo_id, pixels)
    except Exception as err:  # noqa: BLE001 - whatever it was, the check of the photo must not suffer
        log.warning("photo %d: nobody could be suggested (%s)", photo_id, type(err).__name__)


def suggest_again(services: Services, photo_id: int) -> None:
    """The same for a photo that has been looked at before: its classes were named or changed."""
    with services.db.read() as session:
        photo = session.get(Photo, photo_id)
        if photo is None or not _to_compare(photo) or not roster(session, photo.classes, today=_today(services)):
            return
        sha256 = photo.original_sha256
    suggest(services, photo_id, decode(services.media.read(sha256)).pixels)


def set_classes(services: Services, photo_id: int, by: int, classes: Sequence[str]) -> None:
    """Say which classes are in a photo. Nothing about what would be published changes; suggestions are made anew.

    Raises:
        BadInput: there is no such class, or so many that it would be the whole school.
        Conflict: the post is not with its author.
        NotFound: there is no such photo, or it is somebody else's.
    """
    named = list(dict.fromkeys(classes))
    now = services.clock.now()
    with services.step() as session:
        photo = session.get(Photo, photo_id)
        if photo is None:
            raise NotFound("There is no such photo, or it is not yours to see.")
        post = own_post(session, photo.post_id, by)
        if PostState(post.state) not in _OPEN:
            raise Conflict("This post is not with you at the moment. Reload the page to see where it is.")
        if unknown := set(named) - set(class_names(session)):
            raise _bad(f"There is no class “{min(unknown)[:40]}” on the roll.")
        if len(named) > MOST_CLASSES:
            raise _bad(f"Name at most {MOST_CLASSES} classes: the fewer, the better the suggestions.")
        if photo.classes == named:
            return
        photo.classes = named
        _forget(session, photo)
        about = {"post": post.id}
        record(session, at=now, staff_id=by, action="photo.classes", subject=f"photo:{photo_id}", detail=about)
        jobs.order(session, jobs.SUGGEST, photo_id, now=now)


def suggestions_for(session: Session, face_ids: Sequence[int]) -> dict[int, list[Suggestion]]:
    """Who each of these faces might be, the nearest first; a face with an answer has no suggestion.

    In one photo nobody is likely twice: of two faces with the same nearest pupil only the nearer keeps the word.
    """
    rows = session.execute(
        select(FaceSuggestion, Pupil, Face.photo_id, Photo.added_at)
        .join(Pupil, Pupil.id == FaceSuggestion.pupil_id)
        .join(Face, Face.id == FaceSuggestion.face_id)
        .join(Photo, Photo.id == Face.photo_id)
        .where(FaceSuggestion.face_id.in_(face_ids), Face.state == FaceState.UNKNOWN)
        .order_by(FaceSuggestion.face_id, FaceSuggestion.rank)
    ).all()
    of_face: dict[int, list[tuple[FaceSuggestion, Pupil, int, date]]] = defaultdict(list)
    nearest: dict[tuple[int, int], float] = {}  # (photo, pupil) -> how near that pupil comes there
    for row, pupil, photo_id, added_at in rows:
        of_face[row.face_id].append((row, pupil, photo_id, london(added_at).date()))
        where = (photo_id, pupil.id)
        nearest[where] = min(row.distance, nearest.get(where, row.distance))
    return {
        face_id: [
            Suggestion(
                pupil_id=pupil.id,
                name=pupil.full_name,
                class_name=pupil.class_name,
                likely=number == 0
                and row.distance <= nearest[photo_id, pupil.id]
                and is_likely(
                    row.distance, found[1][0].distance if len(found) > 1 else None, years=_years(pupil, on=day)
                ),
            )
            for number, (row, pupil, photo_id, day) in enumerate(found)
        ]
        for face_id, found in of_face.items()
    }


def gallery(keys: TemplateKeys, templates: Sequence[FaceTemplate]) -> dict[int, list[Encoding]]:
    """The opened templates by pupil. What does not open is left out, and said by its number alone."""
    opened: dict[int, list[Encoding]] = defaultdict(list)
    for row in templates:
        try:
            place = Place(row=row.id, pupil=row.pupil_id, engine=row.engine)
            opened[row.pupil_id].append(keys.open(row.sealed, place, key_id=row.key_id))
        except CannotBeOpened:
            log.warning("template %d cannot be opened", row.id)
    return dict(opened)


def _suggest(services: Services, photo_id: int, pixels: Pixels) -> None:
    with services.db.read() as session:
        photo = session.get(Photo, photo_id)
        if photo is None or services.encoder is None:
            return
        classes = list(photo.classes)
        faces = _to_compare(photo)
        templates = roster(session, classes, today=_today(services)) if faces else []
    found: dict[int, list[Likeness]] = {}
    if templates:
        known = gallery(TemplateKeys(services.settings.secret("TEMPLATE_KEY")), templates)
        encodings = services.encoder.encode(pixels, [box for _, box in faces])
        found = {
            face_id: rank(known, encoding)
            for (face_id, _), encoding in zip(faces, encodings, strict=True)
            if encoding is not None
        }
    _keep(services, photo_id, classes, found)


def _keep(services: Services, photo_id: int, classes: list[str], found: dict[int, list[Likeness]]) -> None:
    """Write the suggestions down, but for families who said no and faces that were answered while they were compared.

    When the classes changed meanwhile, another look has been ordered, and it writes anew.
    """
    with services.step() as session:
        photo = session.get(Photo, photo_id)
        if photo is None:
            return
        allowed = _still_enrolled(session, classes, today=_today(services)) if found else set()
        _forget(session, photo)
        open_faces = {face_id for face_id, _ in _to_compare(photo)}
        for face_id in open_faces & found.keys():
            people = [one for one in found[face_id] if one.person in allowed]
            for number, one in enumerate(people, start=1):
                session.add(FaceSuggestion(face_id=face_id, rank=number, pupil_id=one.person, distance=one.distance))


def _still_enrolled(session: Session, classes: Sequence[str], *, today: date) -> set[int]:
    """Whose templates stand now. Their rows are held, so that a no of this moment comes before this or cleans it up."""
    pupils = select(Pupil.id).where(Pupil.class_name.in_(classes)).order_by(Pupil.id)
    session.scalars(pupils.with_for_update(key_share=True)).all()
    return {template.pupil_id for template in roster(session, classes, today=today)}


def _forget(session: Session, photo: Photo) -> None:
    session.execute(delete(FaceSuggestion).where(FaceSuggestion.face_id.in_([face.id for face in photo.faces])))


def _to_compare(photo: Photo) -> list[tuple[int, Box]]:
    """The faces nobody has answered for, large enough to tell two people apart, and not cropped away."""
    boxes = ((face, Box(face.x1, face.y1, face.x2, face.y2)) for face in photo.faces)
    return [
        (face.id, box)
        for face, box in boxes
        if face.state == FaceState.UNKNOWN and can_be_compared(box) and is_inside(photo, face)
    ]


def _years(pupil: Pupil, *, on: date) -> int | None:
    born = pupil.born_on
    return None if born is None else on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _today(services: Services) -> date:
    return london(services.clock.now()).date()


def _bad(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"classes": sentence})
