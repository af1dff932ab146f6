"""Keeps what a platform says of its limits where every process heeds it, and counts what is paid for by the call.

A channel is wrapped: after each call what was told is kept, and before a call that must wait nothing is sent at all.
Keeping never stands in the way of a call: a post that went out is out, whether its numbers could be written or not.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gatekeeper.channels.base import (
    AccountIdentity,
    Ambiguous,
    Channel,
    Deadline,
    Found,
    MediaHandle,
    MediaItem,
    NotFound,
    PublishedPost,
    ReadPage,
    RemotePost,
    RenderedPost,
    TimelinePage,
    TimeWindow,
    Trial,
    Trying,
    Violation,
    Watching,
)
from gatekeeper.channels.errors import RateLimited
from gatekeeper.channels.told import CREATE_DAY, EVERYTHING, RouteLimit, Telling
from gatekeeper.clock import Clock
from gatekeeper.db.session import Database
from gatekeeper.log import place_of
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelLimit
from gatekeeper.workflow import cost

log = logging.getLogger(__name__)

PUBLISHING: Final = ("upload_media", "create_post", CREATE_DAY, EVERYTHING)
_LISTING: Final = ("list_posts", EVERYTHING)
_LOW: Final = 10  # from here on every word counts; above it, one look in a minute is enough
_SELDOM: Final = timedelta(minutes=1)
_MOMENT: Final = timedelta(seconds=1)  # so long a process believes that nothing has to wait
#: however a header reads, nothing waits longer for it than this
_LONGEST: Final = timedelta(hours=25)


def waits_until(session: Session, account_id: int, routes: Collection[str], *, now: datetime) -> datetime | None:
    """Until when calls of these kinds must wait, or None when they may be made now."""
    return session.scalars(
        select(ChannelLimit.resets_at)
        .where(
            ChannelLimit.account_id == account_id,
            ChannelLimit.route.in_(routes),
            ChannelLimit.remaining == 0,
            ChannelLimit.resets_at > now,
        )
        .order_by(ChannelLimit.resets_at.desc())
        .limit(1)
    ).first()


def check_may_publish(channel: Channel) -> None:
    """Return where nothing known speaks against publishing on this account now. Asked before anything is handed over.

    Raises:
        RateLimited: the platform asked to wait, in this process or another; says until when.
    """
    if isinstance(channel, _Watched):
        channel.check_free("create_post", PUBLISHING)


def watcher(db: Database, clock: Clock) -> Callable[[Channel, int], Channel]:
    """What wraps each channel of one process; the process's own memory spares most writes."""
    memory = _Memory()

    def watched(channel: Channel, account_id: int) -> Channel:
        tried, read = isinstance(channel, Trying), isinstance(channel, Watching)
        kind = {
            (False, False): _Watched,
            (True, False): _WatchedTrying,
            (False, True): _WatchedReading,
            (True, True): _WatchedBoth,
        }[tried, read]
        return kind(channel, account_id, db=db, clock=clock, memory=memory)

    return watched


class _Memory:
    """What this process wrote last, by account and route."""

    def __init__(self) -> None:
        self._written: dict[tuple[int, str], tuple[datetime, int | None]] = {}
        self._free: dict[tuple[int, tuple[str, ...]], datetime] = {}

    def is_news(self, account_id: int, told: RouteLimit, *, now: datetime) -> bool:
        """Whether this must be written: every word when little is left, or was; else one in a minute."""
        at, before = self._written.get((account_id, told.route), (None, None))
        low = any(number is not None and number <= _LOW for number in (told.remaining, before))
        return low or at is None or not timedelta(0) <= now - at < _SELDOM

    def remember(self, account_id: int, told: RouteLimit, *, now: datetime) -> None:
        """It is written."""
        self._written[account_id, told.route] = (now, told.remaining)
        self._free.clear()

    def was_free(self, account_id: int, routes: tuple[str, ...], *, now: datetime) -> bool:
        """Whether nothing had to wait a moment ago: a platform asked too early refuses, and nothing is posted."""
        at = self._free.get((account_id, routes))
        return at is not None and timedelta(0) <= now - at < _MOMENT

    def note_free(self, account_id: int, routes: tuple[str, ...], *, now: datetime) -> None:
        """Nothing has to wait now."""
        self._free[account_id, routes] = now


