"""Whether an e-mail that has to be seen before something takes effect has left this house, and when.

What waits so that somebody can stop it must not take effect unseen: not while the mail server is down, not when the
e-mail came back, and not when an administrator put it away.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.mail.model import Notice


def went_out(session: Session, kind: str, *, subject: str, staff_ids: Sequence[int]) -> datetime | None:
    """The moment from which on all of these people could have read it; None while one of them could not."""
    sent = {
        notice.staff_id: notice.sent_at
        for notice in session.scalars(
            select(Notice)
            .where(Notice.kind == kind, Notice.subject == subject, Notice.staff_id.in_(staff_ids))
            .execution_options(populate_existing=True)
        )
        if notice.sent_at is not None and notice.failed_at is None and not notice.problem
    }
    return max(sent.values()) if sent and sent.keys() == set(staff_ids) else None


def asked_of(session: Session, kind: str, *, subject: str) -> list[int]:
    """Everybody to whom this e-mail was ordered."""
    return list(session.scalars(select(Notice.staff_id).where(Notice.kind == kind, Notice.subject == subject)))
