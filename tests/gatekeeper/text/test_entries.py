"""Every rule, shape and entry proves itself by one text that must hit and one that must not."""

from collections.abc import Callable

import pytest

from gatekeeper.text.checker import Checker, Hit
from gatekeeper.text.contacts import Pattern, patterns
from gatekeeper.text.lexicon import Entry, Lexicon
from gatekeeper.text.passage import read
from gatekeeper.text.reader import Reader
from gatekeeper.text.rooms import Rooms
from gatekeeper.text.roster import Roster
from gatekeeper.text.rules import SEVERITIES, rules
from gatekeeper.text.staff import StaffNames
from tests.gatekeeper.text.conftest import SCHOOL, STAFF

Check = Callable[..., list[Hit]]


@pytest.fixture(scope="module")
def reader() -> Callable[[str, str], set[tuple[str, str]]]:
    """Rule and entry of every match in a text."""
    engine = Reader(Lexicon.shipped(), SCHOOL, StaffNames(STAFF, ()))
    rooms = Rooms(Roster([]), SCHOOL.classes)

    def run(text: str, account: str) -> set[tuple[str, str]]:
        passage = read("text", text)
        return {(match.rule, match.entry) for match in engine.find(passage, account, rooms.find(passage), [])}

    return run


@pytest.mark.parametrize("entry", Lexicon.shipped().entries, ids=lambda entry: entry.id)
def test_entry_finds_its_hit_and_not_its_miss(reader: Callable[[str, str], set[tuple[str, str]]], entry: Entry) -> None:
    account = entry.account or "school"
    assert entry.rule in {rule for rule, _ in reader(entry.hit, account)}
    assert entry.id not in {name for _, name in reader(entry.miss, account)}


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.id)
def test_shape_finds_its_hit_and_not_its_miss(check: Check, pattern: Pattern) -> None:
    assert any(hit.rule == pattern.rule for hit in check(pattern.hit))
    assert not any(hit.rule == pattern.rule for hit in check(pattern.miss))


def test_every_rule_has_a_severity_a_clause_and_a_sentence() -> None:
    for rule in rules().values():
        assert rule.severity in SEVERITIES
        assert rule.clause[0].isdigit()
        assert rule.sentence.endswith((".", "?"))
        assert "⟨q⟩" not in rule.message("some words")
        assert "⟨q⟩" not in rule.message(None)


def test_every_entry_leads_to_a_rule_and_every_open_rule_has_an_entry() -> None:
    led = {entry.rule for entry in Lexicon.shipped().entries} | {pattern.rule for pattern in patterns()}
    elsewhere = {rule for rule in rules() if rule.startswith("pupil-name")} | {
        "profanity",
        "alt-text-missing",
        "link-shortener",
    }
    assert led | elsewhere == set(rules())


def test_a_long_quote_is_cut_in_the_sentence_and_whole_in_the_hit(checker: Checker, check: Check) -> None:
    text = "Our management could not organise a raffle, they are useless" + ", truly" * 30 + "."
    hit = next(hit for hit in check(text) if hit.rule == "disparagement")
    assert hit.quote == text
    assert len(hit.message) < len(text)
