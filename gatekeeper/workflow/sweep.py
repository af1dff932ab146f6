"""Finds what is stuck between two states and orders it again: the safety net under every step.

Run once a minute. Each part is a no-op when there is nothing to do, so it may run twice or beside itself.
"""

import logging
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import challenges
from approvals.tables import PasskeyChallenge
from gatekeeper import jobs
from gatekeeper.mail.model import Notice
from gatekeeper.people.templates import Enrolment
from gatekeeper.posts.model import ChannelAccount, Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import (
    anchor,
    case_clocks,
    consent_dates,
    consent_hold,
    daily_check,
    decide,
    digest,
    handover,
    recognition,
    recover,
    remind,
    takedown_sweep,
    undecided,
    watch,
)
from gatekeeper.workflow.purge import run as run_purge
from gatekeeper.workflow.roles import apply_due_role_changes, waiting_changes
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

_LEFTOVER_AGE = timedelta(hours=24)


def run(services: Services) -> None:
    """One round: time run out, roles that take effect, questions to hand over, work nobody ordered, files nobody owns."""
    decide.expire_due(services)
    _take_effect(services)
    handover.run(services)
    remind.run(services)
    digest.run(services)
    undecided.run(services)
    anchor.run(services)
    daily_check.run(services)
    recognition.clean(services)
    recover.close_lapsed(services)
    case_clocks.run(services)
    watch.order_due(services)
    takedown_sweep.run(services)
    consent_hold.run(services)
    consent_dates.run(services)
    if lost := _order_lost_work(services):
        log.warning("ordered %d pieces of work that had been lost", lost)
    services.media.discard_leftovers(before=services.clock.now() - _LEFTOVER_AGE)
    run_purge(services)  # last: it has the most to do, and the least hurry


def _take_effect(services: Services) -> None:
    """Role changes that have waited long enough, and challenges that nobody answered."""
    now = services.clock.now()
    with services.db.read() as session:  # most times there is nothing, and then no writer's place is taken
        due = any(change.effective_at <= now for change in waiting_changes(session))
        stale = session.scalar(select(PasskeyChallenge.id).where(PasskeyChallenge.expires_at <= now).limit(1))
    if due or stale is not None:
        with services.step() as session:
            apply_due_role_changes(session, now=now)
            challenges.drop_old(session, now)


def _order_lost_work(services: Services) -> int:
    """Order the work of every row whose state waits for it and for which no order stands."""
    with services.db.read() as session:
        if not _lost_work(session):
            return 0
    with services.step() as session:
        lost = _lost_work(session)
        for job, subject_id in lost:
            jobs.order(session, job, subject_id, now=services.clock.now())
    return len(lost)


def _lost_work(session: Session) -> list[tuple[jobs.Job, int]]:
    waiting: list[tuple[jobs.Job, int]] = []
    for state, job in ((PostState.SCANNING, jobs.SCAN), (PostState.REQUESTING, jobs.REQUEST)):
        waiting += [(job, post_id) for post_id in session.scalars(select(Post.id).where(Post.state == state))]
    waiting += [
        (jobs.NOTIFY, n)
        for n in session.scalars(
            select(Notice.id).where(Notice.sent_at.is_(None), Notice.failed_at.is_(None), Notice.problem != digest.HELD)
        )
    ]
    waiting += [(jobs.ENROL, e) for e in session.scalars(select(Enrolment.id).where(Enrolment.state == "waiting"))]
    waiting += [
        (jobs.CONNECT, a) for a in session.scalars(select(ChannelAccount.id).where(ChannelAccount.status == "new"))
    ]
    standing = {(row.job, row.subject_id) for row in session.execute(select(jobs.Order.job, jobs.Order.subject_id))}
    return [(job, subject_id) for job, subject_id in waiting if (job.name, subject_id) not in standing]
