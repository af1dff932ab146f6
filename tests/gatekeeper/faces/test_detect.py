"""Faces are found in every turn and size, and a detector that fails is never a photo without faces."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from gatekeeper.errors import NotScanned
from gatekeeper.faces import detect as module
from gatekeeper.faces.boxes import Box, Face, overlap
from gatekeeper.faces.detect import FaceFinder, Pixels

PORTRAIT_FACE = Box(180, 115, 350, 335)


def test_finds_the_one_face_of_a_portrait(finder: FaceFinder, portrait: Pixels) -> None:
    faces = finder.detect(portrait)
    assert len(faces) == 1
    assert overlap(faces[0].box, PORTRAIT_FACE) > 0.6
    assert faces[0].detector == "centerface+yunet"
    assert faces[0].score > 0.8


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_finds_the_same_face_when_the_photo_lies_on_its_side(finder: FaceFinder, portrait: Pixels, turn: int) -> None:
    upright = finder.detect(portrait)[0].box
    turned = np.ascontiguousarray(np.rot90(portrait, turn))
    faces = finder.detect(turned)
    assert len(faces) == 1
    height, width = portrait.shape[:2]
    assert overlap(module._box_turned_back(faces[0].box, turn, width, height), upright) > 0.9


def test_finds_one_lying_face_among_upright_ones(finder: FaceFinder, portrait: Pixels) -> None:
    upright = portrait[:512]
    picture = np.ascontiguousarray(np.hstack([upright, upright, np.rot90(upright)]))
    assert len(finder.detect(picture)) == 3


def test_finds_small_faces_at_the_back_of_a_large_photo(finder: FaceFinder, portrait: Pixels) -> None:
    """Each face is 29 pixels high and would be 10 where the whole photo is looked at once."""
    small = np.asarray(portrait)[::7, ::7]
    hall = np.full((1400, 4600, 3), 150, np.uint8)
    places = [(y, x) for y in (100, 1070, 1210) for x in (150, 1100, 1230, 4400)]
    for y, x in places:
        hall[y : y + small.shape[0], x : x + small.shape[1]] = small
    assert len(finder.detect(hall)) == len(places)


def test_finds_two_hundred_faces_in_one_photo(finder: FaceFinder, portrait: Pixels) -> None:
    small = cv2.resize(portrait[:512], (96, 96), interpolation=cv2.INTER_AREA)
    assert len(finder.detect(np.tile(small, (10, 20, 1)))) == 200


def test_finds_the_face_in_a_photo_of_a_photo(finder: FaceFinder, portrait: Pixels) -> None:
    """A framed picture on the wall behind the class shows a child as well as the class does."""
    wall = np.full((900, 1400, 3), (190, 180, 160), np.uint8)
    wall[300:560, 600:825] = 60
    wall[310:550, 610:815] = cv2.resize(portrait, (205, 240))
    (face,) = finder.detect(wall)
    assert overlap(face.box, Box(682, 364, 746, 448)) > 0.5


def test_nothing_is_found_where_there_is_nobody(finder: FaceFinder) -> None:
    assert finder.detect(np.full((300, 400, 3), 200, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 5), (33, 31)])
def test_odd_sizes_are_looked_at_without_complaint(finder: FaceFinder, shape: tuple[int, int]) -> None:
    assert finder.detect(np.zeros((*shape, 3), np.uint8)) == []


def test_a_face_cut_by_the_edge_stays_inside_the_picture(finder: FaceFinder, portrait: Pixels) -> None:
    half = np.ascontiguousarray(portrait[:, 230:])
    for face in finder.detect(half):
        assert face.box == face.box.clipped(half.shape[1], half.shape[0])
        assert face.box.area > 0


class Failing:
    name = "failing"
    sure = 0.5

    def detect(self, pixels: Pixels) -> list[Face]:
        raise RuntimeError("out of memory somewhere in C++")


def test_a_detector_that_fails_means_not_scanned(finder: FaceFinder, portrait: Pixels) -> None:
    for broken in (replace(finder, quick=Failing()), replace(finder, full=(*finder.full, Failing()))):
        with pytest.raises(NotScanned, match="has not been scanned"):
            broken.detect(portrait)


def test_turning_a_box_there_and_back_changes_nothing() -> None:
    picture = np.zeros((300, 500), np.uint8)
    picture[40:90, 60:160] = 1
    for turn in range(4):
        rows, columns = np.nonzero(np.rot90(picture, turn))
        seen = Box(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        back = seen if turn == 0 else module._box_turned_back(seen, turn, 500, 300)
        assert back == Box(60, 40, 160, 90)


@pytest.mark.parametrize("length", [1, 1280, 1281, 2400, 2401, 4800])
def test_tiles_cover_every_pixel_with_room_for_a_face_between(length: int) -> None:
    steps = module._steps(length)
    assert steps[0] == 0
    assert steps[-1] + module.TILE >= length
    assert all(later - earlier <= module.TILE - 100 for earlier, later in pairwise(steps))
