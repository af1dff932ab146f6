"""Keeps the second verdict about a post's photos, and the joint one about names and faces, as the faces stand now.

Both depend on who was said to be in the photos, so they are drawn again at the end of a check and after every answer
about a face. Drawing them twice changes nothing; a reason that somebody wrote stays while its finding stands.
"""

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.own_rules import softened
from gatekeeper.people.school import school_settings
from gatekeeper.policy.photo_rules import (
    Person,
    PublishedPhoto,
    Region,
    Remark,
    photo_rules,
    remarks_about,
    severity_of,
)
from gatekeeper.policy.verdict import NEVER, NOBODY_CAN, is_pupil_name
from gatekeeper.posts.model import Face, Finding, Mark, Photo, PictureReading, Post, Version
from gatekeeper.posts.picture_rendition import map_box, unmap_box, whole_pixels
from gatekeeper.posts.repository import findings_of
from gatekeeper.posts.status import FaceState, FindingState
from gatekeeper.posts.wordings import wordings_of
from gatekeeper.workflow.facts import SHOWS_PUPILS, is_inside
from gatekeeper.workflow.services import Services

#: the field of a finding that speaks of a photo as a whole
_FIELD = "images[{}].photo"
_NO_PERSON = frozenset({FaceState.NOT_A_FACE})


def sync_wise(services: Services, session: Session, post: Post) -> None:
    """Bring the findings that depend on faces up to date with the faces, in the caller's transaction.

    Nothing happens while a photo waits to be made again: the check that is coming does it.
    """
    del services  # asked for like every step; the rows alone decide
    session.flush()
    version = session.get(Version, post.version_id) if post.version_id else None
    if version is None or version.revision != post.revision or any(p.rendition_sha256 is None for p in post.photos):
        return
    photos = tuple(_published(session, index, photo) for index, photo in enumerate(post.photos))
    _remark(session, post, version, photos)
    _join(session, version, photos)
    session.flush()


def _published(session: Session, index: int, photo: Photo) -> PublishedPhoto:
    cut = whole_pixels(tuple(photo.crop) if photo.crop else None, width=photo.width, height=photo.height)
    scale = photo.rendition_width / (cut[2] - cut[0])
    lines = _lines(session, photo)
    seen, where = _school_in(session, index, photo, lines)
    people = []
    for face in photo.faces:
        if not is_inside(photo, face) or face.state in _NO_PERSON:
            continue
        shown = map_box(_box(face), crop=cut, scale=scale)
        height = shown[3] - shown[1] if shown else 0.0
        people.append(Person(state=str(face.state), box=_box(face), height=height))
    return PublishedPhoto(
        index=index,
        width=photo.rendition_width,
        height=photo.rendition_height,
        people=tuple(people),
        declared_pupils=photo.people in SHOWS_PUPILS,
        words=" ".join((photo.alt, *(words for words, _ in lines))),
        school_seen=seen,
        school_box=unmap_box(where, crop=cut, scale=scale) if where else None,
    )


def _box(face: Face) -> Region:
    return (face.x1, face.y1, face.x2, face.y2)


def _lines(session: Session, photo: Photo) -> list[tuple[str, Region]]:
    """What was read in the published picture, in its pixels."""
    reading = session.scalars(
        select(PictureReading)
        .where(PictureReading.sha256 == photo.rendition_sha256)
        .order_by(PictureReading.read_at.desc())
        .limit(1)
    ).first()
    if reading is None:
        return []
    return [(str(line[4]), (line[0], line[1], line[2], line[3])) for line in reading.words]


def _school_in(
    session: Session, index: int, photo: Photo, lines: list[tuple[str, Region]]
) -> tuple[str, Region | None]:
    """By what the school can be recognised in the photo, and where: its name, its postcode, or its mark."""
    own = school_settings(session)
    names = [_plain(name) for name in (own["name"], *own["short_names"], *own["postcodes"]) if name]
    for words, box in lines:
        plain = f" {_plain(words)} "
        if any(name and f" {name} " in plain for name in names):
            return words, box
    joined = f" {_plain(' '.join(words for words, _ in lines))} "
    for name in names:
        if name and f" {name} " in joined:
            return name.title(), None
    version_id = photo.post.version_id
    marks = session.scalars(
        select(Finding.quote)
        .join(Mark, Mark.name == Finding.quote)
        .where(Finding.version_id == version_id, Finding.field == f"images[{index}].mark", Mark.owner == "school")
    )
    return (marks.first() or ""), None


