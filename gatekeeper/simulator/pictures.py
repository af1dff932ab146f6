"""The servers on which the platforms keep pictures: names of their own, apart from the APIs, and no keys asked for."""

import re
from collections.abc import Mapping
from typing import Final

from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.messages import Reply, Request
from gatekeeper.simulator.state import State

HOSTS: Final[Mapping[str, str]] = {
    "x": "pbs.twimg.com",
    "facebook": "scontent.xx.fbcdn.net",
    "linkedin": "media.licdn.com",
}
_PATH: Final = re.compile(r"/picture/(\d+)")


def picture_address(kind: str, picture_id: str) -> str:
    """Where a platform says that a picture lies."""
    return f"https://{HOSTS[kind]}/picture/{picture_id.rpartition(':')[2]}"


class PictureServer:
    """Answers for the pictures of one platform's live posts."""

    def __init__(self, kind: str, config: SimulatorConfig, state: State) -> None:
        self._kind, self._config, self._state = kind, config, state

    def answer(self, request: Request) -> Reply:
        """Answer one request; the state is locked by the caller."""
        found = _PATH.fullmatch(request.path)
        named = f"urn:li:image:{found[1]}" if found and self._kind == "linkedin" else found[1] if found else ""
        picture = self._state.pictures.get(named)
        post = self._state.find_post(picture.post_id) if picture and picture.post_id else None
        # pictures of what is only planned can be seen by whoever is told their address, as on Facebook
        if request.method != "GET" or picture is None or post is None or post.deleted_at is not None:
            return Reply(404, b"", {"Content-Type": "text/plain"})
        return Reply(200, self._state.picture_data(picture.id), {"Content-Type": picture.mime})
