"""The plan of posts as one person may see it: by week or as a list, with what is worth a second look.

Who may read a post sees its title and its state; everybody else sees only that its time is taken on its channels, and
of a post that is not planned yet, nothing at all. Nobody else's words are compared for such a reader unless they are
public.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy import calendar
from gatekeeper.policy.hours import SchoolHours
from gatekeeper.policy.limits import label_of
from gatekeeper.policy.soft_rules import REMEMBERED, Plan, Planned, Remark
from gatekeeper.posts.model import ChannelAccount, Post
from gatekeeper.posts.status import EDITABLE, PostState
from gatekeeper.workflow.calendar_marks import MARKED, NONE, Marks, marks_of
from gatekeeper.workflow.gone import GONE_BADGE, gone
from gatekeeper.workflow.own_post import READERS, READERS_WITHOUT_PICTURES, readable_post
from gatekeeper.workflow.services import Services

P = PostState
#: posts that keep their time for themselves: on their way, or out
TAKING: Final = frozenset(P) - {P.DRAFT, P.REFUSED, P.EXPIRED, P.FAILED, P.MISSED, P.WITHDRAWN}
#: their time is over, or they are being sent: nothing about it can be changed any more
_OVER: Final = frozenset({P.PUBLISHED, P.PARTLY, P.NEEDS_PERSON, P.EXPIRED, P.FAILED, P.MISSED})
_DONE_WITH: Final = _OVER | {P.WITHDRAWN}
_PUBLIC: Final = frozenset({P.PUBLISHED, P.PARTLY})
_ALL_READERS: Final = READERS | READERS_WITHOUT_PICTURES
_GLANCE: Final = 7
_WEEK: Final = 7
LIST_DAYS: Final = 28
_SATURDAY: Final = 5


@dataclass(frozen=True, kw_only=True)
class PlannedPost:
    """One post on the schedule. Without a `state` the reader may know only that the time is taken."""

    id: int
    due: datetime
    wall: str
    channels: tuple[str, ...]
    title: str = ""
    state: PostState | None = None
    mine: bool = False
    remarks: tuple[Remark, ...] = ()
    marks: Marks = NONE
    badge: tuple[str, str, str] | None = None  # where its state alone would say too much

    @property
    def taken(self) -> bool:
        """Whether somebody else's post is here of which no more is told."""
        return self.state is None

    @property
    def can_move(self) -> bool:
        """Whether the reader may give it another time."""
        return self.mine and self.state is not None and self.state in EDITABLE


@dataclass(frozen=True, kw_only=True)
class CalendarDay:
    """One day. `closed` says why no school is that day; `clocks` what the clocks do in its night."""

    day: date
    today: bool
    over: bool
    closed: str
    clocks: str
    posts: tuple[PlannedPost, ...]

    @property
    def remarks(self) -> int:
        """How much there is on this day to look at twice."""
        return sum(len(post.remarks) for post in self.posts)


