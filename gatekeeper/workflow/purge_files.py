"""Deletes the files that nobody refers to any more, and what was found in them.

Asked once a night of everything that refers to a picture, so that it finds what a crash left behind as well as what was
erased today. A picture that a second post, an incident, a case, a mark or the crest uses stays: files are named by
their content, and the same picture lies there once. Nobody is held up: the question only reads.
"""

import re
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gatekeeper.cases.model import CaseAttachment
from gatekeeper.people.school import school_settings
from gatekeeper.posts.model import Mark, Photo, PhotoScan, PictureReading, Version
from gatekeeper.posts.public import Incident
from gatekeeper.workflow.purge_rule import Night, done
from gatekeeper.workflow.services import Services

#: a file is put before the row that refers to it is written; nothing takes as long as this
GRACE: Final = timedelta(hours=24)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_CHUNK: Final = 500

#: every column that names a stored picture; a test holds it against the tables
REFERRING: Final = frozenset({
    "photo.original_sha256", "photo.preview_sha256", "photo.rendition_sha256", "mark.sha256", "incident.pictures",
    "case_attachment.sha256",
})  # fmt: skip


def wanted(session: Session) -> set[str]:
    """The digests of every picture that something refers to."""
    found: set[str] = set()
    photos = select(Photo.original_sha256, Photo.original_gone_at, Photo.preview_sha256, Photo.rendition_sha256)
    for original, gone_at, preview, rendition in session.execute(photos):
        found.update(sha for sha in (None if gone_at else original, preview, rendition) if sha)
    for canonical in session.scalars(select(Version.canonical).execution_options(yield_per=_CHUNK)):
        found.update(_DIGEST.findall(canonical))
    found.update(session.scalars(select(Mark.sha256)))
    found.update(session.scalars(select(CaseAttachment.sha256)))
    for pictures in session.scalars(select(Incident.pictures)):
        found.update(_DIGEST.findall(str(pictures)))
    found.update(_DIGEST.findall(str(school_settings(session)["crest"])))
    return found


def remove_unwanted(services: Services, night: Night) -> dict[str, int]:
    """Delete the files nobody refers to, then what was found in pictures that are gone; says how many of each."""
    with services.db.read() as session:
        keep = wanted(session)
    files = services.media.remove_unwanted(keep, before=night.now - GRACE)
    before = night.before("scan_results")
    rows = 0
    for table, at in ((PhotoScan, PhotoScan.scanned_at), (PictureReading, PictureReading.read_at)):
        with services.db.read() as session:
            old = session.scalars(select(table.sha256).where(at < before).distinct()).all() if before else ()
        going = [sha for sha in old if sha not in keep]
        for first in range(0, len(going), _CHUNK):
            rows += _forget(services, table, going[first : first + _CHUNK])
    return {"files": files, "scan_results": rows}


def _forget(services: Services, table: Any, digests: list[str]) -> int:
    """What was found is found again where somebody put the picture anew in this moment."""
    with services.step() as session:
        return done(session, delete(table).where(table.sha256.in_(digests)))
