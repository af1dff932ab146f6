"""Folds disguised letters to plain ones and keeps the way back, so that every quote is exact.

Accents, zero-width signs, look-alike letters of other alphabets and upper case would all hide a name from a
dictionary. The folded text has none of them, and every folded letter knows which character it came from.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# Letters that look like Latin ones, and Latin letters that carry no removable mark.
_LOOK_ALIKES = dict(
    zip(
        "авеікмнорстухѕјԁһԛԝгпьзбёіїєґ" + "αβεικνορτυχηγωζμδλσ" + "łøßıđæœðþħŋ" + "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯǫʀꜱᴛᴜᴠᴡʏᴢ",
        [
            *"abeikmhopctyxsjdhqwrnbzbeiieg",
            *"abeikvoptuxnywzudls",
            *("l", "o", "ss", "i", "d", "ae", "oe", "d", "th", "h", "n"),
            *"abcdefghijklmnopqqrstuvwyz",
        ],
        strict=True,
    )
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
for _first in (0x1F150, 0x1F170):  # white letters on black discs and squares
    _LOOK_ALIKES.update(zip(map(chr, range(_first, _first + 26)), _LETTERS, strict=True))
_PUNCTUATION = {
    "‘": "'", "’": "'", "‛": "'", "ʼ": "'", "`": "'", "´": "'", "ʹ": "'", "′": "'",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "­": "",
    "·": ".", "•": ".", "∙": ".", "…": ".", "٭": "*", "∗": "*", "＊": "*",
}  # fmt: skip
_DROPPED = frozenset({"Mn", "Me", "Cf"})
_FILLERS = frozenset("\u115f\u1160")  # letters that show nothing
_LONGEST = 4  # some signs decompose into whole sentences; such a sign stays what it is


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char in _PUNCTUATION:
        return _PUNCTUATION[char]
    parts = unicodedata.normalize("NFKD", char)
    if len(parts) > _LONGEST:
        return char
    out: list[str] = []
    for part in parts:
        if part in _FILLERS or unicodedata.category(part) in _DROPPED:
            continue
        for low in part.lower():
            if unicodedata.category(low) in _DROPPED:
                continue
            out.append(_LOOK_ALIKES.get(low, _PUNCTUATION.get(low, low)))
    return "".join(out)


def fold_word(text: str) -> str:
    """The folded letters of a word from a list, without a way back."""
    return text.lower() if text.isascii() else "".join(map(_fold_char, text))


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in plain small letters, and for each of them the place it came from."""

    original: str
    text: str
    origin: Sequence[int] | None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The span in the original that the folded span [start, end) stands for, with its trailing marks."""
        if self.origin is None:
            return start, end
        first, last = self.origin[start], self.origin[end - 1] + 1
        while last < len(self.original) and unicodedata.category(self.original[last]) in _DROPPED:
            last += 1
        return first, last

    def is_upper(self, at: int) -> bool:
        """Whether the letter at this folded place was written as a capital."""
        return self.original[at if self.origin is None else self.origin[at]].isupper()

    def is_disguised(self, start: int, end: int) -> bool:
        """Whether letters of another alphabet or invisible signs stand in this folded span."""
        if self.origin is None:
            return False
        first, last = self.place(start, end)
        return any(
            unicodedata.category(char) == "Cf" or "\u0370" <= char <= "\u052f" for char in self.original[first:last]
        )


def fold(text: str) -> Folded:
    """Folds any text; plain ASCII takes the short way."""
    if text.isascii():
        return Folded(text, text.lower(), None)
    letters: list[str] = []
    origin: list[int] = []
    for place, char in enumerate(text):
        for low in _fold_char(char):
            letters.append(low)
            origin.append(place)
    return Folded(text, "".join(letters), origin)
