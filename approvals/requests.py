"""Requests: one question about one sealed version, until a moment, asked of one person who has to be told.

Others may be entitled to answer it as well, such as the headteacher what a deputy was asked; the first answer counts.

At most one question about a subject is open. A newer one closes the older; from then on the older version can
neither be decided nor, if it had been approved, be published on that approval (`decisions.is_in_force`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.columns import utc_text
from approvals.errors import AuthorCannotDecide, RequestClosed
from approvals.outcomes import told_closing
from approvals.tables import ApprovalRequest, RequestStatus
from approvals.tokens import close_tokens

OPENED = "request.opened"
"""Under this name the ledger holds each question."""

_REPLACED = "A newer version took its place."


@dataclass(frozen=True)
class Summary:
    """What may be shown before the second proof: no text, no picture, no name.

    Attributes:
        channels: where it would appear, in the school's words.
        due_at: when it would be published.
        window_ends_at: until when it may still go out if something is late.
        counts: how much there is of what, in the order shown, such as {"photos": 2, "findings with reasons": 1}.
    """

    channels: tuple[str, ...]
    due_at: datetime
    window_ends_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is stored with the request."""
        return {
            "channels": list(self.channels),
            "due_at": utc_text(self.due_at),
            "window_ends_at": utc_text(self.window_ends_at) if self.window_ends_at else None,
            "counts": [[what, number] for what, number in self.counts.items()],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """As it was before it was stored."""
        ends = stored["window_ends_at"]
        return cls(
            channels=tuple(stored["channels"]),
            due_at=datetime.fromisoformat(stored["due_at"]),
            window_ends_at=datetime.fromisoformat(ends) if ends else None,
            counts=dict(stored["counts"]),
        )


def open_request(
    session: Session,
    *,
    subject: str,
    version_ref: str,
    digest: str,
    title: str,
    summary: Summary,
    override_asked: bool,
    author_id: int,
    approver_id: int,
    now: datetime,
    expires_at: datetime,
) -> ApprovalRequest:
    """Ask about one version, and close the question about any older version of the same subject.

    Raises:
        AuthorCannotDecide: the author is asked about their own post.
        RequestClosed: the time to decide is already over.
    """
    if author_id == approver_id:
        raise AuthorCannotDecide
    if expires_at <= now:
        raise RequestClosed("The time to decide about this post is already over. Choose a later time for it.")
    void_requests(session, subject, reason=_REPLACED, now=now)
    request_id = uuid4().hex
    entry = ledger.append(
        session,
        at=now,
        kind=OPENED,
        body={
            "request": request_id,
            "subject": subject,
            "version": version_ref,
            "digest": digest,
            "author": author_id,
            "approver": approver_id,
            "override_asked": override_asked,
            "expires_at": utc_text(expires_at),
        },
    )
    request = ApprovalRequest(
        id=request_id,
        subject=subject,
        version_ref=version_ref,
        digest=digest,
        title=title,
        summary=summary.to_json(),
        override_asked=override_asked,
        author_id=author_id,
        approver_id=approver_id,
        opened_at=now,
        expires_at=expires_at,
        status=RequestStatus.OPEN,
        message_id=f"approval-{request_id}",
        opened_seq=entry.seq,
    )
    session.add(request)
    session.flush()
    return request


def summary_of(request: ApprovalRequest) -> Summary:
    """What may be shown of a request before the second proof."""
    return Summary.from_json(request.summary)


def void_requests(session: Session, subject: str, *, reason: str, now: datetime) -> list[ApprovalRequest]:
    """Close the open question about a subject, because what it asked about is no longer there.

    `reason` is one whole sentence of the program's own; holders of the link may read it, so it names nobody.
    """
    ledger.hold(session)
    asked = _open_ones(session, ApprovalRequest.subject == subject)
    return _close_each(session, asked, RequestStatus.VOID, reason=reason, now=now)


def expire_due(session: Session, now: datetime) -> list[ApprovalRequest]:
    """Close every question whose time is over, and return them so that their authors can be told."""
    ledger.hold(session)
    overdue = _open_ones(session, ApprovalRequest.expires_at <= now)
    return _close_each(session, overdue, RequestStatus.EXPIRED, reason="Nobody decided in time.", now=now)


def close_if_open(
    session: Session, request: ApprovalRequest, *, status: RequestStatus, reason: str, now: datetime
) -> bool:
    """Settle a request if nobody else has; says whether it was this call that did. Its links end with it."""
    won = session.execute(
        update(ApprovalRequest)
        .where(ApprovalRequest.id == request.id, ApprovalRequest.status == RequestStatus.OPEN)
        .values(status=status, closed_at=now, closed_reason=reason)
        .returning(ApprovalRequest.id)
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(request)
    if won is None:
        return False
    close_tokens(session, request.id, now=now)
    return True


def check_open(request: ApprovalRequest, *, now: datetime) -> None:
    """Refuse a request that was closed without a decision, or whose time is over."""
    if request.status in {RequestStatus.VOID, RequestStatus.EXPIRED} or now >= request.expires_at:
        raise RequestClosed(told_closing(request))


def _open_ones(session: Session, which: Any) -> Sequence[ApprovalRequest]:
    query = select(ApprovalRequest).where(ApprovalRequest.status == RequestStatus.OPEN, which)
    # read again even what this session already holds: it may have been settled while we waited for the lock
    return session.scalars(query.order_by(ApprovalRequest.opened_seq).execution_options(populate_existing=True)).all()


def _close_each(
    session: Session, asked: Sequence[ApprovalRequest], status: RequestStatus, *, reason: str, now: datetime
) -> list[ApprovalRequest]:
    closed = []
    for request in asked:
        if close_if_open(session, request, status=status, reason=reason, now=now):
            body = {"request": request.id, "subject": request.subject, "digest": request.digest}
            ledger.append(session, at=now, kind=f"request.{status}", body=body)
            closed.append(request)
    return closed
