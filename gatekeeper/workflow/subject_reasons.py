"""What staff wrote about one child in a post beside its words: why a face or a photo may be shown, and what they answered.

Told is what is about the child's own face, about a photo with nobody else in it, or names the child. Words that name
another child are left out whole, and the file says so: with the name taken out they would still be about that child.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.columns import utc_text
from gatekeeper.posts.model import FaceAnswer, Finding, Photo, Post, Version
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.wise import about_photo
from gatekeeper.workflow.withheld import Withholder

ANOTHER: Final = "left out: it names another child"
OTHERS: Final = "withheld: other people are in this photo, and the words may be about them"

_FACE: Final = "the child’s face"
_PHOTO: Final = "a photo with the child"
_WORDS: Final = "words that name the child"
_INDEX: Final = re.compile(r"images\[(\d+)\]\.(?!alt\b|file\b)")


@dataclass(frozen=True, kw_only=True)
class _Said:
    """One reason that somebody typed. `sure`: it is about this child and nobody else, whatever its words are."""

    kind: str
    about: str
    photo: int | None
    by: int | None
    at: datetime | None
    words: str
    sure: bool


def reasons_part(
    session: Session,
    post: Post,
    pupil_id: int,
    names: Mapping[int, str],
    words: Withholder,
    *,
    photo_ids: Collection[int],
) -> list[dict[str, Any]]:
    """Each reason once, with who wrote it; `photo_ids` are the photos that show the child, or were said to."""
    shown = [photo for photo in post.photos if photo.id in photo_ids]
    told: dict[tuple[str, int | None, str], dict[str, Any]] = {}
    for one in (
        *_of_photos(post, shown, pupil_id, words),
        *_of_faces(session, shown, pupil_id),
        *_of_findings(session, post, shown, pupil_id, words),
    ):
        told.setdefault(
            (one.kind, one.photo, one.words),
            {
                "kind": one.kind,
                "about": one.about,
                "photo": one.photo,
                "by": names.get(one.by or 0, ""),
                "at": utc_text(one.at) if one.at else None,
                "words": _words(one, words),
            },
        )
    return list(told.values())


def _words(said: _Said, words: Withholder) -> str:
    if words.names_others(said.words):
        return ANOTHER
    return said.words if said.sure or words.calls_the_child(said.words) else OTHERS


def _of_photos(post: Post, shown: Collection[Photo], pupil_id: int, words: Withholder) -> Iterator[_Said]:
    for photo in post.photos:
        for kind, typed in (("why they may be shown", photo.basis), ("why it is so sharp", photo.full_size_reason)):
            if typed and (photo in shown or words.calls_the_child(typed)):
                sure = photo in shown and _is_alone(photo, pupil_id)
                about = _PHOTO if photo in shown else _WORDS
                yield _Said(
                    kind=kind, about=about, photo=photo.id, by=post.author_id, at=None, words=typed, sure=sure
                )  # fmt: skip


def _of_faces(session: Session, shown: Collection[Photo], pupil_id: int) -> Iterator[_Said]:
    photos = {face.id: photo.id for photo in shown for face in photo.faces}
    rows = session.scalars(
        select(FaceAnswer)
        .where(FaceAnswer.face_id.in_(photos), FaceAnswer.pupil_id == pupil_id, FaceAnswer.words != "")
        .order_by(FaceAnswer.id)
    )
    for one in rows:
        photo = photos[one.face_id]
        yield _Said(kind="answer", about=_FACE, photo=photo, by=one.by, at=one.at, words=one.words, sure=True)


def _of_findings(
    session: Session, post: Post, shown: Collection[Photo], pupil_id: int, words: Withholder
) -> Iterator[_Said]:
    rows = session.execute(
        select(Finding, Version)
        .join(Version, Version.id == Finding.version_id)
        .where(Version.post_id == post.id, Finding.reason != "")
        .order_by(Finding.id)
    )
    own = {about_photo(photo, [pupil_id]): photo for photo in shown}
    for finding, version in rows:
        photo = own.get(finding.about) or _photo_of(post, version, finding)
        if finding.about in own:
            about, sure = _FACE, True
        elif photo and photo in shown and finding.about == about_photo(photo, []):
            about, sure = _PHOTO, _is_alone(photo, pupil_id)
        elif words.names_the_child(finding.quote) and not words.names_others(finding.quote):
            about, sure = _WORDS, True
        elif words.calls_the_child(finding.reason):
            about, sure = _WORDS, False
        elif photo in shown and not finding.box:
            about, sure = _PHOTO, False
        else:
            continue  # of another's face, or of words about something else
        yield _Said(
            kind="answer to what the check found", about=about, photo=photo.id if photo else None,
            by=finding.resolved_by, at=finding.resolved_at, words=finding.reason, sure=sure,
        )  # fmt: skip


def _photo_of(post: Post, version: Version, finding: Finding) -> Photo | None:
    """The photo a finding is about, by its bytes; None where it is about words, or nobody can say which."""
    found = _INDEX.match(finding.field)
    if found is None:
        return None
    index, originals = int(found[1]), version.originals
    if originals is None:
        current = post.version_id == version.id and post.revision == version.revision
        return post.photos[index] if current and index < len(post.photos) else None
    wanted = originals[index] if index < len(originals) else None
    return next((photo for photo in post.photos if photo.original_sha256 == wanted), None)


def _is_alone(photo: Photo, pupil_id: int) -> bool:
    """Whether every box in the photo is this child."""
    return bool(photo.faces) and all(
        face.state == FaceState.PUPIL and face.pupil_id == pupil_id for face in photo.faces
    )
