"""Keeps what somebody may still have to answer for: nothing under a hold is purged, whatever its age.

A hold is placed under a case, on the case itself, on a post, or on a pupil. One on a case holds the post it is about;
one on a pupil holds their register rows and every post that shows them or may name them. Whether a word is the name is
asked generously: something kept a little longer does no harm that losing it would not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, Text, cast, false, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from approvals import ledger
from gatekeeper.cases.model import Case, LegalHold
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.model import Face, FaceAnswer, Photo, Post, Version
from gatekeeper.workflow.services import Services

MAY_HOLD: Final = frozenset({Role.HEADTEACHER, Role.ADMINISTRATOR, Role.CONSENT_LEAD})
KINDS: Final[Mapping[str, type[Case | Post | Pupil]]] = {"case": Case, "post": Post, "pupil": Pupil}
LONGEST_REASON: Final = 1000
_SHORTEST_REASON: Final = 10
_HIGHEST: Final = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class HoldLine:
    """One hold as a page shows it."""

    id: int
    case_id: int
    subject: str
    reason: str
    placed_by: int
    placed_at: datetime
    ended_by: int | None
    ended_at: datetime | None


def is_held(session: Session, subject: str) -> bool:
    """Whether anything stands against purging "case:3", "post:12" or "pupil:7"."""
    kind, number = _read(subject)
    if kind == "post":
        held = held_post(session, among=(number,))
    else:
        held = held_case(session) if kind == "case" else held_pupil(session)
    return session.scalar(select(KINDS[kind].id).where(KINDS[kind].id == number, held)) is not None


def held_case(session: Session) -> ColumnElement[bool]:
    """Of a case: whether it is held, or something is held under it."""
    under = select(LegalHold.case_id).where(LegalHold.ended_at.is_(None))
    return or_(Case.id.in_(_subjects(session, "case")), Case.id.in_(under))


def held_pupil(session: Session) -> ColumnElement[bool]:
    """Of a pupil: whether their data is held."""
    return Pupil.id.in_(_subjects(session, "pupil"))


def held_post(session: Session, *, among: Sequence[int] | None = None) -> ColumnElement[bool]:
    """Of a post: whether it is held itself, by the case it is about, or by a pupil in it.

    `among`: only these are asked about, which is quick.
    """
    about = select(Case.post_id).where(Case.post_id.is_not(None), held_case(session))
    return or_(
        Post.id.in_(_subjects(session, "post")), Post.id.in_(about), _shows_or_names(_held_pupils(session), among)
    )


def holds(session: Session, *, case_id: int | None = None, standing: bool = True) -> list[HoldLine]:
    """The holds, the newest first; only those that stand, or all."""
    query = select(LegalHold).order_by(LegalHold.id.desc())
    if standing:
        query = query.where(LegalHold.ended_at.is_(None))
    if case_id is not None:
        query = query.where(LegalHold.case_id == case_id)
    return [
        HoldLine(
            id=one.id,
            case_id=one.case_id,
            subject=one.subject,
            reason=one.reason,
            placed_by=one.placed_by,
            placed_at=one.placed_at,
            ended_by=one.ended_by,
            ended_at=one.ended_at,
        )
        for one in session.scalars(query)
    ]


def place(services: Services, *, case_id: int, subject: str, reason: str, by: Staff) -> int:
    """Hold a case, a post or a pupil's data under a case; the hold's number is given back.

    Raises:
        NotAllowed: this person may not.
        BadInput: no reason, or there is no such case, post or pupil.
        Conflict: it is held under this case already.
    """
    _check_may(by)
    kind, number = _read(subject)
    words = _reason(reason)
    now = services.clock.now()
    with services.step() as session:
        case = session.get(Case, case_id, with_for_update=True)
        if case is None or case.erased_at is not None:
            raise BadInput("There is no such case.", fields={"case": "There is no such case."})
        if session.get(KINDS[kind], number, with_for_update=True) is None:
            raise BadInput(f"There is no such {kind}.", fields={"number": f"There is no {kind} of this number."})
        same = select(LegalHold.id).where(
            LegalHold.case_id == case_id, LegalHold.subject == subject, LegalHold.ended_at.is_(None)
        )
        if session.scalar(same) is not None:
            raise Conflict("It is held under this case already.")
        hold = LegalHold(case_id=case_id, subject=subject, reason=words, placed_by=by.id, placed_at=now)
        session.add(hold)
        session.flush()
        body = {"hold": hold.id, "case": case_id, "subject": subject, "by": by.id}
        ledger.append(session, at=now, kind="hold.placed", body=body)
        record(session, at=now, staff_id=by.id, action="hold.placed", subject=subject, detail={"case": case_id})
        return hold.id


def end(services: Services, hold_id: int, *, reason: str, by: Staff) -> None:
    """End a hold: from the next night on the usual periods count again.

    Raises:
        NotAllowed: this person may not.
        NotFound: there is no such hold.
        Conflict: it has ended already.
    """
    _check_may(by)
    words = _reason(reason)
    now = services.clock.now()
    with services.step() as session:
        hold = session.get(LegalHold, hold_id, with_for_update=True)
        if hold is None:
            raise NotFound("There is no such hold.")
        if hold.ended_at is not None:
            raise Conflict("This hold has ended already.")
        hold.ended_at, hold.ended_by = now, by.id
        # why it ended stands with why it was placed, and nowhere else: the audit holds no words about a child
        hold.reason = f"{hold.reason}\n\nEnded: {words}"
        body = {"hold": hold.id, "case": hold.case_id, "subject": hold.subject, "by": by.id}
        ledger.append(session, at=now, kind="hold.ended", body=body)
        record(
            session, at=now, staff_id=by.id, action="hold.ended", subject=hold.subject, detail={"case": hold.case_id}
        )


def _check_may(by: Staff) -> None:
    if Role(by.role) not in MAY_HOLD:
        raise NotAllowed("Only the headteacher, an administrator or the consent lead may place or end a hold.")


def _reason(typed: str) -> str:
    words = " ".join(typed.split())
    if sum(sign.isalnum() for sign in words) < _SHORTEST_REASON or len(words) > LONGEST_REASON:
        sentence = "Please say in a sentence why it has to be kept."
        raise BadInput(sentence, fields={"reason": sentence})
    return words


def _read(subject: str) -> tuple[str, int]:
    kind, _, number = subject.partition(":")
    if kind not in KINDS or not (number.isdecimal() and 0 < int(number) < _HIGHEST):
        raise BadInput("Only a case, a post or a pupil can be held.", fields={"number": "Please give a number."})
    return kind, int(number)


def _subjects(session: Session, kind: str) -> Sequence[int]:
    """The numbers under hold. There are few, so they are read: no cast of a text runs where a row is spoilt."""
    found = session.scalars(
        select(LegalHold.subject).where(LegalHold.ended_at.is_(None), LegalHold.subject.startswith(f"{kind}:"))
    )
    return [int(number) for number in (subject.partition(":")[2] for subject in found) if number.isdecimal()]


def _held_pupils(session: Session) -> Sequence[Pupil]:
    ids = _subjects(session, "pupil")
    return session.scalars(select(Pupil).where(Pupil.id.in_(ids))).all() if ids else ()


def _shows_or_names(pupils: Sequence[Pupil], among: Sequence[int] | None) -> ColumnElement[bool]:
    if not pupils:
        return false()
    ids = [pupil.id for pupil in pupils]
    patterns = [pattern for pupil in pupils for pattern in _patterns(pupil)]
    # lists that are made once: asked for each post by itself they would cost the more the more posts there are
    faces = select(Photo.post_id).join(Face, Face.photo_id == Photo.id)
    ways: tuple[Select[Any], ...] = (
        faces.where(Face.pupil_id.in_(ids)),
        faces.join(FaceAnswer, FaceAnswer.face_id == Face.id).where(FaceAnswer.pupil_id.in_(ids)),
        select(Version.post_id).where(or_(false(), *(Version.canonical.ilike(one) for one in patterns))),
        select(Photo.post_id).where(
            or_(false(), *(column.ilike(one) for one in patterns for column in (Photo.alt, Photo.file_name)))
        ),
    )
    own = (Post.title, Post.text, Post.note, cast(Post.wordings, Text))
    named = [column.ilike(one) for one in patterns for column in own]
    if among is not None:
        ways = tuple(way.where(next(iter(way.selected_columns)).in_(among)) for way in ways)
    return or_(*(Post.id.in_(way) for way in ways), *named)


def _patterns(pupil: Pupil) -> Iterator[str]:
    """The child's names as patterns. Whatever is no plain letter matches anything: it is written in many ways."""
    for name in {pupil.first_name, pupil.last_name, pupil.known_as}:
        letters = "".join(sign if sign.isascii() and sign.isalnum() else "%" for sign in name.strip())
        if letters:
            yield f"%{letters}%"  # of a name without a plain letter nothing is left, and then everything is kept
