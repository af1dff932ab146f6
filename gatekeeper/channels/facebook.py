"""A Facebook Page, through facebook-sdk inside a guard: pictures unpublished first, then one `POST /{page}/feed`.

facebook-sdk 3.1.0 is small and frozen: it never looks at the HTTP status, puts the token into URLs and refuses every
living version of the Graph API. So only its `request()` is used, on our session, with its `version` set by hand, and
`_refusal` reads the answer itself. A photo goes live at once unless `published` is the *string* "false".
"""

import hashlib
import hmac
import json
import re
import warnings
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
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
    Trial,
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
    RateLimited,
    UnsupportedApiVersion,
)
from gatekeeper.channels.facebook_removal import Sight
from gatekeeper.channels.facebook_told import address_of, minutes_to_wait, moment_of, photos_of
from gatekeeper.channels.reading import fetch_picture, whole
from gatekeeper.channels.told import Told, facebook_limits
from gatekeeper.channels.transport import TIMEOUT, Answer, Wire, make_session
from gatekeeper.clock import Clock
from gatekeeper.errors import SettingsError

LABEL = "Facebook"
LIMITS = Limits(text=5_000, weighted=False)
VERSION = "v26.0"
_ORIGIN = "https://graph.facebook.com"
_PICTURES = ("fbcdn.net",)
_POST_ID = re.compile(r"\d+_\d+")
_FIELDS = (
    "id,message,created_time,is_published,application,from,attachments{media_type,media,target{id},subattachments}"
)
_NOT_FOUND = {(100, 33), (803, None)}
_BY_CODE: dict[int, type[ChannelError]] = {
    **dict.fromkeys((102, 104, 190), AuthenticationFailed),
    **dict.fromkeys((3, 10, *range(200, 300)), PermissionDenied),
    **dict.fromkeys((4, 17, 32, 341, 613, *range(80000, 80015)), RateLimited),
    **dict.fromkeys((12, 2635), UnsupportedApiVersion),
    368: AccountRestricted,
    506: DuplicateContent,
    803: PostNotFound,
}


