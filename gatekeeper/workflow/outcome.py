"""What is written down and whom is told when a publication comes to an end."""

from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.db.bare import table_of
from gatekeeper.errors import Conflict
from gatekeeper.mail.order import order_all_once
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Post, Publication
from gatekeeper.posts.public import Takedown
from gatekeeper.posts.status import PUBLICATION_MOVES
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow import cost, in_hand, takedown
from gatekeeper.workflow.change import settle_by_id
from gatekeeper.workflow.in_hand import InHand
from gatekeeper.workflow.published_mail import tell_if_all_ended

_OF_TROUBLE = ("needs_person", "channel_held", "not_sent")


def record_published(
    session: Session, publication: Publication, *, remote_id: str, permalink: str, how: str, now: datetime
) -> None:
    """Write down that the post is public, with the platform's own number for it.

    Args:
        how: "answer" (the platform said so), "found" (seen on its timeline) or "person" (somebody looked).
    """
    session.flush()
    wanted = _sure(session, publication.id)
    can_be = S.PUBLISHED in PUBLICATION_MOVES[S(wanted.state)]
    if not can_be or not write_published(
        session, wanted, before=wanted.state, remote_id=remote_id, permalink=permalink, how=how, now=now
    ):
        raise Conflict(f"A publication that is “{wanted.state}” cannot become “{S.PUBLISHED}”.")
    session.refresh(publication)
    session.refresh(session.get_one(Post, wanted.post_id))


def write_published(
    session: Session, sent: InHand, *, before: str, remote_id: str, permalink: str, how: str, now: datetime
) -> bool:
    """The same for what a publisher has in hand; False, and nothing is written, where it is not as it was `before`."""
    told = {"publication": sent.id, "its_fence": sent.fence, "before": before, "remote": remote_id}
    if session.scalar(_PUBLISHED, {**told, "link": permalink, "now": now}) is None:
        return False
    ledger.append(
        session,
        at=now,
        kind="published",
        body={
            "publication": sent.id,
            "version": sent.version_id,
            "digest": sent.digest,
            "decision": sent.decision_id,
            "account": sent.account_id,
            "remote_id": remote_id,
            "how": how,
        },
    )
    cost.count_post(session, sent.account_id, sent.kind, sent.content, now=now)
    settle_by_id(session, sent.post_id)
    if session.scalar(_TO_GO, {"publication": sent.id}) is not None:
        publication = session.get_one(Publication, sent.id, populate_existing=True)
        takedown.follow(session, publication, now=now)
    tell_if_all_ended(session, sent.version_id, now=now)
    return True


def ended(session: Session, publication: Publication, *, kind: str, sentence: str, now: datetime) -> None:
    """Tell of trouble with one channel: the author, the headteacher who decided, and the administrators of most of it."""
    session.flush()
    one = _sure(session, publication.id)
    people = {one.author_id}
    if one.approver_id is not None:
        people.add(one.approver_id)
    if kind in _OF_TROUBLE:
        people.update(session.scalars(select(Staff.id).where(Staff.role == Role.ADMINISTRATOR, Staff.active)))
    order_all_once(
        session,
        "not_sent" if kind == "channel_held" else kind,
        staff_ids=sorted(people),
        subject=f"publication:{one.id}:{kind}:{one.fence}",
        context={
            "post_id": one.post_id,
            "channel": one.account_name,
            "permalink": publication.permalink,
            "sentence": sentence,
        },
        now=now,
    )
    tell_if_all_ended(session, one.version_id, now=now)  # it may have been the last that the others waited for


def _sure(session: Session, publication_id: int) -> InHand:
    found = in_hand.look(session, publication_id)
    assert found is not None
    return found


_P, _T = table_of(Publication).c, table_of(Takedown).c
_TO_GO = select(_T.id).where(_T.publication_id == bindparam("publication"), _T.state.in_(takedown.STANDING)).limit(1)
_PUBLISHED = (
    update(table_of(Publication))
    .where(_P.id == bindparam("publication"), _P.fence == bindparam("its_fence"), _P.state == bindparam("before"))
    .values(
        state=S.PUBLISHED,
        remote_id=bindparam("remote"),
        permalink=bindparam("link"),
        published_at=bindparam("now"),
        problem="",
        lease_until=None,
    )
    .returning(_P.id)
)
