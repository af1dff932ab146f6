"""Keeps what of a post still has to go, so that nothing of it is forgotten with a process that ends.

Photos may outlive their post, and once it is gone nobody can read which they were. So all of it stands in the database
before the first of it is removed, and is struck off as each was read to be gone.
"""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.posts.public import Takedown
from gatekeeper.workflow.channel_names import listed
from gatekeeper.workflow.services import Services


def locked(session: Session, takedown_id: int) -> Takedown:
    """The removal as it stands now, locked."""
    return session.scalars(
        select(Takedown).where(Takedown.id == takedown_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def note(services: Services, takedown_id: int, things: Collection[str]) -> list[str]:
    """Write down what was read to belong to the post; returns all that remains. What stands there is never dropped."""
    with services.step() as session:
        one = locked(session, takedown_id)
        one.remaining = list(dict.fromkeys([*(one.remaining or ()), *things]))
        return list(one.remaining)


def strike(services: Services, takedown_id: int, thing: str) -> list[str]:
    """This was read to be gone; returns what remains."""
    with services.step() as session:
        one = locked(session, takedown_id)
        if one.remaining:
            one.remaining = [other for other in one.remaining if other != thing]
        return list(one.remaining or ())


def words_on_rest(one: Takedown) -> str:
    """What nobody would think of who sees that the post is gone: its photos may not be. Empty where that is not so."""
    left = one.remaining or ()
    if not left or one.remote_id in left:
        return ""
    photos = "its photo with the number" if len(left) == 1 else "its photos with the numbers"
    return f" The post itself is gone, but {photos} {listed(left)} may still be seen."
