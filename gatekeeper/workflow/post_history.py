"""What happened to a post, in order: who did what, what was asked, and what was decided in writing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.outcomes import withdrawal_of
from approvals.tables import ApprovalRequest, Decision, RequestStatus, Verdict
from gatekeeper.people.staff import Audit, Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.public import Takedown
from gatekeeper.workflow.capacity import capacity_words
from gatekeeper.workflow.change import subject_of

_DONE: Final = {
    "post.submitted": "sent the post to be checked",
    "post.sent_to_head": "sent the post to the headteacher",
    "post.withdrawn": "withdrew the post",
    "post.reopened": "took the post back to change it",
    "post.moved": "moved the post to another time",
}
_VERDICTS: Final = {
    Verdict.APPROVE: "approved the post",
    Verdict.REFUSE: "refused the post",
    Verdict.CHANGES: "asked for changes",
}


@dataclass(frozen=True)
class HistoryLine:
    """One event. `statement` is what a person wrote with it."""

    at: datetime
    words: str
    statement: str = ""


def history_of(session: Session, post: Post, *, words: bool) -> tuple[HistoryLine, ...]:
    """Every event, newest first. Without `words`, what people wrote stays out: it may speak of pupils."""
    names = {one.id: one.name for one in session.scalars(select(Staff))}
    lines = [HistoryLine(post.created_at, f"{names.get(post.author_id, 'Somebody')} began the post.")]
    lines += [
        HistoryLine(entry.at, f"{names.get(entry.staff_id or 0, 'Somebody')} {_DONE[entry.action]}.")
        for entry in session.scalars(
            select(Audit).where(Audit.subject == subject_of(post.id), Audit.action.in_(list(_DONE)))
        )
    ]
    lines += [
        HistoryLine(version.sealed_at, f"Version {version.number} was checked.")
        for version in session.scalars(select(Version).where(Version.post_id == post.id))
    ]
    lines += _asked(session, post, names)
    lines += _decided(session, post, names, words=words)
    lines += _public(session, post, names)
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True))


def _asked(session: Session, post: Post, names: dict[int, str]) -> list[HistoryLine]:
    lines = []
    for request in session.scalars(select(ApprovalRequest).where(ApprovalRequest.subject == subject_of(post.id))):
        lines.append(HistoryLine(request.opened_at, f"{names.get(request.approver_id, 'The headteacher')} was asked."))
        if request.status in {RequestStatus.VOID, RequestStatus.EXPIRED} and request.closed_at:
            lines.append(HistoryLine(request.closed_at, f"The question was closed: {request.closed_reason}"))
    return lines


def _decided(session: Session, post: Post, names: dict[int, str], *, words: bool) -> list[HistoryLine]:
    lines = []
    for decision in session.scalars(select(Decision).where(Decision.subject == subject_of(post.id))):
        who = names.get(decision.approver_id, "The headteacher")
        statement = (decision.statement or "") if words else ""
        did = f"{who} {_VERDICTS[Verdict(decision.verdict)]}, under the rules {decision.policy_version}."
        if capacity := capacity_words(session, decision):
            did = f"{did} {capacity}"
        lines.append(HistoryLine(decision.decided_at, did, statement))
        if withdrawn := withdrawal_of(session, decision.id):
            reason = (withdrawn.reason or "") if words else ""
            lines.append(HistoryLine(withdrawn.at, "The approval ended.", reason))
    return lines


def _public(session: Session, post: Post, names: dict[int, str]) -> list[HistoryLine]:
    """Where it went out, and where it was taken down again. Why is read where it can be acted on."""
    kinds = {account.id: label_of(account.kind) for account in session.scalars(select(ChannelAccount))}
    publications = session.scalars(
        select(Publication).join(Version, Version.id == Publication.version_id).where(Version.post_id == post.id)
    ).all()
    lines = [
        HistoryLine(one.published_at, f"It went out on {kinds[one.account_id]}.")
        for one in publications
        if one.published_at
    ]
    ids = [publication.id for publication in publications]
    for removal in session.scalars(select(Takedown).where(Takedown.publication_id.in_(ids))):
        where, who = kinds[removal.account_id], names.get(removal.asked_by or 0, "Gatekeeper")
        asked = f"{who} asked to take it down from {where}."
        lines.append(HistoryLine(removal.asked_at, asked))
        if removal.confirmed_at:
            lines.append(HistoryLine(removal.confirmed_at, f"It is gone from {where}."))
    return lines
