"""A removal that was believed to have ended goes on when its post is read on the platform after all.

A person may have removed another post than they thought, and a platform may have said for a moment that there is none.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper import jobs
from gatekeeper.people.staff import record
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.workflow import takedown_mail
from gatekeeper.workflow.takedown import STANDING

#: for so long a list may still show what is gone
LINGERS: Final = timedelta(minutes=10)
STILL_THERE: Final = "It was read on the platform after it was said to be gone. It is being taken down again."


def reopen_where_seen(session: Session, account_id: int, seen: Collection[str], *, now: datetime) -> list[int]:
    """Let the removals of these posts, read as public at `now`, go on; returns their ids. The ledger is held."""
    ended = session.scalars(
        select(Takedown)
        .where(
            Takedown.account_id == account_id,
            Takedown.remote_id.in_(seen),
            Takedown.state == TakedownState.GONE,
            Takedown.confirmed_at < now - LINGERS,
        )
        .order_by(Takedown.id.desc())
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    reopened: list[int] = []
    for one in ended:
        if not _stands(session, one):
            one.state, one.confirmed_at, one.confirmed_by = TakedownState.ORDERED, None, None
            one.problem, one.next_at = STILL_THERE, now
            session.flush()
            body = {"takedown": one.id, "account": one.account_id, "publication": one.publication_id}
            ledger.append(session, at=now, kind="takedown.reopened", body=body)
            record(
                session, at=now, staff_id=None, action="takedown.reopened", subject=f"takedown:{one.id}", detail=body
            )
            jobs.order(session, jobs.TAKEDOWN, one.id, now=now)
            takedown_mail.tell_still_there(session, one, now=now)
            reopened.append(one.id)
    return reopened


def _stands(session: Session, one: Takedown) -> bool:
    """Whether another removal of the same post is open."""
    others = select(Takedown.id).where(
        Takedown.account_id == one.account_id, Takedown.remote_id == one.remote_id, Takedown.state.in_(STANDING)
    )
    return session.scalars(others.limit(1)).first() is not None
