"""The words of a channel that does not get the common text, and how a finding names their place.

A channel's own words count from the moment its author may send them: only for a channel that is chosen, and only where
they say something else than the common text. Whatever counts is sealed, scanned, shown and sent; nothing else is.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Post

_FIELD: Final = re.compile(r"wording:([a-z]{0,20}):(\d{1,10})", re.ASCII)


def wordings_of(post: Post) -> dict[int, str]:
    """The words of each chosen channel that has its own, by the account's number, in that order."""
    typed = {int(account): str(words) for account, words in (post.wordings or {}).items()}
    return typed_for_one(post.text, typed, post.channels)


def typed_for_one(text: str, typed: Mapping[int, str], chosen: Iterable[int]) -> dict[int, str]:
    """Of what was typed for single channels, what counts; the others get the common text."""
    wanted = set(chosen)
    return {
        account: typed[account]
        for account in sorted(typed)
        if account in wanted and typed[account].strip() and typed[account] != text
    }


def field_of(kind: str, account_id: int) -> str:
    """The field that findings about one channel's own words name."""
    return f"wording:{kind}:{account_id}"


def place_in(field: str) -> tuple[str, int] | None:
    """The kind and the number of the account whose own words a field names, or None."""
    found = _FIELD.fullmatch(field)
    return (found[1], int(found[2])) if found else None


def own_texts(post: Post, accounts: Iterable[ChannelAccount]) -> dict[str, str]:
    """The post's own words for single channels, by field."""
    kinds = {account.id: account.kind for account in accounts}
    return {field_of(kinds.get(account, ""), account): words for account, words in wordings_of(post).items()}


def sealed_texts(content: Content) -> dict[str, str]:
    """The same of a sealed content."""
    kinds = {channel.account_id: channel.kind for channel in content.channels}
    return {field_of(kinds.get(own.account_id, ""), own.account_id): own.text for own in content.wordings}


def text_in(post: Post, field: str) -> str:
    """The words that stand in such a field now; empty for every other field."""
    place = place_in(field)
    return wordings_of(post).get(place[1], "") if place else ""
