"""What was decided, as whoever decided it can print it, keep it, or hand it to the office."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from approvals.outcomes import withdrawal_of
from approvals.requests import summary_of
from approvals.tables import ApprovalRequest, Decision, Verdict
from gatekeeper.people.staff import Staff
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import Post, Version
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import anchor
from gatekeeper.workflow.asked_about import post_in
from gatekeeper.workflow.asked_changes import STATEMENT, Asked, asked_in
from gatekeeper.workflow.capacity import capacity_words
from gatekeeper.workflow.decide import MARK_RULE, waiting_for

_PROOFS: Final = {"pin": "your PIN", "passkey": "your passkey"}


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One decision in full. Only for the browser that decided, and while its proof lasts.

    Attributes:
        proof: how it was made sure that it was this person.
        overrides: their own sentence about each point that they allowed.
        logos: who authorised what, each once.
        marks: each change that was asked for, with its place.
        ledger: where the ledger stood once the decision was in it; the decision's own entry is its last.
        withdrawn_at: since when an approval no longer holds.
        can_take_back: whether it still waits for its time, so that second thoughts count.
        others: how many more questions wait for this person.
        next_one: the most urgent of them.
        capacity: empty for the headteacher; for a deputy, who named them and until when.
    """

    decision: Decision
    post_id: int | None  # None: it was about a reply to an enquiry
    title: str
    author: str
    channels: tuple[str, ...]
    due: datetime
    proof: str
    overrides: tuple[str, ...]
    logos: tuple[str, ...]
    marks: tuple[Asked, ...]
    ledger: anchor.Anchor
    withdrawn_at: datetime | None
    can_take_back: bool
    others: int
    next_one: ApprovalRequest | None
    capacity: str

    @property
    def words(self) -> tuple[str, str, str]:
        """(word, colour, sign) of the verdict."""
        return VERDICT_WORDS[Verdict(self.decision.verdict)]


#: (word, Bootstrap colour, sign): a verdict is told by word and sign as well as by colour
VERDICT_WORDS: Final[dict[Verdict, tuple[str, str, str]]] = {
    Verdict.APPROVE: ("Approved", "success", "✓"),
    Verdict.CHANGES: ("Changes asked for", "warning", "✎"),
    Verdict.REFUSE: ("Refused", "danger", "✕"),
}


def receipt_for(session: Session, decision: Decision, *, now: datetime) -> Receipt:
    """The receipt of one decision."""
    request = session.get_one(ApprovalRequest, decision.request_id)
    summary = summary_of(request)
    post_id = post_in(decision.subject)
    withdrawn = withdrawal_of(session, decision.id)
    waiting = waiting_for(session, decision.approver_id, now=now)
    author = session.get(Staff, request.author_id)
    answers: list[dict[str, Any]] = decision.answers or []
    return Receipt(
        decision=decision,
        post_id=post_id,
        title=request.title,
        author=author.name if author else "",
        channels=summary.channels,
        due=summary.due_at,
        proof=_PROOFS.get(decision.proof_method, decision.proof_method),
        overrides=tuple(one["sentence"] for one in answers if one["rule"] != MARK_RULE),
        logos=tuple(dict.fromkeys(one["sentence"] for one in answers if one["rule"] == MARK_RULE)),
        marks=_marks(session, decision),
        ledger=anchor.at_decision(session, decision),
        withdrawn_at=withdrawn.at if withdrawn else None,
        can_take_back=_still_waits(session, post_id, decision),
        others=len(waiting),
        next_one=waiting[0] if waiting else None,
        capacity=capacity_words(session, decision),
    )


def _marks(session: Session, decision: Decision) -> tuple[Asked, ...]:
    if not decision.marks:
        return ()
    content = Content.from_canonical(session.get_one(Version, int(decision.version_ref)).canonical)
    return tuple(one for one in asked_in(decision, content, {}) if one.number != STATEMENT)


def _still_waits(session: Session, post_id: int | None, decision: Decision) -> bool:
    """Whether this very approval waits for its time."""
    if post_id is None:
        return False
    post = session.get(Post, post_id)
    version = session.get(Version, int(decision.version_ref))
    return (
        post is not None
        and version is not None
        and decision.verdict == Verdict.APPROVE
        and post.version_id == version.id
        and post.state == PostState.SCHEDULED
    )
