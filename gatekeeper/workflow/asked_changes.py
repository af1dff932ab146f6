"""What was asked of an author, at its place in what was asked about, and what the author answers to each of it.

A mark speaks of the version that was decided about, so its words are shown in that version's text. A face is shown on
the photo as it is now, because a face that was covered since is the very thing that was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from approvals.statements import tidy
from approvals.tables import ApprovalRequest, Decision, Verdict
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import Staff, record
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChangeReply, Photo, Post, Version
from gatekeeper.posts.places import Place
from gatekeeper.posts.status import EDITABLE, PostState
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.own_post import own_post
from gatekeeper.workflow.photo_shapes import Shape, shape
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.submit import HELD

LONGEST_REPLY: Final = 1_000
#: the number under which the statement itself is answered; marks begin with 1
STATEMENT: Final = 0
_ONE_SITTING: Final = timedelta(minutes=5)
_ASKING: Final = (Verdict.CHANGES, Verdict.REFUSE)
_SENT: Final = "These answers were sent to the headteacher with the post, so they stay as they are."


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One thing that was asked for: the statement as a whole (number 0) or a mark.

    Attributes:
        label: the place as staff call it; empty for the statement.
        quote: the words that were marked.
        jump: where on the author's pages it is mended: "text", "wording_7", "photo-12", "face-34", "due_date" or "channels".
        gone: why it cannot be shown any more, where it cannot.
        reply: what the author answered.
    """

    number: int
    kind: str
    label: str
    quote: str
    words: str
    jump: str
    gone: str
    reply: str
    replied_at: datetime | None


@dataclass(frozen=True)
class AskedPassage:
    """A text of that version, cut where marks begin and end; each run carries the numbers of the marks on it."""

    label: str
    runs: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class AskedPhoto:
    """A photo that was pointed at, as it is now, with the faces that were."""

    id: int
    number: int
    alt: str
    width: int
    height: int
    crop: tuple[int, int, int, int] | None
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One time that changes were asked for, or the post was refused, with everything said about it."""

    decision_id: str
    verdict: Verdict
    who: str
    at: datetime
    version: int
    asked: tuple[Asked, ...]
    passages: tuple[AskedPassage, ...]
    photos: tuple[AskedPhoto, ...]
    erased: bool  # its words were removed when their time was over
    newest: bool  # nobody was asked again since
    can_answer: bool

    @property
    def answered(self) -> int:
        """How many answers there are."""
        return sum(bool(one.reply) for one in self.asked)

    @property
    def said(self) -> str:
        """The statement."""
        return next((one.words for one in self.asked if one.number == STATEMENT), "")

    @property
    def marks(self) -> tuple[Asked, ...]:
        """What was marked."""
        return tuple(one for one in self.asked if one.number != STATEMENT)


def exchanges_of(session: Session, post: Post, *, by: int) -> tuple[Exchange, ...]:
    """Every time something was asked of this post's author, the last first. Only for whoever may read its words."""
    names = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
    newest = session.scalar(select(func.max(ApprovalRequest.opened_seq)).where(_about(post))) or 0
    found = session.scalars(
        select(Decision)
        .where(Decision.subject == subject_of(post.id), Decision.verdict.in_(_ASKING))
        .order_by(Decision.ledger_seq.desc())
    )
    return tuple(
        _exchange(session, post, decision, names, newest=decision.ledger_seq > newest, by=by) for decision in found
    )


def open_exchange(session: Session, post: Post, *, by: int) -> Exchange | None:
    """What is asked of the author at this moment."""
    return next((one for one in exchanges_of(session, post, by=by) if one.newest), None)


def asked_now(services: Services, post_id: int, by: int) -> Exchange | None:
    """What is asked of this author at this moment, for the form of their own post.

    Raises:
        NotFound: there is no such post, or it is somebody else's.
    """
    with services.db.read() as session:
        return open_exchange(session, own_post(session, post_id, by), by=by)


