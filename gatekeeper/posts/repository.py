"""Reads and moves posts. Every change of state goes through `move`, which refuses a step that is not in the table."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.errors import Conflict, NotFound
from gatekeeper.posts.digest import ChannelContent, Content, PhotoContent, WordingContent, digest_of
from gatekeeper.posts.model import ChannelAccount, Finding, Post, Publication, Version
from gatekeeper.posts.status import MOVES, PUBLICATION_MOVES, PostState, PublicationState
from gatekeeper.posts.wordings import wordings_of


def post_for_update(session: Session, post_id: int) -> Post:
    """The post, locked until the transaction ends."""
    post = session.scalars(
        select(Post).where(Post.id == post_id).with_for_update().execution_options(populate_existing=True)
    ).first()
    if post is None:
        raise NotFound("There is no such post.")
    return post


def publication_for_update(session: Session, publication_id: int) -> Publication | None:
    """The publication, locked until the transaction ends, with its post and the ledger locked before it.

    Edits and decisions lock in this order too (post, ledger, publication), so nobody waits for each other in a ring.
    """
    post_id = session.scalars(
        select(Version.post_id)
        .join(Publication, Publication.version_id == Version.id)
        .where(Publication.id == publication_id)
    ).first()
    if post_id is None:
        return None
    post_for_update(session, post_id)
    ledger.hold(session)
    return session.scalars(
        select(Publication)
        .where(Publication.id == publication_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def move(post: Post, state: PostState) -> None:
    """Give the post its next state.

    Raises:
        Conflict: the table of moves has no such step.
    """
    check_can_move(post.state, state)
    post.state = state


def check_can_move(before: str, state: PostState) -> None:
    """Return where a post in that state may become this.

    Raises:
        Conflict: as `move`.
    """
    if state not in MOVES[PostState(before)]:
        raise Conflict(f"A post that is “{before}” cannot become “{state}”.")


def move_publication(publication: Publication, state: PublicationState) -> None:
    """Give the publication its next state; a step outside the table is a mistake in the program."""
    if state not in PUBLICATION_MOVES[PublicationState(publication.state)]:
        raise Conflict(f"A publication that is “{publication.state}” cannot become “{state}”.")
    publication.state = state


def accounts_of(session: Session, post: Post) -> list[ChannelAccount]:
    """The channel accounts the working copy names, in a fixed order."""
    if not post.channels:
        return []
    return list(
        session.scalars(select(ChannelAccount).where(ChannelAccount.id.in_(post.channels)).order_by(ChannelAccount.id))
    )


def content_of(session: Session, post: Post) -> Content:
    """What the working copy would publish. Every rendition must have been made.

    Raises:
        Conflict: a rendition is missing or the time is.
    """
    if post.due_at is None or any(photo.rendition_sha256 is None for photo in post.photos):
        raise Conflict("The post is not complete yet.")
    return Content(
        text=post.text,
        photos=tuple(PhotoContent(sha256=photo.rendition_sha256 or "", alt=photo.alt) for photo in post.photos),
        channels=tuple(
            ChannelContent(account_id=account.id, kind=account.kind, remote_id=account.remote_id)
            for account in accounts_of(session, post)
        ),
        due=post.due_at,
        window_minutes=post.window_minutes,
        wordings=tuple(WordingContent(account_id=account, text=text) for account, text in wordings_of(post).items()),
    )


def seal(session: Session, post: Post, *, now: datetime) -> Version:
    """The version of the post's present content: the newest one if nothing changed, else a new one."""
    canonical = content_of(session, post).canonical()
    newest = session.scalars(
        select(Version).where(Version.post_id == post.id).order_by(Version.number.desc()).limit(1)
    ).first()
    if newest is not None and newest.canonical == canonical and newest.revision == post.revision:
        post.version_id = newest.id
        return newest
    version = Version(
        post_id=post.id,
        number=newest.number + 1 if newest else 1,
        revision=post.revision,
        canonical=canonical,
        originals=[photo.original_sha256 for photo in post.photos],
        digest=digest_of(canonical),
        sealed_by=post.author_id,
        sealed_at=now,
    )
    session.add(version)
    session.flush()
    post.version_id = version.id
    return version


def current_version(session: Session, post: Post) -> Version | None:
    """The sealed version the post's state speaks of."""
    return session.get(Version, post.version_id) if post.version_id else None


def findings_of(session: Session, version_id: int) -> list[Finding]:
    """The findings about one version's words, in reading order."""
    return list(
        session.scalars(
            select(Finding).where(Finding.version_id == version_id).order_by(Finding.field, Finding.start, Finding.id)
        )
    )


def publications_of(session: Session, version_id: int) -> list[Publication]:
    """The publications of one version."""
    return list(
        session.scalars(
            select(Publication).where(Publication.version_id == version_id).order_by(Publication.account_id)
        )
    )
