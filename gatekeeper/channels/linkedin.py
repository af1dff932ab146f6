"""A LinkedIn company page, on `requests` alone: pictures first, then one `POST /rest/posts`.

No library is fit for it: the official one has no timeout, raises nothing and cannot send a picture's bytes. A created
post is told by a header and an empty body, so a 201 without that header says nothing about what happened.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

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
from gatekeeper.channels.little_text import little_text, readable
from gatekeeper.channels.reading import fetch_picture, whole
from gatekeeper.channels.told import Told
from gatekeeper.channels.transport import Answer, Wire, make_session
from gatekeeper.clock import Clock
from gatekeeper.errors import SettingsError

LABEL = "LinkedIn"
LIMITS = Limits(text=3_000, weighted=False)
VERSION = "202607"
WRITE_SCOPE = "w_organization_social"
_API, _SITE = "https://api.linkedin.com", "https://www.linkedin.com"
_PAGE = 100
_PICTURES = ("licdn.com",)
_URN = re.compile(r"urn:li:(?:share|ugcPost):\d+")
_NAMED_URN = re.compile(r"urn:li:(?:share|ugcPost):\d+")
_MAY_POST = frozenset({"ADMINISTRATOR", "CONTENT_ADMIN", "CONTENT_ADMINISTRATOR"})
_UPLOADING = frozenset({"WAITING_UPLOAD", "PROCESSING_FAILED"})
_BY_STATUS: dict[int, type[ChannelError]] = {
    400: ContentRejected,
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: PostNotFound,
    413: ContentRejected,
    422: ContentRejected,
    426: UnsupportedApiVersion,
    429: RateLimited,
}


class LinkedIn:
    """One company page."""

    kind = "linkedin"

    def __init__(
        self, credentials: Credentials, *, clock: Clock, base_url: str | None = None, api_version: str | None = None
    ) -> None:
        credentials.require("access_token", "client_id", "client_secret")
        if not re.fullmatch(r"\d+", credentials.account_id):
            raise SettingsError("The LinkedIn page is named by its number, which has only digits.")
        version = api_version or VERSION
        if not re.fullmatch(r"20\d{2}(0[1-9]|1[0-2])", version):
            raise SettingsError(f"{version} is not a version of LinkedIn's API; they look like {VERSION}.")
        self.account_id = credentials.account_id
        self._author = f"urn:li:organization:{credentials.account_id}"
        self._secrets = dict(credentials.secrets)
        self._clock = clock
        self._site = base_url.rstrip("/") if base_url else _SITE
        self._stand_in = base_url
        self._session, adapter = make_session([_API, _SITE], base_url=base_url)
        self._headers = {
            "Authorization": f"Bearer {self._secrets['access_token']}",
            "LinkedIn-Version": version,
            "X-Restli-Protocol-Version": "2.0.0",
        }
        self._wire = Wire(platform=LABEL, adapter=adapter, secrets=self._secrets.values(), clock=clock)

    def validate(self, post: RenderedPost, media: Sequence[MediaItem] = ()) -> list[Violation]:
        """Every reason LinkedIn would refuse this; it counts the words as they are written on the wire."""
        return violations(LABEL, len(little_text(post.text)), LIMITS, post, media)

    def verify_credentials(self, *, deadline: Deadline | None = None) -> AccountIdentity:
        """Until when the token lasts, what it permits, and that it reaches the configured page."""
        operation = "verify_credentials"
        form = {
            "client_id": self._secrets["client_id"],
            "client_secret": self._secrets["client_secret"],
            "token": self._secrets["access_token"],
        }
        told = self._wire.call(
            operation, lambda: self._session.post(f"{_SITE}/oauth/v2/introspectToken", data=form), deadline=deadline
        )
        if not told.ok or "active" not in told.data:
            raise self._refusal(told, operation)
        if told.data["active"] is not True:
            raise self._error(AuthenticationFailed, told, operation, "the token is no longer active")
        roles = self._get(operation, "/rest/organizationAcls?q=roleAssignee&state=APPROVED", deadline=deadline)
        mine = {str(each.get("role")) for each in _listed(roles) if each.get("organization") == self._author}
        if not mine:
            raise self._error(AuthenticationFailed, roles, operation, "the token has no role on the configured page")
        if not mine & _MAY_POST:
            raise self._error(PermissionDenied, roles, operation, f"the token's role is {', '.join(sorted(mine))}")
        page = self._get(operation, f"/rest/organizations/{self.account_id}", deadline=deadline)
        ends = told.data.get("expires_at")
        return AccountIdentity(
            id=self.account_id,
            name=str(page.data.get("localizedName") or ""),
            scopes=frozenset(part for part in re.split(r"[,\s]+", str(told.data.get("scope") or "")) if part),
            expires_at=datetime.fromtimestamp(ends, UTC) if isinstance(ends, int) and ends > 0 else None,
        )

    def upload_media(self, media: MediaItem, *, deadline: Deadline | None = None) -> MediaHandle:
        """Hand over one picture; its description goes with the post that names it."""
        operation = "upload_media"
        order = {"initializeUploadRequest": {"owner": self._author}}
        begun = self._send(operation, "/rest/images?action=initializeUpload", order, deadline=deadline)
        value = begun.data.get("value")
        place, image = (
            (str(value.get(name, "")) for name in ("uploadUrl", "image")) if isinstance(value, dict) else "  "
        )
        # the token goes to LinkedIn's own address and nowhere else, whatever an answer says
        if not begun.ok or not place.startswith(f"{_SITE}/") or not image.startswith("urn:li:image:"):
            raise self._refusal(begun, operation)
        sent = self._wire.call(
            operation,
            lambda: self._session.put(
                place, data=media.data, headers={**self._headers, "Content-Type": media.mime}, allow_redirects=False
            ),
            deadline=deadline,
        )
        if not sent.ok:
            raise self._refusal(sent, operation)
        state = self._get(operation, f"/rest/images/{quote(image, safe='')}", deadline=deadline).data.get("status")
        if state in _UPLOADING or not state:
            raise self._error(PlatformUnavailable, sent, operation, f"the picture is {state}")
        return MediaHandle(image, alt=media.alt)

    def create_post(
        self, post: RenderedPost, media: Sequence[MediaHandle], *, deadline: Deadline | None = None
    ) -> PublishedPost:
        """Publish with exactly one `POST /rest/posts`."""
        pictures = [{"id": handle.id, **({"altText": handle.alt} if handle.alt else {})} for handle in media]
        body: dict[str, Any] = {
            "author": self._author,
            "commentary": little_text(post.text),
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        if len(pictures) == 1:
            body["content"] = {"media": pictures[0]}
        elif pictures:
            body["content"] = {"multiImage": {"images": pictures}}
        answer = self._send("create_post", "/rest/posts", body, publishes=True, deadline=deadline)
        post_id = answer.headers.get("x-restli-id", "")
        if answer.status == 201 and _URN.fullmatch(post_id):  # noqa: PLR2004 - "created"
            return PublishedPost(post_id, self._permalink(post_id))
        raise self._refusal(answer, "create_post", publishes=True)

    def get_post(self, post_id: str, *, deadline: Deadline | None = None) -> RemotePost:
        """Read one post back; PostNotFound when there is none."""
        answer = self._get("get_post", f"/rest/posts/{_path_of(post_id)}", deadline=deadline)
        return self._remote(answer.data, answer)

    def list_posts(self, *, since: datetime, deadline: Deadline | None = None) -> TimelinePage:
        """The page's posts since then. LinkedIn promises nothing of its listing: absence here proves nothing."""
        page = whole(lambda cursor: self.read_page(since=since, cursor=cursor, deadline=deadline), now=self._clock.now)
        newer = sorted((post for post in page.posts if post.created_at >= since), key=_age, reverse=True)
        return replace(page, posts=tuple(newer))

    def read_page(self, *, since: datetime, cursor: str = "", deadline: Deadline | None = None) -> ReadPage:
        """One part of the page's posts that were made or edited since then, the last to be edited first."""
        start = int(cursor or 0)
        query = f"author={quote(self._author, safe='')}&q=author&count={_PAGE}&start={start}"
        answer = self._get(
            "list_posts",
            f"/rest/posts?{query}&sortBy=LAST_MODIFIED",
            deadline=deadline,
            headers={"X-RestLi-Method": "FINDER"},
        )
        listed = answer.data.get("elements")
        if not isinstance(listed, list):
            raise self._error(PlatformUnavailable, answer, "list_posts")
        posts = tuple(self._remote(each, answer) for each in listed)
        over = len(listed) < _PAGE or _moment(listed[-1].get("lastModifiedAt") or 0) < since
        return ReadPage(posts, cursor="" if over else str(start + _PAGE))

    def queued_posts(self, *, deadline: Deadline | None = None) -> tuple[RemotePost, ...] | None:  # noqa: ARG002 - nobody is asked
        """LinkedIn tells no program what is scheduled on it."""
        return None

    def picture(self, name: str, *, deadline: Deadline | None = None) -> bytes:
        """The bytes of one picture, by the name that a reading gave it; LinkedIn tells the address for a while."""
        if not name.startswith("urn:li:image:"):
            raise PlatformUnavailable(platform=LABEL, operation="picture", detail="this is not the name of a picture")
        told = self._get("picture", f"/rest/images/{quote(name, safe='')}", deadline=deadline)
        return fetch_picture(
            str(told.data.get("downloadUrl") or ""),
            platform=LABEL,
            names=_PICTURES,
            clock=self._clock,
            base_url=self._stand_in,
            deadline=deadline,
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
        """Remove a post and read that it is gone. LinkedIn answers a second removal like the first, so we read before."""
        path = _path_of(post_id)
        try:
            self.get_post(post_id, deadline=deadline)
        except PostNotFound:
            return "already_absent"
        headers = {**self._headers, "X-RestLi-Method": "DELETE"}
        answer = self._wire.call(
            "delete_post",
            lambda: self._session.delete(f"{_API}/rest/posts/{path}", headers=headers),
            deadline=deadline,
        )
        if not answer.ok:
            raise self._refusal(answer, "delete_post")
        try:
            self.get_post(post_id, deadline=deadline)
        except PostNotFound:
            return "deleted"
        raise self._error(PlatformUnavailable, answer, "delete_post", "the post is still there")

    def told(self) -> Told:
        """What the platform told beside its answers since this was last asked."""
        return self._wire.told()

    def canonical_text(self, text: str) -> str:
        """The form in which a sent text and a read text are compared."""
        return comparable(text)

    def _permalink(self, post_id: str) -> str:
        return f"{self._site}/feed/update/{post_id}"

    def _get(
        self, operation: str, path: str, *, deadline: Deadline | None, headers: dict[str, str] | None = None
    ) -> Answer:
        answer = self._wire.call(
            operation,
            lambda: self._session.get(f"{_API}{path}", headers={**self._headers, **(headers or {})}),
            deadline=deadline,
        )
        if answer.ok and answer.data:
            return answer
        raise self._refusal(answer, operation)

    def _send(
        self, operation: str, path: str, body: dict[str, Any], *, publishes: bool = False, deadline: Deadline | None
    ) -> Answer:
        return self._wire.call(
            operation,
            lambda: self._session.post(f"{_API}{path}", json=body, headers=self._headers),
            publishes=publishes,
            deadline=deadline,
        )

    def _remote(self, read: Any, answer: Answer) -> RemotePost:
        try:
            content = read.get("content") or {}
            album = (content.get("multiImage") or {}).get("images") or []
            pictures = [content["media"]] if content.get("media") else album
            return RemotePost(
                id=str(read["id"]),
                text=readable(str(read.get("commentary") or "")),
                media_count=len(pictures),
                created_at=_moment(read["createdAt"]),
                permalink=self._permalink(str(read["id"])),
                alts=tuple(str(each.get("altText") or "") for each in pictures),
                author=str(read.get("author") or "").removeprefix("urn:li:organization:"),
                pictures=tuple(filter(None, (str(each.get("id") or "") for each in pictures))),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            # half a timeline must not pass for a whole one
            raise self._error(PlatformUnavailable, answer, "read_post", "a post in an unknown shape") from None

    def _refusal(self, answer: Answer, operation: str, *, publishes: bool = False) -> ChannelError:
        """The class of error for an answer that is not the success that was asked for."""
        said = f"{answer.data.get('message', '')} {answer.data.get('code', '')}"
        # only LinkedIn's own word counts; a conflict (409) asks to repeat, so it may have happened
        kind = (
            _BY_STATUS.get(answer.status) if any(name in answer.data for name in ("message", "code", "error")) else None
        )
        if kind is None:
            return self._error(OutcomeUnknown if publishes else PlatformUnavailable, answer, operation)
        if "VERSION_MISSING" in said:
            kind = UnsupportedApiVersion
        elif kind is ContentRejected and "duplicate" in said.lower():
            kind = DuplicateContent
        elif kind is PostNotFound and publishes:
            kind = ContentRejected  # what was named is gone: a picture
        return self._error(kind, answer, operation)

    def _error(self, kind: type[ChannelError], answer: Answer, operation: str, detail: str = "") -> ChannelError:
        said = str(answer.data.get("message") or "")
        code = answer.data.get("serviceErrorCode")
        named = _NAMED_URN.search(said)
        return kind(
            platform=LABEL,
            operation=operation,
            http_status=answer.status,
            code=code if isinstance(code, int) else None,
            detail=self._wire.scrub(detail or said or str(answer.data.get("code") or "")),
            request_id=answer.headers.get("x-li-uuid"),
            retry_at=self._midnight() if kind is RateLimited else None,
            existing_id=named[0] if named and kind is DuplicateContent else None,
        )

    def _midnight(self) -> datetime:
        """When LinkedIn's daily limits begin anew: midnight, UTC."""
        now = self._clock.now().astimezone(UTC)
        return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _listed(answer: Answer) -> list[dict[str, Any]]:
    elements = answer.data.get("elements")
    return [each for each in elements if isinstance(each, dict)] if isinstance(elements, list) else []


def _path_of(post_id: str) -> str:
    """The id as it stands in an address, when it is one; anything else would name another route."""
    if not _URN.fullmatch(post_id):
        raise PostNotFound(platform=LABEL, operation="get_post", detail="this is not the id of a post")
    return quote(post_id, safe="")


def _moment(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _age(post: RemotePost) -> tuple[datetime, int]:
    return post.created_at, int(post.id.rpartition(":")[2])


KIND = ChannelKind(
    kind=LinkedIn.kind,
    label=LABEL,
    limits=LIMITS,
    secrets=(
        SecretField("access_token", "Access token"),
        SecretField("client_id", "Client ID"),
        SecretField("client_secret", "Client secret"),
    ),
    build=LinkedIn,
)
