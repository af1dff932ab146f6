"""Joins what several detectors saw into one list of faces.

A face counts when one look is sure of it, or when two different detectors both think so, however faintly. No look can
take away what another is sure of: detectors only ever add.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gatekeeper.faces.boxes import Box, Face, mean_the_same


@dataclass(frozen=True, slots=True)
class Sighting:
    """One detector's box, and whether that detector alone is enough to believe it."""

    face: Face
    sure: bool


def merge(sightings: Iterable[Sighting]) -> list[Face]:
    """One face per person seen, where the looks agree on average, read from the top left."""
    groups: list[list[Sighting]] = []
    for sighting in sorted(sightings, key=lambda sighting: -sighting.face.score):
        for group in groups:
            if mean_the_same(group[0].face.box, sighting.face.box):
                group.append(sighting)
                break
        else:
            groups.append([sighting])
    faces = [_joined([sighting.face for sighting in group]) for group in groups if _believed(group)]
    return sorted(faces, key=lambda face: (face.box.y1, face.box.x1))


def _believed(group: list[Sighting]) -> bool:
    return any(sighting.sure for sighting in group) or len({sighting.face.detector for sighting in group}) > 1


def _joined(faces: list[Face]) -> Face:
    """The mean box weighted by score: on masks it lies better than the box of any one detector."""
    weight = sum(face.score for face in faces)
    sides = [sum(face.box.as_list()[side] * face.score for face in faces) / weight for side in range(4)]
    names = "+".join(sorted({face.detector for face in faces}))
    return Face(Box(*sides), max(face.score for face in faces), names)
