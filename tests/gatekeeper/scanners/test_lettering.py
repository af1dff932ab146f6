"""What stands in a photo: a pupil's name is found however it is set, and ordinary lettering is met with silence."""

import pytest

from gatekeeper.lettering.reading import Code, Line, Reading
from gatekeeper.scanners.lettering import LoneNames, SeenWords, words_in
from gatekeeper.scanners.reading_order import reading_orders
from gatekeeper.text.checker import Checker, Pupil, SchoolWords, StaffName

PUPILS = (
    Pupil("1", "Ivy", "Sparrow", "", "Year 3", "Heron", "2017-03-04"),
    Pupil("2", "Wren", "Applethwaite", "", "Year 3", "Heron", ""),
    Pupil("3", "Ottoline", "Bell", "Otty", "Year 4", "Kite", ""),
)
SCHOOL = SchoolWords(
    name="Quarry Bank Primary School", short_names=("Quarry Bank",), town="Merrow", address="1 Lane",
    postcodes=("AB1 2CD",), phones=("01632 960123",), emails=("office@quarrybank.example",),
    domains=("quarrybank.example",), trusted_domains=("gov.uk",), handles=("@qb",), houses=("Red",),
    classes=("Heron", "Kite"),
)  # fmt: skip


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(PUPILS, [StaffName("Mrs", "Jane", "Quill")], SCHOOL)


def line(text: str, x: float = 10, y: float = 10, height: float = 30) -> Line:
    return Line((x, y, x + 15 * len(text), y + height), text, 0.9)


def seen_in(checker: Checker, *lines: Line, codes: tuple[Code, ...] = ()) -> list[SeenWords]:
    return words_in(
        Reading(lines, codes),
        checker=checker,
        lone=LoneNames([(one.id, (one.first_name, one.known_as)) for one in PUPILS], also_words=["Heron", "Red"]),
        domains=(*SCHOOL.domains, *SCHOOL.trusted_domains),
        softened={},
    )


def test_a_whole_name_on_a_certificate_blocks_at_its_place(checker: Checker) -> None:
    (seen,) = seen_in(
        checker, line("CERTIFICATE", y=10), line("awarded to", y=50), line("Wren Applethwaite", y=90), line("for art", y=130)
    )  # fmt: skip
    assert (seen.severity, seen.quote, seen.pupil_ids) == ("block", "Wren Applethwaite", ("2",))
    assert seen.box == (10, 90, 10 + 15 * 17, 120)
    assert "can be read in the photo itself" in seen.message
    assert "cover it" in seen.message


def test_a_name_set_over_two_lines_is_one_name_with_a_box_around_both(checker: Checker) -> None:
    (seen,) = seen_in(checker, line("Ivy", y=10), line("Sparrow", y=45))
    assert (seen.quote, seen.severity) == ("Ivy Sparrow", "block")
    assert seen.box == (10, 10, 115, 75)


def test_badges_side_by_side_are_each_read_from_top_to_bottom(checker: Checker) -> None:
    names = {
        seen.quote
        for seen in seen_in(
            checker, line("Ivy", 10, 10), line("Ottoline", 300, 10), line("Sparrow", 10, 45), line("Bell", 300, 45)
        )
    }
    assert names == {"Ivy Sparrow", "Ottoline Bell"}


def test_a_line_cut_in_two_by_a_gap_is_read_as_one(checker: Checker) -> None:
    (seen,) = seen_in(checker, line("Ivy", 10, 10), line("Sparrow", 90, 12))
    assert seen.quote == "Ivy Sparrow"


def test_words_far_apart_are_not_read_together(checker: Checker) -> None:
    quotes = {seen.quote for seen in seen_in(checker, line("Ivy", 10, 10), line("Sparrow", 900, 700))}
    assert "Ivy Sparrow" not in quotes


@pytest.mark.parametrize(
    ("text", "quote", "severity"),
    [
        ("Ottoline", "Ottoline", "block"),
        ("OTTOLINE", "OTTOLINE", "block"),
        ("Name: Ottoline", "Ottoline", "block"),
        ("0tto1ine", "0tto1ine", "block"),
        ("Otty", "Otty", "block"),
        ("Ivy", "Ivy", "justify"),  # a plant, too
        ("lvy", "lvy", "justify"),
    ],
    ids=["name", "capitals", "labelled", "taken for figures", "nickname", "a word, too", "taken for an l"],
)
def test_a_first_name_alone_on_a_peg_is_found(checker: Checker, text: str, quote: str, severity: str) -> None:
    (seen,) = seen_in(checker, line(text))
    assert (seen.quote, seen.severity) == (quote, severity)


