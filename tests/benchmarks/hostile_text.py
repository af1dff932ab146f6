"""Every expression and every phrase of the word checker, each against hostile texts of 50,000 characters.

Nothing is listed by hand: the expressions are taken from all modules of gatekeeper.text, the shapes and the phrases
from the data as shipped, so that a new one cannot be left out.
"""

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gatekeeper.text
from gatekeeper.text import contacts
from gatekeeper.text.fold import fold
from gatekeeper.text.lexicon import OUTSIDE, Lexicon, compiled
from gatekeeper.text.passage import read
from gatekeeper.text.phrases import Mark, Pattern
from gatekeeper.text.reader import fits

SIZE = 50_000
BOUND = 1.5  # seconds for one expression, or one phrase, and one text
SEEDS = (
    " ", "a ", "a", "a.b.", "a@", "0 7", "07-", "a-", "1", "[", "(", "'", '"', "#a", "@a_b", "http://a.b/c", "www.a.", "f*", "a (at) ", "12 mill ",
    "birthday 1 ", "oh seven ", "e\u0301", "\u200b", "😀", "👩\u200d", "שלום ", "ﷺ", "\n", ". ", "A.B. ", "Year 6 ", "y1", "a'", "\U000e0067", "é", "٣",
)  # fmt: skip
# Words that many phrases ask for, in one sentence without an end.
CROWDED = (
    "our head is the best school a child in class was here today and ",
    "they never let us go to the zoo on the bus with one of my pupils ",
    "my class my page my photo my number on friday at 2pm call me ",
    "he she his her the parents say the council should not ",
)


@dataclass(frozen=True)
class Slowest:
    """The longest time one thing took, and on which seed."""

    name: str
    seconds: float
    seed: str


def expressions() -> dict[str, re.Pattern[str]]:
    """Every expression of the engine, by module and name or line, and every shape of the data."""
    found: dict[str, re.Pattern[str]] = {}
    for name in modules():
        module = importlib.import_module(f"gatekeeper.text.{name}")
        found |= {f"{name}.{own}": value for own, value in vars(module).items() if isinstance(value, re.Pattern)}
        found |= {f"{name}, line {line}": re.compile(source) for line, source in _written_in_place(name)}
    return found | {f"shape {shape.id}": shape.regex for shape in contacts.patterns()}


def modules() -> list[str]:
    """The modules of the engine."""
    return [info.name for info in pkgutil.iter_modules(gatekeeper.text.__path__)]


def _written_in_place(name: str) -> Iterator[tuple[int, str]]:
    """The expressions that a module hands straight to re.search, re.sub and the like."""
    source = Path(gatekeeper.text.__path__[0], f"{name}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in {"match", "search", "fullmatch", "sub", "split", "findall", "finditer"}
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def phrases() -> dict[str, Pattern]:
    """Every pattern of every entry: what must be there, and what speaks against it."""
    _, entries = compiled(Lexicon.shipped())
    return {
        f"{one.entry.id} {kind} {place}": pattern
        for one in entries
        for kind, patterns in (("finds", one.patterns), ("unless", one.unless), ("post", one.post_unless))
        for place, pattern in enumerate(patterns)
    }


def hostile(seed: str) -> str:
    """A text of 50,000 characters made of one seed, with another end: what waits for the end is disappointed."""
    return (seed * (SIZE // len(seed) + 1))[: SIZE - 2] + "¬x"


def slowest_expressions() -> Iterator[Slowest]:
    """Each expression with its slowest text."""
    texts = [(seed, fold(hostile(seed)).text) for seed in SEEDS]
    for name, expression in expressions().items():
        times = []
        for seed, text in texts:
            begun = time.perf_counter()
            for _ in expression.finditer(text):
                pass
            times.append(Slowest(name, time.perf_counter() - begun, seed))
        yield max(times, key=lambda one: one.seconds)


def slowest_phrases() -> Iterator[Slowest]:
    """Each phrase with its slowest text: one sentence without an end, full of what the phrases ask for."""
    texts = [(seed, *_crowd(seed)) for seed in CROWDED]
    for name, pattern in phrases().items():
        times = []
        for seed, found, words in texts:
            begun = time.perf_counter()
            fits(pattern, found, 0, words)
            times.append(Slowest(name, time.perf_counter() - begun, seed))
        yield max(times, key=lambda one: one.seconds)


def _crowd(seed: str) -> tuple[dict[int, list[Mark]], int]:
    """The marks of a hostile sentence, with every kind that no word list knows at every fourth word."""
    atoms, _ = compiled(Lexicon.shipped())
    words = read("text", hostile(seed)).words
    found = atoms.find(words)
    for kind in OUTSIDE:
        number = atoms.number(kind)
        if number is not None:
            found[number] = [(at, at + 1) for at in range(0, len(words), 4)]
    return found, len(words)
