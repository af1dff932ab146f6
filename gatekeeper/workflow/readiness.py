"""What a post still needs before anybody is troubled with it, a sentence for each field."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.channels.little_text import little_text
from gatekeeper.errors import BadInput
from gatekeeper.policy import limits
from gatekeeper.posts.model import ChannelAccount, Photo, Post
from gatekeeper.posts.repository import accounts_of
from gatekeeper.posts.wordings import wordings_of
from gatekeeper.text.weight import x_links, x_weight
from gatekeeper.workflow.due import TypedDue, resolve

_MENTIONS: Final = re.compile(r"(?<![\w@./])@[A-Za-z0-9_]{1,30}(?![\w@])")
_CASHTAGS: Final = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?!\w)")


def text_counts(text: str, kinds: list[str]) -> dict[str, int]:
    """The text's length as each kind of channel counts it."""
    return {kind: _length(text, limits.LIMITS[kind]) for kind in kinds if kind in limits.LIMITS}


def _length(text: str, limit: limits.ChannelLimits) -> int:
    if limit.weighted:
        return x_weight(text)
    return len(little_text(text)) if limit.escaped else len(text)


def measure_of(text: str, kinds: Iterable[str]) -> limits.Measure:
    """The text as these kinds of channel measure it."""
    return limits.Measure(
        counts=text_counts(text, sorted(kinds)),
        empty=not text.strip(),
        links=x_links(text),
        mentions=tuple(dict.fromkeys(_MENTIONS.findall(text))),
        cashtags=tuple(_CASHTAGS.findall(text)),
        unprintable=limits.has_unprintable(text),
    )


def problems_with(session: Session, post: Post, *, now: datetime, demo: bool = False) -> dict[str, str]:
    """Every field that is missing or cannot stay as it is; empty when the post may be sent for checking."""
    accounts = accounts_of(session, post)
    found: dict[str, str | None] = {
        "title": None
        if post.title.strip()
        else "Give the post a title, so that the headteacher knows what it is about.",
        "channels": limits.channel_sentence([(account.name, account.status) for account in accounts]),
        **_words_problems(post, accounts),
        "photo": limits.photos_sentence(len(post.photos)),
    }
    if post.window_minutes not in limits.WINDOWS:
        found["window"] = "Choose how long after its time the post may still go out."
    for number, photo in enumerate(post.photos, start=1):
        found |= _photo_problems(photo, number)
    found |= due_problem(post, now=now, demo=demo)
    return {name: sentence for name, sentence in found.items() if sentence}


def _words_problems(post: Post, accounts: Sequence[ChannelAccount]) -> dict[str, str | None]:
    """What is wrong with the common text, for the channels that get it, and with the words of each that has its own."""
    own, photos = wordings_of(post), len(post.photos)
    kinds = {account.id: account.kind for account in accounts}
    common = measure_of(post.text, {kind for account, kind in kinds.items() if account not in own})
    if own and not kinds.keys() - own.keys():
        common = replace(common, empty=False)  # no channel gets it, so it need not be written
    return {
        "text": limits.text_sentence(common, photos=photos),
        **{
            f"wording_{account}": limits.text_sentence(measure_of(words, {kinds[account]}), photos=photos)
            for account, words in own.items()
            if account in kinds
        },
    }


def due_problem(post: Post, *, now: datetime, demo: bool = False) -> dict[str, str]:
    """What is wrong with the time, if anything."""
    try:
        due = resolve(TypedDue.read(post.due_wall)) if post.due_wall or post.due_at is None else post.due_at
    except BadInput as refused:
        return refused.fields
    # in the demo nobody wants to wait: any coming minute will do
    sentence = limits.due_sentence(due, now=now, notice=timedelta() if demo else limits.NOTICE)
    return {"due_time": sentence} if sentence else {}


def _photo_problems(photo: Photo, number: int) -> dict[str, str | None]:
    declared = limits.declaration_sentences(photo.people, photo.basis, number)
    return {
        f"alt_{photo.id}": limits.alt_sentence(photo.alt, number),
        **{f"{name}_{photo.id}": sentence for name, sentence in declared.items()},
    }
