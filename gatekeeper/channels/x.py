"""X, through tweepy: OAuth 1.0a, media on the v2 routes, one `POST /2/tweets` per order to publish.

tweepy builds and signs every request. Its view of the answer is not used: it tells a duplicate, a spent credit and a
bad picture apart by nothing, and dies on bodies it does not expect. `_refusal` reads the answer itself.
"""

import html
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from gatekeeper.channels.acceptance import violations
from gatekeeper.channels.base import (
    AccountIdentity,
    Ambiguous,
    ChannelKind,
    Credentials,
    Deadline,
    Found,
    Limits,
    MediaHandle,
    MediaItem,
    NotFound,
    PublishedPost,
    ReadPage,
    RemotePost,
    RenderedPost,
    SecretField,
    TimelinePage,
    TimeWindow,
    Violation,
)
from gatekeeper.channels.comparison import comparable, find_in
from gatekeeper.channels.errors import (
    AccountRestricted,
    AuthenticationFailed,
    ChannelError,
    ContentRejected,
    DuplicateContent,
    OutcomeUnknown,
    PermissionDenied,
    PlatformUnavailable,
    PostNotFound,
    QuotaExhausted,
    RateLimited,
    UnsupportedApiVersion,
)
from gatekeeper.channels.reading import fetch_picture, whole
from gatekeeper.channels.told import Told, x_limits
from gatekeeper.channels.transport import Answer, Wire, make_session
from gatekeeper.clock import Clock
from gatekeeper.errors import SettingsError

LABEL = "X"
LIMITS = Limits(text=280, weighted=True)
_ORIGIN = "https://api.twitter.com"
_PICTURES = ("pbs.twimg.com",)
_READ: dict[str, Any] = {
    "tweet_fields": ["author_id", "created_at", "entities", "attachments", "edit_history_tweet_ids"],
    "expansions": ["attachments.media_keys"],
    "media_fields": ["alt_text", "url"],
    "user_auth": True,  # tweepy would read with `Bearer None` otherwise
}
_BY_STATUS: dict[int, type[ChannelError]] = {
    400: ContentRejected,
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: PermissionDenied,
    404: PostNotFound,
    410: UnsupportedApiVersion,
    413: ContentRejected,
    415: ContentRejected,
    422: ContentRejected,
    426: UnsupportedApiVersion,
    429: RateLimited,
}


