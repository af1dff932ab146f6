"""What became of a request, in one sentence for whoever holds its link.

The sentence names nobody and repeats no statement: a link may have been forwarded.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest, Decision, RequestStatus, Verdict, Withdrawal
from approvals.wall_clock import when

_WORDS = {
    Verdict.APPROVE: "This {what} was approved on {when}.",
    Verdict.REFUSE: "This {what} was refused on {when}.",
    Verdict.CHANGES: "Changes to this {what} were asked for on {when}.",
}
#: the caller's word for what is asked about, and what becomes of it after a yes; what is not here is called a post
_MATTERS = {"reply": ("reply", "sent")}


def decision_of(session: Session, request_id: str) -> Decision | None:
    """The decision on record for this request, if there is one."""
    return session.scalars(select(Decision).where(Decision.request_id == request_id)).one_or_none()


def withdrawal_of(session: Session, decision_id: str) -> Withdrawal | None:
    """The withdrawal on record for this decision, if there is one."""
    return session.scalars(select(Withdrawal).where(Withdrawal.decision_id == decision_id)).one_or_none()


def told_decision(session: Session, decision: Decision) -> str:
    """The decision as a sentence, and its withdrawal as a second one."""
    sentence = _WORDS[Verdict(decision.verdict)].format(
        what=_matter(decision.subject)[0], when=when(decision.decided_at)
    )
    withdrawal = withdrawal_of(session, decision.id)
    return f"{sentence} The approval was withdrawn on {when(withdrawal.at)}." if withdrawal else sentence


def told_closing(request: ApprovalRequest) -> str:
    """Why a request was closed without a decision, as a sentence."""
    if request.status == RequestStatus.EXPIRED or request.closed_at is None:
        what, done = _matter(request.subject)
        return f"Nobody decided by {when(request.expires_at)}, so this {what} was not {done}."
    return f"This question was closed on {when(request.closed_at)}. {request.closed_reason}"


def _matter(subject: str) -> tuple[str, str]:
    return _MATTERS.get(subject.partition(":")[0], ("post", "published"))
