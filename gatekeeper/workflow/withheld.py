"""Leaves the names of every other child out of words that are handed out about one child.

It takes out more than it must rather than less. Whatever the engine of the name rules takes for another child goes, and
so does every word that is a part of another child's name and no part of this child's own, however it is written. Only
a name that is a common word as well ("Will", "Rose") stays where it stands in small letters.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.pupils import Pupil
from gatekeeper.text.checker import Checker
from gatekeeper.text.fold import fold_word
from gatekeeper.text.vocabulary import vocabulary
from gatekeeper.workflow.school_checker import checker_for

WITHHELD: Final = "[name withheld]"
_WORD: Final = re.compile(r"[^\W\d_]+")
_INNER_CAPITAL: Final = re.compile(r"(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
_LEAST: Final = 2  # letters of a part of a name that is looked for
_INSIDE: Final = 4  # ... and of one that is looked for inside longer words, as in a hashtag
_NEAR: Final = re.compile(r"[ \u00a0\t_.'’-]{1,3}")


class Withholder:
    """Takes out other children's names; one for one child, or everybody's where the words are for no child."""

    def __init__(self, checker: Checker, child: Pupil | None, others: Iterable[Pupil]) -> None:
        self._checker, self._id = checker, str(child.id) if child else ""
        self._own = set(_parts(child)) if child else set()
        called = f"{child.first_name} {child.known_as}" if child else ""
        self._called = {fold_word(word) for word in _WORD.findall(called)}
        parts = {part for other in others for part in _parts(other)} - self._own
        common = vocabulary().word_names | vocabulary().word_surnames
        self._parts = {part for part in parts if len(part) >= _LEAST}
        self._common = {part for part in self._parts if part in common}
        inside = sorted(part for part in self._parts - self._common if len(part) >= _INSIDE)
        self._inside = re.compile("|".join(map(re.escape, inside)) or r"(?!)")
        self.count = 0

    def clean(self, words: str | None) -> str:
        """The words with every other child's name replaced."""
        if not words:
            return ""
        spans = _joined([*self._sure(words), *self._letters(words)], words, self._own, self._parts)
        self.count += len(spans)
        told, at = [], 0
        for start, end in spans:
            told += [words[at:start], WITHHELD]
            at = end
        return "".join([*told, words[at:]])

    def names_others(self, words: str | None) -> bool:
        """Whether these words may name another child."""
        before = self.count
        self.clean(words)
        found, self.count = self.count > before, before
        return found

    def names_the_child(self, words: str) -> bool:
        """Whether these words may name the child itself."""
        return any(self._id in ids for _, _, ids in self._checker.names_in("images[0].alt", words))

    def calls_the_child(self, words: str) -> bool:
        """Whether these words name the child, or hold its first name with a capital, whatever else it may mean."""
        return self.names_the_child(words) or any(
            found.group()[0].isupper() and fold_word(found.group()) in self._called for found in _WORD.finditer(words)
        )

    def _sure(self, words: str) -> Iterator[tuple[int, int]]:
        """What the engine takes for others and not for this child."""
        for field in ("text", "images[0].alt"):  # a description is read more strictly
            for start, end, ids in self._checker.names_in(field, words):
                if self._id not in ids:
                    yield start, end

    def _letters(self, words: str) -> Iterator[tuple[int, int]]:
        """Every word that is a part of another's name, or holds one."""
        for found in _WORD.finditer(words):
            pieces = list(_pieces(found.group()))
            if any(self._is_other(piece) for piece in pieces):
                yield found.span()
                continue
            folded = fold_word(found.group())
            if folded not in self._own and self._inside.search(folded):
                yield found.span()

    def _is_other(self, piece: str) -> bool:
        folded = fold_word(piece)
        return folded in self._parts and (folded not in self._common or piece[0].isupper())


def withholder(session: Session, child: Pupil) -> Withholder:
    """For this child, with everybody else on the roll, leavers too."""
    others = session.scalars(select(Pupil).where(Pupil.id != child.id)).all()
    return Withholder(checker_for(session), child, others)


def _parts(pupil: Pupil) -> Iterator[str]:
    for name in (pupil.first_name, pupil.last_name, pupil.known_as):
        for word in _WORD.findall(name):
            yield fold_word(word)
        yield "".join(fold_word(word) for word in _WORD.findall(name))  # "Mary-Ann" written in one


def _pieces(word: str) -> Iterator[str]:
    """The word, and what stands in it from one capital to the next: "TeamJonty"."""
    yield word
    yield from _INNER_CAPITAL.split(word)


def _joined(spans: Sequence[tuple[int, int]], words: str, own: set[str], parts: set[str]) -> list[tuple[int, int]]:
    """The spans in order, those that touch made one, each with what follows it of the same name.

    That is a part of others' names, even where it is a common word; and a surname that the child shares.
    """
    wide: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        after = _NEAR.match(words, end)
        following = _WORD.match(words, after.end()) if after else None
        if following:
            folded = fold_word(following.group())
            if folded in parts or (folded in own and _last(following, words, own)):
                end = following.end()  # noqa: PLW2901 - widened on purpose
        if wide and start <= wide[-1][1]:
            wide[-1] = (wide[-1][0], max(end, wide[-1][1]))
        else:
            wide.append((start, end))
    return wide


def _last(shared: re.Match[str], words: str, own: set[str]) -> bool:
    """Whether the shared word ends a name: what follows it is no part of the child's own."""
    after = _NEAR.match(words, shared.end())
    following = _WORD.match(words, after.end()) if after else None
    return following is None or fold_word(following.group()) not in own
