"""One look at one photo: the original first, then the rendition, whose size depends on who was found in the original.

What a look found is kept by the digest of the bytes, so a changed word has no photo looked at again. The bytes
themselves are hashed each time: a picture that was changed on the disk blocks, and is an incident.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.errors import NotScanned
from gatekeeper.faces import redact
from gatekeeper.faces.boxes import Box
from gatekeeper.people.school import school_settings
from gatekeeper.posts.media import Cut, MediaDamaged, PictureRefused, Pixels, decode, render
from gatekeeper.posts.model import Face, Photo, PhotoScan
from gatekeeper.posts.picture_rendition import whole_pixels
from gatekeeper.posts.repository import post_for_update
from gatekeeper.posts.status import FaceState
from gatekeeper.scanners.photo import ENGINE, Comparison, Known, compare
from gatekeeper.workflow import incident
from gatekeeper.workflow.legible import Looked, marks_in, read_once
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.sharpness import is_too_large, longest_side

log = logging.getLogger(__name__)

CHANGED_ON_DISK: Final = (
    "The stored photo was changed or lost on the disk. Take it out and add it again; the office was told."
)
MADE_AGAIN: Final = "The stored photo was changed or lost on the disk. It is made again when you send it for checking."
_CHANGED_MEANWHILE: Final = "The photo was changed while it was being prepared."
_MOST_ROUNDS: Final = 3  # a smaller rendition may show a face that the larger one did not, and is then final


@dataclass(frozen=True, kw_only=True)
class Task:
    """One photo as it stood when the check began."""

    id: int
    original: str
    rendition: str | None
    crop: tuple[float, float, float, float] | None
    covers: tuple[Box, ...]
    patches: tuple[Box, ...]
    full_size: bool
    width: int
    height: int

    @property
    def cut(self) -> Cut:
        """The published part, in whole pixels of the original."""
        return whole_pixels(self.crop, width=self.width, height=self.height)


def task_of(photo: Photo) -> Task:
    """Everything about the photo that decides what would be published of it."""
    return Task(
        id=photo.id,
        original=photo.original_sha256,
        rendition=photo.rendition_sha256,
        crop=tuple(photo.crop) if photo.crop else None,
        covers=tuple(Box(f.x1, f.y1, f.x2, f.y2) for f in photo.faces if f.state == FaceState.COVERED),
        patches=tuple(Box(p.x1, p.y1, p.x2, p.y2) for p in photo.patches),
        full_size=photo.full_size,
        width=photo.width,
        height=photo.height,
    )


def look_at_photo(services: Services, task: Task) -> Looked | None:
    """Bring one photo's rendition and faces up to date, or write down why that was not possible."""
    try:
        return _look(services, task)
    except (NotScanned, PictureRefused, MediaDamaged) as error:
        sentence = str(error)
        if isinstance(error, MediaDamaged):
            sentence = _tell_damage(services, task)
        log.warning("photo %d could not be scanned (%s)", task.id, type(error).__name__)
        with services.step() as session:
            photo = locked(session, task.id)
            if photo is not None and _without_rendition(task_of(photo)) == _without_rendition(task):
                photo.problem, photo.scanned_sha256 = sentence, ""  # of a changed photo another check says what it is
        return None


def locked(session: Session, photo_id: int) -> Photo | None:
    """The photo as it stands once nobody else is changing its post: a cover asked for meanwhile must not be missed."""
    post_id = session.scalar(select(Photo.post_id).where(Photo.id == photo_id))
    if post_id is None:
        return None
    post_for_update(session, post_id)
    return session.get(Photo, photo_id, populate_existing=True)


class _Pixels:
    """One stored picture: its bytes hashed at once, its upright pixels decoded when first asked for."""

    def __init__(self, services: Services, sha256: str) -> None:
        self.sha256 = sha256
        self._data: bytes | None = services.media.read(sha256)
        self._pixels: Pixels | None = None

    def get(self) -> Pixels:
        if self._pixels is None:
            assert self._data is not None
            self._pixels = decode(self._data).pixels
            self._data = None
        return self._pixels


def _look(services: Services, task: Task) -> Looked | None:
    original = _Pixels(services, task.original)
    first = _faces_in(services, original)
    whole = whole_pixels(None, width=task.width, height=task.height)
    with services.step() as session:
        photo = _same(session, task)
        # each time: a new engine may know better
        _write_down(photo, first.faces, cut=whole, scale=1.0, source="detector")
        side, fits = longest_side(photo), not is_too_large(photo)
    rendition = task.rendition if fits else None
    for _ in range(_MOST_ROUNDS):
        if rendition is None:
            rendition = _make_rendition(services, task, original, side=side)
        shown = _Pixels(services, rendition)
        second = _faces_in(services, shown)
        read_once(services, rendition, shown.get)
        marks = marks_in(services, shown.get)
        with services.step() as session:
            photo = _same(session, task)
            if photo.rendition_sha256 != rendition:
                raise NotScanned(_CHANGED_MEANWHILE)
            scale = second.width / (task.cut[2] - task.cut[0])
            held = _write_down(photo, second.faces, cut=task.cut, scale=scale, source="rendition", covers=True)
            session.flush()
            side = longest_side(photo)
            if not is_too_large(photo):
                photo.problem = (
                    "" if held else "a face can still be found where it was covered. Crop the photo or take it out."
                )
                photo.scanned_sha256 = photo.original_sha256
                break
        rendition = None
    else:
        raise NotScanned("The photo could not be made smaller.")
    _suggest(services, task.id, original)
    return Looked(photo_id=task.id, rendition=rendition, marks=marks)


