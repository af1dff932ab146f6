"""Whether sending is stopped for every channel at once: by the emergency stop, or after a restore that is not finished.

It is asked before a claim, in the transaction that writes the intent, and once more right before the call that
publishes. What is stopped keeps its place: nothing is failed for it, and it goes out when sending goes on in time.
"""

from sqlalchemy import Connection, exists, select
from sqlalchemy.orm import Session

from gatekeeper.db.bare import table_of
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

_STOP, _RESTORATION = table_of(EmergencyStop).c, table_of(Restoration).c
#: to be asked together with something else in one statement; `stop_sentence` reads the answers
IS_PRESSED = exists(select(_STOP.id).where(_STOP.standing == 1))
IS_RESTORING = exists(select(_RESTORATION.id).where(_RESTORATION.finished_at.is_(None)))
_ASKED = select(IS_PRESSED.label("is_pressed"), IS_RESTORING.label("is_restoring"))
#: the states of a channel that only hold a post, until its window closes, and the words where nobody gave a reason
WAITS_FOR = {
    "held": "The channel is held.",
    "new": "The channel's keys are being checked.",
    "checked": "The headteacher has not opened the channel again yet.",
}


def sending_stopped(asked: Session | Connection) -> str:
    """Why nothing may be sent at this moment, as a sentence; empty when sending is free."""
    if isinstance(asked, Session):
        asked.flush()
    answer = asked.execute(_ASKED).one()
    return stop_sentence(is_pressed=answer.is_pressed, is_restoring=answer.is_restoring)


def stop_sentence(*, is_pressed: bool, is_restoring: bool) -> str:
    """What was found, as a sentence; empty when sending is free."""
    return EMERGENCY if is_pressed else RESTORED if is_restoring else ""
