"""Nothing that explains a word away takes a pupil's whole name with it."""

import pytest

from gatekeeper.text.checker import Checker, Draft, StaffName
from tests.gatekeeper.text.conftest import PUPILS, SCHOOL, STAFF


def _names(text: str, *, staff: tuple[StaffName, ...] = STAFF, taught: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    checker = Checker(PUPILS, staff, SCHOOL, known_phrases=taught)
    hits = checker.check(Draft(text, (), "facebook", "school"))
    return [(hit.rule, hit.quote or "") for hit in hits if hit.rule.startswith("pupil-name")]


@pytest.mark.parametrize("title", ["Miss", ""])
def test_cannot_hide_a_pupil_behind_a_member_of_staff_known_by_one_word(title: str) -> None:
    staff = (StaffName(title, "", "Hope"),)
    assert _names("Our cup goes to Hope Larkspurling!", staff=staff) == [("pupil-name-full", "Hope Larkspurling")]
    assert _names("Well done Hope!", staff=staff) == [("pupil-name-first", "Hope")]
    assert _names("Hope from Heron won.", staff=staff) == [("pupil-name-class", "Hope from Heron")]


def test_a_member_of_staff_known_by_title_and_surname_is_still_no_pupil() -> None:
    assert _names("Thank you Miss Hope!", staff=(StaffName("Miss", "", "Hope"),)) == []


@pytest.mark.parametrize(
    ("taught", "text", "quote"),
    [
        ("Brackwater Trophy", "Imelda Brackwater Trophy winner!", "Imelda Brackwater"),
        ("Imelda Street", "Imelda Street Brackwater", "Imelda Street Brackwater"),
        ("Team Lina", "Our Team Lina Fennwick-Marsh", "Lina Fennwick-Marsh"),
    ],
)
def test_cannot_teach_away_part_of_a_whole_name(taught: str, text: str, quote: str) -> None:
    assert [found for _, found in _names(text, taught=(taught,))] == [quote]


def test_a_member_of_staff_with_a_pupils_surname_beside_pupils_words_is_no_pupil() -> None:
    staff = (StaffName("Mrs", "Imelda", "Hartnoll"),)
    assert _names("Imelda Hartnoll leads our choir.", staff=staff) == []


@pytest.mark.parametrize(
    "between",
    [" 😀 ", " ★ ", "|", " ~ ", "+", " " * 10, "\n" * 5, "\u2028", " [", "\u1680"],
    ids=["emoji", "star", "bar", "tilde", "plus", "spaces", "lines", "separator", "bracket", "ogham"],
)
def test_cannot_part_a_first_name_from_its_surname_by_signs(between: str) -> None:
    found = _names(f"Well done Imelda{between}Brackwater!")
    assert found == [("pupil-name-full", f"Imelda{between}Brackwater")]


def test_cannot_hide_a_name_behind_many_middle_names() -> None:
    assert _names("Imelda Anne Mary Jane Brackwater won.") == [("pupil-name-full", "Imelda Anne Mary Jane Brackwater")]


@pytest.mark.parametrize(
    "written",
    ["ɪᴍᴇʟᴅᴀ ʙʀᴀᴄᴋᴡᴀᴛᴇʀ", "🅸🅼🅴🅻🅳🅰 🅱🆁🅰🅲🅺🆆🅰🆃🅴🆁", "🅘🅜🅔🅛🅓🅐 🅑🅡🅐🅒🅚🅦🅐🅣🅔🅡", "Imelda\u115fBrackwater"],
    ids=["small capitals", "squares", "discs", "filler"],
)
def test_cannot_hide_a_name_in_letters_that_only_look_like_letters(written: str) -> None:
    assert [quote for _, quote in _names(f"Well done {written}!")] == [written]


@pytest.mark.parametrize(
    "written",
    ["Imel-da Brack-water", "Im😀elda Brackwater", "Imel'da Brackwater", "Im/el/da Brackwater"],
    ids=["hyphens", "emoji", "apostrophe", "slashes"],
)
def test_cannot_break_a_name_into_pieces(written: str) -> None:
    assert _names(f"Well done {written} today") == [("pupil-name-disguised", written)]


def test_a_broken_word_beside_a_surname_is_no_name() -> None:
    assert _names("Our well-known Brackwater mill and the i-melody bird.") == []
