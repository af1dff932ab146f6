"""Reading the school's own accounts over the real libraries: what went round the gate is found, and nothing else is."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from approvals.tables import LedgerEntry
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Role
from gatekeeper.posts.public import Incident, RemotePublicPost, Takedown
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import incident_act, incident_close, reconcile
from tests.conftest import ToldClock
from tests.factories import watching
from tests.factories.school import School
from tests.factories.sending import run
from tests.factories.watching import (
    begin,
    deleted,
    edited,
    found,
    incidents,
    mails,
    outside,
    picture,
    published,
    read,
    removed,
    watched_school,
)

ALL = ("x", "facebook", "linkedin")


@pytest.fixture
def simulator(clock: ToldClock) -> Iterator[Simulator]:
    with Simulator(config=SimulatorConfig(clock=clock, refuse_duplicates=False)) as running:
        yield running


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return watched_school(sqlite_database, tmp_path, clock, simulator)


@pytest.mark.parametrize("kind", ALL)
def test_a_post_made_outside_the_gate_is_reported_once_with_its_words_link_and_picture(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    begin(school, kind)
    clock.advance(minutes=1)
    remote_id = outside(simulator, kind, "Look at our Wren! 🎂 & <more>", images=[picture()])
    for _ in range(3):
        (one,) = read(school, clock, kind)
    assert (one.kind, one.remote_id, one.text) == ("ungated", remote_id, "Look at our Wren! 🎂 & <more>")
    assert simulator.base_url in one.permalink
    (copy,) = one.pictures
    with Image.open(io.BytesIO(school.services.media.read(copy))) as kept:
        assert kept.size == (64, 48)
    told = mails(school)
    assert {one.staff_id for one in told} == {school.head, school.staff[Role.ADMINISTRATOR]}
    assert len(told) == 2
    assert "Wren" not in repr([one.context for one in told])
    with school.services.db.read() as session:
        (entry,) = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "incident.found"))
        assert "Wren" not in entry.body


@pytest.mark.parametrize("kind", ALL)
def test_a_post_of_the_very_second_in_which_the_watch_began_is_reported(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    """Facebook tells whole seconds only, so that it looks older than the watch."""
    clock.advance(milliseconds=400)
    begin(school, kind)
    clock.advance(milliseconds=300)
    remote_id = outside(simulator, kind, "Look at our Wren!")
    clock.advance(minutes=1)
    assert [one.remote_id for one in read(school, clock, kind)] == [remote_id]


@pytest.mark.parametrize("kind", ALL)
def test_what_we_published_is_known_as_ours(school: School, simulator: Simulator, clock: ToldClock, kind: str) -> None:
    begin(school, kind)
    text = "Thank you! See https://quarrybank.example/fair & come (all) #Harvest_Day 🎃\n\nTwo lines *here*"
    remote_id = published(school, simulator, clock, kind, text=text, photos=2)
    assert read(school, clock, kind) == []
    assert watching.row_of(school, remote_id) is not None


@pytest.mark.parametrize("kind", ALL)
def test_a_post_that_is_edited_after_approval_is_reported_for_each_edit(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    begin(school, kind)
    remote_id = published(school, simulator, clock, kind, photos=1)
    assert read(school, clock, kind) == []
    edited(simulator, remote_id, "Changed by somebody")
    (one,) = read(school, clock, kind)
    assert (one.kind, one.text, one.remote_id) == ("edited", "Changed by somebody", remote_id)
    assert one.publication_id is not None
    edited(simulator, remote_id, "Changed once more")
    assert [one.text for one in read(school, clock, kind)] == ["Changed by somebody", "Changed once more"]
    assert len(read(school, clock, kind)) == 2


def test_what_we_are_taking_down_has_not_vanished(school: School, simulator: Simulator, clock: ToldClock) -> None:
    begin(school, "facebook")
    remote_id = published(school, simulator, clock, "facebook")
    read(school, clock, "facebook")
    with school.services.db.begin() as session:
        row = watching.row_of(school, remote_id)
        assert row is not None
        session.add(
            Takedown(
                account_id=row.account_id,
                publication_id=row.publication_id,
                remote_id=remote_id,
                why="mistake",
                asked_by=school.head,
                asked_at=clock.now(),
                next_at=clock.now(),
            )
        )
    deleted(simulator, remote_id)
    for _ in range(4):
        assert read(school, clock, "facebook", minutes=60) == []


@pytest.mark.parametrize("kind", ALL)
def test_what_was_there_before_is_no_incident_until_it_is_changed(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    old = [outside(simulator, kind, f"Old news {number}") for number in range(3)]
    clock.advance(hours=3)
    begin(school, kind)
    assert found(school) == []
    assert all(watching.row_of(school, remote_id) for remote_id in old)
    clock.advance(minutes=1)
    edited(simulator, old[1], "Quite another thing")
    (one,) = read(school, clock, kind)
    assert (one.kind, one.remote_id, one.publication_id) == ("edited", old[1], None)


@pytest.mark.parametrize("kind", ALL)
def test_cannot_take_our_own_send_for_an_outsider_while_nobody_knows_what_became_of_it(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    begin(school, kind)
    (publication,) = school.approve(school.post(kinds=(kind,)))
    clock.advance(hours=1)
    host = {"x": "api.twitter.com", "facebook": "graph.facebook.com", "linkedin": "api.linkedin.com"}[kind]
    path = {"x": "/2/tweets", "facebook": "*/feed", "linkedin": "/rest/posts"}[kind]
    simulator.fault("accept_then_drop", host=host, method="POST", path=path)
    run(school)
    assert school.publication(publication).state == PublicationState.UNKNOWN
    assert read(school, clock, kind, minutes=1) == []
    reconcile.reconcile(school.services)
    assert school.publication(publication).state == PublicationState.PUBLISHED
    assert read(school, clock, kind) == []
    remote_id = school.publication(publication).remote_id
    row = watching.row_of(school, remote_id or "")
    assert row is not None
    assert row.publication_id == publication


def test_a_visitors_post_on_the_page_is_not_ours(school: School, simulator: Simulator, clock: ToldClock) -> None:
    begin(school, "facebook")
    outside(simulator, "facebook", "What a lovely school", author="777")
    assert read(school, clock, "facebook") == []


def test_what_somebody_schedules_on_facebook_is_reported_before_it_is_public_and_again_when_it_is(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "facebook")
    remote_id = outside(simulator, "facebook", "Not yet", queued_for=3600, images=[picture()])
    for _ in range(2):
        (one,) = read(school, clock, "facebook")
        assert (one.kind, one.remote_id, len(one.pictures)) == ("queued", remote_id, 1)
    read(school, clock, "facebook", minutes=60)
    assert found(school) == ["queued", "ungated"]


def test_what_is_scheduled_on_facebook_and_taken_out_again_is_known_to_be_gone(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "facebook")
    remote_id = outside(simulator, "facebook", "Not yet", queued_for=90_000)
    read(school, clock, "facebook")
    deleted(simulator, remote_id)
    for _ in range(4):
        read(school, clock, "facebook", minutes=60)
    row = watching.row_of(school, remote_id)
    assert row is not None
    assert row.gone_at is not None
    assert found(school) == ["queued"]


def test_an_outside_post_that_is_deleted_again_is_known_to_be_gone_and_stays_reported(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "linkedin")
    remote_id = outside(simulator, "linkedin", "Oops")
    read(school, clock, "linkedin")
    deleted(simulator, remote_id)
    for _ in range(4):
        read(school, clock, "linkedin", minutes=60)
    (one,) = incidents(school)
    assert one.closed_at is None
    row = watching.row_of(school, remote_id)
    assert row is not None
    assert row.gone_at is not None


def test_an_incident_ends_with_the_headteachers_reason_or_with_its_removal(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "x")
    clock.advance(minutes=1)
    for text in ("One", "Two"):
        outside(simulator, "x", text)
    one, two = read(school, clock, "x")
    with pytest.raises(Exception, match="Only the headteacher"):
        incident_close.close(school.services, one.id, by=school.staff[Role.ADMINISTRATOR], words="Fine")
    with pytest.raises(Exception, match="say why"):
        incident_close.close(school.services, one.id, by=school.head, words="  ")
    incident_close.close(school.services, one.id, by=school.head, words="The governors posted it, I knew of it.")
    with pytest.raises(Exception, match="ended already"):
        incident_close.close(school.services, one.id, by=school.head, words="Again")
    with school.services.db.begin() as session:
        session.add(
            Takedown(
                account_id=two.account_id,
                remote_id=two.remote_id,
                incident_id=two.id,
                why="incident",
                asked_by=school.staff[Role.ADMINISTRATOR],
                asked_at=clock.now(),
                next_at=clock.now(),
                state="gone",
                confirmed_at=clock.now() + timedelta(minutes=20),
            )
        )
    deleted(simulator, two.remote_id)
    read(school, clock, "x")
    with school.services.db.read() as session:
        assert session.get_one(Incident, two.id).outcome == incident_close.TAKEN_DOWN
        assert (
            session.scalar(select(func.count()).select_from(LedgerEntry).where(LedgerEntry.kind == "incident.closed"))
            == 2
        )
        assert session.scalars(
            select(RemotePublicPost.gone_at).where(RemotePublicPost.remote_id == two.remote_id)
        ).one()


@pytest.mark.parametrize("kind", ALL)
def test_an_edited_post_that_the_office_takes_down_is_gone_from_the_platform_and_its_incident_ends(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    begin(school, kind)
    remote_id = published(school, simulator, clock, kind, photos=1)
    read(school, clock, kind)
    edited(simulator, remote_id, "Changed by somebody")
    (one,) = read(school, clock, kind)
    removal = incident_act.take_down(school.services, one.id, by=school.staff[Role.ADMINISTRATOR], words="")
    removed(school.services, removal)
    assert simulator.posts(kind) == []
    (one,) = read(school, clock, kind)
    assert one.outcome == incident_close.TAKEN_DOWN
    assert one.closed_by == school.staff[Role.ADMINISTRATOR]
    for _ in range(3):
        assert len(read(school, clock, kind, minutes=60)) == 1


def test_what_was_ended_as_all_right_can_still_be_taken_down_and_keeps_its_reason(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "facebook")
    clock.advance(minutes=1)
    outside(simulator, "facebook", "Look at our Wren!")
    (one,) = read(school, clock, "facebook")
    incident_close.close(school.services, one.id, by=school.head, words="The governors posted it.")
    removal = incident_act.take_down(school.services, one.id, by=school.head, words="Her family asked for it.")
    removed(school.services, removal)
    assert simulator.posts("facebook") == []
    for _ in range(2):
        (one,) = read(school, clock, "facebook")
    assert one.outcome == "The governors posted it."
    with pytest.raises(Exception, match="gone already"):
        incident_act.take_down(school.services, one.id, by=school.head, words="Again")
    with school.services.db.read() as session:
        assert session.scalars(select(Takedown.state)).all() == ["gone"]


@pytest.mark.parametrize("kind", ALL)
def test_a_published_post_that_is_gone_is_reported_when_two_readings_by_its_number_say_so(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    begin(school, kind)
    remote_id = published(school, simulator, clock, kind)
    assert read(school, clock, kind) == []
    deleted(simulator, remote_id)
    for _ in range(4):
        read(school, clock, kind, minutes=60)
    (one,) = incidents(school)
    assert (one.kind, one.remote_id) == ("vanished", remote_id)
    row = watching.row_of(school, remote_id)
    assert row is not None
    assert row.gone_at is not None
