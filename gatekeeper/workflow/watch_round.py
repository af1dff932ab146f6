"""One reading of one account, part by part: every post is judged, kept as it stands, and reported where it must be.

The platform is asked outside any transaction. Each part is written down by itself, so that a reading that breaks off
loses nothing: the next one begins where the last whole one did.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper import jobs
from gatekeeper.channels.base import Channel, Deadline, RemotePost, Watching
from gatekeeper.channels.errors import AuthenticationFailed, ChannelRefused, PostNotFound
from gatekeeper.posts.model import ChannelAccount, Publication
from gatekeeper.posts.public import Incident, IncidentKind, RemotePublicPost, Takedown, TakedownState
from gatekeeper.workflow.incident_found import report, tell_of
from gatekeeper.workflow.incident_pictures import Copies
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.takedown_reopen import reopen_where_seen
from gatekeeper.workflow.watch_match import Judged, Verdict
from gatekeeper.workflow.watch_ours import Present, as_read, undecided
from gatekeeper.workflow.watch_pace import Pace

#: a reading ends itself after this, long before its job would be ended
_LONG_ENOUGH: Final = timedelta(seconds=75)
_HALVES: Final = re.compile("[\ud800-\udfff]")
_KIND: Final = {
    Verdict.UNGATED: IncidentKind.UNGATED,
    Verdict.EDITED: IncidentKind.EDITED,
    Verdict.CHANGED: IncidentKind.EDITED,
}


class CalledAway(Exception):
    """A removal waits. What was read so far is kept; the reading begins again after it."""


class ReadChannel(Channel, Watching, Protocol):
    """A channel whose account can be read through."""


@dataclass(kw_only=True)
class Round:
    """What one reading works with, and what it counts.

    Attributes:
        pages: how many parts it reads at most.
        first: whether the account was never read before.
        reads: posts that were read.
        whole: whether everything in the span was read.
    """

    services: Services
    account: ChannelAccount
    channel: ReadChannel
    began_at: datetime
    started: datetime
    since: datetime
    pace: Pace
    pages: int
    first: bool
    reads: int = 0
    whole: bool = True
    copies: Copies = field(init=False)

    def __post_init__(self) -> None:
        self.copies = Copies(self.services, self.channel, before_each=self.make_way)

    def read_timeline(self) -> None:
        """Read the account's own posts, newest first, up to the bound."""
        cursor = ""
        for _ in range(self.pages):
            self.make_way()
            page = self.channel.read_page(since=self.since, cursor=cursor, deadline=self._deadline())
            self.reads += len(page.posts)
            self.take([storable(post) for post in page.posts])
            cursor = page.cursor
            if not cursor or self.is_long():
                break
        self.whole = not cursor

    def read_queue(self) -> None:
        """Read what is scheduled on the platform itself. Gatekeeper schedules nothing there."""
        queued = [storable(post) for post in self.channel.queued_posts(deadline=self._deadline()) or ()]
        if not queued:
            return
        with self.services.db.read() as session:
            told = self._present(session, queued).told
        pictures = {post.id: self.copies.of(post) for post in queued if (IncidentKind.QUEUED, post.id, "") not in told}
        with self.services.step() as session:
            ledger.hold(session)
            present, found = self._present(session, queued), []
            for post in queued:
                self._keep(session, present, post, key=post.id, publication_id=None)
                if (IncidentKind.QUEUED, post.id, "") not in present.told:
                    judged = Judged(verdict=Verdict.UNGATED, key=post.id, about="")
                    found.append(self._report(session, post, judged, IncidentKind.QUEUED, pictures.get(post.id, [])))
            self._tell(session, found, "queued")

    def judge_undecided(self) -> None:
        """Judge again what could have been ours while a send was unclear."""
        with self.services.db.read() as session:
            rows = undecided(session, self.account.id, began_at=self.began_at)
        self.take([as_read(row) for row in rows], seen=False)

    def take(self, posts: Sequence[RemotePost], *, seen: bool = True) -> None:
        """Judge posts as they were read, keep them as they stand, and report what must be reported."""
        if not posts:
            return
        with self.services.db.read() as session:
            present = self._present(session, posts)
            fresh = [post for post in posts if self._is_fresh(present, present.judge(post))]
        pictures = {post.id: self.copies.of(post) for post in fresh}
        with self.services.step() as session:
            ledger.hold(session)
            present, found, standing = self._present(session, posts), [], set[str]()
            for post in posts:
                judged = present.judge(post)
                if judged.verdict is Verdict.VISITOR:
                    continue
                standing |= {judged.key, post.id}
                self._keep(session, present, post, key=judged.key, publication_id=judged.publication_id, seen=seen)
                if self._is_fresh(present, judged):
                    present.told.add((_KIND[judged.verdict], judged.key, self._about(judged)))
                    copies = pictures.get(post.id, [])
                    found.append(self._report(session, post, judged, _KIND[judged.verdict], copies))
            if seen:
                reopen_where_seen(session, self.account.id, standing, now=self.started)
            self._tell(session, found, "found")

    def look_up(self, key: str, publication_id: int | None, *, only_there: bool) -> None:
        """Ask for one post by its number, which alone can prove that it is gone.

        Args:
            key: the number.
            publication_id: the publication it is, if it is one.
            only_there: it is not public yet, so that only whether it is there counts.
        """
        try:
            post = self.channel.get_post(key, deadline=self._deadline())
            if post.history and post.history[-1] != post.id:  # this number means an earlier wording
                post = self.channel.get_post(post.history[-1], deadline=self._deadline())
        except PostNotFound:
            self._not_there(key, publication_id)
            return
        except AuthenticationFailed:
            raise
        except ChannelRefused:
            return  # about this one post nothing can be said; it must not stand in the way of the others
        self.reads += 1
        if not only_there:
            self.take([storable(post)])
            return
        with self.services.step() as session:
            row = _row(session, self.account.id, key)
            if row is not None:
                row.seen_at, row.missing_since, row.gone_at = self.started, None, None

    def _not_there(self, key: str, publication_id: int | None) -> None:
        """The platform says that there is no such post. It counts when a second reading says so, too."""
        with self.services.step() as session:
            ledger.hold(session)
            row = _row(session, self.account.id, key)
            publication = session.get(Publication, publication_id) if publication_id else None
            if row is None and publication is not None:
                row = RemotePublicPost(
                    account_id=self.account.id,
                    remote_id=key,
                    publication_id=publication_id,
                    permalink=publication.permalink,
                    posted_at=publication.published_at or self.started,
                    first_seen_at=self.started,
                    seen_at=self.started,
                )
                session.add(row)
            if row is None or row.gone_at is not None or row.missing_since == self.started:
                return
            if row.missing_since is None:
                row.missing_since = self.started
                return
            row.gone_at = self.started
            is_ours = row.publication_id is not None and not _is_being_removed(session, row)
            if is_ours and not _has_vanished(session, row):
                judged = Judged(verdict=Verdict.OURS, key=key, about="", publication_id=row.publication_id)
                found = self._report(session, as_read(row), judged, IncidentKind.VANISHED, [])
                self._tell(session, [found], "vanished")

    def _present(self, session: Session, posts: Sequence[RemotePost]) -> Present:
        return Present(
            session,
            self.account,
            posts,
            began_at=self.began_at,
            canonical=self.channel.canonical_text,
            now=self.started,
        )

    def _is_fresh(self, present: Present, judged: Judged) -> bool:
        """Whether this must be reported and was not yet."""
        return judged.is_news and (_KIND[judged.verdict], judged.key, self._about(judged)) not in present.told

    @staticmethod
    def _about(judged: Judged) -> str:
        return "" if judged.verdict is Verdict.UNGATED else judged.about

    def _keep(
        self,
        session: Session,
        present: Present,
        post: RemotePost,
        *,
        key: str,
        publication_id: int | None,
        seen: bool = True,
    ) -> None:
        row = present.rows.get(key)
        if row is None:
            row = RemotePublicPost(
                account_id=self.account.id, remote_id=key, posted_at=post.created_at, first_seen_at=self.started
            )
            present.rows[key] = row
            session.add(row)
        row.publication_id = publication_id or row.publication_id
        row.text, row.media_count, row.permalink = post.text, post.media_count, post.permalink or row.permalink
        if len(post.history) <= 1:  # an edit on X has a moment of its own
            row.posted_at = post.created_at
        if seen:
            row.seen_at, row.missing_since, row.gone_at = self.started, None, None

    def _report(
        self, session: Session, post: RemotePost, judged: Judged, kind: IncidentKind, pictures: Sequence[str]
    ) -> Incident:
        return report(
            session,
            self.account,
            post,
            kind=kind,
            key=judged.key,
            about=self._about(judged),
            publication_id=judged.publication_id,
            pictures=pictures,
            now=self.started,
        )

    def _tell(self, session: Session, found: Sequence[Incident], what: str) -> None:
        tell_of(session, self.account, found, occasion=f"{what}:{self.started:%Y%m%d%H%M%S}", now=self.started)

    def _deadline(self) -> Deadline:
        return Deadline.after(self.services.clock.now(), self.services.settings.timings.wire)

    def is_long(self) -> bool:
        """Whether it is time to come to an end: the job would be ended before long."""
        return self.services.clock.now() - self.started > _LONG_ENOUGH

    def is_called_away(self) -> bool:
        """Whether a removal waits. The process that reads is the one that removes, and removing comes first."""
        with self.services.db.read() as session:
            return jobs.waits(session, jobs.TAKEDOWN, now=self.services.clock.now())

    def make_way(self) -> None:
        """End the reading where a removal waits.

        Raises:
            CalledAway: one does.
        """
        if self.is_called_away():
            raise CalledAway


def storable(post: RemotePost) -> RemotePost:
    """The post without signs that no database keeps: half of an emoji, or the sign that ends a text."""
    text = _HALVES.sub("\ufffd", post.text).replace("\0", "\ufffd")
    return post if text == post.text else replace(post, text=text)


def _row(session: Session, account_id: int, key: str) -> RemotePublicPost | None:
    return session.scalars(
        select(RemotePublicPost).where(RemotePublicPost.account_id == account_id, RemotePublicPost.remote_id == key)
    ).first()


def _is_being_removed(session: Session, row: RemotePublicPost) -> bool:
    """Whether we are taking it down, or have."""
    ours = select(Takedown.id).where(
        Takedown.account_id == row.account_id,
        (Takedown.publication_id == row.publication_id) | (Takedown.remote_id == row.remote_id),
        Takedown.state != TakedownState.NEVER_PUBLIC,
    )
    return session.scalars(ours.limit(1)).first() is not None


def _has_vanished(session: Session, row: RemotePublicPost) -> bool:
    told = select(Incident.id).where(
        Incident.account_id == row.account_id,
        Incident.kind == IncidentKind.VANISHED,
        Incident.remote_id == row.remote_id,
    )
    return session.scalars(told.limit(1)).first() is not None
