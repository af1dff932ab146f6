"""What every channel promises, in values that no library leaks into.

A channel is one account on one platform. Uploading can never publish; `create_post` is the one call that does, and it
makes exactly one HTTP write. Nothing in here retries: whoever calls decides by the class of the error.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, Protocol, runtime_checkable

from gatekeeper.clock import Clock
from gatekeeper.errors import SettingsError


@dataclass(frozen=True)
class Credentials:
    """The account and its secrets. Printing one shows the account and the names of its secrets, never a secret."""

    kind: str
    account_id: str
    secrets: Mapping[str, str] = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "secrets", MappingProxyType(dict(self.secrets)))

    def require(self, *names: str) -> None:
        """Raise SettingsError naming the first secret that is missing or empty."""
        for name in names:
            if not self.secrets.get(name, "").strip():
                raise SettingsError(f"The {self.kind} account {self.account_id} has no {name}.")

    def to_json(self) -> str:
        """The text that is sealed for the processes that may publish."""
        return json.dumps({"kind": self.kind, "account_id": self.account_id, "secrets": dict(self.secrets)})

    @classmethod
    def from_json(cls, text: str) -> "Credentials":
        """Read back what `to_json` wrote.

        Raises:
            SettingsError: it is anything else; the text itself is not repeated, because it holds secrets.
        """
        try:
            read = json.loads(text)
            return cls(kind=str(read["kind"]), account_id=str(read["account_id"]), secrets=dict(read["secrets"]))
        except (ValueError, TypeError, KeyError):
            raise SettingsError("The stored keys of a channel cannot be read.") from None


@dataclass(frozen=True)
class RenderedPost:
    """Exactly the words the channel will be given."""

    text: str


@dataclass(frozen=True)
class MediaItem:
    """One published picture: the very bytes, and the words for those who cannot see it."""

    data: bytes = field(repr=False)
    mime: str
    alt: str


@dataclass(frozen=True)
class MediaHandle:
    """A picture the platform holds and shows nobody yet."""

    id: str
    expires_at: datetime | None = None
    alt: str = ""  # where the platform wants the description together with the post


@dataclass(frozen=True)
class AccountIdentity:
    """Whom the keys belong to and what they permit, as far as the platform says."""

    id: str
    name: str
    scopes: frozenset[str] = frozenset()
    expires_at: datetime | None = None


@dataclass(frozen=True)
class PublishedPost:
    """The platform's own word that the post is there."""

    id: str
    permalink: str


@dataclass(frozen=True)
class RemotePost:
    """A post as read from the platform: readable text, links written out.

    Attributes:
        alts: the pictures' alternative texts in order, or None where this reading does not tell them.
        history: every id this post has had, oldest first (an edit on X gives a new id).
        application: the app that posted it, where the platform says.
        author: whose post it is, by the platform's number, where the platform says. Visitors may post on a page, too.
        pictures: what `Watching.picture` is asked for each picture, where this reading tells.
    """

    id: str
    text: str
    media_count: int
    created_at: datetime
    permalink: str
    alts: tuple[str, ...] | None = None
    history: tuple[str, ...] = ()
    application: str | None = None
    author: str = ""
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class TimelinePage:
    """What the platform listed. Only where `complete` is true does absence from it prove absence."""

    posts: tuple[RemotePost, ...]
    complete: bool
    observed_at: datetime


@dataclass(frozen=True)
class TimeWindow:
    """From `start` to `end`, both included."""

    start: datetime
    end: datetime

    def __contains__(self, moment: object) -> bool:
        return isinstance(moment, datetime) and self.start <= moment <= self.end


@dataclass(frozen=True)
class Found:
    """Exactly one post on the platform is ours."""

    post: RemotePost


@dataclass(frozen=True)
class NotFound:
    """Nothing like it was listed. It proves absence only where `complete` is true."""

    complete: bool


@dataclass(frozen=True)
class Ambiguous:
    """Two or more posts could be ours; a person must look."""

    posts: tuple[RemotePost, ...]


@dataclass(frozen=True)
class Violation:
    """One reason the platform would not take this, tied to `text`, `images`, `images[0]` or `images[0].alt`."""

    field: str
    sentence: str


@dataclass(frozen=True)
class Deadline:
    """The moment after which a call is cut off, answered or not."""

    at: datetime

    @classmethod
    def after(cls, now: datetime, seconds: float) -> "Deadline":
        """The deadline so many seconds from now."""
        return cls(now + timedelta(seconds=seconds))

    def seconds_left(self, now: datetime) -> float:
        """How long there is left; zero or less when it has passed."""
        return (self.at - now).total_seconds()


