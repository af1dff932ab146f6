"""What the decision page shows once the PIN was given: exactly what would be public, who is in it, what the checks said.

Everything public is read from the sealed version, never from the working copy. The faces come from the same rows, and
are judged by the same rules, that the decision itself asks again.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest
from gatekeeper.clock import london
from gatekeeper.errors import Conflict
from gatekeeper.people.consent import Basis, Consent, answer_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Staff
from gatekeeper.policy.limits import PEOPLE, label_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Face, Finding, Photo, Post, Version
from gatekeeper.posts.picture_rendition import map_box, whole_pixels
from gatekeeper.posts.repository import findings_of
from gatekeeper.posts.status import FaceState, FindingState
from gatekeeper.workflow.decide import post_id_of
from gatekeeper.workflow.facts import is_inside

_BASIS_WORDS = {Basis.CONSENT: "consent", Basis.PUBLIC_TASK: "public task"}
_FACE_WORDS = {
    FaceState.UNKNOWN: "Nobody has said who this is",
    FaceState.PUPIL: "Pupil",
    FaceState.STAFF: "Member of staff",
    FaceState.ADULT: "Another adult",
    FaceState.COVERED: "Covered, cannot be recognised",
    FaceState.NOT_A_FACE: "Not a face",
}
_FIELD_WORDS = {"text": "Text", "title": "Title"}


@dataclass(frozen=True, kw_only=True)
class ChannelShown:
    """One place where it would appear."""

    kind: str
    label: str
    name: str


@dataclass(frozen=True, kw_only=True)
class FaceShown:
    """One face, by the number on its photo: who it is, on what basis it may be shown, and who said so when."""

    number: int
    box: tuple[float, float, float, float] | None  # in pixels of the published picture: x, y, width, height
    state: str
    what: str
    who: str
    basis: tuple[str, ...]
    allowed: bool
    by: str
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PhotoShown:
    """One published picture with its words and the faces in it."""

    number: int
    sha256: str
    width: int
    height: int
    alt: str
    declared: str
    basis: str
    faces: tuple[FaceShown, ...]


@dataclass(frozen=True, kw_only=True)
class FindingShown:
    """One thing the checks said about the words, and the author's reason."""

    id: int
    clause: str
    severity: str
    field: str
    quote: str
    message: str
    reason: str
    by: str
    at: datetime | None
    asked: bool  # the head answers it in a sentence of their own, or it cannot be approved


@dataclass(frozen=True, kw_only=True)
class DecisionPage:
    """Everything on the page, in the order of the page."""

    request: ApprovalRequest
    post_id: int
    title: str
    author: str
    text: str
    due: datetime
    closes: datetime
    channels: tuple[ChannelShown, ...]
    photos: tuple[PhotoShown, ...]
    findings: tuple[FindingShown, ...]
    faces: dict[str, int] = field(default_factory=dict)  # how many of each kind, for the line at the top

    @property
    def against(self) -> int:
        """How many faces may not, or not any longer, be shown. A yes to them is never recorded."""
        return sum(not face.allowed for photo in self.photos for face in photo.faces)

    @property
    def same_day(self) -> bool:
        """Whether its window closes on the day it opens, so that the hour says enough."""
        return london(self.due).date() == london(self.closes).date()

    @property
    def asked(self) -> tuple[FindingShown, ...]:
        """The overrides to be answered one by one."""
        return tuple(finding for finding in self.findings if finding.asked)

    @property
    def explained(self) -> tuple[FindingShown, ...]:
        """What the author gave a reason for."""
        return tuple(one for one in self.findings if not one.asked and one.severity != "advice")

    @property
    def advice(self) -> tuple[FindingShown, ...]:
        """What may stand, and is good to know."""
        return tuple(finding for finding in self.findings if finding.severity == "advice" and not finding.asked)


def page_for(session: Session, request: ApprovalRequest, *, now: datetime) -> DecisionPage:
    """The page of one request.

    Raises:
        Conflict: the post is no longer the one that is asked about.
    """
    version = session.get_one(Version, int(request.version_ref))
    post = session.get_one(Post, post_id_of(request))
    content = Content.from_canonical(version.canonical)
    pictures = [photo.rendition_sha256 for photo in post.photos]
    if post.version_id != version.id or pictures != [photo.sha256 for photo in content.photos]:
        raise Conflict("This post was changed after you were asked. Its author has to send it to you again.")
    people = _Names(session)
    kinds = tuple(dict.fromkeys(channel.kind for channel in content.channels))
    photos = tuple(
        _photo(session, number, photo, sealed.alt, kinds=kinds, today=london(now).date(), people=people)
        for number, (photo, sealed) in enumerate(zip(post.photos, content.photos, strict=True), start=1)
    )
    accounts = {a.id: a for a in session.scalars(select(ChannelAccount))}
    counts: dict[str, int] = {}
    for face in (face for photo in photos for face in photo.faces):
        counts[face.state] = counts.get(face.state, 0) + 1
    return DecisionPage(
        request=request,
        post_id=post.id,
        title=post.title or f"Post {post.id}",
        author=people.of(request.author_id),
        text=content.text,
        due=content.due,
        closes=content.due + timedelta(minutes=content.window_minutes),
        channels=tuple(
            ChannelShown(kind=c.kind, label=label_of(c.kind), name=accounts[c.account_id].name)
            for c in content.channels
        ),
        photos=photos,
        findings=tuple(_finding(found, people) for found in findings_of(session, version.id)),
        faces=counts,
    )


