"""How much faster than in a school everything goes in a drill: one factor for every wait."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from gatekeeper.settings import Timings

FASTEST: Final = 60.0
SLOWEST: Final = 10.0
QUICK: Final = timedelta(milliseconds=120)  # one post, sealed and decided, on a computer that has nothing else to do


def pace(factor: float) -> Timings:
    """The timings of the machine in a drill. A call may take so much of a lease as it may in a school, and no more."""
    usual = Timings()
    return replace(usual.shrunk(factor), wire=usual.wire / factor)


def factor_for(took: timedelta) -> float:
    """The factor for a computer on which one post took so long: a lease must last longer than the work under it."""
    return round(max(SLOWEST, min(FASTEST, FASTEST * (QUICK / took))), 1)
