"""Checks the keys of a channel with its platform."""

from gatekeeper.jobs import CONNECT
from gatekeeper.workflow import key_check
from workers.perform import perform


def run(account_id: int) -> None:
    """Check the account if a check was ordered."""
    perform(CONNECT, account_id, step=key_check.check)
