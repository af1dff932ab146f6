"""The buttons of the timelines' page with which a person plays somebody who has the password and goes round the gate.

They are pressed in a browser, so they are for this page alone: what another site sends is refused.
"""

import base64
import io
from typing import Final
from urllib.parse import urlsplit

from PIL import Image, ImageDraw

from gatekeeper.errors import BadInput
from gatekeeper.simulator.control import Control
from gatekeeper.simulator.messages import Reply, Request
from gatekeeper.simulator.state import State

_WORDS: Final = (
    "Cake sale on Friday, quarter past three in the hall. Bring a plate! 🎂",
    "Well done, everybody, what a match! 🏉",
    "The minibus is late today. It leaves at four.",
)
_CHANGED: Final = " (Changed: now on Thursday.)"
_PLAIN: Final = {"Content-Type": "text/plain; charset=utf-8"}


class Outsider:
    """Does on the platforms what the gate does not know of."""

    def __init__(self, control: Control, state: State) -> None:
        self._control, self._state = control, state

    def answer(self, request: Request) -> Reply:
        """Answer one press of a button; the state is locked by the caller."""
        origin = urlsplit(request.headers.get("origin", ""))
        if origin.scheme != "http" or origin.netloc.lower() != request.host:
            return Reply(403, b"This button is on the page of the timelines alone.", _PLAIN)
        try:
            named = self._act(request.form)
        except BadInput as refused:
            return Reply(400, str(refused).encode(), _PLAIN)
        return Reply(303, b"", {"Location": f"/#post-{named}"})

    def _act(self, form: dict[str, str]) -> str:
        act = form.get("act", "")
        order: dict[str, object] = {"id": form.get("id", "")}
        if act == "post":
            written = len(self._state.all_posts())
            order = {"kind": form.get("kind"), "text": _WORDS[written % len(_WORDS)], "images": [_picture(written)]}
            return str(self._control.external_post(order)["id"])
        if act == "edit":
            post = self._state.find_post(str(order["id"]))
            return str(self._control.edit_post({**order, "text": f"{post.text if post else ''}{_CHANGED}"})["id"])
        if act == "delete":
            self._control.delete_post(order)
            return ""
        raise BadInput("There is no such button.")


def _picture(number: int) -> str:
    """A drawn picture of nobody, a different one each time."""
    image = Image.new("RGB", (640, 400), (200, 60 + number * 37 % 160, 90))
    ImageDraw.Draw(image).ellipse((200, 80, 440, 320), fill=(250, 240, number * 53 % 255))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return base64.b64encode(file.getvalue()).decode()
