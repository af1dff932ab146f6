"""The findings about a post's words, and the words themselves with the places marked."""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.staff import Staff
from gatekeeper.policy import verdict
from gatekeeper.policy.verdict import FindingFacts
from gatekeeper.posts.model import Finding, Photo, Post, Version
from gatekeeper.posts.status import FindingState

_OF_IMAGE: Final = re.compile(r"images\[(\d{1,3})\]\.([a-z]{1,20})")
#: what a photo's own fields are called; those that hold no typed words are never marked in a text
_PLACES: Final = {
    "alt": "Description of photo {}",
    "file": "File name of photo {}",
    "lettering": "Lettering in photo {}",
    "code": "Code in photo {}",
    "mark": "Mark in photo {}",
    "photo": "Photo {}",
}
SEVERITY_WORDS: Final = {
    "block": ("Must be changed", "✕"),
    "justify": ("Give a reason", "?"),
    "advice": ("Advice", "i"),
}
_ORDER: Final = ("block", "justify", "advice")


@dataclass(frozen=True, kw_only=True)
class FindingView:
    """One finding, numbered in the order of the page; `photo_id` is the photo whose picture it speaks of, if one."""

    id: int
    number: int
    severity: str
    word: str
    sign: str
    clause: str
    message: str
    quote: str
    place: str
    field: str
    start: int | None
    end: int | None
    photo_id: int | None
    state: FindingState
    reason: str
    resolved_by: str
    resolved_at: datetime | None
    is_open: bool
    can_override: bool


@dataclass(frozen=True)
class Segment:
    """A run of text; `numbers` are the findings that speak of it."""

    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Passage:
    """One field's words, cut where findings begin and end."""

    field: str
    label: str
    segments: tuple[Segment, ...]


def finding_views(session: Session, findings: list[Finding]) -> tuple[FindingView, ...]:
    """The findings, those that block first."""
    ordered = sorted(findings, key=lambda f: _ORDER.index(f.severity) if f.severity in _ORDER else -1)
    photos = _photos_of(session, ordered)
    return tuple(_view(session, finding, number, photos) for number, finding in enumerate(ordered, start=1))


def passages_of(post: Post, findings: tuple[FindingView, ...]) -> tuple[Passage, ...]:
    """The text, and every other field that something was found in, with the places marked."""
    texts = {"text": post.text}
    for index, photo in enumerate(post.photos):
        texts[f"images[{index}].alt"] = photo.alt
        texts[f"images[{index}].file"] = photo.file_name
    named = {finding.field for finding in findings}
    return tuple(
        Passage(name, place_of(name), _segments(text, [f for f in findings if f.field == name]))
        for name, text in texts.items()
        if text and (name == "text" or name in named)
    )


def place_of(field: str) -> str:
    """A field's name as staff know it."""
    found = _OF_IMAGE.fullmatch(field)
    if found is None:
        return "Text"
    return _PLACES.get(found[2], _PLACES["photo"]).format(int(found[1]) + 1)


def _photos_of(session: Session, findings: list[Finding]) -> tuple[int, ...]:
    """The ids of the photos that the findings count by their place, in that order."""
    if not any(_OF_IMAGE.fullmatch(finding.field) for finding in findings):
        return ()
    query = (
        select(Photo.id)
        .join(Version, Version.post_id == Photo.post_id)
        .where(Version.id == findings[0].version_id)
        .order_by(Photo.position)
    )
    return tuple(session.scalars(query))


def _photo_id(finding: Finding, photos: tuple[int, ...]) -> int | None:
    """The photo that the finding shows a place in; words that were typed about a photo stand in the text's passages."""
    found = _OF_IMAGE.fullmatch(finding.field)
    if found is None or (finding.box is None and found[2] in {"alt", "file"}) or int(found[1]) >= len(photos):
        return None
    return photos[int(found[1])]


def _view(session: Session, finding: Finding, number: int, photos: tuple[int, ...]) -> FindingView:
    facts = FindingFacts(
        id=finding.id,
        severity=finding.severity,
        state=finding.state,
        rule=finding.rule,
        message=finding.message,
    )
    word, sign = SEVERITY_WORDS.get(finding.severity, SEVERITY_WORDS["block"])
    answered_by = session.get(Staff, finding.resolved_by) if finding.resolved_by else None
    return FindingView(
        id=finding.id,
        number=number,
        severity=finding.severity if finding.severity in SEVERITY_WORDS else "block",
        word=word,
        sign=sign,
        clause=finding.clause,
        message=finding.message,
        quote=finding.quote,
        place=place_of(finding.field),
        field=finding.field,
        start=finding.start,
        end=finding.end,
        photo_id=_photo_id(finding, photos),
        state=FindingState(finding.state),
        reason=finding.reason,
        resolved_by=answered_by.name if answered_by else "",
        resolved_at=finding.resolved_at,
        is_open=verdict.finding_against(facts) is not None,
        can_override=verdict.can_ask_override(facts),
    )


def _segments(text: str, findings: list[FindingView]) -> tuple[Segment, ...]:
    spans = [
        (finding.start, finding.end, finding.number)
        for finding in findings
        if finding.start is not None and finding.end is not None and 0 <= finding.start < finding.end <= len(text)
    ]
    cuts = sorted({0, len(text), *(start for start, _, _ in spans), *(end for _, end, _ in spans)})
    return tuple(
        Segment(text[start:end], tuple(number for first, last, number in spans if first <= start and end <= last))
        for start, end in pairwise(cuts)
    )
