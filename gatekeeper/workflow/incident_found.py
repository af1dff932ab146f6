"""Writes down what was found on an official account, and tells the headteacher and the administrators once.

The e-mail says where and how many, never what: the words stand behind the link.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.channels.base import RemotePost
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.posts.public import Incident, IncidentKind
from gatekeeper.workflow.notify import tell

NOTICE: Final = "incident_found"
#: what each kind is, after a number
WHAT: Final = {
    IncidentKind.UNGATED: ("post that did not come through Gatekeeper", "posts that did not come through Gatekeeper"),
    IncidentKind.EDITED: ("post that was changed after it was read", "posts that were changed after they were read"),
    IncidentKind.VANISHED: ("published post that is not there any more", "published posts that are not there any more"),
    IncidentKind.QUEUED: (
        "post that is scheduled on the platform itself",
        "posts that are scheduled on the platform itself",
    ),
}
#: the subject of an e-mail about one kind alone; {where} is the account
_HEADLINES: Final = {
    IncidentKind.UNGATED: "Something on {where} did not come through Gatekeeper",
    IncidentKind.EDITED: "Something on {where} was changed after it was published",
    IncidentKind.VANISHED: "A published post is not on {where} any more",
    IncidentKind.QUEUED: "Something is scheduled on {where} itself",
}
_SEVERAL: Final = "Something was found on {where}"
#: what the page behind the link is good for, again for one kind alone
_THERE: Final = {
    IncidentKind.EDITED: "The page behind the link shows it beside what was approved, where it was approved. There you "
    "can have it taken down, or write why it is all right.",
    IncidentKind.VANISHED: "The page behind the link shows what was approved. There you can write down why it is gone.",
}
_THERE_ELSE: Final = (
    "Its words and pictures are kept on the page behind the link. There you can have it taken down, or write why it is "
    "all right."
)


def report(
    session: Session,
    account: ChannelAccount,
    post: RemotePost,
    *,
    kind: IncidentKind,
    key: str,
    about: str,
    publication_id: int | None,
    pictures: Sequence[str],
    now: datetime,
) -> Incident:
    """Write one incident down in the caller's transaction, which knows that there is none like it.

    Args:
        session: the caller's transaction, in which the ledger is held.
        account: where it was found.
        post: as it was read.
        kind: what is wrong with it.
        key: the number it is kept under.
        about: a digest of what was read, where a post can be reported several times; else empty.
        publication_id: the publication it was, if it was one.
        pictures: digests of the copies.
        now: the moment.
    """
    found = Incident(
        account_id=account.id,
        kind=kind,
        remote_id=key,
        about=about,
        publication_id=publication_id,
        text=post.text,
        permalink=post.permalink,
        pictures=list(pictures),
        seen_at=now,
        posted_at=post.created_at,
    )
    session.add(found)
    session.flush()
    body = {"incident": found.id, "account": account.id, "kind": str(kind), "publication": publication_id}
    ledger.append(session, at=now, kind="incident.found", body=body)
    return found


def tell_of(
    session: Session, account: ChannelAccount, found: Sequence[Incident], *, occasion: str, now: datetime
) -> None:
    """Order the e-mails about these incidents; one occasion is one e-mail to each person."""
    if not found:
        return
    kinds = [IncidentKind(one.kind) for one in found]
    channel = f"{label_of(account.kind)} ({account.name})"
    headline, there = words_for(kinds)
    context = {
        "account_id": account.id,
        "channel": channel,
        "headline": headline.format(where=channel),
        "there": there,
        "sentence": sentence_for(kinds),
        "incident_id": found[0].id if len(found) == 1 else 0,
    }
    for staff_id in office(session):
        tell(session, NOTICE, staff_id=staff_id, subject=f"watch:{account.id}:{occasion}", context=context, now=now)


def office(session: Session, roles: Collection[Role] = (Role.HEADTEACHER, Role.ADMINISTRATOR)) -> list[int]:
    """Who hears of what was found: the headteacher and the administrators."""
    wanted = select(Staff.id).where(Staff.role.in_(roles), Staff.active).order_by(Staff.id)
    return list(session.scalars(wanted))


def words_for(kinds: Collection[IncidentKind]) -> tuple[str, str]:
    """The subject, and what can be done behind the link: true of everything that was found."""
    only = next(iter(kinds)) if len(set(kinds)) == 1 else None
    return (_HEADLINES[only], _THERE.get(only, _THERE_ELSE)) if only else (_SEVERAL, _THERE_ELSE)


def sentence_for(kinds: Sequence[IncidentKind]) -> str:
    """How many of which kind, in words."""
    parts = []
    for kind, (one, several) in WHAT.items():
        if many := sum(each is kind for each in kinds):
            parts.append(f"{many} {one if many == 1 else several}")
    return " and ".join(parts)
