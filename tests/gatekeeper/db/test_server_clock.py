"""Publishers on machines whose clocks are wrong: on PostgreSQL only the server's clock says what is due and what is over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, update
from sqlalchemy.exc import OperationalError

from gatekeeper import bootstrap
from gatekeeper.clock import SystemClock, steady
from gatekeeper.db.server_clock import ServerClock
from gatekeeper.db.session import Database
from gatekeeper.posts.model import Publication
from gatekeeper.posts.status import PublicationState
from gatekeeper.workflow import claim, reconcile
from gatekeeper.workflow.services import Services
from tests.factories.school import School, make_services, make_settings
from tests.fixtures.signing import SIGNER

HOUR = timedelta(hours=1)


@dataclass
class Machine:
    """A computer whose clock shows another time than it is, and whose steady clock a test may hold up."""

    off: timedelta
    slept: float = 0.0
    asked: int = 0

    def wall(self) -> datetime:
        self.asked += 1
        return datetime.now(UTC) + self.off

    def steady(self) -> float:
        return steady() + self.slept


def clock_of(database: Database, machine: Machine) -> ServerClock:
    return ServerClock(database.engine, local=machine.wall, steady=machine.steady)


@pytest.fixture
def pg_database(make_postgresql_url: Callable[[], str]) -> Iterator[Database]:
    db = Database(make_postgresql_url(), signer=SIGNER)
    yield db
    db.engine.dispose()


@pytest.fixture
def school(pg_database: Database, tmp_path: Path) -> School:
    return School(make_services(pg_database, tmp_path, SystemClock()))


def publisher(school: School, off: timedelta) -> Services:
    """A publisher on a computer whose clock is that wrong."""
    return replace(school.services, clock=clock_of(school.services.db, Machine(off)))


@pytest.mark.parametrize("off", [HOUR, -HOUR, timedelta(days=-400)], ids=["ahead", "behind", "far behind"])
def test_every_machine_tells_the_servers_time(pg_database: Database, off: timedelta) -> None:
    told = clock_of(pg_database, Machine(off)).now()
    assert abs(told - datetime.now(UTC)) < timedelta(seconds=5)
    assert told.utcoffset() == timedelta(0)


def change(school: School, publication: int, **columns: datetime) -> None:
    with school.services.db.begin() as session:
        session.execute(update(Publication).where(Publication.id == publication).values(**columns))


def test_a_machine_that_is_ahead_claims_nothing_early_and_takes_nothing_from_another(school: School) -> None:
    (publication,) = school.approve(school.post(kinds=("x",), due_in=timedelta(minutes=30)))
    ahead, behind = publisher(school, HOUR), publisher(school, -HOUR)
    assert claim.claim_due(ahead, owner="ahead") == []
    assert claim.claim_due(behind, owner="behind") == []
    now = datetime.now(UTC)
    change(school, publication, due_at=now, next_at=now)
    (held,) = claim.claim_due(behind, owner="behind")  # though its own clock says that it is an hour too early
    reconcile.recover(ahead)  # by its own clock that lease was over long ago
    taken = school.publication(publication)
    assert (taken.state, taken.owner, taken.fence) == (PublicationState.CLAIMED, "behind", held.fence)
    assert claim.claim_due(ahead, owner="ahead") == []
    change(school, publication, lease_until=now)
    reconcile.recover(behind)  # by its own clock the lease has an hour to go
    (again,) = claim.claim_due(ahead, owner="ahead")
    assert again.fence == held.fence + 1


def test_a_machine_that_is_ahead_misses_no_window_and_calls_no_clock_set_back(school: School) -> None:
    (publication,) = school.approve(school.post(kinds=("x",), due_in=timedelta(minutes=30)))
    far_ahead = publisher(school, timedelta(hours=5))  # past the post's window of two hours
    claim.claim_due(far_ahead, owner="far ahead")
    assert school.publication(publication).state == PublicationState.SCHEDULED


@pytest.mark.parametrize("set_by", [HOUR, -HOUR], ids=["on", "back"])
def test_a_clock_that_is_set_changes_nothing(pg_database: Database, set_by: timedelta) -> None:
    machine = Machine(timedelta(0))
    clock = clock_of(pg_database, machine)
    before = clock.now()
    machine.off = set_by
    assert timedelta(0) <= clock.now() - before < timedelta(seconds=5)


def test_a_steady_clock_that_stood_still_is_noticed(pg_database: Database) -> None:
    machine = Machine(timedelta(0))
    clock = clock_of(pg_database, machine)
    clock.now()
    machine.slept = -30.0  # the computer was frozen, and only its other clock was put right
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_server_is_asked_seldom(pg_database: Database) -> None:
    machine = Machine(timedelta(0))
    clock = clock_of(pg_database, machine)
    asked: list[int] = []
    ask: Callable[[], object] = clock._ask
    clock._ask = lambda: asked.append(1) or ask()  # type: ignore[method-assign,return-value,func-returns-value]
    moments = [clock.now() for _ in range(200)]
    assert moments == sorted(moments)
    assert len(asked) <= 2


def test_without_the_server_it_goes_on_once_it_knew_and_never_guesses_before(pg_database: Database) -> None:
    machine = Machine(HOUR)
    clock = clock_of(pg_database, machine)
    known = clock.now()
    nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    clock._engine = nowhere
    machine.slept = 10.0
    assert timedelta(seconds=10) <= clock.now() - known < timedelta(seconds=15)
    with pytest.raises(OperationalError):
        ServerClock(nowhere, local=machine.wall, steady=machine.steady).now()


@pytest.mark.parametrize(("process", "shared"), [("publisher", True), ("web", False)], ids=["publisher", "web"])
def test_publishers_on_postgresql_share_the_servers_clock(
    pg_database: Database, tmp_path: Path, process: str, *, shared: bool
) -> None:
    settings = make_settings(tmp_path, pg_database.url, process=process)
    assert isinstance(bootstrap._clock(settings, pg_database), ServerClock) is shared


def test_on_sqlite_there_is_only_one_computer_and_its_clock(sqlite_database: Database, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, sqlite_database.url, process="publisher")
    assert isinstance(bootstrap._clock(settings, sqlite_database), SystemClock)
