"""Signed-in browsers: begun, looked up and ended in the database, so that any of them can be ended at once."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.staff import Staff, StaffSession

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)


def hash_token(token: str) -> str:
    """What the database keeps of a secret that a browser or an e-mail carries."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin_session(session: Session, staff_id: int, *, now: datetime, agent: str = "") -> str:
    """Begin a session and give the secret for the cookie. It is told once and never again."""
    session.execute(delete(StaffSession).where(StaffSession.expires_at < now))
    token = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            id_hash=hash_token(token),
            staff_id=staff_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE,
            data={"agent": agent[:120]},
        )
    )
    return token


def find_session(session: Session, token: str, *, now: datetime) -> tuple[StaffSession, Staff] | None:
    """The living session behind a cookie and whose it is; None when it ended, idled out, or its owner may not sign in."""
    row = session.execute(
        select(StaffSession, Staff)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            StaffSession.id_hash == hash_token(token),
            StaffSession.revoked_at.is_(None),
            StaffSession.expires_at > now,
            StaffSession.last_seen_at > now - IDLE,
        )
    ).first()
    if row is None or not row[1].may_sign_in(london(now).date()):
        return None
    return row[0], row[1]


def keep_session(session: Session, id_hash: str, *, data: dict[str, Any], now: datetime, seen: bool) -> None:
    """Store what the session carries and, where a person was at work, that they were."""
    values: dict[str, Any] = {"data": data}
    if seen:
        values["last_seen_at"] = now
    session.execute(update(StaffSession).where(StaffSession.id_hash == id_hash).values(**values))


def end_session(session: Session, id_hash: str, *, staff_id: int, now: datetime) -> bool:
    """End one of a person's own sessions; False when there is no such session to end."""
    ended = session.execute(
        update(StaffSession)
        .where(StaffSession.id_hash == id_hash, StaffSession.staff_id == staff_id, StaffSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return bool(ended.rowcount)  # type: ignore[attr-defined]  # a DML result always has it


def end_all_sessions(session: Session, staff_id: int, *, now: datetime, but: str | None = None) -> None:
    """End every session of a person, if wished all but the one at hand."""
    statement = update(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.revoked_at.is_(None))
    if but is not None:
        statement = statement.where(StaffSession.id_hash != but)
    session.execute(statement.values(revoked_at=now))


def living_sessions(session: Session, staff_id: int, *, now: datetime) -> Sequence[StaffSession]:
    """Where a person is signed in now, the latest seen first."""
    return session.scalars(
        select(StaffSession)
        .where(
            StaffSession.staff_id == staff_id,
            StaffSession.revoked_at.is_(None),
            StaffSession.expires_at > now,
            StaffSession.last_seen_at > now - IDLE,
        )
        .order_by(StaffSession.last_seen_at.desc())
    ).all()
