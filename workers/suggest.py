"""Suggests anew who is in a photo, when its classes were named."""

from gatekeeper.jobs import SUGGEST
from gatekeeper.workflow import suggest
from workers.perform import perform


def run(photo_id: int) -> None:
    """Compare the photo's faces if that was ordered."""
    perform(SUGGEST, photo_id, step=suggest.suggest_again, give_up=_let_be)


def _let_be(_services: object, _photo_id: int, _reason: str) -> None:
    """No suggestion is no harm: staff say who is who."""
