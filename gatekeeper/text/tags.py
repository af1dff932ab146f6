"""Finds pupils' names run together: in tags, handles, file names, web paths and plain words without a space."""

import re
from collections.abc import Iterator

from gatekeeper.text.disguise import Masked
from gatekeeper.text.passage import Passage
from gatekeeper.text.rooms import Rooms
from gatekeeper.text.roster import Kind, Roster, skeleton
from gatekeeper.text.vocabulary import vocabulary

_TAG = re.compile(r"[#@][^\W][\w.\-]{1,60}")
_LONG_WORD = re.compile(r"(?<![^\W_])[a-z0-9]{7,60}(?![^\W_])")
_LOCAL = re.compile(r"(?<![\w.])[\w.\-+]{3,64}(?=@|\s?\(at\))")
_PIECE = re.compile(r"[a-z]+|\d+")
_LONGEST = 60
_SHORT_NAME = 4


class Tags:
    """Reads names without spaces."""

    def __init__(self, roster: Roster, rooms: Rooms, own: frozenset[str]) -> None:
        self._roster = roster
        self._rooms = rooms
        self._own = own
        self._words = vocabulary()
        self._class_tails = {re.sub(r"[^a-z0-9]", "", name): ("class", name) for name in roster.classes if name}
        for year in roster.years:
            for form in (f"y{year}", f"year{year}", f"yr{year}") if year.isdigit() else (year,):
                self._class_tails[form] = ("year", year)

    def tags(self, passage: Passage) -> Iterator[Masked]:
        """Names in #tags and @handles."""
        for match in _TAG.finditer(passage.text):
            body = match[0].rstrip(".-_")
            if len(body) > 2 and body[1:].lower() not in self._own:  # noqa: PLR2004
                start = match.start() + 1
                yield from self._name_in(passage, start, match.start() + len(body), alone=True)

    def words(self, passage: Passage) -> Iterator[Masked]:
        """First name and surname written as one word, and names before the @ of an address."""
        for match in _LONG_WORD.finditer(passage.text):
            pupils = self._whole(match[0].strip("0123456789"))
            if pupils:
                yield Masked(match.start(), match.end(), pupils)
        for match in _LOCAL.finditer(passage.text):
            yield from self._name_in(passage, match.start(), match.end(), alone=False)

    def file_name(self, passage: Passage) -> Iterator[Masked]:
        """A name in a file name: "IMG_2031_Xanthe.jpg"."""
        stem = passage.text.rsplit(".", 1)[0] if "." in passage.text else passage.text
        if stem:
            yield from self._name_in(passage, 0, min(len(stem), _LONGEST * 3), alone=True)

    # -- inside one run ----------------------------------------------------------------------------------------

    def _name_in(self, passage: Passage, start: int, end: int, *, alone: bool) -> Iterator[Masked]:
        text = passage.text[start:end]
        squash, places = self._squash(text, start)
        if not squash or len(squash) > _LONGEST * 3:
            return
        whole = self._inside(squash)
        if whole:
            first, last, pupils = whole
            yield Masked(places[first], places[last - 1] + 1, pupils)
            return
        if alone:
            yield from self._single(passage, start, end)

    @staticmethod
    def _squash(text: str, start: int) -> tuple[str, list[int]]:
        letters = [(char, start + at) for at, char in enumerate(text) if char.isalnum()]
        return "".join(char for char, _ in letters), [at for _, at in letters]

    def _inside(self, squash: str) -> tuple[int, int, frozenset[int]] | None:
        """The first full name inside a run of letters."""
        roster = self._roster
        for start in range(len(squash)):
            for cut in range(start + 2, min(len(squash) - 2, start + roster.longest) + 1):
                owners = roster.given_squashed.get(squash[start:cut])
                if not owners:
                    continue
                for end in range(min(len(squash), cut + self._roster.longest_family), cut + 2, -1):
                    both = owners & roster.family_squashed.get(squash[cut:end], set())
                    if both and self._whole_fits(squash, start, end):
                        return start, end, frozenset(both)
        return None

    @staticmethod
    def _whole_fits(squash: str, start: int, end: int) -> bool:
        return end - start >= 7 or (start == 0 and end == len(squash))  # noqa: PLR2004

    def _whole(self, word: str) -> frozenset[int]:
        roster = self._roster
        for squashed_given, squashed_family, key in (
            (roster.given_squashed, roster.family_squashed, word),
            (roster.given_flat, roster.family_flat, skeleton(word) if re.search(r"\d", word) else ""),
        ):
            for cut in range(2, min(len(key) - 2, roster.longest) + 1):
                owners = squashed_given.get(key[:cut])
                both = owners & squashed_family.get(key[cut:], set()) if owners else None
                if both and len(key) >= 7:  # noqa: PLR2004
                    return frozenset(both)
        return frozenset()

    def _single(self, passage: Passage, start: int, end: int) -> Iterator[Masked]:
        """A first name among the pieces of a tag, with what stands around it as evidence."""
        pieces = self._pieces(passage, start, end)
        names = [passage.text[first:last] for first, last in pieces]
        for at, (first, last) in enumerate(pieces):
            pupils = self._judge(names, at)
            if pupils:
                yield Masked(first, last, pupils)
                return
        if len(pieces) == 1 or all(piece.isdigit() for piece in names[1:]):
            yield from self._lower(names[0], pieces[0][0]) if names else iter(())

    def _pieces(self, passage: Passage, start: int, end: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for match in _PIECE.finditer(passage.text, start, end):
            first = match.start()
            for at in range(match.start() + 1, match.end()):
                up = passage.folded.is_upper(at)
                if up and not passage.folded.is_upper(at - 1):
                    found.append((first, at))
                    first = at
            found.append((first, match.end()))
        return found

    def _plain(self, word: str) -> bool:
        common = self._words
        return (
            word in common.word_names
            or word in common.places
            or word in self._rooms.first_words
            or word in common.acronyms
        )

    def _judge(self, names: list[str], at: int) -> frozenset[int]:
        """Whether this piece is a pupil's first name, given the pieces beside it."""
        word = names[at]
        owners = self._known(word)
        if not owners or len(word) < 3:  # noqa: PLR2004
            return frozenset()
        others = [name for place, name in enumerate(names) if place != at and not name.isdigit()]
        place = self._class_tails.get(
            "".join(names[at + 1 :]).removeprefix("in").removeprefix("from").removeprefix("class").removesuffix("class")
        )
        if place and owners & self._roster.in_class(place):
            return frozenset(owners & self._roster.in_class(place))
        before = names[at - 1] if at else ""
        if before in self._words.titles:
            return frozenset()
        known = all(
            other in self._words.tag_words or (self._known(other) and not self._plain(other)) for other in others
        )
        if self._plain(word):
            return frozenset(owners) if known and others and before in self._words.tag_words else frozenset()
        file_words = all(other in _FILE_WORDS or other in self._words.tag_words or len(other) < 3 for other in others)  # noqa: PLR2004
        if not others or known or file_words:
            return frozenset(owners)
        last_before = at == len(names) - 1 and before not in self._words.titles and word not in self._words.surname_like
        return frozenset(owners) if last_before else frozenset()

    def _known(self, word: str) -> set[int]:
        return set().union(
            *(entry.pupils for entry in self._roster.given.get(word, ()) if not entry.rest and entry.kind < Kind.SHORT)
        )

    def _lower(self, word: str, start: int) -> Iterator[Masked]:
        """A tag in small letters: cue and name, or name and class, with nothing left over."""
        for first in range(len(word)):
            head = word[:first]
            if head and head not in self._words.tag_words:
                continue
            for last in range(len(word), first + 2, -1):
                owners = self._known(word[first:last])
                if not owners:
                    continue
                pupils = self._tail(owners, word[first:last], head, word[last:])
                if pupils:
                    yield Masked(start + first, start + last, pupils)
                    return

    def _tail(self, owners: set[int], name: str, head: str, tail: str) -> frozenset[int]:
        for link in ("in", "from", "of", "class", ""):
            place = self._class_tails.get(tail.removeprefix(link).removesuffix("class")) if tail else None
            if place and tail.startswith(link) and owners & self._roster.in_class(place):
                return frozenset(owners & self._roster.in_class(place))
        if self._plain(name):
            return (
                frozenset(owners)
                if head and not tail and head not in {"love", "happy", "s", "and", "world", "in"}
                else frozenset()
            )
        fits = (not tail or tail in self._words.tag_words) and (len(name) >= _SHORT_NAME or bool(head))
        return frozenset(owners) if fits else frozenset()


_FILE_WORDS = frozenset(
    [
        "img",
        "image",
        "photo",
        "photos",
        "pic",
        "picture",
        "dsc",
        "dscn",
        "screenshot",
        "scan",
        "copy",
        "final",
        "edit",
        "edited",
        "new",
        "medal",
        "cup",
        "trophy",
        "award",
        "certificate",
        "winner",
        "swimming",
        "football",
        "netball",
        "race",
        "sports",
        "day",
        "sportsday",
        "art",
        "drawing",
        "painting",
        "reading",
        "assembly",
        "birthday",
        "portrait",
        "headshot",
        "face",
        "class",
        "year",
        "group",
        "team",
        "and",
        "with",
        "holding",
        "school",
        "trip",
        "jpg",
        "jpeg",
        "png",
        "heic",
        "webp",
        "smile",
        "smiling",
        "cake",
        "costume",
        "wbd",
        "play",
        "stage",
        "nativity",
        "choir",
        "small",
        "large",
        "crop",
        "cropped",
        "web",
        "the",
        "at",
        "in",
        "on",
        "of",
        "v",
    ]
)