@dataclass(frozen=True, kw_only=True)
class Glance:
    """The next seven days in short: how many posts of which state, how many of others are only taken times.

    `held` of them wait for a channel that is held.
    """

    days: tuple[CalendarDay, ...]
    states: tuple[tuple[PostState, int], ...]
    taken: int
    away: tuple[tuple[tuple[str, str, str], int], ...] = ()  # what was taken down, by its badge
    held: int = 0

    @property
    def posts(self) -> int:
        """All of them together."""
        return sum(count for _, count in (*self.states, *self.away)) + self.taken

    @property
    def remarks(self) -> int:
        """Everything that is worth a second look."""
        return sum(day.remarks for day in self.days)


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """What one page of the schedule shows."""

    days: tuple[CalendarDay, ...]
    earlier: date
    later: date
    this_week: bool
    glance: Glance

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is planned on these days."""
        return not any(day.posts for day in self.days)


def week_of(services: Services, by: Staff, day: date | None = None) -> Calendar:
    """The week that this day is in, Monday to Sunday; without a day, the present one."""
    return _calendar(services, by, day, length=_WEEK)


def list_from(services: Services, by: Staff, day: date | None = None) -> Calendar:
    """Four weeks from the Monday before this day."""
    return _calendar(services, by, day, length=LIST_DAYS)


def plan_around(session: Session, by: Staff, first: datetime, last: datetime) -> Plan:
    """Everything that a post between these moments may collide with or repeat, as far as this reader may know of it."""
    rows = _rows(session, by, first - REMEMBERED, last + REMEMBERED)
    return _plan(session, rows, by, gone(session, [row.id for row in rows if row.state in _PUBLIC]))


def school_hours(session: Session) -> SchoolHours:
    """When the school is at work."""
    return SchoolHours.of(school_settings(session))


def remarks_about(services: Services, post_id: int, by: Staff) -> tuple[Remark, ...]:
    """What is worth a second look about the time of a post that is still to come.

    Raises:
        NotFound: there is no such post for this person.
    """
    with services.db.read() as session:
        post = readable_post(session, post_id, by)
        if post.due_at is None or post.due_at <= services.clock.now() or post.state in _DONE_WITH:
            return ()
        plan = plan_around(session, by, post.due_at, post.due_at)
        return plan.remarks(Planned(id=post.id, due=post.due_at, channels=tuple(post.channels), text=post.text))


def _calendar(services: Services, by: Staff, day: date | None, *, length: int) -> Calendar:
    now = services.clock.now()
    today = london(now).date()
    first = calendar.monday_of(day or today)
    shown, ahead = calendar.days_from(first, length), calendar.days_from(today, _GLANCE)
    with services.db.read() as session:
        rows = _rows(
            session,
            by,
            calendar.starts_at(min(first, today)) - REMEMBERED,
            calendar.starts_at(max(shown[-1], ahead[-1]) + timedelta(days=1)) + REMEMBERED,
        )
        away = gone(session, [row.id for row in rows if row.state in _PUBLIC])
        plan, names, hours = _plan(session, rows, by, away), _channel_names(session), school_hours(session)
        wanted = {*shown, *ahead}
        seen = [(on, row) for row in rows if (on := london(row.due_at).date()) in wanted]
        marked = [row.version_id for _, row in seen if row.version_id and row.state in MARKED and _reads(row, by)]
        marks = marks_of(session, marked, names)
    by_day: dict[date, list[PlannedPost]] = {}
    for on, row in seen:
        post = _shown(row, by, plan, names, now=now)
        known = NONE if post.taken else marks.get(row.version_id or 0, NONE)
        badge = GONE_BADGE[away[row.id]] if row.id in away and not post.taken else None
        by_day.setdefault(on, []).append(replace(post, marks=known, badge=badge))
    days = {on: _day(on, by_day.get(on, []), hours, today=today) for on in wanted}
    return Calendar(
        days=tuple(days[on] for on in shown),
        earlier=first - timedelta(days=length),
        later=first + timedelta(days=length),
        this_week=first == calendar.monday_of(today),
        glance=_glance([days[on] for on in ahead]),
    )


_Line = Row[tuple[int, int, str, str, list[int], datetime, str, int | None]]


def _rows(session: Session, by: Staff, first: datetime, last: datetime) -> Sequence[_Line]:
    """The posts of these days that this reader may know of, in order of time."""
    known = or_(Post.author_id == by.id, Post.state.in_(TAKING))
    if Role(by.role) in _ALL_READERS:
        known = or_(Post.author_id == by.id, Post.state != P.DRAFT, Post.version_id.is_not(None))
    states = [str(state) for state in P if state is not P.WITHDRAWN]  # named one by one, the index is of use
    return session.execute(
        select(Post.id, Post.author_id, Post.title, Post.text, Post.channels, Post.due_at, Post.state, Post.version_id)
        .where(Post.state.in_(states), Post.due_at >= first, Post.due_at < last, known)
        .order_by(Post.due_at, Post.id)
    ).all()


def _reads(row: _Line, by: Staff) -> bool:
    """Whether this person may read the post: the same answer as `own_post.readable_post` gives."""
    sent = row.state != P.DRAFT or row.version_id is not None
    return row.author_id == by.id or (sent and Role(by.role) in _ALL_READERS)


def _plan(session: Session, rows: Sequence[_Line], by: Staff, away: Mapping[int, bool]) -> Plan:
    """Everything that takes a time or says words; what is gone from every channel takes none any more."""
    going = [row for row in rows if row.state in TAKING or (row.author_id == by.id and row.state == P.DRAFT)]
    planned = [_as_planned(row, by) for row in going]
    planned = [replace(one, channels=()) if away.get(one.id) else one for one in planned]
    return Plan(planned, hours=school_hours(session), channels=_channel_names(session))


def _as_planned(row: _Line, by: Staff) -> Planned:
    reads = _reads(row, by)
    return Planned(
        id=row.id,
        due=row.due_at,
        channels=tuple(row.channels),
        title=_title(row) if reads else "",
        text=row.text if reads or row.state in _PUBLIC else "",
    )


def _shown(row: _Line, by: Staff, plan: Plan, names: Mapping[int, str], *, now: datetime) -> PlannedPost:
    channels = tuple(names[one] for one in row.channels if one in names)
    if not _reads(row, by):
        return PlannedPost(id=0, due=row.due_at, wall=calendar.wall(row.due_at), channels=channels)
    state = PostState(row.state)
    coming = row.due_at > now and state not in _OVER
    return PlannedPost(
        id=row.id,
        due=row.due_at,
        wall=calendar.wall(row.due_at),
        channels=channels,
        title=_title(row),
        state=state,
        mine=row.author_id == by.id,
        remarks=plan.remarks(_as_planned(row, by)) if coming else (),
    )


def _title(row: _Line) -> str:
    return row.title or f"Post {row.id}"


def _channel_names(session: Session) -> dict[int, str]:
    """Each account by its platform's name; by its own too where there are two of a kind."""
    accounts = session.execute(select(ChannelAccount.id, ChannelAccount.kind, ChannelAccount.name)).all()
    kinds = Counter(kind for _, kind, _ in accounts)
    return {
        number: label_of(kind) if kinds[kind] == 1 else f"{label_of(kind)} ({name})" for number, kind, name in accounts
    }


def _day(on: date, posts: Sequence[PlannedPost], hours: SchoolHours, *, today: date) -> CalendarDay:
    closed = ""
    if not hours.is_school_day(on):
        closed = "Weekend" if on.weekday() >= _SATURDAY else "Not in term"
    return CalendarDay(
        day=on,
        today=on == today,
        over=on < today,
        closed=closed,
        clocks=calendar.clock_change(on),
        posts=tuple(posts),
    )


def _glance(days: Sequence[CalendarDay]) -> Glance:
    posts = [post for day in days for post in day.posts]
    counts = Counter(post.state for post in posts if post.state is not None and not post.badge)
    away = Counter(post.badge for post in posts if post.badge)
    return Glance(
        days=tuple(days),
        states=tuple((state, counts[state]) for state in P if counts[state]),
        taken=sum(post.taken for post in posts),
        away=tuple(away.items()),
        held=sum(post.marks.held for post in posts),
    )
