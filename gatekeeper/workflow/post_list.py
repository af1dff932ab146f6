"""The posts one person has to do with, those that wait for this person first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest, RequestStatus
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Photo, Post
from gatekeeper.posts.status import TURN, PostState, Turn
from gatekeeper.workflow.gone import GONE_BADGE, gone

P = PostState
_OFFICE: Final = frozenset({Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR})
_STUCK: Final = (P.NEEDS_PERSON, P.PARTLY)
_ENDED_SHOWN: Final = 12


@dataclass(frozen=True, kw_only=True)
class PostLine:
    """One post in a list. `author` is empty where it is the reader's own."""

    id: int
    title: str
    state: PostState
    due_at: datetime | None
    changed_at: datetime
    photos: int
    note: str
    badge: tuple[str, str, str] | None = None  # where its state alone would say too much
    author: str = ""


@dataclass(frozen=True, kw_only=True)
class PostLists:
    """What somebody sees first: what waits for them, then everything else by where it is.

    Attributes:
        decisions: posts this person was asked about by e-mail; only the link in that e-mail decides.
        stuck: posts of the whole school about which a person must look, for the office.
    """

    decisions: tuple[PostLine, ...]
    stuck: tuple[PostLine, ...]
    yours: tuple[PostLine, ...]
    drafts: tuple[PostLine, ...]
    under_way: tuple[PostLine, ...]
    published: tuple[PostLine, ...]
    withdrawn: tuple[PostLine, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show at all."""
        return not any(
            (self.decisions, self.stuck, self.yours, self.drafts, self.under_way, self.published, self.withdrawn)
        )


def lists_for(session: Session, by: Staff) -> PostLists:
    """Everything this person has to do with."""
    own = session.scalars(
        select(Post)
        .where(Post.author_id == by.id, Post.erased_at.is_(None))
        .order_by(Post.changed_at.desc(), Post.id.desc())
        .limit(300)
    ).all()
    counts = _photo_counts(session, own)
    away = gone(session, [post.id for post in own if post.state in (P.PUBLISHED, P.PARTLY)])
    badges = {post_id: GONE_BADGE[all_of_it] for post_id, all_of_it in away.items()}
    lines = [replace(_line(post, counts), badge=badges.get(post.id)) for post in own]

    def among(*states: PostState) -> tuple[PostLine, ...]:
        return tuple(line for line in lines if line.state in states)

    waits = [state for state, turn in TURN.items() if turn is Turn.AUTHOR and state is not P.DRAFT]
    return PostLists(
        decisions=_decisions(session, by),
        stuck=_stuck(session, by),
        yours=among(*waits, *_STUCK),
        drafts=among(P.DRAFT),
        under_way=_soonest_first(among(P.SCANNING, P.REQUESTING, P.WAITING, P.SCHEDULED)),
        published=among(P.PUBLISHED)[:_ENDED_SHOWN],
        withdrawn=among(P.WITHDRAWN)[:_ENDED_SHOWN],
    )


def _decisions(session: Session, by: Staff) -> tuple[PostLine, ...]:
    subjects = session.scalars(
        select(ApprovalRequest.subject).where(
            ApprovalRequest.approver_id == by.id, ApprovalRequest.status == RequestStatus.OPEN
        )
    ).all()
    ids = [int(subject.removeprefix("post:")) for subject in subjects if subject.startswith("post:")]
    return _soonest_first(_others(session, session.scalars(select(Post).where(Post.id.in_(ids))).all()))


def _stuck(session: Session, by: Staff) -> tuple[PostLine, ...]:
    if Role(by.role) not in _OFFICE:
        return ()
    posts = session.scalars(select(Post).where(Post.state.in_(_STUCK), Post.author_id != by.id)).all()
    return _others(session, posts)


def _others(session: Session, posts: Sequence[Post]) -> tuple[PostLine, ...]:
    wanted = {post.author_id for post in posts}
    names = {one.id: one.name for one in session.scalars(select(Staff).where(Staff.id.in_(wanted)))}
    counts = _photo_counts(session, posts)
    return tuple(_line(post, counts, author=names.get(post.author_id, "")) for post in posts)


def _photo_counts(session: Session, posts: Sequence[Post]) -> dict[int, int]:
    ids = [post.id for post in posts]
    rows = session.execute(
        select(Photo.post_id, func.count()).where(Photo.post_id.in_(ids)).group_by(Photo.post_id)
    ).all()
    return {row[0]: row[1] for row in rows}


def _line(post: Post, counts: dict[int, int], *, author: str = "") -> PostLine:
    return PostLine(
        id=post.id,
        title=post.title or f"Post {post.id}",
        state=PostState(post.state),
        due_at=post.due_at,
        changed_at=post.changed_at,
        photos=counts.get(post.id, 0),
        note="" if author else post.note,  # said to its author, and maybe of a child
        author=author,
    )


def _soonest_first(lines: Sequence[PostLine]) -> tuple[PostLine, ...]:
    dated = sorted((line for line in lines if line.due_at), key=lambda line: (line.due_at, line.id))
    return (*dated, *(line for line in lines if not line.due_at))
