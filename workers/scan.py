"""Looks at a post's photos and words."""

from gatekeeper.jobs import SCAN
from gatekeeper.workflow import scan
from workers.perform import perform


def run(post_id: int) -> None:
    """Scan the post if it waits for that."""
    perform(SCAN, post_id, step=scan.scan, give_up=scan.give_up)
