"""Finds what one evidence bundle is about: a post's version, the decision about it, and everything that goes with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.columns import utc_text
from approvals.outcomes import withdrawal_of
from approvals.tables import ApprovalRequest, Decision, DeputyAppointment
from gatekeeper.errors import Conflict, NotFound
from gatekeeper.people.staff import ROLE_WORDS, Role, Staff
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import Attempt, ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import publications_of
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.own_post import erased_words


@dataclass(frozen=True, kw_only=True)
class Case:
    """One version and the decision about it, as they stand in the database."""

    post: Post
    version: Version
    content: Content
    decision: Decision
    request: ApprovalRequest
    people: Mapping[int, Staff]
    accounts: Mapping[int, ChannelAccount]
    publications: tuple[Publication, ...]

    def person(self, person_id: int) -> dict[str, Any]:
        """A member of staff, as a bundle names them."""
        staff = self.people.get(person_id)
        role = ROLE_WORDS[Role(staff.role)] if staff else ""
        return {"id": person_id, "name": staff.name if staff else "", "role_today": role}


def case_of(session: Session, post_id: int, number: int | None = None) -> Case:
    """What a bundle of this post is about: the version named, or the one that was decided about last.

    Raises:
        NotFound: there is no such post, or no such version of it.
        Conflict: nothing was decided about it, or its words and pictures were erased, so there is nothing to prove.
    """
    post = session.get(Post, post_id)
    if post is None:
        raise NotFound("There is no such post.")
    if post.erased_at is not None:
        raise Conflict(f"{erased_words(post)} A bundle cannot be made any more; the ledger still holds each decision.")
    decided = select(Decision).where(Decision.subject == subject_of(post_id))
    if number is not None:
        version = session.scalars(select(Version).where(Version.post_id == post_id, Version.number == number)).first()
        if version is None:
            raise NotFound(f"This post has no version {number}.")
        decided = decided.where(Decision.version_ref == str(version.id))
    decision = session.scalars(decided.order_by(Decision.ledger_seq.desc()).limit(1)).first()
    if decision is None:
        which = "this post" if number is None else f"version {number} of this post"
        raise Conflict(f"Nothing was decided about {which} yet, so there is no decision to prove.")
    version = session.get_one(Version, int(decision.version_ref))
    return Case(
        post=post,
        version=version,
        content=Content.from_canonical(version.canonical),
        decision=decision,
        request=session.get_one(ApprovalRequest, decision.request_id),
        people={one.id: one for one in session.scalars(select(Staff))},
        accounts={one.id: one for one in session.scalars(select(ChannelAccount))},
        publications=tuple(publications_of(session, version.id)),
    )


def decided_versions(session: Session, post_id: int) -> tuple[int, ...]:
    """The numbers of the versions about which something was decided, the newest first."""
    refs = session.scalars(select(Decision.version_ref).where(Decision.subject == subject_of(post_id)).distinct())
    ids = [int(ref) for ref in refs]
    numbers = select(Version.number).where(Version.id.in_(ids), Version.post_id == post_id)
    return tuple(session.scalars(numbers.order_by(Version.number.desc())))


def decision_part(session: Session, case: Case, *, capacity: str) -> dict[str, Any]:
    """The decision, the question it answers, and every word that is still kept, each with what ties it to the ledger."""
    decision, request = case.decision, case.request
    withdrawal = withdrawal_of(session, decision.id)
    earlier = select(Decision).where(
        Decision.subject == decision.subject,
        Decision.version_ref == decision.version_ref,
        Decision.ledger_seq < decision.ledger_seq,
    )
    return {
        "post": case.post.id,
        "version": case.version.number,
        "digest": case.version.digest,
        "decision": {
            "decision": decision.id,
            "request": decision.request_id,
            "subject": decision.subject,
            "version": decision.version_ref,
            "digest": decision.digest,
            "verdict": str(decision.verdict),
            "approver": decision.approver_id,
            "proof": decision.proof_method,
            "policy": decision.policy_version,
            "appointment": decision.appointment_id,
            "assertion": decision.assertion_hash,
        },
        "decided_at": utc_text(decision.decided_at),
        "ledger_seq": decision.ledger_seq,
        "words": {
            "salt": decision.text_salt,
            "typed_name": decision.typed_name,
            "statement": decision.statement,
            "answers": decision.answers,
            "marks": decision.marks,
        },
        "capacity": capacity,
        "appointment": _appointment(session, decision.appointment_id),
        "assertion": decision.assertion,
        "approver": case.person(decision.approver_id),
        "author": case.person(request.author_id),
        "request": {
            "asked": case.person(request.approver_id),
            "opened_at": utc_text(request.opened_at),
            "expires_at": utc_text(request.expires_at),
            "override_asked": request.override_asked,
            "message_id": request.message_id,
            "opened_seq": request.opened_seq,
        },
        "withdrawal": {
            "at": utc_text(withdrawal.at),
            "by": withdrawal.by_person,
            "reason": withdrawal.reason,
            "salt": withdrawal.reason_salt,
            "ledger_seq": withdrawal.ledger_seq,
        }
        if withdrawal
        else None,
        "earlier_decisions_about_this_version": [
            {"decision": one.id, "verdict": str(one.verdict), "at": utc_text(one.decided_at), "seq": one.ledger_seq}
            for one in session.scalars(earlier.order_by(Decision.ledger_seq))
        ],
    }


def attempts_part(session: Session, case: Case) -> dict[str, Any]:
    """Every publication of this version with each attempt to send it, and what the platform called the result."""
    attempts: dict[int, list[Attempt]] = {}
    ids = [one.id for one in case.publications]
    for attempt in session.scalars(select(Attempt).where(Attempt.publication_id.in_(ids)).order_by(Attempt.fence)):
        attempts.setdefault(attempt.publication_id, []).append(attempt)
    return {
        "publications": [
            {
                "id": one.id,
                "decision": one.decision_id,
                "digest": one.digest,
                "account": _account(case, one.account_id),
                "state": str(one.state),
                "due_at": utc_text(one.due_at),
                "closes_at": utc_text(one.closes_at),
                "published_at": _moment(one.published_at),
                "remote_id": one.remote_id,
                "permalink": one.permalink,
                "attempts": [
                    {
                        "number": attempt.fence,
                        "started_at": utc_text(attempt.started_at),
                        "ended_at": _moment(attempt.ended_at),
                        "digest": attempt.digest,
                        "outcome": attempt.outcome,
                    }
                    for attempt in attempts.get(one.id, [])
                ],
            }
            for one in case.publications
        ]
    }


def _account(case: Case, account_id: int) -> dict[str, Any]:
    account = case.accounts[account_id]
    return {"id": account.id, "kind": account.kind, "name": account.name, "remote_id": account.remote_id}


def _appointment(session: Session, appointment_id: str | None) -> dict[str, Any] | None:
    appointment = session.get(DeputyAppointment, appointment_id) if appointment_id else None
    if appointment is None:
        return None
    return {
        "appointment": appointment.id,
        "head": appointment.head_id,
        "deputy": appointment.deputy_id,
        "from": utc_text(appointment.starts_at),
        "to": utc_text(appointment.ends_at),
        "reason": appointment.reason,
        "salt": appointment.reason_salt,
        "ledger_seq": appointment.ledger_seq,
    }


def _moment(moment: datetime | None) -> str | None:
    return utc_text(moment) if moment else None
