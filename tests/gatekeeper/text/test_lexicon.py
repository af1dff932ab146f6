"""A school's own word list: taken whole, or refused with the line and nothing of it used."""

import pytest

from gatekeeper.text.checker import Checker, Draft, SchoolWords
from gatekeeper.text.lexicon import Lexicon, LexiconError
from gatekeeper.text.phrases import Atoms, PatternError, compile_pattern, find_row, split_phrase

OWN = """
[families]
river = "weir, river bank, mill race"

[[entry]]
id = "our-weir"
rule = "pupil-planned-location"
severity = "block"
patterns = ["{river} ... {room}", "{room} ... {river}"]
unless = ["picture of"]
hit = "Year 4 meet at the weir."
miss = "Year 4 drew a picture of the weir."
"""
NOWHERE = SchoolWords("", (), "", "", (), (), (), (), (), (), (), ())


def _rules(lexicon: Lexicon, text: str) -> list[tuple[str, str]]:
    hits = Checker([], [], NOWHERE, lexicon=lexicon).check(Draft(text, (), "x", "school"))
    return [(hit.rule, hit.severity) for hit in hits]


def test_a_school_adds_its_own_entry() -> None:
    lexicon = Lexicon.shipped().with_own(OWN)
    assert ("pupil-planned-location", "block") in _rules(lexicon, "Year 4 meet at the weir.")
    assert _rules(lexicon, "Year 4 drew a picture of the weir.") == []
    assert _rules(Lexicon.shipped(), "Year 4 meet at the weir.") == []


def test_a_school_switches_an_entry_off() -> None:
    text = "Our management could not organise a raffle, they are hopeless."
    softened = Lexicon.shipped().without(frozenset({"speaks-badly", "speaks-badly-plainly"}))
    assert ("disparagement", "block") in _rules(Lexicon.shipped(), text)
    assert "disparagement" not in {rule for rule, _ in _rules(softened, text)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[families]\na = \n", "Line 2"),
        ("[[entry]]\nid = 'x'\n", "'rule'"),
        (OWN.replace("pupil-planned-location", "no-such-rule"), "no-such-rule"),
        (OWN.replace('"block"', '"fatal"'), "severity"),
        (OWN.replace("{river}", "{lake}"), "lake"),
        (OWN.replace("{river}", "{river"), "bracket"),
        (OWN.replace('"weir, river bank, mill race"', '["weir"]'), "river"),
        (OWN.replace('unless = ["picture of"]', "unless = 'picture of'"), "unless"),
        (OWN.replace('patterns = ["{river} ... {room}", "{room} ... {river}"]', "patterns = []"), "patterns"),
        (OWN.replace('unless = ["picture of"]', "scope = 'everywhere'"), "scope"),
        (OWN.replace("our-weir", "quarrel"), "quarrel"),
        (OWN.replace("river bank", "*"), "no words"),
        ("entry = 5", "entry"),
        ("families = 5", "families"),
        ('[families]\na = "@a"\n[[entry]]\nid="x"\nrule="profanity"\npatterns=["{a}"]\nhit="a"\nmiss="b"', "itself"),
        ('[families]\na = "@b"\n[[entry]]\nid="x"\nrule="profanity"\npatterns=["{a}"]\nhit="a"\nmiss="b"', "called b"),
    ],
)
def test_cannot_use_a_broken_list(text: str, says: str) -> None:
    with pytest.raises(LexiconError, match=says):
        Lexicon.shipped().with_own(text)


def _finds(pattern: str, text: str) -> bool:
    atoms = Atoms({"colour": ("red", "dark blue")}, frozenset())
    compiled = compile_pattern(pattern, atoms)
    words = [word for word, _ in split_phrase(text)]
    found = atoms.find(words)
    return all((find_row(row, found, 0, len(words)) is None) is row.forbidden for row in compiled.rows)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("red car", "a red car", True),
        ("red car", "a red fast car", False),
        ("red .. car", "a red fast new car", True),
        ("red .. car", "a red very fast new old car", False),
        ("red ... car", "a red very fast new old car", True),
        ("{colour} car", "a dark blue car", True),
        ("{colour} car/van", "a red van", True),
        ("driv* car", "we are driving car two", True),
        ("red fast? car", "a red car", True),
        ("red fast? car", "a red fast car", True),
        ("^ red car", "a red car", False),
        ("^ red car", "red car here", True),
        ("red car $", "a red car", True),
        ("red car $", "a red car here", False),
        ("red & car", "a car so red", True),
        ("red & !car", "a car so red", False),
        ("red & !car", "a bus so red", True),
        ("isn't red", "it isn't red", True),
        ("isnt red", "it isn't red", True),
    ],
)
def test_patterns_mean_what_their_language_says(pattern: str, text: str, *, expected: bool) -> None:
    assert _finds(pattern, text) is expected


@pytest.mark.parametrize("pattern", ["", "!red", "fast?", "{nothing}", "{colour", "r*"])
def test_cannot_compile_a_pattern_that_asks_for_nothing(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern, Atoms({"colour": ("red",)}, frozenset()))
