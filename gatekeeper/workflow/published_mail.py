"""One e-mail that a post is public, once all its channels have come to their end: not one for each of them.

What goes wrong on a channel is told at once and by itself (`outcome.ended`). This waits for the last channel, so that
three channels are one e-mail to the author and one to whoever decided.
"""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from approvals.tables import Decision
from gatekeeper.db.bare import table_of
from gatekeeper.mail.order import order_all_once
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.status import ENDED, PublicationState
from gatekeeper.workflow.channel_names import listed, names_of

PUBLISHED = "published"


def tell_if_all_ended(session: Session, version_id: int, *, now: datetime) -> None:
    """Order the e-mail where no channel of this version is on its way any more, and one at least is public."""
    session.flush()
    found = session.execute(_OF_VERSION, {"version": version_id}).all()
    public = [one for one in found if one.state == PublicationState.PUBLISHED]
    if not public or any(one.state not in ENDED for one in found):
        return
    names = names_of([(one.kind, one.name) for one in public])
    places = [{"channel": name, "permalink": one.permalink} for one, name in zip(public, names, strict=True)]
    order_all_once(
        session,
        PUBLISHED,
        staff_ids=sorted({public[0].author_id} | {one.approver_id for one in public if one.approver_id is not None}),
        # a channel that was approved anew and followed later is told of too
        subject=f"version:{version_id}:published:{len(public)}",
        context={
            "post_id": public[0].post_id,
            "channel": listed(names),
            "places": places,
        },
        now=now,
    )


_P, _V, _A = table_of(Publication).c, table_of(Version).c, table_of(ChannelAccount).c
_POST, _D = table_of(Post).c, table_of(Decision).c
# asked for each post that goes out: of the bare tables, and made once
_OF_VERSION = (
    select(
        _P.state,
        _P.permalink,
        _A.kind,
        _A.name,
        _POST.id.label("post_id"),
        _POST.author_id,
        _D.approver_id,
    )
    .select_from(table_of(Publication))
    .join(table_of(ChannelAccount), _A.id == _P.account_id)
    .join(table_of(Version), _V.id == _P.version_id)
    .join(table_of(Post), _POST.id == _V.post_id)
    .outerjoin(table_of(Decision), _D.id == _P.decision_id)
    .where(_P.version_id == bindparam("version"))
    .order_by(_P.account_id)
)
