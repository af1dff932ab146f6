"""Judges a web address by what can be read in it: where it hides, what it copies, what it downloads."""

import re
from dataclasses import dataclass

from rapidfuzz.fuzz import ratio

from gatekeeper.text.draft import SchoolWords
from gatekeeper.text.fold import Folded, fold_word

_SHORTENERS = frozenset(
    [
        "bit.ly",
        "tinyurl.com",
        "t.co",
        "goo.gl",
        "ow.ly",
        "is.gd",
        "buff.ly",
        "tiny.cc",
        "rb.gy",
        "cutt.ly",
        "shorturl.at",
        "rebrand.ly",
        "t.ly",
        "lnkd.in",
        "fb.me",
        "youtu.be-x",
        "bl.ink",
        "v.gd",
        "qr.ae",
        "adf.ly",
        "tr.im",
        "s.id",
        "shor.by",
        "bitly.com",
        "tiny.one",
        "x.co",
        "soo.gd",
        "trib.al",
        "dlvr.it",
        "snip.ly",
        "linktr.ee",
        "clck.ru",
        "u.to",
        "qrco.de",
        "short.io",
        "short.gy",
        "dub.sh",
        "spoo.me",
        "tny.im",
        "1url.com",
        "short.example",
        "bit.do",
        "mcaf.ee",
        "ift.tt",
        "wp.me",
        "po.st",
    ]
)
_RISKY = frozenset(
    [
        "zip",
        "mov",
        "xyz",
        "top",
        "click",
        "gq",
        "tk",
        "ml",
        "cf",
        "ga",
        "pw",
        "work",
        "loan",
        "country",
        "stream",
        "download",
        "racing",
        "icu",
        "buzz",
        "rest",
        "exe",
        "cam",
        "quest",
        "monster",
    ]
)
_DOWNLOAD = re.compile(
    r"\.(?:exe|apk|scr|msi|bat|cmd|dmg|iso|jar|docm|xlsm|pptm|vbs|ps1|zip|rar|7z|js|hta|lnk|com\.exe|pif|app|deb|pkg)(?:[?#].*)?$"
)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]|0x[0-9a-f]{6,8}|\d{8,10}")
_LIKE = 84
_LETTERS = str.maketrans("01345", "oleas")
_BAIT = re.compile(r"log-?in|signin|sign-in|verify|secure|account|update|payment|portal|parents?|office|school")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with an address, and where it ends once closing marks are taken off."""

    rule: str
    end: int
    severity: str | None


class Links:
    """The judgement over addresses, with one school's own and trusted domains."""

    def __init__(self, school: SchoolWords) -> None:
        self._own = tuple(fold_word(domain).removeprefix("www.") for domain in school.domains)
        self._known = (*self._own, *(fold_word(domain).removeprefix("www.") for domain in school.trusted_domains))

    def judge(self, folded: Folded, start: int, end: int) -> Verdict | None:
        """What is wrong with the address in this folded span, if anything."""
        text = folded.text
        while end > start and text[end - 1] in ".,;:!?)'\"*]>":
            end -= 1
        address = text[start:end]
        scheme, rest = "", address
        parted = re.match(r"(https?|hxxps?|ftp)://", address)
        if parted:
            scheme, rest = parted[1], address[parted.end() :]
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        host = re.sub(r":\d{1,5}$", "", authority.rpartition("@")[2]).removeprefix("www.").rstrip(".")
        if not host:
            return None
        if self._hides(host, rest):
            return Verdict("link-shortener", end, None)
        if self._unsafe(folded, start, end, scheme=scheme, host=host, authority=authority, rest=rest):
            return Verdict("link-unsafe", end, None)
        if scheme == "http":
            return Verdict("link-unsafe", end, "advice" if self._is_known(host) else "justify")
        return None

    def _is_known(self, host: str) -> bool:
        return any(host == known or host.endswith("." + known) for known in self._known)

    @staticmethod
    def _hides(host: str, rest: str) -> bool:
        return host in _SHORTENERS and ("/" in rest or "." in host)

    def _unsafe(
        self, folded: Folded, start: int, end: int, *, scheme: str, host: str, authority: str, rest: str
    ) -> bool:
        if scheme.startswith(("hx", "ftp")) or "@" in authority or _ADDRESS.fullmatch(host):
            return True
        first, last = folded.place(start, end)
        written = folded.original[first:last]
        if not re.split(r"[/?#]", re.sub(r"^\w+://", "", written), maxsplit=1)[0].isascii() or "xn--" in host:
            return True
        path = rest[len(authority) :]
        if path and _DOWNLOAD.search(path):
            return True
        if self._is_known(host):
            return False
        if (scheme or path) and host.rpartition(".")[2] in _RISKY:
            return True
        return any(self._copies(host, own) for own in self._own)

    @staticmethod
    def _copies(host: str, own: str) -> bool:
        """Whether another host is made to look like the school's."""
        if own in host:
            return True
        name = own.split(".", maxsplit=1)[0].replace("-", "")
        for label in host.split(".")[:-1] or [host]:
            plain = label.replace("-", "")
            real = plain.translate(_LETTERS)
            if real == name or ratio(real, name) >= _LIKE:
                return True
            if name in real and _BAIT.search(real.replace(name, "", 1)):
                return True
        return False
