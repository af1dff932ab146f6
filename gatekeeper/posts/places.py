"""The places in a version that somebody can point at: words, a description's words, a photo, a face, the time, the channels.

They are spelt in the decision itself, so a spelling never changes its meaning. Places in words count code points of
exactly the approved text.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from gatekeeper.posts.digest import Content
from gatekeeper.posts.wordings import field_of, sealed_texts

Kind = Literal["text", "wording", "alt", "photo", "face", "time", "channels"]

_SPELT: Final = re.compile(
    r"(?P<text>text):(?P<text_start>\d{1,6})-(?P<text_end>\d{1,6})"
    r"|(?P<wording>wording):(?P<wording_platform>[a-z]{1,20}):(?P<wording_account>\d{1,9})"
    r":(?P<wording_start>\d{1,6})-(?P<wording_end>\d{1,6})"
    r"|(?P<alt>alt):(?P<alt_photo>\d{1,2}):(?P<alt_start>\d{1,6})-(?P<alt_end>\d{1,6})"
    r"|(?P<face>photo):(?P<face_photo>\d{1,2}):face:(?P<face_face>\d{1,4})"
    r"|(?P<photo>photo):(?P<photo_photo>\d{1,2})"
    r"|(?P<time>time)|(?P<channels>channels)",
    re.ASCII,
)
_KINDS: Final[tuple[Kind, ...]] = ("text", "wording", "alt", "face", "photo", "time", "channels")


_CALLED: Final[Mapping[str, str]] = {"x": "X", "facebook": "Facebook", "linkedin": "LinkedIn"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """One place. Photos and faces go by the numbers that the page showed, from 1.

    `account` and `platform` are set for the words of one channel alone: its number, and the kind of channel it is.
    """

    kind: Kind
    account: int = 0
    platform: str = ""
    photo: int = 0
    face: int = 0
    start: int = 0
    end: int = 0

    @classmethod
    def read(cls, spelling: str) -> "Place | None":
        """The place that is spelt so, or None where it spells none."""
        found = _SPELT.fullmatch(spelling)
        if found is None:
            return None
        kind = next(kind for kind in _KINDS if found[kind])
        parts = {name.removeprefix(f"{kind}_"): value for name, value in found.groupdict().items() if value}
        numbers = {
            name: int(parts[name])
            for name in ("account", "photo", "face", "start", "end")
            if parts.get(name, "").isdigit()
        }
        return cls(kind=kind, platform=parts.get("platform", ""), **numbers)

    @property
    def spelling(self) -> str:
        """As it is kept with a decision."""
        return {
            "text": f"text:{self.start}-{self.end}",
            "wording": f"wording:{self.platform}:{self.account}:{self.start}-{self.end}",
            "alt": f"alt:{self.photo}:{self.start}-{self.end}",
            "photo": f"photo:{self.photo}",
            "face": f"photo:{self.photo}:face:{self.face}",
            "time": "time",
            "channels": "channels",
        }[self.kind]

    @property
    def label(self) -> str:
        """As staff call it."""
        return {
            "text": "Text",
            "wording": f"Words for {_CALLED.get(self.platform, self.platform)}",
            "alt": f"Description of photo {self.photo}",
            "photo": f"Photo {self.photo}",
            "face": f"Photo {self.photo}, face {self.face}",
            "time": "Time",
            "channels": "Channels",
        }[self.kind]

    def is_in(self, content: Content, *, faces: Mapping[int, Collection[int]]) -> bool:
        """Whether this content has the place. `faces` are the numbers on each photo."""
        if self.kind in {"time", "channels"}:
            return True
        if self.kind not in {"text", "wording"} and not 1 <= self.photo <= len(content.photos):
            return False
        if self.kind == "face":
            return self.face in faces.get(self.photo, ())
        return self.kind == "photo" or 0 <= self.start < self.end <= len(self.whole(content))

    def whole(self, content: Content) -> str:
        """The text or the description in which the words stand; empty for a place that has no words."""
        if self.kind == "text":
            return content.text
        if self.kind == "wording":
            return sealed_texts(content).get(field_of(self.platform, self.account), "")
        return content.photos[self.photo - 1].alt if self.kind == "alt" and self.photo <= len(content.photos) else ""

    def words(self, content: Content) -> str:
        """The words that are pointed at."""
        return self.whole(content)[self.start : self.end]


def find(spelling: str, quote: str, content: Content) -> Place | None:
    """The place of a quote in the text ("text"), in one channel's own words ("wording:x:7") or in a description ("alt:2").

    Without a quote it is all of its words.

    Upper and lower case and the kind of white space do not count: a quote is typed by hand.
    """
    around = Place.read(f"{spelling}:0-0")
    if around is None or around.kind not in {"text", "wording", "alt"}:
        return None
    whole, words = around.whole(content), quote.split()
    if not words:
        return replace(around, start=0, end=len(whole))
    found = re.search(r"\s+".join(re.escape(word) for word in words), whole, re.IGNORECASE)
    return replace(around, start=found.start(), end=found.end()) if found else None
