"""Reads a table that somebody saved from a spreadsheet or an office program, whatever it looks like inside.

Byte-order marks, semicolons, old Windows letters and any line ending are understood; what cannot be understood is
refused with a sentence that says what to do.
"""

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gatekeeper.errors import BadInput

LARGEST: Final = 1_000_000
MOST_LINES: Final = 5_000
_LONGEST_CELL: Final = 2_000


@dataclass(frozen=True)
class Row:
    """One line: its number in the file, its cells by column name, and what is wrong with its shape."""

    number: int
    cells: Mapping[str, str]
    fault: str = ""


@dataclass(frozen=True)
class Table:
    """A file as it was read. `sha256` is of its very bytes."""

    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    sha256: str
    remarks: tuple[str, ...] = ()


def read_table(data: bytes, *, needed: tuple[str, ...], known: tuple[str, ...]) -> Table:
    """Read the file.

    Raises:
        BadInput: it is no such table; the sentence says why and stands at the field `file`.
    """
    text, remarks = _text_of(data)
    if not text.strip():
        raise _refuse("This file is empty.")
    first = text.lstrip("\r\n").split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    rows: list[Row] = []
    columns: tuple[str, ...] = ()
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _columns(cells, needed=needed)
                continue
            rows.append(_row(reader.line_num, cells, columns))
            if len(rows) > MOST_LINES:
                raise _refuse(f"This file has more than {MOST_LINES:,} lines. Please import it in parts.")
    except csv.Error:
        raise _refuse(
            f"Line {reader.line_num} cannot be read: a quotation mark is not closed, or stands where none belongs."
        ) from None
    if not rows:
        raise _refuse("This file has a heading and no lines under it.")
    unknown = [column for column in columns if column and column not in known]
    if unknown:
        remarks.append(f"Left unread: the column{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}.")
    return Table(tuple(rows), columns, hashlib.sha256(data).hexdigest(), tuple(remarks))


def _text_of(data: bytes) -> tuple[str, list[str]]:
    if len(data) > LARGEST:
        raise _refuse("This file is larger than 1 MB, which is far more than a school's roll. Is it the right one?")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _refuse("This is a workbook. In Excel choose File, Save as, and the type “CSV UTF-8”, then upload that.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), []
        except UnicodeDecodeError:
            raise _refuse("The letters in this file cannot be read. Please save it as “CSV UTF-8”.") from None
    if b"\x00" in data:
        raise _refuse("This is no text file. Please save the table as “CSV UTF-8” and upload that.")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        remark = "Read with the letters of an older Windows program. Please check names with accents in the table."
        return data.decode("cp1252", errors="replace"), [remark]


def _columns(cells: list[str], *, needed: tuple[str, ...]) -> tuple[str, ...]:
    columns = tuple("_".join(cell.strip().lower().split()) for cell in cells)
    missing = [name for name in needed if name not in columns]
    if missing:
        raise _refuse(
            f"The first line must name the columns. Missing: {', '.join(missing)}. "
            f"Found: {', '.join(column[:30] for column in columns[:12] if column) or 'none'}."
        )
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise _refuse(f"A column stands there twice: {', '.join(twice)}.")
    return columns


def _row(number: int, cells: list[str], columns: tuple[str, ...]) -> Row:
    while len(cells) > len(columns) and not cells[-1].strip():
        cells = cells[:-1]
    fault = ""
    if len(cells) != len(columns):
        fault = f"has {len(cells)} cells where the heading has {len(columns)}"
    clean = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if name}
    for name, cell in clean.items():
        if len(cell) > _LONGEST_CELL or not all(c.isprintable() or c in "\n\r\t" for c in cell) or "\ufffd" in cell:
            fault = f"{name}: holds something that cannot be read"
    return Row(number, clean, fault)


def _refuse(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"file": sentence})
