"""Nothing typed can break the checker or hold it up."""

import random
import re
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import gatekeeper.text
from gatekeeper.text import (
    alttext,
    contacts,
    disguise,
    links,
    passage,
    reader,
    rooms,
    roster,
    staff,
    swearing,
    tags,
    weight,
)
from gatekeeper.text.checker import Checker, Draft, Hit, Picture, Pupil, SchoolWords
from gatekeeper.text.fold import fold
from gatekeeper.text.lexicon import Lexicon
from tests.benchmarks import hostile_text
from tests.fixtures.effort import effort

SIZE = 50_000
SEEDS = [
    "a ", "a", "a.b.", "a@", "0 7", "07-", "a-", "1", "[", "(", "'", '"', "#a", "@a_b", "http://a.b/c", "www.a.", "f*", "a (at) ", "12 mill ",
    "birthday 1 ", "oh seven ", "e\u0301", "\u200b", "😀", "👩\u200d", "שלום ", "ﷺ", "\n", ". ", "A.B. ", "Year 6 ", "y1", "a'", "\U000e0067", "é", "٣",
]  # fmt: skip
MODULES = (alttext, contacts, disguise, links, passage, reader, rooms, roster, staff, swearing, tags, weight)


def _expressions() -> list[tuple[str, re.Pattern[str]]]:
    own = [
        (f"{module.__name__.rpartition('.')[2]}.{name}", value)
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    ]
    return own + [(f"shape {pattern.id}", pattern.regex) for pattern in contacts.patterns()]


@pytest.mark.parametrize(("name", "expression"), _expressions(), ids=[name for name, _ in _expressions()])
def test_no_expression_is_slow(name: str, expression: re.Pattern[str]) -> None:
    """Each expression reads 50,000 hostile characters of every kind with little work."""
    for seed in SEEDS:
        text = fold((seed * (SIZE // len(seed) + 1))[:SIZE]).text
        assert effort(partial(expression.findall, text)) < 60, (name, seed)


def test_every_repetition_in_a_shape_has_an_upper_bound() -> None:
    for pattern in contacts.patterns():
        assert not re.search(r"(?<!\\)[*+](?!\?)|\{\d*,\}", re.sub(r"\[[^\]]*\]", "", pattern.regex.pattern)), (
            pattern.id
        )


@pytest.mark.parametrize(
    "seed",
    [
        "a ",
        "0 7",
        "@a_b",
        "f*",
        "birthday 1 ",
        "http://a.b/c",
        "ﷺ",
        "Imelda Brackwater ",
        "Rose Hope Will ",
        "1m3lda Brackwater ",
        "#ImeldaBrackwater",
        "Rose Curlew ",
    ],
)
def test_a_hundred_thousand_characters_are_checked_with_bounded_work(checker: Checker, seed: str) -> None:
    text = (seed * (100_000 // len(seed) + 1))[:100_000]
    hits: list[Hit] = []
    assert effort(lambda: hits.extend(checker.check(Draft(text, (), "x", "staff")))) < 1000
    assert all(hit.start is None or text[hit.start : hit.end] == hit.quote for hit in hits)


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "😀" * 50, "\u200b", "שלום עולם", "\u202eabc", "\ud800", "\x00", "'", "#", "@", "́"]
)
def test_odd_texts_have_no_names_and_break_nothing(check: Callable[..., list[Hit]], text: str) -> None:
    assert check(text) == []


def test_never_raises_on_random_text(checker: Checker) -> None:
    dice = random.Random(7)
    alphabet = "aeimldRoseHp '-.,@#/:!?()[]*&%£$0123456789\n\u200b\u0301éłßКа😀\u202e\ud83d"
    for _ in range(300):
        text = "".join(dice.choice(alphabet) for _ in range(dice.randrange(200)))
        for hit in checker.check(Draft(text, (Picture(text, text),), "x", "staff")):
            source = text if hit.field == "text" or hit.field.startswith("images[0]") else ""
            assert hit.start is None or source[hit.start : hit.end] == hit.quote


def test_threads_share_one_checker(checker: Checker) -> None:
    draft = Draft("Imelda Brackwater and Rose. Our head is useless. 07700 900123", (), "x", "staff")
    expected = checker.check(draft)
    wrong: list[list[Hit]] = []

    def run() -> None:
        wrong.extend(hits for hits in (checker.check(draft) for _ in range(20)) if hits != expected)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_hostile_run_of_the_benchmark_leaves_nothing_out() -> None:
    """Counted in the sources and in the data, not in the lists that the run is made of."""
    run = hostile_text.expressions()
    for module in hostile_text.modules():
        source = Path(gatekeeper.text.__path__[0], f"{module}.py").read_text(encoding="utf-8")
        made = len(re.findall(r"^_?[A-Z_]+(?:: Final)? = re\.compile\(", source, re.MULTILINE))
        in_place = len(re.findall(r"\bre\.(?:match|search|sub|split|findall|fullmatch)\(\s*r?\"", source))
        assert sum(name.startswith(f"{module}.") for name in run) >= made, module
        assert bool(in_place) is any(name.startswith(f"{module}, line ") for name in run), module
    assert {f"shape {pattern.id}" for pattern in contacts.patterns()} <= run.keys()
    entries = Lexicon.shipped().entries
    asked = sum(len(entry.patterns) + len(entry.unless) + len(entry.post_unless) for entry in entries)
    assert len(hostile_text.phrases()) == asked


def test_a_careless_roll_breaks_nothing() -> None:
    """The same child twice, one letter for a name, no name at all, only signs."""
    names = [
        ("Ada", "Byrne"),
        ("Ada", "Byrne"),
        ("J", "K"),
        ("", ""),
        ("-", "'"),
        ("😀", "\u200b"),
        ("Łł", "Ø"),
        ("A B", "C-D"),
    ]
    roll = [Pupil(f"p{at}", *name, "", "Year 1", "X", "") for at, name in enumerate(names)]
    school = SchoolWords("", (), "", "", (), (), (), (), (), (), (), ("X", ""))
    sloppy = Checker(roll, [], school)
    hits = sloppy.check(
        Draft("Ada Byrne, J K and I had a day off. - ' 😀 a b c-d", (Picture("ada_byrne.jpg", "J"),), "x", "school")
    )
    named = [hit for hit in hits if hit.quote == "Ada Byrne"]
    assert [hit.pupil_ids for hit in named] == [("p0", "p1")]
    assert all(hit.quote not in {"I", "a", "-", "'"} for hit in hits)
