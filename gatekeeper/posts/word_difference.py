"""The difference between two texts, word by word, so that nobody has to look for it.

Nothing that differs is left out: white space, a sign of an emoji, or the same letter written with other code points
are changes of what was approved, so they are told even where the eye sees none.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

Kind = Literal["same", "out", "in"]

#: pairs of equal words that are compared one by one; beyond it whole lines, and then the whole text, count as changed
_MOST_PAIRS: Final = 400_000
_BESIDE: Final = 60  # signs of what stayed, beside a change
_JOINER: Final = "\u200d"
_SIGNS: Final = {" ": "·", "\n": "↵\n", "\t": "⇥", "\u00a0": "⍽", "\r": "␍"}
_SKIN: Final = range(0x1F3FB, 0x1F400)
_FLAGS: Final = range(0x1F1E6, 0x1F200)
_NO_SPACES: Final = 0x2E80  # from here on scripts put no spaces between words


@dataclass(frozen=True)
class Piece:
    """A run of text that stayed, was taken out, or was put in."""

    kind: Kind
    text: str

    @property
    def shown(self) -> str:
        """As it can be seen: in what changed, white space alone and signs without a look of their own get one."""
        if self.kind == "same":
            return self.text
        if self.text.isspace():
            return "".join(_SIGNS.get(sign, _named(sign)) for sign in self.text)
        ends = len(self.text.rstrip())
        return "".join(_named(sign) if _is_unseen(sign) else sign for sign in self.text[:ends]) + self.text[ends:]


class Passage(tuple[Piece, ...]):
    """A text with what changed in it, in order. It is empty where nothing did."""

    __slots__ = ()

    @property
    def looks_the_same(self) -> bool:
        """Whether the eye sees no difference, although there is one: other code points for the same letters and signs."""
        out = "".join(piece.text for piece in self if piece.kind != "in")
        new = "".join(piece.text for piece in self if piece.kind != "out")
        return bool(self) and _seen(out) == _seen(new)

    @property
    def short(self) -> "Passage":
        """The same with what stayed cut down to the words beside the changes, so that a small change is found at once."""
        return Passage(
            Piece("same", _cut(piece.text, first=index == 0, last=index == len(self) - 1))
            if piece.kind == "same"
            else piece
            for index, piece in enumerate(self)
        )


UNCHANGED: Final = Passage()


def _cut(text: str, *, first: bool, last: bool) -> str:
    if len(text) <= 3 * _BESIDE:
        return text
    head = "" if first else text[:_BESIDE].rsplit(" ", 1)[0] + " "
    tail = "" if last else " " + text[-_BESIDE:].split(" ", 1)[-1]
    return f"{head}…{tail}"


def pieces(before: str, after: str) -> Passage:
    """The two texts as one run of pieces, or nothing where they are the same."""
    if before == after:
        return Passage()
    return Passage(_joined(_compare(list(tokens(before)), list(tokens(after)))))


def tokens(text: str) -> Iterator[str]:
    """Words, runs of spaces, line ends, and single signs; an emoji with all that belongs to it is one sign."""
    at = 0
    while at < len(text):
        end = _end_of_token(text, at)
        yield text[at:end]
        at = end


def _end_of_token(text: str, at: int) -> int:
    sign = text[at]
    end = at + 1
    if sign == "\n":
        return end
    if sign.isspace():
        while end < len(text) and text[end].isspace() and text[end] != "\n":
            end += 1
        return end
    if not _is_wordly(sign):
        return _end_of_sign(text, end)
    if ord(sign) >= _NO_SPACES:
        return _end_of_marks(text, end)
    while end < len(text):
        inside = _is_wordly(text[end]) and ord(text[end]) < _NO_SPACES
        apostrophe = text[end] in "'’" and end + 1 < len(text) and _is_wordly(text[end + 1])
        if not (inside or apostrophe or _is_mark(text[end])):
            break
        end += 1
    return end


def _end_of_sign(text: str, end: int) -> int:
    """Where a sign ends that began just before: with its selectors, its skin, its other half, and what is joined on."""
    if ord(text[end - 1]) in _FLAGS and end < len(text) and ord(text[end]) in _FLAGS:
        return end + 1
    while end < len(text):
        if text[end] == _JOINER and end + 1 < len(text) and not text[end + 1].isspace():
            end += 2
        elif _is_mark(text[end]) or ord(text[end]) in _SKIN:
            end += 1
        else:
            break
    return end


def _end_of_marks(text: str, end: int) -> int:
    while end < len(text) and _is_mark(text[end]):
        end += 1
    return end


def _is_wordly(sign: str) -> bool:
    return sign.isalnum() or sign == "_" or _is_mark(sign)


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign).startswith("M")


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cf", "Cc", "Zl", "Zp"} and sign not in {_JOINER, "\n", "\t"}


def _named(sign: str) -> str:
    return f"[U+{ord(sign):04X}]"


def _seen(text: str) -> str:
    """What the eye gets of a text."""
    plain = unicodedata.normalize("NFC", text)
    kept = (sign for sign in plain if not _is_unseen(sign) and not 0xFE00 <= ord(sign) <= 0xFE0F)  # noqa: PLR2004
    return " ".join("".join(kept).split())


def _compare(before: list[str], after: list[str]) -> Iterator[Piece]:
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    yield from (Piece("same", token) for token in before[:head])
    yield from _compare_middle(before[head : len(before) - tail], after[head : len(after) - tail])
    yield from (Piece("same", token) for token in before[len(before) - tail :])


def _compare_middle(before: list[str], after: list[str]) -> Iterator[Piece]:
    if not before or not after or _pairs(before, after) > _MOST_PAIRS:
        lines = _lines(before), _lines(after)
        if before and after and len(lines[0]) < len(before) and _pairs(*lines) <= _MOST_PAIRS:
            yield from _matched(*lines)
            return
        yield Piece("out", "".join(before))
        yield Piece("in", "".join(after))
        return
    yield from _matched(before, after)


def _matched(before: list[str], after: list[str]) -> Iterator[Piece]:
    # a space matches only beside a word that does: single spaces between changed words would cut them to shreds
    matcher = SequenceMatcher(str.isspace, before, after, autojunk=False)
    for what, from_a, to_a, from_b, to_b in matcher.get_opcodes():
        if what == "equal":
            yield Piece("same", "".join(before[from_a:to_a]))
        else:
            yield Piece("out", "".join(before[from_a:to_a]))
            yield Piece("in", "".join(after[from_b:to_b]))


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    count = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        count += 1
    return count


def _pairs(before: Sequence[str], after: Sequence[str]) -> int:
    """How many equal pairs there are: what the comparing costs."""
    counts = Counter(token for token in after if not token.isspace())
    return sum(counts[token] for token in before)


def _lines(words: Sequence[str]) -> list[str]:
    return "".join(words).splitlines(keepends=True)


def _joined(found: Iterator[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one piece; within a change what went stands before what came."""
    texts: dict[Kind, str] = {"same": "", "out": "", "in": ""}
    for piece in found:
        if piece.kind == "same" and (texts["out"] or texts["in"]) and piece.text:
            yield from _changed(texts)
        elif piece.kind != "same" and texts["same"] and piece.text:
            yield Piece("same", texts["same"])
            texts["same"] = ""
        texts[piece.kind] += piece.text
    yield from _changed(texts)
    if texts["same"]:
        yield Piece("same", texts["same"])


def _changed(texts: dict[Kind, str]) -> Iterator[Piece]:
    kinds: tuple[Kind, ...] = ("out", "in")
    for kind in kinds:
        if texts[kind]:
            yield Piece(kind, texts[kind])
            texts[kind] = ""