class Facebook:
    """One Facebook Page."""

    kind = "facebook"

    def __init__(
        self, credentials: Credentials, *, clock: Clock, base_url: str | None = None, api_version: str | None = None
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape of 2018, told whenever the file is compiled anew
            import facebook

        credentials.require("access_token", "app_id", "app_secret")
        if not re.fullmatch(r"\d+", credentials.account_id):
            raise SettingsError("The Facebook Page is named by its number, which has only digits.")
        version = api_version or VERSION
        if not re.fullmatch(r"v\d{2}\.\d", version):
            raise SettingsError(f"{version} is not a version of the Graph API; they look like {VERSION}.")
        self.account_id = credentials.account_id
        self._clock = clock
        self._site = base_url.rstrip("/") if base_url else "https://www.facebook.com"
        self._stand_in = base_url
        self._app_id = credentials.secrets["app_id"]
        self._token = credentials.secrets["access_token"]
        self._app_token = f"{self._app_id}|{credentials.secrets['app_secret']}"
        self._secret = credentials.secrets["app_secret"]
        session, adapter = make_session([_ORIGIN], base_url=base_url)
        self._graph = facebook.GraphAPI(access_token=self._token, timeout=TIMEOUT, session=session)
        self._graph.version = version
        hidden = (self._token, self._secret, self._app_token, self._proof(self._token), self._proof(self._app_token))
        self._wire = Wire(platform=LABEL, adapter=adapter, secrets=hidden, clock=clock, limits=facebook_limits)
        self._sight = Sight(self.verify_credentials, partial(self._list, "published_posts", "id,created_time", {}, ""))

    def validate(self, post: RenderedPost, media: Sequence[MediaItem] = ()) -> list[Violation]:
        """Every reason Facebook would refuse this, by the caps we set where Facebook tells none."""
        return violations(LABEL, len(post.text), LIMITS, post, media)

    def verify_credentials(self, *, deadline: Deadline | None = None) -> AccountIdentity:
        """Whom the token belongs to, until when, and what it permits; refuses any other Page or app."""
        operation = "verify_credentials"
        me = self._get(operation, "me", deadline=deadline, fields="id,name")
        told = self._get(
            operation, "debug_token", deadline=deadline, token=self._app_token, input_token=self._token
        ).data.get("data")
        answer_id = str(me.data.get("id", ""))
        if not isinstance(told, dict) or not answer_id:
            raise self._error(PlatformUnavailable, me, operation)
        if told.get("is_valid") is not True or str(told.get("app_id")) != self._app_id:
            raise self._error(AuthenticationFailed, me, operation, "the token is not valid for this app")
        if answer_id != self.account_id or told.get("type") != "PAGE":
            raise self._error(AuthenticationFailed, me, operation, "the token is not that of the configured Page")
        ends = [int(told.get(name) or 0) for name in ("expires_at", "data_access_expires_at")]
        first = min((end for end in ends if end > 0), default=None)
        return AccountIdentity(
            id=answer_id,
            name=str(me.data.get("name", "")),
            scopes=frozenset(str(scope) for scope in told.get("scopes") or ()),
            expires_at=datetime.fromtimestamp(first, UTC) if first else None,
        )

    def upload_media(self, media: MediaItem, *, deadline: Deadline | None = None) -> MediaHandle:
        """Hand over one picture as an unpublished photo with its alternative text."""
        fields = {"published": "false"}
        if media.alt:
            fields["alt_text_custom"] = media.alt
        files = {"source": ("photo.jpg", media.data, media.mime)}
        answer = self._post("upload_media", f"{self.account_id}/photos", fields, files=files, deadline=deadline)
        if "post_id" in answer.data:
            raise self._error(OutcomeUnknown, answer, "upload_media", "the photo was published on its own")
        photo = str(answer.data.get("id", ""))
        if not answer.ok or not photo.isdigit():
            raise self._refusal(answer, "upload_media")
        return MediaHandle(photo)

    def trial(self, media: MediaItem, *, deadline: Deadline | None = None) -> Trial:
        """Hand over one picture unpublished, read it back and remove it. No visitor ever sees it."""
        photo = self.upload_media(media, deadline=deadline).id
        operation = "trial"
        try:
            told = self._get(operation, photo, deadline=deadline, fields="id,alt_text_custom")
            read_back = str(told.data.get("id")) == photo and told.data.get("alt_text_custom", "") == media.alt
        except ChannelError:
            read_back = False
        try:
            self._remove(operation, photo, deadline=deadline)
        except ChannelError:
            return Trial(read_back=read_back, removed=False)
        return Trial(read_back=read_back, removed=True)

    def create_post(
        self, post: RenderedPost, media: Sequence[MediaHandle], *, deadline: Deadline | None = None
    ) -> PublishedPost:
        """Publish with exactly one `POST /{page}/feed`."""
        fields = {"message": post.text} if post.text else {}
        for index, handle in enumerate(media):
            fields[f"attached_media[{index}]"] = json.dumps({"media_fbid": handle.id})
        answer = self._post("create_post", f"{self.account_id}/feed", fields, publishes=True, deadline=deadline)
        post_id = str(answer.data.get("id", ""))
        if answer.ok and "error" not in answer.data and _POST_ID.fullmatch(post_id):
            return PublishedPost(post_id, self._permalink(post_id))
        raise self._refusal(answer, "create_post", publishes=True)

    def get_post(self, post_id: str, *, deadline: Deadline | None = None) -> RemotePost:
        """Read one post back with its pictures' alternative texts; PostNotFound when there is none."""
        answer = self._get("get_post", _checked(post_id), deadline=deadline, fields=_FIELDS)
        post, photos = self._remote(answer.data, answer)
        alts = dict.fromkeys(photos, "")
        for photo in photos:
            with suppress(PostNotFound):  # the post is there all the same
                told = self._get("get_post", photo, deadline=deadline, fields="id,alt_text_custom")
                alts[photo] = str(told.data.get("alt_text_custom") or "")
        return RemotePost(**{**vars(post), "alts": tuple(alts.values())})

    def list_posts(self, *, since: datetime, deadline: Deadline | None = None) -> TimelinePage:
        """The Page's published posts since then. Facebook lists a ranked selection: absence here proves nothing."""
        return whole(lambda cursor: self.read_page(since=since, cursor=cursor, deadline=deadline), now=self._clock.now)

    def read_page(self, *, since: datetime, cursor: str = "", deadline: Deadline | None = None) -> ReadPage:
        """One part of the Page's published posts since then."""
        page = self._list("published_posts", _FIELDS, {"since": str(int(since.timestamp()))}, cursor, deadline=deadline)
        newer = (post for post in page.posts if post.created_at >= since.replace(microsecond=0))
        return ReadPage(tuple(newer), cursor=page.cursor)

    def queued_posts(self, *, deadline: Deadline | None = None) -> tuple[RemotePost, ...] | None:
        """What is scheduled on Facebook itself. Gatekeeper never schedules there, so all of it is by somebody else."""
        return self._list("scheduled_posts", f"{_FIELDS},scheduled_publish_time", {}, "", deadline=deadline).posts

    def picture(self, name: str, *, deadline: Deadline | None = None) -> bytes:
        """The bytes of one picture that a reading named."""
        return fetch_picture(
            name, platform=LABEL, names=_PICTURES, clock=self._clock, base_url=self._stand_in, deadline=deadline
        )

    def _list(
        self, edge: str, fields: str, args: dict[str, str], cursor: str, *, deadline: Deadline | None
    ) -> ReadPage:
        more = {"after": cursor} if cursor else {}
        path = f"{self.account_id}/{edge}"
        answer = self._get("list_posts", path, deadline=deadline, fields=fields, limit="100", **args, **more)
        listed, paging = answer.data.get("data"), answer.data.get("paging") or {}
        if not isinstance(listed, list) or not isinstance(paging, dict):
            raise self._error(PlatformUnavailable, answer, "list_posts")
        after = (paging.get("cursors") or {}).get("after") if listed and paging.get("next") else None
        return ReadPage(tuple(self._remote(each, answer)[0] for each in listed), cursor=str(after or ""))

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
        # Facebook tells whole seconds, so a post made at the very start of the window seems older than it is
        whole = TimeWindow(window.start.replace(microsecond=0), window.end)
        return find_in(
            page, post, media_count=media_count, window=whole, claimed=claimed, canonical=self.canonical_text
        )

    def parts_of(self, post_id: str, *, deadline: Deadline | None = None) -> tuple[str, ...]:
        """The post's photos. They may live on when it is removed, and then nobody can read any more which they were."""
        try:
            answer = self._get("delete_post", _checked(post_id), deadline=deadline, fields=_FIELDS)
        except PostNotFound:
            self._sight.check(post_id, deadline=deadline)
            raise
        return tuple(self._remote(answer.data, answer)[1])

    def delete_post(self, post_id: str, *, deadline: Deadline | None = None) -> Literal["deleted", "already_absent"]:
        """Remove a post, or one of its photos, and read that it is gone."""
        done = self._remove("delete_post", post_id, deadline=deadline)
        if done == "already_absent":
            self._sight.check(post_id, deadline=deadline)
        return done

    def told(self) -> Told:
        """What the platform told beside its answers since this was last asked."""
        return self._wire.told()

    def canonical_text(self, text: str) -> str:
        """The form in which a sent text and a read text are compared."""
        return comparable(text)

    def _remove(self, operation: str, thing: str, *, deadline: Deadline | None) -> Literal["deleted", "already_absent"]:
        """Remove a post or a photo and read that it is gone."""
        path = f"{self._graph.version}/{_checked(thing)}"
        args = {"appsecret_proof": self._proof(self._token)}
        answer = self._wire.call(
            operation, lambda: self._graph.request(path, args=args, method="DELETE"), deadline=deadline
        )
        refusal = None if answer.ok and answer.data.get("success") is True else self._refusal(answer, operation)
        if refusal is not None and not isinstance(refusal, PostNotFound):
            raise refusal
        try:
            self._get(operation, thing, deadline=deadline, fields="id")
        except PostNotFound:
            return "already_absent" if refusal else "deleted"
        raise self._error(PlatformUnavailable, answer, operation, "it is still there")

    def _permalink(self, post_id: str) -> str:
        return f"{self._site}/{post_id}"

    def _proof(self, token: str) -> str:
        return hmac.new(self._secret.encode(), token.encode(), hashlib.sha256).hexdigest()

    def _get(
        self, operation: str, path: str, *, deadline: Deadline | None, token: str | None = None, **args: str
    ) -> Answer:
        args |= {"access_token": token or self._token, "appsecret_proof": self._proof(token or self._token)}
        answer = self._wire.call(
            operation, lambda: self._graph.request(f"{self._graph.version}/{path}", args=args), deadline=deadline
        )
        if answer.ok and answer.data and "error" not in answer.data:
            return answer
        raise self._refusal(answer, operation)

    def _post(
        self,
        operation: str,
        path: str,
        fields: dict[str, str],
        *,
        files: dict[str, tuple[str, bytes, str]] | None = None,
        publishes: bool = False,
        deadline: Deadline | None,
    ) -> Answer:
        sent = {**fields, "appsecret_proof": self._proof(self._token)}
        return self._wire.call(
            operation,
            lambda: self._graph.request(f"{self._graph.version}/{path}", post_args=sent, files=files),
            publishes=publishes,
            deadline=deadline,
        )

    def _remote(self, read: Any, answer: Answer) -> tuple[RemotePost, list[str]]:
        """One read post, and the ids of its photos."""
        try:
            attached = photos_of(read)
            photos = [str(each["target"]["id"]) for each in attached]
            planned = read.get("scheduled_publish_time")
            post = RemotePost(
                id=str(read["id"]),
                text=str(read.get("message") or ""),
                media_count=len(photos),
                created_at=moment_of(planned) if planned else datetime.fromisoformat(read["created_time"]),
                permalink=self._permalink(str(read["id"])),
                application=str(read["application"]["id"]) if read.get("application") else None,
                author=str((read.get("from") or {}).get("id") or ""),
                pictures=tuple(filter(None, map(address_of, attached))),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            # half a timeline must not pass for a whole one
            raise self._error(PlatformUnavailable, answer, "read_post", "a post in an unknown shape") from None
        return post, photos

    def _refusal(self, answer: Answer, operation: str, *, publishes: bool = False) -> ChannelError:
        """The class of error for an answer that is not the success that was asked for."""
        error = answer.data.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        if (
            not isinstance(error, dict)
            or not isinstance(code, int)
            or answer.status >= 500  # noqa: PLR2004 - Facebook has answered 500 and published each time
            or 300 <= answer.status < 400  # noqa: PLR2004 - the class of redirects
            or code in {1, 2}
            or error.get("is_transient") is True
        ):
            return self._error(OutcomeUnknown if publishes else PlatformUnavailable, answer, operation)
        if "appsecret_proof" in str(error.get("message")):
            kind: type[ChannelError] = AuthenticationFailed
        elif (code, error.get("error_subcode")) in _NOT_FOUND or code == 803:  # noqa: PLR2004 - Graph's "no such alias"
            kind = PermissionDenied if publishes else PostNotFound
        else:
            kind = _BY_CODE.get(code, ContentRejected)
        return self._error(kind, answer, operation)

    def _error(self, kind: type[ChannelError], answer: Answer, operation: str, detail: str = "") -> ChannelError:
        error = answer.data.get("error")
        told: dict[str, Any] = error if isinstance(error, dict) else {}
        said = [detail or told.get("message"), told.get("error_user_title"), told.get("error_user_msg")]
        subcode = told.get("error_subcode")
        return kind(
            platform=LABEL,
            operation=operation,
            http_status=answer.status,
            code=told["code"] if isinstance(told.get("code"), int) else None,
            subcode=subcode if isinstance(subcode, int) else None,
            detail=self._wire.scrub("; ".join(str(each) for each in said if each)),
            request_id=str(told.get("fbtrace_id") or answer.headers.get("x-fb-trace-id") or "") or None,
            retry_at=self._retry_at(answer) if kind is RateLimited else None,
        )

    def _retry_at(self, answer: Answer) -> datetime:
        """When Facebook says that access comes back; an hour from now where it does not say."""
        return self._clock.now() + timedelta(minutes=minutes_to_wait(answer.headers, self.account_id) or 60)


def _checked(post_id: str) -> str:
    """The id when it is one; anything else would name another route of the Graph API."""
    if not re.fullmatch(r"\d+(_\d+)?", post_id):
        raise PostNotFound(platform=LABEL, operation="get_post", detail="this is not the id of a post")
    return post_id


KIND = ChannelKind(
    kind=Facebook.kind,
    label=LABEL,
    limits=LIMITS,
    secrets=(
        SecretField("access_token", "Page access token"),
        SecretField("app_id", "App ID"),
        SecretField("app_secret", "App secret"),
    ),
    build=Facebook,
)
