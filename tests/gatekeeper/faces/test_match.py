"""Matching ranks, and refuses to compare what is too small."""

import numpy as np
import pytest

from gatekeeper.errors import NotScanned
from gatekeeper.faces.boxes import Box
from gatekeeper.faces.detect import FaceFinder, Pixels
from gatekeeper.faces.match import distances, encode, nearest


def test_the_same_face_is_nearest(finder: FaceFinder, portrait: Pixels) -> None:
    box = finder.detect(portrait)[0].box
    darker = (portrait * 0.8).astype(np.uint8)
    encoding, again = encode(portrait, [box])[0], encode(darker, [box])[0]
    assert encoding is not None
    assert again is not None
    assert encoding.shape == (128,)
    gallery = {f"person {n}": [encoding + n * 0.1] for n in range(1, 6)} | {"Grace Hopper": [encoding], "nobody": []}
    found = nearest(gallery, again)
    assert [candidate.person for candidate in found] == ["Grace Hopper", "person 1", "person 2"]
    assert found[0].distance < 0.3 < found[1].distance


def test_faces_under_40_pixels_are_not_compared(portrait: Pixels) -> None:
    assert encode(portrait, [Box(10, 10, 49, 60), Box(10, 10, 60, 49)]) == [None, None]


def test_the_order_of_the_boxes_is_kept(portrait: Pixels) -> None:
    found = encode(portrait, [Box(0, 0, 20, 20), Box(180, 115, 350, 335), Box(0, 0, 39, 39)])
    assert [encoding is None for encoding in found] == [True, False, True]


def test_a_library_that_fails_means_not_scanned() -> None:
    with pytest.raises(NotScanned, match="could not be compared"):
        encode(np.zeros((100, 100), np.float32), [Box(0, 0, 50, 50)])  # type: ignore[arg-type]


def test_an_empty_gallery_is_near_nobody() -> None:
    assert len(distances([], np.zeros(128))) == 0
    assert nearest({}, np.zeros(128)) == []
