"""Makes the picture of one child that may be handed out: everybody else in it is covered, or there is none.

Whatever is not certainly this child is covered: other children, adults, boxes that nobody answered, boxes that were
said to hold no face, everything the detectors saw in the picture, and every letter and code that could be read in it,
because a name may be among them. Where it is not certain which face is the child's, or what the detectors saw is not
on record, no picture is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.faces.boxes import Box, overlap
from gatekeeper.faces.redact import cover
from gatekeeper.posts.media import decode, map_box, render
from gatekeeper.posts.model import Photo, PhotoScan, PictureReading
from gatekeeper.posts.picture_errors import MediaDamaged, PictureRefused
from gatekeeper.posts.picture_rendition import whole_pixels
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.services import Services

_SAME: Final = 0.3  # of their joined area: two boxes around one face

NOT_MADE: Final = "It was not looked at in full, so nobody else in it can be covered for certain."
NOT_SURE: Final = "It is not certain which face is the child's, so nothing can be covered for certain."
LOST: Final = "Its file is lost or was changed on the disk."
NOT_IN_IT: Final = "The child was tagged, and is not in the picture as it stands now."


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is covered in one picture; `why_not` says why there is none instead."""

    photo_id: int
    sha256: str = ""
    own: tuple[Box, ...] = ()
    heads: tuple[Box, ...] = ()
    parts: tuple[Box, ...] = ()
    width: int = 0
    height: int = 0
    why_not: str = ""


def plan(session: Session, photo: Photo, pupil_id: int) -> Plan:
    """What has to be covered in what is (or would be) published of a photo."""
    mine = [face for face in photo.faces if face.state == FaceState.PUPIL and face.pupil_id == pupil_id]
    own = _mapped(photo, [(f.x1, f.y1, f.x2, f.y2) for f in mine])
    if not own:
        return Plan(photo_id=photo.id, why_not=NOT_IN_IT)
    if any(overlap(own[0], box) < _SAME for box in own[1:]):
        return Plan(photo_id=photo.id, why_not=NOT_SURE)
    sha = photo.rendition_sha256
    scans = session.scalars(select(PhotoScan).where(PhotoScan.sha256 == sha)).all() if sha else ()
    readings = session.scalars(select(PictureReading).where(PictureReading.sha256 == sha)).all() if sha else ()
    if sha is None or not scans or not readings:
        return Plan(photo_id=photo.id, why_not=NOT_MADE)
    others = _mapped(photo, [(f.x1, f.y1, f.x2, f.y2) for f in photo.faces if f not in mine])
    # of the child itself: a box where somebody else was said to be as well is covered all the same
    seen = [Box(*face[:4]) for scan in scans for face in scan.faces]
    strangers = [box for box in seen if all(overlap(box, mark) < _SAME for mark in own)]
    letters = [Box(*line[:4]) for reading in readings for line in (*reading.words, *reading.codes)]
    return Plan(
        photo_id=photo.id,
        sha256=sha,
        own=tuple(own),
        heads=(*others, *strangers),
        parts=tuple(letters),
        width=photo.rendition_width,
        height=photo.rendition_height,
    )


def picture(services: Services, made: Plan) -> bytes | None:
    """The picture as a JPEG; None where its file is lost."""
    try:
        shown = decode(services.media.read(made.sha256))
    except (MediaDamaged, PictureRefused):
        return None
    if (shown.width, shown.height) != (made.width, made.height):
        return None  # the boxes are of another picture
    return render(cover(shown.pixels, made.heads, made.parts)).data


def _mapped(photo: Photo, boxes: Sequence[tuple[float, float, float, float]]) -> list[Box]:
    """The boxes as they lie in the published picture; those that the crop left out are not in it."""
    cut = whole_pixels(tuple(photo.crop) if photo.crop else None, width=photo.width, height=photo.height)
    scale = photo.rendition_width / (cut[2] - cut[0])
    found = (map_box(box, crop=cut, scale=scale) for box in boxes)
    return [Box(*box) for box in found if box is not None]
