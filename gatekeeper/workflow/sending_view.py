"""What the page about sending shows: whether it is stopped and since when, and what becomes of the posts meanwhile."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from approvals import ledger_entries
from gatekeeper.people.staff import Staff
from gatekeeper.policy import limits
from gatekeeper.posts.model import ChannelAccount, EmergencyStop, Post, Publication, Restoration, Version
from gatekeeper.posts.status import PUBLICATION_WORDS
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow import emergency, restoration

SHOWN: Final = 50
_STOPS_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Line:
    """One post on one channel. `held` is why it would wait even if sending went on."""

    post_id: int
    title: str
    channel: str
    due_at: datetime
    closes_at: datetime
    words: str
    held: bool


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The first of some posts, and how many there are in all."""

    shown: tuple[Line, ...]
    total: int

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.shown)


@dataclass(frozen=True, kw_only=True)
class StopShown:
    """One emergency stop, standing or over."""

    by: str
    pressed_at: datetime
    reason: str
    lifted_by: str
    lifted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Banner:
    """The line on every page while nothing goes out. After a restore `by` is empty and `since` the backup's moment."""

    since: datetime
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class SendingPage:
    """Everything the page shows, at one moment.

    Attributes:
        stop: the emergency stop, while one stands.
        being_sent: what was on its way to a platform when it was pressed.
        restored: the restore that is not finished.
        asked: after a restore, the posts about which a person is asked.
        ready: what goes out at once when nothing is stopped any more.
        later: what goes out at its time after that.
        missed: what was missed since sending was stopped.
        past: the stops before.
    """

    stop: StopShown | None
    being_sent: Lines
    restored: restoration.Standing | None
    asked: Lines
    ready: Lines
    later: Lines
    missed: Lines
    past: tuple[StopShown, ...]

    @property
    def is_stopped(self) -> bool:
        """Whether anything keeps everything from being sent."""
        return self.stop is not None or self.restored is not None


def page(session: Session, *, now: datetime) -> SendingPage:
    """What stands at this moment."""
    stop, restored = emergency.standing(session), restoration.standing(session)
    names = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
    begun = [one for one in (stop and stop.pressed_at, restored and restored.restored_at) if one]
    waiting = Publication.state == S.SCHEDULED
    over = Publication.closes_at < now
    past = session.scalars(
        select(EmergencyStop)
        .where(EmergencyStop.lifted_at.is_not(None))
        .order_by(EmergencyStop.id.desc())
        .limit(_STOPS_SHOWN)
    )
    return SendingPage(
        stop=_shown(stop, names) if stop else None,
        being_sent=_lines(session, Publication.id.in_(_being_sent(session, stop))) if stop else _NONE,
        restored=restored,
        asked=_lines(session, Publication.state == S.NEEDS_PERSON) if restored else _NONE,
        ready=_lines(session, and_(waiting, Publication.due_at <= now, ~over)),
        later=_lines(session, and_(waiting, Publication.due_at > now)),
        missed=_lines(session, _missed_since(min(begun), now=now)) if begun else _NONE,
        past=tuple(_shown(one, names) for one in past),
    )


def banner(session: Session) -> Banner | None:
    """Why nothing goes out at this moment, for every page; None while sending is free."""
    if stop := emergency.standing(session):
        return Banner(since=stop.pressed_at, by=session.get_one(Staff, stop.pressed_by).name)
    restored = session.scalars(select(Restoration.taken_at).where(Restoration.finished_at.is_(None)).limit(1)).first()
    return Banner(since=restored) if restored else None


def _missed_since(begun: datetime, *, now: datetime) -> ColumnElement[bool]:
    """Windows that closed since sending was stopped, whether a publisher has noticed it yet or not."""
    return or_(
        and_(Publication.state == S.MISSED, Publication.closes_at >= begun, Publication.closes_at < now),
        and_(Publication.state == S.SCHEDULED, Publication.closes_at < now),
    )


def _being_sent(session: Session, stop: EmergencyStop) -> Collection[int]:
    """The publications that the ledger names as being sent when the stop was pressed."""
    for entry in reversed(ledger_entries.of_kinds(session, ["emergency.pressed"])):
        said = entry.said()
        if said.get("stop") == stop.id and isinstance(said.get("being_sent"), list):
            return [one for one in said["being_sent"] if isinstance(one, int)]
    return []


def _lines(session: Session, condition: ColumnElement[bool]) -> Lines:
    """The posts this holds for, in the order of their time."""
    total = session.scalar(select(func.count()).select_from(Publication).where(condition)) or 0
    if not total:
        return _NONE
    found = session.execute(
        select(Publication, Post.id, Post.title, ChannelAccount)
        .join(Version, Version.id == Publication.version_id)
        .join(Post, Post.id == Version.post_id)
        .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
        .where(condition)
        .order_by(Publication.due_at, Publication.id)
        .limit(SHOWN)
    )
    return Lines(
        shown=tuple(_line(publication, post_id, title, account) for publication, post_id, title, account in found),
        total=total,
    )


def _line(publication: Publication, post_id: int, title: str, account: ChannelAccount) -> Line:
    return Line(
        post_id=post_id,
        title=title or f"Post {post_id}",
        channel=f"{limits.label_of(account.kind)} ({account.name})",
        due_at=publication.due_at,
        closes_at=publication.closes_at,
        words=PUBLICATION_WORDS[S(publication.state)],
        held=account.status != "open",
    )


def _shown(stop: EmergencyStop, names: dict[int, str]) -> StopShown:
    return StopShown(
        by=names.get(stop.pressed_by, ""),
        pressed_at=stop.pressed_at,
        reason=stop.reason,
        lifted_by=names.get(stop.lifted_by or 0, ""),
        lifted_at=stop.lifted_at,
    )


_NONE: Final = Lines(shown=(), total=0)
