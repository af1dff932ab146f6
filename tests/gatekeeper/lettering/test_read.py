"""Printed names are read at any slant, their boxes cover them, and what cannot be read in full is never "nothing"."""

import random
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gatekeeper.errors import NotScanned
from gatekeeper.lettering import networks, read
from gatekeeper.lettering.networks import Network
from gatekeeper.lettering.read import LetterReader
from gatekeeper.lettering.spots import Spotter
from tests.gatekeeper.lettering.drawn import KINDS, drawn, font, photo, read_names, thing

LEAST_READ = 0.9


@pytest.mark.parametrize("angle", [0, 15, -30])
def test_printed_names_of_twenty_pixels_are_read(reader: LetterReader, angle: float) -> None:
    picture = drawn(1, angle=angle, capitals=20, size=(1280, 800))
    found = read_names(picture, reader.read(picture.pixels))
    assert len(found) >= LEAST_READ * len(KINDS)


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_badge_on_its_side_or_upside_down_is_read(reader: LetterReader, angle: float) -> None:
    picture = drawn(4, angle=angle, capitals=26, kinds=["badge", "peg"], size=(640, 640))
    assert read_names(picture, reader.read(picture.pixels)) == set(picture.names)


def test_small_letters_in_a_large_photo_are_looked_at_once_more(reader: LetterReader) -> None:
    picture = drawn(2, angle=0, capitals=15, kinds=["badge", "plate"], size=(3000, 800))
    assert read_names(picture, reader.read(picture.pixels)) == set(picture.names)


def test_the_box_covers_the_letters_and_little_else(reader: LetterReader) -> None:
    page = Image.new("RGB", (800, 500), (240, 238, 230))
    draw, face = ImageDraw.Draw(page), font("DejaVuSans.ttf", 24)
    draw.text((210, 320), "Niamh Tregenza", font=face, fill=(20, 20, 40))
    left, top, right, bottom = draw.textbbox((210, 320), "Niamh Tregenza", font=face)
    [line] = reader.read(np.asarray(page)).lines
    x1, y1, x2, y2 = line.box
    assert (line.text, line.score > 0.9) == ("Niamh Tregenza", True)
    assert x1 <= left + 3
    assert y1 <= top + 3
    assert x2 >= right - 3
    assert y2 >= bottom - 3
    assert (x2 - x1) * (y2 - y1) < 3 * (right - left) * (bottom - top)


def test_lines_come_from_top_to_bottom(reader: LetterReader) -> None:
    page = Image.new("RGB", (640, 400), "white")
    for row, words in enumerate(("Maisie Hadley", "Year 4 Willow", "Merit")):
        ImageDraw.Draw(page).text((40, 60 + 100 * row), words, font=font("DejaVuSerif.ttf", 26), fill="black")
    assert [line.text for line in reader.read(np.asarray(page)).lines] == ["Maisie Hadley", "Year 4 Willow", "Merit"]


def test_a_large_i_is_told_from_a_small_l_where_only_one_can_be(reader: LetterReader) -> None:
    page = Image.new("RGB", (500, 300), "white")
    for row, words in enumerate(("Isla Iqbal", "Idris Llewelyn", "little lions")):
        ImageDraw.Draw(page).text((40, 40 + 80 * row), words, font=font("LiberationSans-Regular.ttf", 20), fill="black")
    assert [line.text for line in reader.read(np.asarray(page)).lines] == [
        "Isla Iqbal",
        "Idris Llewelyn",
        "little lions",
    ]


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (31, 33)])
def test_a_sliver_of_a_picture_says_nothing_and_does_no_harm(reader: LetterReader, size: tuple[int, int]) -> None:
    assert reader.read(np.full((*size, 3), 90, np.uint8)).lines == ()


def test_noise_is_not_taken_for_names(reader: LetterReader) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (400, 600, 3), np.uint8)
    assert reader.read(noise).lines == ()


def test_a_network_that_fails_means_not_scanned(reader: LetterReader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_words: object) -> None:
        raise RuntimeError("out of memory")

    picture = photo([thing("badge", "Idris Quill", 24, random.Random(1))], 0, (600, 400), random.Random(1))
    monkeypatch.setattr(reader._speller, "read", fail)  # nothing outside can make it fail
    with pytest.raises(NotScanned, match="could not be read"):
        reader.read(picture)


def test_no_number_of_specks_hides_a_line() -> None:
    heat = np.zeros((1280, 1280), np.float32)
    heat[20:34, 100:300] = 0.9
    heat[100:1100:16, 4::16] = 0.9  # some five thousand
    assert [(spot.x, spot.y) for spot in Spotter(SimpleNamespace()).spots(heat)] == [(200, 27)]  # type: ignore[arg-type]


def test_more_writing_than_can_be_checked_is_not_scanned(reader: LetterReader, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Image.new("RGB", (640, 400), "white")
    for row in range(4):
        ImageDraw.Draw(page).text((40, 40 + 90 * row), "Year 4 Willow", font=font("DejaVuSans.ttf", 24), fill="black")
    monkeypatch.setattr(read, "MOST_LINES", 4)
    assert len(reader.read(np.asarray(page)).lines) == 4
    monkeypatch.setattr(read, "MOST_LINES", 3)
    with pytest.raises(NotScanned, match="more writing than can be checked"):
        reader.read(np.asarray(page))


@pytest.mark.parametrize(
    "hints",
    [[(1, 1, 9, 3)], [(3980, 2980, 4000, 3000)], [(i * 31, i * 23, i * 31 + 20, i * 23 + 9) for i in range(120)]],
    ids=["first", "last", "everywhere"],
)
def test_every_hint_lies_whole_in_a_window(hints: list[tuple[float, float, float, float]]) -> None:
    windows = read._windows(hints, np.empty((3000, 4000, 3), np.uint8), 1.0)  # what must not be missed
    assert len(windows) <= 20
    for x1, y1, x2, y2 in hints:
        assert any(left <= x1 and x2 <= left + 960 and top <= y1 and y2 <= top + 960 for left, top in windows)


def test_a_missing_model_is_an_error_and_never_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # noqa: ANN001
    monkeypatch.setattr(
        networks, "find_spec", lambda _name: SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    )
    with pytest.raises(FileNotFoundError):
        Network(networks.DETECTION, threads=1)
    monkeypatch.setattr(networks, "find_spec", lambda _name: None)
    with pytest.raises(FileNotFoundError, match="rapidocr"):
        Network(networks.DETECTION, threads=1)


def test_the_package_that_carries_the_models_is_never_imported(reader: LetterReader) -> None:
    assert reader
    assert "rapidocr" not in sys.modules
