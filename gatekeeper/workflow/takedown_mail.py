"""Who is told that a post is gone, or that a person must remove it: one e-mail for a post, not one for each channel."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.workflow.channel_names import listed, names_of
from gatekeeper.workflow.notify import tell

GONE, BY_HAND, STILL_THERE = "taken_down", "takedown_by_hand", "takedown_still_there"


def tell_gone(session: Session, one: Takedown, *, now: datetime) -> None:
    """Tell the author, the headteacher and whoever ordered it from where the post is gone by now.

    Asked after each step of a removal. While another removal of the same post is still under way, that one's end tells
    of both; one that meets trouble is not waited for.
    """
    session.flush()
    post = _post_of(session, one)
    removals = _of_post(session, post) if post is not None else [one]
    if any(other.state == TakedownState.ORDERED and not other.problem for other in removals):
        return
    gone = [other for other in removals if other.state == TakedownState.GONE]
    if not gone:
        return
    people = _staff_of(session, Role.HEADTEACHER) | {other.asked_by for other in gone if other.asked_by}
    if post is not None:
        people.add(post.author_id)
    accounts = session.scalars(
        select(ChannelAccount)
        .where(ChannelAccount.id.in_([other.account_id for other in gone]))
        .order_by(ChannelAccount.id)
    )
    channel = listed(names_of([(account.kind, account.name) for account in accounts]))
    _tell(session, GONE, one, people, subject=f"takedown:{gone[-1].id}:{len(gone)}", channel=channel, now=now)


def tell_office(session: Session, one: Takedown, *, now: datetime) -> None:
    """Tell the headteacher, the administrators and whoever ordered it that a person must remove it."""
    people = _staff_of(session, Role.HEADTEACHER, Role.ADMINISTRATOR) | ({one.asked_by} if one.asked_by else set())
    channel = session.get_one(ChannelAccount, one.account_id).name
    _tell(session, BY_HAND, one, people, subject=f"takedown:{one.id}", channel=channel, now=now)


def tell_still_there(session: Session, one: Takedown, *, now: datetime) -> None:
    """Tell the headteacher, the administrators and whoever ordered it that the post is public after all."""
    people = _staff_of(session, Role.HEADTEACHER, Role.ADMINISTRATOR) | ({one.asked_by} if one.asked_by else set())
    channel = session.get_one(ChannelAccount, one.account_id).name
    _tell(session, STILL_THERE, one, people, subject=f"takedown:{one.id}:{now.isoformat()}", channel=channel, now=now)


def _tell(
    session: Session, kind: str, one: Takedown, people: set[int], *, subject: str, channel: str, now: datetime
) -> None:
    post = _post_of(session, one)
    context: dict[str, Any] = {"channel": channel, "takedown": one.id} | ({"post_id": post.id} if post else {})
    for staff_id in sorted(people):
        tell(session, kind, staff_id=staff_id, subject=f"{subject}:{kind}", context=context, now=now)


def _staff_of(session: Session, *roles: Role) -> set[int]:
    return set(session.scalars(select(Staff.id).where(Staff.role.in_(roles), Staff.active)))


def _post_of(session: Session, one: Takedown) -> Post | None:
    if one.publication_id is None:
        return None
    publication = session.get_one(Publication, one.publication_id)
    return session.get(Post, session.get_one(Version, publication.version_id).post_id)


def _of_post(session: Session, post: Post) -> list[Takedown]:
    """Every removal of the post, the oldest first."""
    found = session.scalars(
        select(Takedown)
        .join(Publication, Publication.id == Takedown.publication_id)
        .join(Version, Version.id == Publication.version_id)
        .where(Version.post_id == post.id)
        .order_by(Takedown.id)
        .execution_options(populate_existing=True)
    )
    return list(found)
