"""Which post a person names who pastes an address or a number: the platform's number for it, and an address to show.

Nobody is to send the headteacher to another site, and an address that only looks like a post's names none.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from gatekeeper.errors import BadInput
from gatekeeper.policy.limits import label_of

#: where a post of each kind of channel is seen; with or without "www." and the like in front
_SITES: Final[Mapping[str, tuple[str, ...]]] = {
    "x": ("x.com", "twitter.com"),
    "facebook": ("facebook.com",),
    "linkedin": ("linkedin.com",),
}
_NUMBER: Final = re.compile(r"(\d+(?:_\d+)?)/?(?:\?[^#]*)?$", re.ASCII)
_URN: Final = re.compile(r"urn:li:(?:share|ugcPost|activity):\d{1,20}", re.ASCII)
_UPDATE: Final = re.compile(rf"/(?:embed/)?feed/update/({_URN.pattern})/?", re.ASCII)
#: the address that "Copy link to post" gives: words, then what it is, its number and a few signs that say nothing.
#: The numbers have 19 digits by now; a shorter one stands there as part of the words ("-activity-2026-").
_COPIED: Final = re.compile(r"/posts/[^/]+-(share|ugcPost|activity)-(\d{15,20})(?:-[\w-]{1,12})?/?", re.ASCII)
_ASK: Final = "Open the post on the page and paste its address here: it ends in a number."
_ASK_LINKEDIN: Final = "This is no address of a post on LinkedIn. Choose “Copy link to post” from the three dots on the post, and paste that."


def permalink_in(link: str, *, kind: str, also: Sequence[str] = ()) -> str:
    """The address to show and to mail, of what a person pasted; empty for a bare number.

    Args:
        link: what was pasted.
        kind: the kind of channel.
        also: addresses that stand in for the platform (the simulator's).

    Raises:
        BadInput: it leads somewhere else than to the platform. Nobody is to send the headteacher there.
    """
    if link.replace("_", "").isdigit() or _URN.fullmatch(link):
        return ""
    typed = _split(link)
    host = typed.hostname or ""
    known = any(host == site or host.endswith(f".{site}") for site in _SITES.get(kind, ()))
    known = known or typed.netloc in {urlsplit(address).netloc for address in also if address}
    if not known or typed.scheme not in {"https", "http"} or typed.username is not None:
        raise _refused(f"This is no address on {label_of(kind)}. Open the post there and paste its address.")
    if kind == "linkedin":  # what follows the path tells who copied the address
        typed = typed._replace(query="", fragment="")
    return typed.geturl()


def remote_id_in(link: str, *, kind: str) -> str:
    """The platform's number of the post in what a person pasted: a link, or the bare number.

    LinkedIn's own word for a post has three forms, and a link may show another one than its programs are told.

    Raises:
        BadInput: there is none.
    """
    pasted = unquote(link.strip())
    if kind != "linkedin":
        found = _NUMBER.search(pasted)
        if not found:
            raise _refused(_ASK)
        return found[1]
    if _URN.fullmatch(pasted):
        return pasted
    path = unquote(_split(link.strip()).path)
    if found := _UPDATE.fullmatch(path):
        return found[1]
    if found := _COPIED.fullmatch(path):
        return f"urn:li:{found[1]}:{found[2]}"
    raise _refused(_ASK_LINKEDIN)


def _split(link: str) -> SplitResult:
    try:
        typed = urlsplit(link if "://" in link else f"https://{link}")
        _ = typed.hostname
    except ValueError:  # brackets that are no IPv6 address
        return urlsplit("")
    return typed


def _refused(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"link": sentence})
