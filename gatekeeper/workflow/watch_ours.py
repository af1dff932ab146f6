"""What the database knows of the posts on one account: our publications, and every post as it was last read."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from gatekeeper.channels.base import RemotePost
from gatekeeper.errors import NotFound
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Publication, Version
from gatekeeper.posts.public import Incident, IncidentKind, RemotePublicPost
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow.watch_match import Judged, Known, Ours, ids_of, judge

_Row = TypeVar("_Row")
#: a clock may have been set by so much between the send and its record
_MARGIN: Final = timedelta(hours=2)
_UNSETTLED: Final = (S.CLAIMED, S.SENDING, S.UNKNOWN, S.NEEDS_PERSON)
#: the numbers by which a platform's own lists name a post; a person may have typed another one
_LISTED: Final[Mapping[str, re.Pattern[str]]] = {
    "x": re.compile(r"\d+"),
    "facebook": re.compile(r"\d+_\d+"),
    "linkedin": re.compile(r"urn:li:(?:share|ugcPost):\d+"),
}
_NAMED_BY_HAND_FOR: Final = timedelta(days=60)


def is_listed_name(kind: str, remote_id: str) -> bool:
    """Whether the platform's lists would name a post so."""
    known = _LISTED.get(kind)
    return known is None or known.fullmatch(remote_id) is not None


class Present:
    """What is known about some posts of one account, looked up for all of them at once.

    Attributes:
        rows: the posts as they were last read, by the number they are kept under.
        told: the incidents there are, by kind, number and digest of what was read.
    """

    def __init__(
        self,
        session: Session,
        account: ChannelAccount,
        posts: Sequence[RemotePost],
        *,
        began_at: datetime,
        canonical: Callable[[str], str],
        now: datetime,
    ) -> None:
        self._account, self._began_at, self._canonical = account, began_at, canonical
        ids = {each for post in posts for each in ids_of(post)}
        rows = _in_parts(
            session, RemotePublicPost, RemotePublicPost.account_id == account.id, RemotePublicPost.remote_id, ids
        )
        self.rows = {row.remote_id: row for row in rows}
        incidents = _in_parts(session, Incident, Incident.account_id == account.id, Incident.remote_id, ids)
        self.told = {(one.kind, one.remote_id, one.about) for one in incidents}
        reported = {one.remote_id for one in incidents if one.kind == IncidentKind.UNGATED}
        self._known = {key: _known(row, canonical, reported=key in reported) for key, row in self.rows.items()}
        self._ours = ours_of(session, account, ids, {row.publication_id for row in rows}, canonical=canonical, now=now)

    def judge(self, post: RemotePost) -> Judged:
        """What this post is."""
        known = next((self._known[each] for each in ids_of(post) if each in self._known), None)
        return judge(
            post,
            account=self._account.remote_id,
            began_at=self._began_at,
            known=known,
            ours=self._ours,
            canonical=self._canonical,
        )


def ours_of(
    session: Session,
    account: ChannelAccount,
    ids: Collection[str],
    publication_ids: Collection[int | None],
    *,
    canonical: Callable[[str], str],
    now: datetime,
) -> list[Ours]:
    """Every publication that could be one of these posts: by its number, found before, on its way, or named by hand."""
    tails = {each.rpartition("_")[2] for each in ids} | set(ids)
    condition = Publication.account_id == account.id
    found = [
        *_in_parts(session, Publication, condition, Publication.remote_id, tails),
        *_in_parts(session, Publication, condition, Publication.id, {each for each in publication_ids if each}),
        *session.scalars(select(Publication).where(condition, Publication.state.in_(_UNSETTLED))),
    ]
    if account.kind == "linkedin":  # the only one whose links name a post otherwise than its lists do
        lately = Publication.published_at > now - _NAMED_BY_HAND_FOR
        by_hand = select(Publication).where(condition, lately, Publication.remote_id.like("urn:li:activity:%"))
        found += session.scalars(by_hand)
    unique = {publication.id: publication for publication in found}
    versions = {
        version.id: version
        for version in _in_parts(session, Version, None, Version.id, {each.version_id for each in unique.values()})
    }
    return [_ours(each, versions[each.version_id], account, canonical) for each in unique.values()]


def _ours(publication: Publication, version: Version, account: ChannelAccount, canonical: Callable[[str], str]) -> Ours:
    try:
        content = Content.from_canonical(version.canonical)
    except NotFound:  # erased in its time
        content = None
    named = publication.remote_id or ""
    settled = publication.state == S.PUBLISHED
    return Ours(
        publication_id=publication.id,
        remote_id="" if not settled or ":activity:" in named else named,
        words=canonical(content.text_for(account.id)) if content else None,
        media_count=len(content.photos) if content else 0,
        since=(publication.sent_at or publication.due_at) - (_MARGIN if settled else timedelta(minutes=1)),
        settled=settled,
    )


def _known(row: RemotePublicPost, canonical: Callable[[str], str], *, reported: bool) -> Known:
    return Known(
        key=row.remote_id,
        publication_id=row.publication_id,
        words=canonical(row.text),
        media_count=row.media_count,
        posted_at=row.posted_at,
        reported=reported,
    )


def undecided(session: Session, account_id: int, *, began_at: datetime, limit: int = 100) -> list[RemotePublicPost]:
    """Posts that could have been ours while a send was unclear, and were neither found to be ours nor reported."""
    told = select(Incident.id).where(
        Incident.account_id == RemotePublicPost.account_id,
        Incident.remote_id == RemotePublicPost.remote_id,
        or_(Incident.kind == IncidentKind.UNGATED, Incident.kind == IncidentKind.QUEUED),
    )
    return list(
        session.scalars(
            select(RemotePublicPost)
            .where(
                RemotePublicPost.account_id == account_id,
                RemotePublicPost.posted_at >= began_at,
                RemotePublicPost.publication_id.is_(None),
                RemotePublicPost.gone_at.is_(None),
                ~told.exists(),
            )
            .order_by(RemotePublicPost.id)
            .limit(limit)
        )
    )


def as_read(row: RemotePublicPost) -> RemotePost:
    """A stored post as the reading told it."""
    return RemotePost(
        id=row.remote_id,
        text=row.text,
        media_count=row.media_count,
        created_at=row.posted_at,
        permalink=row.permalink,
    )


def _in_parts(
    session: Session,
    table: type[_Row],
    condition: ColumnElement[bool] | None,
    column: object,
    values: Collection[object],
) -> list[_Row]:
    """The rows whose column is one of the values; a database takes only so many at once."""
    listed = sorted(values, key=str)
    found: list[_Row] = []
    for start in range(0, len(listed), 400):
        asked = select(table).where(column.in_(listed[start : start + 400]))  # type: ignore[attr-defined]  # any column
        found += session.scalars(asked if condition is None else asked.where(condition)).all()
    return found
