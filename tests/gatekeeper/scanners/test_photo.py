"""Boxes found in a rendition beside those that stand on the photo: in doubt there is one more to answer for."""

from gatekeeper.faces.boxes import Box
from gatekeeper.scanners.photo import Known, compare

WHOLE = (0, 0, 500, 600)
FACE = Box(185, 122, 359, 340)


def known(*, covered: bool = False, by_hand: bool = False, score: float = 0.9, nobody: bool = False) -> Known:
    return Known(id=1, box=FACE, covered=covered, by_hand=by_hand, score=score, nobody=nobody)


def look(*boxes: tuple[float, ...], face: Known) -> int:
    return len(compare(boxes, [face], cut=WHOLE, scale=1.0).new)


def test_the_same_face_seen_again_is_no_new_one() -> None:
    assert look((180, 120, 355, 345, 0.9), face=known()) == 0


def test_a_faint_half_of_a_face_that_was_found_is_not_asked_about() -> None:
    assert look((141, 122, 275, 291, 0.61), face=known()) == 0


def test_a_sure_face_beside_another_is_asked_about_however_they_overlap() -> None:
    assert look((141, 122, 275, 291, 0.85), face=known()) == 1


def test_a_faint_face_that_is_only_touched_by_another_is_asked_about() -> None:
    assert look((60, 122, 230, 291, 0.61), face=known()) == 1


def test_a_drawn_or_covered_box_hides_no_half_face() -> None:
    assert look((141, 122, 275, 291, 0.61), face=known(by_hand=True)) == 1
    assert look((141, 122, 275, 291, 0.61), face=known(covered=True)) == 1


def test_a_box_that_may_turn_out_to_be_no_face_hides_no_half_face() -> None:
    """Its author may still say alone that there is none; then nobody would have answered for the other."""
    assert look((141, 122, 275, 291, 0.61), face=known(score=0.55)) == 1


def test_a_box_that_was_said_to_hold_no_face_hides_none() -> None:
    half, small = (141, 122, 275, 291, 0.61), (200, 140, 280, 230, 0.75)
    assert look(half, face=known()) == look(small, face=known()) == 0
    assert look(half, face=known(nobody=True)) == 1
    assert look(small, face=known(nobody=True)) == 1  # somebody small within what was taken for a pattern
    assert look((180, 120, 355, 345, 0.75), face=known(nobody=True)) == 0  # the same box again is answered
