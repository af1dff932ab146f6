"""Removes one post from its platform."""

from gatekeeper.jobs import TAKEDOWN
from gatekeeper.workflow import takedown_removal
from workers.perform import perform


def run(takedown_id: int) -> None:
    """Carry the removal out if it was ordered."""
    perform(TAKEDOWN, takedown_id, step=takedown_removal.carry_out, give_up=takedown_removal.give_up)
