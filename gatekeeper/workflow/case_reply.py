"""Replies to an enquiry (policy 4.2): one exact text to one recipient, sent by nobody before it was approved in writing.

Gatekeeper sends nothing. A person copies the approved words, sends them, and writes down how; that is refused without
the standing approval of exactly these words, here and by the database itself. Words that were asked about never change:
whoever edits them makes a new reply, and what was asked or approved before is void. Nobody decides about what they
wrote any part of.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from approvals import decisions, ledger, requests
from approvals.errors import LedgerBroken
from approvals.requests import Summary
from approvals.statements import tidy
from approvals.tables import ApprovalRequest, Decision, RequestStatus
from gatekeeper.cases.clocks import ANSWER
from gatekeeper.cases.model import Case, CaseClock, CaseEntry, CaseReply
from gatekeeper.cases.reply_digest import reply_digest
from gatekeeper.cases.rules import Act
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.policy.approvers import NobodyMayDecide
from gatekeeper.workflow.approver_right import had_the_right
from gatekeeper.workflow.asked_about import reply_in, reply_subject
from gatekeeper.workflow.case_right import case_for
from gatekeeper.workflow.cases import needed, one_line, subject_of, write
from gatekeeper.workflow.deciders import Deciders, deciders
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

LONGEST_RECIPIENT: Final = 300
LONGEST_REPLY: Final = 5_000
TO_DECIDE: Final = timedelta(days=7)  # where the one who asks named no time
_HIGHEST: Final = 2**31 - 1
_EDITED: Final = "The reply was edited."
_WITHDRAWN: Final = "The reply was withdrawn."
_CLOSED: Final = "The enquiry was closed."
_UNSENT: Final = "A reply is approved and not marked as sent. Say first that it was sent, or take it back."
_STILL_ASKED: Final = (
    "The headteacher is still asked about a reply. Wait for the decision, or take the reply back first."
)


class ReplyState(StrEnum):
    """Where a reply stands."""

    DRAFT = "draft"
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    CHANGES = "changes"
    EXPIRED = "expired"  # nobody decided in time
    WITHDRAWN = "withdrawn"
    SENT = "sent"
    OLD = "old"  # another took its place


_ASKABLE: Final = frozenset({ReplyState.DRAFT, ReplyState.EXPIRED, ReplyState.WITHDRAWN})
_OVER: Final = frozenset({ReplyState.SENT, ReplyState.OLD})


def draft(services: Services, case_id: int, recipient: str, words: str, *, by: Staff) -> int:
    """Write a reply; its id is given back.

    Raises:
        BadInput: nobody to write to, or nothing to say.
    """
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.REPLY)
        reply = _new(session, case, recipient, words, by=by, now=now)
        write(session, case, "reply", by=by.id, now=now, number=reply.number)
        return reply.id


def edit(services: Services, reply_id: int, recipient: str, words: str, *, by: Staff) -> int:
    """Change a reply; the id of what it is from now on is given back. What was asked or approved before is void.

    Raises:
        Conflict: it was sent, or another took its place.
    """
    now = services.clock.now()
    with services.step() as session:
        case, reply = _locked(session, reply_id, by)
        if reply.state in _OVER:
            raise Conflict("This reply was sent, or a newer one took its place. Write another one.")
        recipient, words = _checked(recipient, words)
        if (recipient, words) == (reply.recipient, reply.words):
            return reply.id
        if reply.request_id is None and reply.written_by == by.id:
            reply.recipient, reply.words, reply.written_by, reply.written_at = recipient, words, by.id, now
            reply.digest = digest_of(reply)
            return reply.id
        _void(session, reply, by=by.id, reason=_EDITED, now=now)
        reply.state = ReplyState.OLD
        fresh = _new(session, case, recipient, words, by=by, now=now)
        write(session, case, "reply", by=by.id, now=now, number=fresh.number, instead_of=reply.number)
        return fresh.id


def ask(services: Services, reply_id: int, *, by: Staff) -> None:
    """Ask the headteacher, or whoever decides for them, about exactly these words. Its author never decides.

    Raises:
        Conflict: it was asked about already, or there is nobody who may decide.
    """
    now = services.clock.now()
    with services.step() as session:
        case, reply = _locked(session, reply_id, by)
        if reply.state not in _ASKABLE:
            raise Conflict("This reply was asked about already. Reload the page to see where it is.")
        open_question(session, case, reply, deciders(session, now=now), now=now)
        write(session, case, "asked", by=by.id, now=now, number=reply.number)


def withdraw(services: Services, reply_id: int, *, by: Staff) -> None:
    """Take the question or the approval back: it is not to be sent. It can be asked about again.

    Raises:
        Conflict: it was sent, or nothing was asked.
    """
    now = services.clock.now()
    with services.step() as session:
        case, reply = _locked(session, reply_id, by)
        if reply.state not in (ReplyState.ASKED, ReplyState.APPROVED):
            raise Conflict("There is nothing to take back. Reload the page to see where it is.")
        _void(session, reply, by=by.id, reason=_WITHDRAWN, now=now)
        reply.state, reply.decision_id = ReplyState.WITHDRAWN, None
        write(session, case, "withdrawn", by=by.id, now=now, number=reply.number)


def mark_sent(services: Services, reply_id: int, how: str, *, by: Staff) -> None:
    """Write down that somebody sent it. Refused unless the approval of exactly these words stands at this moment.

    Raises:
        BadInput: it is not said how.
        Conflict: it is not approved, or not any more.
    """
    now = services.clock.now()
    with services.step() as session:
        case, reply = _locked(session, reply_id, by)
        how = needed(how, field=f"how-{reply_id}", ask="Please write how and when it was sent.", most=1_000)
        if reply.state == ReplyState.SENT:
            raise Conflict("It is written down already that this reply was sent.")
        if not stands(session, reply, keep=True):
            raise Conflict("This reply has no standing approval of exactly these words, so it must not be sent.")
        reply.state, reply.sent_at, reply.sent_by, reply.sent_how = ReplyState.SENT, now, by.id, how
        write(session, case, "sent", by=by.id, now=now, number=reply.number)
        _settle_answer(session, case, by=by.id, how=f"Reply {reply.number} was sent.", now=now)
        body = {"reply": reply.id, "case": case.id, "digest": reply.digest, "decision": reply.decision_id, "by": by.id}
        ledger.append(session, at=now, kind="reply.sent", body=body)
        record(session, at=now, staff_id=by.id, action="reply.sent", subject=reply_subject(reply.id))


def stands(session: Session, reply: CaseReply, *, keep: bool = False) -> bool:
    """Whether exactly these words to exactly this recipient are approved at this moment, by whoever might approve them.

    With `keep` the answer stays true until the transaction ends.
    """
    digest = digest_of(reply)
    decision = session.get(Decision, reply.decision_id, populate_existing=True) if reply.decision_id else None
    if decision is None or reply.state != ReplyState.APPROVED or digest != reply.digest:
        return False
    if (decision.digest, decision.subject) != (digest, reply_subject(reply.id)):
        return False
    try:
        in_force = decisions.is_in_force(session, decision.id, keep=keep)
    except LedgerBroken:
        return False
    if decision.approver_id in writers(session, reply):
        return False
    asked = session.get_one(ApprovalRequest, decision.request_id)
    return in_force and had_the_right(session, decision, author_id=asked.author_id)


def writers(session: Session, reply: CaseReply) -> set[int]:
    """Everybody who wrote some of it: whoever wrote what it took the place of, too. None of them decides about it."""
    written = session.scalars(select(CaseEntry).where(CaseEntry.case_id == reply.case_id, CaseEntry.kind == "reply"))
    before = {one.facts.get("number"): (one.by, one.facts.get("instead_of")) for one in written}
    wrote = {reply.written_by}
    number: int | None = reply.number
    while number in before:  # each number is that of a newer reply than the one it took the place of
        by, earlier = before.pop(number)
        wrote |= {by} if by is not None else set()
        number = earlier
    return wrote


def check_nothing_unsent(session: Session, case: Case) -> None:
    """Refuse to call an enquiry answered while a reply may still be sent, or is still asked about.

    Raises:
        BadInput: what to do about it.
    """
    for reply in _waiting(session, case):
        if reply.state == ReplyState.ASKED:
            raise BadInput(_STILL_ASKED, fields={"result": _STILL_ASKED})
        if stands(session, reply):
            raise BadInput(_UNSENT, fields={"result": _UNSENT})


def void_all(session: Session, case: Case, *, by: int, now: datetime) -> None:
    """Whatever of a case's replies was asked or approved ends with the case, and its story says so."""
    for reply in _waiting(session, case):
        _void(session, reply, by=by, reason=_CLOSED, now=now)
        reply.state, reply.decision_id = ReplyState.WITHDRAWN, None
        write(session, case, "reply_ended", by=by, now=now, number=reply.number)


