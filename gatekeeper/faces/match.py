"""Compares faces through `face-recognition`: who might this be, nearest first. A suggestion, never a verdict.

Measured at the library's own threshold, 27 % of pairs of different children aged 4 to 11 count as the same child.
So nothing here says yes or no, and faces too small to tell apart are not compared at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import NotScanned
from gatekeeper.faces.boxes import Box

Pixels = NDArray[np.uint8]
Encoding = NDArray[np.float64]

SMALLEST_SIDE: Final = 40.0
_MOST_CANDIDATES: Final = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the gallery and how far their nearest photo is from this face; smaller is more alike."""

    person: str
    distance: float


def can_be_compared(box: Box) -> bool:
    """Whether the face is large enough to tell two people apart."""
    return min(box.width, box.height) >= SMALLEST_SIDE


def encode(pixels: Pixels, boxes: Sequence[Box]) -> list[Encoding | None]:
    """128 numbers for each face in the order of the boxes, by the five-point model; None for one that is too small.

    Raises:
        NotScanned: the library failed on this photo.
    """
    large = [box for box in boxes if can_be_compared(box)]
    if not large:
        return [None] * len(boxes)
    try:
        import face_recognition

        places = [(round(box.y1), round(box.x2), round(box.y2), round(box.x1)) for box in large]
        found = face_recognition.face_encodings(np.ascontiguousarray(pixels), places, num_jitters=1, model="small")
    except Exception as problem:
        raise NotScanned("The faces in this photo could not be compared.") from problem
    encodings = iter(found)
    return [np.asarray(next(encodings), np.float64) if can_be_compared(box) else None for box in boxes]


def distances(known: Sequence[Encoding], face: Encoding) -> NDArray[np.float64]:
    """How far this face is from each known one."""
    if not known:
        return np.empty(0, np.float64)
    return np.asarray(np.linalg.norm(np.stack(known) - face, axis=1), np.float64)


def nearest(gallery: Mapping[str, Sequence[Encoding]], face: Encoding) -> list[Candidate]:
    """The people of the gallery whose photos come nearest, at most three."""
    ranked = sorted(
        (Candidate(person, float(distances(known, face).min())) for person, known in gallery.items() if known),
        key=lambda candidate: (candidate.distance, candidate.person),
    )
    return ranked[:_MOST_CANDIDATES]
