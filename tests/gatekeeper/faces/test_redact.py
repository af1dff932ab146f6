"""A covered face is gone: no detector finds it and no pixel of it is left."""

from pathlib import Path

import numpy as np
from PIL import Image

from gatekeeper.faces.boxes import Box, containment
from gatekeeper.faces.detect import FaceFinder, Pixels
from gatekeeper.faces.redact import cover, head


def test_no_face_is_found_where_one_was_covered(finder: FaceFinder, portrait: Pixels) -> None:
    boxes = [face.box for face in finder.detect(portrait)]
    assert len(boxes) == 1
    assert finder.detect(cover(portrait, boxes)) == []


def test_the_picture_that_was_given_is_not_changed(portrait: Pixels) -> None:
    before = portrait.copy()
    cover(portrait, [Box(180, 115, 350, 335)])
    assert np.array_equal(before, portrait)


def test_nothing_under_the_cover_depends_on_the_face(portrait: Pixels) -> None:
    """Two pictures that differ only in the face come out the same to the last bit."""
    face = Box(180, 115, 350, 335)
    other = portrait.copy()
    other[115:335, 180:350] = 255 - other[115:335, 180:350]
    assert np.array_equal(cover(portrait, [face]), cover(other, [face]))


def test_the_whole_head_is_covered_and_the_rest_is_left(portrait: Pixels) -> None:
    face = Box(180, 115, 350, 335)
    place = head(face)
    assert place.area > 2 * face.area
    covered = cover(portrait, [face])
    changed = np.any(covered != portrait, axis=2)
    assert changed[115:335, 180:350].mean() > 0.95
    outside = changed.copy()
    outside[int(place.y1) : int(place.y2) + 2, int(place.x1) : int(place.x2) + 2] = False
    assert not outside.any()


def test_a_box_at_the_edge_or_beyond_it_does_no_harm(portrait: Pixels) -> None:
    height, width = portrait.shape[:2]
    covered = cover(portrait, [Box(-50, -50, 40, 40), Box(width, height, width + 9, height + 9), Box(5, 5, 5, 5)])
    assert covered.shape == portrait.shape
    assert np.any(covered[:20, :20] != portrait[:20, :20])


def test_a_face_that_fills_the_picture_is_covered_too(finder: FaceFinder, portrait: Pixels) -> None:
    close = np.ascontiguousarray(portrait[115:335, 180:350])
    covered = cover(close, [Box(0, 0, 170, 220)])
    assert finder.detect(covered) == []


def test_real_faces_are_gone_when_covered(finder: FaceFinder, eval_data: Path) -> None:
    for name in ("azure__detection5.jpg", "cpf__000_5.jpg"):
        with Image.open(eval_data / "faces" / "detect" / name) as image:
            pixels = np.asarray(image.convert("RGB"))
        boxes = [face.box for face in finder.detect(pixels)]
        assert len(boxes) >= 3
        left = finder.detect(cover(pixels, boxes))
        assert not [face for face in left if any(containment(face.box, box) > 0.3 for box in boxes)]
