"""Writes down what a person said about one face: on the box, in its history, and in the audit."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.staff import record
from gatekeeper.posts.model import Face, FaceAnswer, SecondLook
from gatekeeper.posts.status import FaceState


def write_answer(
    session: Session,
    face: Face,
    state: FaceState,
    *,
    by: int,
    now: datetime,
    pupil_id: int | None = None,
    words: str = "",
) -> None:
    """Give the face its answer. Whatever was asked of a second person about it is thereby over."""
    for look in session.scalars(select(SecondLook).where(SecondLook.face_id == face.id)):
        look.closed_at = look.closed_at or now
        if state is not FaceState.NOT_A_FACE and look.no_face:
            look.no_face = None  # what the second person confirmed was taken back: it confirms nothing any more
    face.state, face.pupil_id, face.words = state, pupil_id, words
    face.resolved_by, face.resolved_at = (None, None) if state is FaceState.UNKNOWN else (by, now)
    session.add(FaceAnswer(face_id=face.id, state=state, pupil_id=pupil_id, words=words, by=by, at=now))
    about = {"post": face.photo.post_id}
    record(session, at=now, staff_id=by, action="face.answered", subject=f"face:{face.id}", detail=about)
