"""Watching over the school's own accounts: each is read on a timetable, and what did not come through the gate is told.

Only the official accounts are read, never a person's. A reading changes nothing on a platform. Where publishing needs
what a platform still allows, reading stands back.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper import jobs
from gatekeeper.channels.base import Watching
from gatekeeper.channels.errors import (
    AccountRestricted,
    AuthenticationFailed,
    ChannelError,
    NotSent,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    UnsupportedApiVersion,
)
from gatekeeper.channels.told import EVERYTHING
from gatekeeper.errors import SettingsError
from gatekeeper.log import place_of
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, ChannelLimit, Restoration
from gatekeeper.posts.public import AccountWatch, RemotePublicPost, Takedown, TakedownState
from gatekeeper.workflow import incident_close, watch_look_up
from gatekeeper.workflow.incident_found import office
from gatekeeper.workflow.limits_seen import waits_until
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.watch_pace import (
    Pace,
    WatchSetting,
    longest_for,
    month_after,
    next_reading,
    pace_of,
    present_setting,
    spent_on,
)
from gatekeeper.workflow.watch_round import CalledAway, ReadChannel, Round

log = logging.getLogger(__name__)

FAILING: Final = 3
NOTICE: Final = "watch_failing"
#: accounts in these states are watched
WATCHED: Final = ("open", "held")
_PAGES: Final = 40  # of 100 posts each
_FIRST_PAGES: Final = 10
_SPARE: Final = 25  # percent of what Facebook allows that reading leaves for publishing
_WAIT_AT_MOST: Final = timedelta(hours=25)  # whatever an answer says
_KEEP_FREE_FOR: Final = timedelta(minutes=30)
_CLEARED: Final = timedelta(minutes=5)
_AFTER_REMOVALS: Final = timedelta(seconds=10)
NO_BUDGET: Final = "The budget for reading X this month is used up. It is read again when the next month begins, or when the budget is raised."
NOT_WHOLE: Final = "There were more posts than one reading takes. The oldest of them were not looked at."
RESTORED: Final = "The database was put back from a backup. The accounts are read again when the restore is finished."
SPARED: Final = "The platform's allowance is nearly used up. What is left is kept for publishing."


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What a reading begins with. `wait` is until when it must not begin, and why."""

    account: ChannelAccount
    watch: AccountWatch
    setting: WatchSetting
    pace: Pace
    spent: int
    wait: tuple[datetime, str] | None


def read(services: Services, account_id: int) -> None:
    """Read one account and order the next reading. Whatever a platform does is written down, never raised."""
    now = services.clock.now()
    with services.db.read() as session:
        plan = _plan(services, session, account_id, now=now)
    if plan is None:
        return
    if plan.wait is not None:
        _put_off(services, plan, until=plan.wait[0], problem=plan.wait[1])
        return
    try:
        done = _read_through(services, plan, now=now)
    except CalledAway:
        _put_off(services, plan, until=services.clock.now() + _AFTER_REMOVALS, problem=plan.watch.problem)
    except RateLimited as limited:
        until = min(limited.retry_at or now + plan.pace.every, now + _WAIT_AT_MOST)
        _put_off(services, plan, until=until, problem=f"{limited.platform} asks to wait before it is read again.")
    except Exception as error:  # noqa: BLE001 - whatever it was, the next reading must be ordered
        log.warning("account %d could not be read (%s)", account_id, place_of(error))
        _failed(services, plan, problem_of(error, label_of(plan.account.kind)))
    else:
        _came_through(services, plan, done)


def order_due(services: Services) -> int:
    """Order every reading that is due, and begin to watch accounts that were opened; says how many were ordered."""
    now = services.clock.now()
    with services.db.read() as session:
        if not _due(session, now=now):  # most times; a look takes no writer's place
            return 0
    with services.step() as session:
        due = _due(session, now=now)
        for account_id in due:
            if session.get(AccountWatch, account_id) is None:
                # platforms tell whole seconds: what has this one's number may have come after the watch began
                session.add(AccountWatch(account_id=account_id, began_at=now.replace(microsecond=0), next_at=now))
                session.flush()
            jobs.order(session, jobs.WATCH, account_id, now=now)
    return len(due)


