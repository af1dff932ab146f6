"""Whether a post on the platform is the one we may have sent.

A platform rewrites what it stores: links get a scheme or a slash, line ends change, spaces at the ends go. Two texts
are the same when nothing but that differs. A match also needs the same number of pictures, a creation time inside the
window, and an id that no other post of ours has been given.
"""

import re
import unicodedata
from collections.abc import Callable, Collection

from gatekeeper.channels.base import Ambiguous, Found, NotFound, RenderedPost, TimelinePage, TimeWindow

_SCHEME = re.compile(r"https?://(?=\S)", re.IGNORECASE)
_SLASH = re.compile(r"(?<=[\w)])/(?=\s|$)")


def comparable(text: str) -> str:
    """The text without what platforms change on their own."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = _SLASH.sub("", _SCHEME.sub("", text))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def find_in(
    page: TimelinePage,
    post: RenderedPost,
    *,
    media_count: int,
    window: TimeWindow,
    claimed: Collection[str],
    canonical: Callable[[str], str],
) -> Found | NotFound | Ambiguous:
    """The one listed post that is ours, none, or too many to say."""
    wanted = canonical(post.text)
    ours = tuple(
        listed
        for listed in page.posts
        if canonical(listed.text) == wanted
        and listed.media_count == media_count
        and listed.created_at in window
        and not any(each in claimed for each in (listed.id, *listed.history))
    )
    if not ours:
        return NotFound(complete=page.complete)
    return Found(ours[0]) if len(ours) == 1 else Ambiguous(ours)
