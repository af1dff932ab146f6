"""The photos of a post as its page shows them, each with its numbered boxes and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Staff
from gatekeeper.policy import limits, verdict
from gatekeeper.policy.verdict import FaceFacts, PhotoFacts, PostFacts
from gatekeeper.posts.model import Face, FaceAnswer, Finding, Patch, Photo, Post, SecondLook
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.answerable import seen_as
from gatekeeper.workflow.photo_findings import PhotoFinding, photo_findings
from gatekeeper.workflow.photo_shapes import Kind, Shape, shape
from gatekeeper.workflow.suggest import Suggestion, suggestions_for
from gatekeeper.workflow.words_view import FindingView

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
_LINES: Final[dict[FaceState, Kind]] = {FaceState.COVERED: "covered", FaceState.NOT_A_FACE: "no-face"}


@dataclass(frozen=True, kw_only=True)
class LookView:
    """What became of the question to a second person about one box."""

    open: bool
    asked_at: datetime
    saw_a_face: bool
    answered_by: str


@dataclass(frozen=True, kw_only=True)
class PatchView:
    """One part that is covered and is no face."""

    id: int
    number: int
    placed_by: str
    corners: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class FaceView:
    """One box: where it is in the upright photo's pixels, who it is said to be, and why it blocks, if it does."""

    id: int
    number: int
    seen: str  # this box of this photo's bytes; an answer is for it and for no other
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
    can_be_no_face: bool  # its author may say so alone
    can_ask_second: bool  # ... or may ask a second person, because the check is sure
    look: LookView | None
    suggestions: tuple[Suggestion, ...]
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
    original_gone_at: datetime | None  # since when only the published picture is kept
    ready: bool  # whether what would be published has been made
    changed: bool  # whether that differs from the photo as it was taken
    public_width: int  # of what would be published
    public_height: int
    full_size: bool
    full_size_reason: str
    classes: tuple[str, ...]
    faces: tuple[FaceView, ...]
    patches: tuple[PatchView, ...]
    findings: tuple[PhotoFinding, ...]

    @property
    def face_count(self) -> int:
        """How many boxes there are."""
        return len(self.faces)

    @property
    def left(self) -> int:
        """How many of its faces still block."""
        return sum(not face.cleared for face in self.faces)

    @property
    def shows_people(self) -> bool:
        """Whether a face can be seen in what would be published, so that it is published smaller by itself."""
        return any(face.inside and face.state not in {FaceState.COVERED, FaceState.NOT_A_FACE} for face in self.faces)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What is drawn over the whole photo; faces last, so that they lie on top."""
        found = [
            shape("finding", f"{one.finding.number}!", f"Finding {one.finding.number}: {one.finding.place}",
                  one.box, target=f"seen-{one.finding.id}")
            for one in self.findings if one.box and one.face_id is None
        ]  # fmt: skip
        patched = [
            shape(
                "patch", f"■{patch.number}", f"Covered part {patch.number}", patch.corners, target=f"patch-{patch.id}"
            )
            for patch in self.patches
        ]
        faces = [
            shape(_line(face), f"{face.number}{face.sign}", f"Face {face.number}: {face.word}",
                  (face.x, face.y, face.x + face.width, face.y + face.height), target=f"face-{face.id}")
            for face in sorted(self.faces, key=lambda face: face.against is not None)
        ]  # fmt: skip
        return (*patched, *found, *faces)


def _line(face: FaceView) -> Kind:
    if not face.inside:
        return "away"
    return "open" if face.against else _LINES.get(face.state, "cleared")


def photo_views(
    session: Session,
    post: Post,
    facts: PostFacts,
    *,
    findings: Sequence[FindingView] = (),
    rows: Sequence[Finding] = (),
) -> tuple[PhotoView, ...]:
    """Every photo of the post, with what the verdict says about each of its faces, and what was found in it.

    Args:
        findings: the page's findings; `rows` are the same as they are stored.
    """
    about = _About(session, [face.id for photo in post.photos for face in photo.faces])
    return tuple(
        _photo(session, photo, told, about, photo_findings(photo, findings, rows))
        for photo, told in zip(post.photos, facts.photos, strict=True)
    )


class _About:
    """What is asked once for all boxes of a post."""

    def __init__(self, session: Session, face_ids: Sequence[int]) -> None:
        self.suggestions = suggestions_for(session, face_ids)
        looks = session.execute(
            select(SecondLook, Staff.name)
            .outerjoin(Staff, Staff.id == SecondLook.answered_by)
            .where(SecondLook.face_id.in_(face_ids))
            .order_by(SecondLook.id)
        )
        self.looks = {look.face_id: (look, name or "") for look, name in looks}  # the newest of each


def _photo(
    session: Session, photo: Photo, facts: PhotoFacts, about: _About, findings: tuple[PhotoFinding, ...]
) -> PhotoView:
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
        changed=crop is not None or bool(photo.patches) or any(face.state == FaceState.COVERED for face in photo.faces),
        public_width=photo.rendition_width,
        public_height=photo.rendition_height,
        original_gone_at=photo.original_gone_at,
        full_size=photo.full_size,
        full_size_reason=photo.full_size_reason,
        classes=tuple(photo.classes),
        faces=tuple(_face(session, face, told, about) for face, told in zip(photo.faces, facts.faces, strict=True)),
        patches=tuple(_patch(session, patch, number) for number, patch in enumerate(photo.patches, start=1)),
        findings=findings,
    )


def _patch(session: Session, patch: Patch, number: int) -> PatchView:
    return PatchView(
        id=patch.id,
        number=number,
        placed_by=session.get_one(Staff, patch.placed_by).name,
        corners=(patch.x1, patch.y1, patch.x2, patch.y2),
    )


def _look(about: _About, face_id: int) -> LookView | None:
    if face_id not in about.looks:
        return None
    look, name = about.looks[face_id]
    if look.closed_at is not None and look.answered_by is None:
        return None  # taken back before anybody looked
    return LookView(
        open=look.closed_at is None, asked_at=look.asked_at, saw_a_face=look.no_face is False, answered_by=name
    )


def _face(session: Session, face: Face, facts: FaceFacts, about: _About) -> FaceView:
    sure = face.score >= verdict.SURE_SCORE
    look = _look(about, face.id)
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
        seen=seen_as(face.photo, face),
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
        can_be_no_face=not facts.by_hand and not sure,
        can_ask_second=not facts.by_hand and sure and not (look and (look.open or look.saw_a_face)),
        look=look,
        suggestions=tuple(about.suggestions.get(face.id, ())),
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