class _Watched:
    """A channel that keeps what its platform tells and does not call while it must wait."""

    def __init__(self, channel: Channel, account_id: int, *, db: Database, clock: Clock, memory: _Memory) -> None:
        self._channel, self._row, self._db, self._clock, self._memory = channel, account_id, db, clock, memory
        self.kind, self.account_id = channel.kind, channel.account_id

    def validate(self, post: RenderedPost, media: Sequence[MediaItem] = ()) -> list[Violation]:
        return self._channel.validate(post, media)

    def canonical_text(self, text: str) -> str:
        return self._channel.canonical_text(text)

    def verify_credentials(self, *, deadline: Deadline | None = None) -> AccountIdentity:
        with self._watch("verify_credentials"):
            return self._channel.verify_credentials(deadline=deadline)

    def upload_media(self, media: MediaItem, *, deadline: Deadline | None = None) -> MediaHandle:
        with self._watch("upload_media", PUBLISHING):
            return self._channel.upload_media(media, deadline=deadline)

    def create_post(
        self, post: RenderedPost, media: Sequence[MediaHandle], *, deadline: Deadline | None = None
    ) -> PublishedPost:
        with self._watch("create_post", PUBLISHING):
            return self._channel.create_post(post, media, deadline=deadline)

    def get_post(self, post_id: str, *, deadline: Deadline | None = None) -> RemotePost:
        with self._watch("get_post"):
            return self._channel.get_post(post_id, deadline=deadline)

    def list_posts(self, *, since: datetime, deadline: Deadline | None = None) -> TimelinePage:
        with self._watch("list_posts", _LISTING):
            return self._channel.list_posts(since=since, deadline=deadline)

    def find_post(
        self,
        post: RenderedPost,
        *,
        media_count: int,
        window: TimeWindow,
        claimed: Collection[str] = (),
        deadline: Deadline | None = None,
    ) -> Found | NotFound | Ambiguous:
        with self._watch("list_posts", _LISTING):
            return self._channel.find_post(
                post, media_count=media_count, window=window, claimed=claimed, deadline=deadline
            )

    def parts_of(self, post_id: str, *, deadline: Deadline | None = None) -> tuple[str, ...]:
        with self._watch("get_post"):
            return self._channel.parts_of(post_id, deadline=deadline)

    def delete_post(self, post_id: str, *, deadline: Deadline | None = None) -> Literal["deleted", "already_absent"]:
        with self._watch("delete_post"):
            return self._channel.delete_post(post_id, deadline=deadline)

    def check_free(self, operation: str, routes: tuple[str, ...]) -> None:
        """Raise RateLimited where calls of these kinds must wait."""
        now = self._clock.now()
        if self._memory.was_free(self._row, routes, now=now):
            return
        until = self._must_wait(routes, now=now)
        if until is not None:
            raise _wait(self.kind, operation, until)
        self._memory.note_free(self._row, routes, now=now)

    @contextmanager
    def _watch(self, operation: str, routes: tuple[str, ...] = ()) -> Iterator[None]:
        if routes:
            self.check_free(operation, routes)
        refused: RouteLimit | None = None
        try:
            yield
        except RateLimited as limited:
            refused = RouteLimit(route=operation, remaining=0, resets_at=limited.retry_at)
            raise
        finally:
            self._keep(refused)

    def _must_wait(self, routes: Collection[str], *, now: datetime) -> datetime | None:
        try:
            with self._db.read() as session:
                return waits_until(session, self._row, routes, now=now)
        except SQLAlchemyError:
            return None  # the platform will say it itself

    def _keep(self, refused: RouteLimit | None) -> None:
        """Write what was told. Never raises: the answer of the call is what counts."""
        try:
            told = self._channel.told() if isinstance(self._channel, Telling) else None
            limits = [*(told.limits if told else ()), *([refused] if refused else [])]
            now = self._clock.now()
            news = [each for each in limits if self._memory.is_news(self._row, each, now=now)]
            read = told.posts_read if told and cost.is_paid(self.kind) else 0
            if not news and not read:
                return
            with self._db.begin() as session:
                for each in news:
                    _write(session, self._row, each, now=now)
                cost.count(session, self._row, cost.READ, read, now=now)
            for each in news:
                self._memory.remember(self._row, each, now=now)
        except Exception as error:  # noqa: BLE001 - a post that went out is out, whatever becomes of its numbers
            log.warning("channel %d: what it said of its limits could not be kept (%s)", self._row, place_of(error))


class _WatchedTrying(_Watched):
    """The same for a channel that can be tried unseen."""

    def trial(self, media: MediaItem, *, deadline: Deadline | None = None) -> Trial:
        with self._watch("upload_media"):
            assert isinstance(self._channel, Trying)
            return self._channel.trial(media, deadline=deadline)


class _WatchedReading(_Watched):
    """The same for a channel whose account can be read through."""

    def read_page(self, *, since: datetime, cursor: str = "", deadline: Deadline | None = None) -> ReadPage:
        with self._watch("list_posts", _LISTING):
            assert isinstance(self._channel, Watching)
            return self._channel.read_page(since=since, cursor=cursor, deadline=deadline)

    def queued_posts(self, *, deadline: Deadline | None = None) -> tuple[RemotePost, ...] | None:
        with self._watch("list_posts", _LISTING):
            assert isinstance(self._channel, Watching)
            return self._channel.queued_posts(deadline=deadline)

    def picture(self, name: str, *, deadline: Deadline | None = None) -> bytes:
        with self._watch("picture"):
            assert isinstance(self._channel, Watching)
            return self._channel.picture(name, deadline=deadline)


class _WatchedBoth(_WatchedTrying, _WatchedReading):
    """A channel that can be tried and read through."""


def _write(session: Session, account_id: int, told: RouteLimit, *, now: datetime) -> None:
    """Keep one limit. Of two words about the same span the smaller number holds: they may come in any order."""
    resets_at = min(told.resets_at, now + _LONGEST) if told.resets_at is not None else None
    row = session.get(ChannelLimit, (account_id, told.route), with_for_update=True)
    if row is None:
        row = ChannelLimit(account_id=account_id, route=told.route, seen_at=now)
        session.add(row)
        row.remaining = told.remaining
    elif row.remaining is not None and told.remaining is not None and _same_span(row.resets_at, resets_at):
        row.remaining = min(row.remaining, told.remaining)
    else:
        row.remaining = told.remaining
    row.resets_at, row.seen_at = resets_at, now


def _same_span(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= timedelta(seconds=1)


def _wait(kind: str, operation: str, until: datetime) -> RateLimited:
    return RateLimited(platform=label_of(kind), operation=operation, detail="it asked to wait", retry_at=until)
