"""Reads an evidence bundle that nobody vouches for: a zip or a folder, in memory, following no link and trusting no name."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_FILES, MOST_BYTES, MOST_IN_ALL = 500, 128 << 20, 512 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,99})?")
LEFT_BEHIND = {"Thumbs.db", "desktop.ini"}  # what file managers put into a folder


class Unreadable(Exception):
    """The bundle cannot be read at all, or not safely."""


class Report:
    """Tells line by line, and keeps count of what is wrong and of what could not be checked."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.wrong_ones = 0
        self.unchecked_ones = 0

    def line(self, sign: str, sentence: str) -> None:
        """One line; whatever a hostile bundle holds, it moves no cursor and colours nothing."""
        self._tell(f"{sign:<12} " + "".join(c if c.isprintable() else "\ufffd" for c in sentence))

    def ok(self, sentence: str) -> None:
        """Something agrees."""
        self.line("ok", sentence)

    def note(self, sentence: str) -> None:
        """Something to know that is no fault."""
        self.line("note", sentence)

    def wrong(self, sentence: str) -> None:
        """Something does not agree."""
        self.wrong_ones += 1
        self.line("WRONG", sentence)

    def unchecked(self, sentence: str) -> None:
        """Something that could not be looked at."""
        self.unchecked_ones += 1
        self.line("NOT CHECKED", sentence)


def read_zip(path: Path) -> dict[str, bytes]:
    """Every file of a zip, in memory. Nothing is unpacked, so no name in it can reach the disk."""
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(path) as bundle:
        members = bundle.infolist()
        if len(members) > MOST_FILES or sum(member.file_size for member in members) > MOST_IN_ALL:
            raise Unreadable("The zip is far larger than an evidence bundle. It was not opened.")
        for member in members:
            check_name(member.filename, files)
            kind = stat.S_IFMT(member.external_attr >> 16)
            usual = kind in (0, stat.S_IFREG) and member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if not usual or member.flag_bits & 1 or member.file_size > MOST_BYTES:
                raise Unreadable(f"{member.filename!r} in the zip is a link, is locked, or is far too large.")
            with bundle.open(member) as opened:
                data = opened.read(member.file_size + 1)
            if len(data) != member.file_size:
                raise Unreadable(f"{member.filename!r} in the zip is not as large as it says.")
            files[member.filename] = data
    return files


def read_folder(root: Path) -> dict[str, bytes]:
    """Every file of an unpacked bundle. Links are not followed."""
    files: dict[str, bytes] = {}
    total = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(folders + names):
            path = Path(folder, name)
            if path.is_symlink():
                raise Unreadable(f"{str(path.relative_to(root))!r} is a link. It was not followed.")
        for name in sorted(name for name in names if not name.startswith(".") and name not in LEFT_BEHIND):
            path = Path(folder, name)
            inside = path.relative_to(root).as_posix()
            check_name(inside, files)
            size = path.stat().st_size
            total += size
            if size > MOST_BYTES or total > MOST_IN_ALL or len(files) >= MOST_FILES or not path.is_file():
                raise Unreadable("The folder holds far more than an evidence bundle. It was not read.")
            files[inside] = path.read_bytes()
    return files


def check_name(name: str, taken: dict[str, bytes]) -> None:
    """Refuse a name that leads elsewhere, or that stands there twice."""
    if not NAME.fullmatch(name) or ".." in name:
        raise Unreadable(f"{name[:80]!r} is no name of a file in an evidence bundle.")
    if name.lower() in {one.lower() for one in taken}:
        raise Unreadable(f"{name!r} stands in the bundle twice.")


def read_json(files: dict[str, bytes], name: str) -> Any:
    """One JSON file; a key that stands there twice could be read in two ways."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("twice")
        return dict(pairs)

    if name not in files:
        raise Unreadable(f"{name} is missing.")
    try:
        return json.loads(files[name].decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as err:
        raise Unreadable(f"{name} cannot be read.") from err


def sha(*parts: bytes) -> str:
    """SHA-256 of the parts, one after the other."""
    return hashlib.sha256(b"".join(parts)).hexdigest()
