"""Moments as a person at the school reads them. Everything else in this room is UTC."""

from datetime import datetime
from zoneinfo import ZoneInfo

SCHOOL = ZoneInfo("Europe/London")

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def when(moment: datetime) -> str:
    """Like "Monday 23 November 2026 at 09:00", whatever the computer's own language is."""
    local = moment.astimezone(SCHOOL)
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year} at {local:%H:%M}"