class X:
    """One account on X."""

    kind = "x"

    def __init__(
        self, credentials: Credentials, *, clock: Clock, base_url: str | None = None, api_version: str | None = None
    ) -> None:
        import requests
        import tweepy

        credentials.require("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        if api_version not in {None, "2"}:
            raise SettingsError(f"X is spoken to in version 2 only, not {api_version}.")
        secrets = dict(credentials.secrets)
        owner, dash, _ = secrets["access_token"].partition("-")
        if dash and owner.isdigit() and owner != credentials.account_id:
            raise SettingsError(f"The access token belongs to the X account {owner}, not to {credentials.account_id}.")
        self.account_id = credentials.account_id
        self._clock = clock
        self._site = base_url.rstrip("/") if base_url else "https://x.com"
        self._stand_in = base_url
        session, adapter = make_session([_ORIGIN], base_url=base_url)
        self._wire = Wire(platform=LABEL, adapter=adapter, secrets=secrets.values(), clock=clock, limits=x_limits)
        keys = [secrets[name] for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret")]
        self._client = tweepy.Client(None, *keys, return_type=requests.Response, wait_on_rate_limit=False)
        self._client.session = session
        self._auth = tweepy.OAuth1UserHandler(*keys).apply_auth()

    def validate(self, post: RenderedPost, media: Sequence[MediaItem] = ()) -> list[Violation]:
        """Every reason X would refuse this; asks nobody."""
        from gatekeeper.text.weight import x_weight

        return violations(LABEL, x_weight(post.text), LIMITS, post, media)

    def verify_credentials(self, *, deadline: Deadline | None = None) -> AccountIdentity:
        """Whom the keys belong to; refuses when that is not the configured account."""
        answer = self._wire.call("verify_credentials", self._client.get_me, deadline=deadline)
        me = self._expect(answer, "verify_credentials").get("data")
        if not isinstance(me, dict) or not str(me.get("id", "")).isdigit():
            raise self._error(PlatformUnavailable, answer, "verify_credentials")
        if str(me["id"]) != self.account_id:
            raise self._error(AuthenticationFailed, answer, "verify_credentials", "the keys belong to another account")
        access = answer.headers.get("x-access-level", "")
        return AccountIdentity(
            id=str(me["id"]),
            name=str(me.get("username") or me.get("name") or ""),
            scopes=frozenset(filter(None, access.split("-"))),
        )

    def upload_media(self, media: MediaItem, *, deadline: Deadline | None = None) -> MediaHandle:
        """Hand over one picture and its alternative text; nobody sees it until a post names it."""
        answer = self._wire.call(
            "upload_media",
            lambda: self._client.session.post(
                f"{_ORIGIN}/2/media/upload",
                files={"media": ("photo.jpg", media.data, media.mime)},
                data={"media_category": "tweet_image"},
                auth=self._auth,
            ),
            deadline=deadline,
        )
        data = self._expect(answer, "upload_media").get("data")
        media_id = str(data.get("id", "")) if isinstance(data, dict) else ""
        if not media_id.isdigit():
            raise self._error(PlatformUnavailable, answer, "upload_media")
        if media.alt:
            body = {"id": media_id, "metadata": {"alt_text": {"text": media.alt}}}
            told = self._wire.call(
                "describe_media",
                lambda: self._client.request("POST", "/2/media/metadata", json=body, user_auth=True),
                deadline=deadline,
            )
            if not self._expect(told, "describe_media").get("data"):
                raise self._error(PlatformUnavailable, told, "describe_media")
        seconds = data.get("expires_after_secs") if isinstance(data, dict) else None
        expires = self._clock.now() + timedelta(seconds=seconds) if isinstance(seconds, int) else None
        return MediaHandle(media_id, expires)

    def create_post(
        self, post: RenderedPost, media: Sequence[MediaHandle], *, deadline: Deadline | None = None
    ) -> PublishedPost:
        """Publish with exactly one `POST /2/tweets`."""
        ids = [handle.id for handle in media]
        answer = self._wire.call(
            "create_post",
            lambda: self._client.create_tweet(text=post.text or None, media_ids=ids or None, user_auth=True),
            publishes=True,
            deadline=deadline,
        )
        data = answer.data.get("data")
        post_id = str(data.get("id", "")) if isinstance(data, dict) else ""
        if answer.ok and post_id.isdigit():
            return PublishedPost(post_id, self._permalink(post_id))
        raise self._refusal(answer, "create_post", publishes=True)

    def get_post(self, post_id: str, *, deadline: Deadline | None = None) -> RemotePost:
        """Read one post back; PostNotFound when there is none."""
        answer = self._wire.call("get_post", lambda: self._client.get_tweet(post_id, **_READ), deadline=deadline)
        body = self._expect(answer, "get_post")
        if isinstance(body.get("data"), dict):
            self._wire.posts_read += 1
            return self._remote(body["data"], body, answer)
        gone = any("resource-not-found" in str(error.get("type")) for error in _errors(body))
        raise self._error(PostNotFound if gone else PlatformUnavailable, answer, "get_post")

    def list_posts(self, *, since: datetime, deadline: Deadline | None = None) -> TimelinePage:
        """The account's posts since then. X lists with a lag, so absence here never proves anything."""
        return whole(lambda cursor: self.read_page(since=since, cursor=cursor, deadline=deadline), now=self._clock.now)

    def read_page(self, *, since: datetime, cursor: str = "", deadline: Deadline | None = None) -> ReadPage:
        """One part of the account's posts since then; of an edited post the newest version. X lists 3,200 at most."""
        page: dict[str, Any] = {"max_results": 100, "start_time": since.astimezone(UTC), **_READ}
        page |= {"pagination_token": cursor} if cursor else {}
        answer = self._wire.call(
            "list_posts", lambda: self._client.get_users_tweets(self.account_id, **page), deadline=deadline
        )
        body = self._expect(answer, "list_posts")
        meta, listed = body.get("meta"), body.get("data") or []
        if not isinstance(meta, dict) or not isinstance(listed, list):
            raise self._error(PlatformUnavailable, answer, "list_posts")
        self._wire.posts_read += len(listed)  # X charges for each
        return ReadPage(
            tuple(self._remote(each, body, answer) for each in listed), cursor=str(meta.get("next_token") or "")
        )

    def queued_posts(self, *, deadline: Deadline | None = None) -> tuple[RemotePost, ...] | None:  # noqa: ARG002 - nobody is asked
        """X tells no program what is scheduled on it."""
        return None

    def picture(self, name: str, *, deadline: Deadline | None = None) -> bytes:
        """The bytes of one picture that a reading named."""
        return fetch_picture(
            name, platform=LABEL, names=_PICTURES, clock=self._clock, base_url=self._stand_in, deadline=deadline
        )

    def find_post(
        self,
        post: RenderedPost,
        *,
        media_count: int,
        window: TimeWindow,
        claimed: Collection[str] = (),
        deadline: Deadline | None = None,
    ) -> Found | NotFound | Ambiguous:
        """Look for a post that may have been published."""
        page = self.list_posts(since=window.start, deadline=deadline)
        return find_in(
            page, post, media_count=media_count, window=window, claimed=claimed, canonical=self.canonical_text
        )

    def parts_of(self, post_id: str, *, deadline: Deadline | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """None: nothing of a post can be seen without it."""
        return ()

    def delete_post(self, post_id: str, *, deadline: Deadline | None = None) -> Literal["deleted", "already_absent"]:
        """Remove a post with every version it was edited from, and read that all are gone.

        Removing one version should remove them all; that is not taken on trust. What X answers to a second removal is
        not documented: we read. The version that was asked for goes last, so that after a fault it still tells the rest.
        """
        try:
            versions = self.get_post(post_id, deadline=deadline).history
        except PostNotFound:  # a reading may lag behind: it is removed all the same
            versions = ()
        order = [*(version for version in versions if version != post_id), post_id]
        done = [self._remove(version, deadline=deadline) for version in order]
        return "deleted" if "deleted" in done else "already_absent"

    def _remove(self, post_id: str, *, deadline: Deadline | None) -> Literal["deleted", "already_absent"]:
        answer = self._wire.call(
            "delete_post", lambda: self._client.delete_tweet(post_id, user_auth=True), deadline=deadline
        )
        refusal = None if answer.ok and answer.data.get("data") else self._refusal(answer, "delete_post")
        if refusal is not None and not isinstance(refusal, PostNotFound):
            raise refusal
        try:
            self.get_post(post_id, deadline=deadline)
        except PostNotFound:
            return "already_absent" if refusal else "deleted"
        raise self._error(PlatformUnavailable, answer, "delete_post", "the post is still there")

    def told(self) -> Told:
        """What the platform told beside its answers since this was last asked."""
        return self._wire.told()

    def canonical_text(self, text: str) -> str:
        """The form in which a sent text and a read text are compared."""
        return comparable(text)

    def _permalink(self, post_id: str) -> str:
        return f"{self._site}/i/web/status/{post_id}"

    def _remote(self, read: dict[str, Any], body: dict[str, Any], answer: Answer) -> RemotePost:
        try:
            keys = (read.get("attachments") or {}).get("media_keys") or []
            told = {each["media_key"]: each for each in (body.get("includes") or {}).get("media") or []}
            return RemotePost(
                id=str(read["id"]),
                text=_readable(read),
                media_count=len(keys),
                created_at=datetime.fromisoformat(read["created_at"]),
                permalink=self._permalink(str(read["id"])),
                alts=tuple(str(told.get(key, {}).get("alt_text", "")) for key in keys),
                history=tuple(str(each) for each in read.get("edit_history_tweet_ids") or ()),
                author=str(read.get("author_id") or ""),
                pictures=tuple(filter(None, (str(told.get(key, {}).get("url") or "") for key in keys))),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            # half a timeline must not pass for a whole one
            raise self._error(PlatformUnavailable, answer, "read_post", "a post in an unknown shape") from None

    def _expect(self, answer: Answer, operation: str) -> dict[str, Any]:
        if answer.ok and answer.data:
            return answer.data
        raise self._refusal(answer, operation)

    def _refusal(self, answer: Answer, operation: str, *, publishes: bool = False) -> ChannelError:
        """The class of error for an answer that is not the success that was asked for."""
        body = answer.data
        own = any(name in body for name in ("title", "detail", "errors"))
        limited = answer.status == 429 and "x-rate-limit-reset" in answer.headers  # noqa: PLR2004 - its body may be plain
        kind = _BY_STATUS.get(answer.status) if own or limited else None
        said = f"{body.get('detail', '')} {body.get('type', '')}".lower()
        if kind is None:
            # no word of X's own: a proxy, an outage page or half an answer, so it may have happened
            return self._error(OutcomeUnknown if publishes else PlatformUnavailable, answer, operation)
        if kind is PermissionDenied and "duplicate content" in said:
            kind = DuplicateContent
        elif kind is PermissionDenied and ("too long" in said or "invalid-request" in said):
            kind = ContentRejected
        elif kind is PermissionDenied and ("suspended" in said or "locked" in said):
            kind = AccountRestricted
        elif kind is PostNotFound and publishes:
            kind = ContentRejected  # what was named is gone: a picture, a reply's parent
        return self._error(kind, answer, operation)

    def _error(self, kind: type[ChannelError], answer: Answer, operation: str, detail: str = "") -> ChannelError:
        body = answer.data
        errors = [str(each.get("message") or each.get("detail") or "") for each in _errors(body)]
        # never the echoed `parameters`: they repeat the text of the post
        said = detail or "; ".join(filter(None, [str(body.get("detail") or body.get("title") or ""), *errors]))
        return kind(
            platform=LABEL,
            operation=operation,
            http_status=answer.status,
            detail=self._wire.scrub(said),
            request_id=answer.headers.get("x-transaction-id"),
            retry_at=self._retry_at(answer) if kind is RateLimited else None,
        )

    def _retry_at(self, answer: Answer) -> datetime:
        """When every limit that is used up has been reset."""
        now = self._clock.now()
        resets = [now + timedelta(seconds=60)]
        for name in ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour"):
            reset = answer.headers.get(f"{name}-reset", "")
            if answer.headers.get(f"{name}-remaining", "0") == "0" and reset.isdigit() and len(reset) <= 11:  # noqa: PLR2004
                resets.append(datetime.fromtimestamp(int(reset), UTC))
        return max(resets) if len(resets) > 1 else now + timedelta(minutes=15)


def _errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    listed = body.get("errors")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _readable(read: dict[str, Any]) -> str:
    """The text as its author typed it: X escapes `&<>`, shortens links and appends one for the pictures."""
    text = html.unescape(str(read["text"]))
    for link in (read.get("entities") or {}).get("urls") or []:
        written = "" if link.get("media_key") else str(link.get("expanded_url") or link["url"])
        text = text.replace(str(link["url"]), written)
    return text.rstrip()


KIND = ChannelKind(
    kind=X.kind,
    label=LABEL,
    limits=LIMITS,
    secrets=(
        SecretField("consumer_key", "API key"),
        SecretField("consumer_secret", "API key secret"),
        SecretField("access_token", "Access token"),
        SecretField("access_token_secret", "Access token secret"),
    ),
    build=X,
)
