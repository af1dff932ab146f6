"""Makes one list of findings: overlapping hits of one kind become one, the strictest come first."""

import sys
from bisect import bisect_left
from collections.abc import Iterable

from gatekeeper.text.draft import Hit
from gatekeeper.text.rules import SEVERITIES


def _family(rule: str) -> str:
    """Rules that answer the same question at the same place."""
    for stem in ("pupil-name", "contact-", "link-"):
        if rule.startswith(stem):
            return stem
    return {"topic-exclusion": "topic", "pupil-live-location": "location", "pupil-planned-location": "location"}.get(
        rule, rule
    )


def merged(hits: list[Hit], book: Iterable[str]) -> list[Hit]:
    """The hits without doubles, strictest first, then in reading order, then in the order of the rules in the book."""
    order = {rule: at for at, rule in enumerate(book)}

    def strength(hit: Hit) -> tuple[int, int, int]:
        length = 0 if hit.start is None or hit.end is None else hit.end - hit.start
        return (-SEVERITIES.index(hit.severity), -length, order[hit.rule])

    places: dict[tuple[str, str], list[tuple[int, int]]] = {}
    flat: list[Hit] = []
    for hit in sorted(hits, key=strength):
        near = places.setdefault((hit.field, _family(hit.rule)), [])
        span = (0, sys.maxsize) if hit.start is None or hit.end is None else (hit.start, hit.end)
        at = bisect_left(near, span)
        if (at and near[at - 1][1] > span[0]) or (at < len(near) and near[at][0] < span[1]):
            continue
        near.insert(at, span)
        flat.append(hit)
    return sorted(
        flat,
        key=lambda hit: (-SEVERITIES.index(hit.severity), hit.field, hit.start or 0, hit.end or 0, order[hit.rule]),
    )
