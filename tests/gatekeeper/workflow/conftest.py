"""A school and the two platforms, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekeeper.db.session import Database
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from tests.conftest import ToldClock
from tests.factories.school import School, make_services


@pytest.fixture
def simulator(clock: ToldClock) -> Iterator[Simulator]:
    with Simulator(config=SimulatorConfig(clock=clock)) as running:
        yield running


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return School(make_services(database, tmp_path, clock, simulator=simulator))
