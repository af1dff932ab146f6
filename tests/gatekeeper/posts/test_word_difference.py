"""The difference of two texts: nothing lost, nothing invented, and quick however hostile the texts are."""

import random
from itertools import pairwise

import pytest

from gatekeeper.posts.word_difference import Passage, Piece, pieces, tokens
from tests.fixtures.effort import effort

WORDS = ["harvest", "table", "the", "is", "full", "👍🏽", "café", "\n", "שלום", "!"]


def told(before: str, after: str) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in pieces(before, after)]


def test_the_same_text_has_no_difference() -> None:
    assert pieces("Our table is full.", "Our table is full.") == ()


def test_a_word_put_in_and_one_replaced_are_told_as_words() -> None:
    assert told("Our table is full.", "Our big table is empty.") == [
        ("same", "Our "), ("in", "big "), ("same", "table is "), ("out", "full"), ("in", "empty"), ("same", "."),
    ]  # fmt: skip


def test_words_changed_in_a_row_are_one_change_and_not_cut_at_each_space() -> None:
    assert told("one two three four", "uno dos tres four") == [
        ("out", "one two three"), ("in", "uno dos tres"), ("same", " four"),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_both_texts_can_be_read_out_of_the_pieces(seed: int) -> None:
    chosen = random.Random(seed)
    before, after = (" ".join(chosen.choices(WORDS, k=chosen.randrange(40))) for _ in range(2))
    found = pieces(before, after)
    if before == after:
        assert found == ()
        return
    assert "".join(one.text for one in found if one.kind != "in") == before
    assert "".join(one.text for one in found if one.kind != "out") == after
    assert all(one.text for one in found)
    assert all(one.kind != other.kind for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("a  b", "a b", ["a", "··", "·", "b"]),
        ("a b", "a\nb", ["a", "·", "↵\n", "b"]),
        ("Great", "Great ", ["Great", "·"]),
        ("a b", "a\u00a0b", ["a", "·", "⍽", "b"]),
        ("ab", "a\u200bb", ["ab", "a[U+200B]b"]),
        ("ab", "a\u202eb", ["ab", "a[U+202E]b"]),
    ],
    ids=["space", "line", "last space", "no-break space", "zero width", "turned round"],
)
def test_what_the_eye_would_miss_is_shown_by_a_sign(before: str, after: str, shown: list[str]) -> None:
    assert [piece.shown for piece in pieces(before, after)] == shown


@pytest.mark.parametrize(
    ("before", "after"),
    [("caf\u00e9", "cafe\u0301"), ("❤\ufe0f", "❤"), ("ab", "a\u200bb"), ("a  b", "a b")],
    ids=["letters", "selector", "zero width", "spaces"],
)
def test_what_looks_the_same_and_is_not_is_told(before: str, after: str) -> None:
    found = pieces(before, after)
    assert found
    assert found.looks_the_same
    assert not pieces(before, f"{after} more").looks_the_same
    assert not Passage().looks_the_same


@pytest.mark.parametrize("sign", ["👍🏽", "👨\u200d👩\u200d👧", "🇬🇧", "❤\ufe0f", "e\u0301", "1\ufe0f\u20e3"])
def test_a_sign_is_never_cut_in_two(sign: str) -> None:
    assert list(tokens(f"x {sign} y")) == ["x", " ", sign, " ", "y"]


def test_another_skin_is_another_sign() -> None:
    assert told("Well done 👍", "Well done 👍🏽") == [("same", "Well done "), ("out", "👍"), ("in", "👍🏽")]


def test_a_text_from_right_to_left_is_compared_by_its_words() -> None:
    assert told("שלום עולם טוב", "שלום לכולם טוב") == [
        ("same", "שלום "), ("out", "עולם"), ("in", "לכולם"), ("same", " טוב"),
    ]  # fmt: skip


def test_a_script_without_spaces_is_compared_sign_by_sign() -> None:
    assert told("今日は晴れ", "今日は雨") == [("same", "今日は"), ("out", "晴れ"), ("in", "雨")]


def test_words_with_an_apostrophe_stay_whole() -> None:
    assert list(tokens("don't we’re 'so'")) == ["don't", " ", "we’re", " ", "'", "so", "'"]


@pytest.mark.parametrize(
    ("alphabet", "between"),
    [(["a", "b"], " "), ([str(number) for number in range(200)], " "), (["a"], "\n"), (["a", "!"], "")],
    ids=["two words", "many words", "lines", "no spaces"],
)
def test_very_long_texts_are_compared_with_little_work(alphabet: list[str], between: str) -> None:
    chosen = random.Random(3)
    before, after = (between.join(chosen.choices(alphabet, k=10_000 + more)) for more in range(2))
    found: list[Piece] = []
    assert effort(lambda: found.extend(pieces(before, after))) < 60
    assert "".join(one.text for one in found if one.kind != "out") == after


def test_a_small_change_in_a_very_long_text_stays_small() -> None:
    words = [f"word{number}" for number in range(3_000)]
    changed = [*words]
    changed[1_500] = "new"
    found = pieces(" ".join(words), " ".join(changed))
    assert [piece for piece in found if piece.kind != "same"] == [Piece("out", "word1500"), Piece("in", "new")]


def test_a_small_change_in_a_long_text_is_shown_with_the_words_beside_it() -> None:
    words = [f"word{number}" for number in range(300)]
    found = pieces(" ".join(words), " ".join([*words[:150], "new", *words[150:]]))
    short = found.short
    assert [piece.kind for piece in short] == ["same", "in", "same"]
    assert short[0].text.startswith("… ")
    assert short[0].text.endswith(" word149 ")
    assert short[2].text.startswith("word150 ")
    assert short[2].text.endswith(" …")
    assert sum(len(piece.text) for piece in short) < 200
    assert Passage((Piece("same", "short"), Piece("in", "x"))).short == Passage(
        (Piece("same", "short"), Piece("in", "x"))
    )
