"""What every test shares: databases of both kinds, a queue server, a browser, a mail sink, and a clock that is told the time.

The fixtures that start something real live in `tests/fixtures/`, one file each.
"""

import gc
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from approvals import proofs
from gatekeeper.people import passwords

pytest_plugins = (
    "tests.fixtures.network",
    "tests.fixtures.valkey",
    "tests.fixtures.postgresql",
    "tests.fixtures.databases",
    "tests.fixtures.compiled",
    "tests.fixtures.browser",
    "tests.fixtures.mail",
    "tests.fixtures.serving",
)


#: mostly waits, for the clock on the wall or for each other: begun first, they wait while everything else runs
_LONG_WAITS = ("test_main_way.py", "test_races.py", "test_drill.py", "test_process.py", "test_accessibility.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest waits; everything else stays in its order."""
    order = {name: place for place, name in enumerate(_LONG_WAITS)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among what was imported and collected: it stays until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class ToldClock:
    """A clock that shows what the test says."""

    def __init__(self, moment: datetime | None = None) -> None:
        self.moment = moment or datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, **parts: float) -> None:
        self.moment += timedelta(**parts)


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """The real argon2 at its least cost: most tests need a PIN or a password, and none of them its slowness."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proofs, "_HASHER", quick)
        patch.setattr(passwords, "_HASHER", quick)
        yield


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


@pytest.fixture(scope="session")
def eval_data() -> Path:
    """The folder of evaluation photos and posts; research data, so it is never in the repository."""
    folder = os.environ.get("GATEKEEPER_EVAL_DATA")
    if not folder:
        pytest.skip("GATEKEEPER_EVAL_DATA does not name the folder of evaluation photos and posts")
    path = Path(folder)
    assert path.is_dir(), f"GATEKEEPER_EVAL_DATA names {path}, which is no folder"
    return path
