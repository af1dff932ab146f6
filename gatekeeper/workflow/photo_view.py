"""The photos of a post as its page shows them, each with its numbered boxes and what is known of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Staff
from gatekeeper.policy import limits, verdict
from gatekeeper.policy.verdict import FaceFacts, PhotoFacts, PostFacts
from gatekeeper.posts.model import Face, FaceAnswer, Photo, Post
from gatekeeper.posts.status import FaceState

#: (word, sign) for each state of a face, told by both and never by colour alone
FACE_WORDS: Final[dict[FaceState, tuple[str, str]]] = {
    FaceState.UNKNOWN: ("Not known yet", "?"),
    FaceState.PUPIL: ("Pupil", "✓"),
    FaceState.STAFF: ("Member of staff", "✓"),
    FaceState.ADULT: ("Another adult", "✓"),
    FaceState.COVERED: ("Covered", "■"),
    FaceState.NOT_A_FACE: ("Not a face", "–"),
}
_OUTSIDE: Final = ("Cropped away", "–")
_PUPIL_REFUSED: Final = ("Pupil, not allowed here", "!")


@dataclass(frozen=True, kw_only=True)
class FaceView:
    """One box: where it is in the upright photo's pixels, who it is said to be, and why it blocks, if it does."""

    id: int
    number: int
    state: FaceState
    word: str
    sign: str
    who: str
    x: float
    y: float
    width: float
    height: float
    against: str | None
    inside: bool
    by_hand: bool
    late: bool  # found only after covering or cropping
    can_be_no_face: bool
    answers: tuple[str, ...]  # the register's sentences, for a pupil
    history: tuple[str, ...]
    resolved_at: datetime | None

    @property
    def cleared(self) -> bool:
        """Whether it does not block."""
        return self.against is None


@dataclass(frozen=True, kw_only=True)
class PhotoView:
    """One photo with its boxes."""

    id: int
    number: int
    width: int
    height: int
    crop: tuple[int, int, int, int] | None
    alt: str
    people: str
    basis: str
    problem: str
    scanned: bool
    ready: bool  # whether what would be published has been made
    changed: bool  # whether that differs from the photo as it was taken
    faces: tuple[FaceView, ...]

    @property
    def face_count(self) -> int:
        """How many boxes there are."""
        return len(self.faces)

    @property
    def left(self) -> int:
        """How many of its faces still block."""
        return sum(not face.cleared for face in self.faces)


def photo_views(session: Session, post: Post, facts: PostFacts) -> tuple[PhotoView, ...]:
    """Every photo of the post, with what the verdict says about each of its faces."""
    return tuple(_photo(session, photo, told) for photo, told in zip(post.photos, facts.photos, strict=True))


def _photo(session: Session, photo: Photo, facts: PhotoFacts) -> PhotoView:
    crop = (photo.crop[0], photo.crop[1], photo.crop[2], photo.crop[3]) if photo.crop else None
    return PhotoView(
        id=photo.id,
        number=facts.number,
        width=photo.width,
        height=photo.height,
        crop=crop,
        alt=photo.alt,
        people=limits.PEOPLE.get(photo.people, "Not said"),
        basis=photo.basis,
        problem=photo.problem,
        scanned=facts.scanned,
        ready=photo.rendition_sha256 is not None,
        changed=crop is not None or any(face.state == FaceState.COVERED for face in photo.faces),
        faces=tuple(_face(session, face, told) for face, told in zip(photo.faces, facts.faces, strict=True)),
    )


def _face(session: Session, face: Face, facts: FaceFacts) -> FaceView:
    against = verdict.face_against(facts)
    state = FaceState(face.state)
    word, sign = FACE_WORDS[state]
    if not facts.inside:
        word, sign = _OUTSIDE
    elif state is FaceState.PUPIL and against:
        word, sign = _PUPIL_REFUSED
    return FaceView(
        id=face.id,
        number=facts.number,
        state=state,
        word=word,
        sign=sign,
        who=_pupil_words(session, face.pupil_id) or face.words,
        x=face.x1,
        y=face.y1,
        width=face.x2 - face.x1,
        height=face.y2 - face.y1,
        against=against,
        inside=facts.inside,
        by_hand=facts.by_hand,
        late=face.source == "rendition",
        can_be_no_face=not facts.by_hand and face.score < verdict.SURE_SCORE,
        answers=tuple(dict.fromkeys(sentence for _, sentence in facts.answers)),
        history=_history(session, face),
        resolved_at=face.resolved_at,
    )


def _pupil_words(session: Session, pupil_id: int | None) -> str:
    pupil = session.get(Pupil, pupil_id) if pupil_id else None
    if pupil is None:
        return ""
    return f"{pupil.full_name}, {pupil.class_name}" if pupil.class_name else pupil.full_name


def _history(session: Session, face: Face) -> tuple[str, ...]:
    """Every answer given about this face, oldest first, as sentences."""
    rows = session.execute(
        select(FaceAnswer, Staff.name)
        .join(Staff, Staff.id == FaceAnswer.by)
        .where(FaceAnswer.face_id == face.id)
        .order_by(FaceAnswer.id)
    ).all()
    lines = []
    for answer, name in rows:
        word = FACE_WORDS[FaceState(answer.state)][0] if answer.state != FaceState.UNKNOWN else "Answer taken back"
        who = _pupil_words(session, answer.pupil_id) or answer.words
        lines.append(f"{word}{f': {who}' if who else ''} – {name}")
    return tuple(lines)
