"""What the checks said, as the decision page shows it: what must be answered, what the author explained, what is advice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatekeeper.posts.model import Finding
from gatekeeper.posts.status import FindingState
from gatekeeper.workflow.decide import MARK_RULE, marks_among
from gatekeeper.workflow.photo_findings import photo_number
from gatekeeper.workflow.words_view import place_of

_WORDS: Final = {"title": "Title"}


@dataclass(frozen=True, kw_only=True)
class FindingShown:
    """One thing the checks said, and the author's reason.

    Attributes:
        number: on this page, the same in the list and on the picture.
        photo: the photo whose picture it is about, the first being 1; None when it is about typed words.
        box: where in the upright photo, x1, y1, x2, y2.
        asked: the head answers it in a sentence of their own, or it cannot be approved.
        is_mark: a logo; the head says who authorised it, or it cannot be approved.
    """

    id: int
    number: int
    clause: str
    severity: str
    field: str
    quote: str
    message: str
    reason: str
    by: str
    at: datetime | None
    photo: int | None
    box: tuple[float, float, float, float] | None
    asked: bool
    is_mark: bool

    @property
    def explained(self) -> bool:
        """Whether the author had to give a reason for it."""
        return self.severity != "advice" and not self.asked

    @property
    def told_with_words(self) -> bool:
        """Whether it belongs to the list about the words."""
        return self.photo is None and not self.asked and not self.is_mark


@dataclass(frozen=True, kw_only=True)
class MarkShown:
    """One logo that was seen, wherever in the post: one tick and one name for all its places."""

    id: int
    name: str
    seen: tuple[tuple[int, int], ...]  # (number on this page, photo)
    places: str
    message: str
    clause: str
    reasons: tuple[tuple[str, str], ...]  # (who, why), each reason once


def findings_shown(findings: Sequence[Finding], names: Mapping[int, str]) -> tuple[FindingShown, ...]:
    """The findings in the order of the page: what must be answered first, then what was explained, then advice."""

    def order(finding: Finding) -> tuple[bool, bool, bool, int]:
        return (not _is_asked(finding), finding.rule != MARK_RULE, finding.severity == "advice", finding.id)

    return tuple(_shown(one, number, names) for number, one in enumerate(sorted(findings, key=order), start=1))


def marks_shown(findings: Sequence[Finding], shown: Sequence[FindingShown]) -> tuple[MarkShown, ...]:
    """Every logo once, with all places where it was seen."""
    by_id = {one.id: one for one in shown}
    marks = []
    for first, group in marks_among(findings).items():
        seen = [by_id[finding.id] for finding in group]
        marks.append(
            MarkShown(
                id=first,
                name=seen[0].quote or "A registered logo",
                seen=tuple((one.number, one.photo or 0) for one in seen),
                places=_places(seen),
                message=seen[0].message,
                clause=seen[0].clause,
                reasons=tuple(dict.fromkeys((one.by, one.reason) for one in seen if one.reason)),
            )
        )
    return tuple(marks)


def _places(seen: Sequence[FindingShown]) -> str:
    """Where a logo was seen, such as: photo 1 (2 places) and photo 3."""
    counts: dict[int, int] = {}
    for one in seen:
        counts[one.photo or 0] = counts.get(one.photo or 0, 0) + 1
    words = [f"photo {photo}{f' ({count} places)' if count > 1 else ''}" for photo, count in sorted(counts.items())]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _is_asked(finding: Finding) -> bool:
    blocks = finding.severity == "block" or finding.state == FindingState.OVERRIDE
    return blocks and finding.rule != MARK_RULE


def _shown(finding: Finding, number: int, names: Mapping[int, str]) -> FindingShown:
    corners = finding.box
    return FindingShown(
        id=finding.id,
        number=number,
        clause=finding.clause,
        severity=finding.severity,
        field=_WORDS.get(finding.field) or place_of(finding.field),
        quote=finding.quote,
        message=finding.message,
        reason=finding.reason,
        by=names.get(finding.resolved_by or 0, ""),
        at=finding.resolved_at,
        photo=photo_number(finding.field),
        box=(corners[0], corners[1], corners[2], corners[3]) if corners else None,
        asked=_is_asked(finding),
        is_mark=finding.rule == MARK_RULE,
    )
