"""The page that shows the simulated timelines as the public would see them, and nothing the public would not."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

import gatekeeper
from gatekeeper.clock import london
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.messages import Reply, Request
from gatekeeper.simulator.state import SimPicture, SimPost, State, moment

_TEMPLATES = Path(gatekeeper.__file__).resolve().parent.parent / "templates" / "simulator"
_CSS = "text/css; charset=utf-8"
_SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # so a browser says where a pressed button stands
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class _Shown:
    """A post as the page shows it."""

    id: str
    text: str
    at: datetime
    edited: bool
    pictures: list[SimPicture]


@dataclass(frozen=True)
class _Column:
    """One account's timeline."""

    kind: str
    platform: str
    name: str
    handle: str
    posts: list[_Shown]


class PublicPage:
    """Answers the pages a visitor can see."""

    def __init__(self, config: SimulatorConfig, state: State) -> None:
        self._config = config
        self._state = state
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["london"] = london

    def answer(self, request: Request) -> Reply:
        """Answer one visitor; the state is locked by the caller."""
        if request.method not in {"GET", "HEAD"}:
            return _page(405, b"Only for looking.", "text/plain; charset=utf-8")
        if request.path == "/":
            return self._timelines()
        if request.path in {"/timeline.css", "/favicon.ico"}:
            style = request.path.endswith(".css")  # there is no icon, and a browser that asks is not to be alarmed
            return _page(200, (_TEMPLATES / "timeline.css").read_bytes(), _CSS) if style else Reply(204, b"", _SAFE)
        if found := re.fullmatch(r"/picture/((?:urn:li:image:)?\d+)", request.path):
            return self._picture(found[1])
        # where the channels' permalinks point when they are built for the simulator
        if found := re.fullmatch(r"/(?:i/web/status/)?(\d+(?:_\d+)?)|/feed/update/(urn:li:share:\d+)", request.path):
            return self._permalink(found[1] or found[2])
        return _page(404, b"There is no such page.", "text/plain; charset=utf-8")

    def _timelines(self) -> Reply:
        config = self._config
        columns = [
            _Column("x", "X", config.x_name, f"@{config.x_handle}", self._shown("x")),
            _Column("facebook", "Facebook", config.facebook_name, "Page", self._shown("facebook")),
            _Column("linkedin", "LinkedIn", config.linkedin_name, "Company page", self._shown("linkedin")),
        ]
        html = self._environment.get_template("timeline.html").render(columns=columns, now=config.clock.now())
        return _page(200, html.encode(), "text/html; charset=utf-8")

    def _shown(self, kind: str) -> list[_Shown]:
        return [
            _Shown(
                id=post.id,
                text=post.text,
                at=moment(post.created_at),
                edited=len(post.versions) > 1,
                pictures=list(self._state.pictures_of(post)),
            )
            for post in reversed(self._state.live(kind, self._config.clock.now()))
        ]

    def _picture(self, picture_id: str) -> Reply:
        picture = self._state.pictures.get(picture_id)
        if picture is None or not self._is_live(picture.post_id):
            return _page(404, b"There is no such picture.", "text/plain; charset=utf-8")
        return _page(200, self._state.picture_data(picture_id), picture.mime)

    def _permalink(self, post_id: str) -> Reply:
        post = self._live_post(post_id)
        if post is None:
            return _page(404, b"This post does not exist, or not any more.", "text/plain; charset=utf-8")
        return Reply(303, b"", {"Location": f"/#post-{post.id}", **_SAFE})

    def _is_live(self, post_id: str | None) -> bool:
        return post_id is not None and self._live_post(post_id) is not None

    def _live_post(self, post_id: str) -> SimPost | None:
        post = self._state.find_post(post_id)
        return post if post is not None and post.is_live(self._config.clock.now()) else None


def _page(status: int, body: bytes, mime: str) -> Reply:
    return Reply(status, body, {"Content-Type": mime, **_SAFE})
