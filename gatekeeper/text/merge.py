"""Makes one list of findings: overlapping hits of one kind become one, the strictest come first."""

from gatekeeper.text.draft import Hit
from gatekeeper.text.rules import SEVERITIES, rules


def _family(rule: str) -> str:
    """Rules that answer the same question at the same place."""
    for stem in ("pupil-name", "contact-", "link-"):
        if rule.startswith(stem):
            return stem
    return {"topic-exclusion": "topic", "pupil-live-location": "location", "pupil-planned-location": "location"}.get(rule, rule)


def merged(hits: list[Hit]) -> list[Hit]:
    """The hits without doubles, strictest first, then in reading order."""
    order = {rule: at for at, rule in enumerate(rules())}

    def strength(hit: Hit) -> tuple[int, int, int]:
        length = 0 if hit.start is None or hit.end is None else hit.end - hit.start
        return (-SEVERITIES.index(hit.severity), -length, order[hit.rule])

    kept: dict[tuple[str, str], list[Hit]] = {}
    for hit in sorted(hits, key=strength):
        near = kept.setdefault((hit.field, _family(hit.rule)), [])
        if not any(_overlap(hit, other) for other in near):
            near.append(hit)
    flat = [hit for near in kept.values() for hit in near]
    return sorted(
        flat,
        key=lambda hit: (-SEVERITIES.index(hit.severity), hit.field, hit.start or 0, hit.end or 0, order[hit.rule]),
    )


def _overlap(one: Hit, two: Hit) -> bool:
    if one.start is None or two.start is None or one.end is None or two.end is None:
        return True
    return one.start < two.end and two.start < one.end