def answer(services: Services, post_id: int, by: int, *, decision_id: str, replies: Mapping[int, str]) -> None:
    """Keep the author's answers: number of the mark -> a sentence. An empty one takes an earlier answer back.

    Raises:
        NotFound: it is somebody else's post, or nothing of the kind was asked.
        Conflict: the answers have gone to the headteacher.
        BadInput: an answer is far too long.
    """
    now = services.clock.now()
    with services.step() as session:
        post = own_post(session, post_id, by)
        exchange = next((one for one in exchanges_of(session, post, by=by) if one.decision_id == decision_id), None)
        if exchange is None:
            raise NotFound("Nothing of the kind was asked about this post.")
        asked = {one.number: one for one in exchange.asked}
        wanted = {number: tidy(words) for number, words in replies.items() if number in asked}
        changed = {number: words for number, words in wanted.items() if words != asked[number].reply}
        if not changed:
            return
        if not exchange.can_answer:
            raise Conflict(_SENT)
        if fields := {f"reply-{n}": _too_long(w) for n, w in changed.items() if len(w) > LONGEST_REPLY}:
            raise BadInput("An answer is too long.", fields=fields)
        for number, words in changed.items():
            _keep(session, post, decision_id, number, words, by=by, now=now)
        if told := sorted(number for number, words in changed.items() if _is_news(asked[number], words, now=now)):
            detail = {"decision": decision_id, "marks": told}
            record(session, at=now, staff_id=by, action="change.answered", subject=subject_of(post.id), detail=detail)


def replies_to(session: Session, decision_id: str) -> dict[int, ChangeReply]:
    """The author's answers to one decision, by the number of the mark."""
    found = session.scalars(select(ChangeReply).where(ChangeReply.decision_id == decision_id))
    return {reply.mark: reply for reply in found}


def asked_in(decision: Decision, content: Content, replies: Mapping[int, ChangeReply]) -> tuple[Asked, ...]:
    """The statement and the marks of a decision with their answers, without where they are mended."""
    told = [_asked(STATEMENT, None, content, decision.statement or "", replies)] if decision.statement else []
    for number, mark in enumerate(decision.marks or [], start=1):
        told.append(_asked(number, Place.read(mark["where"]), content, mark["words"], replies))
    return tuple(told)


def _is_news(asked: Asked, words: str, *, now: datetime) -> bool:
    """Whether it is an event of its own: while somebody types, the form saves every few seconds."""
    return not words or asked.replied_at is None or now - asked.replied_at >= _ONE_SITTING


def _too_long(words: str) -> str:
    return f"This has {len(words):,} characters; {LONGEST_REPLY:,} is the most."


def _about(post: Post) -> ColumnElement[bool]:
    return ApprovalRequest.subject == subject_of(post.id)


def _keep(session: Session, post: Post, decision_id: str, number: int, words: str, *, by: int, now: datetime) -> None:
    earlier = replies_to(session, decision_id).get(number)
    if earlier is not None and not words:
        session.delete(earlier)
    elif earlier is not None:
        earlier.words, earlier.by, earlier.at = words, by, now
    elif words:
        session.add(ChangeReply(post_id=post.id, decision_id=decision_id, mark=number, words=words, by=by, at=now))
    session.flush()


def _exchange(
    session: Session, post: Post, decision: Decision, names: Mapping[int, str], *, newest: bool, by: int
) -> Exchange:
    version = session.get_one(Version, int(decision.version_ref))
    content = Content.from_canonical(version.canonical)
    asked = asked_in(decision, content, replies_to(session, decision.id))
    photos = _photos_now(post, version, content)
    state = PostState(post.state)
    return Exchange(
        decision_id=decision.id,
        verdict=Verdict(decision.verdict),
        who=names.get(decision.approver_id, "The headteacher"),
        at=decision.decided_at,
        version=version.number,
        asked=tuple(_placed(one, decision, photos) for one in asked),
        passages=_passages(decision, content),
        photos=_pointed_at(decision, photos),
        erased=decision.text_salt is None,
        newest=newest,
        can_answer=newest and post.author_id == by and state in EDITABLE - HELD,
    )