@dataclass(frozen=True)
class Limits:
    """What the form shows and counts by; `validate` is what enforces it."""

    text: int
    weighted: bool
    images: int = 4
    image_bytes: int = 2_000_000
    alt: int = 1_000
    mimes: tuple[str, ...] = ("image/jpeg",)


@dataclass(frozen=True)
class SecretField:
    """One secret an administrator is asked for when connecting an account."""

    name: str
    label: str


class Channel(Protocol):
    """One account on one platform."""

    @property
    def kind(self) -> str:
        """The platform's short name: `x`, `facebook`, `linkedin`."""

    @property
    def account_id(self) -> str:
        """The account that is posted to."""

    def validate(self, post: RenderedPost, media: Sequence[MediaItem] = ()) -> list[Violation]:
        """Every reason the platform would refuse this; asks nobody."""

    def verify_credentials(self, *, deadline: Deadline | None = None) -> AccountIdentity:
        """Whom the keys belong to.

        Raises:
            AuthenticationFailed: they are invalid, or belong to another account than the configured one.
        """

    def upload_media(self, media: MediaItem, *, deadline: Deadline | None = None) -> MediaHandle:
        """Hand over one picture with its alternative text. Cannot publish, so it may be repeated."""

    def create_post(
        self, post: RenderedPost, media: Sequence[MediaHandle], *, deadline: Deadline | None = None
    ) -> PublishedPost:
        """Publish. Makes exactly one HTTP write and never a second.

        Raises:
            ChannelBusy: certainly not posted; may be tried again.
            ChannelRefused: certainly not posted; a person must look.
            ChannelUnclear: may have been posted; look before repeating.
        """

    def get_post(self, post_id: str, *, deadline: Deadline | None = None) -> RemotePost:
        """Read one post back.

        Raises:
            PostNotFound: there is none with this id.
        """

    def list_posts(self, *, since: datetime, deadline: Deadline | None = None) -> TimelinePage:
        """The account's posts since then, newest first."""

    def find_post(
        self,
        post: RenderedPost,
        *,
        media_count: int,
        window: TimeWindow,
        claimed: Collection[str] = (),
        deadline: Deadline | None = None,
    ) -> Found | NotFound | Ambiguous:
        """Look for a post that may have been published: same words, same number of pictures, in time, unclaimed."""

    def parts_of(self, post_id: str, *, deadline: Deadline | None = None) -> tuple[str, ...]:
        """What may outlive the post where it is removed: each is given to `delete_post`, too. Most platforms have none.

        Raises:
            PostNotFound: there is no such post, and keys that can see the account said so.
        """

    def delete_post(self, post_id: str, *, deadline: Deadline | None = None) -> Literal["deleted", "already_absent"]:
        """Remove a post, or one of its parts, and read that it is gone. May be repeated."""

    def canonical_text(self, text: str) -> str:
        """The form in which a sent text and a read text are compared."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What became of a picture that was handed over unpublished, to see that handing over works."""

    read_back: bool
    removed: bool


@runtime_checkable
class Trying(Protocol):
    """A channel that can be tried without anybody seeing anything. Not every platform has such a thing."""

    def trial(self, media: MediaItem, *, deadline: Deadline | None = None) -> Trial:
        """Hand over one picture unpublished, read it back and remove it.

        Raises:
            ChannelError: it could not be handed over; what fails afterwards is told, not raised.
        """


@dataclass(frozen=True)
class ReadPage:
    """A part of an account's own timeline, newest first. `cursor` asks for the next part; empty after the last."""

    posts: tuple[RemotePost, ...]
    cursor: str


@runtime_checkable
class Watching(Protocol):
    """A channel whose account can be read through, part by part, by whoever watches over it."""

    def read_page(self, *, since: datetime, cursor: str = "", deadline: Deadline | None = None) -> ReadPage:
        """One part of the account's posts since then, posts by others on it included where the platform lists them."""

    def queued_posts(self, *, deadline: Deadline | None = None) -> tuple[RemotePost, ...] | None:
        """What is scheduled on the platform itself, dated when it goes out; None where the platform does not tell."""

    def picture(self, name: str, *, deadline: Deadline | None = None) -> bytes:
        """The bytes of one picture that a reading named. Asks the platform's own servers and no others.

        Raises:
            ChannelError: it could not be had.
        """


class Builder(Protocol):
    """How a channel is built from what an administrator entered."""

    def __call__(
        self, credentials: Credentials, *, clock: Clock, base_url: str | None = None, api_version: str | None = None
    ) -> Channel:
        """The channel for this account: on the platform itself, or where `base_url` says; in the version tested, or another."""


@dataclass(frozen=True)
class ChannelKind:
    """A platform as the rest of the product knows it; the registry holds one line for each."""

    kind: str
    label: str
    limits: Limits
    secrets: tuple[SecretField, ...]
    build: Builder