def open_question(session: Session, case: Case, reply: CaseReply, who: Deciders, *, now: datetime) -> None:
    """Put the question, in the caller's transaction.

    Raises:
        Conflict: there is nobody who may decide.
    """
    wrote = writers(session, reply)
    author_id = _who_counts_as_author(session, reply, wrote)
    try:
        approver = who.asked(author_id=author_id, head_only="")
    except NobodyMayDecide as nobody:
        raise Conflict(str(nobody)) from nobody
    if approver.id in wrote:
        raise Conflict("Everybody who may decide has written some of this reply. Somebody else has to write it anew.")
    ends = _until(session, case, now=now)
    asked = requests.open_request(
        session,
        subject=reply_subject(reply.id),
        version_ref=f"reply {reply.number}",  # no number of a version: whoever reads it as one fails at once
        digest=digest_of(reply),
        title=f"Reply {reply.number} to enquiry {case.id}",
        summary=Summary(channels=("A reply to an enquiry",), due_at=ends),
        override_asked=False,
        author_id=author_id,
        approver_id=approver.id,
        now=now,
        expires_at=ends,
    )
    reply.state, reply.request_id, reply.decision_id = ReplyState.ASKED, asked.id, None
    subject = f"request:{asked.id}"
    tell(session, "approval_request", staff_id=approver.id, subject=subject, context={"request_id": asked.id}, now=now)


