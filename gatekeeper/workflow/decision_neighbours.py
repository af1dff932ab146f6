"""Other posts that a decision should know of: the same words once more, or another post in the same place at the same time."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import Post, Publication, Version
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.posts.status import PublicationState

_CLOSE: Final = timedelta(minutes=30)
_REMEMBERED: Final = timedelta(days=60)
_OUT_OR_GOING: Final = tuple(
    str(state)
    for state in PublicationState
    if state not in {PublicationState.CANCELLED, PublicationState.FAILED, PublicationState.MISSED}
)


@dataclass(frozen=True)
class Neighbour:
    """Another approved post. `repeats` says that its words are the same; otherwise it only goes out close by.

    What was taken down is close to nothing any more; that its words are the same is still worth knowing.
    """

    title: str
    due: datetime
    repeats: bool
    gone: bool = False  # there is no channel left on which it stands or will


def neighbours_of(session: Session, post_id: int, content: Content) -> tuple[Neighbour, ...]:
    """What goes or went out with the same words, and what goes out to the same account within half an hour."""
    accounts = {channel.account_id for channel in content.channels}
    removed = (
        select(Takedown.id)
        .where(Takedown.publication_id == Publication.id, Takedown.state == TakedownState.GONE)
        .exists()
    )
    rows = session.execute(
        select(Post.id, Post.title, Publication.due_at, Publication.account_id, Version.canonical, removed)
        .join(Version, Version.post_id == Post.id)
        .join(Publication, Publication.version_id == Version.id)
        .where(
            Post.id != post_id,
            Publication.state.in_(_OUT_OR_GOING),
            Publication.due_at >= content.due - _REMEMBERED,
        )
        .order_by(Publication.due_at.desc(), Post.id)
    ).all()
    found: dict[int, Neighbour] = {}
    ours = _said_in(content)
    standing = {row[0] for row in rows if not row[5]}
    for other, title, due, account, canonical, gone in rows:
        repeats = bool(ours & _said_in(Content.from_canonical(canonical)))
        close = not gone and account in accounts and abs(due - content.due) <= _CLOSE
        if other not in found and (repeats or close):
            found[other] = Neighbour(title or f"Post {other}", due, repeats, gone=other not in standing)
    return _told(tuple(found.values()))


def _told(found: Sequence[Neighbour]) -> tuple[Neighbour, ...]:
    """Repeats first; a handful is enough to make somebody look."""
    return tuple(sorted(found, key=lambda one: not one.repeats)[:3])


def _said_in(content: Content) -> set[str]:
    """All the words that a channel gets, the common ones or its own."""
    return {_plain(content.text_for(channel.account_id)) for channel in content.channels} - {""}


def _plain(text: str) -> str:
    """The words alone, so that another line break or capital does not hide a repeat."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
