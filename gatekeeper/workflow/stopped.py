"""Whether sending is stopped for every channel at once: by the emergency stop, or after a restore that is not finished.

It is asked before a claim, in the transaction that writes the intent, and once more right before the call that
publishes. What is stopped keeps its place: nothing is failed for it, and it goes out when sending goes on in time.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.posts.model import EmergencyStop, Restoration

EMERGENCY = "The emergency stop is pressed. Nothing is sent on any channel until the headteacher lifts it."
RESTORED = (
    "The database was put back from a backup. Nothing is sent until every post that was due since has been found on "
    "its channel, or somebody has said that it is not there."
)

#: to a reader of one post that waits; {until} is the end of its approved window
WAITS = (
    "Sending is stopped for the whole school, so this waits. It goes out if sending goes on before {until}; after that "
    "it has missed its time, and needs a new time and a new approval."
)


def sending_stopped(session: Session) -> str:
    """Why nothing may be sent at this moment, as a sentence; empty when sending is free."""
    if session.scalars(select(EmergencyStop.id).where(EmergencyStop.standing == 1).limit(1)).first() is not None:
        return EMERGENCY
    if session.scalars(select(Restoration.id).where(Restoration.finished_at.is_(None)).limit(1)).first() is not None:
        return RESTORED
    return ""
