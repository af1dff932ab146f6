"""What one would write with `face_recognition` itself: its finder and its encoder, in one process per core.

    python tests/benchmarks/face_library.py --processes 2 [--model cnn] [--upsample 0] PHOTO...

Prints one line of JSON a photo.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

Corners = list[int]
_held: dict[str, Any] = {}


def pool(processes: int, photos: Sequence[str] = ()) -> Pool:
    """Processes that have the library loaded and hold these photos decoded."""
    return get_context("spawn").Pool(processes, _prepare, (photos,))


def locate(photo: str, *, model: str = "hog", upsample: int = 1) -> tuple[list[Corners], float]:
    """Where the library sees faces, as left, top, right, bottom, and the seconds that the looking took."""
    import face_recognition

    pixels = _held[photo] if photo in _held else face_recognition.load_image_file(photo)
    began = time.perf_counter()
    places = face_recognition.face_locations(pixels, upsample, model)
    seconds = time.perf_counter() - began
    return [[int(left), int(top), int(right), int(bottom)] for top, right, bottom, left in places], seconds


def encode(photo: str, corners: Corners) -> int:
    """How many numbers the library makes of this face of a held photo."""
    import face_recognition

    left, top, right, bottom = corners
    (numbers,) = face_recognition.face_encodings(_held[photo], [(top, right, bottom, left)])
    return len(numbers)


def _prepare(photos: Sequence[str]) -> None:
    import face_recognition
    import numpy as np

    for photo in photos:
        _held[photo] = face_recognition.load_image_file(photo)
    if photos:  # the first run of everything is slower: before the clock
        blank = np.full((160, 160, 3), 127, np.uint8)
        face_recognition.face_locations(blank)
        face_recognition.face_encodings(blank, [(20, 140, 140, 20)])


def main() -> int:
    """Look at each photo and print what was seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--model", default="hog")
    parser.add_argument("--upsample", type=int, default=1)
    parser.add_argument("photos", nargs="+", type=Path)
    asked = parser.parse_args()
    photos = [str(photo) for photo in asked.photos]
    with pool(asked.processes) as workers:
        look = partial(locate, model=asked.model, upsample=asked.upsample)
        for photo, (boxes, seconds) in zip(photos, workers.imap(look, photos), strict=True):
            print(json.dumps({"file": photo, "boxes": boxes, "seconds": seconds}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
