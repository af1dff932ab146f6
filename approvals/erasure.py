"""The end of words: what people wrote about one subject goes, and that they decided stays.

The ledger holds salted hashes of the words; words and salt go together, so nothing can be guessed from what is left,
and the chain still verifies (`decisions.fits_entry` does not ask for words that are gone).
"""

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Delete, Update, delete, null, select, update
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.errors import RequestClosed
from approvals.tables import (
    ApprovalRequest,
    ApprovalToken,
    ApprovalView,
    Decision,
    DeputyAppointment,
    RequestStatus,
    Withdrawal,
)

ERASED: Final = "erased"
"""The entry that tells whose words went, and under which rule."""


def erase_words(session: Session, subject: str, *, why: str, now: datetime) -> int:
    """Empty every word that was written in deciding about this subject, and say so in the ledger; says how many decisions.

    Done again, it changes nothing.

    Args:
        session: the caller's transaction, which erases what the decisions were about as well.
        subject: such as "post:12".
        why: the rule's short name, such as "rejected". No person's words: it stands in the ledger.
        now: the moment.

    Raises:
        RequestClosed: a question about it is still open, so nothing of it may go.
    """
    ledger.hold(session)
    requests = select(ApprovalRequest.id).where(ApprovalRequest.subject == subject)
    if session.scalar(requests.where(ApprovalRequest.status == RequestStatus.OPEN).limit(1)) is not None:
        raise RequestClosed("A question about this is still open, so its words are needed.")
    mine = select(Decision.id).where(Decision.subject == subject)
    count = _done(
        session,
        update(Decision)
        .where(Decision.subject == subject, Decision.text_salt.is_not(None))
        .values(typed_name=null(), statement=null(), answers=null(), marks=null(), text_salt=null()),
    )
    _done(session, update(Withdrawal).where(Withdrawal.decision_id.in_(mine)).values(reason=null(), reason_salt=null()))
    _done(session, delete(ApprovalView).where(ApprovalView.request_id.in_(requests)))
    nameless = subject.replace(":", " ").capitalize()
    closed = update(ApprovalRequest).where(ApprovalRequest.subject == subject)
    _done(session, closed.values(title=nameless, closed_reason=_reason_without_words()))
    ledger.append(session, at=now, kind=ERASED, body={"subject": subject, "why": why})
    return count


def erase_reasons(session: Session, ids: list[str]) -> int:
    """Empty why these deputies were appointed; that they were, by whom and when, stays."""
    ledger.hold(session)
    return _done(
        session,
        update(DeputyAppointment)
        .where(DeputyAppointment.id.in_(ids), DeputyAppointment.reason_salt.is_not(None))
        .values(reason=null(), reason_salt=null()),
    )


def drop_links(session: Session, ids: list[str]) -> int:
    """Forget these links. The caller has seen to it that their time is over; an open question keeps its links."""
    opened = select(ApprovalRequest.id).where(ApprovalRequest.status == RequestStatus.OPEN)
    old = select(ApprovalToken.id).where(ApprovalToken.id.in_(ids), ApprovalToken.request_id.not_in(opened))
    _done(session, delete(ApprovalView).where(ApprovalView.token_id.in_(old)))
    return _done(session, delete(ApprovalToken).where(ApprovalToken.id.in_(old)))


def _reason_without_words() -> str:
    return "The reason is no longer kept."


def _done(session: Session, statement: Update | Delete) -> int:
    changed: Any = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[tuple[()]]", changed).rowcount
