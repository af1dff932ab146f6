"""Reads a TOML text that a person typed, or says in plain words at which line and column it breaks."""

import re
import tomllib
from typing import Any, Final

from gatekeeper.errors import BadInput

_PLACE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$| \(at end of document\)$")
#: how the library begins its sentence, and what that means to somebody who has never read the standard
_PLAIN: Final = (
    ("Invalid value", "a value is missing here, or it has no quotation marks around it"),
    ("Expected '=' after a key", "a name must be followed by “=” and its value"),
    ("Expected newline or end of document", "something stands here after the value; begin a new line"),
    ("Illegal character '\\n'", "a text in quotation marks must end on its own line (or use three quotation marks)"),
    ("Illegal character", "there is a sign here that may not stand in a text"),
    ("Unescaped '\\'", "write a backslash twice, or put the text in single quotation marks"),
    ("Unterminated string", "a text has no closing quotation mark"),
    ('Expected \'"""\'', "a text has no closing quotation marks"),
    ("Expected \"'''\"", "a text has no closing quotation marks"),
    ('Expected "\'"', "a text has no closing quotation mark"),
    ("Unclosed array", "a list has no closing bracket “]”"),
    ("Unclosed inline table", "a bracket “{” is not closed"),
    ("Expected ']]'", "this heading needs two brackets on each side, such as [[rule]]"),
    ("Expected ']'", "this heading needs a bracket on each side, such as [families]"),
    ("Cannot declare", "this heading stands twice"),
    ("Cannot overwrite", "the same name is given twice"),
    ("Duplicate inline", "the same name is given twice"),
    ("Invalid initial character", "a name must begin here, of letters, figures and “-”"),
    ("Invalid statement", "this line is neither a heading nor a name with a value"),
    ("Found invalid character", "there is a sign here that may not stand in such a file"),
)


#: a name of thousands of parts ("a.a.a. ...") costs the square of their number; nobody needs so many dots on a line
_MOST_DOTS: Final = 500


class BrokenToml(BadInput):
    """The text is not TOML; the sentence gives the line and the column."""


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a text.

    Raises:
        BrokenToml: it cannot be read; the sentence says where and what is wrong there.
    """
    for number, words in enumerate(text.split("\n"), start=1):
        if words.count(".") > _MOST_DOTS:
            raise BrokenToml(
                f"Line {number} cannot be read: it holds too many dots. Please break it into shorter lines."
            )
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as err:
        said = str(err)
        place = _PLACE.search(said)
        line, column = (int(place[1]), int(place[2])) if place and place[1] else _end(text)
        what = next((plain for begins, plain in _PLAIN if said.startswith(begins)), _PLACE.sub("", said))
        raise BrokenToml(f"Line {line}, column {column} cannot be read: {what}.") from err
    except (RecursionError, ValueError) as err:  # brackets within brackets, or a figure of thousands of digits
        raise BrokenToml("This cannot be read: it holds too many brackets or too long a figure.") from err


def _end(text: str) -> tuple[int, int]:
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def line_of(text: str, name: str) -> int | None:
    """The line on which `id = "name"` stands, so that a person finds it."""
    found = re.search(rf"""^\s*id\s*=\s*["']{re.escape(name)}["']""", text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else None
