"""The facts a statement is made of, gathered from what is set and stored at this moment. No sentence stands here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from approvals import deputies
from approvals.tables import ApproverPasskey
from gatekeeper.clock import london
from gatekeeper.people.own_rules import softened
from gatekeeper.people.policy_editions import PolicyEdition, edition_in_force
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Role, Staff
from gatekeeper.people.templates import FaceTemplate
from gatekeeper.policy import retention
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Post
from gatekeeper.posts.public import AccountWatch, Incident
from gatekeeper.posts.status import PostState
from gatekeeper.settings import Settings
from gatekeeper.workflow import cost, policy_editions, policy_view, recognition
from gatekeeper.workflow.policy_editions import SECTION_TWO
from gatekeeper.workflow.watch_pace import present_setting
from gatekeeper.workflow.watch_view import Watched, watched

_HERE: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class Account:
    """One official account of the school. `read_at` is when its timeline was last read; empty where nobody reads it."""

    platform: str
    name: str
    is_open: bool
    watched: bool
    read_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Period:
    """How long one class of data is kept. `days` is empty where it is kept without an end."""

    id: str
    name: str
    sentence: str
    since: str
    days: int | None
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """Who answers questions about data, as the school recorded it. Empty: not recorded yet."""

    officer: str = ""
    email: str = ""
    phone: str = ""
    register_number: str = ""
    withdraw: str = ""  # how a family withdraws a permission
    complain: str = ""  # where a complaint goes
    privacy_link: str = ""
    esafety_link: str = ""
    dpia: str = ""  # the assessment of Gatekeeper itself

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Contacts":
        """What is stored under `data_protection`."""
        return cls(**{name: str(stored.get(name) or "") for name in cls.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class Matching:
    """The matching of faces, as far as it is switched on."""

    reference: str
    officer: str
    day: str
    enrolled: int


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The edition of the school's policy that counts."""

    label: str
    section_two: str  # empty: not decided
    review_on: date | None
    overdue: bool
    read: int
    readers: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything a statement can say."""

    at: datetime
    version: str
    school: str
    demo: bool
    matching: Matching | None
    heads: tuple[str, ...]
    deputy: str
    deputy_until: datetime | None
    accounts: tuple[Account, ...]
    watch: Watched
    periods: tuple[Period, ...]
    contacts: Contacts
    policy: Policy | None
    database: str  # "SQLite" or "PostgreSQL"
    database_host: str  # empty: on the same computer
    https: bool
    backups_apart: bool
    pupils: int
    staff: int
    published: int
    incidents: int
    softened: int
    passkeys: int
    governor: str

    @property
    def open_accounts(self) -> tuple[Account, ...]:
        """Those that can be published to."""
        return tuple(one for one in self.accounts if one.is_open)

    @property
    def watched(self) -> tuple[Account, ...]:
        """Those whose timelines are read."""
        return tuple(one for one in self.accounts if one.watched)

    def period(self, class_id: str) -> Period:
        """One class of data."""
        return next(one for one in self.periods if one.id == class_id)


def gather(session: Session, settings: Settings, *, now: datetime) -> Facts:
    """The facts of this moment."""
    today = london(now).date()
    school = school_settings(session)
    staff = list(session.scalars(select(Staff).where(Staff.active).order_by(Staff.name, Staff.id)))
    present = [one for one in staff if one.may_sign_in(today)]
    names = {one.id: one.name for one in session.scalars(select(Staff))}
    deputy = deputies.in_force(session, now)
    host = urlsplit(settings.database_url).hostname or ""
    return Facts(
        at=now,
        version=version("gatekeeper"),
        school=school["name"],
        demo=settings.demo,
        matching=_matching(session, school["recognition"]),
        heads=tuple(one.name for one in present if one.role == Role.HEADTEACHER),
        deputy=names.get(deputy.deputy_id, "") if deputy else "",
        deputy_until=deputy.ends_at if deputy else None,
        accounts=_accounts(session, demo=settings.demo),
        watch=watched(session, demo=settings.demo),
        periods=_periods(school["retention"]),
        contacts=Contacts.of(school["data_protection"]),
        policy=_policy(session, edition_in_force(session), present, today=today),
        database="SQLite" if settings.database_url.startswith("sqlite") else "PostgreSQL",
        database_host="" if host in _HERE else host,
        https=settings.secure,
        backups_apart=settings.backup_folder is not None,
        pupils=session.scalar(select(func.count(Pupil.id)).where(Pupil.left_on.is_(None))) or 0,
        staff=len(present),
        published=session.scalar(select(func.count(Post.id)).where(Post.state == PostState.PUBLISHED)) or 0,
        incidents=session.scalar(select(func.count(Incident.id)).where(Incident.closed_at.is_(None))) or 0,
        softened=len(softened(session)),
        passkeys=session.scalar(
            select(func.count(ApproverPasskey.person_id.distinct())).where(ApproverPasskey.ended_at.is_(None))
        )
        or 0,
        governor=names.get(school["governor"] or 0, ""),
    )


def _matching(session: Session, recorded: Mapping[str, Any]) -> Matching | None:
    if not recognition.is_on(session):
        return None
    return Matching(
        reference=str(recorded["dpia_reference"]),
        officer=str(recorded["dpo"]),
        day=str(recorded["date"]),
        enrolled=session.scalar(select(func.count(FaceTemplate.pupil_id.distinct()))) or 0,
    )


def _accounts(session: Session, *, demo: bool) -> tuple[Account, ...]:
    budget = present_setting(session).reads or demo  # without one, what charges for each post is not read
    rows = session.execute(
        select(ChannelAccount, AccountWatch)
        .outerjoin(AccountWatch, AccountWatch.account_id == ChannelAccount.id)
        .where(ChannelAccount.status.in_(("open", "held")))
        .order_by(ChannelAccount.id)
    )
    return tuple(
        Account(
            platform=label_of(account.kind),
            name=account.name,
            is_open=account.status == "open",
            watched=watch is not None and bool(account.sealed) and bool(budget or not cost.is_paid(account.kind)),
            read_at=watch.read_at if watch else None,
        )
        for account, watch in rows
    )


def _periods(stored: Mapping[str, Any]) -> tuple[Period, ...]:
    return tuple(
        Period(
            id=one.id,
            name=one.name,
            sentence=one.sentence,
            since=one.since,
            days=retention.days_for(stored, one.id),
            chosen=retention.days_for(stored, one.id) != one.days,
        )
        for one in retention.classes().values()
    )


def _policy(session: Session, edition: PolicyEdition | None, staff: list[Staff], *, today: date) -> Policy | None:
    if edition is None:
        return None
    read = policy_view.confirmed(session, edition.id)
    return Policy(
        label=edition.label,
        section_two=SECTION_TWO.get(edition.section_two, ""),
        review_on=edition.review_on,
        overdue=policy_editions.is_overdue(edition, today=today),
        read=sum(one.id in read for one in staff),
        readers=len(staff),
    )
