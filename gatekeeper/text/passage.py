"""Cuts a text into words and sentences once, for all rules that read it."""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from gatekeeper.text.fold import Folded, fold

# A clitic, a negated verb, a number with its unit, or a run of letters and digits.
_WORD = re.compile(
    r"'(?:s|re|ve|ll|d|m)(?![^\W_])|[a-z]{1,12}n't(?![^\W_])|\d{1,20}(?:[.:,]\d{1,20}){0,4}[^\W\d_]{0,30}|[^\W_]+"
)
_STOP = re.compile(r"[!?\n]|\.(?=[\s\"')\]]|$)|\.{2,}")
_ABBREVIATIONS = frozenset({"mr", "mrs", "ms", "dr", "st", "rev", "prof", "no", "tel", "vs", "approx", "eg", "ie"})
_OPENERS = re.compile(r"[:\"(\[•*>#]|\.{2}|[^\x00-\u2fff]| '|\A'")


@dataclass(frozen=True, slots=True)
class Passage:
    """One field of a draft: its folded text, words with their places, and the sentence each word stands in."""

    field: str
    folded: Folded
    words: list[str]
    starts: list[int]
    ends: list[int]
    capital: list[bool]
    opening: list[bool]
    sentence: list[int]
    sentences: list[tuple[int, int]]

    @property
    def text(self) -> str:
        """The folded text."""
        return self.folded.text

    def gap(self, word: int) -> str:
        """What stands between this word and the next."""
        if word + 1 >= len(self.words):
            return self.folded.text[self.ends[word] :]
        return self.folded.text[self.ends[word] : self.starts[word + 1]]

    def words_in(self, start: int, end: int) -> range:
        """The words that share a letter with this folded span."""
        return range(bisect_right(self.ends, start), bisect_left(self.starts, end))

    def shouted(self, word: int) -> bool:
        """Whether the whole word is written in capitals."""
        folded = self.folded
        return all(
            folded.is_upper(at) or not folded.text[at].isalpha() for at in range(self.starts[word], self.ends[word])
        )

    def sentence_span(self, number: int) -> tuple[int, int]:
        """The folded span of a sentence, with its closing mark."""
        first, last = self.sentences[number]
        start, end = self.starts[first], self.ends[last - 1]
        text = self.folded.text
        while end < len(text) and text[end] in ".!?\"')":
            end += 1
        return start, end


def _abbreviated(word: str, gap: str) -> bool:
    """A full stop after "Mr" or a single letter ends no sentence."""
    return gap.strip(" (").rstrip() == "." and (
        word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i")
    )


def read(field: str, text: str) -> Passage:
    """Reads one field. Never fails: a text without words is a passage without words."""
    folded = fold(text)
    plain = folded.text
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    capital: list[bool] = []
    opening: list[bool] = []
    sentence: list[int] = []
    number, last = 0, 0
    for match in _WORD.finditer(plain):
        start, end = match.span()
        gap = plain[last:start]
        fresh = not words
        if words and _STOP.search(gap) and not _abbreviated(words[-1], gap):
            number += 1
            fresh = True
        words.append(match[0].replace("n't", "nt") if match[0].endswith("n't") else match[0])
        starts.append(start)
        ends.append(end)
        capital.append(folded.is_upper(start))
        opening.append(fresh or bool(_OPENERS.search(gap)))
        sentence.append(number)
        last = end
    bounds: list[tuple[int, int]] = []
    first = 0
    for at in range(1, len(words) + 1):
        if at == len(words) or sentence[at] != sentence[first]:
            bounds.append((first, at))
            first = at
    return Passage(field, folded, words, starts, ends, capital, opening, sentence, bounds)
