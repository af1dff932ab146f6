"""A second person's look at a box in which a detector is sure of a face.

Where the check is sure, its author alone never says "there is no face": a child who was missed that way would be
published. The box goes on blocking until somebody else who may see pupils' photos has looked at it. They are shown that
one box with a little around it, and nothing else of the post.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.errors import Conflict, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.policy import verdict
from gatekeeper.posts.media import decode, render
from gatekeeper.posts.model import Face, Photo, Post, SecondLook
from gatekeeper.posts.repository import post_for_update
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.workflow.answerable import RESOLVABLE, bad, check_is_seen, own_face, seen_as
from gatekeeper.workflow.face_answer import write_answer
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.wise import sync_wise

#: who may be asked; a line manager for the people they manage, so that no more staff than needed see a pupil's photo
ANSWERERS: Final = frozenset({Role.HEADTEACHER, Role.DEPUTY, Role.CONSENT_LEAD, Role.LINE_MANAGER})
#: a post may be worked on meanwhile: its answers belong to the photo and not to its words
_STILL_ASKED: Final = RESOLVABLE | {PostState.DRAFT}
_AROUND: Final = 1.2  # times the longer side of the box, on every side of it
_NONE: Final = "There is no such question, or it is not yours to answer."
_ANSWERED: Final = "This question is closed: it was answered or taken back, or the photo is gone."


@dataclass(frozen=True, kw_only=True)
class LookAsked:
    """One box that waits for a second person. The box lies in the part that is shown: x1, y1, x2, y2."""

    id: int
    seen: str  # this box of this photo's bytes; an answer is for it and for no other
    asked_by: str
    asked_at: datetime
    width: int
    height: int
    box: tuple[float, float, float, float]


def ask(services: Services, face_id: int, *, by: int) -> None:
    """Ask that a second person looks at this box. It blocks until they have.

    Raises:
        BadInput: it is no box that needs this, or somebody has looked and saw a face.
        Conflict: it was answered, or the post is not with its author.
    """
    now = services.clock.now()
    with services.step() as session:
        face, post = own_face(session, face_id, by)
        if face.source == "hand" or face.score < verdict.SURE_SCORE:
            raise bad("state", "You can answer this one yourself.")
        if face.state != FaceState.UNKNOWN:
            raise Conflict("This face was answered. Take the answer back first.")
        looks = _looks_at(session, face_id)
        if any(look.no_face is False for look in looks):
            raise bad("state", "Somebody has looked and saw a face. Say who it is, cover it, or crop it away.")
        if not any(look.closed_at is None for look in looks):
            session.add(SecondLook(face_id=face_id, asked_by=by, asked_at=now))
            about = {"post": post.id}
            record(session, at=now, staff_id=by, action="second_look.asked", subject=f"face:{face_id}", detail=about)


def take_back(services: Services, face_id: int, *, by: int) -> None:
    """Ask nobody any more."""
    now = services.clock.now()
    with services.step() as session:
        _, post = own_face(session, face_id, by)
        for look in _looks_at(session, face_id):
            if look.closed_at is None:
                look.closed_at = now
                record(
                    session, at=now, staff_id=by, action="second_look.taken_back", subject=f"face:{face_id}",
                    detail={"post": post.id},
                )  # fmt: skip


def answer(services: Services, look_id: int, *, by: Staff, no_face: bool, seen: str | None = None) -> None:
    """Say what a second person saw. Only "there is no face here" changes the box.

    Args:
        seen: the picture and box the answer was given to, as the page had them (`seen_as`).

    Raises:
        NotFound: there is no such question for this person; nobody answers their own.
        Conflict: it is closed, or this is not the box that the person was looking at.
    """
    now = services.clock.now()
    with services.step() as session:
        look, _, post = _found(session, look_id, by)
        post = post_for_update(session, post.id)
        session.refresh(look)
        face = session.get_one(Face, look.face_id, populate_existing=True)
        if not _is_asked(look, face, post):
            raise Conflict(_ANSWERED)
        check_is_seen(face, seen)
        look.no_face, look.answered_by, look.answered_at, look.closed_at = no_face, by.id, now, now
        if no_face:
            write_answer(session, face, FaceState.NOT_A_FACE, by=by.id, now=now)
            sync_wise(services, session, post)
        detail = {"post": post.id, "no_face": no_face}
        record(session, at=now, staff_id=by.id, action="second_look.answered", subject=f"face:{face.id}", detail=detail)


def waiting_for(services: Services, by: Staff) -> tuple[LookAsked, ...]:
    """The boxes this person may look at now, the longest asked first."""
    with services.db.read() as session:
        rows = session.scalars(select(SecondLook).where(SecondLook.closed_at.is_(None)).order_by(SecondLook.id))
        found = []
        for look in rows:
            face = session.get_one(Face, look.face_id)
            photo = session.get_one(Photo, face.photo_id)
            post = session.get_one(Post, photo.post_id)
            asker = session.get_one(Staff, look.asked_by)
            if _may_answer(by, asker) and _is_asked(look, face, post):
                x1, y1, x2, y2 = _surroundings(photo, face)
                found.append(
                    LookAsked(
                        id=look.id,
                        seen=seen_as(photo, face),
                        asked_by=asker.name,
                        asked_at=look.asked_at,
                        width=x2 - x1,
                        height=y2 - y1,
                        box=(face.x1 - x1, face.y1 - y1, face.x2 - x1, face.y2 - y1),
                    )
                )
        return tuple(found)


def picture_of(services: Services, look_id: int, *, by: Staff) -> bytes:
    """The box with a little around it, as a JPEG. Nothing else of the photo is handed out.

    Raises:
        NotFound: there is no such question for this person, or it is closed.
    """
    with services.db.read() as session:
        look, photo, post = _found(session, look_id, by)
        face = session.get_one(Face, look.face_id)
        if not _is_asked(look, face, post) or photo.preview_sha256 is None:
            raise NotFound(_NONE)
        part, digest, width = _surroundings(photo, face), photo.preview_sha256, photo.width
    shown = decode(services.media.read(digest))
    scale = shown.width / width
    x1, y1, x2, y2 = (side * scale for side in part)
    return render(shown.pixels, crop=(x1, y1, x2, y2)).data


def _found(session: Session, look_id: int, by: Staff) -> tuple[SecondLook, Photo, Post]:
    look = session.get(SecondLook, look_id)
    if look is None or not _may_answer(by, session.get_one(Staff, look.asked_by)):
        raise NotFound(_NONE)
    photo = session.get_one(Photo, session.get_one(Face, look.face_id).photo_id)
    return look, photo, session.get_one(Post, photo.post_id)


def _may_answer(person: Staff, asker: Staff) -> bool:
    role = Role(person.role)
    if person.id == asker.id or role not in ANSWERERS:
        return False
    return role is not Role.LINE_MANAGER or asker.line_manager_id == person.id


def _is_asked(look: SecondLook, face: Face, post: Post) -> bool:
    return look.closed_at is None and face.state == FaceState.UNKNOWN and PostState(post.state) in _STILL_ASKED


def _looks_at(session: Session, face_id: int) -> list[SecondLook]:
    return list(session.scalars(select(SecondLook).where(SecondLook.face_id == face_id)))


def _surroundings(photo: Photo, face: Face) -> tuple[int, int, int, int]:
    around = max(face.x2 - face.x1, face.y2 - face.y1) * _AROUND
    return (
        max(round(face.x1 - around), 0),
        max(round(face.y1 - around), 0),
        min(round(face.x2 + around), photo.width),
        min(round(face.y2 + around), photo.height),
    )
