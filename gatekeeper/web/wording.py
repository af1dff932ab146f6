"""How moments, days and roles are spelt on every page."""

from collections.abc import Iterable
from datetime import date, datetime

from gatekeeper.clock import london

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_EXACT_HOURS = 3  # from here on the minutes say nothing
_HOURS_SAID = 48  # from here on days are counted


def when(moment: datetime | None) -> str:
    """Like "Tue 24 Nov 2026, 15:30" by the school's wall clock, whatever the computer's own language is."""
    if moment is None:
        return "–"
    local = london(moment)
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M}"


def soon(moment: datetime, now: datetime, *, inside: bool = False) -> str:
    """Like "Today, 15:30" or "Tomorrow, 09:00", `inside` a sentence "today, 15:30"; further away, the date."""
    local, today = london(moment), london(now).date()
    near = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}.get((local.date() - today).days)
    if near is None:
        return when(moment)
    return f"{near.lower() if inside else near}, {local:%H:%M}"


def left(moment: datetime, now: datetime) -> str:
    """How long there is until then, never more than there is: like "40 minutes", "2 hours 10 minutes", "3 days"."""
    minutes = int((moment - now).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    if hours < 1:
        return many(minutes, "minute")
    if hours < _EXACT_HOURS:
        return many(hours, "hour") + (f" {many(rest, 'minute')}" if rest else "")
    return many(hours, "hour") if hours < _HOURS_SAID else many(hours // 24, "day")


def day(value: date | datetime | None) -> str:
    """Like "24 Nov 2026"."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = london(value).date()
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def iso(moment: datetime) -> str:
    """For the datetime attribute of a time element."""
    return london(moment).isoformat(timespec="minutes")


def listed(words: Iterable[str]) -> str:
    """Like "X", "X and Facebook", "X, Facebook and LinkedIn"."""
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def many(count: int, one: str, more: str | None = None) -> str:
    """Like "1 photo", "3 photos"."""
    return f"{count} {one if count == 1 else more or one + 's'}"


def browser_name(agent: str | None) -> str:
    """Like "Chrome on Windows", as far as the browser tells."""
    said = agent or ""
    browsers = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "a Chromebook"),
        ("Windows", "Windows"),
        ("Mac OS X", "a Mac"),
        ("Linux", "Linux"),
    )
    browser = next((word for mark, word in browsers if mark in said), "A browser")
    system = next((word for mark, word in systems if mark in said), "")
    return f"{browser} on {system}" if system else browser
