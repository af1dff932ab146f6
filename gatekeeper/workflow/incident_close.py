"""Ending an incident: the headteacher says why it is all right, or the post was taken down."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.public import Incident, RemotePublicPost, Takedown, TakedownState
from gatekeeper.workflow.services import Services

MAY_CLOSE: Final = frozenset({Role.HEADTEACHER, Role.DEPUTY})
MOST_WORDS: Final = 1_000
TAKEN_DOWN: Final = "It was taken down."


def close(services: Services, incident_id: int, *, by: int, words: str) -> None:
    """Say in writing why what was found is all right.

    Raises:
        NotFound: there is no such incident.
        NotAllowed: neither the headteacher nor the deputy.
        Conflict: it has ended already.
        BadInput: no reason.
    """
    reason, now = words.strip(), services.clock.now()
    with services.step() as session:
        ledger.hold(session)
        found = session.get(Incident, incident_id, with_for_update=True)
        if found is None:
            raise NotFound("There is no such incident.")
        if session.get_one(Staff, by).role not in MAY_CLOSE:
            raise NotAllowed("Only the headteacher or the deputy can say that this is all right.")
        if found.closed_at is not None:
            raise Conflict("This has ended already.")
        if not reason:
            raise _bad("Please say why this is all right. It is kept with what was found.")
        if len(reason) > MOST_WORDS:
            raise _bad(f"Please say it in {MOST_WORDS:,} characters at most.")
        end(session, found, by=by, words=reason, now=now)


def end(session: Session, found: Incident, *, by: int, words: str, now: datetime) -> None:
    """End an open incident in the caller's transaction, in which the ledger is held."""
    found.closed_at, found.closed_by, found.outcome = now, by, words
    ledger.append(session, at=now, kind="incident.closed", body={"incident": found.id, "by": by})
    record(session, at=now, staff_id=by, action="incident.closed", subject=f"incident:{found.id}")


def taken_down(session: Session, account_id: int) -> Iterable[tuple[Incident, Takedown]]:
    """Open incidents of an account whose post was taken down, certainly and at somebody's word.

    Neither what was found after that, nor what was read on the account since and is not known to be gone.
    """
    rows = session.execute(
        select(Incident, Takedown)
        .join(Takedown, (Takedown.incident_id == Incident.id) | (Takedown.remote_id == Incident.remote_id))
        .outerjoin(
            RemotePublicPost,
            (RemotePublicPost.account_id == account_id) & (RemotePublicPost.remote_id == Incident.remote_id),
        )
        .where(
            Incident.seen_at <= Takedown.confirmed_at,
            RemotePublicPost.id.is_(None)
            | RemotePublicPost.gone_at.is_not(None)
            | (RemotePublicPost.seen_at <= Takedown.confirmed_at),
            Incident.account_id == account_id,
            Incident.closed_at.is_(None),
            Takedown.account_id == account_id,
            Takedown.state == TakedownState.GONE,
            Takedown.asked_by.is_not(None),
        )
    )
    return {found.id: (found, done) for found, done in rows}.values()


def _bad(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"words": sentence})