def _plain(words: str) -> str:
    return " ".join("".join(sign if sign.isalnum() else " " for sign in words.casefold()).split())


def _remark(session: Session, post: Post, version: Version, photos: tuple[PublishedPhoto, ...]) -> None:
    """One row for each remark; what no longer holds is taken away, what still holds keeps its answer."""
    soft = softened(session)
    words = "\n".join((post.text, *wordings_of(post).values()))
    wanted = {
        _key(remark.rule, _FIELD.format(remark.index), remark.box, _about(post, remark)): remark
        for remark in remarks_about(photos, text=words)
        if severity_of(remark.rule, soft) != "off"
    }
    for finding in findings_of(session, version.id):
        if not finding.field.endswith(".photo"):
            continue
        remark = wanted.pop(_key(finding.rule, finding.field, finding.box, finding.about), None)
        if remark is None:
            session.delete(finding)
        else:
            finding.severity, finding.message = severity_of(remark.rule, soft), remark.message
            finding.quote = remark.quote
    earlier = _earlier(session, post, version) if wanted else {}
    for key, remark in wanted.items():
        session.add(_row(version, remark, severity_of(remark.rule, soft), _about(post, remark), earlier.get(key)))


_Key = tuple[str, str, tuple[float, ...], str]


def _key(rule: str, field: str, box: Region | list[float] | None, about: str) -> _Key:
    return (rule, field, tuple(round(float(side), 1) for side in box or ()), about)


def about_photo(photo: Photo, pupils: Sequence[int | None]) -> str:
    """A photo by its bytes, and the child a remark is about, if it is about one: as `Finding.about` keeps it."""
    return hashlib.sha256(f"{photo.original_sha256}:{list(pupils)}".encode()).hexdigest()


def _about(post: Post, remark: Remark) -> str:
    """The photo, and the child where the remark is about one: what was said of another is not carried on."""
    photo = post.photos[remark.index]
    shown = [face.pupil_id for face in photo.faces if face.state == FaceState.PUPIL and _box(face) == remark.box]
    return about_photo(photo, shown)


def _row(version: Version, remark: Remark, severity: str, about: str, kept: Finding | None) -> Finding:
    return Finding(
        version_id=version.id,
        rule=remark.rule,
        clause=photo_rules()[remark.rule].clause,
        severity=severity,
        field=_FIELD.format(remark.index),
        quote=remark.quote,
        box=list(remark.box) if remark.box else None,
        about=about,
        message=remark.message,
        state=kept.state if kept else FindingState.OPEN,
        reason=kept.reason if kept else "",
        resolved_by=kept.resolved_by if kept else None,
        resolved_at=kept.resolved_at if kept else None,
    )


def _earlier(session: Session, post: Post, version: Version) -> dict[_Key, Finding]:
    """Reasons given for the same remark about the same place of the photo in an earlier version."""
    answered = session.scalars(
        select(Finding)
        .join(Version, Version.id == Finding.version_id)
        .where(
            Version.post_id == post.id,
            Version.number < version.number,
            Finding.state != FindingState.OPEN,
            Finding.field.endswith(".photo"),
        )
        .order_by(Version.number)
    )
    return {_key(finding.rule, finding.field, finding.box, finding.about): finding for finding in answered}


def _join(session: Session, version: Version, photos: tuple[PublishedPhoto, ...]) -> None:
    """Make one matter of a pupil's name and a pupil's face, or two again when the face is covered."""
    shown = [f"photo {photo.index + 1}" for photo in photos if photo.shows_pupil]
    for finding in findings_of(session, version.id):
        if not is_pupil_name(finding.rule):
            continue
        if finding.alone is None and shown:
            finding.alone = [finding.severity, finding.message]
            # what was said of the name was not said of both together: it is asked anew
            finding.state, finding.reason = FindingState.OPEN, ""
            finding.resolved_by = finding.resolved_at = None
        if finding.alone is not None:
            if shown:
                finding.severity, finding.message = _joint(finding, shown[0])
            else:
                finding.severity, finding.message = finding.alone
                finding.alone = None


def _joint(finding: Finding, where: str) -> tuple[str, str]:
    """The severity and the sentence of a name that stands beside a face; what was true of the name alone stays true."""
    rule = photo_rules()["name-beside-face"]
    sentences = [rule.message(finding.quote, where=where)]
    if finding.field.endswith((".lettering", ".code")):
        sentences.append(photo_rules()["photo-letters"].message())
    if finding.rule.startswith(NEVER):
        sentences.append(NOBODY_CAN)
    return rule.severity, " ".join(sentences)
