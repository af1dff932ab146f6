"""The difference of two contents: what became of each photo, and where and when it goes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gatekeeper.posts.difference import PhotoChange, PhotoSide, Side, difference
from gatekeeper.posts.digest import ChannelContent, Content, PhotoContent

DUE = datetime(2026, 11, 24, 9, tzinfo=UTC)
CONTENT = Content(
    text="Our table is full.",
    photos=(PhotoContent(sha256="a" * 64, alt="A table"), PhotoContent(sha256="b" * 64, alt="A hall")),
    channels=(ChannelContent(account_id=1, kind="x", remote_id="42"),),
    due=DUE,
    window_minutes=120,
)


def photo(name: str, *, sha: str = "", alt: str = "A table") -> PhotoSide:
    return PhotoSide(sha256=sha or f"public-{name}", alt=alt, original=f"original-{name}")


def between(before: str, after: str) -> list[PhotoChange]:
    """Photos named by a letter; a digit behind it stands for what was done to it."""

    def side(names: str) -> Side:
        return Side(text="", photos=tuple(photo(name[0], sha=f"public-{name}") for name in names.split()))

    return list(difference(side(before), side(after)).photos)


def test_a_content_does_not_differ_from_itself() -> None:
    side = Side.from_canonical(CONTENT.canonical(), ["o1", "o2"])
    found = difference(side, Side.from_canonical(CONTENT.canonical(), ["o1", "o2"]))
    assert found.is_empty
    assert found.size == 0


def test_a_sealed_content_is_read_as_it_was_written() -> None:
    side = Side.from_canonical(CONTENT.canonical(), ["o1", "o2"])
    assert (side.text, side.channels, side.due, side.window_minutes) == (CONTENT.text, (1,), DUE, 120)
    assert [(one.sha256, one.alt, one.original) for one in side.photos] == [
        ("a" * 64, "A table", "o1"), ("b" * 64, "A hall", "o2"),
    ]  # fmt: skip


def test_everything_but_the_photos_is_told() -> None:
    before = Side.from_canonical(CONTENT.canonical())
    after = replace(before, text="Our table is empty.", channels=(2,), due=DUE + timedelta(hours=1), window_minutes=60)
    found = difference(before, after)
    assert [piece.text for piece in found.text if piece.kind != "same"] == ["full", "empty"]
    assert (found.channels_in, found.channels_out) == ((2,), (1,))
    assert found.due == (DUE, DUE + timedelta(hours=1))
    assert found.window == (120, 60)
    assert found.photos == ()
    assert not found.is_empty


def test_a_time_that_is_not_chosen_any_more_is_a_change() -> None:
    side = Side.from_canonical(CONTENT.canonical())
    assert difference(side, replace(side, due=None)).due == (DUE, None)


def test_a_channels_own_words_are_compared_with_the_same_channels() -> None:
    plain = json.loads(CONTENT.canonical())
    before = Side.from_canonical(json.dumps(plain | {"wordings": {"1": "Our table."}}))
    after = Side.from_canonical(json.dumps(plain | {"wordings": {"1": "Our hall.", "2": "New."}}))
    found = difference(before, after).wordings
    assert [(account, [piece.text for piece in changed]) for account, changed in found] == [
        (1, ["Our ", "table", "hall", "."]), (2, ["New."]),
    ]  # fmt: skip


def test_a_photo_that_came_and_one_that_went_are_told_by_their_numbers() -> None:
    assert between("a", "a b") == [PhotoChange(before=None, after=2, after_sha="public-b")]
    assert between("a b", "b") == [PhotoChange(before=1, after=None, before_sha="public-a")]


def test_another_photo_at_the_same_place_was_swapped() -> None:
    (change,) = between("a b", "a c")
    assert (change.before, change.after, change.swapped, change.redrawn, change.moved) == (2, 2, True, False, False)
    assert (change.before_sha, change.after_sha) == ("public-b", "public-c")


def test_the_same_photo_covered_anew_is_no_other_photo() -> None:
    (change,) = between("a b", "a b1")
    assert (change.before, change.after, change.swapped, change.redrawn, change.moved) == (2, 2, False, True, False)


def test_a_photo_that_is_being_made_anew_is_the_same_photo() -> None:
    before, after = (
        Side(text="", photos=(photo("a"),)),
        Side(text="", photos=(PhotoSide(sha256="", alt="A table", original="original-a"),)),
    )
    (change,) = difference(before, after).photos
    assert change.redrawn
    assert change.after_sha == ""


def test_only_the_photo_that_moved_is_called_moved() -> None:
    assert [(one.before, one.after) for one in between("a b c d", "d a b c")] == [(4, 1)]
    assert [(one.before, one.after) for one in between("a b c d", "a c b d") if one.moved] in ([(2, 3)], [(3, 2)])
    assert between("a b c", "b c")[0].before == 1
    assert not any(one.moved for one in between("a b c", "b c"))


def test_a_photo_can_be_moved_covered_and_described_anew_at_once() -> None:
    before = Side(text="", photos=(photo("a"), photo("b"), photo("c")))
    after = Side(text="", photos=(photo("c", sha="other", alt="A full table"), photo("a"), photo("b")))
    (change,) = difference(before, after).photos
    assert (change.before, change.after, change.moved, change.redrawn) == (3, 1, True, True)
    assert [(piece.kind, piece.text) for piece in change.alt] == [("same", "A "), ("in", "full "), ("same", "table")]


def test_where_originals_were_never_written_down_the_picture_itself_tells() -> None:
    old = Side(text="", photos=(PhotoSide(sha256="one", alt="A"), PhotoSide(sha256="two", alt="B")))
    new = Side(text="", photos=(PhotoSide(sha256="two", alt="B", original="o2"),))
    (change,) = difference(old, new).photos
    assert (change.before, change.after) == (1, None)


def test_two_photos_that_look_alike_each_have_a_partner_of_their_own() -> None:
    same = PhotoSide(sha256="one", alt="A")
    assert [
        one.after for one in difference(Side(text="", photos=(same,)), Side(text="", photos=(same, same))).photos
    ] == [2]
