"""Asks the headteacher for a decision on a post."""

from gatekeeper.jobs import REQUEST
from gatekeeper.workflow import request
from workers.perform import perform


def run(post_id: int) -> None:
    """Make the request if the post waits for it."""
    perform(REQUEST, post_id, step=request.run)
