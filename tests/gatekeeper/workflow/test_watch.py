"""Reading the school's own accounts over the real libraries: what went round the gate is found, and nothing else is."""

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from approvals.tables import LedgerEntry
from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelLimit, Restoration
from gatekeeper.posts.public import Incident, RemotePublicPost, Takedown
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import incident_act, incident_close, reconcile, sweep, takedown_removal, watch
from gatekeeper.workflow.limits_seen import watcher
from tests.conftest import ToldClock
from tests.factories import watching
from tests.factories.school import School, make_services
from tests.factories.sending import fault_on_create, run, to_a_person
from tests.factories.watching import begin, deleted, edited, found, incidents, mails, outside, published, read, watch_of

ALL = ("x", "facebook", "linkedin")


@pytest.fixture
def simulator(clock: ToldClock) -> Iterator[Simulator]:
    with Simulator(config=SimulatorConfig(clock=clock, refuse_duplicates=False)) as running:
        yield running


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    """With every channel wrapped as it is in the worker, so that what is read back is counted."""
    services = make_services(sqlite_database, tmp_path, clock, simulator=simulator)
    plain, wrapped = services.channel_for, watcher(sqlite_database, clock)
    assert plain is not None
    school = School(replace(services, channel_for=lambda account: wrapped(plain(account), account.id)))
    school.open_linkedin()
    return school


def picture(colour: str = "seagreen") -> str:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


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


def test_a_post_that_a_list_never_shows_is_not_vanished(school: School, simulator: Simulator, clock: ToldClock) -> None:
    begin(school, "facebook")
    fault_on_create(simulator, "facebook", "never_listed")
    published(school, simulator, clock, "facebook")
    for _ in range(5):
        assert read(school, clock, "facebook", minutes=120) == []


def test_a_post_younger_than_the_platforms_lag_is_not_asked_for(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "x")
    remote_id = published(school, simulator, clock, "x")
    deleted(simulator, remote_id)
    read(school, clock, "x", minutes=5)
    assert watching.row_of(school, remote_id) is None


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