def order_now(services: Services, account_id: int) -> bool:
    """Let an account be read at once, because somebody asks; False where it is not watched or was just read."""
    now = services.clock.now()
    with services.step() as session:
        watch = session.get(AccountWatch, account_id)
        account = session.get(ChannelAccount, account_id)
        if watch is None or account is None or account.status not in WATCHED:
            return False
        if watch.read_at is not None and timedelta(0) <= now - watch.read_at < timedelta(seconds=15):
            return False
        watch.next_at = now
        jobs.order(session, jobs.WATCH, account_id, now=now)
        return True


def problem_of(error: Exception, label: str) -> str:
    """Why a reading did not come through, in words for a person."""
    sentences: tuple[tuple[type[Exception], str], ...] = (
        (AuthenticationFailed, f"{label} does not accept the school's keys. An administrator must connect it again."),
        (PermissionDenied, f"{label} does not let the school's keys read the account. An administrator must look."),
        (QuotaExhausted, f"The school's credit with {label} is used up. An administrator must top it up."),
        (AccountRestricted, f"{label} has restricted the account. An administrator must sign in there and see why."),
        (UnsupportedApiVersion, f"{label} no longer supports the way Gatekeeper speaks to it."),
        (NotSent, f"{label} could not be reached."),
        (ChannelError, f"{label} did not answer properly."),
        (SettingsError, str(error)),
    )
    return next((sentence for kind, sentence in sentences if isinstance(error, kind)), "The reading broke off.")


def _plan(services: Services, session: Session, account_id: int, *, now: datetime) -> _Plan | None:
    account, watch = session.get(ChannelAccount, account_id), session.get(AccountWatch, account_id)
    if account is None or watch is None or account.status not in WATCHED or not account.sealed:
        return None
    setting = present_setting(session)
    pace = pace_of(account.kind, setting, services.settings)
    spent = spent_on(session, account_id, now=now) if pace.paid else 0
    wait: tuple[datetime, str] | None = None
    if session.scalars(select(Restoration.id).where(Restoration.finished_at.is_(None)).limit(1)).first() is not None:
        wait = now + _CLEARED, RESTORED
    elif pace.paid and spent >= setting.reads and not services.settings.demo:
        wait = month_after(now), NO_BUDGET
    elif until := waits_until(session, account_id, ("list_posts", EVERYTHING), now=now):
        wait = until, f"{label_of(account.kind)} asks to wait before it is read again."
    elif _is_scarce(session, account_id, now=now):
        wait = now + _CLEARED, SPARED
    return _Plan(account=account, watch=watch, setting=setting, pace=pace, spent=spent, wait=wait)


def _is_scarce(session: Session, account_id: int, *, now: datetime) -> bool:
    """Whether what the platform still allows is little, so that it is kept for publishing."""
    told = session.get(ChannelLimit, (account_id, EVERYTHING))
    lately = told is not None and timedelta(0) <= now - told.seen_at < _KEEP_FREE_FOR
    return lately and told is not None and told.remaining is not None and told.remaining < _SPARE


