"""Every job's name, function, queue and time limit, and the orders for work that stand in the database.

An order is a row written in the same transaction as the state that makes the work necessary. Redis only carries the
news of it: whoever claims the row does the work, so a job that arrives twice, late or never does no harm. A worker's
timer asks `due` for what nobody has taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Index, String, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from gatekeeper.db.base import Base
from gatekeeper.db.upsert import insert_for


@dataclass(frozen=True, kw_only=True)
class Job:
    """One kind of background work. `function` takes the subject's id and nothing else."""

    name: str
    function: str
    queue: str
    timeout: int  # seconds of wall time for one run; the lease of a claim outlives it
    tries: int = 5


SCAN = Job(name="scan", function="workers.scan.run", queue="scan", timeout=600, tries=3)
REQUEST = Job(name="request", function="workers.request.run", queue="mail", timeout=60)
NOTIFY = Job(name="notify", function="workers.notify.run", queue="mail", timeout=90, tries=40)
CONNECT = Job(name="connect", function="workers.connect.run", queue="platform", timeout=120, tries=3)
ENROL = Job(name="enrol", function="workers.enrol.run", queue="scan", timeout=60, tries=3)
SUGGEST = Job(name="suggest", function="workers.suggest.run", queue="scan", timeout=120, tries=3)
TAKEDOWN = Job(name="takedown", function="workers.takedown.run", queue="platform", timeout=90, tries=40)
WATCH = Job(name="watch", function="workers.watch.run", queue="platform", timeout=180, tries=3)
RESEAL = Job(name="reseal", function="workers.enrol.reseal", queue="scan", timeout=300, tries=3)

JOBS = {job.name: job for job in (SCAN, REQUEST, NOTIFY, CONNECT, ENROL, SUGGEST, RESEAL, WATCH, TAKEDOWN)}
QUEUES = ("scan", "mail", "platform")
LEASE_MARGIN = timedelta(seconds=30)


class Order(Base):
    """Work that has been ordered and is not finished."""

    __tablename__ = "job_order"
    __table_args__ = (
        Index("uq_job_order_work", "job", "subject_id", unique=True),
        Index("ix_job_order_due", "queue", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(String(20))
    queue: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int]
    ordered_at: Mapped[datetime]
    next_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)


@dataclass(frozen=True)
class Claim:
    """The right to do one piece of work until a moment."""

    order_id: int
    job: str
    subject_id: int
    attempt: int
    ordered_at: datetime


def order(session: Session, job: Job, subject_id: int, *, now: datetime, due: datetime | None = None) -> None:
    """Order work in the caller's transaction, for a later moment if it is told one; ordered again, it starts afresh."""
    order_each(session, job, [subject_id], now=now, due=due)


def order_each(
    session: Session, job: Job, subject_ids: Sequence[int], *, now: datetime, due: datetime | None = None
) -> None:
    """The same work for several."""
    if not subject_ids:
        return
    session.flush()  # what is ordered is written before its order
    session.execute(
        _ordering(session.get_bind().dialect.name),
        [
            {
                "job": job.name,
                "queue": job.queue,
                "subject_id": subject_id,
                "ordered_at": now,
                "next_at": due or now,
                "attempts": 0,
                "claimed_until": None,
            }
            for subject_id in subject_ids
        ],
    )
    if due is None:  # what is for later, the worker's timer finds
        session.info.setdefault("orders", []).extend((job.name, subject_id) for subject_id in subject_ids)


@cache
def _ordering(dialect: str) -> Any:
    insert = insert_for(dialect, Order.__table__)
    afresh = {name: insert.excluded[name] for name in ("ordered_at", "next_at", "attempts", "claimed_until")}
    return insert.on_conflict_do_update(index_elements=["job", "subject_id"], set_=afresh)


def due(session: Session, queue: str, *, now: datetime, limit: int = 50) -> Sequence[tuple[str, int]]:
    """The work of a queue that nobody holds, oldest first, as (job name, subject id)."""
    rows = session.execute(
        select(Order.job, Order.subject_id)
        .where(
            Order.queue == queue, Order.next_at <= now, or_(Order.claimed_until.is_(None), Order.claimed_until <= now)
        )
        .order_by(Order.next_at, Order.id)
        .limit(limit)
    )
    return [(row.job, row.subject_id) for row in rows]


def waits(session: Session, job: Job, *, now: datetime) -> bool:
    """Whether work of this kind is due that was never tried. What is tried again and again hurries nobody."""
    fresh = (Order.job == job.name, Order.next_at <= now, Order.attempts == 0)
    return session.scalars(select(Order.id).where(*fresh).limit(1)).first() is not None


def claim(session: Session, job: Job, subject_id: int, *, now: datetime) -> Claim | None:
    """Take the work, or None when there is none to take. Two who ask at once: one gets it."""
    row = session.scalars(
        select(Order)
        .where(
            Order.job == job.name,
            Order.subject_id == subject_id,
            Order.next_at <= now,
            or_(Order.claimed_until.is_(None), Order.claimed_until <= now),
        )
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    row.claimed_until = now + timedelta(seconds=job.timeout) + LEASE_MARGIN
    row.attempts += 1
    return Claim(row.id, row.job, row.subject_id, row.attempts, row.ordered_at)


def finish(session: Session, done: Claim) -> None:
    """Strike the order off, unless it was renewed while the work ran."""
    session.execute(delete(Order).where(Order.id == done.order_id, Order.ordered_at == done.ordered_at))


def postpone(session: Session, failed: Claim, *, now: datetime) -> None:
    """Put failed work back, each time a little later (5 s, 10 s, 20 s ... at most 15 min)."""
    pause = timedelta(seconds=min(900, 5 * 2 ** min(failed.attempt - 1, 10)))
    session.execute(
        update(Order)
        .where(Order.id == failed.order_id, Order.ordered_at == failed.ordered_at)
        .values(claimed_until=None, next_at=now + pause)
    )
