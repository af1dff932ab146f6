"""One publication that a publisher has in hand, with everything around it, as the database has it at this moment.

It is read with one statement that is made once, because it is asked in the transaction of each intent. What is kept of
it until the answer is written down are the numbers and digests, which never change.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.tables import Decision
from gatekeeper.db.bare import table_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Photo, Post, Publication, Version
from gatekeeper.posts.public import Takedown
from gatekeeper.workflow.stopped import IS_PRESSED, IS_RESTORING, stop_sentence
from gatekeeper.workflow.takedown import STANDING


class InHand(NamedTuple):
    """The publication (what has no other word before it), its version, account and post, and who approved it."""

    id: int
    state: str
    fence: int
    lease_until: datetime | None
    due_at: datetime
    closes_at: datetime
    digest: str
    decision_id: str
    version_id: int
    version_revision: int
    version_digest: str
    canonical: str
    account_id: int
    kind: str
    account_name: str
    account_status: str
    account_remote_id: str
    account_sealed: str | None
    declared_own: bool
    held_reason: str
    post_id: int
    author_id: int
    post_version_id: int | None
    post_revision: int
    is_set_aside: bool  # erased, frozen by a question of its author, or held for a child in it
    has_photos: bool
    takedown_stands: bool
    approver_id: int | None
    is_pressed: bool
    is_restoring: bool

    @property
    def content(self) -> Content:
        """What its sealed version says."""
        return _read(self.canonical)

    @property
    def stopped(self) -> str:
        """Why nothing may be sent on any channel, as a sentence; empty when sending is free."""
        return stop_sentence(is_pressed=self.is_pressed, is_restoring=self.is_restoring)


class Text(NamedTuple):
    """What a sealed version says, and the account that it goes to, for whoever gets it ready to be sent."""

    canonical: str
    account: ChannelAccount

    @property
    def content(self) -> Content:
        """The same, read."""
        return _read(self.canonical)


#: the same text says the same: it is read once for the few moments in which it is asked for
_read = lru_cache(maxsize=64)(Content.from_canonical)


def texts(session: Session, publication_ids: Sequence[int]) -> dict[int, Text]:
    """The texts of these publications. A version never changes; that it is the one that was approved, the gate says."""
    rows = session.execute(_TEXTS, {"publications": publication_ids}).all()
    wanted = select(ChannelAccount).where(ChannelAccount.id.in_({row.account_id for row in rows}))
    accounts = {account.id: account for account in session.scalars(wanted)}
    return {row.id: Text(row.canonical, accounts[row.account_id]) for row in rows}


def look(session: Session, publication_id: int) -> InHand | None:
    """The publication as it is now; None where there is none."""
    session.flush()
    row = session.execute(_LOOK, {"publication": publication_id}).first()
    return InHand._make(row) if row is not None else None


def lock(session: Session, *publication_ids: int) -> None:
    """Keep these publications, their posts and the ledger as they are until the transaction ends.

    On SQLite the transaction is the only writer, and that is that. Elsewhere the posts are locked first, in the order
    of their numbers, then the ledger, then the publications: nobody who locks in this order waits in a ring.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    these = {"publications": publication_ids}
    session.execute(_LOCK_POSTS, these)
    ledger.hold(session)
    session.execute(_LOCK_PUBLICATIONS, these)


_P, _V, _A = table_of(Publication).c, table_of(Version).c, table_of(ChannelAccount).c
_POST, _D, _PHOTO, _T = table_of(Post).c, table_of(Decision).c, table_of(Photo).c, table_of(Takedown).c

_COLUMNS: dict[str, Any] = {
    "version_id": _V.id, "version_revision": _V.revision, "version_digest": _V.digest, "canonical": _V.canonical,
    "account_id": _A.id, "kind": _A.kind, "account_name": _A.name, "account_status": _A.status,
    "account_remote_id": _A.remote_id, "account_sealed": _A.sealed, "declared_own": _A.declared_own,
    "held_reason": _A.held_reason, "post_id": _POST.id, "author_id": _POST.author_id, "post_version_id": _POST.version_id,
    "post_revision": _POST.revision, "approver_id": _D.approver_id,
    "is_set_aside": or_(_POST.held_for_consent, _POST.asked_first.is_not(None), _POST.erased_at.is_not(None)),
    "has_photos": exists(select(_PHOTO.id).where(_PHOTO.post_id == _POST.id)),
    "takedown_stands": exists(select(_T.id).where(_T.publication_id == _P.id, _T.state.in_(STANDING))),
    "is_pressed": IS_PRESSED, "is_restoring": IS_RESTORING,
}  # fmt: skip
_LOOK = (
    select(*((_COLUMNS[name] if name in _COLUMNS else _P[name]).label(name) for name in InHand._fields))
    .select_from(table_of(Publication))
    .join(table_of(Version), _V.id == _P.version_id)
    .join(table_of(Post), _POST.id == _V.post_id)
    .join(table_of(ChannelAccount), _A.id == _P.account_id)
    .outerjoin(table_of(Decision), _D.id == _P.decision_id)
    .where(_P.id == bindparam("publication"))
)
_THESE: BindParameter[Any] = bindparam("publications", expanding=True)
_TEXTS = (
    select(_P.id, _P.account_id, _V.canonical).join(table_of(Version), _V.id == _P.version_id).where(_P.id.in_(_THESE))
)
_LOCK_POSTS = (
    select(_POST.id)
    .where(
        _POST.id.in_(select(_V.post_id).join(table_of(Publication), _P.version_id == _V.id).where(_P.id.in_(_THESE)))
    )
    .order_by(_POST.id)
    .with_for_update()
)
_LOCK_PUBLICATIONS = select(_P.id).where(_P.id.in_(_THESE)).order_by(_P.id).with_for_update()
