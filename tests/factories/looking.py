"""Pictures whose faces are magenta squares and whose letters are cyan bars, and those who find and read them.

Covering, cropping and shrinking have the effect on them that they have on real faces and letters; the real engines
have their own tests.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from gatekeeper import jobs
from gatekeeper.errors import NotScanned
from gatekeeper.faces.boxes import Box
from gatekeeper.faces.boxes import Face as SeenFace
from gatekeeper.lettering.reading import Code, Line, Reading
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.photos import add_photo
from tests.factories.school import School

MAGENTA = (255, 0, 255)
CYAN = (0, 255, 255)


class MagentaFinder:
    """Finds magenta squares; counts how often it was asked; `only_small` makes it blind to large pictures."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False
        self.sure = 0.9
        self.blind_above: int | None = None

    def detect(self, pixels: np.ndarray) -> list[SeenFace]:
        self.asked += 1
        if self.fails:
            raise NotScanned("The face finder stopped in the middle of this photo.")
        if self.blind_above is not None and pixels.shape[1] > self.blind_above:
            return []
        red, green, blue = (pixels[:, :, k].astype(int) for k in range(3))
        hit = (red > 200) & (green < 90) & (blue > 200)
        columns = np.flatnonzero(hit.any(axis=0))
        found = []
        for group in np.split(columns, np.flatnonzero(np.diff(columns) > 3) + 1):
            if len(group) > 8:
                rows = np.flatnonzero(hit[:, group[0] : group[-1] + 1].any(axis=1))
                box = Box(float(group[0]), float(rows[0]), float(group[-1] + 1), float(rows[-1] + 1))
                found.append(SeenFace(box, self.sure, "magenta"))
        return found


class BarReader:
    """Reads a cyan bar as `text`; counts how often it was asked."""

    def __init__(self, text: str = "Wren Applethwaite", *, code: str = "") -> None:
        self.text, self.code = text, code
        self.asked = 0
        self.fails = False

    def read(self, pixels: np.ndarray) -> Reading:
        self.asked += 1
        if self.fails:
            raise NotScanned("The reading stopped in the middle of this photo.")
        red, green, blue = (pixels[:, :, k].astype(int) for k in range(3))
        rows, columns = np.nonzero((red < 90) & (green > 200) & (blue > 200))
        if len(rows) < 200:
            return Reading()
        box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        if self.code:
            return Reading(codes=(Code(box, self.code, "QRCode"),))
        return Reading(lines=(Line(box, self.text, 0.9),))


def picture(*places: int, width: int = 400, bar: tuple[int, int, int, int] | None = None) -> bytes:
    """A green picture with a magenta square of 60 px at each of these columns, and a cyan bar."""
    image = Image.new("RGB", (width, 300), (30, 120, 60))
    for x in places:
        ImageDraw.Draw(image).rectangle((x, 100, x + 60, 160), fill=MAGENTA)
    if bar:
        ImageDraw.Draw(image).rectangle(bar, fill=CYAN)
    stored = io.BytesIO()
    image.save(stored, "PNG")
    return stored.getvalue()


def submitted(school: School, *pictures: bytes, text: str = "Our harvest table is full.", send: bool = False) -> int:
    """A post that was just sent for checking."""
    services = school.services
    post_id = school.post(text=text)
    with services.step() as session:
        touch(session, session.get_one(Post, post_id), by=school.author, now=services.clock.now())
    for number, data in enumerate(pictures):
        add_photo(services, post_id, school.author, data=data, file_name=f"IMG_{number}.png")
    check_again(school, post_id, send=send)
    return post_id


def check_again(
    school: School, post_id: int, *, send: bool = False, change: Callable[[Post], None] | None = None
) -> None:
    with school.services.step() as session:
        post = session.get_one(Post, post_id)
        if change:
            change(post)
        for photo in post.photos:
            photo.alt, photo.people = photo.alt or "A table of vegetables in the hall", "none"
        post.state = PostState.SCANNING
        post.send_when_clear = send
        jobs.order(session, jobs.SCAN, post.id, now=school.services.clock.now())
