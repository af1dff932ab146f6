"""Letters for the readable page of a bundle: the DejaVu fonts, and a word in brackets for every sign they do not have."""

import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD, MONO = "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"
_FOLDER: Final = Path("mpl-data", "fonts", "ttf")  # of the wheel, which is never imported
_SILENT: Final = frozenset("\u200b\u200c\u200d\ufe0e\ufe0f\u2060\ufeff")  # they only join or dress their neighbours


@cache
def register_fonts() -> None:
    """Make the three fonts known, once in a process."""
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise FileNotFoundError("the fonts of the PDF are in the wheel of matplotlib, which is not installed")
    folder = Path(found.origin).parent / _FOLDER
    for name in (PLAIN, BOLD, MONO):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)


def readable(words: str) -> str:
    """The words with every sign that can be printed; the others by their name, such as [party popper]."""
    register_fonts()
    known = pdfmetrics.getFont(PLAIN).face.charToGlyph
    return "".join(_sign(sign, known) for sign in unicodedata.normalize("NFC", words.replace("\r\n", "\n")))


def markup(words: str) -> str:
    """The words as a paragraph takes them, line ends kept."""
    return "<br/>".join(escape(line) for line in readable(words).split("\n"))


def _sign(sign: str, known: dict[int, int]) -> str:
    if sign == "\n":
        return sign
    if sign in _SILENT:
        return ""
    category = unicodedata.category(sign)
    if category.startswith("C"):  # controls, directions, halves of a pair
        return " " if category == "Cc" else ""
    if ord(sign) in known and ord(sign) <= 0xFFFF:  # noqa: PLR2004 - the basic plane; emoji are named, not drawn in outline
        return sign
    return f"[{unicodedata.name(sign, f'U+{ord(sign):04X}').lower()}]"
