"""`gatekeeper scan` and `gatekeeper sanitise`: the workers' own engines for scripts, without server or database.

Whatever a file is or does, its answer is one line; a photo that could not be looked at in full is refused, because a
script must never take silence for "no faces".
"""

import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from gatekeeper.errors import GatekeeperError, NotScanned
from gatekeeper.faces.boxes import Face
from gatekeeper.faces.client import FaceClient
from gatekeeper.faces.match import Encoding, nearest
from gatekeeper.faces.service import face_service
from gatekeeper.posts.media import MAX_FILE_BYTES, PictureRefused, decode, publishable
from gatekeeper.sandbox.service import cores

DONE: Final = 0
WRONG_ARGUMENTS: Final = 2
REFUSED: Final = 3

_DECIMALS: Final = 4
Gallery = Mapping[str, Sequence[Encoding]]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What became of one photo. `reason` is set when it was refused."""

    file: str
    ms: float
    width: int = 0
    height: int = 0
    faces: tuple[dict[str, Any], ...] = ()
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The line of the contract."""
        if self.reason is not None:
            return {"file": self.file, "status": "refused", "reason": self.reason, "faces": [], "ms": self.ms}
        size = {"width": self.width, "height": self.height}
        return {"file": self.file, "status": "scanned"} | size | {"faces": list(self.faces), "ms": self.ms}

    def as_words(self) -> str:
        """The line for a person."""
        if self.reason is not None:
            return f"{self.file}: refused. {self.reason}"
        count = len(self.faces)
        return f"{self.file}: {'no face' if not count else '1 face' if count == 1 else f'{count} faces'} found."


def scan_command(
    paths: Sequence[Path], *, gallery: Path | None = None, as_json: bool = True, out: TextIO | None = None
) -> int:
    """One line per photo, in the order given; 0 when all were scanned, 3 when one was refused, 2 for a wrong gallery."""
    output = out or sys.stdout
    if gallery is not None and not gallery.is_dir():
        return _complain(f"The gallery {gallery} is not a folder.", WRONG_ARGUMENTS)
    # one photo gains from a second child only when its faces are to be compared
    children = cores() if gallery is not None else max(1, min(cores(), len(paths)))
    refused = False
    try:
        with (
            tempfile.TemporaryDirectory(prefix="gatekeeper-") as folder,
            face_service(Path(folder), children=children) as client,
        ):
            known = None if gallery is None else _read_gallery(gallery, client)
            for result in _scan_all(paths, client, known, children):
                refused = refused or result.reason is not None
                print(json.dumps(result.as_json()) if as_json else result.as_words(), file=output, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; the exit must not complain
    return REFUSED if refused else DONE


def sanitise_command(source: Path, target: Path) -> int:
    """Write the publishable rendition of `source` to `target`: 0 accepted, 3 refused and no target, 2 wrong arguments."""
    try:
        data = _read(source)
    except OSError as problem:
        return _complain(f"{source} cannot be read: {problem.strerror}.", WRONG_ARGUMENTS)
    except PictureRefused as refused:
        return _refuse(source, target, refused)
    try:
        _, rendition = publishable(data)
    except PictureRefused as refused:
        return _refuse(source, target, refused)
    try:
        _write_whole(target, rendition.data)
    except OSError as problem:
        return _complain(f"{target} cannot be written: {problem.strerror}.", WRONG_ARGUMENTS)
    return DONE


def _complain(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code


def _refuse(source: Path, target: Path, refused: PictureRefused) -> int:
    """An older picture left under the target's name would pass for this one's rendition, so it goes."""
    try:
        if target.is_file() and not target.samefile(source):
            target.unlink()
    except OSError as problem:
        return _complain(f"{target} cannot be removed: {problem.strerror}.", WRONG_ARGUMENTS)
    return _complain(str(refused), REFUSED)


def _read(path: Path) -> bytes:
    """The bytes of a file, at most one more than is ever accepted.

    Raises:
        OSError: it cannot be read.
        PictureRefused: it is a folder, a device or a pipe, which might never end.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PictureRefused("This is not a file. Please choose a picture.")
        return file.read(MAX_FILE_BYTES + 1)


def _write_whole(target: Path, data: bytes) -> None:
    """Either the whole file is there under its name or the old state is."""
    descriptor, name = tempfile.mkstemp(prefix=".gatekeeper-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _scan_all(paths: Sequence[Path], client: FaceClient, gallery: Gallery | None, children: int) -> Iterator[Scanned]:
    # A service that does not start shows in every single line: each photo then says that it was not scanned.
    try:
        client.wait_until_ready(children=children)
    except NotScanned as problem:
        yield from (Scanned(str(path), 0.0, reason=str(problem)) for path in paths)
        return
    with ThreadPoolExecutor(children) as pool:
        yield from pool.map(lambda path: _scan_one(path, client, gallery), paths)


def _scan_one(path: Path, client: FaceClient, gallery: Gallery | None) -> Scanned:
    began = time.perf_counter()
    try:
        picture = decode(_read(path))
        faces = client.detect(picture.pixels)
        ms = _since(began)
        encodings = None if gallery is None else client.encode(picture.pixels, [face.box for face in faces])
        described = tuple(_described(faces, encodings, gallery or {}))
    except OSError as problem:
        return Scanned(str(path), _since(began), reason=f"This file cannot be read: {problem.strerror}.")
    except GatekeeperError as refused:
        return Scanned(str(path), _since(began), reason=str(refused))
    return Scanned(str(path), ms, picture.width, picture.height, described)


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


def _described(
    faces: Sequence[Face], encodings: Sequence[Encoding | None] | None, gallery: Gallery
) -> Iterator[dict[str, Any]]:
    for face, encoding in zip(faces, encodings or [None] * len(faces), strict=True):
        entry: dict[str, Any] = {
            "box": [round(side, 2) for side in face.box.as_list()],
            "score": round(face.score, _DECIMALS),
            "state": "unknown",
        }
        if encodings is not None:
            candidates = [] if encoding is None else nearest(gallery, encoding)
            entry["candidates"] = [
                {"person": candidate.person, "distance": round(candidate.distance, _DECIMALS)}
                for candidate in candidates
            ]
        yield entry


def _read_gallery(folder: Path, client: FaceClient) -> Gallery:
    """One folder per person; of each photo the largest face counts. What cannot be used is named on standard error."""
    known: dict[str, list[Encoding]] = {}
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        known[person.name] = []
        for photo in sorted(path for path in person.iterdir() if path.is_file()):
            try:
                picture = decode(_read(photo))
                faces = client.detect(picture.pixels)
                largest = max(faces, key=lambda face: face.box.area, default=None)
                encodings = client.encode(picture.pixels, [largest.box] if largest else [])
            except (OSError, GatekeeperError) as problem:
                _complain(f"{photo} is left out of the gallery: {problem}", WRONG_ARGUMENTS)
                continue
            usable = [encoding for encoding in encodings if encoding is not None]
            if not usable:
                _complain(f"{photo} is left out of the gallery: it shows no face large enough.", WRONG_ARGUMENTS)
            known[person.name] += usable
    return known
