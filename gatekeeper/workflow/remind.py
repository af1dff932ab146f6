"""Reminds whoever may decide of what waits: little, in school hours, and each thing once.

A question is reminded of at half its time and two hours before it ends. Asked less than four hours before its time, it
gets no reminder at half time, and asked less than three hours before, none at all: the e-mail that asked is still
fresh. A reminder that falls outside the school's hours moves to the start of the next school day; where that is too
late it is dropped. Two that fall within an hour go as one.

Where three or more wait for one person, single reminders would be a flood. That person gets one digest a day, at the
start of the school day. A question that came later, and whose last reminder falls due before the next digest, brings
one digest more; it names everything that waits, so that a whole wave of such questions costs one e-mail.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest, RequestStatus
from gatekeeper.clock import london
from gatekeeper.mail.model import Notice
from gatekeeper.mail.order import order_once
from gatekeeper.people.school import school_settings
from gatekeeper.policy.hours import SchoolHours
from gatekeeper.workflow.services import Services

REMINDER: Final = "reminder"
DIGEST: Final = "digest"
MANY: Final = 3  # from here on single reminders would be a flood
BEFORE: Final = timedelta(hours=2)
SHORTEST_FOR_HALF: Final = timedelta(hours=4)
SHORTEST: Final = timedelta(hours=3)
_TOGETHER: Final = timedelta(hours=1)


class Stage(StrEnum):
    """Which of the two reminders it is."""

    HALF = "half"
    LAST = "last"


@dataclass(frozen=True)
class Reminder:
    """One reminder of one question, and from when on it may go."""

    stage: Stage
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One e-mail that is to go now."""

    kind: str
    staff_id: int
    subject: str
    context: dict[str, Any] = field(default_factory=dict)


def plan(*, asked: datetime, due: datetime, hours: SchoolHours) -> tuple[Reminder, ...]:
    """When a question is reminded of, in order. Each moment lies in school hours and before the due time."""
    if due - asked < SHORTEST:
        return ()
    last = hours.next_open(due - BEFORE, before=due)
    half = hours.next_open(asked + (due - asked) / 2, before=due) if due - asked >= SHORTEST_FOR_HALF else None
    if half and last and last - half < _TOGETHER:
        half = None
    found = [Reminder(Stage.HALF, half)] if half else []
    return (*found, Reminder(Stage.LAST, last)) if last else tuple(found)


def run(services: Services) -> int:
    """Order every reminder and digest whose moment has come. Says how many e-mails that were."""
    now = services.clock.now()
    with services.db.read() as session:  # most times there is nothing, and then no writer's place is taken
        if not coming(session, now=now):
            return 0
    ordered = 0
    with services.step() as session:
        for mail in coming(session, now=now):  # asked again: another round may have been quicker, or a decision was
            _, fresh = order_once(
                session, mail.kind, staff_id=mail.staff_id, subject=mail.subject, context=mail.context, now=now
            )
            ordered += fresh
    return ordered


def coming(session: Session, *, now: datetime) -> list[Planned]:
    """What has to go at this moment and has not been ordered yet."""
    hours = SchoolHours.of(school_settings(session))
    if not hours.is_open(now):
        return []
    waiting: dict[int, list[ApprovalRequest]] = {}
    for request in open_questions(session, now=now):
        waiting.setdefault(request.approver_id, []).append(request)
    planned: list[Planned] = []
    for person_id, requests in sorted(waiting.items()):
        told = _Told.of(session, person_id, requests)
        if len(requests) < MANY:
            planned += _singles(person_id, requests, told, hours=hours, now=now)
        else:
            planned += _digests(person_id, requests, told, hours=hours, now=now)
    return planned


def open_questions(session: Session, *, now: datetime) -> Sequence[ApprovalRequest]:
    """Every question that can still be decided, the most urgent first."""
    return session.scalars(
        select(ApprovalRequest)
        .where(ApprovalRequest.status == RequestStatus.OPEN, ApprovalRequest.expires_at > now)
        .order_by(ApprovalRequest.expires_at, ApprovalRequest.id)
    ).all()


def reminder_subject(request_id: str, stage: Stage) -> str:
    """What one reminder is about; with the person it makes the row that can be there once."""
    return f"request:{request_id}:{stage}"


@dataclass(frozen=True)
class _Told:
    """What a person was told before: the reminders by their subjects, and the digests with what they named."""

    reminders: frozenset[str]
    digests: dict[str, frozenset[str]]

    @classmethod
    def of(cls, session: Session, person_id: int, requests: Iterable[ApprovalRequest]) -> "_Told":
        """Everything since the oldest of these questions was asked."""
        since = min(request.opened_at for request in requests)
        rows = session.scalars(
            select(Notice).where(
                Notice.staff_id == person_id, Notice.kind.in_((REMINDER, DIGEST)), Notice.created_at >= since
            )
        ).all()
        return cls(
            frozenset(row.subject for row in rows if row.kind == REMINDER),
            {row.subject: frozenset(row.context.get("requests", ())) for row in rows if row.kind == DIGEST},
        )

    def named(self, request_id: str, *, since: str = "") -> bool:
        """Whether a digest, of the day that begins so or of any, named this question."""
        return any(request_id in named for subject, named in self.digests.items() if subject.startswith(since))


def _now_due(request: ApprovalRequest, *, hours: SchoolHours, now: datetime) -> Stage | None:
    """The latest reminder whose moment has come. One that was missed is not made up for once the next is due."""
    come = [one for one in plan(asked=request.opened_at, due=request.expires_at, hours=hours) if one.at <= now]
    return come[-1].stage if come else None


def _singles(
    person_id: int, requests: Sequence[ApprovalRequest], told: _Told, *, hours: SchoolHours, now: datetime
) -> Iterable[Planned]:
    for request in requests:
        stage = _now_due(request, hours=hours, now=now)
        if stage is None or reminder_subject(request.id, stage) in told.reminders:
            continue
        if stage is Stage.HALF and told.named(request.id):
            continue  # a digest did as much
        yield Planned(
            kind=REMINDER,
            staff_id=person_id,
            subject=reminder_subject(request.id, stage),
            context={"request_id": request.id, "stage": str(stage)},
        )


def _digests(
    person_id: int, requests: Sequence[ApprovalRequest], told: _Told, *, hours: SchoolHours, now: datetime
) -> Iterable[Planned]:
    today = london(now).date()
    opening = hours.opening(today)
    subject = f"{DIGEST}:{today.isoformat()}"
    context = {"requests": [request.id for request in requests]}
    if opening and subject not in told.digests and sum(one.opened_at < opening for one in requests) >= MANY:
        yield Planned(kind=DIGEST, staff_id=person_id, subject=subject, context=context)
        return
    for request in requests:
        if _now_due(request, hours=hours, now=now) is Stage.LAST and not told.named(request.id, since=subject):
            if reminder_subject(request.id, Stage.LAST) in told.reminders:
                continue
            yield Planned(kind=DIGEST, staff_id=person_id, subject=f"{subject}:{request.id}", context=context)
            return
