"""Nobody begins or sends a post before they confirmed to have read the edition of the policy that counts (clause 1.5).

A draft that is there stays within reach and can be changed: what somebody has begun is never taken from them, and only
what would leave their hands waits for the confirmation. A school that has adopted no edition blocks nobody; its
headteacher and administrators are told of it instead.
"""

from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.errors import Conflict
from gatekeeper.people.policy_editions import edition_in_force, has_acknowledged

_SENTENCE: Final = "Before this goes on, please read the school's social media policy and confirm it."


class PolicyUnread(Conflict):
    """This person has not confirmed yet to have read the edition that counts now."""


def check_has_read(session: Session, staff_id: int) -> None:
    """Let somebody go on who confirmed to have read the edition in force.

    Raises:
        PolicyUnread: they did not.
    """
    if not has_read(session, staff_id):
        raise PolicyUnread(_SENTENCE)


def has_read(session: Session, staff_id: int) -> bool:
    """Whether there is nothing left for this person to confirm."""
    return has_acknowledged(session, staff_id, edition_in_force(session))
