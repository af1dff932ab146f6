"""The digest of a version: SHA-256 over the canonical bytes of everything the public will get.

Canonical form: JSON of `Content`, keys sorted, no white space, UTF-8 (RFC 8785's rules for the strings and integers
used here), headed by a domain line so that no other hash can be mistaken for it. A changed letter, image byte,
alternative text, account or time gives another digest, and approval is of a digest. Words for one channel alone stand
in it under "wordings", by the number of the account; a content without any has no such key, so that what was sealed
before there were any keeps its digest.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from gatekeeper.errors import NotFound

_DOMAIN = b"gatekeeper version 1\n"


@dataclass(frozen=True, kw_only=True)
class PhotoContent:
    """One published picture: the hash of its bytes and its alternative text."""

    sha256: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class ChannelContent:
    """One account the post goes to, by our number and the platform's own."""

    account_id: int
    kind: str
    remote_id: str


@dataclass(frozen=True, kw_only=True)
class WordingContent:
    """The words of one account that does not get the common text."""

    account_id: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """Exactly what will be public, where and when. `wordings` are in the order of their accounts, one for each."""

    text: str
    photos: tuple[PhotoContent, ...]
    channels: tuple[ChannelContent, ...]
    due: datetime
    window_minutes: int
    wordings: tuple[WordingContent, ...] = ()

    def text_for(self, account_id: int) -> str:
        """The words that this account gets: its own, or else the common text."""
        return next((own.text for own in self.wordings if own.account_id == account_id), self.text)

    def canonical(self) -> str:
        """The one way this content is written down."""
        plain = asdict(self)
        plain["due"] = self.due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        del plain["wordings"]
        if self.wordings:
            plain["wordings"] = {str(own.account_id): own.text for own in self.wordings}
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_canonical(cls, canonical: str) -> "Content":
        """Read back what `canonical` wrote.

        Raises:
            NotFound: it was erased when its time was over; only its digest is kept.
        """
        if not canonical:
            raise NotFound("The words and pictures of this version were erased, because their time was over.")
        plain = json.loads(canonical)
        return cls(
            text=plain["text"],
            photos=tuple(PhotoContent(**photo) for photo in plain["photos"]),
            channels=tuple(ChannelContent(**channel) for channel in plain["channels"]),
            due=datetime.strptime(plain["due"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
            window_minutes=plain["window_minutes"],
            wordings=tuple(
                WordingContent(account_id=int(account), text=text)
                for account, text in sorted(plain.get("wordings", {}).items(), key=lambda own: int(own[0]))
            ),
        )


def digest_of(canonical: str) -> str:
    """The digest of a canonical content, 64 hexadecimal characters."""
    return hashlib.sha256(_DOMAIN + canonical.encode()).hexdigest()
