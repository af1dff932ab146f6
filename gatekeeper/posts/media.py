"""Takes a picture in: opened by a limited child process, handed back as bare pixels or as the published rendition.

No byte of an uploaded picture is parsed in the calling process beyond its first few. What the child says is checked
before it is believed: sizes must fit, and a rendition must be a JPEG and nothing besides.
"""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.posts.picture_errors import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    MediaDamaged,
    PictureRefused,
    refusal,
)
from gatekeeper.posts.picture_jpeg import is_bare
from gatekeeper.posts.picture_kinds import Kind, identify
from gatekeeper.posts.picture_rendition import (
    LONG_SIDE,
    MAX_BYTES,
    Cut,
    Region,
    Rendition,
    map_box,
    unmap_box,
    whole_pixels,
)
from gatekeeper.posts.picture_store import MediaStore

__all__ = [
    "MAX_FILE_BYTES",
    "Cut",
    "Kind",
    "MediaDamaged",
    "MediaStore",
    "PictureRefused",
    "Pixels",
    "Region",
    "Rendition",
    "Upright",
    "decode",
    "identify",
    "map_box",
    "publishable",
    "render",
    "unmap_box",
]

Pixels = NDArray[np.uint8]

WALL_SECONDS: Final = 12.0  # the child is allowed 10 s of processor time; nobody waits longer than this for its answer
_AT_ONCE: Final = threading.BoundedSemaphore(2)  # a child may take 2 GB, so a process never runs more than two
_PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """A picture as a person sees it: RGB pixels, height x width x 3, read-only."""

    pixels: Pixels
    width: int
    height: int
    kind: Kind


def decode(data: bytes, *, timeout: float = WALL_SECONDS) -> Upright:
    """The upright pixels of an uploaded picture.

    Raises:
        PictureRefused: with a sentence for the person who chose it.
    """
    kind = identify(data)
    header, body = _ask_child("upright", kind, data, timeout)
    width, height = _size(header.get("width"), header.get("height"))
    if len(body) != width * height * 3:
        raise refusal("broken")
    pixels = np.frombuffer(body, dtype=np.uint8).reshape(height, width, 3)
    return Upright(pixels, width, height, kind)


def publishable(data: bytes, *, timeout: float = WALL_SECONDS) -> tuple[tuple[int, int], Rendition]:
    """The size of the upright original and the rendition to publish; the pixels never enter this process.

    Raises:
        PictureRefused: with a sentence for the person who chose it.
    """
    kind = identify(data)
    header, body = _ask_child("publish", kind, data, timeout)
    original = _size(header.get("width"), header.get("height"))
    shown = header.get("shown")
    width, height = _size(*shown) if isinstance(shown, list) and len(shown) == 2 else _size(0, 0)  # noqa: PLR2004
    if max(width, height) > LONG_SIDE or len(body) > MAX_BYTES or not is_bare(body):
        raise refusal("broken")
    whole = whole_pixels(None, width=original[0], height=original[1])
    return original, Rendition(body, width, height, crop=whole, scale=max(width, height) / max(original))


def render(pixels: Pixels, *, crop: Region | None = None, long_side: int = LONG_SIDE) -> Rendition:
    """The rendition of bare pixels. The same pixels and crop give the same bytes as `publishable` gave."""
    from PIL import Image

    from gatekeeper.posts.picture_rendition import encode

    return encode(Image.fromarray(pixels, "RGB"), crop=crop, long_side=long_side)


def _size(width: object, height: object) -> tuple[int, int]:
    if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0 and width * height <= MAX_PIXELS:
        return width, height
    raise refusal("broken")


def _ask_child(mode: str, kind: Kind, data: bytes, timeout: float) -> tuple[dict[str, Any], bytes]:
    command = [sys.executable, "-s", "-P", "-B", "-m", "gatekeeper.posts.decoder", mode, kind, str(os.getpid())]
    with (
        _AT_ONCE,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            cwd="/",
            env={"PATH": os.defpath, "PYTHONPATH": str(_PROJECT), "LANG": "C.UTF-8"},
        ) as child,
    ):
        try:
            answer, _ = child.communicate(data, timeout=timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise refusal("complex") from None
        except BaseException:
            child.kill()
            raise
    if child.returncode < 0:
        raise refusal("complex")
    return _read_answer(answer)


def _read_answer(answer: bytes) -> tuple[dict[str, Any], bytes]:
    line, _, body = answer.partition(b"\n")
    try:
        header = json.loads(line)
    except ValueError:
        raise refusal("no-answer") from None
    if not isinstance(header, dict):
        raise refusal("no-answer")
    if "refused" in header:
        raise refusal(str(header["refused"]))
    return header, body
