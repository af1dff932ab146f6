"""What the checks found inside a photo, at that photo: letters, codes, marks, and what would be unwise to show.

Each comes with the remedies that one press can do: cover the place, cover the face, publish it smaller, crop.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gatekeeper.faces.boxes import Box, mean_the_same
from gatekeeper.posts.model import Face, Finding, Photo
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.facts import is_inside
from gatekeeper.workflow.words_view import FindingView

Remedy = Literal["patch", "cover", "smaller", "crop"]

_IN_PICTURE: Final = re.compile(r"images\[(\d{1,3})\]\.(lettering|code|mark|photo)")


@dataclass(frozen=True, kw_only=True)
class PhotoFinding:
    """One finding about what a picture shows.

    Attributes:
        finding: as it stands in the list of findings, where its reason is given.
        box: where in the upright photo, if it is one place.
        face_id: the face that it speaks of, if there is one still to be seen.
    """

    finding: FindingView
    box: tuple[float, float, float, float] | None
    face_id: int | None
    remedies: tuple[Remedy, ...]


def photo_number(field: str) -> int | None:
    """Which photo of the post a finding's field speaks of, the first being 1; None when it is about typed words."""
    found = _IN_PICTURE.fullmatch(field)
    return int(found[1]) + 1 if found else None


def photo_findings(photo: Photo, views: Sequence[FindingView], rows: Sequence[Finding]) -> tuple[PhotoFinding, ...]:
    """The findings about this photo, in the order of the page."""
    boxes = {row.id: row.box for row in rows}
    return tuple(_told(photo, view, boxes.get(view.id)) for view in views if view.photo_id == photo.id)


def _told(photo: Photo, view: FindingView, corners: Sequence[float] | None) -> PhotoFinding:
    box = (corners[0], corners[1], corners[2], corners[3]) if corners else None
    about_the_photo = view.field.endswith(".photo")
    face = _face_at(photo, Box(*box)) if box and about_the_photo else None
    remedies: list[Remedy] = []
    if box and not about_the_photo:
        remedies.append("patch")
    if face is not None:
        remedies.append("cover")
    if about_the_photo and photo.full_size:
        remedies.append("smaller")
    remedies.append("crop")
    return PhotoFinding(finding=view, box=box, face_id=face.id if face else None, remedies=tuple(remedies))


def _face_at(photo: Photo, box: Box) -> Face | None:
    for face in photo.faces:
        same = mean_the_same(box, Box(face.x1, face.y1, face.x2, face.y2))
        if same and is_inside(photo, face) and face.state not in {FaceState.COVERED, FaceState.NOT_A_FACE}:
            return face
    return None
