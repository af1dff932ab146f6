"""Reads one of the school's own accounts through."""

from gatekeeper.jobs import WATCH
from gatekeeper.workflow import watch
from workers.perform import perform


def run(account_id: int) -> None:
    """Read the account if a reading was ordered."""
    perform(WATCH, account_id, step=watch.read)
