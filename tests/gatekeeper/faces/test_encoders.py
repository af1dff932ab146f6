"""The drawn encoder of the tests keeps to what the real one keeps to."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gatekeeper.faces.boxes import Box
from gatekeeper.faces.detect import FaceFinder, Pixels
from gatekeeper.faces.likeness import FARTHEST
from gatekeeper.faces.match import Encoding, distances, encode
from tests.factories.enrolled import DrawnEncoder, drawing

Encode = Callable[[Pixels, Sequence[Box]], list[Encoding | None]]


@pytest.fixture(params=["drawn", "face_recognition"])
def case(request: pytest.FixtureRequest) -> tuple[Encode, Pixels, Box]:
    """An encoder, a picture it can read, and where the face is."""
    if request.param == "drawn":
        box = Box(100, 100, 200, 220)
        return DrawnEncoder().encode, np.asarray(drawing((box, 1.0))), box
    portrait: Pixels = request.getfixturevalue("portrait")
    finder: FaceFinder = request.getfixturevalue("finder")
    return encode, portrait, finder.detect(portrait)[0].box


def test_encodings_come_in_the_order_of_the_boxes_and_a_small_face_has_none(case: tuple[Encode, Pixels, Box]) -> None:
    encode_faces, pixels, box = case
    small = Box(box.x1, box.y1, box.x1 + 39, box.y2)
    first, second, third = encode_faces(pixels, [small, box, small])
    assert (first, third) == (None, None)
    assert second is not None
    assert second.shape == (128,)
    assert second.dtype == np.float64


def test_the_same_face_in_a_darker_photo_is_near_and_no_box_means_no_numbers(case: tuple[Encode, Pixels, Box]) -> None:
    encode_faces, pixels, box = case
    (one,), (again,) = encode_faces(pixels, [box]), encode_faces((pixels * 0.9).astype(np.uint8), [box])
    assert one is not None
    assert again is not None
    assert 0 < distances([one], again)[0] < FARTHEST / 2
    assert encode_faces(pixels, []) == []