def test_an_outsider_with_our_words_is_reported_once_our_own_send_is_settled(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    """Two posts with the same words, and one send without an answer: a person says it was not ours, or which it is."""
    begin(school, "x")
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    to_a_person(school, simulator, clock, "x")
    remote_id = outside(simulator, "x", "Our harvest table is full. Thank you to every family!")
    assert read(school, clock, "x", minutes=15) == []
    with school.services.db.begin() as session:
        held = school.publication(publication)
        session.add(held)
        held.state = PublicationState.FAILED
    (one,) = read(school, clock, "x", minutes=600)
    assert (one.kind, one.remote_id) == ("ungated", remote_id)


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


def test_a_picture_that_cannot_be_read_is_left_out_and_stops_nothing(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "facebook")
    outside(simulator, "facebook", "Three", images=[picture("red"), picture("blue"), picture("green")])
    simulator.fault("status", host="scontent.xx.fbcdn.net", status=200, body="no picture at all")
    simulator.fault("status", host="scontent.xx.fbcdn.net", status=302, headers={"Location": "http://127.0.0.1/"})
    (one,) = read(school, clock, "facebook")
    assert len(one.pictures) == 1
    row = watching.row_of(school, one.remote_id)
    assert row is not None
    assert row.media_count == 3


def test_nothing_is_lost_when_a_reading_breaks_off_or_nobody_reads_for_days(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "x")
    clock.advance(days=2)
    outside(simulator, "x", "While nobody looked")
    clock.advance(days=2)
    for _ in range(2):
        simulator.fault("accept_then_garbage", host="api.twitter.com", method="GET", path="/2/users/42/tweets")
        assert read(school, clock, "x") == []
    assert [one.kind for one in read(school, clock, "x")] == ["ungated"]


def test_after_three_failing_readings_people_are_told_once_and_reading_goes_on(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "facebook")
    with simulator.state.changing():
        simulator.control.set_token({"kind": "facebook", "state": "expired"})
    for failures in range(1, 6):
        read(school, clock, "facebook", minutes=60)
        assert watch_of(school, "facebook").failures == failures
    assert len(mails(school, "watch_failing")) == 2
    assert "keys" in watch_of(school, "facebook").problem
    with simulator.state.changing():
        simulator.control.set_token({"kind": "facebook", "state": "valid"})
    read(school, clock, "facebook")
    stands = watch_of(school, "facebook")
    assert (stands.failures, stands.problem) == (0, "")


def test_reading_stands_back_where_publishing_needs_what_is_left(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    account = begin(school, "facebook")
    with school.services.db.begin() as session:
        session.merge(
            ChannelLimit(account_id=account, route="everything", remaining=10, resets_at=None, seen_at=clock.now())
        )
    before = len(simulator.requests())
    read(school, clock, "facebook", minutes=1)
    assert len(simulator.requests()) == before
    assert watch_of(school, "facebook").problem == watch.SPARED
    assert watch_of(school, "facebook").failures == 0


def test_a_platform_that_asks_to_wait_is_not_asked_again_before(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "x")
    simulator.fault("status", host="api.twitter.com", canned="x.429")
    read(school, clock, "x")
    stands = watch_of(school, "x")
    assert stands.failures == 0
    assert stands.next_at > clock.now() + timedelta(minutes=5)
    before = len(simulator.requests())
    watch.read(school.services, school.accounts["x"])
    assert len(simulator.requests()) == before


def test_nothing_is_judged_while_a_restore_is_not_finished(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    """What was published after the backup was taken would look like an outsider's."""
    begin(school, "x")
    with school.services.db.begin() as session:
        session.add(Restoration(taken_at=clock.now(), restored_at=clock.now()))
    outside(simulator, "x", "Published after the backup")
    assert read(school, clock, "x") == []
    assert watch_of(school, "x").problem == watch.RESTORED


def test_the_budget_for_x_spreads_readings_over_the_month_and_ends_them(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    with school.services.db.begin() as session:
        change_setting(session, "watch", {"minutes": 15, "reads": 30}, by=None, now=clock.now())
    begin(school, "x")
    for number in range(30):
        outside(simulator, "x", f"Cake {number}")
    clock.advance(minutes=15)
    watch.read(school.services, school.accounts["x"])
    read(school, clock, "x")
    stands = watch_of(school, "x")
    assert stands.problem == watch.NO_BUDGET
    assert (stands.next_at.month, stands.next_at.day, stands.next_at.hour) == (12, 1, 0)
    assert len(found(school)) == 30
    assert len(mails(school)) == 2  # one e-mail to each for one reading


def test_ten_thousand_posts_are_read_in_parts_up_to_a_bound(
    school: School, simulator: Simulator, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_PAGES", 2)
    begin(school, "linkedin")
    for number in range(250):
        outside(simulator, "linkedin", f"Cake {number}")
    clock.advance(minutes=15)
    watch.read(school.services, school.accounts["linkedin"])
    assert len(found(school)) == 200
    assert watch_of(school, "linkedin").problem == watch.NOT_WHOLE


def test_a_clock_that_was_set_back_leaves_no_gap(school: School, simulator: Simulator, clock: ToldClock) -> None:
    clock.advance(days=3)
    begin(school, "x")
    clock.advance(days=-3)
    outside(simulator, "x", "While the clock was wrong")
    assert watch.order_due(school.services) == 0
    with school.services.db.begin() as session:
        session.merge(watch_of(school, "x")).next_at = clock.now() + timedelta(days=300)
        session.query(jobs.Order).delete()
    assert watch.order_due(school.services) == 1
    # what appeared before watching began, by this clock, was there before
    read(school, clock, "x", minutes=1)
    assert found(school) == []
    clock.advance(days=3)
    outside(simulator, "x", "Now")
    read(school, clock, "x")
    assert found(school) == ["ungated"]


def test_the_sweep_begins_to_watch_what_is_open_and_orders_what_is_due(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    sweep.run(school.services)
    with school.services.db.read() as session:
        assert session.scalar(select(func.count()).where(jobs.Order.job == "watch")) == 0  # no keys, so no reading
    begin(school, "x")
    clock.advance(minutes=16)
    with school.services.db.begin() as session:
        session.query(jobs.Order).delete()
    assert watch.order_due(school.services) == 1
    assert watch.order_due(school.services) == 0


def test_two_readings_at_once_report_one_incident(school: School, simulator: Simulator, clock: ToldClock) -> None:
    begin(school, "x")
    clock.advance(minutes=1)
    outside(simulator, "x")
    with school.services.step() as session:
        jobs.order(session, jobs.WATCH, school.accounts["x"], now=clock.now())
    with school.services.step() as session:
        first = jobs.claim(session, jobs.WATCH, school.accounts["x"], now=clock.now())
    with school.services.step() as session:
        assert first is not None
        assert jobs.claim(session, jobs.WATCH, school.accounts["x"], now=clock.now()) is None
    for _ in range(2):
        watch.read(school.services, school.accounts["x"])
    assert found(school) == ["ungated"]


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
    takedown_removal.carry_out(school.services, removal)
    assert simulator.posts(kind) == []
    (one,) = read(school, clock, kind)
    assert one.outcome == incident_close.TAKEN_DOWN
    assert one.closed_by == school.staff[Role.ADMINISTRATOR]
    for _ in range(3):
        assert len(read(school, clock, kind, minutes=60)) == 1
