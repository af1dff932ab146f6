"""What a step is handed: everything from outside it needs, so that tests can hand it something else."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sqlalchemy.orm import Session

from approvals.ports import Mailer
from gatekeeper.channels.base import Channel
from gatekeeper.clock import Clock
from gatekeeper.db.session import Database
from gatekeeper.faces.boxes import Box, Face
from gatekeeper.faces.match import Encoding
from gatekeeper.lettering.reading import Reading
from gatekeeper.posts.media import MediaStore
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.settings import Settings


class FaceFinder(Protocol):
    """Looks for faces in bare pixels, in a process of its own."""

    def detect(self, pixels: np.ndarray) -> list[Face]:
        """Every face found. Raises NotScanned rather than answer for a picture it could not look at in full."""


class FaceEncoder(Protocol):
    """Turns faces into numbers that can be compared, in a process of its own."""

    def encode(self, pixels: np.ndarray, boxes: Sequence[Box]) -> list[Encoding | None]:
        """128 numbers for each box, None for a face too small to tell. Raises NotScanned when it could not look."""


class PictureReader(Protocol):
    """Reads letters and codes in bare pixels, in a process of its own."""

    def read(self, pixels: np.ndarray) -> Reading:
        """Everything legible. Raises NotScanned rather than answer for a picture it could not read in full."""


class Render(Protocol):
    """Renders a template of the e-mails."""

    def render(self, template: str, **context: object) -> str:
        """The text of one template."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """One process's services. What a process may not hold (tokens, the mail password) is None there."""

    settings: Settings
    db: Database
    clock: Clock
    media: MediaStore
    render: Render
    wake: Callable[[list[tuple[str, int]]], None]  # tells the queue of fresh orders; may fail, never matters
    faces: FaceFinder | None = None
    encoder: FaceEncoder | None = None
    reader: PictureReader | None = None
    mailer: Mailer | None = None
    channel_for: Callable[[ChannelAccount], Channel] | None = None

    @contextmanager
    def step(self, *, hurried: bool = False) -> Iterator[Session]:
        """One transaction; once it is durable, the queue hears of the work it ordered. `hurried`: see `Database.begin`."""
        with self.db.begin(hurried=hurried) as session:
            yield session
        orders = session.info.pop("orders", [])
        if orders:
            self.wake(orders)
