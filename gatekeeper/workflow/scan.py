"""The check of one post: make the renditions that are missing, seal the version, look at every photo and every word.

Nothing is called clean by default. A photo that could not be looked at in full keeps its problem and blocks; a crash
in the middle leaves the post in *being checked*, to be checked again. Photos are looked at once per digest of their
bytes, so a changed word scans no photo anew.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.errors import NotScanned
from gatekeeper.faces import redact
from gatekeeper.faces.boxes import Box
from gatekeeper.posts.media import Cut, MediaDamaged, PictureRefused, Pixels, decode, render
from gatekeeper.posts.model import Face, Photo, PhotoScan, Post
from gatekeeper.posts.picture_rendition import whole_pixels
from gatekeeper.posts.repository import accounts_of, move, post_for_update, seal
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.scanners.photo import ENGINE, Comparison, Known, compare
from gatekeeper.workflow.facts import open_items_of
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.words import check_words

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One photo as it stood when the check began."""

    id: int
    original: str
    rendition: str | None
    crop: tuple[float, float, float, float] | None
    covers: tuple[Box, ...]
    width: int
    height: int


def scan(services: Services, post_id: int) -> None:
    """Check one post that is waiting for it; anything else is left alone."""
    with services.db.read() as session:
        post = session.get(Post, post_id)
        if post is None or post.state != PostState.SCANNING:
            return
        revision = post.revision
        tasks = [_task(photo) for photo in post.photos]
    for number, task in enumerate(tasks, start=1):
        _tell_progress(services, post_id, f"Looking at photo {number} of {len(tasks)}")
        _look_at_photo(services, task)
    _tell_progress(services, post_id, "Reading the words")
    _conclude(services, post_id, revision)


def give_up(services: Services, post_id: int, reason: str) -> None:
    """Say that the check did not come to an end. The post stays blocked; the author can start it again."""
    with services.step() as session:
        post = post_for_update(session, post_id)
        if post.state == PostState.SCANNING:
            move(post, PostState.SCAN_FAILED)
            post.note, post.progress = reason, ""


def _task(photo: Photo) -> _Task:
    return _Task(
        id=photo.id,
        original=photo.original_sha256,
        rendition=photo.rendition_sha256,
        crop=tuple(photo.crop) if photo.crop else None,
        covers=tuple(Box(f.x1, f.y1, f.x2, f.y2) for f in photo.faces if f.state == FaceState.COVERED),
        width=photo.width,
        height=photo.height,
    )


def _tell_progress(services: Services, post_id: int, words: str) -> None:
    with services.step() as session:
        post = session.get_one(Post, post_id)
        if post.state == PostState.SCANNING:
            post.progress = words


def _look_at_photo(services: Services, task: _Task) -> None:
    """Bring one photo's rendition and faces up to date, or write down why that was not possible."""
    try:
        original = _Pixels(services, task.original)
        rendition = task.rendition or _make_rendition(services, task, original)
        first = _faces_in(services, task.original, original)
        second = _faces_in(services, rendition, _Pixels(services, rendition))
    except (NotScanned, PictureRefused, MediaDamaged) as error:
        sentence = str(error) if isinstance(error, (PictureRefused, NotScanned)) else "The stored photo is damaged."
        log.warning("photo %d could not be scanned (%s)", task.id, type(error).__name__)
        with services.step() as session:
            photo = _locked(session, task.id)
            if photo is not None:
                photo.problem, photo.scanned_sha256 = sentence, ""
        return
    with services.step() as session:
        photo = _locked(session, task.id)
        if photo is not None and _task(photo).crop == task.crop and photo.rendition_sha256 == rendition:
            _add_faces(photo, first, second)


def _locked(session: Session, photo_id: int) -> Photo | None:
    """The photo as it stands once nobody else is changing its post: a cover asked for meanwhile must not be missed."""
    post_id = session.scalar(select(Photo.post_id).where(Photo.id == photo_id))
    if post_id is None:
        return None
    post_for_update(session, post_id)
    return session.get(Photo, photo_id, populate_existing=True)


class _Pixels:
    """One stored picture's upright pixels, decoded when first asked for and then kept while the photo is worked on."""

    def __init__(self, services: Services, sha256: str) -> None:
        self._services, self._sha256 = services, sha256
        self._pixels: Pixels | None = None

    def get(self) -> Pixels:
        if self._pixels is None:
            self._pixels = decode(self._services.media.read(self._sha256)).pixels
        return self._pixels


