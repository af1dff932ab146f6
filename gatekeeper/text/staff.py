"""The names of the school's adults, and phrases the school has said name no pupil."""

import re

from gatekeeper.text.draft import StaffName
from gatekeeper.text.fold import fold_word
from gatekeeper.text.passage import Passage, read

_LETTERS = re.compile(r"[^\W_]+")
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "mx", "dr", "sir", "madam"])


class StaffNames:
    """Knows which words of a passage belong to an adult of the school or to a phrase taught by it."""

    def __init__(self, staff: tuple[StaffName, ...], known_phrases: tuple[str, ...]) -> None:
        self.surnames: set[str] = set()
        self.firsts: set[str] = set()
        self._sequences: dict[str, list[tuple[str, ...]]] = {}
        for one in staff:
            first, last = (tuple(_LETTERS.findall(fold_word(part))) for part in (one.first_name, one.last_name))
            title = tuple(_LETTERS.findall(fold_word(one.title)))
            self.surnames.update(last)
            self.firsts.update(first)
            for sequence in ((*first, *last), (*title, *last), (*title, *first, *last)):
                if last and len(sequence) > 1:  # one word alone may be a child's: "Miss Hope" is not "Hope"
                    self._add(sequence)
        for phrase in known_phrases:
            self._add(tuple(read("text", phrase).words))  # cut as posts are, or "Charlotte's" is never met again
        self.words = frozenset(self.surnames | self.firsts)

    def _add(self, sequence: tuple[str, ...]) -> None:
        if sequence:
            self._sequences.setdefault(sequence[0], []).append(sequence)

    def words_in(self, passage: Passage) -> set[int]:
        """The words that name an adult of the school, or that the school has explained."""
        found: set[int] = set()
        for at, word in enumerate(passage.words):
            for sequence in self._sequences.get(word, ()):
                end = at + len(sequence)
                if tuple(passage.words[at:end]) == sequence:
                    found.update(range(at, end))
        return found
