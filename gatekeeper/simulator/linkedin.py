"""LinkedIn's versioned API as Gatekeeper uses it: pictures by a two-step upload, posts told by a header, little text."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from gatekeeper.simulator.canned import linkedin_error
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.messages import Refused, Reply, Request, json_reply, look_at
from gatekeeper.simulator.pictures import picture_address
from gatekeeper.simulator.state import SimPost, SimVersion, State, moment

HOST, SITE_HOST = "api.linkedin.com", "www.linkedin.com"
_MOST_PIXELS = 36_152_320
_MOST_SIGNS = 3_000
_MOST_PICTURES = 20
_RESERVED = frozenset("\\|{}@[]()<>#*_~")
_TAG = re.compile(r"#\w*[^\W\d_]\w*")
_TEMPLATE = re.compile(r"\{hashtag\|\\?[#＃]\|((?:\\.|[^\\}])*)\}")
_POST_URN = r"urn:li:(?:share|ugcPost):\d+"
_WRITE, _READ = "w_organization_social", "r_organization_social"


@dataclass(frozen=True)
class _Route:
    method: str
    path: re.Pattern[str]
    answer: Callable[..., Reply]


class LinkedInApi:
    """Answers as LinkedIn would for one company page."""

    def __init__(self, config: SimulatorConfig, state: State) -> None:
        self._config, self._state = config, state
        self._owner = f"urn:li:organization:{config.linkedin_page_id}"
        self._routes = [
            _Route("POST", re.compile("/rest/images"), self._begin_upload),
            _Route("GET", re.compile(r"/rest/images/(urn:li:image:\d+)"), self._image),
            _Route("POST", re.compile("/rest/posts"), self._create),
            _Route("GET", re.compile("/rest/posts"), self._list),
            _Route("GET", re.compile(rf"/rest/posts/({_POST_URN})"), self._read),
            _Route("DELETE", re.compile(rf"/rest/posts/({_POST_URN})"), self._delete),
            _Route("GET", re.compile("/rest/organizationAcls"), self._roles),
            _Route("GET", re.compile(r"/rest/organizations/(\d+)"), self._page),
        ]

    def answer(self, request: Request) -> Reply:
        """Answer one request; the state is locked by the caller."""
        try:
            if request.host == SITE_HOST:
                return self._of_site(request)
            self._check_version(request)
            self._check_token(request)
            path = unquote(request.path)
            for route in self._routes:
                found = route.path.fullmatch(path)
                if found and route.method == request.method:
                    return route.answer(request, *found.groups())
        except Refused as refused:
            return refused.reply
        return linkedin_error(404, f"No virtual resource found for {request.path}")

    def _now(self) -> datetime:
        return self._config.clock.now()

    def _check_version(self, request: Request) -> None:
        version = request.headers.get("linkedin-version", "")
        if not version:
            raise Refused(
                linkedin_error(400, "A version must be present. Please specify a version.", code="VERSION_MISSING")
            )
        if not self._config.linkedin_oldest <= version <= self._config.linkedin_newest:
            raise Refused(linkedin_error(426, f"Requested version {version} is not active", code="NONEXISTENT_VERSION"))
        if request.headers.get("x-restli-protocol-version") != "2.0.0":
            raise Refused(linkedin_error(400, "Unsupported protocol version"))

    def _check_token(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self._config.linkedin_token}":
            raise Refused(linkedin_error(401, "Invalid access token", code="INVALID_ACCESS_TOKEN", service=65600))
        match self._state.known.linkedin_token:
            case "valid":
                return
            case "suspended":
                raise Refused(linkedin_error(403, "Not enough permissions", code="ACCESS_DENIED", service=100))
            case "expired":
                said = "The token used in the request has expired"
                raise Refused(linkedin_error(401, said, code="EXPIRED_ACCESS_TOKEN", service=65602))
            case _:
                said = "The token used in the request has been revoked by the user"
                raise Refused(linkedin_error(401, said, code="REVOKED_ACCESS_TOKEN", service=65601))

    def _need(self, scope: str) -> None:
        if scope not in self._config.linkedin_scopes:
            raise Refused(linkedin_error(403, f"Not enough permissions: {scope}", code="ACCESS_DENIED", service=100))

    def _of_site(self, request: Request) -> Reply:
        if (request.method, request.path) == ("POST", "/oauth/v2/introspectToken"):
            return self._introspect(request)
        found = re.fullmatch(r"/dms-uploads/(\d+)", request.path)
        if found and request.method == "PUT":
            self._check_token(request)
            return self._take_upload(request, f"urn:li:image:{found[1]}")
        return linkedin_error(404, "Not found")

    def _introspect(self, request: Request) -> Reply:
        config, asked = self._config, request.form
        if (asked.get("client_id"), asked.get("client_secret")) != (
            config.linkedin_client_id,
            config.linkedin_client_secret,
        ):
            return json_reply(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        known = self._state.known.linkedin_token
        if asked.get("token") != config.linkedin_token or known != "valid":
            return json_reply(200, {"active": False, "status": "expired" if known == "expired" else "revoked"})
        ends = self._now() + timedelta(days=config.linkedin_days)
        scope = ",".join(config.linkedin_scopes)
        return json_reply(
            200, {"active": True, "status": "active", "expires_at": int(ends.timestamp()), "scope": scope}
        )

    def _roles(self, request: Request) -> Reply:
        if request.query.get("q") != "roleAssignee":
            raise Refused(linkedin_error(400, "Unknown finder"))
        role = {"organization": self._owner, "role": self._config.linkedin_role, "state": "APPROVED"}
        return json_reply(200, {"elements": [role], "paging": {"start": 0, "count": 10, "total": 1}})

    def _page(self, _request: Request, number: str) -> Reply:
        if number != self._config.linkedin_page_id:
            raise Refused(linkedin_error(403, "Not enough permissions to access this page", code="ACCESS_DENIED"))
        return json_reply(200, {"id": int(number), "localizedName": self._config.linkedin_name})

    def _begin_upload(self, request: Request) -> Reply:
        self._need(_WRITE)
        if request.query.get("action") != "initializeUpload":
            raise Refused(linkedin_error(400, "Unknown action"))
        order = request.json
        owner = (order.get("initializeUploadRequest") or {}).get("owner") if isinstance(order, dict) else None
        if owner != self._owner:
            raise Refused(linkedin_error(403, "The owner is not a page of this token", code="ACCESS_DENIED"))
        number = self._state.next_id(self._now())
        self._state.known.linkedin_uploads.append(f"urn:li:image:{number}")
        self._state.save_known()
        value = {
            "uploadUrl": f"https://{SITE_HOST}/dms-uploads/{number}",
            "uploadUrlExpiresAt": int((self._now() + timedelta(hours=1)).timestamp() * 1000),
            "image": f"urn:li:image:{number}",
        }
        return json_reply(200, {"value": value})

    def _take_upload(self, request: Request, urn: str) -> Reply:
        picture = look_at(request.body)
        if urn not in self._state.known.linkedin_uploads:
            return linkedin_error(404, "There is no such upload")
        if picture is None or picture.mime not in {"image/jpeg", "image/png", "image/gif"}:
            return linkedin_error(400, "The picture cannot be read")
        if picture.size[0] * picture.size[1] >= _MOST_PIXELS:
            return linkedin_error(400, "The picture has too many pixels")
        self._state.known.linkedin_uploads.remove(urn)
        self._state.save_known()
        self._state.add_picture(
            kind="linkedin",
            account_id=self._config.linkedin_page_id,
            data=request.body,
            mime=picture.mime,
            size=picture.size,
            now=self._now(),
            picture_id=urn,
        )
        return Reply(201, b"", {})

    def _image(self, _request: Request, urn: str) -> Reply:
        if urn in self._state.known.linkedin_uploads:
            return json_reply(200, {"id": urn, "owner": self._owner, "status": "WAITING_UPLOAD"})
        if urn not in self._state.pictures:
            raise Refused(linkedin_error(404, "There is no such image"))
        told = {"id": urn, "owner": self._owner, "status": "AVAILABLE", "downloadUrl": picture_address("linkedin", urn)}
        return json_reply(200, told)

    def _create(self, request: Request) -> Reply:
        self._need(_WRITE)
        body = request.json
        wanted = {"visibility": "PUBLIC", "lifecycleState": "PUBLISHED", "author": self._owner}
        if not isinstance(body, dict) or any(body.get(name) != value for name, value in wanted.items()):
            raise Refused(linkedin_error(400, "The post is incomplete or not of this page"))
        commentary = body.get("commentary")
        if not isinstance(commentary, str) or len(commentary) > _MOST_SIGNS:
            raise Refused(linkedin_error(422, "com.linkedin.content.common.exception: commentary is too long"))
        pictures = self._named_pictures(body.get("content") or {})
        text = _understood(commentary)
        if not text.strip() and not pictures:
            raise Refused(linkedin_error(422, "A post needs a commentary or content"))
        if self._config.refuse_duplicates:
            for post in self._state.live("linkedin", self._now()):
                if text.strip() and post.text.strip() == text.strip():
                    raise Refused(linkedin_duplicate(post.id))
        for urn, alt in pictures:
            self._state.pictures[urn].alt = alt
            self._state.save_picture(self._state.pictures[urn])
        now = self._now()
        post_id = f"urn:li:share:{self._state.next_id(now)}"
        self._state.add_post(
            SimPost(
                id=post_id,
                kind="linkedin",
                account_id=self._config.linkedin_page_id,
                versions=[SimVersion(post_id, text, now.isoformat())],
                picture_ids=[urn for urn, _ in pictures],
                created_at=now.isoformat(),
            )
        )
        return Reply(201, b"", {"x-restli-id": post_id}, post_id)

    def _named_pictures(self, content: dict[str, Any]) -> list[tuple[str, str]]:
        album = (content.get("multiImage") or {}).get("images") or []
        listed = [content["media"]] if content.get("media") else album
        if "multiImage" in content and not 2 <= len(listed) <= _MOST_PICTURES:  # noqa: PLR2004 - one is "media"
            raise Refused(linkedin_error(422, "multiImage takes 2 to 20 images"))
        named = []
        for each in listed:
            urn = str(each.get("id", ""))
            picture = self._state.pictures.get(urn)
            if picture is None or picture.kind != "linkedin" or picture.post_id is not None:
                raise Refused(linkedin_error(422, "An image cannot be used"))
            named.append((urn, str(each.get("altText") or "")))
        return named

    def _list(self, request: Request) -> Reply:
        self._need(_READ)
        asked = request.query
        start, count = asked.get("start", "0"), asked.get("count", "10")
        if asked.get("q") != "author" or request.headers.get("x-restli-method", "").upper() != "FINDER":
            raise Refused(linkedin_error(400, "Unknown finder"))
        if asked.get("author") != self._owner or not (start.isdigit() and count.isdigit() and int(count) <= 100):  # noqa: PLR2004
            raise Refused(linkedin_error(400, "A parameter is not valid"))
        now = self._now()
        posts = [post for post in self._state.all_posts("linkedin") if post.is_listed(now)]
        posts.sort(key=lambda post: (moment(post.versions[-1].at), int(post.id.rpartition(":")[2])), reverse=True)
        page = posts[int(start) : int(start) + int(count)]
        paging = {"start": int(start), "count": int(count), "total": len(posts)}
        return json_reply(200, {"elements": [self._shape(post) for post in page], "paging": paging})

    def _read(self, _request: Request, urn: str) -> Reply:
        self._need(_READ)
        post = self._state.find_post(urn)
        if post is None or not post.is_live(self._now()):
            raise Refused(linkedin_error(404, "The post does not exist", code="NOT_FOUND"))
        return json_reply(200, self._shape(post))

    def _delete(self, request: Request, urn: str) -> Reply:
        self._need(_WRITE)
        if request.headers.get("x-restli-method", "").upper() != "DELETE":
            raise Refused(linkedin_error(400, "X-RestLi-Method is missing"))
        post = self._state.find_post(urn)
        if post is not None and post.deleted_at is None:
            post.deleted_at = self._now().isoformat()
            self._state.save_post(post)
        return Reply(204, b"", {})  # the same for a post that is gone already

    def _shape(self, post: SimPost) -> dict[str, Any]:
        told = [
            {"id": each.id, **({"altText": each.alt} if each.alt else {})} for each in self._state.pictures_of(post)
        ]
        created, changed = (int(moment(at).timestamp() * 1000) for at in (post.created_at, post.versions[-1].at))
        shape: dict[str, Any] = {
            "id": post.id,
            "author": self._owner,
            "commentary": _told(post.text),
            "createdAt": created,
            "publishedAt": created,
            "lastModifiedAt": changed,
            "visibility": "PUBLIC",
            "lifecycleState": "PUBLISHED",
            "lifecycleStateInfo": {"isEditedByAuthor": len(post.versions) > 1},
        }
        if len(told) == 1:
            shape["content"] = {"media": told[0]}
        elif told:
            shape["content"] = {"multiImage": {"images": told}}
        return shape


def linkedin_duplicate(post_id: str) -> Reply:
    """The refusal of words that the page has posted already; it names the post."""
    said = f"com.linkedin.content.common.exception.BadRequestResponseException: Content is a duplicate of {post_id}"
    return linkedin_error(
        422,
        said,
        errorDetails={"inputErrors": [{"description": "Duplicate post is detected", "code": "DUPLICATE_POST"}]},
    )


def _understood(commentary: str) -> str:
    """The words as LinkedIn keeps them: cut off, without a word of warning, at the first sign that is not escaped."""
    plain, at = [], 0
    while at < len(commentary):
        sign = commentary[at]
        template = _TEMPLATE.match(commentary, at)
        tag = _TAG.match(commentary, at)
        if sign == "\\" and commentary[at + 1 : at + 2] in _RESERVED:
            plain.append(commentary[at + 1])
            at += 2
        elif template:
            plain.append("#" + re.sub(r"\\(.)", r"\1", template[1]))
            at = template.end()
        elif tag:
            plain.append(tag[0])
            at = tag.end()
        elif sign in _RESERVED:
            break
        else:
            plain.append(sign)
            at += 1
    return "".join(plain)


def _told(text: str) -> str:
    """The words as LinkedIn reads them back."""

    def escaped(words: str) -> str:
        return "".join("\\" + sign if sign in _RESERVED else sign for sign in words)

    told, last = [], 0
    for found in _TAG.finditer(text):
        told += [escaped(text[last : found.start()]), f"{{hashtag|\\#|{escaped(found[0][1:])}}}"]
        last = found.end()
    return "".join([*told, escaped(text[last:])])