def _asked(number: int, place: Place | None, content: Content, words: str, replies: Mapping[int, ChangeReply]) -> Asked:
    reply = replies.get(number)
    return Asked(
        number=number,
        kind=place.kind if place else "",
        label=place.label if place else "",
        quote=place.words(content) if place else "",
        words=words,
        jump="",
        gone="",
        reply=reply.words if reply else "",
        replied_at=reply.at if reply else None,
    )


def _place_of(asked: Asked, decision: Decision) -> Place | None:
    marks = decision.marks or []
    return Place.read(marks[asked.number - 1]["where"]) if 0 < asked.number <= len(marks) else None


def _placed(asked: Asked, decision: Decision, photos: Mapping[int, Photo]) -> Asked:
    """The same with the place where it is mended, or why there is none."""
    place = _place_of(asked, decision)
    if place is None:
        return asked
    jump, gone = {"text": "text", "time": "due_date", "channels": "channels"}.get(place.kind, ""), ""
    if place.kind == "wording":
        jump = f"wording_{place.account}"
    if place.photo:
        photo = photos.get(place.photo)
        jump = f"photo-{photo.id}" if photo else ""
        gone = "" if photo else "This photo is no longer in the post."
        if photo and place.kind == "face":
            there = place.face <= len(photo.faces)
            jump = f"face-{photo.faces[place.face - 1].id}" if there else jump
            gone = "" if there else "This box is no longer on the photo."
    return replace(asked, jump=jump, gone=gone)


def _photos_now(post: Post, version: Version, content: Content) -> dict[int, Photo]:
    """Which photo of the working copy each photo of that version is, by its number then."""
    by_original = {photo.original_sha256: photo for photo in post.photos}
    by_picture = {photo.rendition_sha256: photo for photo in post.photos if photo.rendition_sha256}
    found = {}
    for number, sealed in enumerate(content.photos, start=1):
        original = version.originals[number - 1] if version.originals else None
        photo = by_original.get(original) if original else by_picture.get(sealed.sha256)
        if photo is not None:
            found[number] = photo
    return found


def _marked(decision: Decision) -> list[tuple[int, Place]]:
    marks = enumerate(decision.marks or [], start=1)
    return [(number, place) for number, mark in marks if (place := Place.read(mark["where"]))]


def _passages(decision: Decision, content: Content) -> tuple[AskedPassage, ...]:
    spans: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for number, place in _marked(decision):
        if whole := place.whole(content):
            spans.setdefault((place.label, whole), []).append((place.start, place.end, number))
    return tuple(AskedPassage(label, _runs(whole, found)) for (label, whole), found in spans.items())


def _runs(whole: str, spans: Sequence[tuple[int, int, int]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    cuts = sorted({0, len(whole), *(cut for start, end, _ in spans for cut in (start, end) if cut <= len(whole))})
    return tuple(
        (whole[start:end], tuple(number for first, last, number in spans if first <= start and end <= last))
        for start, end in pairwise(cuts)
    )


def _pointed_at(decision: Decision, photos: Mapping[int, Photo]) -> tuple[AskedPhoto, ...]:
    """Each photo on which a face, or the whole of it, was marked."""
    places = [(number, place) for number, place in _marked(decision) if place.kind in {"photo", "face"}]
    return tuple(
        _pointed(photo, number, [(mark, place) for mark, place in places if place.photo == number])
        for number, photo in photos.items()
        if any(place.photo == number for _, place in places)
    )


def _pointed(photo: Photo, number: int, marks: Sequence[tuple[int, Place]]) -> AskedPhoto:
    shapes = []
    for mark, place in marks:
        if place.kind == "face" and place.face <= len(photo.faces):
            face = photo.faces[place.face - 1]
            shapes.append(
                shape("open", f"{place.face}✎", f"Face {place.face}, mark {mark}", (face.x1, face.y1, face.x2, face.y2))
            )
    crop = (photo.crop[0], photo.crop[1], photo.crop[2], photo.crop[3]) if photo.crop else None
    return AskedPhoto(
        id=photo.id,
        number=number,
        alt=photo.alt,
        width=photo.width,
        height=photo.height,
        crop=crop,
        shapes=tuple(shapes),
    )
