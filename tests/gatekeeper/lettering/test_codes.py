"""Codes are read wherever a camera would follow them, and what they say comes out short and printable."""

from collections.abc import Callable

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from gatekeeper.errors import NotScanned
from gatekeeper.lettering.codes import LONGEST, MOST, codes
from gatekeeper.lettering.places import within
from gatekeeper.lettering.reading import Region

LINK = "https://forms.merrowfold.example/trip?id=7"


def code(text: str, kind: str = "QRCode", *, scale: int = 4) -> Image.Image:
    made = zxingcpp.create_barcode(text, zxingcpp.barcode_format_from_str(kind))
    return Image.fromarray(np.asarray(zxingcpp.write_barcode_to_image(made, scale=scale))).convert("RGB")


def on_a_wall(*pictures: Image.Image, size: tuple[int, int] = (900, 600)) -> np.ndarray:
    ramp = np.tile(np.linspace(90, 190, size[0], dtype=np.uint8)[None, :, None], (size[1], 1, 3))
    wall = Image.fromarray(ramp)
    left = 40
    for picture in pictures:
        wall.paste(picture, (left, 60))
        left += picture.width + 40
    return np.asarray(wall)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("QRCode", LINK), ("Aztec", LINK), ("DataMatrix", LINK), ("PDF417", LINK),
        ("Code128", "MERROW-0042"), ("EAN13", "4006381333931"), ("Code39", "SCHOOL 12"),
    ],
    ids=lambda value: value[:10],
)  # fmt: skip
def test_common_kinds_are_read(kind: str, text: str) -> None:
    [found] = codes(on_a_wall(code(text, kind, scale=3), size=(1200, 600)))
    assert (found.text, found.kind.replace(" ", "").replace("-", "").startswith(kind[:6])) == (text, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: picture.resize((70, 70)),
        lambda picture: picture.rotate(23, expand=True, fillcolor="white"),
        lambda picture: picture.rotate(180),
        lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        lambda picture: Image.eval(picture, lambda value: 255 - value),
    ],
    ids=["small", "turned", "upside down", "mirrored", "inverted"],
)
def test_a_code_is_read_however_it_hangs(change: Callable[[Image.Image], Image.Image]) -> None:
    assert [found.text for found in codes(on_a_wall(change(code(LINK))))] == [LINK]


def test_the_box_is_where_the_code_is() -> None:
    picture = code(LINK)
    [found] = codes(on_a_wall(picture))
    x1, y1, x2, y2 = found.box
    assert 40 <= x1 < x2 <= 40 + picture.width
    assert 60 <= y1 < y2 <= 60 + picture.height
    assert (x2 - x1) * (y2 - y1) > 0.5 * picture.width * picture.height


def test_a_box_never_lies_outside_the_picture_and_is_never_empty() -> None:
    tight = np.asarray(code("MERROW-0042", "Code128", scale=3))
    height, width = tight.shape[:2]
    for found in codes(tight):
        x1, y1, x2, y2 = found.box
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((-3, -4, 5, 6), (0, 0, 5, 6)),
        ((2, 2, 50, 50), (2, 2, 40, 30)),
        ((7, 9, 7, 20), (7, 9, 8, 20)),
        ((60, 60, 70, 70), (39, 29, 40, 30)),
        ((0, 0, 0, 0), (0, 0, 1, 1)),
    ],
)
def test_a_box_keeps_an_area_that_can_be_covered(box: Region, inside: Region) -> None:
    assert within(box, width=40, height=30) == inside


def test_two_codes_in_one_photo_are_both_read() -> None:
    read = codes(on_a_wall(code(LINK), code("0161 496 0000")))
    assert {found.text for found in read} == {LINK, "0161 496 0000"}


def test_a_code_is_read_to_its_end_and_shows_every_sign() -> None:
    """A name at the end of a long code is a name; nothing is left out for being long."""
    [found] = codes(on_a_wall(code("first\nsecond\x07" + "x" * 2300 + " Wren Applethwaite", scale=3), size=(800, 800)))
    assert found.text.startswith("first second x")
    assert found.text.endswith("x Wren Applethwaite")
    assert found.text.isprintable()


def test_the_longest_code_there_is_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = code("7" * 7089, scale=3)
    [found] = codes(on_a_wall(longest, size=(800, 800)))
    assert len(found.text) == 7089 <= LONGEST
    monkeypatch.setattr("gatekeeper.lettering.codes.LONGEST", 7000)
    with pytest.raises(NotScanned, match="says more than can be checked"):
        codes(on_a_wall(longest, size=(800, 800)))


def test_more_codes_than_can_be_checked_are_not_scanned() -> None:
    one = code("a", scale=2)
    wall = Image.new("RGB", (one.width * 8, one.height * 8), "white")
    for row in range(8):
        for column in range(8):
            wall.paste(one, (column * one.width, row * one.height))
    with pytest.raises(NotScanned, match="more codes than can be checked"):
        codes(np.asarray(wall))
    few = np.asarray(wall.crop((0, 0, one.width * 8, one.height * 5)))
    assert len(codes(few)) == MOST == 40


def test_no_code_no_answer() -> None:
    assert codes(on_a_wall()) == []
