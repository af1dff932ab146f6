"""Finds pupils' names written out: full, surname first, with a class, as initials.

The order matters: the longest and surest form takes its words first, so that one child is one hit.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from gatekeeper.text.passage import Passage
from gatekeeper.text.rooms import Room
from gatekeeper.text.roster import Kind, Roster
from gatekeeper.text.vocabulary import vocabulary

_GAP = frozenset(" \t\n\r\u00a0_.-'\"()/\\")
_GAP_LENGTH = 4
_APART = frozenset(",;:!?&")
_MIDDLES = 4
_FAR = 8
_REACH = 14  # the farthest class that can belong to a name, with the words of the class itself
_NEAR = 3
_INITIALS = 3


@dataclass(frozen=True, slots=True)
class Named:
    """A pupil's name in a passage: words [start, end), the rule, and everyone it could be."""

    start: int
    end: int
    rule: str
    pupils: frozenset[int]


@dataclass(frozen=True, slots=True)
class Mention:
    """A first name standing somewhere, not yet judged."""

    start: int
    end: int
    kind: Kind
    pupils: frozenset[int]


@dataclass(slots=True)
class Taken:
    """Which words of a passage already belong to a finding."""

    words: set[int] = field(default_factory=set)

    def free(self, start: int, end: int) -> bool:
        """Whether none of these words is taken."""
        return self.words.isdisjoint(range(start, end))

    def take(self, start: int, end: int) -> None:
        """Marks these words."""
        self.words.update(range(start, end))


def joins(gap: str, *, comma: bool = False) -> bool:
    """Whether two words with this between them can be one name."""
    if not gap or len(gap) > _GAP_LENGTH:
        return False
    return all(char in _GAP or (comma and char == ",") for char in gap)


def joins_one_pupil(gap: str) -> bool:
    """Whether the first name and the surname of one and the same pupil can be one name with this between them.

    Nobody puts a star, an emoji or ten spaces there by chance.
    """
    return joins(gap) or (
        gap != ""
        and len("".join(gap.split())) <= _GAP_LENGTH
        and not any(char in _APART or char.isalnum() for char in gap)
    )


def rooms_near(rooms: list[Room], start: int, end: int) -> list[Room]:
    """The classes named within reach of words [start, end); `rooms` are in order."""
    first = bisect_left(rooms, start - _REACH, key=attrgetter("start"))
    last = bisect_right(rooms, end + _REACH, key=attrgetter("start"))
    return rooms[first:last]


