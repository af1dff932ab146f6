"""Registered marks are found again, small, turned and dulled, and nothing else is taken for one."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from gatekeeper.lettering.marks import CannotLearn, KnownMark, find_marks, learn
from gatekeeper.lettering.reading import Region
from gatekeeper.ops.demo_pictures import draw_flower_bed, draw_poster
from tests.factories.logos import LOGOS, Pixels, as_registered, put_in


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Pixels:
    path = tmp_path_factory.mktemp("marks") / "bed.jpg"
    draw_flower_bed(path)
    return np.asarray(Image.open(path).convert("RGB").resize((720, 540)))


@pytest.fixture(scope="module")
def known() -> list[KnownMark]:
    return [
        KnownMark(number, name, "school", learn(as_registered(draw())))
        for number, (name, draw) in enumerate(LOGOS.items(), start=1)
    ]


def the(known: Sequence[KnownMark], name: str) -> KnownMark:
    return next(mark for mark in known if mark.name == name)


def overlap(one: Region, other: Region) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(across, 0.0) * max(down, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


@pytest.mark.parametrize(
    ("name", "size", "turn"),
    [("crest", 48, 0), ("crest", 300, -20), ("roundel", 80, 20), ("roundel", 200, 0), ("owl", 90, -10),
     ("owl", 400, 5), ("stripes", 120, 0)],
)  # fmt: skip
def test_a_mark_is_found_where_it_is(bed: Pixels, known: list[KnownMark], name: str, size: int, turn: int) -> None:
    picture, box = put_in(bed, LOGOS[name](), size=size, at=(400, 260), turn=turn, slant=0.03, light=0.8)
    seen = find_marks(picture, known)
    assert [one.mark_id for one in seen] == [the(known, name).id]
    assert overlap(seen[0].box, box) > 0.5
    assert 0.7 <= seen[0].likeness <= 1


def test_a_mark_is_found_after_the_photo_was_saved_small_and_coarse(bed: Pixels, known: list[KnownMark]) -> None:
    picture, _ = put_in(bed, LOGOS["crest"](), size=120, at=(300, 400), turn=8, blur=1.2)
    coarse = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 45])[1], cv2.IMREAD_COLOR)
    assert [one.mark_id for one in find_marks(np.asarray(coarse, np.uint8), known)] == [the(known, "crest").id]


def test_every_place_of_a_mark_is_told_once(bed: Pixels, known: list[KnownMark]) -> None:
    picture, boxes = bed, []
    for at in ((120.0, 300.0), (400.0, 400.0), (600.0, 200.0)):
        picture, box = put_in(picture, LOGOS["crest"](), size=110, at=at)
        boxes.append(box)
    seen = find_marks(picture, [the(known, "crest")])
    assert len(seen) == 3
    for box in boxes:
        assert sum(overlap(one.box, box) > 0.6 for one in seen) == 1


def test_a_mark_that_fills_the_picture_is_found(known: list[KnownMark]) -> None:
    assert [one.mark_id for one in find_marks(as_registered(LOGOS["crest"]()), known)] == [the(known, "crest").id]


def test_nothing_is_seen_in_pictures_without_a_mark(bed: Pixels, known: list[KnownMark], tmp_path: Path) -> None:
    draw_poster(tmp_path / "poster.png")
    poster = np.asarray(Image.open(tmp_path / "poster.png").convert("RGB").resize((450, 600)))
    noise = np.random.default_rng(4).integers(0, 256, (400, 500, 3)).astype(np.uint8)
    for picture in (bed, poster, noise, np.full((300, 400, 3), 120, np.uint8)):
        assert find_marks(picture, known) == []


def test_another_logo_is_not_taken_for_a_registered_one(bed: Pixels, known: list[KnownMark]) -> None:
    picture, _ = put_in(bed, LOGOS["roundel"](), size=150, at=(400, 300))
    assert find_marks(picture, [mark for mark in known if mark.name != "roundel"]) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (20, 20), (23, 400)], ids=["point", "line", "tiny", "strip"])
def test_a_picture_too_small_for_any_mark_holds_none(known: list[KnownMark], size: tuple[int, int]) -> None:
    assert find_marks(np.zeros((*size, 3), np.uint8), known) == []


def test_boxes_stay_inside_the_picture(bed: Pixels, known: list[KnownMark]) -> None:
    picture, _ = put_in(bed, LOGOS["crest"](), size=200, at=(90, 90))
    height, width = picture.shape[:2]
    for one in find_marks(picture, known):
        assert 0 <= one.box[0] < one.box[2] <= width
        assert 0 <= one.box[1] < one.box[3] <= height


def test_the_same_picture_gives_the_same_answer(bed: Pixels, known: list[KnownMark]) -> None:
    picture, _ = put_in(bed, LOGOS["owl"](), size=140, at=(400, 400))
    assert find_marks(picture, known) == find_marks(picture.copy(), known)


def plain(width: int, height: int) -> Pixels:
    return np.full((height, width, 3), (30, 90, 160), np.uint8)


def dot() -> Pixels:
    sheet = np.full((400, 400, 3), 255, np.uint8)
    sheet[190:204, 190:204] = (20, 20, 20)
    return sheet


def disc() -> Pixels:
    sheet = np.full((300, 300, 3), 255, np.uint8)
    return np.asarray(cv2.circle(sheet, (150, 150), 120, (20, 60, 120), -1), np.uint8)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        pytest.param(plain(30, 40), "too small", id="small"),
        pytest.param(plain(300, 300), "one colour", id="one-colour"),
        pytest.param(dot(), "cut away the empty space", id="lost-in-white"),
        pytest.param(as_registered(Image.new("RGBA", (900, 60), (200, 30, 40, 255))), "too long and thin", id="thin"),
        pytest.param(disc(), "too little in this picture", id="plain-disc"),
    ],
)
def test_cannot_learn_what_could_not_be_told_from_other_things(picture: Pixels, sentence: str) -> None:
    with pytest.raises(CannotLearn, match=sentence):
        learn(picture)
