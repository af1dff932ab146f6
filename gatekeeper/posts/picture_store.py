"""Keeps pictures by their digest: written durably, private, and hashed again whenever they are read.

Names come from the content alone, never from a person. The bytes that are sent are the bytes that were decided on, or
nothing is sent: a file that changed on the disk is refused here.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Container
from datetime import datetime
from pathlib import Path
from typing import Final

from gatekeeper.posts.picture_errors import MediaDamaged

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,8}")
_INCOMING: Final = "incoming"
_DAMAGED: Final = "A stored picture is missing or was changed on the disk. It cannot be used."


class MediaStore:
    """A folder of pictures named by their SHA-256. What is put twice is kept once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes, suffix: str) -> str:
        """Keep these bytes and give their digest back once they would survive a power cut."""
        if not _SUFFIX.fullmatch(suffix):
            raise ValueError(f"{suffix!r} is no suffix")
        digest = hashlib.sha256(data).hexdigest()
        if self._is_whole(digest) and self._touched(digest):
            return digest
        target = self._found(digest) or self._shard(digest) / (digest + suffix)
        incoming = self._folder(self.root / _INCOMING)
        self._folder(target.parent)
        temporary = incoming / secrets.token_hex(16)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _fsync_folder(target.parent)
        return digest

    def read(self, digest: str) -> bytes:
        """The bytes of this digest, hashed again.

        Raises:
            MediaDamaged: there are none, or they are not the bytes that were put.
        """
        try:
            data = self.path(digest).read_bytes()
        except OSError as problem:
            raise MediaDamaged(_DAMAGED) from problem
        if hashlib.sha256(data).hexdigest() != digest:
            raise MediaDamaged(_DAMAGED)
        return data

    def path(self, digest: str) -> Path:
        """Where these bytes lie, unchecked; `read` is for whoever relies on them."""
        found = self._found(digest)
        if found is None:
            raise MediaDamaged(_DAMAGED)
        return found

    def remove(self, digest: str) -> None:
        """Delete these bytes; the caller knows that nobody refers to them. Removing twice is harmless."""
        found = self._found(digest)
        if found is not None:
            found.unlink(missing_ok=True)
            _fsync_folder(found.parent)

    def remove_unwanted(self, wanted: Container[str], *, before: datetime) -> int:
        """Delete every file that nobody wants and nobody put since this moment; says how many.

        Somebody may put the same bytes again while this runs: a file is set aside first, and comes back if it was.
        """
        count = 0
        for path in sorted(self.root.glob("??/??/*.*")):
            if path.stem in wanted or not _DIGEST.fullmatch(path.stem) or _put_since(path, before):
                continue
            aside = self._folder(self.root / _INCOMING) / f"{path.name}.aside"
            try:
                path.rename(aside)
            except FileNotFoundError:
                continue
            if _put_since(aside, before):
                aside.rename(path)
                continue
            aside.unlink()
            count += 1
        return count

    def _touched(self, digest: str) -> bool:
        """Note that these bytes were put again just now; False where they went in this very moment."""
        try:
            os.utime(self.path(digest))
        except (OSError, MediaDamaged):
            return False
        return True

    def discard_leftovers(self, *, before: datetime) -> int:
        """Delete what a crash left half written before this moment, and say how many files that were."""
        folder, count = self.root / _INCOMING, 0
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
                count += 1
        return count

    def _is_whole(self, digest: str) -> bool:
        try:
            self.read(digest)
        except MediaDamaged:
            return False
        return True

    def _shard(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise MediaDamaged(_DAMAGED)
        return self.root / digest[:2] / digest[2:4]

    def _found(self, digest: str) -> Path | None:
        return next(iter(sorted(self._shard(digest).glob(f"{digest}.*"))), None)

    def _folder(self, folder: Path) -> Path:
        if not folder.is_dir():
            parents = [folder, *(parent for parent in folder.parents if parent.is_relative_to(self.root))]
            for path in reversed(parents):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                _fsync_folder(path.parent)
        return folder


def _put_since(path: Path, moment: datetime) -> bool:
    try:
        return path.stat().st_mtime >= moment.timestamp()
    except FileNotFoundError:
        return True  # somebody else removed it


def _fsync_folder(folder: Path) -> None:
    """Make a new name in this folder survive a power cut; renaming alone does not."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
