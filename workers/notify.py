"""Sends one e-mail."""

from gatekeeper.jobs import NOTIFY
from gatekeeper.workflow import notify
from workers.perform import perform


def run(notice_id: int) -> None:
    """Send the notice if it has not gone yet."""
    perform(NOTIFY, notice_id, step=notify.run)
