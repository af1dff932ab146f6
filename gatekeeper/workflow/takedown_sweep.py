"""Finds removals that nobody is at work on: the safety net under taking down. Part of the sweep, once a minute."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.posts.model import Publication
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.posts.status import PublicationState
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.takedown import follow_waiting

#: while a publication is in one of these, nobody knows what there is to remove
_UNDECIDED = (PublicationState.SENDING, PublicationState.UNKNOWN, PublicationState.NEEDS_PERSON)


def run(services: Services) -> None:
    """Let what waited follow its publication, and order what is due and not ordered. Most times that is nothing."""
    with services.db.read() as session:
        waiting, lost = _waiting(session), _lost(session, services)
    for takedown_id in waiting:
        with services.step() as session:
            follow_waiting(session, takedown_id, now=services.clock.now())
    if lost:
        with services.step() as session:
            for takedown_id in _lost(session, services):
                jobs.order(session, jobs.TAKEDOWN, takedown_id, now=services.clock.now())


def _waiting(session: Session) -> Sequence[int]:
    return session.scalars(
        select(Takedown.id)
        .join(Publication, Publication.id == Takedown.publication_id)
        .where(Takedown.state == TakedownState.WAITING, Publication.state.not_in(_UNDECIDED))
        .order_by(Takedown.id)
    ).all()


def _lost(session: Session, services: Services) -> Sequence[int]:
    ordered = select(jobs.Order.subject_id).where(jobs.Order.job == jobs.TAKEDOWN.name)
    return session.scalars(
        select(Takedown.id)
        .where(Takedown.state == TakedownState.ORDERED, Takedown.next_at <= services.clock.now())
        .where(Takedown.id.not_in(ordered))
        .order_by(Takedown.id)
    ).all()
