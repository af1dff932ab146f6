"""Finds QR codes and barcodes, as the camera of a telephone would: a code is a link that nobody sees."""

from typing import Any, Final

import numpy as np

from gatekeeper.errors import NotScanned
from gatekeeper.lettering.places import within
from gatekeeper.lettering.reading import Code
from gatekeeper.sandbox.wire import Pixels

MOST: Final = 40
LONGEST: Final = (
    7100  # the largest QR code holds 7089 digits; what a code says is never cut, for names stand at its end, too
)


def codes(pixels: Pixels) -> list[Code]:
    """Every code that can be read, small, turned or inverted.

    Raises:
        NotScanned: there are more of them than anybody could check, or one says more than any code can.
    """
    import zxingcpp

    found = zxingcpp.read_barcodes(np.ascontiguousarray(pixels), text_mode=zxingcpp.TextMode.Plain)
    read = [_code(one, pixels) for one in found if one.valid]
    if len(read) > MOST:
        raise NotScanned("This photo shows more codes than can be checked. Please crop it, or choose another.")
    if any(len(code.text) > LONGEST for code in read):
        raise NotScanned("A code in this photo says more than can be checked. Please cover it, or crop the photo.")
    return sorted(read, key=lambda code: (code.box[1], code.box[0]))


def _code(found: Any, pixels: Pixels) -> Code:
    place = found.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    across, down = [float(corner.x) for corner in corners], [float(corner.y) for corner in corners]
    height, width = pixels.shape[:2]
    box = within((min(across), min(down), max(across), max(down)), width=width, height=height)
    text = "".join(sign if sign.isprintable() else " " for sign in found.text)
    return Code(box, text, str(found.format))
