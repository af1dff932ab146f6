"""What each kind of channel takes, and what a post needs before it may be sent for checking.

The numbers are the smallest that every platform keeps to; a test holds them against the channels' own. Each refusal is
a sentence that names the field it is about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True, kw_only=True)
class ChannelLimits:
    """What one kind of channel takes. `weighted` means that X's own way of counting applies."""

    label: str
    text: int
    weighted: bool = False


LIMITS: Final[Mapping[str, ChannelLimits]] = {
    "x": ChannelLimits(label="X", text=280, weighted=True),
    "facebook": ChannelLimits(label="Facebook", text=5_000),
}
MAX_PHOTOS: Final = 4
MAX_ALT: Final = 1_000
MAX_BASIS: Final = 300
MAX_TITLE: Final = 120
MAX_TYPED: Final = 20_000  # more than any channel takes, so that a text that is too long can still be kept and cut
WINDOWS: Final[Mapping[int, str]] = {
    30: "30 minutes",
    60: "1 hour",
    120: "2 hours",
    240: "4 hours",
    720: "12 hours",
}
USUAL_WINDOW: Final = 120
NOTICE: Final = timedelta(minutes=5)  # less leaves the headteacher no time to read
FURTHEST: Final = timedelta(days=366)
PEOPLE: Final[Mapping[str, str]] = {
    "none": "Nobody",
    "pupils": "Pupils",
    "adults": "Adults only",
    "both": "Pupils and adults",
}


def label_of(kind: str) -> str:
    """The channel kind's name as staff know it."""
    return LIMITS[kind].label if kind in LIMITS else kind


def text_sentence(counts: Mapping[str, int]) -> str | None:
    """Why a text is too long, or None. `counts` is its length as each chosen kind of channel counts it."""
    for kind, count in counts.items():
        limit = LIMITS[kind]
        if count > limit.text:
            over = count - limit.text
            return (
                f"The text is {over:,} character{'s' if over != 1 else ''} too long for {limit.label}, "
                f"which takes {limit.text:,}."
            )
    return None


def alt_sentence(alt: str, number: int) -> str | None:
    """Why an alternative text cannot stand, or None."""
    if not alt.strip():
        return f"Describe photo {number} in words for people who cannot see it."
    if len(alt) > MAX_ALT:
        return f"The description of photo {number} has {len(alt):,} characters; {MAX_ALT:,} is the most."
    return None


def declaration_sentences(people: str, basis: str, number: int) -> dict[str, str]:
    """What is missing in the author's declaration about one photo, by `people` and `basis`."""
    if people not in PEOPLE:
        return {"people": f"Say who is in photo {number}."}
    if people != "none" and not basis.strip():
        return {"basis": f"Say on what basis the people in photo {number} may be shown."}
    if len(basis) > MAX_BASIS:
        return {"basis": f"The basis given for photo {number} is longer than {MAX_BASIS} characters."}
    return {}


def due_sentence(due: datetime, *, now: datetime, notice: timedelta = NOTICE) -> str | None:
    """Why this moment cannot be chosen, or None."""
    if due <= now:
        return "This time has passed. Choose a time that is still to come."
    if due < now + notice:
        minutes = int(notice.total_seconds() // 60)
        return f"Choose a time at least {minutes} minutes from now, so that the headteacher can read it."
    if due > now + FURTHEST:
        return "This time is more than a year away. Check the year."
    return None


def channel_sentence(statuses: Sequence[tuple[str, str]]) -> str | None:
    """Why these channels, as (name, status), cannot be chosen, or None."""
    if not statuses:
        return "Choose at least one channel."
    closed = [name for name, status in statuses if status != "open"]
    if closed:
        return f"{' and '.join(closed)} cannot be used now: the headteacher has not opened it, or it was closed again."
    return None
