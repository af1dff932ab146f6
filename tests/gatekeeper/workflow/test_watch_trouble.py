"""Reading goes on through what goes wrong: garbled answers, waits, budgets, clocks, lags, long lists, odd texts."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gatekeeper import jobs
from gatekeeper.channels.base import RemotePost
from gatekeeper.db.session import Database
from gatekeeper.people.school import change_setting
from gatekeeper.posts import media
from gatekeeper.posts.model import ChannelLimit, Restoration
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import sweep, watch, watch_pace
from gatekeeper.workflow.watch_round import Round, storable
from tests.conftest import ToldClock
from tests.factories import watching
from tests.factories.school import School
from tests.factories.sending import fault_on_create, to_a_person
from tests.factories.watching import (
    begin,
    deleted,
    edited,
    found,
    mails,
    outside,
    picture,
    published,
    read,
    watch_of,
    watched_school,
)


@pytest.fixture
def simulator(clock: ToldClock) -> Iterator[Simulator]:
    with Simulator(config=SimulatorConfig(clock=clock, refuse_duplicates=False)) as running:
        yield running


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return watched_school(sqlite_database, tmp_path, clock, simulator)


def order_removal(school: School) -> None:
    with school.services.db.begin() as session:
        jobs.order(session, jobs.TAKEDOWN, 1, now=school.services.clock.now())


def end_removal(school: School) -> None:
    with school.services.db.begin() as session:
        claim = jobs.claim(session, jobs.TAKEDOWN, 1, now=school.services.clock.now())
        assert claim
        jobs.finish(session, claim)


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
    watch_pace.change(school.services, watch_pace.WatchSetting(reads=5_000), by=school.head)
    clock.advance(minutes=15)
    assert watch.order_due(school.services) == 1
    read(school, clock, "x", minutes=1)
    assert watch_of(school, "x").problem == ""


def test_pictures_that_come_slowly_keep_nothing_from_being_reported(
    school: School, simulator: Simulator, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(school, "facebook")
    for number in range(3):
        outside(simulator, "facebook", f"Slow {number}", images=[picture()] * 2)
    whole = media.publishable

    def slow(data: bytes) -> object:
        clock.advance(seconds=30)
        return whole(data)

    monkeypatch.setattr(media, "publishable", slow)
    assert [len(one.pictures) for one in read(school, clock, "facebook")] == [2, 0, 0]


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


def test_a_removal_that_waits_comes_before_a_reading_and_nothing_is_lost_by_it(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "facebook")
    outside(simulator, "facebook", "Around the gate", images=[picture("red")])
    order_removal(school)
    simulator.state.requests.clear()
    assert read(school, clock, "facebook") == []
    assert simulator.state.requests == []
    soon = clock.now() + timedelta(seconds=10)
    assert (watch_of(school, "facebook").next_at, watch_of(school, "facebook").problem) == (soon, "")
    end_removal(school)
    (one,) = read(school, clock, "facebook")
    assert (one.text, len(one.pictures)) == ("Around the gate", 1)


def test_removals_that_are_tried_in_vain_hold_up_no_reading(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "facebook")
    outside(simulator, "facebook", "Around the gate")
    order_removal(school)
    with school.services.db.begin() as session:
        claim = jobs.claim(session, jobs.TAKEDOWN, 1, now=clock.now())
        assert claim
        jobs.postpone(session, claim, now=clock.now())
    assert found(school) == []
    assert len(read(school, clock, "facebook")) == 1  # it is due again by now


def test_a_removal_that_is_asked_for_while_an_account_is_read_waits_for_one_part_at_most(
    school: School, simulator: Simulator, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(school, "facebook")
    for number in range(250):
        outside(simulator, "facebook", f"Post {number}")
    take = Round.take

    def take_and_be_asked(this: Round, posts: Sequence[RemotePost], *, seen: bool = True) -> None:
        take(this, posts, seen=seen)
        order_removal(school)

    with monkeypatch.context() as patched:
        patched.setattr(Round, "take", take_and_be_asked)
        first = read(school, clock, "facebook")
    assert 0 < len(first) < 250
    assert watch_of(school, "facebook").failures == 0
    end_removal(school)
    assert sorted(one.text for one in read(school, clock, "facebook")) == sorted(f"Post {n}" for n in range(250))


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


def test_on_facebook_an_old_post_that_somebody_changes_is_found_on_the_next_day(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    old = outside(simulator, "facebook", "Old news")
    clock.advance(days=90)
    begin(school, "facebook")
    read(school, clock, "facebook")
    edited(simulator, old, "Quite another thing")
    assert read(school, clock, "facebook") == []
    assert [one.kind for one in read(school, clock, "facebook", minutes=24 * 60)] == ["edited"]


@pytest.mark.parametrize("text", ["the end\0 of a text", "😀" * 300, "", "\u202eback"], ids=ascii)
def test_whatever_somebody_writes_is_kept_and_compared_with_itself(
    school: School, simulator: Simulator, clock: ToldClock, text: str
) -> None:
    begin(school, "facebook")
    outside(simulator, "facebook", text, images=[picture()])
    for _ in range(3):
        assert [one.kind for one in read(school, clock, "facebook")] == ["ungated"]
    assert watch_of(school, "facebook").failures == 0


def test_half_an_emoji_is_no_text_that_a_database_keeps() -> None:
    post = RemotePost(
        id="1", text="half \ud83d", media_count=0, created_at=datetime(2026, 11, 23, tzinfo=UTC), permalink=""
    )
    assert storable(post).text == "half \ufffd"
