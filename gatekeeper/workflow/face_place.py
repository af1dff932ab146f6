"""Where a face lies in its photo: inside what would be published, or cropped away."""

from gatekeeper.posts.model import Face, Photo


def is_inside(photo: Photo, face: Face) -> bool:
    """Whether any part of the box is inside the published part of the picture."""
    if not photo.crop:
        return True
    x1, y1, x2, y2 = photo.crop
    return bool(face.x1 < x2 and face.x2 > x1 and face.y1 < y2 and face.y2 > y1)
