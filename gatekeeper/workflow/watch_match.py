"""What one post on the school's own account is: ours as approved, ours and changed, on its way, older, or none of ours.

Plain values in, one word out; nothing here asks a database or a platform.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gatekeeper.channels.base import RemotePost

#: while the answer to one of our own sends is unclear, whatever appeared in this time after it may be ours
NEAR: Final = timedelta(minutes=5)


class Verdict(StrEnum):
    """What a post on the account is."""

    OURS = "ours"  # as it was approved
    EDITED = "edited"  # ours, and not as it was approved
    IN_FLIGHT = "in_flight"  # may be ours: nobody knows yet what became of a send
    BEFORE = "before"  # there before anybody watched, and unchanged since
    KNOWN = "known"  # none of ours, reported already, and unchanged since
    CHANGED = "changed"  # none of ours, and changed since it was last read
    UNGATED = "ungated"  # none of ours, and new
    VISITOR = "visitor"  # by somebody else, on the school's page


@dataclass(frozen=True, kw_only=True)
class Ours:
    """One publication that is on the account, or may be.

    Attributes:
        remote_id: the platform's number for it; empty while nobody knows it, or where it is none that its lists use.
        words: the sealed words, as `canonical` gives them; None when they were erased in their time.
        since: the earliest moment at which it can have appeared.
        settled: whether it is known to have gone out.
    """

    publication_id: int
    remote_id: str
    words: str | None
    media_count: int
    since: datetime
    settled: bool


@dataclass(frozen=True, kw_only=True)
class Known:
    """A post as it was when it was last read.

    Attributes:
        key: the number it is kept under; on X every edit has another one.
        reported: whether it was reported as one that did not come through the gate.
    """

    key: str
    publication_id: int | None
    words: str
    media_count: int
    posted_at: datetime
    reported: bool


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The verdict on one post, the number it is kept under, and a digest of what was read."""

    verdict: Verdict
    key: str
    about: str
    publication_id: int | None = None

    @property
    def is_news(self) -> bool:
        """Whether people must hear of it, unless they have already."""
        return self.verdict in (Verdict.EDITED, Verdict.CHANGED, Verdict.UNGATED)


def ids_of(post: RemotePost) -> tuple[str, ...]:
    """Every number this post has or had, the oldest first."""
    return tuple(dict.fromkeys((*post.history, post.id)))


def judge(
    post: RemotePost,
    *,
    account: str,
    began_at: datetime,
    known: Known | None,
    ours: Iterable[Ours],
    canonical: Callable[[str], str],
) -> Judged:
    """What this post is.

    Args:
        account: the platform's number for the school's account.
        began_at: since when the account is watched.
        known: the post as it was last read, if it was.
        ours: every publication that could be it.
        canonical: the form in which words are compared.
    """
    words, ids = canonical(post.text), ids_of(post)
    about = content_digest(words, post.media_count)
    candidates = tuple(ours)
    key = known.key if known else ids[0]

    def judged(verdict: Verdict, one: Ours | None = None) -> Judged:
        return Judged(verdict=verdict, key=key, about=about, publication_id=one.publication_id if one else None)

    if post.author and post.author != account:
        return judged(Verdict.VISITOR)
    mine = _named(candidates, known, ids) or _unnamed(candidates, post, words)
    if mine is not None:
        key = known.key if known else next((one for one in ids if _tail(one) == _tail(mine.remote_id)), ids[0])
        same = mine.words is None or (mine.words, mine.media_count) == (words, post.media_count)
        return judged(Verdict.OURS if same else Verdict.EDITED, mine)
    if any(_may_be(one, post, words) for one in candidates if not one.settled) and not (known and known.reported):
        return judged(Verdict.IN_FLIGHT)
    return judged(_of_none_of_ours(post, words, known, began_at))


def _of_none_of_ours(post: RemotePost, words: str, known: Known | None, began_at: datetime) -> Verdict:
    older = (known.posted_at if known else post.created_at) < began_at
    if not older and not (known and known.reported):
        return Verdict.UNGATED  # new, or it was held back while it could have been one of ours
    if known and (known.words, known.media_count) != (words, post.media_count):
        return Verdict.CHANGED
    return Verdict.BEFORE if older else Verdict.KNOWN


def content_digest(words: str, media_count: int) -> str:
    """A digest of what a reader sees, by which one edit is told from another."""
    return hashlib.sha256(f"{media_count}\n{words}".encode("utf-8", "surrogatepass")).hexdigest()


def _named(candidates: Iterable[Ours], known: Known | None, ids: tuple[str, ...]) -> Ours | None:
    """The publication whose number this post has or had, or that it was found to be before."""
    tails = {_tail(each) for each in ids}
    found_before = known.publication_id if known else None
    return next(
        (
            one
            for one in candidates
            if one.settled and (_tail(one.remote_id) in tails or one.publication_id == found_before)
        ),
        None,
    )


def _tail(remote_id: str) -> str:
    """The number alone: a person may have typed it without the name in front that the platform gives it."""
    return remote_id.rpartition(":")[2].rpartition("_")[2]


def _unnamed(candidates: Iterable[Ours], post: RemotePost, words: str) -> Ours | None:
    """A publication that went out under a number the platform's lists do not use, by its words."""
    return next(
        (
            one
            for one in candidates
            if one.settled
            and not one.remote_id
            and (one.words, one.media_count) == (words, post.media_count)
            and post.created_at >= one.since
        ),
        None,
    )


def _may_be(one: Ours, post: RemotePost, words: str) -> bool:
    """Whether a send without a clear answer may have made this post: by its words, or by its moment."""
    if post.created_at < one.since:
        return False
    same = (one.words, one.media_count) == (words, post.media_count)
    return same or post.created_at <= one.since + NEAR
