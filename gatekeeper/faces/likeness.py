"""Says how alike is alike enough to be worth a suggestion, and when it is more than that. Never that it is somebody.

Measured with the five-point encodings on photos of different people (the documentation has the table): at .60 one
pair in four of different children aged 4 to 11 counts as the same, from 12 years on one in 25. So nothing beyond .60
is suggested, and *likely* is only said within a bound that depends on the age, and only when the next pupil of the
roster is clearly further away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gatekeeper.faces.match import Encoding, distances

FARTHEST: Final = 0.60  # beyond this nobody is suggested
LIKELY: Final = 0.45  # from the twelfth birthday on
LIKELY_CHILD: Final = 0.35  # younger, and whoever's age is not known
MARGIN: Final = 0.08  # the next pupil must be this much further away
MOST: Final = 3
GROWN: Final = 12  # years


@dataclass(frozen=True, slots=True)
class Likeness:
    """Somebody of the roster and how far their nearest template is from a face; smaller is more alike."""

    person: int
    distance: float


def rank(roster: Mapping[int, Sequence[Encoding]], face: Encoding) -> list[Likeness]:
    """Who of the roster this face might be, the nearest first: at most three, nobody beyond the farthest."""
    found = (Likeness(person, float(distances(known, face).min())) for person, known in roster.items() if known)
    near = sorted((one for one in found if one.distance <= FARTHEST), key=lambda one: (one.distance, one.person))
    return near[:MOST]


def is_likely(nearest: float, following: float | None, *, years: int | None) -> bool:
    """Whether the nearest of a roster may be called likely.

    Args:
        following: how far the next one is; None when there is nobody else within the farthest.
        years: the nearest one's age; None when it is not known.
    """
    bound = LIKELY if years is not None and years >= GROWN else LIKELY_CHILD
    return nearest <= bound and (following is None or following - nearest >= MARGIN)