def _same(session: Session, task: Task) -> Photo:
    """The photo, locked and as the check knows it. A change in between has its own check coming."""
    photo = locked(session, task.id)
    if photo is None or _without_rendition(task_of(photo)) != _without_rendition(task):
        raise NotScanned(_CHANGED_MEANWHILE)
    return photo


def _without_rendition(task: Task) -> tuple[object, ...]:
    return (task.id, task.original, task.crop, task.covers, task.patches, task.full_size)


def _make_rendition(services: Services, task: Task, original: _Pixels, *, side: int) -> str:
    """Cover, crop, shrink and store the picture that may become public; returns its digest."""
    pixels = original.get()
    if task.covers or task.patches:
        pixels = redact.cover(pixels, task.covers, task.patches)
    made = render(pixels, crop=task.crop, long_side=side)
    sha256 = services.media.put(made.data, ".jpg")
    with services.step() as session:
        photo = _same(session, task)
        photo.rendition_sha256, photo.rendition_width, photo.rendition_height = sha256, made.width, made.height
    return sha256


def _faces_in(services: Services, picture: _Pixels) -> PhotoScan:
    """What the detectors found in one picture: looked up by its digest, else looked at now."""
    with services.db.read() as session:
        known = session.get(PhotoScan, (picture.sha256, ENGINE))
        if known is not None:
            return known
    if services.faces is None:
        raise NotScanned("This process cannot look at photos.")
    array = picture.get()
    found = services.faces.detect(array)
    scan_row = PhotoScan(
        sha256=picture.sha256,
        engine=ENGINE,
        faces=[[f.box.x1, f.box.y1, f.box.x2, f.box.y2, f.score] for f in found],
        width=array.shape[1],
        height=array.shape[0],
        scanned_at=services.clock.now(),
    )
    with services.step() as session:
        return session.merge(scan_row)


def _write_down(
    photo: Photo, seen: Sequence[Sequence[float]], *, cut: Cut, scale: float, source: str, covers: bool = False
) -> bool:
    """Add every box that nobody has seen yet, and what is known better of the others; says whether every cover held.

    Boxes are never taken away, answers stay with their box, and a new box is of an unknown face.
    """
    faces = list(photo.faces)
    known = [
        Known(
            id=index,
            box=Box(f.x1, f.y1, f.x2, f.y2),
            covered=covers and f.state == FaceState.COVERED,
            by_hand=f.source == "hand",
            score=f.score,
            nobody=f.state == FaceState.NOT_A_FACE,
        )
        for index, f in enumerate(faces)
    ]
    result: Comparison = compare(seen, known, cut=cut, scale=scale)
    for box, score in result.new:
        photo.faces.append(
            Face(
                x1=box.x1, y1=box.y1, x2=box.x2, y2=box.y2, score=score, source=source, state=FaceState.UNKNOWN,
                words="",
            )
        )  # fmt: skip
    for index, score in result.scores.items():
        faces[index].score = max(faces[index].score, score)  # the surest look counts: "not a face" may no longer stand
    for index in result.confirmed:
        faces[index].source = "detector"  # so that nobody can take the box away any more
    return not result.still_visible


def _tell_damage(services: Services, task: Task) -> str:
    """Report which of the photo's pictures are not what was stored; a rendition can be made again, an original cannot."""
    with services.db.read() as session:
        photo = session.get(Photo, task.id)
        rendition = photo.rendition_sha256 if photo is not None else None
    bad = incident.damaged(services.media, filter(None, (task.original, rendition)))
    incident.at_check(services, task.id, bad)
    if task.original in bad:
        return CHANGED_ON_DISK
    with services.step() as session:
        photo = locked(session, task.id)
        if photo is not None and photo.rendition_sha256 == rendition:
            photo.rendition_sha256 = None
    return MADE_AGAIN


def _suggest(services: Services, photo_id: int, original: _Pixels) -> None:
    """Have somebody suggested for the faces nobody has answered for, where the school recognises faces at all."""
    if services.encoder is None:
        return
    with services.db.read() as session:
        photo = session.get(Photo, photo_id)
        unanswered = photo is not None and any(face.state == FaceState.UNKNOWN for face in photo.faces)
        if not unanswered or not school_settings(session)["recognition"]:
            return
    from gatekeeper.workflow.suggest import suggest

    suggest(services, photo_id, original.get())