def picture_of(session: Session, request: ApprovalRequest, sha256: str) -> bool:
    """Whether this picture is part of what the request asks about."""
    version = session.get_one(Version, int(request.version_ref))
    return any(photo.sha256 == sha256 for photo in Content.from_canonical(version.canonical).photos)


class _Names:
    """Names of staff by number, each read once."""

    def __init__(self, session: Session) -> None:
        self._names: dict[int, str] = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}

    def of(self, staff_id: int | None) -> str:
        return self._names.get(staff_id or 0, "")


def _photo(
    session: Session, number: int, photo: Photo, alt: str, *, kinds: tuple[str, ...], today: date, people: _Names
) -> PhotoShown:
    return PhotoShown(
        number=number,
        sha256=photo.rendition_sha256 or "",
        width=photo.rendition_width,
        height=photo.rendition_height,
        alt=alt,
        declared=PEOPLE.get(photo.people, ""),
        basis=photo.basis,
        faces=tuple(
            _face(session, index, photo, face, kinds=kinds, today=today, people=people)
            for index, face in enumerate(photo.faces, start=1)
            if is_inside(photo, face)
        ),
    )


def _face(
    session: Session,
    number: int,
    photo: Photo,
    face: Face,
    *,
    kinds: tuple[str, ...],
    today: date,
    people: _Names,
) -> FaceShown:
    state = FaceState(face.state)
    who, allowed = face.words, state is not FaceState.UNKNOWN
    basis: tuple[str, ...] = ()
    if state is FaceState.PUPIL:
        who, basis, allowed = _pupil(session, face, kinds=kinds, today=today)
    return FaceShown(
        number=number,
        box=_box(photo, face),
        state=state,
        what=_FACE_WORDS[state],
        who=who,
        basis=basis,
        allowed=allowed,
        by=people.of(face.resolved_by),
        at=face.resolved_at,
    )


def _pupil(session: Session, face: Face, *, kinds: tuple[str, ...], today: date) -> tuple[str, tuple[str, ...], bool]:
    """Who the child is, what the register answers for each kind of channel today, and whether every answer is a yes."""
    pupil = session.get(Pupil, face.pupil_id or 0)
    if pupil is None:
        return "", ("No longer on the register.",), False
    answers = {kind: answer_for(session, pupil, kind, today=today, words=label_of(kind)) for kind in kinds}
    alike: dict[str, list[str]] = {}  # the same yes for two channels is one line
    for kind, answer in answers.items():
        if answer.allowed:
            alike.setdefault(_on_record(session, answer.consent_id), []).append(label_of(kind))
    sentences = [f"May be shown on {' and '.join(labels)}{on}." for on, labels in alike.items()]
    sentences += [answer.sentence for answer in answers.values() if not answer.allowed]
    where = f" ({pupil.class_name})" if pupil.class_name else ""
    return f"{pupil.full_name}{where}", tuple(sentences), all(answer.allowed for answer in answers.values())


def _on_record(session: Session, consent_id: int | None) -> str:
    """On what basis, and since when."""
    consent = session.get(Consent, consent_id or 0)
    return f" ({_BASIS_WORDS[Basis(consent.basis)]}, recorded {_day(consent.given_on)})" if consent else ""


def _day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"


def _box(photo: Photo, face: Face) -> tuple[float, float, float, float] | None:
    cut = whole_pixels(tuple(photo.crop) if photo.crop else None, width=photo.width, height=photo.height)
    scale = photo.rendition_width / (cut[2] - cut[0])
    mapped = map_box((face.x1, face.y1, face.x2, face.y2), crop=cut, scale=scale)
    if mapped is None:
        return None
    x1, y1, x2, y2 = mapped
    return (round(x1, 1), round(y1, 1), round(x2 - x1, 1), round(y2 - y1, 1))


def _finding(finding: Finding, people: _Names) -> FindingShown:
    return FindingShown(
        id=finding.id,
        clause=finding.clause,
        severity=finding.severity,
        field=_field_words(finding.field),
        quote=finding.quote,
        message=finding.message,
        reason=finding.reason,
        by=people.of(finding.resolved_by),
        at=finding.resolved_at,
        asked=finding.severity == "block" or finding.state == FindingState.OVERRIDE,
    )


def _field_words(name: str) -> str:
    """Where on the post a finding is: "text", "images[0].alt", "images[1].file"."""
    if name.startswith("images[") and "]" in name:
        number = int(name[len("images[") : name.index("]")]) + 1
        return f"Description of photo {number}" if name.endswith("alt") else f"File name of photo {number}"
    return _FIELD_WORDS.get(name, name.capitalize())
