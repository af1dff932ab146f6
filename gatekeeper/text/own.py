"""A school's own rules: read from the text that it typed, held to limits, and proved by their own two examples.

Their patterns are in the same small language as the shipped ones, never regular expressions: it reads without
backtracking, so a text costs at most its length times the work counted here, and the work has an upper bound. Nothing
a school can write makes the check hang. A file is taken whole or not at all.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gatekeeper.text.lexicon import Compiled, Entry, Lexicon, LexiconError, compiled, families_in, read_entry
from gatekeeper.text.phrases import Pattern, Row, split_phrase
from gatekeeper.text.rules import SEVERITIES, Rule, rules
from gatekeeper.text.toml_words import BrokenToml, line_of, read_toml

PREFIX: Final = "our-"
LONGEST_FILE: Final = 50_000
MOST_ENTRIES: Final = 100
MOST_PATTERNS: Final = 30
LONGEST_PATTERN: Final = 200
LONGEST_SENTENCE: Final = 300
LONGEST_EXAMPLE: Final = 500
MOST_FAMILIES: Final = 60
MOST_PHRASES: Final = 2_000
MOST_ALIKE: Final = 60  # phrases of several words, or stems, that begin with the same word: each is followed in turn
#: steps that one word costs when every element of every pattern waits for it. Measured at this much: half a second for
#: 5,000 characters of nothing but such words, the longest post there is, and time grows with the length alone
MOST_WORK: Final = 5_000
_LOOK: Final = 4  # looking one phrase up costs as much as four steps of a gap

_ID: Final = re.compile(r"our-[a-z0-9]+(?:-[a-z0-9]+){0,8}")
_PARTS: Final = {"families", "rule", "entry"}
_OF_RULE: Final = {"id", "clause", "severity", "sentence"}
_OF_ENTRY: Final = {"id", "rule", "patterns", "unless", "post_unless", "severity", "account", "scope", "hit", "miss"}


@dataclass(frozen=True)
class OwnRules:
    """What a school added: rules of its own, and entries that lead to them or to rules that came with the product."""

    rules: tuple[Rule, ...]
    families: Mapping[str, Sequence[str]]
    entries: tuple[Entry, ...]

    def lexicon(self, only: Entry | None = None) -> Lexicon:
        """The entries, or one of them, with all families.

        A family of the school's own beats the shipped one of that name here, and here alone: no shipped rule reads it.
        """
        return Lexicon({**Lexicon.shipped().families, **self.families}, (only,) if only else self.entries)


NOTHING: Final = OwnRules((), {}, ())


def read_own(text: str, *, clauses: Collection[str] | None = None) -> OwnRules:
    """The rules in a school's file; `clauses` are the numbers of the policy, where they are to be asked.

    Raises:
        LexiconError: with the line and column, or with the rule, its line and what is wrong with it.
    """
    if not text.strip():
        return NOTHING
    if len(text) > LONGEST_FILE:
        raise LexiconError(f"This is longer than {LONGEST_FILE:,} characters. Please keep it shorter.")
    try:
        own = _read(read_toml(text), clauses)
        _hold_to_limits(own)
    except BrokenToml as err:
        raise LexiconError(str(err)) from err
    except LexiconError as err:
        named = re.search(r"'([^']+)'", str(err))
        line = line_of(text, named[1]) if named else None
        raise LexiconError(f"Line {line}: {err}" if line else str(err)) from err
    return own


def _read(data: Mapping[str, Any], clauses: Collection[str] | None) -> OwnRules:
    for name in data:
        if name not in _PARTS:
            raise LexiconError(f"There is no part called {name!r}; use [families], [[rule]] and [[entry]].")
    families = families_in(data)
    raw_rules, raw_entries = _list(data, "rule"), _list(data, "entry")
    own = tuple(_rule(raw, number, clauses) for number, raw in enumerate(raw_rules, start=1))
    ids = {rule.id for rule in own}
    entries = [
        read_entry({**_without(raw, {"clause", "sentence", "severity"}), "rule": rule.id}, number, own=ids)
        for number, (raw, rule) in enumerate(zip(raw_rules, own, strict=True), start=1)
    ]
    for number, raw in enumerate(raw_entries, start=1):
        _known_keys(raw, _OF_ENTRY, f"Entry {number}")
        entries.append(_leading(read_entry(raw, number, own=ids)))
    names = [entry.id for entry in entries]
    taken = {entry.id for entry in Lexicon.shipped().entries}
    for name in names:
        if names.count(name) > 1 or name in taken:
            raise LexiconError(f"Two entries are called {name!r}.")
    return OwnRules(own, families, tuple(entries))


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    found = data.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise LexiconError(f"Write [[{name}]] with two brackets on each side.")
    return found


def _without(raw: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key not in keys}


def _known_keys(raw: Mapping[str, Any], known: Collection[str], called: str) -> None:
    for key in raw:
        if key not in known:
            raise LexiconError(f"{called} has a {key!r}, which means nothing here.")


def _rule(raw: Mapping[str, Any], number: int, clauses: Collection[str] | None) -> Rule:
    called = f"Rule {raw['id']!r}" if isinstance(raw.get("id"), str) else f"Rule {number}"
    _known_keys(raw, (_OF_RULE | _OF_ENTRY) - {"rule"}, called)
    for key in ("id", "clause", "severity", "sentence", "hit", "miss"):
        if not isinstance(raw.get(key), str) or not raw[key].strip():
            raise LexiconError(f"{called} needs a text for {key!r}.")
    if not _ID.fullmatch(raw["id"]) or raw["id"] in rules():
        raise LexiconError(f"{called} needs an id of its own such as “{PREFIX}weir”: small letters and “-”.")
    if clauses is not None and raw["clause"] not in clauses:
        raise LexiconError(f"{called} names a clause that the policy does not have: {raw['clause'][:20]}.")
    if raw["severity"] not in SEVERITIES:
        raise LexiconError(f"{called} has a severity that is none of {', '.join(SEVERITIES)}.")
    sentence = raw["sentence"].strip()
    if len(sentence) > LONGEST_SENTENCE or not sentence.endswith((".", "?", "!")):
        raise LexiconError(
            f"{called} needs one whole sentence for the author, of at most {LONGEST_SENTENCE} characters."
        )
    return Rule(raw["id"], raw["clause"], raw["severity"], sentence, must_hit=raw["hit"], must_miss=raw["miss"])


def _leading(entry: Entry) -> Entry:
    shipped = rules().get(entry.rule)
    if not _ID.fullmatch(entry.id):
        raise LexiconError(f"Entry {entry.id!r} needs an id such as “{PREFIX}weir”: small letters and “-”.")
    if shipped is not None and shipped.hard:
        raise LexiconError(f"Entry {entry.id!r} cannot lead to {entry.rule}: that rule goes by the roll alone.")
    return entry


def _hold_to_limits(own: OwnRules) -> None:
    if len(own.entries) > MOST_ENTRIES:
        raise LexiconError(f"There are more than {MOST_ENTRIES} rules and entries. Please keep fewer.")
    for entry in own.entries:
        patterns = (*entry.patterns, *entry.unless, *entry.post_unless)
        if len(patterns) > MOST_PATTERNS:
            raise LexiconError(f"{_called(entry)} has more than {MOST_PATTERNS} patterns.")
        if any(len(pattern) > LONGEST_PATTERN for pattern in patterns):
            raise LexiconError(f"{_called(entry)} has a pattern of more than {LONGEST_PATTERN} characters.")
        if max(len(entry.hit), len(entry.miss)) > LONGEST_EXAMPLE:
            raise LexiconError(f"{_called(entry)} has an example of more than {LONGEST_EXAMPLE} characters.")
    _hold_families(own)
    _hold_beginnings(own)
    _, all_compiled = compiled(own.lexicon())  # refuses what cannot be read, with the entry's name
    if sum(_work(one) for one in all_compiled) > MOST_WORK:
        raise LexiconError(
            "Taken together these patterns are too much work for long texts. Use fewer patterns, or fewer gaps “...”."
        )


def _called(entry: Entry) -> str:
    return f"Entry {entry.id!r}"


def _hold_families(own: OwnRules) -> None:
    """Families may contain families; counted here before anything is unfolded, for ten doublings make a thousand."""
    if len(own.families) > MOST_FAMILIES:
        raise LexiconError(f"There are more than {MOST_FAMILIES} families of words. Please keep fewer.")
    families = own.lexicon().families
    counted: dict[str, int] = {}

    def count(name: str, within: tuple[str, ...]) -> int:
        if name in within or name not in families:
            return 0  # said more exactly when the patterns are read
        if name not in counted:
            inner = (count(phrase[1:], (*within, name)) if phrase[:1] == "@" else 1 for phrase in families[name])
            counted[name] = sum(inner)
        return counted[name]

    for name in own.families:
        if count(name, ()) > MOST_PHRASES:
            raise LexiconError(f"The family {name!r} comes to more than {MOST_PHRASES:,} phrases.")


def _hold_beginnings(own: OwnRules) -> None:
    patterns = (one for entry in own.entries for one in (*entry.patterns, *entry.unless, *entry.post_unless))
    pieces = (piece for pattern in patterns for part in pattern.split() for piece in part.rstrip("?").split("/"))
    begun: Counter[str] = Counter()
    for phrase in (*(phrase for family in own.families.values() for phrase in family), *pieces):
        words = split_phrase(phrase.replace("_", " "))
        if len(words) > 1 or (words and words[0][1]):
            begun[words[0][0]] += 1
    for word, times in begun.most_common(1):
        if times > MOST_ALIKE:
            raise LexiconError(f"More than {MOST_ALIKE} phrases begin with {word!r}. Please keep fewer.")


def _work(one: Compiled) -> int:
    """How many steps one word costs that every element of every pattern waits for."""
    return sum(_steps(row) for pattern in _patterns(one) for row in pattern.rows)


def _patterns(one: Compiled) -> tuple[Pattern, ...]:
    return (*one.patterns, *one.unless, *one.post_unless)


def _steps(row: Row) -> int:
    steps = slack = 0
    for element in row.elements:
        steps += _LOOK * len(element.atoms) + element.gap + slack
        slack = max(slack, element.gap) if element.optional else 0
    return steps
