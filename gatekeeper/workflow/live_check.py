"""The check while a post is being typed: the engine of the real check, asked about words that are stored nowhere.

It says no more than the finding on the post's page would. Nothing of the draft is written down; how many questions
somebody asked is, because asking is also a way of trying names.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.errors import BadInput
from gatekeeper.people.staff import record
from gatekeeper.policy import limits
from gatekeeper.posts.model import ChannelAccount, Photo, Post
from gatekeeper.posts.status import PostState
from gatekeeper.posts.wordings import field_of, typed_for_one
from gatekeeper.text.draft import Draft, Hit, Picture
from gatekeeper.text.suggest import OwnWords, Suggestion, suggest
from gatekeeper.workflow.own_words import own_words
from gatekeeper.workflow.readiness import measure_of
from gatekeeper.workflow.school_checker import checker_for
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.words_view import SEVERITY_WORDS, place_of

MOST_PHOTOS: Final = 20  # more than any post takes; whoever sends more is no form of ours
MOST_CHANNELS: Final = 50  # likewise
MOST_WORDS: Final = 2 * limits.MAX_TYPED  # characters in one question, so that none keeps a thread busy for seconds
_HALVES: Final = re.compile("[\ud800-\udfff]")  # half of a sign, as a browser can send it
_ORDER: Final = ("block", "justify", "todo", "advice")
_WRITE_EVERY: Final = 50
_WRITE_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True)
class TypedPhoto:
    """One photo of the form: its id, and the description as typed."""

    id: int
    alt: str


@dataclass(frozen=True)
class TypedWording:
    """What is typed for one channel alone, by the number of its account."""

    channel: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The words of the form as they stand at this moment."""

    text: str
    photos: tuple[TypedPhoto, ...] = ()
    channels: tuple[int, ...] = ()
    wordings: tuple[TypedWording, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LiveFinding:
    """One finding. `start` and `end` count code points; a limit of a channel has no clause and no place."""

    rule: str
    clause: str
    severity: str
    word: str
    sign: str
    field: str
    place: str
    start: int | None
    end: int | None
    quote: str
    sentence: str
    suggestion: Suggestion | None


def live_check(services: Services, by: int, typed: Typed) -> tuple[LiveFinding, ...]:
    """Every finding about the words as typed, what must be changed first.

    Raises:
        BadInput: it is far longer than any post.
    """
    _check_sizes(typed)
    texts = {"text": _whole(typed.text)}
    with services.db.read() as session:
        names, kinds = _file_names(session, by, typed), _kinds(session, typed)
        checker, own = checker_for(session), own_words(session)
        wordings = _wordings(typed, kinds)
        repeated = {field: _is_repeated(session, words) for field, words in (texts | wordings).items()}
    pictures = []
    for index, photo in enumerate(typed.photos):
        pictures.append(Picture(file=names.get(photo.id, ""), alt=_whole(photo.alt)))
        texts[f"images[{index}].alt"] = pictures[-1].alt or ""
        texts[f"images[{index}].file"] = pictures[-1].file
    draft = Draft(
        text=texts["text"],
        pictures=tuple(pictures),
        platform=next(iter(kinds.values()), ""),
        account="school",
        wordings=tuple(wordings.items()),
    )
    common = {kind for account, kind in kinds.items() if field_of(kind, account) not in wordings}
    measure = replace(measure_of(texts["text"], common), repeated=repeated["text"])
    asked = [
        *limits.text_findings(measure, photos=len(pictures)),
        *limits.photo_findings([picture.alt or "" for picture in pictures]),
    ]
    for account, kind in kinds.items():
        if words := wordings.get(field := field_of(kind, account)):
            measure = replace(measure_of(words, {kind}), repeated=repeated[field])
            asked += [replace(one, field=field) for one in limits.text_findings(measure, photos=len(pictures))]
    texts |= wordings
    found = [_of_hit(hit, texts, own) for hit in checker.check(draft) if not _is_only_empty(hit)]
    found += [_of_limit(one) for one in asked]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.severity)))  # stable: each field stays in reading order


