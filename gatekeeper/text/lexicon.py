"""The phrases of the clauses as data: read, checked, and matched sentence by sentence.

A school adds its own entries in the same form. A file that cannot be read is refused with its line, and nothing of
it is used.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from gatekeeper.errors import BadInput
from gatekeeper.text.phrases import Atoms, Pattern, PatternError, compile_pattern
from gatekeeper.text.rules import SEVERITIES, rules
from gatekeeper.text.toml_words import BrokenToml, read_toml

OUTSIDE = frozenset(
    {
        "number",
        "time",
        "percent",
        "money",
        "room",
        "pupil-name",
        "staff-name",
        "school",
        "capital",
        "house",
        "age",
        "handle",
        "password",
        "someone",
    }
)
_SCOPES = ("sentence", "pair", "post")


class LexiconError(BadInput):
    """A word list cannot be used; the text names the line or the entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One set of patterns that leads to a rule, with the two texts that prove it."""

    id: str
    rule: str
    patterns: tuple[str, ...]
    unless: tuple[str, ...]
    post_unless: tuple[str, ...]
    severity: str | None
    account: str | None
    scope: str
    hit: str
    miss: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Families of words and the entries that use them."""

    families: Mapping[str, Sequence[str]]
    entries: tuple[Entry, ...]

    @staticmethod
    def shipped() -> "Lexicon":
        """The lists that come with the product."""
        return _shipped()

    def with_own(self, text: str) -> "Lexicon":
        """These lists and a school's own.

        Raises:
            LexiconError: the text is not TOML, or an entry cannot be used; nothing of it is taken.
        """
        own = parse(text, known=self)
        return Lexicon({**self.families, **own.families}, (*self.entries, *own.entries))

    def without(self, ids: frozenset[str]) -> "Lexicon":
        """These lists without the named entries, for a school that finds one unhelpful."""
        return replace(self, entries=tuple(entry for entry in self.entries if entry.id not in ids))


def parse(text: str, *, known: Lexicon | None = None) -> Lexicon:
    """Reads a word list.

    Raises:
        LexiconError: with the line, or with the entry and what is wrong with it.
    """
    try:
        data = read_toml(text)
    except BrokenToml as err:
        raise LexiconError(str(err)) from err
    families = families_in(data)
    listed = data.get("entry", [])
    if not isinstance(listed, list):
        raise LexiconError("The word list has no [[entry]] parts.")
    entries = tuple(read_entry(raw, number) for number, raw in enumerate(listed, start=1))
    names = [entry.id for entry in entries] + [entry.id for entry in (known.entries if known else ())]
    for name in {name for name in names if names.count(name) > 1}:
        raise LexiconError(f"Two entries are called {name!r}.")
    lexicon = Lexicon(families, entries)
    whole = Lexicon({**known.families, **families}, entries) if known else lexicon
    if known:
        compiled(whole)
    return lexicon


def families_in(data: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """The families of words that a file names."""
    return {name: _phrases(name, value) for name, value in _table(data, "families").items()}


def _table(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise LexiconError(f"[{name}] must be a table of names and words.")
    return table


def _phrases(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise LexiconError(f"The family {name!r} must be one text with phrases between commas.")
    return tuple(phrase for part in value.replace("\n", ",").split(",") if (phrase := part.strip()))


def read_entry(raw: object, number: int, *, own: Collection[str] = ()) -> Entry:
    """One entry of a file, the `number`th of its list; `own` are the rules of the file itself.

    Raises:
        LexiconError: something is missing or cannot be used; the text names the entry.
    """
    if not isinstance(raw, dict):
        raise LexiconError(f"Entry {number} is not a table.")
    name = raw.get("id")
    called = f"Entry {name!r}" if isinstance(name, str) and name else f"Entry {number}"
    texts = {key: raw.get(key) for key in ("id", "rule", "hit", "miss")}
    for key, value in texts.items():
        if not isinstance(value, str) or not value.strip():
            raise LexiconError(f"{called} needs a text for {key!r}.")
    if texts["rule"] not in rules() and texts["rule"] not in own:
        raise LexiconError(f"{called} names a rule that does not exist: {texts['rule']}.")
    severity, account, scope = raw.get("severity"), raw.get("account"), raw.get("scope", "sentence")
    if severity is not None and severity not in SEVERITIES:
        raise LexiconError(f"{called} has a severity that is none of {', '.join(SEVERITIES)}.")
    if account not in {None, "school", "staff"} or scope not in _SCOPES:
        raise LexiconError(f"{called} has an account or a scope that does not exist.")
    lists: dict[str, tuple[str, ...]] = {}
    for key in ("patterns", "unless", "post_unless"):
        value = raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise LexiconError(f"{called} needs a list of texts for {key!r}.")
        lists[key] = tuple(value)
    if not lists["patterns"]:
        raise LexiconError(f"{called} has no patterns.")
    return Entry(
        str(texts["id"]), str(texts["rule"]), lists["patterns"], lists["unless"], lists["post_unless"],
        severity, account, str(scope), str(texts["hit"]), str(texts["miss"]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compiled:
    """One entry ready to be matched."""

    entry: Entry
    patterns: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]
    post_unless: tuple[Pattern, ...]


def compiled(lexicon: Lexicon) -> tuple[Atoms, tuple[Compiled, ...]]:
    """Compiles all entries.

    Raises:
        LexiconError: a pattern cannot be read; the text names the entry.
    """
    atoms = Atoms(lexicon.families, OUTSIDE)
    done: list[Compiled] = []
    for entry in lexicon.entries:
        try:
            done.append(
                Compiled(
                    entry,
                    tuple(compile_pattern(source, atoms) for source in entry.patterns),
                    tuple(compile_pattern(source, atoms) for source in entry.unless),
                    tuple(compile_pattern(source, atoms) for source in entry.post_unless),
                )
            )
        except PatternError as err:
            raise LexiconError(f"Entry {entry.id!r}: {err}.") from err
    return atoms, tuple(done)


def _texts() -> Iterator[str]:
    folder = files("gatekeeper.text").joinpath("data/lexicon")
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        if item.name.endswith(".toml"):
            yield item.read_text(encoding="utf-8")


@cache
def _shipped() -> Lexicon:
    families: dict[str, Sequence[str]] = {}
    entries: list[Entry] = []
    for text in _texts():
        part = parse(text)
        twice = families.keys() & part.families.keys()
        if twice:
            raise LexiconError(f"Two files name the family {min(twice)!r}.")
        families.update(part.families)
        entries += part.entries
    return Lexicon(families, tuple(entries))
