"""What the reading of the school's own accounts found about one post after it went out, for the post's own page.

It says that and where, in our words: what was read there stands with the incident, which few may open.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.public import Incident, IncidentKind
from gatekeeper.workflow.incident_view import MAY_READ

_WORDS: Final = {
    IncidentKind.EDITED: "This post does not stand on {channel} as it was approved.",
    IncidentKind.VANISHED: "This post was not on {channel} any more.",
}


@dataclass(frozen=True, kw_only=True)
class FoundLater:
    """One thing that was found and that nobody has settled yet. `incident_id` is 0 for who may not open it."""

    words: str
    at: datetime
    incident_id: int


def found_later(session: Session, post: Post, by: Staff) -> tuple[FoundLater, ...]:
    """What stands about this post, the oldest first."""
    rows = session.execute(
        select(Incident, ChannelAccount)
        .join(ChannelAccount, ChannelAccount.id == Incident.account_id)
        .join(Publication, Publication.id == Incident.publication_id)
        .join(Version, Version.id == Publication.version_id)
        .where(Version.post_id == post.id, Incident.kind.in_(_WORDS), Incident.closed_at.is_(None))
        .order_by(Incident.id)
    ).all()
    opens = Role(by.role) in MAY_READ
    return tuple(
        FoundLater(
            words=_WORDS[IncidentKind(found.kind)].format(channel=f"{label_of(account.kind)} ({account.name})"),
            at=found.seen_at,
            incident_id=found.id if opens else 0,
        )
        for found, account in rows
    )
