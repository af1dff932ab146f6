"""Every rule, shape and entry proves itself by one text that must hit and one that must not."""

from collections.abc import Callable

import pytest

from gatekeeper.text.checker import Checker, Draft, Hit, Picture
from gatekeeper.text.contacts import Pattern, patterns
from gatekeeper.text.lexicon import Entry, Lexicon
from gatekeeper.text.passage import read
from gatekeeper.text.reader import Reader
from gatekeeper.text.rooms import Rooms
from gatekeeper.text.roster import Roster
from gatekeeper.text.rules import SEVERITIES, Rule, rules
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


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.id)
def test_rule_finds_its_hit_and_nothing_in_its_miss(checker: Checker, rule: Rule) -> None:
    assert rule.id in {hit.rule for hit in checker.check(_example(rule, rule.must_hit))}
    assert checker.check(_example(rule, rule.must_miss)) == []


def _example(rule: Rule, words: str) -> Draft:
    """The example where it belongs: in the text, or as the description of a picture."""
    if rule.place == "alt":
        return Draft("", (Picture("IMG_1.jpg", words),), "facebook", rule.account)
    return Draft(words, (), "facebook", rule.account)


def test_every_rule_that_names_a_pupil_or_gives_a_contact_away_is_hard_and_says_why() -> None:
    hard = {rule.id for rule in rules().values() if rule.hard}
    stems = ("pupil-name", "contact-phone", "contact-email", "contact-address", "contact-postcode", "contact-dob")
    assert {rule for rule in rules() if rule.startswith(stems)} <= hard
    assert all(bool(rule.why) is rule.hard for rule in rules().values())


@pytest.mark.parametrize(
    ("rule", "severity", "to", "expected"),
    [
        ("profanity", "block", "justify", "justify"),
        ("profanity", "block", "off", "off"),
        ("link-unsafe", "advice", "justify", "advice"),
        ("profanity", "block", None, "block"),
        ("pupil-name-full", "block", "off", "block"),
        ("pupil-name-first", "justify", "advice", "justify"),
    ],
)
def test_softening_never_hardens_and_never_touches_a_hard_rule(
    rule: str, severity: str, to: str | None, expected: str
) -> None:
    assert rules()[rule].softened(severity, to) == expected


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