def expired(session: Session, closed: list[ApprovalRequest], *, now: datetime) -> None:
    """Note of each reply among these questions that nobody decided, and tell its author."""
    for request in closed:
        reply_id = reply_in(request.subject)
        reply = session.get(CaseReply, reply_id) if reply_id is not None else None
        if reply is None or reply.request_id != request.id or reply.state != ReplyState.ASKED:
            continue
        reply.state = ReplyState.EXPIRED
        tell_author(session, reply, now=now)


def tell_author(session: Session, reply: CaseReply, *, now: datetime) -> None:
    """An e-mail to whoever wrote a reply that there is news about it; not which."""
    tell(
        session,
        "case_news",
        staff_id=reply.written_by,
        subject=f"{subject_of(reply.case_id)}:reply:{reply.id}:{reply.state}:{reply.request_id}",
        context={"case_id": reply.case_id, "kind": "enquiry"},
        now=now,
    )


def digest_of(reply: CaseReply) -> str:
    """The digest of the words as they stand."""
    return reply_digest(case_id=reply.case_id, number=reply.number, recipient=reply.recipient, words=reply.words)


def may_withdraw(reply: CaseReply, by: Staff) -> bool:
    """Whether the page offers to take a question or an approval back."""
    return reply.state in (ReplyState.ASKED, ReplyState.APPROVED) and by.role != Role.AUDITOR


def lock_replies_asked_about(session: Session) -> list[tuple[Case, CaseReply]]:
    """Every reply with an open question, its case locked before the ledger as every step about a case does."""
    subjects = session.scalars(select(ApprovalRequest.subject).where(ApprovalRequest.status == RequestStatus.OPEN))
    found = []
    for reply_id in sorted(number for subject in subjects if (number := reply_in(subject)) is not None):
        reply = session.get(CaseReply, reply_id)
        if reply is not None:
            case = session.get_one(Case, reply.case_id, with_for_update=True, populate_existing=True)
            session.refresh(reply)
            found.append((case, reply))
    return found


