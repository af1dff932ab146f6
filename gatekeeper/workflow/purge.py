"""The nightly purge: erases what had its time, class by class, in small steps, and says how much it was.

Part of the sweep, so it runs in a process that can write into the ledger. A step is one short transaction with its own
line in the audit: a crash loses nothing, and the next round goes on where this one ended. A round ends after a number
of steps, so that everything else in the sweep has its turn. What was in it is told nowhere, only how many of what.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gatekeeper.clock import london, resolve_london
from gatekeeper.log import place_of
from gatekeeper.people.staff import Audit, record
from gatekeeper.policy import retention
from gatekeeper.posts.model import Restoration
from gatekeeper.workflow import purge_cases, purge_children, purge_files, purge_posts, purge_public, purge_traces
from gatekeeper.workflow.purge_rule import Night, Rule, night, still_due
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

NIGHT: Final = time(
    0, 30
)  # Europe/London, never doubled and never left out: the backup at half past two then holds no longer what went
PURGED, FINISHED, SUBJECT = "retention.purged", "retention.finished", "retention"
STEPS: Final = 40  # in one round; each holds the writer's place for a moment

_ALL: Final = (
    *purge_posts.RULES,
    *purge_children.RULES,
    *purge_public.RULES,
    *purge_cases.RULES,
    *purge_traces.RULES,
)
#: in the order of the classes: what nobody needs goes first
RULES: Final[tuple[Rule, ...]] = tuple(rule for name in retention.classes() for rule in _ALL if rule.id == name)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One night's purge that came to its end."""

    at: datetime
    counts: dict[str, int]
    failed: tuple[str, ...]


def run(services: Services) -> None:
    """One round. Most times the night's purge is done already, and then one question is all there is."""
    now = services.clock.now()
    with services.db.read() as session:
        if not is_due(session, now=now):
            return
        tonight = night(session, now=now)
    left, failed = STEPS, []
    for rule in RULES:
        try:
            while left and (some := _search(services, rule, tonight, steps=left)):
                erased = 0
                for ids in some:
                    erased += _step(services, rule, ids, tonight)
                    left -= 1
                if not erased:  # all of it was held or taken up again in this moment
                    break
        except Exception as problem:  # noqa: BLE001 - one class that cannot go must not keep the others
            failed.append(rule.id)
            log.error("data of the class %s could not be purged: %s", rule.id, place_of(problem))  # noqa: TRY400
        if not left:
            return  # the next round goes on here
    _finish(services, tonight, failed)


def is_due(session: Session, *, now: datetime) -> bool:
    """Whether this night's purge has not come to its end yet.

    A computer that was off at night purges when it wakes; a database that was put back waits until it is known what
    went out since.
    """
    begun = london(now)
    day = begun.date() if begun.time() >= NIGHT else begun.date() - timedelta(days=1)
    since = resolve_london(datetime.combine(day, NIGHT), fold=0)
    last = session.scalar(select(func.max(Audit.at)).where(Audit.action == FINISHED))
    if last is not None and since <= last <= now:
        return False
    return session.scalar(select(Restoration.id).where(Restoration.finished_at.is_(None)).limit(1)) is None


def last_runs(session: Session, *, most: int = 14) -> list[Run]:
    """The last nights' purges, the newest first."""
    rows = session.scalars(select(Audit).where(Audit.action == FINISHED).order_by(Audit.id.desc()).limit(most))
    return [
        Run(at=row.at, counts=dict(row.detail.get("counts", {})), failed=tuple(row.detail.get("failed", ())))
        for row in rows
    ]


def waiting(session: Session, *, now: datetime) -> dict[str, int]:
    """How many of each class would go now; only those that can be counted without looking through every file."""
    tonight = night(session, now=now)
    counts: Counter[str] = Counter()
    for rule in RULES:
        query = rule.due(session, tonight)
        found = (
            0 if query is None else session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
        )
        counts[rule.id] += found or 0
    return dict(counts)


def _search(services: Services, rule: Rule, tonight: Night, *, steps: int) -> list[list[Any]]:
    """What is due of one kind, in parts of which each is one step. The search takes no writer's place."""
    with services.db.read() as session:
        query = rule.due(session, tonight)
        found = [] if query is None else list(session.scalars(query.limit(rule.batch * steps)))
    return [found[first : first + rule.batch] for first in range(0, len(found), rule.batch)]


def _step(services: Services, rule: Rule, found: list[Any], tonight: Night) -> int:
    """Erase these, as far as they are still due: a hold may have been placed since. Says how many it were."""
    with services.step() as session:
        ids = found if rule.asks_again else still_due(session, rule.due, tonight, found)
        count = rule.erase(session, ids, tonight) if ids else 0
        if count:
            detail = {"class": rule.id, "number": count}
            record(session, at=tonight.now, staff_id=None, action=PURGED, subject=SUBJECT, detail=detail)
    if count:
        log.info("purged %d of the class %s", count, rule.id)
    return count


def _finish(services: Services, tonight: Night, failed: list[str]) -> None:
    """The files, once the rows are gone for good; then the night's own line."""
    files: dict[str, int] = {}
    try:
        files = purge_files.remove_unwanted(services, tonight)
    except Exception as problem:  # noqa: BLE001 - told on the page and by the doctor, and tried again tomorrow
        failed.append("files")
        log.error("pictures that nobody needs could not be deleted: %s", place_of(problem))  # noqa: TRY400
    with services.step() as session:
        counts = _since_last(session) + Counter(files)
        detail: dict[str, Any] = {"counts": {name: number for name, number in sorted(counts.items()) if number}}
        if failed:
            detail["failed"] = sorted(set(failed))
        record(session, at=tonight.now, staff_id=None, action=FINISHED, subject=SUBJECT, detail=detail)
    if not services.db.empty_log():
        log.info("somebody was reading: what was erased leaves the database's log with its next turn")


def _since_last(session: Session) -> Counter[str]:
    """What all rounds of this night purged, also those before a crash."""
    last = session.scalar(select(func.max(Audit.id)).where(Audit.action == FINISHED)) or 0
    counts: Counter[str] = Counter()
    for detail in session.scalars(select(Audit.detail).where(Audit.action == PURGED, Audit.id > last)):
        counts[str(detail["class"])] += int(detail["number"])
    return counts
