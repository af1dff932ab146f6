"""How long each class of data is kept: the periods that came with Gatekeeper, and those the school chose instead."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

MOST: Final = 36_500
"""The longest period in days: a century."""


@dataclass(frozen=True, kw_only=True)
class DataClass:
    """One class of data.

    Attributes:
        id: its short name, in settings and records.
        name: what it is, in a few words.
        sentence: what exactly goes, and what stays.
        since: since when its days are counted.
        days: how many, unless the school chose otherwise.
        least: the fewest the school may choose.
        why: the reason for the period, with the law or guidance behind it.
        never: whether the school may keep it without an end.
    """

    id: str
    name: str
    sentence: str
    since: str
    days: int
    least: int
    why: str
    never: bool = False


@cache
def classes() -> Mapping[str, DataClass]:
    """Every class by its id, in the order in which they are purged."""
    text = files("gatekeeper.policy").joinpath("retention.toml").read_text(encoding="utf-8")
    found = [DataClass(**one) for one in tomllib.loads(text)["class"]]
    return {one.id: one for one in found}


def days_for(stored: Mapping[str, Any], class_id: str) -> int | None:
    """The period that counts, in days; None: kept without an end.

    What a setting holds that it may not hold counts as if it were not there.
    """
    one = classes()[class_id]
    if class_id not in stored:
        return one.days
    chosen = stored[class_id]
    if chosen is None:
        return None if one.never else one.days
    return chosen if is_allowed(one, chosen) else one.days


def is_allowed(one: DataClass, days: object) -> bool:
    """Whether the school may choose this many days."""
    return isinstance(days, int) and not isinstance(days, bool) and one.least <= days <= MOST


def before(stored: Mapping[str, Any], class_id: str, *, now: datetime) -> datetime | None:
    """What ended before this moment has had its time; None: nothing ever has."""
    days = days_for(stored, class_id)
    return None if days is None else now - timedelta(days=days)
