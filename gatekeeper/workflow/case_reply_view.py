"""The replies of an enquiry as its page shows them: where each stands, what the headteacher said, what can be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest, Decision
from gatekeeper.cases.model import CaseReply
from gatekeeper.cases.rules import Act, may
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Staff
from gatekeeper.workflow import case_holding
from gatekeeper.workflow.case_reply import ReplyState, may_withdraw, stands
from gatekeeper.workflow.case_reply_words import Remark, remarks
from gatekeeper.workflow.case_right import case_for, standing, viewer

#: (word, colour, sign) of each state
WORDS: Final[Mapping[ReplyState, tuple[str, str, str]]] = {
    ReplyState.DRAFT: ("Draft", "secondary", "✎"),
    ReplyState.ASKED: ("With the headteacher", "info", "⏳"),
    ReplyState.APPROVED: ("Approved: may be sent", "success", "✓"),
    ReplyState.REFUSED: ("Refused", "danger", "✕"),
    ReplyState.CHANGES: ("Changes asked for", "warning", "✎"),
    ReplyState.EXPIRED: ("Nobody decided in time", "warning", "⌛"),
    ReplyState.WITHDRAWN: ("Taken back", "secondary", "–"),
    ReplyState.SENT: ("Sent", "success", "✓"),
    ReplyState.OLD: ("Replaced by a newer one", "secondary", "–"),
}


@dataclass(frozen=True, kw_only=True)
class ReplyLine:
    """One reply. `void` says that an approval on record no longer counts, so that it must not be sent."""

    row: CaseReply
    author: str
    badge: tuple[str, str, str]
    ends: datetime | None
    said: str  # what the headteacher wrote
    sent_by: str
    can_edit: bool
    can_ask: bool
    can_send: bool
    can_withdraw: bool
    void: bool
    remarks: tuple[Remark, ...]  # what the check of words says, while it can still be changed


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything about answering one enquiry."""

    replies: tuple[ReplyLine, ...]
    can_write: bool
    holding: str
    holding_digest: str
    to: str  # whom a fresh reply goes to, as far as the case says


def desk(session: Session, case_id: int, by: Staff) -> Desk:
    """The replies, the newest first; those that another replaced last.

    Raises:
        NotFound: the case is not for this person.
    """
    case = case_for(session, case_id, by)
    writes = may(Act.REPLY, standing(case), viewer(by))
    rows = session.scalars(select(CaseReply).where(CaseReply.case_id == case.id).order_by(CaseReply.number.desc()))
    lines = [_line(session, row, by, writes=writes) for row in rows]
    kept = school_settings(session)[case_holding.KEY]
    asker = [str(case.facts.get(name, "")) for name in ("asker", "outlet", "contact")]
    return Desk(
        replies=tuple(sorted(lines, key=lambda one: one.row.state == ReplyState.OLD)),
        can_write=writes,
        holding=kept.get("words", ""),
        holding_digest=kept.get("digest", ""),
        to=", ".join(part for part in asker if part),
    )


def _line(session: Session, row: CaseReply, by: Staff, *, writes: bool) -> ReplyLine:
    state = ReplyState(row.state)
    decision = session.get(Decision, row.decision_id) if row.decision_id else None
    asked = session.get(ApprovalRequest, row.request_id) if row.request_id else None
    approved = state is ReplyState.APPROVED
    good = approved and stands(session, row)
    author, sender = session.get(Staff, row.written_by), session.get(Staff, row.sent_by) if row.sent_by else None
    return ReplyLine(
        row=row,
        author=author.name if author else "",
        badge=("Approval no longer counts", "danger", "✕") if approved and not good else WORDS[state],
        ends=asked.expires_at if asked is not None and state is ReplyState.ASKED else None,
        said=(decision.statement or "") if decision is not None else "",
        sent_by=sender.name if sender else "",
        can_edit=writes and state not in (ReplyState.SENT, ReplyState.OLD),
        can_ask=writes and state in (ReplyState.DRAFT, ReplyState.EXPIRED, ReplyState.WITHDRAWN),
        can_send=writes and good,
        can_withdraw=writes and may_withdraw(row, by),
        void=approved and not good,
        remarks=remarks(session, row.words) if writes and state not in (ReplyState.SENT, ReplyState.OLD) else (),
    )
