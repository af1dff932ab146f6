"""The findings about a post's words, and the words themselves with the places marked."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.own_rules import WordQuestion
from gatekeeper.people.staff import Staff
from gatekeeper.policy import verdict
from gatekeeper.policy.limits import label_of
from gatekeeper.policy.verdict import FindingFacts
from gatekeeper.posts.model import ChannelAccount, Finding, Post, Version
from gatekeeper.posts.status import FindingState
from gatekeeper.posts.wordings import own_texts, place_in, text_in
from gatekeeper.text.suggest import suggest
from gatekeeper.text.taught import TEACHABLE
from gatekeeper.workflow.own_words import own_words
from gatekeeper.workflow.teach import LONGEST_PHRASE

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
    "todo": ("Still to do", "○"),
}
#: what stands there once its author has answered
_ANSWERED_WORDS: Final = {
    FindingState.ANSWERED: ("Reason given", "✓"),
    FindingState.OVERRIDE: ("The headteacher is asked", "↑"),
}
_ORDER: Final = ("block", "justify", "advice")


@dataclass(frozen=True, kw_only=True)
class FindingView:
    """One finding, numbered in the order of the page; `photo_id` is the photo whose picture it speaks of, if one.

    `suggestion` are neutral words that could stand there instead, where there are any; `instead_of` are the words they
    would replace, where that is not the whole quote. `teachable` findings may turn out
    to be no pupil at all, as the consent lead can say.
    """

    id: int
    seen: str  # what it says, of what; a reason is for it and for no other
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
    suggestion: str
    instead_of: str
    teachable: bool
    asked: bool  # the consent lead, who has not answered yet
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
    post = _post_of(session, ordered)
    asked = _asked(session, post)
    return tuple(_view(session, finding, number, post, asked) for number, finding in enumerate(ordered, start=1))


def seen_as(finding: Finding) -> str:
    """What a page shows of a finding. Numbers of rows are used again, and what is said changes with the faces."""
    shown = (finding.rule, finding.field, finding.quote, finding.severity, finding.message, finding.about, finding.box)
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def passages_of(
    post: Post, findings: tuple[FindingView, ...], accounts: Sequence[ChannelAccount] = ()
) -> tuple[Passage, ...]:
    """The text, the own words of each of these accounts, and whatever else something was found in, with the places marked."""
    texts = _texts_of(post)
    own = own_texts(post, accounts)
    texts = {"text": texts.pop("text")} | own | texts
    named = {finding.field for finding in findings}
    return tuple(
        Passage(name, place_of(name), _segments(text, [f for f in findings if f.field == name]))
        for name, text in texts.items()
        if text and (name == "text" or name in own or name in named)
    )


def place_of(field: str) -> str:
    """A field's name as staff know it."""
    if own := place_in(field):
        return f"Words for {label_of(own[0])}"
    found = _OF_IMAGE.fullmatch(field)
    if found is None:
        return "Text"
    return _PLACES.get(found[2], _PLACES["photo"]).format(int(found[1]) + 1)


def _post_of(session: Session, findings: list[Finding]) -> Post | None:
    if not findings:
        return None
    version = session.get(Version, findings[0].version_id)
    return session.get(Post, version.post_id) if version else None


def _texts_of(post: Post) -> dict[str, str]:
    """The post's words by field."""
    texts = {"text": post.text}
    for index, photo in enumerate(post.photos):
        texts[f"images[{index}].alt"] = photo.alt
        texts[f"images[{index}].file"] = photo.file_name
    return texts


def _photo_id(finding: Finding, post: Post | None) -> int | None:
    """The photo that the finding shows a place in; words that were typed about a photo stand in the text's passages."""
    found = _OF_IMAGE.fullmatch(finding.field)
    if found is None or post is None or (finding.box is None and found[2] in {"alt", "file"}):
        return None
    photos = post.photos[int(found[1]) : int(found[1]) + 1]
    return photos[0].id if photos else None


def _suggestion(session: Session, finding: Finding, post: Post | None) -> tuple[str, str]:
    """Other words, and the words they replace where these are not the whole quote."""
    text = ""
    if post and not finding.field.endswith(".file"):
        text = _texts_of(post).get(finding.field, "") or text_in(post, finding.field)
    quoted = text[finding.start : finding.end] if finding.start is not None and finding.end is not None else None
    if not quoted or quoted != finding.quote:
        return "", ""
    instead = suggest(finding.rule, text, finding.start, finding.end, own_words(session))
    if instead is None:
        return "", ""
    replaced = text[instead.start : instead.end].strip()
    return instead.words.strip(), "" if replaced == finding.quote else replaced


def _asked(session: Session, post: Post | None) -> frozenset[str]:
    """The words of this post that the consent lead was asked about and has not answered."""
    if post is None:
        return frozenset()
    waiting = select(WordQuestion.quote).where(WordQuestion.post_id == post.id, WordQuestion.answer == "")
    return frozenset(session.scalars(waiting))


def _view(session: Session, finding: Finding, number: int, post: Post | None, asked: frozenset[str]) -> FindingView:
    facts = FindingFacts(
        id=finding.id,
        severity=finding.severity,
        state=finding.state,
        rule=finding.rule,
        message=finding.message,
    )
    word, sign = SEVERITY_WORDS.get(finding.severity, SEVERITY_WORDS["block"])
    answered_by = session.get(Staff, finding.resolved_by) if finding.resolved_by else None
    is_open, state = verdict.finding_against(facts) is not None, FindingState(finding.state)
    if not is_open and finding.severity != "advice":
        word, sign = _ANSWERED_WORDS.get(state, (word, sign))
    suggestion, instead_of = _suggestion(session, finding, post)
    return FindingView(
        id=finding.id,
        seen=seen_as(finding),
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
        photo_id=_photo_id(finding, post),
        suggestion=suggestion,
        instead_of=instead_of,
        teachable=finding.rule in TEACHABLE and finding.start is not None,
        asked=bool(asked) and finding.quote[:LONGEST_PHRASE] in asked,
        state=state,
        reason=finding.reason,
        resolved_by=answered_by.name if answered_by else "",
        resolved_at=finding.resolved_at,
        is_open=is_open,
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
