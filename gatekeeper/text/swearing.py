"""Finds swearing, also where signs stand for letters, letters are doubled or stars hide them."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gatekeeper.text.passage import Passage
from gatekeeper.text.phrases import split_phrase

_SIGNS = str.maketrans(
    {
        "@": "a",
        "4": "a",
        "3": "e",
        "1": "i",
        "!": "i",
        "|": "i",
        "0": "o",
        "5": "s",
        "$": "s",
        "7": "t",
        "+": "t",
        "€": "e",
    }
)
_CHUNK = re.compile(r"(?<![\w@#/.])[a-z@$][a-z0-9@$!|*#%€+_.\-]{1,24}")
_MARKED = re.compile(r"[a-z@$][@$!|*#%€0-9+]|[*#%]")
_HIDDEN = re.compile(r"[*#%_\-.]")
_RUNS = re.compile(r"(.)\1{2,}")
_SPACED = re.compile(r"(?<![^\W_])[a-z](?:[ .\-_*]{1,2}[a-z](?![^\W_])){2,12}")
_ENDINGS = ("", "s", "es", "ed", "d", "er", "ers", "ing", "in", "y")
_MIN_LETTERS = 2
_BENDS = 4  # shorter words take no endings but the plural


@dataclass(frozen=True)
class _Words:
    plain: frozenset[str]
    by_shape: dict[tuple[str, int], tuple[str, ...]]
    phrases: dict[str, tuple[tuple[str, ...], ...]]
    unless: dict[str, tuple[tuple[str, ...], ...]]


def _words_of(phrase: str) -> tuple[str, ...]:
    return tuple(word for word, _ in split_phrase(phrase))


@cache
def _words() -> _Words:
    data = tomllib.loads(files("gatekeeper.text").joinpath("data/swearing.toml").read_text(encoding="utf-8"))
    stems = [word for word in data["strong"].split() if "-" not in word]
    forms = {stem + ending for stem in stems for ending in (_ENDINGS if len(stem) >= _BENDS else ("", "s"))}
    plain = frozenset(forms - set(data["innocent_forms"].split()))
    by_shape: dict[tuple[str, int], list[str]] = defaultdict(list)
    for word in sorted(plain):
        by_shape[word[0], len(word)].append(word)
    phrases: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for phrase in data["phrases"]:
        words = _words_of(phrase)
        phrases[words[0]].append(words)
    return _Words(
        plain,
        {key: tuple(words) for key, words in by_shape.items()},
        {key: tuple(rows) for key, rows in phrases.items()},
        {word: tuple(_words_of(row) for row in rows) for word, rows in data["unless"].items()},
    )


def swearwords(passage: Passage) -> Iterator[tuple[int, int]]:
    """Folded spans of every word that has no place in a school's post."""
    words = _words()
    taken: set[int] = set()
    for at, word in enumerate(passage.words):
        if at in taken:
            continue
        for phrase in words.phrases.get(word, ()):
            if tuple(passage.words[at : at + len(phrase)]) == phrase:
                taken.update(range(at, at + len(phrase)))
                yield passage.starts[at], passage.ends[at + len(phrase) - 1]
                break
        else:
            if _is_swearing(words, passage, at):
                yield passage.starts[at], passage.ends[at]
    for match in _CHUNK.finditer(passage.text):
        end = _obscured(words, match[0])
        if end:
            yield match.start(), match.start() + end
    for match in _SPACED.finditer(passage.text):
        letters = re.sub(r"[^a-z]", "", match[0])
        if len(letters) > 3 and letters in words.plain:  # noqa: PLR2004
            yield match.start(), match.end()


def _is_swearing(words: _Words, passage: Passage, at: int) -> bool:
    word = passage.words[at]
    plain = word if word in words.plain else _RUNS.sub(r"\1", word)
    if plain not in words.plain:
        return False
    if plain in {"dick", "cock", "git"} and passage.capital[at] and not passage.opening[at] and not passage.shouted(at):
        return False
    for row in words.unless.get(plain, ()):
        for place, one in enumerate(row):
            first = at - place
            if one == plain and first >= 0 and tuple(passage.words[first : first + len(row)]) == row:
                return False
    return True


def _obscured(words: _Words, chunk: str) -> int:
    """How much of the chunk is a hidden swearword, closing marks left off."""
    for shape in (chunk, chunk.rstrip("!.-_"), chunk.rstrip("!.-_*#%")):
        if not _MARKED.search(shape) and not re.search(r"[a-z][_.\-][a-z]", shape):
            continue
        plain = _RUNS.sub(r"\1", shape.translate(_SIGNS)) if not _HIDDEN.search(shape) else shape.translate(_SIGNS)
        if plain in words.plain and not shape.isalpha():
            return len(shape)
        if _HIDDEN.search(plain) and _starred(words, plain):
            return len(shape)
    return 0


def _starred(words: _Words, plain: str) -> bool:
    if not re.search(r"[*#%]", plain):
        return re.sub(r"[_.\-]", "", plain) in words.plain and len(re.findall(r"[_.\-]", plain)) > 1
    letters = sum(char.isalpha() for char in plain)
    if letters < _MIN_LETTERS and not re.fullmatch(r"[fscb][*#%]{2,5}", plain):
        return False
    bare = re.sub(r"[_.\-]", "", plain)
    for length in (len(bare), len(bare) + 1):
        for word in words.by_shape.get((bare[0], length), ()):
            if length == len(bare) and all(
                want == have or have in "*#%" for want, have in zip(word, bare, strict=True)
            ):
                return True
    return re.sub(r"[*#%]", "", bare) in {
        "fck",
        "fk",
        "fcking",
        "sht",
        "btch",
        "cnt",
        "wnker",
        "twt",
        "bllocks",
        "bstard",
        "rse",
        "arshole",
        "fking",
        "fkng",
    }
