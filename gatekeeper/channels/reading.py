"""A whole timeline out of its parts, and pictures from the servers on which a platform keeps them.

A picture's address comes out of a platform's answer, so it is data that somebody else wrote: it is asked for only on
names that belong to the platform, over https, without keys, without following anybody anywhere, up to a size.
"""

from collections.abc import Callable, Collection
from contextlib import closing
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import requests

from gatekeeper.channels.base import Deadline, ReadPage, RemotePost, TimelinePage
from gatekeeper.channels.errors import PlatformUnavailable
from gatekeeper.clock import Clock

MOST_BYTES: Final = 15_000_000
SECONDS: Final = 15.0
_PAGES: Final = 10  # of 100 posts each: far more than a school publishes in any window in which one post is looked for
_PART: Final = 65_536


def whole(read: Callable[[str], ReadPage], *, now: Callable[[], datetime]) -> TimelinePage:
    """The parts together, up to a bound. No platform promises that everything is in it."""
    posts: list[RemotePost] = []
    cursor = ""
    for _ in range(_PAGES):
        page = read(cursor)
        posts += page.posts
        cursor = page.cursor
        if not cursor:
            break
    return TimelinePage(tuple(posts), complete=False, observed_at=now())


def fetch_picture(
    address: str,
    *,
    platform: str,
    names: Collection[str],
    clock: Clock,
    base_url: str | None = None,
    deadline: Deadline | None = None,
) -> bytes:
    """The bytes at this address of the platform's own picture servers.

    Args:
        names: the domains that are the platform's; a host must be one of them or lie below one.
        base_url: the simulator, which stands in for all of them.

    Raises:
        PlatformUnavailable: it is none of theirs, too large, or did not come.
    """
    until = deadline or Deadline.after(clock.now(), SECONDS)
    parts = urlsplit(address)
    if parts.scheme != "https" or "@" in parts.netloc or not _belongs(parts.netloc.lower(), names):
        raise _refused(platform, "a picture lies on a server that is not the platform's own")
    headers = {"Host": parts.netloc, "Accept": "image/*"}
    if base_url:
        there = urlsplit(base_url)
        parts = parts._replace(scheme=there.scheme, netloc=there.netloc)
    try:
        with closing(requests.Session()) as session:
            session.trust_env = False
            with session.get(
                urlunsplit(parts), headers=headers, stream=True, allow_redirects=False, timeout=(3.05, 10)
            ) as answer:
                if answer.status_code != 200:  # noqa: PLR2004 - anything else is no picture
                    raise _refused(platform, f"a picture was answered with {answer.status_code}")
                data = bytearray()
                for part in answer.iter_content(_PART):
                    data += part
                    if len(data) > MOST_BYTES:
                        raise _refused(platform, "a picture is larger than any that is kept")
                    if until.seconds_left(clock.now()) <= 0:
                        raise _refused(platform, "a picture took too long")
    except requests.RequestException as error:
        raise _refused(platform, f"a picture did not come ({type(error).__name__})") from None
    return bytes(data)


def _belongs(host: str, names: Collection[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in names)


def _refused(platform: str, detail: str) -> PlatformUnavailable:
    return PlatformUnavailable(platform=platform, operation="picture", detail=detail)
