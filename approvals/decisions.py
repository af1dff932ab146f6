"""Decisions: may this person decide this, now; the decision itself, once; and whether it still holds.

A decision, the closing of its request, the end of the links and the ledger entry are one transaction. Of two people,
or two tabs, that decide at the same moment one is recorded and the other is shown what was recorded.
"""

import hmac
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, cast
from uuid import uuid4

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from approvals import ledger, ledger_entries
from approvals.assertions import assertion_hash, check_assertion
from approvals.columns import utc_text
from approvals.deputies import check_in_force
from approvals.errors import (
    AlreadyDecided,
    ApprovalError,
    AuthorCannotDecide,
    DigestMismatch,
    LedgerBroken,
    NobodyCanAllow,
    NothingToWithdraw,
    NotTheApprover,
    ProofMissing,
    RequestClosed,
    StaysWithTheHead,
)
from approvals.ledger_entries import Stored
from approvals.outcomes import decision_of, told_closing, told_decision, withdrawal_of
from approvals.passkeys import PASSKEY, check_signature
from approvals.requests import OPENED, check_open, close_if_open
from approvals.seen_chain import SEEN, SeenChain
from approvals.statements import Answer, Mark, Words, check_each_its_own, hashes, tidy, written
from approvals.tables import ApprovalRequest, Decision, RequestStatus, Verdict, Withdrawal
from approvals.tokens import DECIDE, View, locate

RECORDED, WITHDRAWN = "decision.recorded", "approval.withdrawn"


def check_can_decide(session: Session, view: View, *, may_decide: Callable[[int], bool], now: datetime) -> None:
    """Refuse unless this person may decide this request at this moment.

    Args:
        session: the caller's transaction.
        view: who looks at which request, as `tokens.view` told.
        may_decide: asks whether a person has the right to decide now, not when they were asked.
        now: the moment.

    Raises:
        AlreadyDecided, RequestClosed: the question is settled.
        AuthorCannotDecide, NotTheApprover: not this person.
        ProofMissing: their second proof is missing or older than ten minutes.
    """
    request = view.request
    _check_undecided(session, request)
    check_open(request, now=now)
    if view.person_id == request.author_id:
        raise AuthorCannotDecide
    if view.purpose != DECIDE or not may_decide(view.person_id):
        raise NotTheApprover
    if not view.proved:
        raise ProofMissing


def can_decide(session: Session, view: View, *, may_decide: Callable[[int], bool], now: datetime) -> bool:
    """Whether this person may decide this request at this moment."""
    try:
        check_can_decide(session, view, may_decide=may_decide, now=now)
    except ApprovalError:
        return False
    return True


