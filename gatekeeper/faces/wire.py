"""The few bytes the two ends of the detection socket agree on: a header, then rows of RGB, then one line of JSON back."""

import struct
from typing import Final

MAGIC: Final = b"GKF1"
HEADER: Final = struct.Struct(">4sII")  # magic, height, width; 0 x 0 asks only whether somebody is there
MAX_PIXELS: Final = 64_000_000
MAX_ANSWER: Final = 4_000_000
READ_SECONDS: Final = 20.0
