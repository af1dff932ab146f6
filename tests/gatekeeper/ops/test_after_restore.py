"""After a restore: what went out since the backup is found and never sent again, and the head lets the rest go."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gatekeeper.db.session import Database
from gatekeeper.errors import Conflict
from gatekeeper.ops.backup import backup
from gatekeeper.ops.restore import restore
from gatekeeper.posts.media import MediaStore
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import answer, emergency, reconcile, restoration
from gatekeeper.workflow.step_up import Proof
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services, make_settings
from tests.factories.sending import run
from tests.fixtures.signing import LEDGER_KEY, SIGNER

GIVEN = Proof(pin=PIN)


@pytest.fixture
def simulator(clock: ToldClock) -> Iterator[Simulator]:
    with Simulator(config=SimulatorConfig(clock=clock)) as running:
        yield running


def turn(school: School) -> None:
    """What a publisher does in one turn: look up, take over, send what is due."""
    reconcile.recover(school.services)
    reconcile.reconcile(school.services)
    run(school)


def test_what_went_out_since_is_found_what_is_absent_is_asked_and_nothing_is_sent_again(
    sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator
) -> None:
    """One post went out after the backup was taken, one did not, and the time of one is still to come."""
    settings = make_settings(tmp_path / "data", sqlite_database.url)
    school = School(make_services(sqlite_database, settings.data, clock, settings=settings, simulator=simulator))
    posts = {}
    for name, hours in (("public", 1), ("absent", 2), ("future", 48)):
        due = timedelta(hours=hours)
        posts[name] = school.post(kinds=("x",), photos=1, text=f"This one is {name}, thank you!", due_in=due)
    ids = {name: school.approve(post)[0] for name, post in posts.items()}
    made = backup(settings, tmp_path / "backups", clock=clock)
    clock.advance(hours=1)
    assert run(school) == 1  # and then the disk broke, before the second was due
    clock.advance(hours=1, minutes=30)

    folder = tmp_path / "elsewhere"
    url = f"sqlite:///{folder / 'gatekeeper.db'}"
    environ = {"GATEKEEPER_DATA": str(folder), "DATABASE_URL": url, "GATEKEEPER_LEDGER_KEY": LEDGER_KEY}
    assert restore(made, environ, clock=clock, tell=lambda _: None) == 2
    there = Database(url, signer=SIGNER)
    school.services = replace(school.services, db=there, media=MediaStore(folder / "media"))

    def texts() -> list[str]:
        return [post.text for post in simulator.posts("x")]

    turn(school)
    assert school.publication(ids["public"]).state == PublicationState.PUBLISHED
    assert school.publication(ids["public"]).remote_id == simulator.posts("x")[0].id
    assert school.state(posts["public"]) == PostState.PUBLISHED
    with pytest.raises(Conflict, match="still being looked up"):
        restoration.finish(school.services, by=school.head, proof=GIVEN)
    for _ in range(5):
        clock.advance(seconds=31)
        turn(school)
    assert school.publication(ids["absent"]).state == PublicationState.NEEDS_PERSON
    with there.read() as session:
        found = restoration.standing(session)
    assert found is not None
    assert (found.looked_up, found.asked, found.waiting, found.ready) == (0, 1, 1, False)
    with pytest.raises(Conflict):
        restoration.finish(school.services, by=school.head, proof=GIVEN)

    clock.advance(hours=2)  # the window of the absent one is over by now, so a "no" sends it no more
    answer.answer(school.services, ids["absent"], by=school.head, there=False)
    assert school.publication(ids["absent"]).state == PublicationState.FAILED
    clock.advance(hours=44)  # the future one is due, but the restore is not finished
    turn(school)
    assert texts() == ["This one is public, thank you!"]
    assert school.publication(ids["future"]).state == PublicationState.SCHEDULED

    emergency.press(school.services, by=school.head)
    restoration.finish(school.services, by=school.head, proof=GIVEN)
    turn(school)
    assert len(texts()) == 1, "the stop is another matter, and stands"
    emergency.lift(school.services, by=school.head, proof=GIVEN)
    turn(school)
    assert texts() == ["This one is public, thank you!", "This one is future, thank you!"]
    there.engine.dispose()