def decide(
    session: Session,
    *,
    view_secret: str,
    verdict: Verdict,
    digest_shown: str,
    typed_name: str,
    statement: str,
    answers: Mapping[str, str],
    required_findings: Mapping[str, str],
    policy_version: str,
    now: datetime,
    may_decide: Callable[[int], bool],
    marks: Sequence[Mark] = (),
    appointment_id: str | None = None,
    assertion: str | None = None,
    one_matter: Mapping[str, str] | None = None,
    never: Collection[str] = (),
) -> Decision:
    """Record one person's written decision about exactly what they were shown. It is recorded once, or not at all.

    Args:
        session: the caller's transaction; when this raises, nothing was written.
        view_secret: what the browser holds since the second proof.
        verdict: approve, refuse, or ask for changes.
        digest_shown: the digest that the page carried, sent back by the form.
        typed_name: the person's name as they typed it.
        statement: their statement.
        answers: finding id -> their own sentence about it.
        required_findings: finding id -> rule id, for every finding that blocks this version.
        policy_version: the policy in force at this moment.
        now: the moment.
        may_decide: asks whether a person has the right to decide now.
        marks: where they want what changed, when they ask for changes.
        appointment_id: the appointment under which they decide as a deputy.
        assertion: what their passkey signed for this approval, as canonical JSON. Kept where they approve and proved
            themselves by a passkey, and needed there.
        one_matter: finding id -> a word for what it is about. Findings with the same word may be answered alike;
            different ones each need words of their own, because one sentence for all is no answer to any.
        never: what stands in it that nobody can allow. While there is any, a yes is not recorded.

    Raises:
        LinkUnknown: the secret belongs to nothing.
        AlreadyDecided: there is a decision on record; carries it.
        RequestClosed, AuthorCannotDecide, NotTheApprover, ProofMissing: as `check_can_decide`; not the approver is
            also who names an appointment that is not theirs, or not in force.
        StaysWithTheHead: an override is asked for, and they decide under an appointment.
        DigestMismatch: the page showed something else.
        NobodyCanAllow: a yes to what nobody can allow.
        StatementMissing, FindingUnanswered, AnswersAlike: the decision is not written out.
        SignatureMissing, PasskeyRefused: proved by a passkey, and this approval is not signed by it, or not rightly.
    """
    ledger.hold(session)
    holding = locate(session, view_secret)
    request = session.get_one(ApprovalRequest, holding.token.request_id, populate_existing=True)
    view = holding.as_view(request, now=now)
    check_can_decide(session, view, may_decide=may_decide, now=now)
    if appointment_id is not None:
        check_in_force(session, appointment_id, person_id=view.person_id, now=now)
        if request.override_asked:
            raise StaysWithTheHead
    if not hmac.compare_digest(digest_shown.encode(errors="replace"), request.digest.encode()):
        raise DigestMismatch
    verdict = Verdict(verdict)
    if verdict is Verdict.APPROVE and never:
        raise NobodyCanAllow
    words = written(
        verdict,
        typed_name=typed_name,
        statement=statement,
        answers=answers,
        required_findings=required_findings,
        marks=marks,
    )
    if verdict is Verdict.APPROVE:
        check_each_its_own(words.answers, one_matter or {})
    signed = None
    if verdict is Verdict.APPROVE and view.proof_method == PASSKEY:
        signed = check_signature(session, view.person_id, digest=request.digest, assertion=assertion)
    if not close_if_open(session, request, status=RequestStatus.DECIDED, reason="It was decided.", now=now):
        _check_undecided(session, request)
        raise RequestClosed(told_closing(request))
    assert view.proof_method is not None
    decision = Decision(
        id=uuid4().hex,
        request_id=request.id,
        subject=request.subject,
        version_ref=request.version_ref,
        digest=request.digest,
        verdict=verdict,
        approver_id=view.person_id,
        typed_name=words.typed_name,
        statement=words.statement,
        answers=words.answers_json(),
        marks=words.marks_json() or None,
        appointment_id=appointment_id,
        assertion=signed,
        assertion_hash=assertion_hash(signed) if signed else None,
        proof_method=view.proof_method,
        policy_version=policy_version,
        decided_at=now,
        text_salt=secrets.token_hex(32),
    )
    entry = ledger.append(session, at=now, kind=RECORDED, body=_facts(decision) | _hashed(decision))
    decision.ledger_seq = entry.seq
    session.add(decision)
    session.flush()
    return decision


