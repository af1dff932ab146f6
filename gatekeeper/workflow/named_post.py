"""Which post a person names who pastes an address or a number: the platform's number for it, and an address to show.

Nobody is to send the headteacher to another site, and an address that only looks like a post's names none.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from gatekeeper.errors import BadInput
from gatekeeper.policy.limits import label_of

#: where a post of each kind of channel is seen; with or without "www." and the like in front
_SITES: Final[Mapping[str, tuple[str, ...]]] = {
    "x": ("x.com", "twitter.com"),
    "facebook": ("facebook.com",),
    "linkedin": ("linkedin.com",),
}
#: what follows the number is one picture of the post; the address bar shows it once somebody looks at that
_STATUS: Final = re.compile(r"/(?:i/web|i|\w{1,20})/status(?:es)?/(\d{1,20})(?:/(?:photo|video)/\d{1,2})?/?", re.ASCII)
#: the name Facebook gives a post in addresses; programs are told another one
_VEILED: Final = r"pfbid[0-9A-Za-z]{10,75}"
_WHOLE: Final = re.compile(r"(?:/|/[\w.-]{1,80}/posts/)?(\d{1,20})_(\d{1,20})/?", re.ASCII)
_WALL: Final = re.compile(rf"/[\w.-]{{1,80}}/posts/(?:[^/]{{1,300}}/)?(\d{{1,20}}|{_VEILED})/?", re.ASCII)
_BARE: Final = re.compile(r"\d{1,20}", re.ASCII)
_STORY: Final = re.compile(rf"\d{{1,20}}|{_VEILED}", re.ASCII)
_URN: Final = re.compile(r"urn:li:(?:share|ugcPost|activity):\d{1,20}", re.ASCII)
_UPDATE: Final = re.compile(rf"/(?:embed/)?feed/update/({_URN.pattern})/?", re.ASCII)
#: the address that "Copy link to post" gives: words, then what it is, its number and a few signs that say nothing.
#: The numbers have 19 digits by now; a shorter one stands there as part of the words ("-activity-2026-").
_COPIED: Final = re.compile(r"/posts/[^/]+-(share|ugcPost|activity)-(\d{15,20})(?:-[\w-]{1,12})?/?", re.ASCII)
_ASK: Final = "Open the post by itself on X and paste its address here: it has /status/ and a number in it."
_ASK_FACEBOOK: Final = (
    "This is no address of a post on Facebook. Click on the time that stands under the page's name, and paste the "
    "address of what opens: it has /posts/ or story_fbid in it."
)
_OTHER_PAGE: Final = "This is a post on another Facebook Page. Open the post on the school's own Page."
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


def remote_id_in(link: str, *, kind: str, account: str = "") -> str:
    """The platform's number of the post in what a person pasted: a link, or the bare number.

    A number that stands elsewhere in an address is another thing's: a picture's, a page's. Facebook and LinkedIn show
    some posts under a name that their programs are not told; it is kept as it is, and tells people which post it was.

    Args:
        link: what was pasted.
        kind: the kind of channel.
        account: the account's own number, which on Facebook is a part of the post's.

    Raises:
        BadInput: there is none, or it is a post on another Facebook Page.
    """
    pasted = unquote(link.strip())
    if kind == "facebook":
        return _on_facebook(pasted, account)
    if kind != "linkedin":
        found = _BARE.fullmatch(pasted) or _STATUS.fullmatch(_split(pasted).path)
        if not found:
            raise _refused(_ASK)
        return found[found.re.groups]  # its one group, or all of it
    if _URN.fullmatch(pasted):
        return pasted
    path = unquote(_split(link.strip()).path)
    if found := _UPDATE.fullmatch(path):
        return found[1]
    if found := _COPIED.fullmatch(path):
        return f"urn:li:{found[1]}:{found[2]}"
    raise _refused(_ASK_LINKEDIN)


def _on_facebook(pasted: str, page: str) -> str:
    typed = _split(pasted)
    if found := _WHOLE.fullmatch(pasted) or _WHOLE.fullmatch(typed.path):
        if page and found[1] != page:
            raise _refused(_OTHER_PAGE)
        return f"{found[1]}_{found[2]}"
    story = parse_qs(typed.query).get("story_fbid", [""])[0] if typed.path in {"/permalink.php", "/story.php"} else ""
    if found := _BARE.fullmatch(pasted) or _WALL.fullmatch(typed.path) or _STORY.fullmatch(story):
        post = found[found.re.groups]  # the number beside it may be the Page's profile, which has one of its own
        return post if post.startswith("pfbid") or not page else f"{page}_{post}"
    raise _refused(_ASK_FACEBOOK)


def _split(link: str) -> SplitResult:
    try:
        typed = urlsplit(link if "://" in link else f"https://{link}")
        _ = typed.hostname
    except ValueError:  # brackets that are no IPv6 address
        return urlsplit("")
    return typed


def _refused(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"link": sentence})
