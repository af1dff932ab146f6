"""Until when a platform speaks the version of its interface that Gatekeeper is set to, as far as it has said.

Meta names the day on which a version ends; LinkedIn promises a year from the month that a version is named after. A
version whose end nobody has named yet raises no alarm: the daily look at the keys finds out when it is refused.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from gatekeeper.policy.limits import label_of

ALARM: Final = timedelta(days=60)
_META: Final[Mapping[str, date]] = {
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
}
SETTING: Final[Mapping[str, str]] = {"facebook": "GATEKEEPER_GRAPH_VERSION", "linkedin": "GATEKEEPER_LINKEDIN_VERSION"}


def ends_on(kind: str, version: str) -> date | None:
    """The first day on which the platform need no longer speak this version; None where it has not been said."""
    if kind == "facebook":
        return _META.get(version)
    if kind == "linkedin" and re.fullmatch(r"20\d{2}(0[1-9]|1[0-2])", version):
        return date(int(version[:4]) + 1, int(version[4:]), 1)
    return None


def version_sentence(kind: str, version: str) -> str:
    """Which version is spoken and until when, for a person; empty for a platform that has only one."""
    if kind not in SETTING:
        return ""
    end = ends_on(kind, version)
    until = f"until {_day(end)} at least" if end else "its end has not been named yet"
    return f"Gatekeeper speaks version {version} of {label_of(kind)}'s interface ({until})."


def alarm(kind: str, version: str, *, today: date) -> str:
    """What an administrator must do about a version that ends soon or has ended; empty while there is time."""
    if kind not in SETTING:
        return ""
    end = ends_on(kind, version)
    do = f"Set {SETTING[kind]} to a newer version after reading the platform's list of changes, and restart Gatekeeper."
    if end is None:
        if kind == "facebook" and _meta_number(version) < min(map(_meta_number, _META)):
            return f"Version {version} of {label_of(kind)}'s interface has ended. {do}"
        return ""
    if today >= end:
        return f"{label_of(kind)} need not speak version {version} of its interface any more since {_day(end)}. {do}"
    if end - today <= ALARM:
        return f"{label_of(kind)} stops speaking version {version} of its interface on {_day(end)}. {do}"
    return ""


def _meta_number(version: str) -> float:
    found = re.fullmatch(r"v(\d+)\.(\d+)", version)
    return float(f"{found[1]}.{found[2]}") if found else 0.0


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
