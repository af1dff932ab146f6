"""Orders an e-mail: the row that must reach somebody, and the work of sending it, in the caller's transaction."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.db.upsert import insert_for
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
        message_id=_message_id(),
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
    fresh = order_all_once(session, kind, staff_ids=[staff_id], subject=subject, now=now, context=context)
    known = find_notice(session, kind, staff_id=staff_id, subject=subject)
    assert known is not None
    return known, bool(fresh)


def order_all_once(
    session: Session,
    kind: str,
    *,
    staff_ids: Iterable[int],
    subject: str,
    now: datetime,
    context: dict[str, Any] | None = None,
) -> list[int]:
    """The same e-mail to each of these people, as `order_once`; the numbers of those that were ordered now."""
    session.flush()
    ordered: list[int] = []
    for staff_id in staff_ids:
        notice_id = session.scalar(
            _ordering(session.get_bind().dialect.name),
            {
                "kind": kind,
                "staff_id": staff_id,
                "subject": subject,
                "context": context or {},
                "created_at": now,
                "message_id": _message_id(),
            },
        )
        if notice_id is not None:
            ordered.append(notice_id)
    jobs.order_each(session, jobs.NOTIFY, ordered, now=now)
    return ordered


@cache
def _ordering(dialect: str) -> Any:
    table = Notice.__table__
    return (
        insert_for(dialect, table)
        .on_conflict_do_nothing(index_elements=["kind", "staff_id", "subject"])
        .returning(table.c.id)
    )


def _message_id() -> str:
    """The same however often the e-mail is sent."""
    return f"<{secrets.token_hex(16)}@gatekeeper>"


def find_notice(session: Session, kind: str, *, staff_id: int, subject: str) -> Notice | None:
    """The e-mail of this kind to this person about this subject, if it was ever ordered."""
    return session.scalars(
        select(Notice).where(Notice.kind == kind, Notice.staff_id == staff_id, Notice.subject == subject)
    ).one_or_none()
