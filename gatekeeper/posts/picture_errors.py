"""Why a picture was refused, in sentences a teacher understands.

The decoding child answers with one of the keys below and never with text of its own: whatever a hostile picture makes
of that child, it cannot put words on our pages.
"""

from typing import Final

from gatekeeper.errors import GatekeeperError

MAX_FILE_BYTES: Final = 25_000_000
MAX_PIXELS: Final = 64_000_000

SENTENCES: Final = {
    "empty": "This file is empty. Please choose the picture again.",
    "too-large": "This file is larger than 25 MB. Please save a smaller copy of the picture and try again.",
    "too-many-pixels": "This picture has more than 64 megapixels. Please save a smaller copy and try again.",
    "animated": "This picture moves: it holds more than one frame. Please save one still picture.",
    "complex": "This picture is too complex to open safely. Please save it again as a JPEG picture and try that.",
    "broken": "This picture is damaged or incomplete and cannot be opened in full. Please send the original again.",
    "no-answer": "This picture could not be opened safely just now. Please try again.",
}


class PictureRefused(GatekeeperError):
    """This file is not a picture that can be published; the text says why and what to do."""


class MediaDamaged(GatekeeperError):
    """A stored file is missing or is no longer the bytes that were put there, so nobody may use it."""


def refusal(key: str) -> PictureRefused:
    """The refusal for one of the keys above; an unknown key counts as a damaged picture."""
    return PictureRefused(SENTENCES.get(key, SENTENCES["broken"]))
