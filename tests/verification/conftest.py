"""The simulated platforms over real HTTP, and the real channels that speak to them."""

import io
import logging
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from gatekeeper.channels.base import Channel, MediaItem
from gatekeeper.channels.registry import build_channel
from gatekeeper.clock import SystemClock
from gatekeeper.simulator.server import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture(params=["x", "facebook", "linkedin"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def channel(simulator: Simulator, kind: str) -> Channel:
    return build_channel(simulator.credentials(kind), clock=SystemClock(), base_url=simulator.base_url)


@pytest.fixture(scope="session")
def draw() -> Callable[..., MediaItem]:
    """Draw a photo of nobody."""

    def drawn(colour: str = "seagreen", *, alt: str = "A green field", size: tuple[int, int] = (64, 48)) -> MediaItem:
        file = io.BytesIO()
        Image.new("RGB", size, colour).save(file, "JPEG")
        return MediaItem(data=file.getvalue(), mime="image/jpeg", alt=alt)

    return drawn


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog
