"""One e-mail tells that a post is gone, however many channels it was on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import takedown, takedown_removal
from gatekeeper.workflow.takedown_removal import NotGoneYet
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.factories.sending import run

KINDS = ("x", "facebook", "linkedin")


@pytest.fixture
def simulator(clock: ToldClock) -> Iterator[Simulator]:
    with Simulator(config=SimulatorConfig(clock=clock)) as running:
        yield running


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    made = School(make_services(database, tmp_path, clock, simulator=simulator))
    made.open_linkedin()
    return made


@pytest.fixture
def removals(school: School, clock: ToldClock) -> dict[str, int]:
    """A post on three channels, long public, whose removal is ordered everywhere."""
    ids = school.approve(school.post(kinds=KINDS))
    clock.advance(hours=1)
    run(school)
    clock.advance(hours=1)
    with school.services.step() as session:
        return {
            kind: takedown.order(
                session, account_id=school.accounts[kind], publication_id=publication, why="request", words="",
                by=school.head, now=clock.now(),
            )
            for kind, publication in zip(KINDS, ids, strict=True)
        }  # fmt: skip


def mails(school: School, kind: str = "taken_down") -> list[tuple[int, str]]:
    """(to whom, from which channels), in order."""
    with school.services.db.read() as session:
        found = session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id))
        return [(one.staff_id or 0, one.context["channel"]) for one in found]


def test_three_channels_are_one_mail_to_each(school: School, removals: dict[str, int]) -> None:
    for kind in ("x", "facebook"):
        takedown_removal.carry_out(school.services, removals[kind])
        assert mails(school) == []
    takedown_removal.carry_out(school.services, removals["linkedin"])
    everywhere = "X, Facebook and LinkedIn"
    assert sorted(mails(school)) == sorted([(school.head, everywhere), (school.author, everywhere)])


def test_one_that_meets_trouble_is_not_waited_for_and_its_end_is_told_later(
    school: School, simulator: Simulator, removals: dict[str, int]
) -> None:
    takedown_removal.carry_out(school.services, removals["x"])
    takedown_removal.carry_out(school.services, removals["facebook"])
    simulator.fault("status", host="api.linkedin.com", method="DELETE", status=500)
    with pytest.raises(NotGoneYet):
        takedown_removal.carry_out(school.services, removals["linkedin"])
    both = [(school.author, "X and Facebook"), (school.head, "X and Facebook")]
    assert sorted(mails(school)) == sorted(both)
    simulator.fault("status", host="api.linkedin.com", method="DELETE", status=500)
    with pytest.raises(NotGoneYet):
        takedown_removal.carry_out(school.services, removals["linkedin"])
    assert len(mails(school)) == 2
    takedown_removal.carry_out(school.services, removals["linkedin"])
    assert {channels for _, channels in mails(school)[2:]} == {"X, Facebook and LinkedIn"}
    assert len(mails(school)) == 4


def test_one_that_a_person_must_do_lets_the_others_be_told(school: School, removals: dict[str, int]) -> None:
    takedown_removal.carry_out(school.services, removals["x"])
    takedown_removal.carry_out(school.services, removals["linkedin"])
    takedown_removal.give_up(school.services, removals["facebook"], "")
    assert {channels for _, channels in mails(school)} == {"X and LinkedIn"}
    assert len(mails(school, "takedown_by_hand")) == 2
    takedown_removal.confirm_by_hand(school.services, removals["facebook"], words="Removed it myself.", by=school.head)
    assert {channels for _, channels in mails(school)[2:]} == {"X, Facebook and LinkedIn"}
