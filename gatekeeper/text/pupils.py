"""Everything about pupils' names in one passage, longest and surest form first."""

from dataclasses import dataclass

from gatekeeper.text.alone import FirstNames
from gatekeeper.text.disguise import Disguises, Masked
from gatekeeper.text.names import Mention, Named, NameFinder, Taken, rooms_near
from gatekeeper.text.passage import Passage
from gatekeeper.text.rooms import Room, Rooms
from gatekeeper.text.roster import Kind, Roster
from gatekeeper.text.tags import Tags

_FAR = 9


@dataclass(frozen=True, slots=True)
class NameSpan:
    """A name found, in folded offsets."""

    rule: str
    start: int
    end: int
    pupils: frozenset[int]


class PupilNames:
    """Finds every mention of a pupil on the roll."""

    def __init__(
        self,
        roster: Roster,
        classes: tuple[str, ...],
        staff_words: frozenset[str],
        own_handles: frozenset[str],
        houses: frozenset[str] = frozenset(),
    ) -> None:
        self.roster = roster
        self.rooms = Rooms(roster, classes)
        self._finder = NameFinder(roster)
        self._disguises = Disguises(roster)
        self._tags = Tags(roster, self.rooms, own_handles)
        self._alone = FirstNames(roster, self.rooms.first_words | houses, staff_words)

    def find(self, passage: Passage, *, blocked: set[int], rooms: list[Room] | None = None) -> list[NameSpan]:
        """All names in this passage. `blocked` words belong to staff or to things the school has named."""
        taken = Taken(set(blocked))
        found: list[NameSpan] = []
        rooms = self.rooms.find(passage) if rooms is None else rooms

        def keep(named: list[Named]) -> None:
            found.extend(self._span(passage, one) for one in named)

        keep(self._finder.full(passage, taken))
        for masked in (*self._tags.tags(passage), *self._tags.words(passage)):
            self._keep_masked(passage, masked, taken, found, "pupil-name-tag")
        if passage.field.endswith(".file"):
            for masked in self._tags.file_name(passage):
                self._keep_masked(passage, masked, taken, found, "pupil-name-tag")
        for masked in (*self._disguises.spaced(passage), *self._disguises.signed(passage)):
            self._keep_masked(passage, masked, taken, found, "pupil-name-disguised")
        keep(self._disguises.misspelt(passage, taken))
        mentions = self._mentions(passage, taken)
        keep(self._sided(passage, mentions, rooms, taken))
        keep(self._misspelt_in_class(passage, rooms, taken))
        keep(self._finder.initials(passage, rooms, taken))
        if not passage.field.endswith(".file"):
            keep(self._firsts(passage, mentions, rooms, taken, found))
        return found

    def _span(self, passage: Passage, named: Named) -> NameSpan:
        start, end = passage.starts[named.start], passage.ends[named.end - 1]
        rule = named.rule
        if rule != "pupil-name-initials" and passage.folded.is_disguised(start, end):
            rule = "pupil-name-disguised"
        if rule in {"pupil-name-full", "pupil-name-known-as"} and start and passage.text[start - 1] in "#@":
            rule = "pupil-name-tag"
        if passage.text[end : end + 1] == ")" and "(" in passage.text[start:end]:
            end += 1
        return NameSpan(rule, start, end, named.pupils)

    @staticmethod
    def _keep_masked(passage: Passage, masked: Masked, taken: Taken, found: list[NameSpan], rule: str) -> None:
        words = passage.words_in(masked.start, masked.end)
        if not taken.free(words.start, words.stop):
            return
        taken.take(words.start, words.stop)
        found.append(NameSpan(rule, masked.start, masked.end, masked.pupils))

    def _mentions(self, passage: Passage, taken: Taken) -> list[Mention]:
        """First names not yet taken, the longest at each place, with all pupils so called."""
        mentions: list[Mention] = []
        at = 0
        while at < len(passage.words):
            here = [one for one in self._finder.givens(passage, at) if taken.free(one.start, one.end)]
            if not here:
                at += 1
                continue
            end = max(one.end for one in here)
            best = min((one for one in here if one.end == end), key=lambda one: one.kind)
            pupils = frozenset().union(
                *(one.pupils for one in here if one.end == end and (one.kind < Kind.SHORT or best.kind is Kind.SHORT))
            )
            mentions.append(Mention(at, end, best.kind, pupils))
            at = end
        return mentions

    def _sided(self, passage: Passage, mentions: list[Mention], rooms: list[Room], taken: Taken) -> list[Named]:
        """First names with a class, a year or the first letter of the surname."""
        found: list[Named] = []
        for mention in mentions:
            if not taken.free(mention.start, mention.end):
                continue
            wordy = self._alone.wordy(mention, passage)
            named = self._finder.first_and_initial(passage, mention)
            capital = passage.capital[mention.start]
            if named is None and (capital or not wordy) and not self._titled(passage, mention):
                named = self._finder.with_room(passage, mention, rooms, wordy=wordy)
            if named is not None and taken.free(mention.start, mention.end):
                found.append(named)
                taken.take(named.start, named.end)
        return found

    def _titled(self, passage: Passage, mention: Mention) -> bool:
        before = passage.words[mention.start - 1] if mention.start else ""
        return before in self._alone.titles

    def _misspelt_in_class(self, passage: Passage, rooms: list[Room], taken: Taken) -> list[Named]:
        found: list[Named] = []
        for room in rooms:
            members = self.roster.in_class(room.place)
            for at in (room.start - 3, room.start - 2, room.start - 1, room.end, room.end + 1):
                if not 0 <= at < len(passage.words) or not passage.capital[at] or not taken.free(at, at + 1):
                    continue
                if passage.sentence[at] != passage.sentence[room.start] or room.start <= at < room.end:
                    continue
                between = range(at + 1, room.start) if at < room.start else range(room.end, at)
                if at + 1 == room.start and passage.gap(at).startswith(","):
                    continue  # "Sorry, Hazel!" speaks to a class
                if not all(
                    passage.words[word] in {"in", "from", "of", "class", "year", "'s", "our"} for word in between
                ):
                    continue
                if passage.words[at] in self.roster.given or passage.words[at] in self._alone.common:
                    continue
                pupils = self._disguises.misspelt_first(passage.words[at], set(members))
                if pupils:
                    found.append(Named(min(at, room.start), max(at + 1, room.end), "pupil-name-disguised", pupils))
                    taken.take(at, at + 1)
        return found

    def _firsts(
        self, passage: Passage, mentions: list[Mention], rooms: list[Room], taken: Taken, found: list[NameSpan]
    ) -> list[Named]:
        """First names alone. Two rounds, because a sure name beside a word name makes that one sure."""
        sure = {at for one in found for at in passage.words_in(one.start, one.end)}
        accepted: list[Named] = []
        for wordy in (False, True):
            for mention in mentions:
                if self._alone.wordy(mention, passage) is not wordy:
                    continue
                if self._alone.accept(passage, mention, taken, sure.__contains__):
                    rule = "pupil-name-first" if mention.kind is Kind.FIRST else "pupil-name-known-as"
                    near = [
                        room
                        for room in rooms_near(rooms, mention.start, mention.end)
                        if passage.sentence[room.start] == passage.sentence[mention.start]
                        and room.start - mention.end < _FAR
                        and mention.start - room.end < _FAR
                    ]
                    members = frozenset().union(*(mention.pupils & self.roster.in_class(room.place) for room in near))
                    rule = "pupil-name-class" if members else rule
                    accepted.append(Named(mention.start, mention.end, rule, members or mention.pupils))
                    taken.take(mention.start, mention.end)
                    sure.update(range(mention.start, mention.end))
        return accepted
