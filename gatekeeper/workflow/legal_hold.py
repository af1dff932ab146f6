"""Keeps what somebody may still have to answer for: nothing under a hold is purged, whatever its age.

A hold is placed under a case, on the case itself, on a post, or on a pupil. One on a case holds the post it is about;
one on a pupil holds their register rows and every post that shows them or may name them. Whether a word is the name is
asked generously: something kept a little longer does no harm that losing it would not.

Why something is held says what a case is about. So a hold is shown to, placed by and ended by those alone who see its
case in full, which the person it is about never does; a case they do not see answers like one that does not exist.
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
from gatekeeper.cases.rules import Sight, sight
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.model import Face, FaceAnswer, Photo, Post, Version
from gatekeeper.workflow.case_right import standing, viewer
from gatekeeper.workflow.cases import subject_of, write
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

MAY_HOLD: Final = frozenset({Role.HEADTEACHER, Role.ADMINISTRATOR, Role.CONSENT_LEAD})
KINDS: Final[Mapping[str, type[Case | Post | Pupil]]] = {"case": Case, "post": Post, "pupil": Pupil}
LONGEST_REASON: Final = 1000
_SHORTEST_REASON: Final = 10
_HIGHEST: Final = 1_000_000_000
_NO_CASE: Final = "There is no such case."


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


def holds(session: Session, by: Staff, *, case_id: int | None = None, over: bool = False) -> list[HoldLine]:
    """The holds that this person may know of, the newest first: those that stand, or with `over` those that ended.

    They stand on and under cases that the reader sees in full. Whether they may end one says `may_hold`.
    """
    query = select(LegalHold).order_by(LegalHold.id.desc())
    query = query.where(LegalHold.ended_at.is_not(None) if over else LegalHold.ended_at.is_(None))
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
        if all(_sees(session.get(Case, number), by) for number in _cases_of(one))
    ]


def may_hold(session: Session, case: Case, by: Staff) -> bool:
    """Whether this person may place and end holds for this case.

    In a case about the headteacher, who sees nothing of it, whoever looks after it takes their place.
    """
    if not _sees(case, by):
        return False
    if Role(by.role) in MAY_HOLD:
        return True
    about = session.get(Staff, case.about_id) if case.about_id is not None else None
    return about is not None and about.role == Role.HEADTEACHER and case.owner_id == by.id


def place(services: Services, *, case_id: int, subject: str, reason: str, by: Staff) -> int:
    """Hold a case, a post or a pupil's data under a case; the hold's number is given back.

    Raises:
        NotAllowed: this person may not.
        BadInput: no reason, or there is no such case, post or pupil, or none for them.
        Conflict: it is held under this case already.
    """
    now = services.clock.now()
    with services.step() as session:
        case = session.get(Case, case_id, with_for_update=True, populate_existing=True)
        _check_may(session, case, by)
        kind, number = _read(subject)
        words = _reason(reason)
        if case is None or case.erased_at is not None or not _sees(case, by):
            raise BadInput(_NO_CASE, fields={"case": _NO_CASE})
        held = session.get(KINDS[kind], number, with_for_update=True)
        if held is None or (isinstance(held, Case) and not _sees(held, by)):
            raise BadInput(f"There is no such {kind}.", fields={"number": f"There is no {kind} of this number."})
        same = select(LegalHold.id).where(
            LegalHold.case_id == case_id, LegalHold.subject == subject, LegalHold.ended_at.is_(None)
        )
        if session.scalar(same) is not None:
            raise Conflict("It is held under this case already.")
        hold = LegalHold(case_id=case_id, subject=subject, reason=words, placed_by=by.id, placed_at=now)
        session.add(hold)
        session.flush()
        write(session, case, "held", by=by.id, now=now, words=_called(subject))
        body = {"hold": hold.id, "case": case_id, "subject": subject, "by": by.id}
        ledger.append(session, at=now, kind="hold.placed", body=body)
        record(session, at=now, staff_id=by.id, action="hold.placed", subject=subject, detail={"case": case_id})
        return hold.id


def end(services: Services, hold_id: int, *, reason: str, by: Staff, case_id: int | None = None) -> None:
    """End a hold: from the next night on the usual periods count again. Who placed it and who looks after it are told.

    With `case_id` it is the hold of this case, or none.

    Raises:
        NotAllowed: this person may not.
        NotFound: there is no such hold, or none for them.
        Conflict: it has ended already.
    """
    now = services.clock.now()
    with services.step() as session:
        found = session.get(LegalHold, hold_id) if 0 < hold_id < _HIGHEST else None
        # the case is locked before the hold, as by every step about a case
        case = session.get(Case, found.case_id, with_for_update=True, populate_existing=True) if found else None
        _check_may(session, case, by)
        hold = session.get(LegalHold, hold_id, with_for_update=True, populate_existing=True) if found else None
        seen = hold is not None and all(_sees(session.get(Case, number), by) for number in _cases_of(hold))
        if case is None or hold is None or not seen or case_id not in (None, case.id):
            raise NotFound("There is no such hold, or it is not yours to see.")
        words = _reason(reason)
        if hold.ended_at is not None:
            raise Conflict("This hold has ended already.")
        hold.ended_at, hold.ended_by = now, by.id
        # why it ended stands with why it was placed, and nowhere else: the audit holds no words about a child
        hold.reason = f"{hold.reason}\n\nEnded: {words}"
        write(session, case, "hold_ended", by=by.id, now=now, words=_called(hold.subject))
        body = {"hold": hold.id, "case": hold.case_id, "subject": hold.subject, "by": by.id}
        ledger.append(session, at=now, kind="hold.ended", body=body)
        record(
            session, at=now, staff_id=by.id, action="hold.ended", subject=hold.subject, detail={"case": hold.case_id}
        )
        _tell_ended(session, case, hold, by=by, now=now)


def _tell_ended(session: Session, case: Case, hold: LegalHold, *, by: Staff, now: datetime) -> None:
    for staff_id in sorted({hold.placed_by, case.owner_id or hold.placed_by} - {by.id}):
        if _sees(case, session.get_one(Staff, staff_id)):  # whoever handed it over since then sees it no more
            tell(
                session,
                "case_news",
                staff_id=staff_id,
                subject=f"{subject_of(case.id)}:hold:{hold.id}:ended",
                context={"case_id": case.id, "kind": case.kind},
                now=now,
            )


def _sees(case: Case | None, by: Staff) -> bool:
    """Whether they see all of it. The person a case is about never does, whatever their role."""
    return case is not None and sight(standing(case), viewer(by)) is Sight.FULL


def _cases_of(hold: LegalHold) -> set[int]:
    """Every case that a hold tells something of: the one it is for, and the one that is held."""
    kind, _, number = hold.subject.partition(":")
    return {hold.case_id, int(number)} if kind == "case" and number.isdecimal() else {hold.case_id}


def _called(subject: str) -> str:
    """What is held, as the story of a case says it."""
    kind, _, number = subject.partition(":")
    return f"{kind.capitalize()} {number}."


def _check_may(session: Session, case: Case | None, by: Staff) -> None:
    """Whoever may hold nothing hears the same of a case that is there and of one that is not."""
    if Role(by.role) not in MAY_HOLD and not (case is not None and may_hold(session, case, by)):
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