class Tally:
    """Counts each person's questions in this process, and says when the sum is to be written down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, int], tuple[int, datetime | None]] = {}

    def add(self, where: str, who: int, *, now: datetime) -> int:
        """Count one question; the sum to write down, or 0 while there is time."""
        with self._lock:
            count, since = self._open.get((where, who), (0, None))
            count += 1
            due = since is None or count >= _WRITE_EVERY or now - since >= _WRITE_AFTER
            self._open[where, who] = (0, now) if due else (count, since)
            return count if due else 0


_tally: Final = Tally()


def count_question(services: Services, by: int, *, tally: Tally = _tally) -> None:
    """Count one question of this person; the sums go into the audit, without any words."""
    now = services.clock.now()
    if count := tally.add(services.db.url, by, now=now):
        with services.step() as session:
            detail = {"questions": count}
            record(session, at=now, staff_id=by, action="words.asked", subject=f"staff:{by}", detail=detail)


def _check_sizes(typed: Typed) -> None:
    lengths = [
        len(typed.text),
        *(len(photo.alt) for photo in typed.photos),
        *(len(wording.text) for wording in typed.wordings),
    ]
    if (
        max(lengths) > limits.MAX_TYPED
        or sum(lengths) > MOST_WORDS
        or len(typed.photos) > MOST_PHOTOS
        or len(typed.wordings) > MOST_CHANNELS
    ):
        raise BadInput("This is far too long for a post.")


def _whole(text: str) -> str:
    return _HALVES.sub("\ufffd", text)


def _file_names(session: Session, by: int, typed: Typed) -> dict[int, str]:
    """The names of the person's own photos; anybody else's are not looked at."""
    ids = [photo.id for photo in typed.photos]
    mine = select(Photo.id, Photo.file_name).join(Post).where(Photo.id.in_(ids), Post.author_id == by)
    return {row.id: row.file_name for row in session.execute(mine)} if ids else {}


def _kinds(session: Session, typed: Typed) -> dict[int, str]:
    """The kinds of the chosen accounts, by their numbers."""
    if not typed.channels:
        return {}
    known = select(ChannelAccount.id, ChannelAccount.kind).where(ChannelAccount.id.in_(typed.channels))
    rows = session.execute(known.order_by(ChannelAccount.id))
    return {row.id: row.kind for row in rows if row.kind in limits.LIMITS}


def _wordings(typed: Typed, kinds: Mapping[int, str]) -> dict[str, str]:
    """What is typed for single channels, by field."""
    own = typed_for_one(typed.text, {one.channel: one.text for one in typed.wordings}, kinds)
    return {field_of(kinds[account], account): _whole(words) for account, words in own.items()}


def _is_repeated(session: Session, text: str) -> bool:
    known = select(Post.id).where(Post.text == text.strip(), Post.state == PostState.PUBLISHED).limit(1)
    return bool(text.strip()) and "\0" not in text and session.scalar(known) is not None


def _is_only_empty(hit: Hit) -> bool:
    """A description that is not written yet is asked for by the limits, in words that fit the moment."""
    return hit.rule == "alt-text-missing" and not (hit.quote or "").strip()


def _of_hit(hit: Hit, texts: dict[str, str], own: OwnWords) -> LiveFinding:
    typed_here = not hit.field.endswith(".file")  # a file's name cannot be changed on the form
    word, sign = SEVERITY_WORDS.get(hit.severity, SEVERITY_WORDS["block"])
    return LiveFinding(
        rule=hit.rule,
        clause=hit.clause,
        severity=hit.severity if hit.severity in _ORDER else "block",
        word=word,
        sign=sign,
        field=hit.field,
        place=place_of(hit.field),
        start=hit.start,
        end=hit.end,
        quote=hit.quote or "",
        sentence=hit.message,
        suggestion=suggest(hit.rule, texts.get(hit.field, ""), hit.start, hit.end, own) if typed_here else None,
    )


def _of_limit(one: limits.LimitFinding) -> LiveFinding:
    word, sign = SEVERITY_WORDS[one.severity]
    return LiveFinding(
        rule=one.rule,
        clause="",
        severity=one.severity,
        word=word,
        sign=sign,
        field=one.field,
        place="Photos" if one.field == "images" else place_of(one.field),
        start=None,
        end=None,
        quote="",
        sentence=one.sentence,
        suggestion=None,
    )
