"""What can be read and recognised in a rendition: letters and codes once for each digest, registered marks each time.

A picture that could not be read in full is not scanned, and blocks: an unread badge is no unread badge's absence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import Session

from gatekeeper.errors import NotScanned
from gatekeeper.lettering.reading import Code, Line, Reading
from gatekeeper.posts.media import Pixels
from gatekeeper.posts.model import PictureReading
from gatekeeper.workflow.services import Services

if TYPE_CHECKING:
    from gatekeeper.lettering.marks import SeenMark

#: names the engine that reads and its settings: another one reads every rendition again
READER: Final = "pp-ocrv6-small/1"


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a look leaves for the findings: the marks seen, in pixels of this rendition."""

    photo_id: int
    rendition: str
    marks: tuple["SeenMark", ...] = ()


def read_once(services: Services, sha256: str, pixels: Callable[[], Pixels]) -> None:
    """Read one picture unless its bytes were read before.

    Raises:
        NotScanned: it could not be read in full.
    """
    with services.db.read() as session:
        if session.get(PictureReading, (sha256, READER)) is not None:
            return
    if services.reader is None:
        raise NotScanned("This process cannot read what stands in photos.")
    found = services.reader.read(pixels())
    row = PictureReading(
        sha256=sha256,
        engine=READER,
        words=[[*line.box, line.text, line.score] for line in found.lines],
        codes=[[*code.box, code.text, code.kind] for code in found.codes],
        read_at=services.clock.now(),
    )
    with services.step() as session:
        session.merge(row)


def reading_of(session: Session, sha256: str | None) -> Reading | None:
    """What stands in this rendition; None when it was never read in full."""
    row = session.get(PictureReading, (sha256, READER)) if sha256 else None
    if row is None:
        return None
    return Reading(
        lines=tuple(Line((x1, y1, x2, y2), str(text), score) for x1, y1, x2, y2, text, score in row.words),
        codes=tuple(Code((x1, y1, x2, y2), str(text), str(kind)) for x1, y1, x2, y2, text, kind in row.codes),
    )


def marks_in(services: Services, pixels: Callable[[], Pixels]) -> tuple["SeenMark", ...]:
    """The registered marks in this picture; nothing is decoded where none is registered.

    Raises:
        NotScanned: it could not be searched.
    """
    # what searches pictures is loaded only by whoever does: the process of the pages asks here what was read, no more
    from gatekeeper.lettering.marks import find_marks
    from gatekeeper.workflow.marks import known_marks

    known = known_marks(services)
    return tuple(find_marks(pixels(), known)) if known else ()