@pytest.mark.parametrize(
    "text",
    [
        "Year 3", "Science Week", "Quarry Bank Primary School", "FIRE EXIT", "Kite", "Red",
        "Welcome to our classroom", "Mrs Quill", "office@quarrybank.example", "01632 960123", "7 x 8 = 56",
        "What is inspection?", "Come in we're open", "SATs results board",
    ],
)  # fmt: skip
def test_ordinary_lettering_makes_no_noise(checker: Checker, text: str) -> None:
    assert seen_in(checker, line(text)) == []


def test_somebodys_phone_number_on_a_screen_blocks_and_says_where_it_stands(checker: Checker) -> None:
    (seen,) = seen_in(checker, line("Call Mum 07700 900123"))
    assert (seen.rule, seen.severity) == ("contact-phone", "block")
    assert seen.message.endswith("It stands in the photo itself: cover it there, or crop it away.")


def code(text: str) -> Code:
    return Code((5, 5, 60, 60), text, "QRCode")


@pytest.mark.parametrize("text", ["https://www.quarrybank.example/menu", "HTTPS://GOV.UK/x", "quarrybank.example"])
def test_a_code_that_leads_to_the_school_or_a_trusted_place_passes(checker: Checker, text: str) -> None:
    assert seen_in(checker, codes=(code(text),)) == []


@pytest.mark.parametrize(
    ("text", "rule", "severity"),
    [
        ("https://shop.example.com/x", "photo-code-link", "justify"),
        ("https://quarrybank.example.evil.com/x", "link-unsafe", "block"),
        ("http://bit.ly/abc", "link-shortener", "justify"),
        ("WIFI:S:school;T:WPA;P:hush;;", "photo-code", "justify"),
        ("5012345678900", "photo-code", "justify"),
        ("Ivy Sparrow", "pupil-name-full", "block"),
        ("", "photo-code", "justify"),
    ],
    ids=["elsewhere", "a copied address", "shortened", "wifi", "barcode", "a pupil", "nothing"],
)
def test_a_code_is_a_question_unless_it_leads_home(checker: Checker, text: str, rule: str, severity: str) -> None:
    (seen,) = seen_in(checker, codes=(code(text),))
    assert (seen.rule, seen.severity, seen.is_code, seen.box) == (rule, severity, True, (5, 5, 60, 60))


def test_cannot_pass_a_code_that_writes_a_trusted_name_before_the_real_address(checker: Checker) -> None:
    assert any(seen.severity == "block" for seen in seen_in(checker, codes=(code("https://gov.uk@evil.com/x"),)))


def test_every_line_stands_in_each_reading_order_once() -> None:
    lines = [line(f"w{number}", 10 + 70 * (number % 4), 10 + 40 * (number // 4)) for number in range(12)]
    for order in reading_orders(lines):
        assert sorted(one.text for group in order for one in group) == sorted(one.text for one in lines)


def test_a_wall_of_three_hundred_lines_is_read_at_once(checker: Checker) -> None:
    lines = [line(f"word{number} here", 10 + 170 * (number % 12), 10 + 35 * (number // 12)) for number in range(300)]
    assert seen_in(checker, *lines) == []


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("12 Ottoline", "Ottoline"), ("1. Ottoline 2. Ivy", "Ottoline"), ("Ottoline2017", "Ottoline"),
        ("Ivy age 7", "Ivy"), ("IVY 7", "IVY"), ("Ivy A", "Ivy A"), ("Wren B.", "Wren B"), ("7 Wren", "Wren"),
        ("1vy", "1vy"),
    ],
)  # fmt: skip
def test_a_name_beside_a_number_or_an_initial_is_seen(checker: Checker, words: str, name: str) -> None:
    """As it stands on a shirt, in a numbered list, under a drawing and on a peg."""
    assert name in {seen.quote for seen in seen_in(checker, line(words))}


@pytest.mark.parametrize("words", ["12 May 2026", "May 2026", "Friday 1 May", "Room 12 B"])
def test_a_date_is_no_childs_name(words: str) -> None:
    assert LoneNames([("9", ("May", ""))]).find(words) == []
