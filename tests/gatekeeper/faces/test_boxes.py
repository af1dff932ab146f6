"""When two boxes are one face, and when they are two."""

import pytest

from gatekeeper.faces.boxes import Box, Face, containment, mean_the_same, overlap
from gatekeeper.faces.sightings import Sighting, merge


def sighting(box: Box, score: float, detector: str, *, sure: bool) -> Sighting:
    return Sighting(Face(box, score, detector), sure)


ONE = Box(10, 10, 50, 50)


def test_overlap_is_one_for_the_same_box_and_nothing_for_boxes_apart() -> None:
    assert overlap(ONE, ONE) == 1
    assert overlap(ONE, Box(50, 10, 90, 50)) == 0
    assert overlap(ONE, Box(30, 10, 70, 50)) == pytest.approx(1 / 3)


def test_containment_looks_at_the_smaller_box() -> None:
    assert containment(ONE, Box(20, 20, 30, 30)) == 1
    assert containment(Box(0, 0, 0, 0), ONE) == 0


def test_a_small_face_on_a_shirt_is_not_lost_in_a_large_one() -> None:
    assert not mean_the_same(Box(0, 0, 100, 100), Box(40, 40, 60, 60))
    assert mean_the_same(Box(0, 0, 100, 100), Box(20, 20, 80, 80))


def test_clipping_never_leaves_the_picture() -> None:
    assert Box(-5, -5, 500, 20).clipped(100, 10) == Box(0, 0, 100, 10)
    assert Box(200, 200, 300, 300).clipped(100, 100).area == 0


def test_two_looks_at_one_face_are_one_face() -> None:
    faces = merge(
        [sighting(ONE, 0.9, "yunet", sure=True), sighting(Box(12, 12, 52, 52), 0.3, "centerface", sure=False)]
    )
    assert len(faces) == 1
    assert faces[0].detector == "centerface+yunet"
    assert faces[0].score == 0.9
    assert 10 < faces[0].box.x1 < 11


def test_one_sure_look_is_enough_and_one_faint_look_is_not() -> None:
    assert len(merge([sighting(ONE, 0.6, "yunet", sure=True)])) == 1
    assert merge([sighting(ONE, 0.45, "yunet", sure=False)]) == []


def test_two_faint_looks_count_only_when_two_detectors_agree() -> None:
    faint = sighting(ONE, 0.45, "yunet", sure=False)
    assert merge([faint, faint]) == []
    assert len(merge([faint, sighting(ONE, 0.3, "centerface", sure=False)])) == 1


def test_no_sure_face_is_ever_taken_away_by_another() -> None:
    boxes = [Box(x, 0, x + 40, 40) for x in range(0, 400, 45)]
    many = [sighting(box, 0.5 + index / 50, "yunet", sure=True) for index, box in enumerate(boxes)]
    assert [face.box for face in merge(many)] == boxes
