"""What a change to a post does to what was asked and decided before: it voids it, at once and in one transaction."""

from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from approvals import decisions, ledger, requests
from approvals.tables import Decision
from gatekeeper.db.bare import table_of
from gatekeeper.errors import Conflict
from gatekeeper.posts.model import Post, Publication
from gatekeeper.posts.repository import check_can_move, move, move_publication
from gatekeeper.posts.status import EDITABLE, VOIDED_BY_EDIT, PostState, PublicationState
from gatekeeper.workflow.published_mail import tell_if_all_ended

_CANCELLABLE = (PublicationState.SCHEDULED, PublicationState.CLAIMED)


def subject_of(post_id: int) -> str:
    """The post's name in the approval room."""
    return f"post:{post_id}"


def touch(session: Session, post: Post, *, by: int, now: datetime, reason: str = "The post was edited.") -> None:
    """Note a change to the working copy: what was asked or approved is void, and the post is a draft again.

    Raises:
        Conflict: it is being sent at this moment or is already public.
    """
    state = PostState(post.state)
    if state not in EDITABLE:
        raise Conflict("This post can no longer be changed: it has been sent.")
    if state in VOIDED_BY_EDIT:
        void(session, post, by=by, now=now, reason=reason)
    post.revision += 1
    post.changed_at = now
    if state is not PostState.DRAFT:
        move(post, PostState.DRAFT)


def void(session: Session, post: Post, *, by: int | None, now: datetime, reason: str) -> None:
    """Close the open question to the headteacher and take back every publication that has not begun.

    Raises:
        Conflict: a publication is on the wire or its outcome is unclear.
    """
    requests.void_requests(session, subject_of(post.id), reason=reason, now=now)
    if post.version_id is None:
        return
    publications = session.scalars(
        select(Publication).where(Publication.version_id == post.version_id).with_for_update()
    ).all()
    if any(PublicationState(p.state) not in (*_CANCELLABLE, PublicationState.CANCELLED) for p in publications):
        raise Conflict("This post is being sent at this moment. Look again in a minute.")
    for publication in publications:
        if publication.state in _CANCELLABLE:
            move_publication(publication, PublicationState.CANCELLED)
            publication.problem = reason
    for decision_id in {p.decision_id for p in publications if decisions.is_in_force(session, p.decision_id)}:
        decisions.withdraw(session, session.get_one(Decision, decision_id), by_person=by, reason=reason, now=now)


def stop_waiting(session: Session, post: Post, *, by: int | None, now: datetime, reason: str) -> None:
    """Take the approval back and cancel what has not begun to be sent; what has begun or ended stays as it is."""
    ledger.hold(session)
    publications = session.scalars(
        select(Publication).where(Publication.version_id == post.version_id).with_for_update()
    ).all()
    for publication in publications:
        if publication.state in _CANCELLABLE:
            move_publication(publication, PublicationState.CANCELLED)
            publication.problem, publication.lease_until = reason, None
    for decision_id in {p.decision_id for p in publications if decisions.is_in_force(session, p.decision_id)}:
        decisions.withdraw(session, session.get_one(Decision, decision_id), by_person=by, reason=reason, now=now)
    session.flush()
    if {p.state for p in publications} <= {PublicationState.CANCELLED}:
        move(post, PostState.WITHDRAWN)
        post.revision += 1
    else:
        settle(session, post)
        tell_if_all_ended(session, post.version_id or 0, now=now)


def settle(session: Session, post: Post) -> None:
    """Draw the post's state from its publications once one of them has moved."""
    session.flush()
    settle_by_id(session, post.id)
    session.refresh(post, ["state"])


def settle_by_id(session: Session, post_id: int) -> None:
    """The same for a post that was not read."""
    rows = session.execute(_STATES, {"post": post_id}).all()
    target = _drawn_from({PublicationState(row.publication) for row in rows if row.publication is not None})
    if rows and rows[0].post != target:
        check_can_move(rows[0].post, target)
        session.execute(_SETTLED, {"post": post_id, "target": target})


_POST, _PUBLICATION = table_of(Post).c, table_of(Publication).c
# asked for each post that goes out: of the bare tables, and made once
_STATES = (
    select(_POST.state.label("post"), _PUBLICATION.state.label("publication"))
    .select_from(table_of(Post))
    .outerjoin(table_of(Publication), _PUBLICATION.version_id == _POST.version_id)
    .where(_POST.id == bindparam("post"))
)
_SETTLED = update(table_of(Post)).where(_POST.id == bindparam("post")).values(state=bindparam("target"))


def _drawn_from(states: set[PublicationState]) -> PostState:
    target = PostState.SCHEDULED
    if states == {PublicationState.PUBLISHED}:
        target = PostState.PUBLISHED
    elif PublicationState.NEEDS_PERSON in states:
        target = PostState.NEEDS_PERSON
    elif states & {
        PublicationState.SCHEDULED,
        PublicationState.CLAIMED,
        PublicationState.SENDING,
        PublicationState.UNKNOWN,
    }:
        target = PostState.SCHEDULED
    elif PublicationState.PUBLISHED in states:
        target = PostState.PARTLY
    elif PublicationState.MISSED in states:
        target = PostState.MISSED
    elif PublicationState.FAILED in states:
        target = PostState.FAILED
    return target