def _waiting(session: Session, case: Case) -> Sequence[CaseReply]:
    states = (ReplyState.ASKED, ReplyState.APPROVED)
    query = select(CaseReply).where(CaseReply.case_id == case.id, CaseReply.state.in_(states))
    return session.scalars(query.order_by(CaseReply.number)).all()


def _new(session: Session, case: Case, recipient: str, words: str, *, by: Staff, now: datetime) -> CaseReply:
    recipient, words = _checked(recipient, words)
    highest = session.scalar(select(func.max(CaseReply.number)).where(CaseReply.case_id == case.id)) or 0
    reply = CaseReply(
        case_id=case.id,
        number=highest + 1,
        recipient=recipient,
        words=words,
        digest="",
        state=ReplyState.DRAFT,
        written_by=by.id,
        written_at=now,
        sent_how="",
    )
    reply.digest = digest_of(reply)
    session.add(reply)
    session.flush()
    return reply


def _checked(recipient: str, words: str) -> tuple[str, str]:
    recipient, words = one_line(recipient), tidy(words)
    fields = {}
    if sum(sign.isalnum() for sign in recipient) < 2:  # noqa: PLR2004 - a name
        fields["recipient"] = "Please write to whom it goes: a name, and an address or number."
    elif len(recipient) > LONGEST_RECIPIENT:
        fields["recipient"] = f"This may have at most {LONGEST_RECIPIENT} characters."
    if sum(sign.isalnum() for sign in words) < 2:  # noqa: PLR2004 - "No."
        fields["reply"] = "Please write the reply."
    elif len(words) > LONGEST_REPLY:
        fields["reply"] = f"This may have at most {LONGEST_REPLY:,} characters."
    if fields:
        raise BadInput("Please look at this again.", fields=fields)
    return recipient, words


def _locked(session: Session, reply_id: int, by: Staff) -> tuple[Case, CaseReply]:
    reply = session.get(CaseReply, reply_id) if 0 < reply_id <= _HIGHEST else None
    if reply is None:
        raise NotFound("There is no such reply, or it is not yours to see.")
    case = case_for(session, reply.case_id, by, Act.REPLY)  # the case is locked, and with it everything in it
    session.refresh(reply)
    return case, reply


def _void(session: Session, reply: CaseReply, *, by: int, reason: str, now: datetime) -> None:
    requests.void_requests(session, reply_subject(reply.id), reason=reason, now=now)
    if reply.decision_id is not None and reply.state == ReplyState.APPROVED:
        decisions.withdraw(session, session.get_one(Decision, reply.decision_id), by_person=by, reason=reason, now=now)


def _who_counts_as_author(session: Session, reply: CaseReply, wrote: set[int]) -> int:
    """The headteacher, where they wrote some of it, so that a deputy is asked; otherwise whoever wrote it last."""
    heads = select(Staff.id).where(Staff.id.in_(wrote), Staff.role == Role.HEADTEACHER).order_by(Staff.id)
    return session.scalars(heads).first() or reply.written_by


def _settle_answer(session: Session, case: Case, *, by: int, how: str, now: datetime) -> None:
    """The time that the one who asks named is kept, or over, with the first reply."""
    clock = session.scalars(
        select(CaseClock).where(CaseClock.case_id == case.id, CaseClock.name == ANSWER, CaseClock.met_at.is_(None))
    ).one_or_none()
    if clock is not None:
        clock.met_at, clock.met_by, clock.words = now, by, how


def _until(session: Session, case: Case, *, now: datetime) -> datetime:
    """When the question ends: with the time that the one who asks named, as long as that is still to come.

    Whether something was answered in that time already makes no difference: a second reply is in time or late, too.
    """
    named = session.scalar(select(CaseClock.due_at).where(CaseClock.case_id == case.id, CaseClock.name == ANSWER))
    return named if named is not None and named > now else now + TO_DECIDE
