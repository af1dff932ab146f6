"""Finds pupils' names that are misspelt, stretched, spaced out or written with digits and signs for letters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.fuzz import ratio

from gatekeeper.text.names import Named, Taken, joins
from gatekeeper.text.passage import Passage
from gatekeeper.text.roster import Roster, skeleton, without_one
from gatekeeper.text.vocabulary import vocabulary

WHOLE, PART, LENGTH = 84, 60, 7
_FIRST = 80
_SURE = 90
_FEW = 80  # bearers compared one by one; more people than this share no rare spelling
_ALONE = 5
_LONGEST = 40  # no name is longer, and comparing longer words would cost the square of their length
_CHUNK = re.compile(r"[^\s,;:\"()#]{2,40}")
_SIGN = re.compile(r"[a-z][0-9@$!*|€£+]|[0-9@$!*|€£+][a-z]")
_BROKEN = re.compile(r"[a-z][^\w\s]{1,4}[a-z]")
_SPACED = re.compile(r"(?<![^\W_])[a-z](?:[ .\-_*/']{1,2}[a-z](?![^\W_])){4,60}")


@dataclass(frozen=True, slots=True)
class Masked:
    """A disguised name in folded offsets (it need not follow the words of the passage)."""

    start: int
    end: int
    pupils: frozenset[int]


class Disguises:
    """Reads the names that were changed so that a list would miss them."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._words = vocabulary()

    # -- misspelt -----------------------------------------------------------------------------------------------

    def misspelt(self, passage: Passage, taken: Taken) -> list[Named]:
        """Two or three neighbouring words that are nearly one pupil's first name and surname."""
        found: list[Named] = []
        words = passage.words
        near = [self._near(word, self._roster.given_near) if len(word) > 1 else set() for word in words]
        for at, firsts in enumerate(near):
            flat = skeleton(words[at])
            if not firsts and flat not in self._roster.family_near and not self._maybe_family(words, at):
                continue
            hit = self._pair(passage, at, firsts, taken)
            if hit is not None:
                found.append(hit)
                taken.take(hit.start, hit.end)
        return found

    def _maybe_family(self, words: list[str], at: int) -> bool:
        return at + 1 < len(words) and words[at + 1] in self._roster.family

    @staticmethod
    def _near(word: str, index: dict[str, set[str]]) -> set[str]:
        flat = skeleton(word) if len(word) <= _LONGEST else ""
        if len(flat) < 2:  # noqa: PLR2004
            return set()
        forms: set[str] = set()
        for key in without_one(flat) | without_one(word):
            forms |= index.get(key, set())
        return forms

    def _pair(self, passage: Passage, at: int, firsts: set[str], taken: Taken) -> Named | None:
        words, capital = passage.words, passage.capital
        for width in (3, 2):
            end = at + width
            if (
                end > len(words)
                or not taken.free(at, end)
                or not all(joins(passage.gap(word)) for word in range(at, end - 1))
            ):
                continue
            if words[at] in self._words.titles:
                return None
            cased = capital[at] and capital[end - 1]
            for cut in range(at + 1, end):
                first = "".join(words[at:cut])
                last = "".join(words[cut:end])
                pupils = self._match(
                    first, last, firsts if cut == at + 1 else self._near(first, self._roster.given_near), cased=cased
                )
                if pupils:
                    return Named(at, end, "pupil-name-disguised", pupils)
        return None

    def _match(self, first: str, last: str, firsts: set[str], *, cased: bool) -> frozenset[int]:
        roster = self._roster
        floor = WHOLE if cased else _SURE
        if len(first) + len(last) < LENGTH or not (first.isalpha() and last.isalpha()):
            return frozenset()
        flat_first, flat_last = skeleton(first), skeleton(last)
        lasts = self._near(last, roster.family_near)
        candidates: set[int] = set()
        if firsts and lasts:
            sides = [
                set().union(*(roster.given_flat[form] for form in firsts)),
                set().union(*(roster.family_flat[form] for form in lasts)),
            ]
            candidates |= sides[0] & sides[1]
            if cased and len(first) + len(last) >= LENGTH + 1 and len(last) > _ALONE - 1 and candidates:
                return frozenset(candidates)  # one error in each half: too near to be somebody else
        for exact in (roster.given_flat.get(flat_first), roster.family_flat.get(flat_last)):
            if exact and len(exact) <= _FEW:
                candidates |= exact
        matched = set()
        for pupil in candidates:
            if self._close(pupil, flat_first, flat_last, floor):
                matched.add(pupil)
        if not cased and (first in self._words.word_names or last in self._words.word_surnames):
            return frozenset()
        return frozenset(matched)

    def _close(self, pupil: int, first: str, last: str, floor: int) -> bool:
        for given in self._roster.first_squashed[pupil]:
            flat_given = skeleton(given)
            one = 100.0 if flat_given == first else ratio(flat_given, first)
            if one < PART:
                continue
            for family in self._roster.last_squashed[pupil]:
                flat_family = skeleton(family)
                two = ratio(flat_family, last)
                if (
                    two >= PART
                    and ratio(flat_given + flat_family, first + last) >= floor
                    and flat_given[0] + flat_family[0] != ""
                ):
                    if one < 100 and two < 100 and first[0] != flat_given[0] and last[0] != flat_family[0]:  # noqa: PLR2004
                        continue
                    return True
        return False

    def misspelt_first(self, word: str, members: set[int]) -> frozenset[int]:
        """A misspelt first name of one of these pupils (used beside their class)."""
        if len(word) < _ALONE or not word.isalpha():
            return frozenset()
        forms = self._near(word, self._roster.given_near)
        if not forms:
            return frozenset()
        near = set().union(*(self._roster.given_flat[form] for form in forms)) & members
        flat = skeleton(word)
        return frozenset(
            pupil
            for pupil in near
            if any(
                len(form) >= _ALONE and ratio(skeleton(form), flat) >= _FIRST
                for form in self._roster.first_squashed[pupil]
            )
        )

    # -- signs for letters --------------------------------------------------------------------------------------

    def signed(self, passage: Passage) -> Iterator[Masked]:
        """Names with digits or signs in place of letters, found in the raw folded text."""
        chunks = [(match.start(), match.end()) for match in _CHUNK.finditer(passage.text)]
        text = passage.text
        for place, (start, end) in enumerate(chunks):
            first = text[start:end]
            marked = bool(_SIGN.search(first))
            if place + 1 < len(chunks):
                start2, end2 = chunks[place + 1]
                last = text[start2:end2]
                signed = marked or _SIGN.search(last)
                if (signed or _BROKEN.search(first) or _BROKEN.search(last)) and joins(text[end:start2]):
                    hit = self._signed_pair(text, (start, end), (start2, end2), exact=not signed)
                    if hit is not None:
                        yield hit
                        continue
            if marked:
                yield from self._signed_one(text, start, end)

    @staticmethod
    def _readings(chunk: str) -> Iterator[tuple[str, int]]:
        """The chunk as written, without its possessive, and without closing marks, each with its length."""
        seen = set()
        core = chunk
        for shape in (core, core.rstrip(".?'*"), core.rstrip(".?!'*"), re.sub(r"'s?[.!?]*$", "", core)):
            if len(shape) > 1 and shape not in seen:
                seen.add(shape)
                yield shape, len(shape)

    @staticmethod
    def _letters(shape: str) -> str:
        return re.sub(r"[^a-z]", "", skeleton(shape))

    def _signed_pair(self, text: str, one: tuple[int, int], two: tuple[int, int], *, exact: bool) -> Masked | None:
        roster = self._roster
        first = self._letters(text[one[0] : one[1]])
        for shape, length in self._readings(text[two[0] : two[1]]):
            last = self._letters(shape)
            if not first or not last:
                continue
            both = roster.given_flat.get(first, set()) & roster.family_flat.get(last, set())
            if not both and not exact:
                both = set(self._match_flat(first, last))
            if both:
                return Masked(one[0], two[0] + length, frozenset(both))
        return None

    def _match_flat(self, first: str, last: str) -> frozenset[int]:
        return self._match(first, last, self._near(first, self._roster.given_near), cased=True)

    def _signed_one(self, text: str, start: int, end: int) -> Iterator[Masked]:
        roster = self._roster
        if "@" in text[start:end] and "." in text[start:end]:
            return
        if text[start:end].rstrip(".?!'*") in roster.given:
            return  # the name as it is spelt, with a mark after it: "Well done Daniel!" hides nothing
        for shape, length in self._readings(text[start:end]):
            letters = self._letters(shape)
            symbols = sum(not char.isalpha() for char in shape)
            owners = roster.given_flat.get(letters, set())
            if (
                owners
                and len(shape) >= _ALONE - 1
                and symbols * 2 < len(shape)
                and len(owners) <= _FEW
                and not shape.isdigit()
            ):
                if shape.replace("-", "").isalpha() or letters in self._words.word_names or not _SIGN.search(shape):
                    continue
                yield Masked(start, start + length, frozenset(owners))
                return
            for piece in re.split(r"[_.\-]", shape):
                if len(piece) == len(shape) or not _SIGN.search(piece):
                    continue
            split = self._squashed(letters)
            if split:
                yield Masked(start, start + length, split)
                return

    # -- spaced letters -----------------------------------------------------------------------------------------

    def spaced(self, passage: Passage) -> Iterator[Masked]:
        """Five or more single letters in a row that spell a pupil's name."""
        for match in _SPACED.finditer(passage.text):
            letters = re.sub(r"[^a-z]", "", match[0])
            for skip in range(min(3, len(letters))):
                pupils = self._squashed(letters[skip:]) or self._first_squashed(letters[skip:])
                if pupils:
                    yield Masked(match.start(), match.end(), pupils)
                    break

    def _first_squashed(self, letters: str) -> frozenset[int]:
        owners = self._roster.given_squashed.get(letters, set())
        return frozenset(owners) if len(letters) >= _ALONE else frozenset()

    def _squashed(self, letters: str) -> frozenset[int]:
        """First name and surname of one pupil written together, with nothing after them."""
        roster = self._roster
        for squashed_given, squashed_family, key in (
            (roster.given_squashed, roster.family_squashed, letters),
            (roster.given_flat, roster.family_flat, skeleton(letters)),
        ):
            for cut in range(2, min(len(key) - 2, roster.longest) + 1):
                owners = squashed_given.get(key[:cut])
                if owners:
                    both = owners & squashed_family.get(key[cut:], set())
                    if both:
                        return frozenset(both)
        return frozenset()
