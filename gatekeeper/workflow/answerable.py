"""Which photos and boxes an author may answer for now, and what follows when a photo changes.

Everything that is said about a face, covered, cropped or made sharper goes through here: it must be the author's own
post, and the post must be with its author or being checked. Everybody else is told that there is no such thing.
"""

import hashlib
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.posts.model import Face, Photo, Post
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.own_post import own_post

P = PostState
#: states in which boxes may be answered: it was sent once, and is with its author or being checked
RESOLVABLE: Final = frozenset({P.OPEN, P.SCANNING, P.SCAN_FAILED, P.CHANGES, P.REFUSED, P.EXPIRED, P.FAILED, P.MISSED})

Box = tuple[float, float, float, float]


def answerable(post: Post) -> Post:
    """The post, if its boxes may be answered now.

    Raises:
        Conflict: it is a draft, with the headteacher, or over.
    """
    if PostState(post.state) not in RESOLVABLE:
        raise Conflict("This post is not with you at the moment. Reload the page to see where it is.")
    return post


def own_photo(session: Session, photo_id: int, by: int) -> tuple[Photo, Post]:
    """A photo of the author's own post, which is locked until the transaction ends."""
    photo = session.get(Photo, photo_id)
    if photo is None:
        raise NotFound("There is no such photo, or it is not yours to see.")
    return photo, answerable(own_post(session, photo.post_id, by))


def own_face(session: Session, face_id: int, by: int) -> tuple[Face, Post]:
    """One box of the author's own post, which is locked until the transaction ends."""
    face = session.get(Face, face_id)
    if face is None:
        raise NotFound("There is no such box, or it is not yours to see.")
    _, post = own_photo(session, face.photo_id, by)
    session.refresh(face)  # what it says now that the post is locked
    return face, post


def seen_as(photo: Photo, face: Face) -> str:
    """What a page shows of a box, by the photo's bytes and the box's corners. Numbers of rows are used again."""
    corners = ",".join(f"{side:.1f}" for side in (face.x1, face.y1, face.x2, face.y2))
    return hashlib.sha256(f"{photo.original_sha256}:{corners}".encode()).hexdigest()[:16]


def check_is_seen(face: Face, seen: str | None) -> None:
    """Refuse an answer that was given to another picture: an old window may name a number that is another face by now.

    Raises:
        Conflict: this is not the box, or not the photo, that the person was looking at.
    """
    if seen is not None and seen != seen_as(face.photo, face):
        raise Conflict("This is not the face you were looking at: the photos changed. Reload the page and look again.")


def look_again(session: Session, post: Post, photos: tuple[Photo, ...], *, by: int, now: datetime) -> None:
    """Have these photos made again and checked again: what would be published has changed."""
    touch(session, post, by=by, now=now, reason="A photo was changed.")
    for photo in photos:
        photo.rendition_sha256 = None
    post.send_when_clear = False
    move(post, P.SCANNING)
    jobs.order(session, jobs.SCAN, post.id, now=now)


def within(photo: Photo, box: Box) -> Box:
    """The box with its corners in order and within the photo."""
    (x1, x2), (y1, y2) = sorted((box[0], box[2])), sorted((box[1], box[3]))
    return (
        min(max(x1, 0.0), photo.width),
        min(max(y1, 0.0), photo.height),
        min(max(x2, 0.0), photo.width),
        min(max(y2, 0.0), photo.height),
    )


def said(text: str, name: str, *, least: int, most: int, ask: str) -> str:
    """What somebody typed, on one line and of a sensible length.

    Raises:
        BadInput: at the field `name`, asking for it.
    """
    words = " ".join(text.split())
    words = "".join(sign for sign in words if sign.isprintable())
    if len(words) < least:
        raise bad(name, ask if least <= 2 else f"{ask} At least {least} characters.")  # noqa: PLR2004
    if len(words) > most:
        raise bad(name, f"This may have {most} characters at most.")
    return words


def bad(name: str, sentence: str) -> BadInput:
    """A refusal at one field."""
    return BadInput(sentence, fields={name: sentence})