def _make_rendition(services: Services, task: _Task, original: _Pixels) -> str:
    """Cover, crop, shrink and store the picture that may become public; returns its digest."""
    pixels = original.get()
    if task.covers:
        pixels = redact.cover(pixels, task.covers)
    made = render(pixels, crop=task.crop)
    sha256 = services.media.put(made.data, ".jpg")
    with services.step() as session:
        photo = _locked(session, task.id)
        # a change in between has its own check coming, and must not be given this picture
        if photo is None or _task(photo) != task:
            raise NotScanned("The photo was changed while it was being prepared.")
        photo.rendition_sha256, photo.rendition_width, photo.rendition_height = sha256, made.width, made.height
    return sha256


def _faces_in(services: Services, sha256: str, pixels: _Pixels) -> PhotoScan:
    """What the detectors found in one picture: looked up by its digest, else looked at now."""
    with services.db.read() as session:
        known = session.get(PhotoScan, (sha256, ENGINE))
        if known is not None:
            return known
    if services.faces is None:
        raise NotScanned("This process cannot look at photos.")
    array = pixels.get()
    found = services.faces.detect(array)
    scan_row = PhotoScan(
        sha256=sha256,
        engine=ENGINE,
        faces=[[f.box.x1, f.box.y1, f.box.x2, f.box.y2, f.score] for f in found],
        width=array.shape[1],
        height=array.shape[0],
        scanned_at=services.clock.now(),
    )
    with services.step() as session:
        return session.merge(scan_row)


def _add_faces(photo: Photo, original: PhotoScan, rendition: PhotoScan) -> None:
    """Add every box that nobody has seen yet. Boxes are never taken away, and answers stay with their box."""
    photo.problem = ""
    whole = whole_pixels(None, width=photo.width, height=photo.height)
    _compare(photo, original.faces, cut=whole, scale=1.0, source="detector")  # each time: a new engine may know better
    photo.scanned_sha256 = photo.original_sha256
    cut = whole_pixels(tuple(photo.crop) if photo.crop else None, width=photo.width, height=photo.height)
    scale = rendition.width / (cut[2] - cut[0])
    if _compare(photo, rendition.faces, cut=cut, scale=scale, source="rendition", covers=True).still_visible:
        photo.problem = "a face can still be found where it was covered. Crop the photo or take it out."


def _compare(
    photo: Photo, seen: Sequence[Sequence[float]], *, cut: Cut, scale: float, source: str, covers: bool = False
) -> Comparison:
    """Write down what one look found: new boxes, and what it knows better of those that are there."""
    faces = list(photo.faces)
    known = [
        Known(
            id=index,
            box=Box(f.x1, f.y1, f.x2, f.y2),
            covered=covers and f.state == FaceState.COVERED,
            by_hand=f.source == "hand",
        )
        for index, f in enumerate(faces)
    ]
    result = compare(seen, known, cut=cut, scale=scale)
    for box, score in result.new:
        photo.faces.append(Face(x1=box.x1, y1=box.y1, x2=box.x2, y2=box.y2, score=score, source=source))
    for index, score in result.scores.items():
        faces[index].score = max(faces[index].score, score)  # the surest look counts: "not a face" may no longer stand
    for index in result.confirmed:
        faces[index].source = "detector"  # so that nobody can take the box away any more
    return result


def _conclude(services: Services, post_id: int, revision: int) -> None:
    """Seal what was looked at, write down the findings, and say whose turn it is."""
    now = services.clock.now()
    with services.step() as session:
        post = post_for_update(session, post_id)
        if post.state != PostState.SCANNING:
            return
        if post.revision != revision:  # it changed under the check: check what it is now
            jobs.order(session, jobs.SCAN, post.id, now=now)
            return
        post.progress = ""
        if problem := _first_problem(session, post):
            move(post, PostState.SCAN_FAILED)
            post.note = problem
            return
        version = seal(session, post, now=now)
        check_words(session, post, version, accounts_of(session, post))
        if post.send_when_clear and not open_items_of(services, session, post):
            move(post, PostState.REQUESTING)
            jobs.order(session, jobs.REQUEST, post.id, now=now)
        else:
            move(post, PostState.OPEN)


def _first_problem(session: Session, post: Post) -> str:
    for number, photo in enumerate(
        session.scalars(select(Photo).where(Photo.post_id == post.id).order_by(Photo.position)), 1
    ):
        if photo.rendition_sha256 is None or photo.scanned_sha256 != photo.original_sha256:
            return f"Photo {number} could not be scanned: {photo.problem or 'try again.'}"
    return ""
