"""Makes the picture that is published: a plain JPEG out of bare pixels, small enough for every platform.

The same pixels and crop always give the same bytes, so a rendition can be made again and compared by its digest.
"""

import hashlib
import io
from dataclasses import dataclass
from typing import Final

from PIL import Image

LONG_SIDE: Final = 2048
MAX_BYTES: Final = 2_000_000  # X refused a picture of 2.7 MB
QUALITIES: Final = (88, 82, 76, 70)
_SHRINK: Final = 0.8

Region = tuple[float, float, float, float]  # x1, y1, x2, y2, y down
Cut = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Rendition:
    """The published form of a picture. `crop` is the part of the upright original it shows, `scale` its size in it."""

    data: bytes
    width: int
    height: int
    crop: Cut
    scale: float
    mime: str = "image/jpeg"

    @property
    def sha256(self) -> str:
        """The digest of exactly these bytes."""
        return hashlib.sha256(self.data).hexdigest()


def encode(image: Image.Image, *, crop: Region | None = None, long_side: int = LONG_SIDE) -> Rendition:
    """The rendition of an upright RGB picture: cropped, at most `long_side` and 2 MB, and nothing but pixels."""
    cut = whole_pixels(crop, width=image.width, height=image.height)
    shown = image.crop(cut)
    width, height = shown.size
    side = min(long_side, max(width, height))
    while True:
        scale = side / max(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = shown if size == shown.size else shown.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        bare = Image.frombytes("RGB", size, small.tobytes())  # a new picture has no info dictionary to leak from
        for quality in QUALITIES:
            buffer = io.BytesIO()
            bare.save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= MAX_BYTES:
                return Rendition(buffer.getvalue(), *size, crop=cut, scale=scale)
        side = int(side * _SHRINK)


def whole_pixels(crop: Region | None, *, width: int, height: int) -> Cut:
    """The crop in whole pixels and inside the picture; never empty."""
    if crop is None:
        return (0, 0, width, height)
    x1, y1, x2, y2 = crop
    left, right = sorted((min(max(round(x1), 0), width), min(max(round(x2), 0), width)))
    top, bottom = sorted((min(max(round(y1), 0), height), min(max(round(y2), 0), height)))
    left, top = min(left, width - 1), min(top, height - 1)
    return (left, top, max(right, left + 1), max(bottom, top + 1))


def map_box(box: Region, *, crop: Cut, scale: float) -> Region | None:
    """A box of the upright original as it lies in the rendition; None when the crop left it out altogether."""
    left, top, right, bottom = crop
    x1, y1, x2, y2 = max(box[0], left), max(box[1], top), min(box[2], right), min(box[3], bottom)
    if x1 >= x2 or y1 >= y2:
        return None
    return ((x1 - left) * scale, (y1 - top) * scale, (x2 - left) * scale, (y2 - top) * scale)


def unmap_box(box: Region, *, crop: Cut, scale: float) -> Region:
    """A box of the rendition as it lies in the upright original."""
    left, top = crop[0], crop[1]
    return (box[0] / scale + left, box[1] / scale + top, box[2] / scale + left, box[3] / scale + top)
