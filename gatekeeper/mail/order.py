"""Orders an e-mail: the row that must reach somebody, and the work of sending it, in the caller's transaction."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.mail.model import Notice


def order_notice(
    session: Session, kind: str, *, staff_id: int, subject: str, now: datetime, context: dict[str, Any] | None = None
) -> Notice:
    """Write an e-mail down to be sent. `context` holds ids and plain facts: no pupil, no token."""
    notice = Notice(
        kind=kind,
        staff_id=staff_id,
        subject=subject,
        context=context or {},
        created_at=now,
        message_id=f"<{secrets.token_hex(16)}@gatekeeper>",  # the same however often it is sent
    )
    session.add(notice)
    session.flush()
    jobs.order(session, jobs.NOTIFY, notice.id, now=now)
    return notice
