"""What every test shares: databases of both kinds, a clock that is told the time, and the evaluation data's place."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest


class ToldClock:
    """A clock that shows what the test says."""

    def __init__(self, moment: datetime | None = None) -> None:
        self.moment = moment or datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, **parts: float) -> None:
        self.moment += timedelta(**parts)


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


@pytest.fixture(scope="session")
def eval_data() -> Iterator[Path]:
    """The folder of evaluation photos and posts; research data, so it is never in the repository."""
    folder = os.environ.get("GATEKEEPER_EVAL_DATA")
    if not folder:
        pytest.skip("GATEKEEPER_EVAL_DATA does not name the folder of evaluation photos and posts")
    path = Path(folder)
    assert path.is_dir(), f"GATEKEEPER_EVAL_DATA names {path}, which is no folder"
    yield path
