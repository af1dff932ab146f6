"""Orders an e-mail: the row that must reach somebody, and the work of sending it, in the caller's transaction."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
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


def order_once(
    session: Session, kind: str, *, staff_id: int, subject: str, now: datetime, context: dict[str, Any] | None = None
) -> tuple[Notice, bool]:
    """The e-mail of this kind to this person about this subject, and whether it was this call that ordered it.

    Two who order it at the same moment order one: the row decides, on both databases.
    """
    known = find_notice(session, kind, staff_id=staff_id, subject=subject)
    if known is not None:
        return known, False
    try:
        with session.begin_nested():
            return order_notice(session, kind, staff_id=staff_id, subject=subject, now=now, context=context), True
    except IntegrityError:
        known = find_notice(session, kind, staff_id=staff_id, subject=subject)
        if known is None:  # it was not this row that stood in the way
            raise
        return known, False


def find_notice(session: Session, kind: str, *, staff_id: int, subject: str) -> Notice | None:
    """The e-mail of this kind to this person about this subject, if it was ever ordered."""
    return session.scalars(
        select(Notice).where(Notice.kind == kind, Notice.staff_id == staff_id, Notice.subject == subject)
    ).one_or_none()