def decision_for(session: Session, *, subject: str, version_ref: str, digest: str) -> Decision | None:
    """The latest decision about exactly this version, whatever its verdict.

    Raises:
        LedgerBroken: the record and the ledger contradict each other.
    """
    latest = session.scalars(
        select(Decision)
        .where(Decision.subject == subject, Decision.version_ref == version_ref, Decision.digest == digest)
        .order_by(Decision.ledger_seq.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if latest is not None:
        check_on_record(session, latest)
    return latest


def withdraw(session: Session, decision: Decision, *, by_person: int | None, reason: str, now: datetime) -> Withdrawal:
    """End an approval. Nothing may be published on it any more; a second withdrawal changes nothing.

    Args:
        session: the caller's transaction.
        decision: the approval.
        by_person: who withdrew it; None where the program found that it no longer holds (a consent gone).
        reason: why, in words.
        now: the moment.

    Raises:
        NothingToWithdraw: the decision is no approval.
    """
    ledger.hold(session)
    if decision.verdict != Verdict.APPROVE:
        raise NothingToWithdraw
    earlier = withdrawal_of(session, decision.id)
    if earlier is not None:
        return earlier
    reason = tidy(reason)
    hashed = ledger.salted_hash(reason)
    withdrawal_id = uuid4().hex
    entry = ledger.append(
        session,
        at=now,
        kind=WITHDRAWN,
        body={"withdrawal": withdrawal_id, "decision": decision.id, "by": by_person, "reason": hashed.digest},
    )
    withdrawal = Withdrawal(
        id=withdrawal_id,
        decision_id=decision.id,
        by_person=by_person,
        reason=reason,
        reason_salt=hashed.salt,
        at=now,
        ledger_seq=entry.seq,
    )
    session.add(withdrawal)
    session.flush()
    return withdrawal


def is_in_force(session: Session, decision_id: str, *, keep: bool = False) -> bool:
    """Whether this is an approval that still holds: not withdrawn, and no newer question was asked about its subject.

    Args:
        session: the caller's transaction.
        decision_id: the decision.
        keep: hold the room's lock, so that the answer stays true until the transaction ends. The last gate before
            publishing asks this way.

    Raises:
        LedgerBroken: the record and the ledger contradict each other; with `keep`, also where the ledger knows of a
            withdrawal or a newer question whose record was taken away, or is not whole since the decision.
    """
    if keep:
        ledger.hold(session)
    standing = standing_of(session, decision_id)
    return standing is not None and still_holds(session, standing, keep=keep)


class Standing(NamedTuple):
    """A decision as it lies in the database at this moment, and what else lies there about it."""

    decision: Decision
    is_withdrawn: bool
    is_newest: bool  # no newer question was asked about its subject


def standing_of(session: Session, decision_id: str) -> Standing | None:
    """Look at a decision with one question; None where there is none. Whether it holds, `still_holds` says."""
    session.flush()
    row = session.execute(_STANDING, {"decision": decision_id}).first()
    if row is None:
        return None
    # the row has every column of the table under its own name; an object of the table's class costs several times as much
    return Standing(cast("Decision", row), row.withdrawn is not None, row.asked == row.newest)


def still_holds(session: Session, standing: Standing, *, keep: bool = False) -> bool:
    """Whether this is an approval in force, as `is_in_force`; with `keep` the caller holds the room's lock already.

    Raises:
        LedgerBroken: as `is_in_force`.
    """
    check_on_record(session, standing.decision)
    if standing.decision.verdict != Verdict.APPROVE or standing.is_withdrawn or not standing.is_newest:
        return False
    if keep:
        _check_not_ended(session, standing.decision)
    return True


def check_on_record(session: Session, decision: Decision) -> None:
    """Refuse a decision that is not, word for word as far as the words are kept, the one the ledger holds.

    Raises:
        LedgerBroken: they contradict each other, the entry itself was changed, or nobody with the ledger's key wrote it.
    """
    entry = ledger_entries.as_written(session, decision.ledger_seq)
    if entry is None or not fits_entry(decision, entry):
        raise LedgerBroken(
            "The record of this decision and the ledger contradict each other. Nothing may be published on it."
        )


def _check_not_ended(session: Session, decision: Decision) -> None:
    """Refuse what the ledger knows as ended: whoever takes a row away must not bring an old yes back to life."""
    seen: SeenChain = session.info.get(SEEN) or SeenChain()
    whats = f"decision {decision.id}", f"subject {decision.subject}"
    ended = seen.last_end(session, *whats, since=decision.ledger_seq, ends=_ends)
    if ended is None:
        raise LedgerBroken("The ledger is not whole since this was decided. Nothing may be published on it.")
    if ended:
        raise LedgerBroken(f"Entry {ended} of the ledger ended this approval, and the record of that is gone.")


def _ends(entry: Stored) -> str | None:
    """What this entry ends: one approval, or every earlier one about a subject."""
    if entry.kind == WITHDRAWN:
        return f"decision {entry.said().get('decision')}"
    return f"subject {entry.said().get('subject')}" if entry.kind == OPENED else None


def fits_entry(decision: Decision, entry: Stored) -> bool:
    """Whether the row says what this entry says. Purged words are not asked about."""
    try:
        expected = _facts(decision) | (_hashed(decision) if decision.text_salt is not None else {})
        decided_at = utc_text(decision.decided_at)
    except (TypeError, ValueError, KeyError):  # not written by us: our own rows always hold together
        return False
    said = entry.said()
    return (
        (entry.kind, entry.at) == (RECORDED, decided_at)
        and all(said.get(name) == value for name, value in expected.items())
        and _is_signed_if_it_says(decision)
    )


def withdrawal_fits_entry(withdrawal: Withdrawal, entry: Stored) -> bool:
    """Whether the row of a withdrawal says what this entry says. A purged reason is not asked about."""
    try:
        expected = _withdrawal_facts(withdrawal)
        if withdrawal.reason is not None:
            expected["reason"] = ledger.salted_hash(withdrawal.reason, salt=withdrawal.reason_salt).digest
        at = utc_text(withdrawal.at)
    except (TypeError, ValueError):
        return False
    said = entry.said()
    return (entry.kind, entry.at) == (WITHDRAWN, at) and all(
        said.get(name) == value for name, value in expected.items()
    )


def _is_signed_if_it_says(decision: Decision) -> bool:
    """Whether what a passkey signed, where there is anything, is a signature over this very digest."""
    if decision.assertion is None:
        return decision.assertion_hash is None
    whole = assertion_hash(decision.assertion) == decision.assertion_hash
    return whole and check_assertion(decision.assertion, decision.digest)


def _check_undecided(session: Session, request: ApprovalRequest) -> None:
    if request.status == RequestStatus.DECIDED:
        decision = decision_of(session, request.id)
        assert decision is not None
        outcome = told_decision(session, decision)
        session.expunge(decision)  # the caller reads it after this error has rolled the transaction back
        raise AlreadyDecided(outcome, decision=decision)


def _facts(decision: Decision) -> dict[str, str | int | None]:
    """What the ledger says openly about a decision."""
    return {
        "decision": decision.id,
        "request": decision.request_id,
        "subject": decision.subject,
        "version": decision.version_ref,
        "digest": decision.digest,
        "verdict": str(decision.verdict),
        "approver": decision.approver_id,
        "proof": decision.proof_method,
        "policy": decision.policy_version,
        # decisions from before these existed have neither, and their entries do not speak of them: both read as none
        "appointment": decision.appointment_id,
        "assertion": decision.assertion_hash,
    }


def _hashed(decision: Decision) -> dict[str, object]:
    """What the ledger says about the words of a decision, for those that are still kept."""
    kept = decision.answers or []
    words = Words(
        decision.typed_name or "",
        decision.statement or "",
        tuple(Answer(a["id"], a["rule"], a["sentence"]) for a in kept),
        tuple(Mark(mark["where"], mark["words"]) for mark in decision.marks or []),
    )
    assert decision.text_salt is not None
    found = hashes(words, decision.text_salt)
    return {name: found[name] for name in found if getattr(decision, name) is not None}


_DECISION, _REQUEST, _WITHDRAWAL = Decision.__table__, ApprovalRequest.__table__, Withdrawal.__table__
_NEWER = _REQUEST.alias()
# asked for each post that goes out: of the bare tables, and made once
_STANDING = select(
    _DECISION,
    select(_REQUEST.c.opened_seq).where(_REQUEST.c.id == _DECISION.c.request_id).scalar_subquery().label("asked"),
    select(func.max(_NEWER.c.opened_seq))
    .where(_NEWER.c.subject == _DECISION.c.subject)
    .scalar_subquery()
    .label("newest"),
    select(_WITHDRAWAL.c.id).where(_WITHDRAWAL.c.decision_id == _DECISION.c.id).scalar_subquery().label("withdrawn"),
).where(_DECISION.c.id == bindparam("decision"))


def _withdrawal_facts(withdrawal: Withdrawal) -> dict[str, object]:
    return {"withdrawal": withdrawal.id, "decision": withdrawal.decision_id, "by": withdrawal.by_person}
