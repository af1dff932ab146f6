"""Simulators on free ports, and a plain way to ask them."""

import http.client
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gatekeeper.channels.base import Channel, MediaItem
from gatekeeper.channels.registry import build_channel
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator


class Asked:
    """An answer, read."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        self.body = answer.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def _ask(simulator: Simulator, method: str, path: str, data: object = None, **headers: str) -> Asked:
    connection = http.client.HTTPConnection("127.0.0.1", int(simulator.base_url.rsplit(":", 1)[1]), timeout=5)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    body = None
    if data is not None:
        body, told = json.dumps(data), {"Content-Type": "application/json", **told}
    try:
        connection.request(method, path, body=body, headers=told)
        return Asked(connection.getresponse())
    finally:
        connection.close()


@pytest.fixture
def ask() -> Callable[..., Asked]:
    return _ask


@pytest.fixture
def simulated() -> Iterator[Callable[..., Simulator]]:
    """Start a simulator, configured as the test likes."""
    with ExitStack() as running:

        def start(*, folder: Path | None = None, **config: Any) -> Simulator:
            return running.enter_context(Simulator(folder=folder, config=SimulatorConfig(**config)))

        yield start


@pytest.fixture
def connect() -> Callable[..., Channel]:
    def connected(simulator: Simulator, kind: str) -> Channel:
        credentials = simulator.x_credentials() if kind == "x" else simulator.facebook_credentials()
        return build_channel(credentials, clock=simulator.config.clock, base_url=simulator.base_url)

    return connected


@pytest.fixture(scope="session")
def photo() -> MediaItem:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "seagreen").save(file, "JPEG")
    return MediaItem(data=file.getvalue(), mime="image/jpeg", alt="A green field")
