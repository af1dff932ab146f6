"""What the pages about the school's own accounts show, and what exactly is watched and what is not, in words.

The words are made from the present accounts and settings, so that a statement for parents can quote them as they stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from gatekeeper.people.staff import Staff
from gatekeeper.policy.limits import PRICES, dollars, label_of
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.posts.public import AccountWatch, Incident, IncidentKind, RemotePublicPost
from gatekeeper.settings import Settings
from gatekeeper.workflow import cost
from gatekeeper.workflow.watch import FAILING, WATCHED
from gatekeeper.workflow.watch_pace import WatchSetting, present_setting, spent_on

SHOWN: Final = 50
_LATE: Final = timedelta(minutes=20)
#: what each kind of incident is called, its colour, its sign, and what it means
KINDS: Final = {
    IncidentKind.UNGATED: ("Not through Gatekeeper", "danger", "✕", "Somebody published this without Gatekeeper."),
    IncidentKind.EDITED: ("Changed", "danger", "✎", "It does not read as it did, or has other pictures."),
    IncidentKind.VANISHED: ("Gone", "warning", "–", "Gatekeeper published this, and it is not there any more."),
    IncidentKind.QUEUED: ("Scheduled there", "warning", "⏳", "Somebody scheduled this on the platform itself."),
}


@dataclass(frozen=True, kw_only=True)
class AccountShown:
    """How the watch over one account stands.

    Attributes:
        read_at: the last reading that came through.
        failing: three readings in a row did not come through, or none was tried for a while.
        older: posts that were there before it was watched.
        reads, price: what was read back this month, and what it came to, where reading costs.
    """

    id: int
    label: str
    name: str
    held: bool
    began_at: datetime | None
    read_at: datetime | None
    next_at: datetime | None
    problem: str
    failing: bool
    older: int
    paid: bool
    reads: int
    price: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One incident in a list."""

    id: int
    kind: IncidentKind
    channel: str
    seen_at: datetime
    gone: bool
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Lines:
    """One page of incidents."""

    shown: tuple[Line, ...]
    total: int
    number: int = 1

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // SHOWN))


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Exactly what is watched and what is not, as it stands now.

    Attributes:
        accounts: each watched account in a sentence.
        looked_for: what is reported.
        not_watched: what nobody looks at.
        left_out: what a platform or the budget leaves out.
    """

    accounts: tuple[str, ...]
    looked_for: tuple[str, ...]
    not_watched: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WatchPage:
    """Everything on the page."""

    accounts: tuple[AccountShown, ...]
    open: Lines
    closed: Lines
    setting: WatchSetting
    watched: Watched


def page(session: Session, settings: Settings, *, now: datetime, open_page: int = 1, closed_page: int = 1) -> WatchPage:
    """What stands at this moment."""
    return WatchPage(
        accounts=tuple(_account(session, *row, now=now) for row in _accounts(session)),
        open=_lines(session, Incident.closed_at.is_(None), open_page),
        closed=_lines(session, Incident.closed_at.is_not(None), closed_page),
        setting=present_setting(session),
        watched=watched(session, demo=settings.demo),
    )


def open_incidents(session: Session) -> int:
    """How many incidents nobody has ended, for the menu."""
    return session.scalar(select(func.count()).select_from(Incident).where(Incident.closed_at.is_(None))) or 0


def failing(session: Session, *, now: datetime) -> list[tuple[str, str]]:
    """The accounts that cannot be read, and why: for whoever looks after the machine."""
    shown = [_account(session, *row, now=now) for row in _accounts(session)]
    late = "It was not read when it was due."
    return [(f"{one.label} ({one.name})", one.problem or late) for one in shown if one.failing]


def watched(session: Session, *, demo: bool = False) -> Watched:
    """What is watched and what is not, in sentences that the school can publish."""
    setting = present_setting(session)
    rows = _accounts(session)
    kinds = {account.kind for account, _ in rows}
    accounts = []
    for account, watch in rows:
        name = f"{label_of(account.kind)} ({account.name})"
        if watch is None:
            accounts.append(f"{name}: watching begins within a minute.")
        elif cost.is_paid(account.kind) and not setting.reads and not demo:
            accounts.append(f"{name}: not read, because the school set no budget for it.")
        else:
            pause = "20 seconds" if demo else f"{setting.minutes} minutes"
            accounts.append(f"{name}: its own timeline is read every {pause}, since {watch.began_at:%-d %B %Y}.")
    return Watched(
        accounts=tuple(accounts),
        looked_for=_LOOKED_FOR + ((_QUEUE,) if "facebook" in kinds else ()),
        not_watched=_NOT_WATCHED,
        left_out=tuple(_left_out(kinds, setting)),
    )


_LOOKED_FOR: Final = (
    "Posts on these accounts that did not come through Gatekeeper.",
    "Published posts whose words, or whose number of pictures, are not those that were approved.",
    "Posts that Gatekeeper published and that are not there any more.",
)
_QUEUE: Final = "Posts that somebody scheduled on Facebook itself."
_NOT_WATCHED: Final = (
    "Personal profiles of staff, pupils or parents: nobody's own account is ever read.",
    "Comments, likes, messages, and what visitors write on the school's page.",
    "Stories, live video, adverts, and the profile's own picture and description.",
    "The pictures themselves are not compared, only how many there are; nor are their descriptions.",
)


def _left_out(kinds: set[str], setting: WatchSetting) -> list[str]:
    found = []
    if "x" in kinds:
        found += [
            f"X charges for every post that is read back. Up to {setting.reads:,} are read in a month ({setting.price}).",
            "The fewer of them are left, the longer the pauses; when none is left, X is not read until the next month.",
            "X lists the newest 3,200 posts of an account. Our own posts there are asked for one by one for 90 days.",
        ]
    if "facebook" in kinds:
        found.append(
            "Facebook lists a selection of about 600 posts a year, so an outside post can be missed. Every reading covers "
            "30 days, one a day a year; our own posts are asked for one by one for 400 days."
        )
    if "linkedin" in kinds:
        found.append(
            "LinkedIn does not tell what somebody scheduled there. Our own posts are asked for one by one for 400 days."
        )
    if kinds:
        found.append("What is posted and deleted again between two readings is not seen.")
    return found


def _accounts(session: Session) -> Sequence[tuple[ChannelAccount, AccountWatch | None]]:
    rows = session.execute(
        select(ChannelAccount, AccountWatch)
        .outerjoin(AccountWatch, AccountWatch.account_id == ChannelAccount.id)
        .where(ChannelAccount.status.in_(WATCHED), ChannelAccount.sealed.is_not(None))
        .order_by(ChannelAccount.id)
    )
    return [(account, watch) for account, watch in rows]


def _account(session: Session, account: ChannelAccount, watch: AccountWatch | None, *, now: datetime) -> AccountShown:
    older, paid = 0, cost.is_paid(account.kind)
    if watch is not None:
        before = select(func.count()).where(
            RemotePublicPost.account_id == account.id,
            RemotePublicPost.posted_at < watch.began_at,
            RemotePublicPost.publication_id.is_(None),
        )
        older = session.scalar(before) or 0
    reads = spent_on(session, account.id, now=now) if paid else 0
    return AccountShown(
        id=account.id,
        label=label_of(account.kind),
        name=account.name,
        held=account.status == "held",
        began_at=watch.began_at if watch else None,
        read_at=watch.read_at if watch else None,
        next_at=watch.next_at if watch else None,
        problem=watch.problem if watch else "",
        failing=watch is not None and (watch.failures >= FAILING or now - watch.next_at > _LATE),
        older=older,
        paid=paid,
        reads=reads,
        price=dollars(reads * PRICES[account.kind][cost.READ]) if paid else "",
    )


def _lines(session: Session, condition: ColumnElement[bool], number: int) -> Lines:
    total = session.scalar(select(func.count()).select_from(Incident).where(condition)) or 0
    number = min(max(1, number), max(1, -(-total // SHOWN)))
    rows = session.execute(
        select(Incident, ChannelAccount, RemotePublicPost.gone_at)
        .join(ChannelAccount, ChannelAccount.id == Incident.account_id)
        .outerjoin(
            RemotePublicPost,
            (RemotePublicPost.account_id == Incident.account_id) & (RemotePublicPost.remote_id == Incident.remote_id),
        )
        .where(condition)
        .order_by(Incident.seen_at.desc(), Incident.id.desc())
        .limit(SHOWN)
        .offset((number - 1) * SHOWN)
    )
    shown = tuple(
        Line(
            id=found.id,
            kind=IncidentKind(found.kind),
            channel=f"{label_of(account.kind)} ({account.name})",
            seen_at=found.seen_at,
            gone=gone_at is not None,
            closed_at=found.closed_at,
        )
        for found, account, gone_at in rows
    )
    return Lines(shown=shown, total=total, number=number)


def name_of(session: Session, staff_id: int | None) -> str:
    """Whose name stands beside an incident's end."""
    member = session.get(Staff, staff_id) if staff_id else None
    return member.name if member else ""
