"""What is written down and whom is told when a publication comes to an end."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.tables import Decision
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import move_publication
from gatekeeper.posts.status import PublicationState
from gatekeeper.workflow import cost, takedown
from gatekeeper.workflow.change import settle
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.published_mail import tell_if_all_ended


def record_published(
    session: Session, publication: Publication, *, remote_id: str, permalink: str, how: str, now: datetime
) -> None:
    """Write down that the post is public, with the platform's own number for it.

    Args:
        how: "answer" (the platform said so), "found" (seen on its timeline) or "person" (somebody looked).
    """
    move_publication(publication, PublicationState.PUBLISHED)
    publication.remote_id, publication.permalink, publication.published_at = remote_id, permalink, now
    publication.problem, publication.lease_until = "", None
    version = session.get_one(Version, publication.version_id)
    ledger.append(
        session,
        at=now,
        kind="published",
        body={
            "publication": publication.id,
            "version": version.id,
            "digest": publication.digest,
            "decision": publication.decision_id,
            "account": publication.account_id,
            "remote_id": remote_id,
            "how": how,
        },
    )
    cost.count_post(session, publication, version, now=now)
    settle(session, session.get_one(Post, version.post_id))
    takedown.follow(session, publication, now=now)
    tell_if_all_ended(session, version.id, now=now)


def ended(session: Session, publication: Publication, *, kind: str, sentence: str, now: datetime) -> None:
    """Tell of trouble with one channel: the author, the headteacher who decided, and the administrators of most of it."""
    post = session.get_one(Post, session.get_one(Version, publication.version_id).post_id)
    account = session.get_one(ChannelAccount, publication.account_id)
    decision = session.get(Decision, publication.decision_id)
    people = {post.author_id}
    if decision is not None:
        people.add(decision.approver_id)
    if kind in ("needs_person", "channel_held", "not_sent"):
        people.update(session.scalars(select(Staff.id).where(Staff.role == Role.ADMINISTRATOR, Staff.active)))
    notice = "not_sent" if kind == "channel_held" else kind
    for staff_id in sorted(people):
        tell(
            session,
            notice,
            staff_id=staff_id,
            subject=f"publication:{publication.id}:{kind}:{publication.fence}",
            context={
                "post_id": post.id,
                "channel": account.name,
                "permalink": publication.permalink,
                "sentence": sentence,
            },
            now=now,
        )
    tell_if_all_ended(session, publication.version_id, now=now)  # it may have been the last that the others waited for
