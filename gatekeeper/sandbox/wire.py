"""The few bytes both ends of an engine's socket agree on: a header, parameters, rows of RGB; one line of JSON back."""

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

MAGIC: Final = b"GKE1"
HEADER: Final = struct.Struct(">4s8sIII")  # magic, operation, bytes of the parameters, height, width
READY: Final = "ready"  # asks only whether somebody is there; comes without pixels
MAX_PIXELS: Final = 64_000_000
MAX_PARAMETERS: Final = 100_000
MAX_ANSWER: Final = 4_000_000
MAX_SENTENCE: Final = 300
READ_SECONDS: Final = 20.0

_NAME_BYTES: Final = 8


def request(operation: str, *, height: int, width: int, parameters: Mapping[str, Any] | None = None) -> bytes:
    """What goes before the rows of RGB."""
    name, details = operation.encode("ascii"), json.dumps(parameters).encode() if parameters else b""
    if not 0 < len(name) <= _NAME_BYTES or len(details) > MAX_PARAMETERS:
        raise ValueError("this request does not fit")
    return HEADER.pack(MAGIC, name, len(details), height, width) + details


def understood(header: bytes) -> tuple[str, int, int, int]:
    """Operation, bytes of the parameters, height and width.

    Raises:
        ValueError: this is not a request.
    """
    magic, name, details, height, width = HEADER.unpack(header)
    operation = name.rstrip(b"\0").decode("ascii")
    bare = height == width == 0
    if magic != MAGIC or details > MAX_PARAMETERS or height * width > MAX_PIXELS or bare != (operation == READY):
        raise ValueError("this is not a request")
    if not bare and not (height and width):
        raise ValueError("this is not a picture")
    return operation, details, height, width
