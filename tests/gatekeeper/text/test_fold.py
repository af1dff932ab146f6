"""Folding keeps the way back."""

import pytest

from gatekeeper.text.fold import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zoë", "zoe"),
        ("Zoe\u0308", "zoe"),
        ("Łódź", "lodz"),
        ("Bj\u00f8rn", "bjorn"),
        ("M\u0430ry\u0430m", "maryam"),
        ("Z\u200bo\u200de", "zoe"),
        ("𝐉𝐨𝐞", "joe"),
        ("Ｊｏｅ", "joe"),
        ("O’Hara", "o'hara"),
        ("ﷺ", "ﷺ"),
        ("İ", "i"),
    ],
)
def test_folds(text: str, folded: str) -> None:
    assert fold(text).text == folded


@pytest.mark.parametrize("text", ["Zoe\u0308 Ma\u200bry", "straße", "e\u0301\u0301x", "ﬁsh", "plain"])
def test_every_folded_letter_knows_its_place(text: str) -> None:
    folded = fold(text)
    assert folded.place(0, len(folded.text)) == (0, len(text))
    for at in range(len(folded.text)):
        start, end = folded.place(at, at + 1)
        assert 0 <= start < end <= len(text)


def test_a_quote_takes_the_marks_after_its_last_letter() -> None:
    folded = fold("Zoe\u0308!")
    assert folded.place(0, 3) == (0, 4)
