"""The routes under `/_sim/`, with which a demo or a test looks into the platforms and makes things go wrong.

They answer on the computer's own name only and take JSON only, so that no page in a browser can reach them.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from gatekeeper.errors import BadInput
from gatekeeper.simulator.canned import canned
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.faults import Faults
from gatekeeper.simulator.messages import Reply, Request, json_reply, look_at
from gatekeeper.simulator.state import SimPost, SimVersion, State

_KINDS = ("x", "facebook", "linkedin")
_ANY_KIND = "x, facebook or linkedin"
_TOKEN_STATES = ("valid", "expired", "revoked", "suspended")


class Control:
    """Answers the control routes; also called directly by tests that hold the simulator in their own process."""

    def __init__(self, config: SimulatorConfig, state: State, faults: Faults) -> None:
        self._config = config
        self._state = state
        self._faults = faults
        self._routes: dict[tuple[str, str], Callable[[Any], object]] = {
            ("GET", "/_sim/health"): lambda _body: {"ok": True},
            ("GET", "/_sim/state"): lambda _body: self._state.dump(self._config.clock.now()),
            ("GET", "/_sim/requests"): lambda _body: self._state.requests,
            ("GET", "/_sim/faults"): lambda _body: [asdict(fault) for fault in self._faults.waiting()],
            ("POST", "/_sim/faults"): self.order_fault,
            ("DELETE", "/_sim/faults"): self._clear_faults,
            ("POST", "/_sim/external_post"): self.external_post,
            ("POST", "/_sim/edit_post"): self.edit_post,
            ("POST", "/_sim/delete_post"): self.delete_post,
            ("POST", "/_sim/token"): self.set_token,
            ("POST", "/_sim/reset"): self._reset,
        }

    def answer(self, request: Request) -> Reply:
        """Answer one control request; the state is locked by the caller."""
        if request.method == "POST" and request.mime != "application/json":
            return json_reply(415, {"error": "Send JSON."})
        route = self._routes.get((request.method, request.path))
        if route is None:
            return json_reply(404, {"error": "There is no such control route."})
        body = request.json if request.body else {}
        if not isinstance(body, dict):
            return json_reply(400, {"error": "The body must be a JSON object."})
        try:
            return json_reply(200, route(body))
        except BadInput as err:
            return json_reply(400, {"error": str(err)})

    def order_fault(self, order: dict[str, Any]) -> dict[str, Any]:
        """Spoil coming requests."""
        name = order.get("canned")
        if name:
            try:
                canned(str(name), self._config.clock.now())
            except KeyError:
                raise BadInput(f"There is no canned failure called {name!r}.") from None
        return asdict(self._faults.add(order))

    def external_post(self, order: dict[str, Any]) -> dict[str, Any]:
        """Somebody posts by hand, past the gatekeeper; `images` are base64.

        On Facebook `queued_for` (seconds from now) schedules it there, and `author` is a visitor who writes on the Page.
        """
        kind, text = order.get("kind"), order.get("text", "")
        if kind not in _KINDS or not isinstance(text, str):
            raise BadInput(f"An external post needs a kind ({_ANY_KIND}) and a text.")
        queued, author = order.get("queued_for"), str(order.get("author", ""))
        if (queued is not None or author) and (kind != "facebook" or not isinstance(queued, int | None)):
            raise BadInput(
                "Only Facebook is simulated with posts by visitors and with posts scheduled on it, in seconds."
            )
        now = self._config.clock.now()
        account = self._config.credentials(str(kind)).account_id
        pictures = [self._picture(str(kind), account, str(image)) for image in order.get("images", [])]
        number = self._state.next_id(now)
        post_id = {"x": number, "facebook": f"{account}_{number}", "linkedin": f"urn:li:share:{number}"}[str(kind)]
        post = SimPost(
            id=post_id,
            kind=str(kind),
            account_id=account,
            versions=[SimVersion(post_id, text, now.isoformat())],
            picture_ids=pictures,
            created_at=now.isoformat(),
            published=queued is None,
            scheduled_for=None if queued is None else (now + timedelta(seconds=queued)).isoformat(),
            application=str(order.get("application", "")),
            author_id=author,
        )
        return asdict(self._state.add_post(post))

    def edit_post(self, order: dict[str, Any]) -> dict[str, Any]:
        """Somebody edits a post by hand: a new id on X, the same one elsewhere."""
        post = self._named(order)
        text = order.get("text")
        if not isinstance(text, str):
            raise BadInput("An edit needs the new text.")
        now = self._config.clock.now()
        version_id = self._state.next_id(now) if post.kind == "x" else post.id
        post.versions.append(SimVersion(version_id, text, now.isoformat()))
        self._state.save_post(post)
        return asdict(post)

    def delete_post(self, order: dict[str, Any]) -> dict[str, Any]:
        """Somebody removes a post by hand."""
        post = self._named(order)
        post.deleted_at = self._config.clock.now().isoformat()
        self._state.save_post(post)
        return asdict(post)

    def set_token(self, order: dict[str, Any]) -> dict[str, Any]:
        """The school's keys expire, are revoked, the account is suspended, or all is well again."""
        kind, state = order.get("kind"), order.get("state")
        if kind not in _KINDS or state not in _TOKEN_STATES:
            raise BadInput(f"A token needs a kind ({_ANY_KIND}) and a state ({', '.join(_TOKEN_STATES)}).")
        setattr(self._state.known, f"{kind}_token", state)
        self._state.save_known()
        return {"kind": kind, "state": state}

    def _clear_faults(self, _order: dict[str, Any]) -> dict[str, Any]:
        self._faults.clear()
        return {"ok": True}

    def _reset(self, _order: dict[str, Any]) -> dict[str, Any]:
        self._faults.clear()
        self._state.reset()
        return {"ok": True}

    def _named(self, order: dict[str, Any]) -> SimPost:
        post = self._state.find_post(str(order.get("id", "")))
        if post is None or post.deleted_at is not None:
            raise BadInput("There is no live post with this id.")
        return post

    def _picture(self, kind: str, account: str, image: str) -> str:
        try:
            data = base64.b64decode(image, validate=True)
        except binascii.Error:
            data = b""
        picture = look_at(data)
        if picture is None:
            raise BadInput("An image must be a picture in base64.")
        now = self._config.clock.now()
        number = f"urn:li:image:{self._state.next_id(now)}" if kind == "linkedin" else ""
        kept = self._state.add_picture(
            kind=kind,
            account_id=account,
            data=data,
            mime=picture.mime,
            size=picture.size,
            now=now,
            picture_id=number,
        )
        return kept.id
