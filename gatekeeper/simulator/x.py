"""X's API v2 as Gatekeeper uses it: signatures, limits, media, posts, timelines."""

import base64
import binascii
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gatekeeper.simulator.canned import canned, x_forbidden, x_invalid, x_not_found, x_problem, x_unauthorized
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.links import store
from gatekeeper.simulator.messages import Refused, Reply, Request, json_reply, look_at
from gatekeeper.simulator.pictures import picture_address
from gatekeeper.simulator.signing import SignatureCheck
from gatekeeper.simulator.state import SimPost, SimVersion, State, moment

HOST = "api.twitter.com"
_MEDIA_LIFE_S = 86_400
_MEDIA_BYTES = 5_000_000
_PNG_BYTES = 2_700_000  # larger ones are taken in, and refused when a post names them
_MIMES = {"image/jpeg", "image/png", "image/webp", "image/gif"}
_WEIGHT = 280
_ALT = 1_000
_IMAGES = 4
_DUPLICATE_FOR = timedelta(hours=24)
_KNOWN_FIELDS = {"text", "media", "reply_settings", "made_with_ai"}


@dataclass(frozen=True)
class _Route:
    method: str
    path: re.Pattern[str]
    limit: str
    answer: Callable[..., Reply]
    writes: bool


class XApi:
    """Answers as api.twitter.com would."""

    def __init__(self, config: SimulatorConfig, state: State) -> None:
        self._config = config
        self._state = state
        self._signature = SignatureCheck(
            config.x_consumer_key,
            config.x_consumer_secret,
            config.x_access_token,
            config.x_access_token_secret,
            config.signing_window_s,
        )
        self._used: dict[str, tuple[datetime, int]] = {}
        self._routes = [
            _Route("POST", re.compile(r"/2/media/upload"), "upload", self._upload, writes=True),
            _Route("POST", re.compile(r"/2/media/metadata"), "metadata", self._describe, writes=True),
            _Route("POST", re.compile(r"/2/tweets"), "create", self._create, writes=True),
            _Route("GET", re.compile(r"/2/users/me"), "me", self._me, writes=False),
            _Route("GET", re.compile(r"/2/tweets/(\d+)"), "lookup", self._lookup, writes=False),
            _Route("GET", re.compile(r"/2/users/(\d+)/tweets"), "timeline", self._timeline, writes=False),
            _Route("DELETE", re.compile(r"/2/tweets/(\d+)"), "delete", self._delete, writes=True),
        ]

    def answer(self, request: Request) -> Reply:
        """Answer one request; the state is locked by the caller."""
        if (request.method, request.path) == ("POST", "/2/oauth2/token"):
            return self._refresh(request)
        for route in self._routes:
            found = route.path.fullmatch(request.path)
            if found and route.method == request.method:
                limits: dict[str, str] = {}
                try:
                    self._check_allowed(request, route)
                    limits = self._count(route.limit)
                    reply = route.answer(request, *found.groups())
                except Refused as refused:
                    reply = refused.reply
                level = {"x-access-level": self._config.x_access_level}
                return replace(reply, headers={**limits, **level, **reply.headers})
        return x_problem(404, "Not Found", "Not Found")

    def _now(self) -> datetime:
        return self._config.clock.now()

    def _check_allowed(self, request: Request, route: _Route) -> None:
        authorization = request.headers.get("authorization", "")
        token_state = self._state.known.x_token
        if authorization.startswith("Bearer "):
            live = self._state.known.oauth2.get("access")
            known = live is not None and secrets.compare_digest(
                authorization.removeprefix("Bearer ").encode(), live.encode()
            )
        else:
            known = self._signature.accepts(request, self._config.signing_clock.now())
        if not known or token_state in {"expired", "revoked"}:
            raise Refused(x_unauthorized())
        if token_state == "suspended":  # noqa: S105 - a state, not a secret
            raise Refused(canned("x.suspended", self._now()))
        if route.writes and "write" not in self._config.x_access_level:
            raise Refused(
                x_forbidden(
                    "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.",
                    "https://api.twitter.com/2/problems/oauth1-permissions",
                )
            )
        if not self._config.x_credit:
            raise Refused(canned("x.402", self._now()))

    def _count(self, limit: str) -> dict[str, str]:
        allowed = self._config.x_limits[limit]
        started, used = self._used.get(limit, (self._now(), 0))
        if self._now() - started >= timedelta(minutes=15):
            started, used = self._now(), 0
        self._used[limit] = (started, used + 1)
        told = {
            "x-rate-limit-limit": str(allowed),
            "x-rate-limit-remaining": str(max(0, allowed - used - 1)),
            "x-rate-limit-reset": str(int((started + timedelta(minutes=15)).timestamp())),
        }
        if used >= allowed:
            over = canned("x.429", self._now())
            raise Refused(replace(over, headers={**over.headers, **told}))
        return told

    def _me(self, _request: Request) -> Reply:
        config = self._config
        return json_reply(
            200, {"data": {"id": config.x_account_id, "name": config.x_name, "username": config.x_handle}}
        )

    def _upload(self, request: Request) -> Reply:
        if request.mime == "multipart/form-data":
            part = request.files.get("media")
            data = part.data if part else b""
            category = request.form.get("media_category")
        else:
            body = request.json if isinstance(request.json, dict) else {}
            category = body.get("media_category")
            try:
                data = base64.b64decode(str(body.get("media", "")), validate=True)
            except binascii.Error:
                data = b""
        picture = look_at(data)
        if category != "tweet_image" or picture is None or picture.mime not in _MIMES or len(data) > _MEDIA_BYTES:
            return x_invalid("media", "The media could not be processed.")
        kept = self._state.add_picture(
            kind="x",
            account_id=self._config.x_account_id,
            data=data,
            mime=picture.mime,
            size=picture.size,
            now=self._now(),
        )
        image = {"image_type": kept.mime, "w": kept.width, "h": kept.height}
        told = {"id": kept.id, "media_key": f"3_{kept.id}", "size": kept.size, "expires_after_secs": _MEDIA_LIFE_S}
        return json_reply(200, {"data": {**told, "image": image}})

    def _describe(self, request: Request) -> Reply:
        body = request.json if isinstance(request.json, dict) else {}
        try:
            text = body["metadata"]["alt_text"]["text"]
            picture = self._state.pictures[str(body["id"])]
        except (KeyError, TypeError):
            return x_invalid("id", "The media or its metadata is not valid.")
        if not isinstance(text, str) or not 0 < len(text) <= _ALT or not self._usable(picture.id):
            return x_invalid("metadata.alt_text.text", f"alt_text must be 1 to {_ALT} characters.")
        picture.alt = text
        self._state.save_picture(picture)
        return json_reply(200, {"data": {"id": picture.id, "associated_metadata": {"alt_text": {"text": text}}}})

    def _usable(self, media_id: str) -> bool:
        picture = self._state.pictures.get(media_id)
        if picture is None or picture.kind != "x" or picture.account_id != self._config.x_account_id:
            return False
        fresh = self._now() - moment(picture.created_at) < timedelta(seconds=_MEDIA_LIFE_S)
        return fresh and not (picture.mime == "image/png" and picture.size > _PNG_BYTES)

    def _create(self, request: Request) -> Reply:
        text, ids = self._wanted(request.json)
        now = self._now()
        post_id = self._state.next_id(now)
        post = SimPost(
            id=post_id,
            kind="x",
            account_id=self._config.x_account_id,
            versions=[SimVersion(post_id, text, now.isoformat())],
            picture_ids=ids,
            created_at=now.isoformat(),
        )
        self._state.add_post(post)
        told = {"id": post_id, "text": self._stored(post, 0).text, "edit_history_tweet_ids": [post_id]}
        return json_reply(201, {"data": told}, created=post_id)

    def _wanted(self, body: Any) -> tuple[str, list[str]]:
        """The text and the media of an acceptable new post; Refused otherwise."""
        from gatekeeper.text.weight import x_weight

        if not isinstance(body, dict) or set(body) - _KNOWN_FIELDS or not isinstance(body.get("text", ""), str):
            raise Refused(x_invalid("text", "The body is not what this route expects."))
        text: str = body.get("text", "")
        ids: Any = []
        if "media" in body:
            ids = body["media"].get("media_ids") if isinstance(body["media"], dict) else None
            named = isinstance(ids, list) and all(isinstance(each, str) and self._usable(each) for each in ids)
            if not named or not 1 <= len(set(ids)) == len(ids) <= _IMAGES:
                raise Refused(x_invalid("media.media_ids", "Your media IDs are invalid."))
        if not text.strip() and not ids:
            raise Refused(x_invalid("text", "A post needs text or media."))
        if x_weight(text) > _WEIGHT:
            raise Refused(x_forbidden("Your Tweet text is too long. For more information, see the documentation."))
        if self._config.refuse_duplicates and self._is_duplicate(text):
            raise Refused(x_forbidden("You are not allowed to create a Tweet with duplicate content."))
        return text, ids

    def _is_duplicate(self, text: str) -> bool:
        now = self._now()
        return bool(text.strip()) and any(
            post.text.strip() == text.strip() and now - moment(post.created_at) < _DUPLICATE_FOR
            for post in self._state.live("x", now)
        )

    def _stored(self, post: SimPost, index: int) -> Any:
        keys = [f"3_{each}" for each in post.picture_ids]
        return store(post.versions[index].text, post_id=post.versions[index].id, media_keys=keys)

    def _lookup(self, request: Request, post_id: str) -> Reply:
        post = self._state.find_post(post_id)
        if post is None or post.kind != "x" or not post.is_live(self._now()):
            return json_reply(200, {"errors": [x_not_found(post_id)]})
        index = next(i for i, version in enumerate(post.versions) if version.id == post_id)
        return json_reply(200, {"data": self._shape(request, post, index), **self._includes(request, [post])})

    def _timeline(self, request: Request, account_id: str) -> Reply:
        if account_id != self._config.x_account_id:
            return json_reply(200, {"meta": {"result_count": 0}})
        query = request.query
        size = query.get("max_results", "10")
        if not size.isdigit() or not 5 <= int(size) <= 100:  # noqa: PLR2004 - what X allows
            return x_invalid("max_results", "The `max_results` query parameter value is not between 5 and 100.")
        try:
            start = (
                datetime.fromisoformat(query["start_time"])
                if "start_time" in query
                else datetime.min.replace(tzinfo=UTC)
            )
            since_id = int(query.get("since_id", "0"))
            skip = int(query.get("pagination_token", "0"))
        except ValueError:
            return x_invalid("start_time", "A parameter cannot be read.")
        now = self._now()
        listed = [
            post
            for post in reversed(self._state.all_posts("x"))
            if post.is_listed(now) and moment(post.versions[-1].at) >= start and int(post.versions[-1].id) > since_id
        ]
        page = listed[skip : skip + int(size)]
        if not page:
            return json_reply(200, {"meta": {"result_count": 0}})
        meta: dict[str, object] = {
            "result_count": len(page),
            "newest_id": page[0].versions[-1].id,
            "oldest_id": page[-1].versions[-1].id,
        }
        if len(listed) > skip + len(page):
            meta["next_token"] = str(skip + len(page))
        data = [self._shape(request, post, -1) for post in page]
        return json_reply(200, {"data": data, **self._includes(request, page), "meta": meta})

    def _shape(self, request: Request, post: SimPost, index: int) -> dict[str, object]:
        fields = set(request.query.get("tweet.fields", "").split(","))
        version, stored = post.versions[index], self._stored(post, index)
        shape: dict[str, object] = {
            "id": version.id,
            "text": stored.text,
            "edit_history_tweet_ids": [each.id for each in post.versions],
        }
        if "author_id" in fields:
            shape["author_id"] = post.author_id or post.account_id
        if "created_at" in fields:
            at = moment(version.at).astimezone(UTC)
            shape["created_at"] = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
        if "attachments" in fields and post.picture_ids:
            shape["attachments"] = {"media_keys": [f"3_{each}" for each in post.picture_ids]}
        if "entities" in fields and stored.urls:
            shape["entities"] = {"urls": stored.urls}
        return shape

    def _includes(self, request: Request, posts: list[SimPost]) -> dict[str, object]:
        pictures = [picture for post in posts for picture in self._state.pictures_of(post)]
        if "attachments.media_keys" not in request.query.get("expansions", "").split(",") or not pictures:
            return {}
        alt = "alt_text" in request.query.get("media.fields", "").split(",")
        url = "url" in request.query.get("media.fields", "").split(",")
        told = [
            {
                "media_key": f"3_{each.id}",
                "type": "photo",
                **({"alt_text": each.alt} if alt and each.alt else {}),
                **({"url": picture_address("x", each.id)} if url else {}),
            }
            for each in pictures
        ]
        return {"includes": {"media": told}}

    def _delete(self, _request: Request, post_id: str) -> Reply:
        post = self._state.find_post(post_id)
        if post is None or post.kind != "x" or post.deleted_at is not None:
            return x_problem(404, "Not Found", f"Could not find tweet with id: [{post_id}].")
        post.deleted_at = self._now().isoformat()
        self._state.save_post(post)
        return json_reply(200, {"data": {"deleted": True}})

    def _refresh(self, request: Request) -> Reply:
        known = self._state.known
        live = known.oauth2.get("refresh", self._config.x_refresh_token)
        offered = request.form.get("refresh_token", "")
        if request.form.get("grant_type") != "refresh_token" or not secrets.compare_digest(
            offered.encode(), live.encode()
        ):
            description = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
            return json_reply(400, description)
        known.oauth2 = {"access": secrets.token_urlsafe(24), "refresh": secrets.token_urlsafe(24)}
        self._state.save_known()
        told = {"token_type": "bearer", "expires_in": 7200, "scope": "tweet.read tweet.write users.read media.write"}
        return json_reply(
            200, {**told, "access_token": known.oauth2["access"], "refresh_token": known.oauth2["refresh"]}
        )
