"""Writes key files: whole or not at all, and never readable by others, not even for a moment."""

import os
from pathlib import Path


def write_key(path: Path, text: str) -> None:
    """Put the text in place of whatever is there; when this returns, a power cut takes neither away."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    put_in_place(part, path)


def put_in_place(source: Path, target: Path) -> None:
    """Give a file its name for good."""
    source.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name lies in the folder, which is written out apart from the file
    finally:
        os.close(folder)