def _read_through(services: Services, plan: _Plan, *, now: datetime) -> Round:
    """One whole reading, its platform calls outside any transaction."""
    if services.channel_for is None:
        raise SettingsError("This process holds no channel keys.")
    channel = services.channel_for(plan.account)
    if not isinstance(channel, Watching):
        raise SettingsError(f"{label_of(plan.account.kind)} cannot be read through.")
    pace, watch = plan.pace, plan.watch
    first = watch.read_at is None
    # a clock that was set back must not leave a gap
    since = now - pace.first if watch.read_at is None else min(watch.read_at, now) - pace.overlap
    pages = _FIRST_PAGES if first else _PAGES
    if pace.paid and not services.settings.demo:
        pages = 1 if first else max(1, min(pages, (plan.setting.reads - plan.spent) // 100))
    if pace.back:  # nothing costs: once a day as far back as at first, for what somebody changed long after
        since = min(since, now - (pace.back if watch.reads_day == now.date() else pace.first))
    done = Round(
        services=services,
        account=plan.account,
        channel=cast("ReadChannel", channel),
        began_at=watch.began_at,
        started=now,
        since=since,
        pace=pace,
        pages=pages,
        first=first,
    )
    done.read_timeline()
    done.read_queue()
    done.judge_undecided()
    spare = plan.setting.reads - plan.spent - done.reads if pace.paid and not services.settings.demo else None
    watch_look_up.look_up(done, spare=spare)
    return done


def _came_through(services: Services, plan: _Plan, done: Round) -> None:
    now, account_id = services.clock.now(), plan.account.id
    with services.step() as session:
        ledger.hold(session)
        watch = session.get_one(AccountWatch, account_id, with_for_update=True)
        watch.read_at, watch.failures = done.started, 0
        watch.problem = "" if done.whole or done.first else NOT_WHOLE
        watch.reads = done.reads + (watch.reads if watch.reads_day == now.date() else 0)
        watch.reads_day = now.date()
        watch.next_at = next_reading(
            plan.pace,
            now=now,
            budget=plan.setting.reads,
            spent=plan.spent + done.reads,
            reads=done.reads,
            demo=services.settings.demo,
        )
        jobs.order(session, jobs.WATCH, account_id, now=now, due=watch.next_at)
        _settle_taken_down(session, account_id, now=now)


def _settle_taken_down(session: Session, account_id: int, *, now: datetime) -> None:
    """What we took down is gone, and what was reported of it has ended with it."""
    removed = session.execute(
        select(RemotePublicPost, Takedown.confirmed_at)
        .join(Takedown, (Takedown.account_id == account_id) & (Takedown.remote_id == RemotePublicPost.remote_id))
        .where(
            RemotePublicPost.account_id == account_id,
            RemotePublicPost.gone_at.is_(None),
            Takedown.state == TakedownState.GONE,
            Takedown.confirmed_by.is_(None),  # what a person says, the platform is asked for
            RemotePublicPost.seen_at < Takedown.confirmed_at,
        )
    )
    for row, confirmed_at in removed:
        row.gone_at = confirmed_at
    for found, done in incident_close.taken_down(session, account_id):
        assert done.asked_by is not None
        incident_close.end(session, found, by=done.asked_by, words=incident_close.TAKEN_DOWN, now=now)


def _put_off(services: Services, plan: _Plan, *, until: datetime, problem: str) -> None:
    """Read it later, because somebody asked to wait; that is no failure."""
    now = services.clock.now()
    with services.step() as session:
        watch = session.get_one(AccountWatch, plan.account.id, with_for_update=True)
        watch.problem, watch.next_at = problem, max(until, now + timedelta(seconds=1))
        jobs.order(session, jobs.WATCH, plan.account.id, now=now, due=watch.next_at)


def _failed(services: Services, plan: _Plan, problem: str) -> None:
    """Write down that a reading did not come through; of the third in a row people are told."""
    now, account = services.clock.now(), plan.account
    with services.step() as session:
        watch = session.get_one(AccountWatch, account.id, with_for_update=True)
        watch.failures += 1
        watch.problem = problem
        watch.next_at = now + plan.pace.after_failures(watch.failures)
        jobs.order(session, jobs.WATCH, account.id, now=now, due=watch.next_at)
        if watch.failures == FAILING:
            context = {
                "account_id": account.id,
                "channel": f"{label_of(account.kind)} ({account.name})",
                "sentence": problem,
            }
            since = watch.read_at or watch.began_at
            for staff_id in office(session):
                subject = f"watch:{account.id}:failing:{since:%Y%m%d%H%M%S}"
                tell(session, NOTICE, staff_id=staff_id, subject=subject, context=context, now=now)


def _due(session: Session, *, now: datetime) -> list[int]:
    """Accounts whose reading is due and for which no order stands that will be taken soon."""
    rows = session.execute(
        select(ChannelAccount.id, ChannelAccount.kind, AccountWatch.next_at, jobs.Order.next_at)
        .outerjoin(AccountWatch, AccountWatch.account_id == ChannelAccount.id)
        .outerjoin(jobs.Order, (jobs.Order.job == jobs.WATCH.name) & (jobs.Order.subject_id == ChannelAccount.id))
        .where(ChannelAccount.status.in_(WATCHED), ChannelAccount.sealed.is_not(None))
        .order_by(ChannelAccount.id)
    )
    due = []
    for account_id, kind, next_at, ordered_for in rows:
        longest = longest_for(kind)
        # far ahead: the clock was set back since
        is_due = next_at is None or next_at <= now or next_at > now + longest
        if is_due and (ordered_for is None or ordered_for > now):
            due.append(account_id)
    return due
