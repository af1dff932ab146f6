"""One e-mail that a post is public, once all its channels have come to their end: not one for each of them.

What goes wrong on a channel is told at once and by itself (`outcome.ended`). This waits for the last channel, so that
three channels are one e-mail to the author and one to whoever decided.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.tables import Decision
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.status import ENDED, PublicationState
from gatekeeper.workflow.notify import tell

PUBLISHED = "published"


def tell_if_all_ended(session: Session, version_id: int, *, now: datetime) -> None:
    """Order the e-mail where no channel of this version is on its way any more, and one at least is public."""
    session.flush()
    found = session.execute(
        select(Publication, ChannelAccount)
        .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
        .where(Publication.version_id == version_id)
        .order_by(Publication.account_id)
    ).all()
    public = [(one, account) for one, account in found if one.state == PublicationState.PUBLISHED]
    if not public or any(one.state not in ENDED for one, _ in found):
        return
    post = session.get_one(Post, session.get_one(Version, version_id).post_id)
    people = {post.author_id}
    for one, _ in public:
        decision = session.get(Decision, one.decision_id)
        people |= {decision.approver_id} if decision is not None else set()
    places = [
        {"channel": name, "permalink": one.permalink} for (one, _), name in zip(public, _names(public), strict=True)
    ]
    for staff_id in sorted(people):
        tell(
            session,
            PUBLISHED,
            staff_id=staff_id,
            # a channel that was approved anew and followed later is told of too
            subject=f"version:{version_id}:published:{len(public)}",
            context={"post_id": post.id, "channel": _listed([place["channel"] for place in places]), "places": places},
            now=now,
        )


def _names(public: Sequence[tuple[Publication, ChannelAccount]]) -> list[str]:
    """Each by its platform; by its own name too where there are two of a kind."""
    kinds = [account.kind for _, account in public]
    return [
        label_of(account.kind) if kinds.count(account.kind) == 1 else f"{label_of(account.kind)} ({account.name})"
        for _, account in public
    ]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
