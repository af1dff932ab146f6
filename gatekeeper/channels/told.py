"""What platforms tell beside their answers: how many calls are left, until when, and how many posts were read.

The numbers stand in headers that every platform words in its own way. Read here, they are plain values: whoever calls
keeps them where every process can heed them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, runtime_checkable

#: limits that count for more than one kind of call
CREATE_DAY: Final = "create_post_day"
EVERYTHING: Final = "everything"

_BUSY: Final = 90  # percent; from here on a Page is read more rarely, so that what is left serves publishing
_BUSY_PAUSE: Final = timedelta(minutes=2)
_ALL: Final = 100
_LONGEST_EPOCH: Final = 11


@dataclass(frozen=True, kw_only=True)
class RouteLimit:
    """How many calls of one kind are left until a moment. None where the platform does not say.

    Attributes:
        route: the operation as the channel names it ("create_post"), or one of the words above.
        remaining: calls that are left; of `EVERYTHING` the percentage of the allowance that is left.
        resets_at: when there are more again.
    """

    route: str
    remaining: int | None
    resets_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a platform told since it was last asked for: its limits, and how many posts it handed over."""

    limits: tuple[RouteLimit, ...] = ()
    posts_read: int = 0


@runtime_checkable
class Telling(Protocol):
    """A channel that hands on what its platform tells."""

    def told(self) -> Told:
        """What was told since this was last asked; asking empties it."""


def x_limits(operation: str, headers: Mapping[str, str], _now: datetime) -> Iterable[RouteLimit]:
    """X: calls of this kind in a quarter of an hour, and posts in a day for the app and for the account."""
    if told := _x_limit(operation, "x-rate-limit", headers):
        yield told
    days = [_x_limit(CREATE_DAY, name, headers) for name in ("x-app-limit-24hour", "x-user-limit-24hour")]
    known = [one for one in days if one is not None and one.remaining is not None]
    if known:
        yield min(known, key=lambda one: (one.remaining or 0, -_seconds(one.resets_at)))


def facebook_limits(operation: str, headers: Mapping[str, str], now: datetime) -> Iterable[RouteLimit]:
    """Facebook: a share of an allowance for everything; once it is nearly used up, lists are read more rarely."""
    used, minutes = _usage(headers)
    if used is None:
        return
    spent = used >= _ALL
    wait = timedelta(minutes=minutes or 60) if spent or minutes else None
    yield RouteLimit(
        route=EVERYTHING, remaining=max(0, _ALL - used), resets_at=now + wait if wait is not None else None
    )
    if operation == "list_posts" and used >= _BUSY:
        yield RouteLimit(route="list_posts", remaining=0, resets_at=now + _BUSY_PAUSE)


def no_limits(_operation: str, _headers: Mapping[str, str], _now: datetime) -> Iterable[RouteLimit]:
    """LinkedIn tells nothing until it refuses; what a refusal says stands in the error."""
    return ()


def _x_limit(route: str, name: str, headers: Mapping[str, str]) -> RouteLimit | None:
    remaining, reset = headers.get(f"{name}-remaining", ""), headers.get(f"{name}-reset", "")
    if not (remaining.isascii() and remaining.isdigit() and len(remaining) < 10):  # noqa: PLR2004 - fits the column
        return None
    known = reset.isascii() and reset.isdigit() and len(reset) <= _LONGEST_EPOCH
    resets_at = datetime.fromtimestamp(int(reset), UTC) if known else None
    return RouteLimit(route=route, remaining=int(remaining), resets_at=resets_at)


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _usage(headers: Mapping[str, str]) -> tuple[int | None, int]:
    """The highest percentage that any usage header tells, and after how many minutes it says access comes back."""
    entries = [_json(headers.get(name, "")) for name in ("x-app-usage", "x-page-usage")]
    business = _json(headers.get("x-business-use-case-usage", ""))
    for listed in business.values() if isinstance(business, dict) else ():
        entries += listed if isinstance(listed, list) else []
    shares, minutes = [], [0]
    for entry in entries:
        if isinstance(entry, dict):
            shares += [_number(entry.get(name)) for name in ("call_count", "total_time", "total_cputime")]
            minutes.append(_number(entry.get("estimated_time_to_regain_access")) or 0)
    known = [share for share in shares if share is not None]
    return (max(known) if known else None), min(max(minutes), 24 * 60)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None  # an unreadable header says nothing


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**9 else None
