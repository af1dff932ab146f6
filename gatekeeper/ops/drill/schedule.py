"""What happens to each post of a schedule: drawn by chance from a seed, and the same again from the same seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gatekeeper.ops.drill.pace import pace
from gatekeeper.workflow.crash_points import POINTS

POSTS: Final = 4  # in one schedule
KINDS: Final = ("x", "facebook", "linkedin")
#: in a drill this one declares its listing complete, so that absence allows a second try (`workers.drill`)
COMPLETE: Final = "facebook"
#: where a process dies with a publication in hand; C0 and R0 come before it has any
_AT: Final = tuple(point for point in POINTS if point not in ("C0", "R0", "R1", "R2"))
_CHANGES: Final = ("stop", "edit", "consent")


@dataclass(frozen=True, kw_only=True)
class Ordeal:
    """One post and what is done to it.

    Attributes:
        number: in its words, so that the public's view of it can be told from every other.
        kind: its channel.
        fault: what the platform does wrong with it, as an order to the simulator; empty for nothing.
        kill: the point at which the process dies that has it in hand; empty for none.
        freeze: the point at which that process stands still until its lease is over.
        change: what a person does to it after it was approved.
        claimed: the change comes at the very moment between claim and intent, and not before the post is due.
    """

    number: int
    kind: str
    fault: dict[str, Any]
    kill: str = ""
    freeze: str = ""
    change: str = ""
    claimed: bool = False


def warming() -> tuple[Ordeal, ...]:
    """One post on each channel to which nothing happens: the publishers load at it what they need."""
    return tuple(Ordeal(number=number, kind=kind, fault={}) for number, kind in enumerate(KINDS, start=1))


def draw(seed: int, schedule: int, *, factor: float, kinds: Sequence[str] = KINDS) -> tuple[Ordeal, ...]:
    """The ordeals of one schedule, on channels of these kinds."""
    chance = random.Random(f"{seed}/{schedule}")  # noqa: S311 - it has to come out the same again, not to be secret
    settle = pace(factor).settle.total_seconds()
    wire = pace(factor).wire
    return tuple(
        _ordeal(chance, schedule * POSTS + place + 1 + len(KINDS), kinds, settle=settle, wire=wire)
        for place in range(POSTS)
    )


def _ordeal(chance: random.Random, number: int, kinds: Sequence[str], *, settle: float, wire: float) -> Ordeal:
    kind = chance.choice(kinds)
    what = chance.random()
    if what < 0.2:  # noqa: PLR2004 - a fifth is changed by a person
        change = chance.choice(_CHANGES)
        return Ordeal(number=number, kind=kind, fault={}, change=change, claimed=chance.random() < 0.6)  # noqa: PLR2004
    kill = chance.choice(_AT) if chance.random() < 0.75 else ""  # noqa: PLR2004
    fault = _fault(chance, kind, settle=settle, wire=wire) if chance.random() < 0.6 else {}  # noqa: PLR2004
    if fault and kill and chance.random() < 0.3:  # noqa: PLR2004 - die while it is being looked up
        kill = chance.choice(("R1", "R2"))
    if not kill and not fault and chance.random() < 0.6:  # noqa: PLR2004
        return Ordeal(number=number, kind=kind, fault={}, freeze=chance.choice(("C1b", "C2b", "C3a")))
    return Ordeal(number=number, kind=kind, fault=fault, kill=kill)


def _fault(chance: random.Random, kind: str, *, settle: float, wire: float) -> dict[str, Any]:
    orders: list[dict[str, Any]] = [
        {"mode": "accept_then_drop"},
        {"mode": "accept_then_5xx"},
        {"mode": "accept_then_garbage", "garbage": chance.choice(("html", "truncated", "no_id"))},
        {"mode": "accept_then_delay", "seconds": 3 * wire},
        {
            "mode": "delay",
            "seconds": chance.uniform(0.3, 0.9) * settle,
        },  # it takes effect long after the caller gave up
        {"mode": "status", "status": 503, "body": "unavailable"},
        {"mode": "drop_before"},
        {"mode": "visibility_lag", "seconds": 0.5 * settle},
    ]
    if kind != COMPLETE:  # a listing that claims to be complete hides nothing for ever
        orders.append({"mode": "never_listed"})
    return chance.choice(orders)
