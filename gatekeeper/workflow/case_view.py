"""What a person sees of cases: the list of those that are theirs to see, and one case as far as it is theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from gatekeeper.cases.clocks import WORDS, last_weekday
from gatekeeper.cases.model import Case, CaseAttachment, CaseClock, CaseEntry, CaseKind, CaseState
from gatekeeper.cases.rules import RULES, Act, KindRules, Sight, Viewer, may, sight
from gatekeeper.clock import london
from gatekeeper.people.staff import Audit, Staff, record
from gatekeeper.workflow import case_route, legal_hold
from gatekeeper.workflow.case_right import case_for, standing, viewer
from gatekeeper.workflow.case_work import OUTCOMES
from gatekeeper.workflow.cases import SHARED, subject_of
from gatekeeper.workflow.services import Services

PAGE: Final = 30
#: (word, colour, sign) of each state
STATES: Final[Mapping[CaseState, tuple[str, str, str]]] = {
    CaseState.OPEN: ("Open", "info", "●"),
    CaseState.WAITING: ("Waiting for somebody", "warning", "⏳"),
    CaseState.CLOSED: ("Closed", "secondary", "✓"),
}
#: kinds whose reading by those who work on them leaves a trace: they are about a person
CONFIDENTIAL: Final = frozenset({CaseKind.CONCERN, CaseKind.REMOVAL, CaseKind.BREACH, CaseKind.COMPLAINT})
_SOON: Final = timedelta(hours=24)
_COUNTED: Final = 96  # hours; further away days are counted


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which cases are looked for."""

    which: str = "open"  # open, mine, overdue, all
    kind: CaseKind | None = None
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class Line:
    """One case in the list. Its title is there only for whoever may read the case."""

    id: int
    kind: CaseKind
    title: str
    state: CaseState
    owner: str
    opened_at: datetime
    due: datetime | None
    overdue: bool
    soon: bool

    @property
    def rules(self) -> KindRules:
        """What its kind is called."""
        return RULES[self.kind]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of the list."""

    lines: tuple[Line, ...]
    counts: Mapping[str, int]
    search: Search
    number: int
    pages: int
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Clock:
    """One thing that is due in a case."""

    name: str
    task: str
    how: str
    due_at: datetime
    met_at: datetime | None
    met_by: str
    words: str
    overdue: bool
    friday: datetime | None  # where the end falls on a weekend
    hours: int | None  # whole hours that are left, while they are worth counting
    late: bool


@dataclass(frozen=True, kw_only=True)
class Told:
    """One line of the story."""

    at: datetime
    by: str
    kind: str
    words: str
    facts: Mapping[str, Any]
    shared: bool


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """One case, as far as this person may see it."""

    case: Case
    kind: CaseKind
    rules: KindRules
    sight: Sight
    may: frozenset[Act]
    opener: str
    owner: str
    about: str
    mine: bool  # opened by the reader
    asked: bool  # the reader is the one who is asked to remove something
    clocks: tuple[Clock, ...]
    story: tuple[Told, ...]
    attachments: tuple[CaseAttachment, ...]
    owners: tuple[Staff, ...]
    outcomes: Sequence[tuple[str, str]]
    result: str
    children: tuple[Case, ...]
    holds: tuple[legal_hold.HoldLine, ...]  # those that stand, for whoever sees the case in full
    may_hold: bool
    hold_names: Mapping[int, str]
    now: datetime

    @property
    def state(self) -> tuple[str, str, str]:
        """Its state in words."""
        return STATES[CaseState(self.case.state)]

    @property
    def works(self) -> bool:
        """Whether the reader can do more than add to it."""
        return bool(self.may - {Act.NOTE, Act.ATTACH, Act.TAKE_BACK, Act.ANSWER, Act.REPLY})

    @property
    def reporter_sees_less(self) -> bool:
        """Whether somebody else sees the progress of it and no more, so that words can be meant for them or not."""
        opener_does = self.rules.opener is Sight.PROGRESS and not (self.mine and self.full)
        return opener_does or self.rules.about is Sight.PROGRESS

    @property
    def full(self) -> bool:
        """Whether everything is shown."""
        return self.sight is Sight.FULL


def listing(session: Session, by: Staff, search: Search, *, now: datetime) -> Listing:
    """The cases this person may see, the most urgent first."""
    seen = _visible(viewer(by))
    narrow = seen if search.kind is None else and_(seen, Case.kind == search.kind)
    due = (
        select(func.min(CaseClock.due_at))
        .where(CaseClock.case_id == Case.id, CaseClock.met_at.is_(None), Case.state != CaseState.CLOSED)
        .scalar_subquery()
    )
    over = exists().where(CaseClock.case_id == Case.id, CaseClock.met_at.is_(None), CaseClock.due_at <= now)
    is_open = Case.state != CaseState.CLOSED
    wanted: Mapping[str, ColumnElement[bool]] = {
        "open": and_(narrow, is_open),
        "mine": and_(narrow, is_open, or_(Case.owner_id == by.id, Case.about_id == by.id)),
        "overdue": and_(narrow, is_open, over),
        "all": narrow,
    }
    counts = {which: session.scalar(select(func.count(Case.id)).where(where)) or 0 for which, where in wanted.items()}
    which = search.which if search.which in wanted else "open"
    pages = max(1, -(-counts[which] // PAGE))
    number = min(max(search.page, 1), pages)
    rows = session.execute(
        select(Case, due)
        .where(wanted[which])
        .order_by(Case.state == CaseState.CLOSED, due.is_(None), due, Case.id.desc())
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    ).all()
    names = _names(session, {case.owner_id for case, _ in rows})
    return Listing(
        lines=tuple(_line(case, due_at, names, now=now) for case, due_at in rows),
        counts=counts,
        search=Search(which=which, kind=search.kind, page=number),
        number=number,
        pages=pages,
        now=now,
    )


def count_mine(session: Session, by: Staff) -> int:
    """How many open cases wait for this person."""
    return session.scalar(_counting_mine(viewer(by))) or 0


@lru_cache(maxsize=256)  # it stands in the menu of every page, and is long
def _counting_mine(who: Viewer) -> Select[int]:
    mine = or_(Case.owner_id == who.id, Case.about_id == who.id)
    return select(func.count(Case.id)).where(_visible(who), Case.state != CaseState.CLOSED, mine)


def page_for(services: Services, case_id: int, by: Staff) -> CasePage:
    """One case; that somebody who works on it read one about a person is written down once a day.

    Raises:
        NotFound: there is none, or none for this person.
    """
    now = services.clock.now()
    with services.db.read() as session:
        page = _page(session, case_for(session, case_id, by), by, now=now)
        known = page.kind not in CONFIDENTIAL or not page.full or _was_read(session, case_id, by, now=now)
    if not known:
        with services.step() as session:
            record(session, at=now, staff_id=by.id, action="case.read", subject=subject_of(case_id))
    return page


def attachment_of(session: Session, case_id: int, attachment_id: int, by: Staff) -> CaseAttachment | None:
    """One picture of a case, for whoever may see it: everybody with full sight, and whoever added it."""
    case = case_for(session, case_id, by)
    found = session.get(CaseAttachment, attachment_id)
    return found if found in attachments_of(session, case, by) else None


def shown_story(session: Session, case: Case, seen: Sight) -> tuple[Told, ...]:
    """The story, or the part of it that was meant for whoever sees only the progress."""
    query = select(CaseEntry).where(CaseEntry.case_id == case.id).order_by(CaseEntry.id)
    entries = [one for one in session.scalars(query) if seen is Sight.FULL or one.facts.get(SHARED)]
    names = _names(session, {one.by for one in entries} | {one.facts.get("to") for one in entries})
    return tuple(
        Told(
            at=one.at,
            by=names.get(one.by or 0, "Gatekeeper"),
            kind=one.kind,
            words=one.words,
            facts={**one.facts, "to_name": names.get(one.facts.get("to") or 0, "")},
            shared=bool(one.facts.get(SHARED)),
        )
        for one in entries
    )


def clocks_of(session: Session, case: Case, *, now: datetime) -> tuple[Clock, ...]:
    """Everything that is or was due in a case."""
    rows = session.scalars(
        select(CaseClock).where(CaseClock.case_id == case.id).order_by(CaseClock.due_at, CaseClock.id)
    ).all()
    names = _names(session, {one.met_by for one in rows})
    return tuple(
        Clock(
            name=one.name,
            task=WORDS.get(one.name, (one.name, ""))[0],
            how=WORDS.get(one.name, ("", ""))[1],
            due_at=one.due_at,
            met_at=one.met_at,
            met_by=names.get(one.met_by or 0, ""),
            words=one.words,
            overdue=one.met_at is None and one.due_at <= now,
            friday=last_weekday(one.due_at),
            hours=hours if _COUNTED > (hours := int((one.due_at - now) / timedelta(hours=1))) >= 1 else None,
            late=one.met_at is not None and one.met_at > one.due_at,
        )
        for one in rows
    )


def _page(session: Session, case: Case, by: Staff, *, now: datetime) -> CasePage:
    stands, who = standing(case), viewer(by)
    seen, kind = sight(stands, who), CaseKind(case.kind)
    names = _names(session, {case.opened_by, case.owner_id, case.about_id})
    allowed = frozenset(act for act in Act if may(act, stands, who))
    full = seen is Sight.FULL
    held = tuple(legal_hold.holds(session, by, case_id=case.id)) if full else ()
    children = session.scalars(select(Case).where(Case.parent_id == case.id).order_by(Case.id)).all()
    return CasePage(
        case=case,
        kind=kind,
        rules=RULES[kind],
        sight=seen,
        may=allowed,
        opener=names.get(case.opened_by, ""),
        owner=names.get(case.owner_id or 0, ""),
        about=names.get(case.about_id or 0, "") if full or by.id in (case.about_id, case.opened_by) else "",
        mine=case.opened_by == by.id,
        asked=case.about_id == by.id,
        clocks=clocks_of(session, case, now=now),
        story=shown_story(session, case, seen),
        attachments=attachments_of(session, case, by),
        owners=tuple(_owners(session, case, kind, now=now)) if Act.ROUTE in allowed else (),
        outcomes=OUTCOMES[kind],
        result=dict(OUTCOMES[kind]).get(case.facts.get("result", ""), ""),
        children=tuple(one for one in children if sight(standing(one), who) is not Sight.NOTHING),
        holds=held,
        may_hold=legal_hold.may_hold(session, case, by),
        hold_names=_names(session, {one.placed_by for one in held}),
        now=now,
    )


def _owners(session: Session, case: Case, kind: CaseKind, *, now: datetime) -> list[Staff]:
    found = case_route.possible_owners(session, kind, about_id=case.about_id, now=now)
    out = {case.owner_id} | ({case.opened_by} if kind is CaseKind.ADVICE else set())
    return [one for one in found if one.id not in out]


def attachments_of(session: Session, case: Case, by: Staff) -> tuple[CaseAttachment, ...]:
    """The pictures of a case that this person may see."""
    query = select(CaseAttachment).where(CaseAttachment.case_id == case.id).order_by(CaseAttachment.id)
    full = sight(standing(case), viewer(by)) is Sight.FULL
    asked = case.kind == CaseKind.REMOVAL and case.about_id == by.id
    return tuple(
        one
        for one in session.scalars(query)
        if full or one.added_by == by.id or (asked and one.added_by == case.opened_by)
    )


def _line(case: Case, due_at: datetime | None, names: Mapping[int, str], *, now: datetime) -> Line:
    return Line(
        id=case.id,
        kind=CaseKind(case.kind),
        title=case.title,
        state=CaseState(case.state),
        owner=names.get(case.owner_id or 0, ""),
        opened_at=case.opened_at,
        due=due_at,
        overdue=due_at is not None and due_at <= now,
        soon=due_at is not None and now < due_at <= now + _SOON,
    )


def _visible(who: Viewer) -> ColumnElement[bool]:
    """The same as `rules.sight` says, for a query: a test holds the two against each other."""
    by_kind = []
    for kind, rules in RULES.items():
        own = [Case.owner_id == who.id]
        if who.role in rules.team:
            own.append(Case.erased_at.is_(None) if kind is CaseKind.CONCERN else Case.id.is_not(None))
        if rules.opener is not Sight.NOTHING:
            own.append(Case.opened_by == who.id)
        about = Case.about_id == who.id
        not_about = or_(Case.about_id.is_(None), Case.about_id != who.id)
        sees = and_(not_about, or_(*own))
        by_kind.append(and_(Case.kind == kind, sees if rules.about is Sight.NOTHING else or_(about, sees)))
    return or_(*by_kind)


def _was_read(session: Session, case_id: int, by: Staff, *, now: datetime) -> bool:
    midnight = london(now).replace(hour=0, minute=0, second=0, microsecond=0)
    query = select(Audit.id).where(
        Audit.subject == subject_of(case_id),
        Audit.action == "case.read",
        Audit.staff_id == by.id,
        Audit.at >= midnight.astimezone(now.tzinfo),
    )
    return session.scalar(query.limit(1)) is not None


def _names(session: Session, ids: set[Any]) -> dict[int, str]:
    wanted = {one for one in ids if isinstance(one, int)}
    return {row.id: row.name for row in session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted)))}