class NameFinder:
    """Reads the sure forms of pupils' names."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._words = vocabulary()

    # -- the parts of a name ------------------------------------------------------------------------------------

    def givens(self, passage: Passage, at: int) -> Iterator[Mention]:
        """Every first name that starts at this word, longest first."""
        for entry in self._roster.given.get(passage.words[at], ()):
            end = at + 1 + len(entry.rest)
            if self._continues(passage, at, entry.rest):
                yield Mention(at, end, entry.kind, entry.pupils)

    def families(self, passage: Passage, at: int) -> Iterator[tuple[int, frozenset[int]]]:
        """Every surname that starts at this word, longest first: where it ends and who bears it."""
        if at >= len(passage.words):
            return
        for entry in self._roster.family.get(passage.words[at], ()):
            if self._continues(passage, at, entry.rest):
                yield at + 1 + len(entry.rest), entry.pupils

    @staticmethod
    def _continues(passage: Passage, at: int, rest: tuple[str, ...]) -> bool:
        if not rest:
            return True
        end = at + 1 + len(rest)
        return tuple(passage.words[at + 1 : end]) == rest and all(
            joins(passage.gap(word)) for word in range(at, end - 1)
        )

    # -- whole names --------------------------------------------------------------------------------------------

    def full(self, passage: Passage, taken: Taken) -> list[Named]:
        """First name and surname of the same pupil, either way round."""
        found: list[Named] = []
        words = passage.words
        at = 0
        while at < len(words):
            hit = self._written_out(passage, at)
            if hit is None or taken.words.issuperset(range(hit.start, hit.end)):
                # all of it is somebody else's; one word of its own, and no other phrase can hide it
                hit = self._short(passage, at) or self._initial(passage, at)
                if hit is not None and not taken.free(hit.start, hit.end):
                    hit = None
            if hit is not None:
                found.append(hit)
                taken.take(hit.start, hit.end)
                at = hit.end
            else:
                at += 1
        return found

    def _written_out(self, passage: Passage, at: int) -> Named | None:
        best: Named | None = None
        for mention in self.givens(passage, at):
            for hit in self._with_family(passage, mention):
                best = hit if best is None or hit.end > best.end else best
        if best is not None:
            return best
        for end, bearers in self.families(passage, at):
            gap = passage.gap(end - 1)
            if end < len(passage.words) and (joins(gap, comma=True) or joins_one_pupil(gap)):
                for mention in self.givens(passage, end):
                    both = mention.pupils & bearers
                    if both and self._looks_named(passage, at, mention.end) and self._order(passage, at, end):
                        return Named(at, mention.end, "pupil-name-full", both)
        return None

    def _order(self, passage: Passage, at: int, end: int) -> bool:
        """Surname first is sure with a comma, or when both are capitalised."""
        return "," in passage.gap(end - 1) or (passage.capital[at] and passage.capital[end])

    def _with_family(self, passage: Passage, mention: Mention) -> Iterator[Named]:
        place = mention.end
        for _ in range(_MIDDLES + 1):
            if place >= len(passage.words) or not joins_one_pupil(passage.gap(place - 1)):
                return
            for end, bearers in self.families(passage, place):
                both = mention.pupils & bearers
                if both and self._looks_named(passage, mention.start, end):
                    rule = "pupil-name-full" if mention.kind is Kind.FIRST else "pupil-name-known-as"
                    yield Named(mention.start, end, rule, both)
            if not passage.capital[place]:
                return
            place += 1

    def _looks_named(self, passage: Passage, start: int, end: int) -> bool:
        """Ordinary words in small letters ("on may day") are no name even when a pupil is called so."""
        common = self._words
        plain = [
            word
            for word in range(start, end)
            if passage.words[word] in common.word_surnames or passage.words[word] in common.word_names
        ]
        sure = [
            word
            for word in range(start, end)
            if passage.words[word] not in common.word_surnames | common.word_names and len(passage.words[word]) > _NEAR
        ]
        if sure:
            return True
        return not plain or not self._cased(passage, start) or all(passage.capital[word] for word in plain)

    @staticmethod
    def _cased(passage: Passage, at: int) -> bool:
        """Whether this sentence uses capitals at all."""
        first, last = passage.sentences[passage.sentence[at]]
        return any(passage.capital[first:last])

    def _short(self, passage: Passage, at: int) -> Named | None:
        """A cut first name before the surname of that pupil: "Ang Bevan-Jones"."""
        word = passage.words[at]
        if len(word) < _NEAR or not passage.capital[at] or not joins(passage.gap(at)):
            return None
        if word in self._words.titles or word in self._roster.given:
            return None
        stems = {word, *(word[: -len(tail)] for tail in ("y", "ie", "i", "ey", "o", "s", "z") if word.endswith(tail))}
        stems |= {stem[:-1] for stem in set(stems) if len(stem) > _NEAR and stem[-1] == stem[-2]}
        stems = {stem for stem in stems if len(stem) >= _NEAR}
        for end, bearers in self.families(passage, at + 1):
            if not passage.capital[at + 1]:
                continue
            both = frozenset(
                pupil
                for pupil in bearers
                if any(form.startswith(stem) for form in self._roster.first_squashed[pupil][:8] for stem in stems)
            )
            if both:
                return Named(at, end, "pupil-name-known-as", both)
        return None

    def _initial(self, passage: Passage, at: int) -> Named | None:
        """An initial before the surname: "F. O'Halloran"."""
        words, capital = passage.words, passage.capital
        if len(words[at]) == 1 and capital[at] and joins(passage.gap(at)) and passage.gap(at) != "'":
            for end, bearers in self.families(passage, at + 1):
                both = frozenset(pupil for pupil in bearers if words[at] in self._roster.first_letters[pupil])
                if both and capital[at + 1]:
                    return Named(at, end, "pupil-name-initials", both)
        return None

    def first_and_initial(self, passage: Passage, mention: Mention) -> Named | None:
        """A first name with the first letter of the surname: "Finn O." or "Grace P-L"."""
        at = mention.end
        words = passage.words
        if at >= len(words) or len(words[at]) != 1 or not passage.capital[at] or not words[at].isalpha():
            return None
        if passage.gap(at - 1) not in {" ", ".", "_"} or not passage.capital[mention.start]:
            return None
        closing = passage.gap(at)
        if words[at] in {"i", "a"} and not closing.startswith("."):
            return None
        both = frozenset(pupil for pupil in mention.pupils if words[at] in self._roster.last_letters[pupil])
        if not both or mention.kind is Kind.SHORT:
            return None
        end = at + 1
        while (
            end < len(words)
            and len(words[end]) == 1
            and passage.gap(end - 1) in {"-", ".", " "}
            and passage.capital[end]
        ):
            end += 1
        return Named(
            mention.start, end, "pupil-name-known-as" if mention.kind is Kind.KNOWN else "pupil-name-initials", both
        )

    # -- with a class -------------------------------------------------------------------------------------------

    def with_room(self, passage: Passage, mention: Mention, rooms: list[Room], *, wordy: bool) -> Named | None:
        """A first name beside the class or year of a pupil so called."""
        best: Named | None = None
        for room in rooms_near(rooms, mention.start, mention.end):
            if passage.sentence[room.start] != passage.sentence[mention.start]:
                continue
            members = mention.pupils & self._roster.in_class(room.place)
            if not members or (room.start < mention.end and mention.start < room.end):
                continue
            if mention.kind is Kind.SHORT and not passage.capital[mention.start]:
                continue
            span = self._near_room(passage, mention, room, wordy=wordy)
            if span is not None and (best is None or span[1] - span[0] < best.end - best.start):
                best = Named(*span, "pupil-name-class", frozenset(members))
        return best

    def _near_room(self, passage: Passage, mention: Mention, room: Room, *, wordy: bool) -> tuple[int, int] | None:
        if room.start >= mention.end:
            between = range(mention.end, room.start)
            linked = all(self._links(passage, word) for word in between)
            if linked and len(between) <= _FAR:
                lone = all(passage.words[word] not in self._roster.given for word in between)
                return (mention.start, room.end) if lone else (mention.start, mention.end)
        else:
            between = range(room.end, mention.start)
            own = bool(between) and passage.words[between[0]] == "'s"
            side = own or (not between and self._acts(passage, mention.end))
            if len(between) <= _NEAR + own and (not wordy or side):
                return room.start, mention.end
        if not wordy and len(between) <= _FAR and mention.kind is not Kind.SHORT:
            return mention.start, mention.end
        return None

    def _acts(self, passage: Passage, at: int) -> bool:
        """Whether a verb follows that only a person does."""
        return at < len(passage.words) and passage.words[at] in self._words.person_verbs | {"was", "is", "has"}

    def _links(self, passage: Passage, word: int) -> bool:
        text = passage.words[word]
        return (
            text in self._words.class_links
            or text[0].isdigit()
            or (passage.capital[word] and text in self._roster.given)
        )

    # -- initials -----------------------------------------------------------------------------------------------

    def initials(self, passage: Passage, rooms: list[Room], taken: Taken) -> list[Named]:
        """Initials beside a class, and three initials that only one pupil has."""
        found: list[Named] = []
        for start, end, letters in self._initial_runs(passage):
            owners = self._roster.initials.get(letters)
            if not owners or not taken.free(start, end):
                continue
            hit = self._initials_here(passage, rooms, (start, end), letters, owners)
            if hit is not None:
                found.append(hit)
                taken.take(hit.start, hit.end)
        return found

    def _initials_here(
        self, passage: Passage, rooms: list[Room], span: tuple[int, int], letters: str, owners: set[int]
    ) -> Named | None:
        start, end = span
        dotted = end - start > 1
        known = letters in self._words.acronyms and not dotted
        for room in rooms_near(rooms, start, end):
            members = owners & self._roster.in_class(room.place)
            if not members or passage.sentence[room.start] != passage.sentence[start]:
                continue
            between = range(end, room.start) if room.start >= end else range(room.end, start)
            close = len(between) <= (1 if known else _NEAR)
            if known and (
                passage.gap(end - 1).startswith(",") or (start and passage.words[start - 1] in {"in", "for"})
            ):
                continue  # "In RE, Year 3 ...": a subject
            if close and all(passage.words[word] in self._words.class_links for word in between):
                return Named(min(start, room.start), max(end, room.end), "pupil-name-initials", frozenset(members))
        if len(owners) > 1 or known:
            return None
        if len(letters) == _INITIALS or (dotted and len(letters) > 1 and self._person_after(passage, end)):
            return Named(start, end, "pupil-name-initials", frozenset(owners))
        return None

    def _person_after(self, passage: Passage, end: int) -> bool:
        return end < len(passage.words) and passage.words[end] in self._words.person_verbs

    def _initial_runs(self, passage: Passage) -> Iterator[tuple[int, int, str]]:
        words = passage.words
        at = 0
        while at < len(words):
            word = words[at]
            if len(word) in (2, 3) and word.isalpha() and passage.shouted(at) and not self._loud(passage, at):
                yield at, at + 1, word
            elif len(word) == 1 and passage.capital[at]:
                end = at + 1
                while (
                    end < len(words)
                    and len(words[end]) == 1
                    and passage.capital[end]
                    and passage.gap(end - 1) in {".", ". ", "-", "'"}
                ):
                    end += 1
                if end - at in (2, 3) and words[at].isalpha():
                    yield at, end, "".join(words[at:end])
                at = end - 1
            at += 1

    @staticmethod
    def _loud(passage: Passage, at: int) -> bool:
        """Whether a neighbour is shouted too: then capitals mean nothing."""
        near = [word for word in (at - 1, at + 1) if 0 <= word < len(passage.words)]
        return any(
            len(passage.words[word]) > 1 and passage.words[word].isalpha() and passage.shouted(word) for word in near
        )
