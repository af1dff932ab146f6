"""`gatekeeper check`: posts in, findings out, one JSON object a line; the same engine as the workers use.

Whatever is found, the command ends with 0. Only input that cannot be read ends with 2 and one sentence with the line.
"""

import csv
import io
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from gatekeeper.text.checker import Checker, Draft, Hit, Picture, Pupil, SchoolWords, StaffName

DONE, UNREADABLE = 0, 2
_ROSTER = ("pupil_id", "first_name", "last_name", "known_as", "year", "class", "dob")
_STAFF = ("title", "first_name", "last_name")


class _UnreadableError(Exception):
    """A file cannot be used; the text is the sentence for standard error."""


@dataclass(frozen=True, slots=True)
class _Post:
    """One line of the input."""

    id: object
    draft: Draft


def check_command(
    posts: Path,
    *,
    roster: Path,
    staff: Path,
    school: Path,
    out: TextIO | None = None,
    as_json: bool = True,
) -> int:
    """Checks every post of a file and writes its findings; 0 when all could be read, else 2.

    Args:
        posts: one JSON object a line, with id, text, images, platform and account.
        roster: the roll as CSV.
        staff: the school's adults as CSV.
        school: the school's own words as JSON.
        out: where the answers go; standard output when left out.
        as_json: one JSON object a line; otherwise one sentence a line.
    """
    stream = out or sys.stdout
    try:
        checker = Checker(_pupils(roster), _staff(staff), _school(school))
        for post in list(_posts(posts)):
            begun = time.perf_counter()
            hits = checker.check(post.draft)
            spent = (time.perf_counter() - begun) * 1000
            _write(stream, post, hits, spent, as_json=as_json)
    except _UnreadableError as refusal:
        print(refusal, file=sys.stderr)
        return UNREADABLE
    return DONE


def _write(stream: TextIO, post: _Post, hits: Sequence[Hit], spent: float, *, as_json: bool) -> None:
    if not as_json:
        for hit in hits:
            print(f"{post.id}: {hit.severity} (§{hit.clause}, {hit.rule}): {hit.message}", file=stream)
        return
    findings = [
        {
            "rule": hit.rule,
            "clause": hit.clause,
            "severity": hit.severity,
            "field": hit.field,
            "start": hit.start,
            "end": hit.end,
            "quote": hit.quote,
            "message": hit.message,
        }
        for hit in hits
    ]
    line = json.dumps({"id": post.id, "findings": findings, "ms": round(spent, 3)}, ensure_ascii=False)
    if any("\ud800" <= char <= "\udfff" for char in line):  # half a character cannot be written as UTF-8
        line = json.dumps({"id": post.id, "findings": findings, "ms": round(spent, 3)})
    print(line, file=stream)


# -- reading ---------------------------------------------------------------------------------------------------------


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as err:
        raise _UnreadableError(f"{path.name} cannot be opened: {err.strerror or 'unknown reason'}.") from err
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = raw.count(b"\n", 0, err.start) + 1
        raise _UnreadableError(
            f"{path.name}, line {line}: this is not UTF-8 text. Please save the file as UTF-8."
        ) from err


def _posts(path: Path) -> Iterator[_Post]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as err:
            raise _UnreadableError(f"{where}: this is not a JSON object.") from err
        if not isinstance(data, dict):
            raise _UnreadableError(f"{where}: this is not a JSON object.")
        yield _post(data, where)


def _post(data: Mapping[str, object], where: str) -> _Post:
    if "id" not in data:
        raise _UnreadableError(f"{where}: the post has no id.")
    images = data.get("images") or []
    if not isinstance(images, list) or not all(isinstance(image, dict) for image in images):
        raise _UnreadableError(f"{where}: images must be a list of objects with file and alt.")
    pictures = tuple(
        Picture(_word(image, "file", where), _word(image, "alt", where) if image.get("alt") is not None else None)
        for image in images
    )
    draft = Draft(
        text=_word(data, "text", where),
        pictures=pictures,
        platform=_word(data, "platform", where),
        account=_word(data, "account", where) or "school",
    )
    return _Post(data["id"], draft)


def _word(data: Mapping[str, object], key: str, where: str) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _UnreadableError(f"{where}: {key} must be text.")
    return value


def _rows(path: Path, wanted: Sequence[str]) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(_text(path), newline=""))
    try:
        missing = [name for name in wanted if name not in (reader.fieldnames or ())]
        if missing:
            raise _UnreadableError(f"{path.name}, line 1: the column {missing[0]} is missing.")
        for row in reader:
            yield {name: (row[name] or "").strip() for name in wanted}
    except csv.Error as err:
        raise _UnreadableError(
            f"{path.name}, line {reader.line_num + 1}: this line of the table cannot be read."
        ) from err


def _pupils(path: Path) -> list[Pupil]:
    return [Pupil(*(row[name] for name in _ROSTER)) for row in _rows(path, _ROSTER)]


def _staff(path: Path) -> list[StaffName]:
    return [StaffName(*(row[name] for name in _STAFF)) for row in _rows(path, _STAFF)]


def _school(path: Path) -> SchoolWords:
    text = _text(path)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as err:
        raise _UnreadableError(f"{path.name}, line {err.lineno}: this is not JSON.") from err
    except RecursionError as err:
        raise _UnreadableError(f"{path.name}, line 1: this is not JSON.") from err
    if not isinstance(data, dict):
        raise _UnreadableError(f"{path.name}, line 1: this must be one JSON object.")

    def words(key: str) -> tuple[str, ...]:
        value = data.get(key) or ()
        if not isinstance(value, (list, tuple, dict)) or not all(isinstance(one, str) for one in value):
            raise _UnreadableError(f"{path.name}: {key} must be a list of texts.")
        return tuple(value)

    return SchoolWords(
        name=_word(data, "name", path.name),
        short_names=words("short_names"),
        town=_word(data, "town", path.name),
        address=_word(data, "address", path.name),
        postcodes=words("postcodes"),
        phones=words("phones"),
        emails=words("emails"),
        domains=words("domains"),
        trusted_domains=words("trusted_domains"),
        handles=words("handles"),
        houses=words("houses"),
        classes=words("classes"),
    )
