"""The Graph API as Gatekeeper uses it: tokens and proofs, photos that go live unless told not to, Page posts."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gatekeeper.simulator.canned import graph_error, graph_missing
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.messages import Refused, Reply, Request, json_reply, look_at
from gatekeeper.simulator.pictures import picture_address
from gatekeeper.simulator.state import SimPicture, SimPost, SimVersion, State, moment

HOST = "graph.facebook.com"
_PHOTO_BYTES = 10_000_000
_PAGE = 25
_ATTACHED = re.compile(r"attached_media\[(\d+)\]")
_WRITE = "pages_manage_posts"
_READ = "pages_read_engagement"


@dataclass(frozen=True)
class _Asked:
    """A request after its version, token and proof were found to be right."""

    request: Request
    params: dict[str, str]
    app_itself: bool


class GraphApi:
    """Answers as graph.facebook.com would for one Page."""

    def __init__(self, config: SimulatorConfig, state: State) -> None:
        self._config = config
        self._state = state
        self._used: tuple[datetime, int] = (config.clock.now(), 0)
        page = re.escape(config.facebook_page_id)
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Reply]]] = [
            ("POST", re.compile(f"{page}/photos"), self._photo),
            ("POST", re.compile(f"{page}/feed"), self._feed),
            ("GET", re.compile(f"{page}/(published_posts|feed|scheduled_posts)"), self._list),
            ("GET", re.compile("debug_token"), self._debug_token),
            ("GET", re.compile(f"(?:me|{page})"), self._page),
            ("GET", re.compile(r"(\d+_\d+)"), self._read_post),
            ("GET", re.compile(r"(\d+)"), self._read_photo),
            ("DELETE", re.compile(r"(\d+_\d+)"), self._delete),
            ("DELETE", re.compile(r"(\d+)"), self._delete_photo),
        ]

    def answer(self, request: Request) -> Reply:
        """Answer one request; the state is locked by the caller."""
        try:
            path = self._unversioned(request.path)
            asked = self._check_allowed(request)
            self._count()
            reply = self._route(asked, path)
        except Refused as refused:
            reply = refused.reply
        _, used = self._used
        percent = min(100, 100 * used // self._config.graph_calls_per_hour)
        usage = {
            self._config.facebook_page_id: [
                {
                    "type": "pages",
                    "call_count": percent,
                    "total_cputime": 0,
                    "total_time": 0,
                    "estimated_time_to_regain_access": 60 if percent >= 100 else 0,  # noqa: PLR2004 - of a hundred
                }
            ]
        }
        headers = {
            "facebook-api-version": f"v{self._config.graph_newest}.0",
            "x-fb-trace-id": "A1",
            "X-App-Usage": json.dumps({"call_count": percent, "total_time": 0, "total_cputime": 0}),
            "X-Business-Use-Case-Usage": json.dumps(usage),
        }
        return replace(reply, headers={**headers, **reply.headers})

    def _now(self) -> datetime:
        return self._config.clock.now()

    def _unversioned(self, path: str) -> str:
        """The path behind the version. The platform itself is said to fall forward silently; here an old one shows."""
        found = re.fullmatch(r"/v(\d+)\.(\d+)/(.+)", path)
        if found is None or not self._config.graph_oldest <= int(found[1]) <= self._config.graph_newest:
            raise Refused(
                graph_error(
                    "(#2635) You are calling a deprecated version of the API. Please update to the latest version.",
                    2635,
                )
            )
        return found[3]

    def _check_allowed(self, request: Request) -> _Asked:
        params = {**request.query, **request.form}
        header = request.headers.get("authorization", "")
        bearer = header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""
        token = params.get("access_token") or bearer
        config = self._config
        app_token = f"{config.facebook_app_id}|{config.facebook_app_secret}"
        if not token:
            raise Refused(graph_error("An active access token must be used to query information.", 2500))
        if token not in {config.facebook_token, app_token}:
            raise Refused(graph_error(f"Malformed access token {token}", 190))
        if token == config.facebook_token and self._state.known.facebook_token != "valid":  # noqa: S105 - a state
            subcode = {"expired": 463, "revoked": 458, "suspended": 459}.get(self._state.known.facebook_token, 467)
            raise Refused(graph_error("Error validating access token: Session has expired.", 190, subcode=subcode))
        proof = params.get("appsecret_proof")
        if proof is None:
            message = "API calls from the server require an appsecret_proof argument"
            raise Refused(graph_error(message, 100, kind="GraphMethodException"))
        wanted = hmac.new(config.facebook_app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(proof.encode(), wanted.encode()):
            message = "Invalid appsecret_proof provided in the API argument"
            raise Refused(graph_error(message, 100, kind="GraphMethodException"))
        return _Asked(request, params, token == app_token)

    def _count(self) -> None:
        started, used = self._used
        if self._now() - started >= timedelta(hours=1):
            started, used = self._now(), 0
        self._used = (started, used + 1)
        if used >= self._config.graph_calls_per_hour:
            raise Refused(graph_error("(#32) Page request limit reached", 32))

    def _route(self, asked: _Asked, path: str) -> Reply:
        for method, pattern, answer in self._routes:
            found = pattern.fullmatch(path)
            if found and method == asked.request.method:
                if asked.app_itself and path != "debug_token":
                    raise Refused(graph_error("(#200) This call needs a Page access token.", 200))
                return answer(asked, *found.groups())
        return graph_missing(path)

    def _need(self, scope: str) -> None:
        if scope not in self._config.facebook_scopes:
            code = 200 if scope == _WRITE else 10
            raise Refused(graph_error(f"(#{code}) This endpoint requires the '{scope}' permission", code))

    def _photo(self, asked: _Asked) -> Reply:
        self._need(_WRITE)
        part = asked.request.files.get("source")
        picture = look_at(part.data) if part else None
        if part is None or picture is None or picture.mime not in {"image/jpeg", "image/png"}:
            raise Refused(graph_error("(#324) Missing or invalid image file", 324))
        if len(part.data) >= _PHOTO_BYTES:
            raise Refused(graph_error("(#100) Photos should be smaller than 10 MB", 100))
        kept = self._state.add_picture(
            kind="facebook",
            account_id=self._config.facebook_page_id,
            data=part.data,
            mime=picture.mime,
            size=picture.size,
            now=self._now(),
            alt=asked.params.get("alt_text_custom", ""),
        )
        if asked.params.get("published") == "false":
            return json_reply(200, {"id": kept.id})
        # anything but exactly "false" (also "False", which Python's own str() makes) and the world sees it at once
        post = self._new_post(asked.params.get("message", ""), [kept.id])
        return json_reply(200, {"id": kept.id, "post_id": post.id}, created=post.id)

    def _feed(self, asked: _Asked) -> Reply:
        self._need(_WRITE)
        text = asked.params.get("message", "")
        ids = self._attached(asked.params)
        if not text.strip() and not ids:
            raise Refused(graph_error("(#100) Missing message or attachment", 100))
        published = asked.params.get("published", "true") != "false"
        due = asked.params.get("scheduled_publish_time", "")
        live = self._state.live("facebook", self._now())
        same = bool(text.strip() and live and live[-1].text.strip() == text.strip())
        if published and same and self._config.refuse_duplicates:
            raise Refused(graph_error("(#506) Duplicate status message", 506))
        post = self._new_post(text, ids, published=published, due=int(due) if due.isdigit() else None)
        return json_reply(200, {"id": post.id}, created=post.id)

    def _attached(self, params: dict[str, str]) -> list[str]:
        numbered = [(int(found[1]), params[name]) for name in params if (found := _ATTACHED.fullmatch(name))]
        ids = []
        for _, value in sorted(numbered):
            try:
                picture = self._state.pictures[str(json.loads(value)["media_fbid"])]
            except (ValueError, TypeError, KeyError):
                raise Refused(graph_error("(#100) Invalid parameter: attached_media", 100)) from None
            if picture.kind != "facebook" or picture.account_id != self._config.facebook_page_id:
                raise Refused(graph_error("(#100) Invalid parameter: attached_media", 100))
            if picture.post_id is not None or picture.id in ids:
                raise Refused(graph_error("(#100) These photos were already posted.", 100, subcode=1366051))
            ids.append(picture.id)
        return ids

    def _new_post(self, text: str, ids: list[str], *, published: bool = True, due: int | None = None) -> SimPost:
        now = self._now()
        post_id = f"{self._config.facebook_page_id}_{self._state.next_id(now)}"
        post = SimPost(
            id=post_id,
            kind="facebook",
            account_id=self._config.facebook_page_id,
            versions=[SimVersion(post_id, text, now.isoformat())],
            picture_ids=ids,
            created_at=now.isoformat(),
            published=published,
            scheduled_for=None if published or due is None else datetime.fromtimestamp(due, UTC).isoformat(),
            application=self._config.facebook_app_id,
        )
        return self._state.add_post(post)

    def _list(self, asked: _Asked, edge: str) -> Reply:
        self._need(_READ)
        if edge == "feed":
            self._need("pages_read_user_content")
        limit, since = asked.params.get("limit", str(_PAGE)), asked.params.get("since", "0")
        skip = asked.params.get("after", "0")
        if not (limit.isdigit() and 1 <= int(limit) <= 100 and since.isdigit() and skip.isdigit()):  # noqa: PLR2004
            raise Refused(graph_error("(#100) Invalid parameter", 100))
        now = self._now()
        everything = [post for post in reversed(self._state.all_posts("facebook")) if post.deleted_at is None]
        if edge == "scheduled_posts":
            posts = [post for post in everything if post.scheduled_for and not post.is_live(now)]
        else:
            whole = edge == "feed"  # this edge tells unpublished posts too, and what visitors wrote on the page
            posts = [post for post in everything if post.is_listed(now) or (whole and not post.is_live(now))]
            posts = [post for post in posts if whole or not post.author_id]
        posts = [post for post in posts if moment(post.created_at).timestamp() >= int(since)]
        page = posts[int(skip) : int(skip) + int(limit)]
        body: dict[str, Any] = {"data": [self._shape(asked, post) for post in page]}
        if page:
            end = str(int(skip) + len(page))
            body["paging"] = {"cursors": {"before": skip, "after": end}}
            if len(posts) > int(end):
                body["paging"]["next"] = f"https://{HOST}{asked.request.path}?after={end}&limit={limit}"
        return json_reply(200, body)

    def _read_post(self, asked: _Asked, post_id: str) -> Reply:
        self._need(_READ)
        post = self._state.find_post(post_id)
        if post is None or post.kind != "facebook" or post.deleted_at is not None:
            return graph_missing(post_id)
        return json_reply(200, self._shape(asked, post))

    def _read_photo(self, asked: _Asked, photo_id: str) -> Reply:
        self._need(_READ)
        picture = self._state.pictures.get(photo_id)
        if picture is None or picture.kind != "facebook":
            return graph_missing(photo_id)
        told = {"id": picture.id, "alt_text_custom": picture.alt, "width": picture.width, "height": picture.height}
        fields = asked.params.get("fields", "id").split(",")
        return json_reply(200, {name: value for name, value in told.items() if name in {"id", *fields}})

    def _shape(self, asked: _Asked, post: SimPost) -> dict[str, Any]:
        created = moment(post.created_at).astimezone(UTC)
        config = self._config
        shape: dict[str, Any] = {
            "id": post.id,
            "created_time": f"{created:%Y-%m-%dT%H:%M:%S}+0000",
            "is_published": post.is_live(self._now()),
            "is_hidden": False,
            "permalink_url": f"https://www.facebook.com/{post.id}",
        }
        shape["from"] = {"id": post.author_id or config.facebook_page_id}
        if post.scheduled_for and not post.is_live(self._now()):
            shape["scheduled_publish_time"] = int(moment(post.scheduled_for).timestamp())
        if post.text:
            shape["message"] = post.text
        if post.application:
            shape["application"] = {"id": post.application, "name": config.facebook_app_name}
        pictures = list(self._state.pictures_of(post))
        if len(pictures) == 1:
            shape["attachments"] = {"data": [_attachment(pictures[0])]}
        elif pictures:
            album = {"media_type": "album", "type": "album", "target": {"id": post.id}}
            shape["attachments"] = {"data": [{**album, "subattachments": {"data": [*map(_attachment, pictures)]}}]}
        # a field that is not asked for is not told
        fields = asked.params.get("fields", "id,message,created_time")
        while "{" in fields and (outer := re.sub(r"\{[^{}]*\}", "", fields)) != fields:
            fields = outer
        return {name: value for name, value in shape.items() if name in {"id", *fields.split(",")}}

    def _delete(self, _asked: _Asked, post_id: str) -> Reply:
        self._need(_WRITE)
        post = self._state.find_post(post_id)
        if post is None or post.kind != "facebook" or post.deleted_at is not None:
            return graph_missing(post_id)
        post.deleted_at = self._now().isoformat()
        self._state.save_post(post)
        return json_reply(200, {"success": True})

    def _delete_photo(self, _asked: _Asked, photo_id: str) -> Reply:
        self._need(_WRITE)
        picture = self._state.pictures.get(photo_id)
        if picture is None or picture.kind != "facebook":
            return graph_missing(photo_id)
        post = self._state.find_post(picture.post_id) if picture.post_id is not None else None
        if post is not None and post.deleted_at is None:
            raise Refused(graph_error("(#200) This photo is part of a post.", 200))
        self._state.drop_picture(photo_id)
        return json_reply(200, {"success": True})

    def _page(self, _asked: _Asked) -> Reply:
        return json_reply(200, {"id": self._config.facebook_page_id, "name": self._config.facebook_name})

    def _debug_token(self, asked: _Asked) -> Reply:
        if not asked.app_itself:
            raise Refused(graph_error("(#100) You must provide an app access token", 100))
        config = self._config
        valid = asked.params.get("input_token") == config.facebook_token and self._state.known.facebook_token == "valid"  # noqa: S105
        told: dict[str, Any] = {
            "app_id": config.facebook_app_id,
            "type": "PAGE",
            "is_valid": valid,
            "expires_at": 0,
            "data_access_expires_at": int((self._now() + timedelta(days=90)).timestamp()),
            "issued_at": int(self._now().timestamp()),
            "scopes": list(config.facebook_scopes),
            "profile_id": config.facebook_page_id,
        }
        return json_reply(200, {"data": told})


def _attachment(picture: SimPicture) -> dict[str, Any]:
    image = {"src": picture_address("facebook", picture.id), "width": picture.width, "height": picture.height}
    return {"media_type": "photo", "type": "photo", "media": {"image": image}, "target": {"id": picture.id}}
