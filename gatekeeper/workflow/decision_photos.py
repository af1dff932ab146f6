"""The photos of a decision page: exactly the published pictures, with every face, cover and finding at its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.consent import Basis, Consent, answer_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.policy.limits import PEOPLE, label_of
from gatekeeper.posts.model import Face, Photo, SecondLook
from gatekeeper.posts.picture_rendition import map_box, whole_pixels
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.decision_findings import FindingShown
from gatekeeper.workflow.facts import is_inside
from gatekeeper.workflow.photo_shapes import Corners, Kind, Shape, shape

_BASIS_WORDS: Final = {Basis.CONSENT: "consent", Basis.PUBLIC_TASK: "public task"}
_WORDS: Final = {
    FaceState.UNKNOWN: ("Nobody has said who this is", "?"),
    FaceState.PUPIL: ("Pupil", "✓"),
    FaceState.STAFF: ("Member of staff", "✓"),
    FaceState.ADULT: ("Another adult", "✓"),
    FaceState.COVERED: ("Covered, cannot be recognised", "■"),
    FaceState.NOT_A_FACE: ("Not a face", "–"),
}
_LINES: Final[dict[FaceState, Kind]] = {FaceState.COVERED: "covered", FaceState.NOT_A_FACE: "no-face"}


@dataclass(frozen=True, kw_only=True)
class FaceShown:
    """One face, by the number on its photo: who it is, on what basis it may be shown, and who said so when."""

    number: int
    sign: str
    corners: Corners | None  # in pixels of the published picture
    state: FaceState
    what: str
    who: str
    basis: tuple[str, ...]
    allowed: bool
    by: str
    at: datetime | None
    asked_by: str  # who asked for the second look that found no face here
    class_name: str = ""  # a pupil's
    grounds: tuple[str, ...] = ()  # on which the register says yes: consent, public task

    @property
    def is_somebody(self) -> bool:
        """Whether a person can be seen there, or might be."""
        return self.state not in {FaceState.COVERED, FaceState.NOT_A_FACE}


@dataclass(frozen=True, kw_only=True)
class PhotoShown:
    """One published picture with its words, the faces in it and what was found in it."""

    number: int
    sha256: str
    width: int
    height: int
    alt: str
    declared: str
    basis: str
    full_size: bool
    full_size_reason: str
    faces: tuple[FaceShown, ...]
    patches: tuple[tuple[str, Corners | None], ...]  # (who covered it, where)
    findings: tuple[FindingShown, ...]
    places: tuple[tuple[int, Corners], ...]  # (number of the finding, where)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What is drawn over the picture; faces last, so that they lie on top."""
        key = f"photo-{self.number}"
        patched = [
            shape("patch", f"■{number}", f"Covered part {number}", where, target=f"{key}-quiet")
            for number, (_, where) in enumerate(self.patches, start=1)
            if where
        ]
        found = [
            shape("finding", f"{number}!", f"Finding {number}", where, target=f"finding-{number}")
            for number, where in self.places
        ]
        faces = [
            shape(
                "open" if not face.allowed else _LINES.get(face.state, "cleared"),
                f"{face.number}{face.sign}",
                f"Face {face.number}: {face.what}",
                face.corners,
                target=f"{key}-face-{face.number}" if face.is_somebody else f"{key}-quiet",
            )
            for face in sorted(self.faces, key=lambda one: not one.allowed)
            if face.corners
        ]
        return (*patched, *found, *faces)

    @property
    def people(self) -> tuple[FaceShown, ...]:
        """The faces that can be seen."""
        return tuple(face for face in self.faces if face.is_somebody)

    @property
    def quiet(self) -> tuple[FaceShown, ...]:
        """Boxes in which nobody can be recognised."""
        return tuple(face for face in self.faces if not face.is_somebody)

    @property
    def covered(self) -> int:
        """How many faces are covered."""
        return sum(face.state is FaceState.COVERED for face in self.faces)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the photos are judged by: the channels, the day, the names of staff, and what was found."""

    kinds: Sequence[str]
    today: date
    names: Mapping[int, str]
    findings: Sequence[FindingShown]


def photo_shown(session: Session, number: int, photo: Photo, alt: str, asked: Asked) -> PhotoShown:
    """One photo as it would be published; `alt` is the sealed description."""
    about = tuple(one for one in asked.findings if one.photo == number)
    return PhotoShown(
        number=number,
        sha256=photo.rendition_sha256 or "",
        width=photo.rendition_width,
        height=photo.rendition_height,
        alt=alt,
        declared=PEOPLE.get(photo.people, ""),
        basis=photo.basis,
        full_size=photo.full_size,
        full_size_reason=photo.full_size_reason,
        faces=tuple(
            _face(session, index, photo, face, asked)
            for index, face in enumerate(photo.faces, start=1)
            if is_inside(photo, face)
        ),
        patches=tuple(
            (asked.names.get(patch.placed_by, ""), _published(photo, (patch.x1, patch.y1, patch.x2, patch.y2)))
            for patch in photo.patches
        ),
        findings=about,
        places=tuple((one.number, where) for one in about if one.box and (where := _published(photo, one.box))),
    )


def _face(session: Session, number: int, photo: Photo, face: Face, asked: Asked) -> FaceShown:
    state = FaceState(face.state)
    child = _pupil(session, face, asked) if state is FaceState.PUPIL else None
    allowed = child.allowed if child else state is not FaceState.UNKNOWN
    what, sign = _WORDS[state]
    return FaceShown(
        number=number,
        sign=sign if allowed else "!",
        corners=_published(photo, (face.x1, face.y1, face.x2, face.y2)),
        state=state,
        what=what,
        who=child.who if child else face.words,
        basis=child.sentences if child else (),
        allowed=allowed,
        by=asked.names.get(face.resolved_by or 0, ""),
        at=face.resolved_at,
        asked_by=_asked_by(session, face, asked.names) if state is FaceState.NOT_A_FACE else "",
        class_name=child.class_name if child else "",
        grounds=child.grounds if child else (),
    )


def _asked_by(session: Session, face: Face, names: Mapping[int, str]) -> str:
    """Who asked the second person who saw no face there; empty where its author could say so alone."""
    confirmed = select(SecondLook.asked_by).where(SecondLook.face_id == face.id, SecondLook.no_face.is_(True))
    return names.get(session.scalars(confirmed.order_by(SecondLook.id.desc())).first() or 0, "")


@dataclass(frozen=True, kw_only=True)
class _Child:
    """What the register says of one pupil today, for the channels that are asked about."""

    who: str
    class_name: str
    sentences: tuple[str, ...]
    grounds: tuple[str, ...]
    allowed: bool


def _pupil(session: Session, face: Face, asked: Asked) -> _Child:
    """Who the child is, what the register answers for each kind of channel today, and whether every answer is a yes."""
    pupil = session.get(Pupil, face.pupil_id or 0)
    if pupil is None:
        return _Child(who="", class_name="", sentences=("No longer on the register.",), grounds=(), allowed=False)
    answers = {kind: answer_for(session, pupil, kind, today=asked.today, words=label_of(kind)) for kind in asked.kinds}
    records = {kind: session.get(Consent, answer.consent_id or 0) for kind, answer in answers.items()}
    alike: dict[str, list[str]] = {}  # the same yes for two channels is one line
    for kind, answer in answers.items():
        if answer.allowed:
            alike.setdefault(_on_record(records[kind]), []).append(label_of(kind))
    sentences = [f"May be shown on {' and '.join(labels)}{on}." for on, labels in alike.items()]
    sentences += [answer.sentence for answer in answers.values() if not answer.allowed]
    where = f" ({pupil.class_name})" if pupil.class_name else ""
    return _Child(
        who=f"{pupil.full_name}{where}",
        class_name=pupil.class_name or "",
        sentences=tuple(sentences),
        grounds=tuple(dict.fromkeys(_BASIS_WORDS[Basis(one.basis)] for one in records.values() if one)),
        allowed=all(answer.allowed for answer in answers.values()),
    )


def _on_record(consent: Consent | None) -> str:
    """On what basis, and since when."""
    return f" ({_BASIS_WORDS[Basis(consent.basis)]}, recorded {_day(consent.given_on)})" if consent else ""


def _day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"


def _published(photo: Photo, corners: Corners) -> Corners | None:
    """A box of the upright photo as it lies in the published picture; None where it was cropped away."""
    cut = whole_pixels(tuple(photo.crop) if photo.crop else None, width=photo.width, height=photo.height)
    return map_box(corners, crop=cut, scale=photo.rendition_width / (cut[2] - cut[0]))
