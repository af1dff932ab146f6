"""How sharp a photo may be published: smaller when somebody's uncovered face is in it, unless its author asks for more."""

from typing import Final

from gatekeeper.policy.photo_rules import LOWERED_SIDE
from gatekeeper.posts.model import Photo
from gatekeeper.posts.picture_rendition import LONG_SIDE
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.facts import is_inside

_NOBODY: Final = frozenset({FaceState.COVERED, FaceState.NOT_A_FACE})


def longest_side(photo: Photo) -> int:
    """The long side, in pixels, that what is published of this photo may have as its faces stand now."""
    if photo.full_size:
        return LONG_SIDE
    shows_somebody = any(face.state not in _NOBODY and is_inside(photo, face) for face in photo.faces)
    return LOWERED_SIDE if shows_somebody else LONG_SIDE


def is_too_large(photo: Photo) -> bool:
    """Whether the rendition was made before somebody was found, or drawn, in the photo: it has to be made again."""
    made = max(photo.rendition_width, photo.rendition_height)
    return photo.rendition_sha256 is not None and made > longest_side(photo)
