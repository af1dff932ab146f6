"""What a platform says of its limits is kept for every process, and heeded before anything is sent."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from gatekeeper.channels.base import Channel, NotFound, PublishedPost, RenderedPost, TimelinePage, TimeWindow, Trying
from gatekeeper.channels.errors import OutcomeUnknown, RateLimited
from gatekeeper.channels.told import CREATE_DAY, EVERYTHING, RouteLimit, Told
from gatekeeper.db.session import Database
from gatekeeper.posts.model import Attempt, ChannelAccount, ChannelCost, ChannelLimit, Publication
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.config import X_LIMITS, SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim, connect, limits_seen, publish
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.factories.sending import no_guard

POST = RenderedPost("Snow: the school is closed today.")


class Platform:
    """A channel that tells what the test wants."""

    def __init__(self, kind: str) -> None:
        self.channel = create_autospec(Channel, instance=True)
        self.channel.kind, self.channel.account_id = kind, "42"
        self.channel.told = self._told
        self.channel.create_post.return_value = PublishedPost("1", "https://x.example/1")
        self.next = Told()

    def _told(self) -> Told:
        told, self.next = self.next, Told()
        return told

    def tells(self, *limits: RouteLimit, read: int = 0) -> None:
        self.next = Told(limits=limits, posts_read=read)


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


@pytest.fixture
def x(school: School) -> int:
    return school.accounts["x"]


@pytest.fixture
def platform() -> Platform:
    return Platform("x")


@pytest.fixture
def watched(school: School, x: int, platform: Platform) -> Channel:
    return another_process(school, platform, x)


def another_process(school: School, platform: Platform, account_id: int) -> Channel:
    return limits_seen.watcher(school.services.db, school.services.clock)(platform.channel, account_id)


def left(route: str, remaining: int | None, resets_at: datetime | None) -> RouteLimit:
    return RouteLimit(route=route, remaining=remaining, resets_at=resets_at)


def kept(services: Services) -> dict[str, tuple[int | None, datetime | None]]:
    with services.db.read() as session:
        return {row.route: (row.remaining, row.resets_at) for row in session.scalars(select(ChannelLimit))}


@pytest.mark.parametrize("route", ["create_post", CREATE_DAY, EVERYTHING])
def test_cannot_publish_in_any_process_before_the_moment_a_platform_named(
    *, school: School, x: int, platform: Platform, watched: Channel, clock: ToldClock, route: str
) -> None:
    until = clock.now() + timedelta(minutes=15)
    platform.tells(left(route, 0, until))
    watched.create_post(POST, [])
    for process in (watched, another_process(school, platform, x)):
        with pytest.raises(RateLimited) as caught:
            process.create_post(POST, [])
        assert caught.value.retry_at == until
        with pytest.raises(RateLimited):
            process.upload_media(create_autospec(object))
    assert platform.channel.create_post.call_count == 1
    platform.channel.upload_media.assert_not_called()
    clock.advance(minutes=15, seconds=1)
    watched.create_post(POST, [])
    assert platform.channel.create_post.call_count == 2


def test_what_waits_on_one_kind_of_call_does_not_stop_another(
    platform: Platform, watched: Channel, clock: ToldClock
) -> None:
    platform.channel.list_posts.return_value = TimelinePage((), complete=False, observed_at=clock.now())
    platform.tells(left("list_posts", 0, clock.now() + timedelta(minutes=15)))
    watched.list_posts(since=clock.now())
    with pytest.raises(RateLimited):
        watched.list_posts(since=clock.now())
    with pytest.raises(RateLimited):
        watched.find_post(POST, media_count=0, window=TimeWindow(clock.now(), clock.now()))
    watched.create_post(POST, [])
    watched.verify_credentials()  # keys can be looked at all the same


def test_a_refusal_is_kept_even_where_the_platform_tells_nothing_else(
    school: School, platform: Platform, watched: Channel, clock: ToldClock
) -> None:
    midnight = clock.now().replace(hour=0) + timedelta(days=1)
    refused = RateLimited(platform="LinkedIn", operation="create_post", retry_at=midnight)
    platform.channel.create_post.side_effect = refused
    with pytest.raises(RateLimited):
        watched.create_post(POST, [])
    assert kept(school.services) == {"create_post": (0, midnight)}


def test_no_header_makes_anybody_wait_longer_than_a_day(
    school: School, platform: Platform, watched: Channel, clock: ToldClock
) -> None:
    platform.tells(left("create_post", 0, clock.now() + timedelta(days=900)))
    watched.create_post(POST, [])
    assert kept(school.services)["create_post"][1] == clock.now() + timedelta(hours=25)


def test_of_two_words_about_one_span_the_smaller_number_holds(
    school: School, x: int, platform: Platform, watched: Channel, clock: ToldClock
) -> None:
    span = clock.now() + timedelta(minutes=15)
    for remaining in (0, 4):  # the answer with 4 was given first and arrives last
        platform.tells(left("create_post", remaining, span))
        watched.get_post("1")
    assert kept(school.services)["create_post"] == (0, span)
    platform.tells(left("create_post", 99, span + timedelta(minutes=15)))
    watched.get_post("1")
    assert kept(school.services)["create_post"][0] == 99


def test_plenty_is_written_once_a_minute_and_little_at_once(
    school: School, platform: Platform, watched: Channel, clock: ToldClock
) -> None:
    span = clock.now() + timedelta(minutes=15)
    seen = []
    for remaining, seconds in ((90, 5), (89, 5), (88, 60), (87, 1), (10, 1), (9, 1)):
        platform.tells(left("create_post", remaining, span))
        watched.get_post("1")
        seen.append(kept(school.services)["create_post"][0])
        clock.advance(seconds=seconds)
    assert seen == [90, 90, 90, 87, 10, 9]


def test_a_post_that_went_out_is_out_whether_its_numbers_could_be_kept_or_not(
    school: School, x: int, platform: Platform
) -> None:
    broken = create_autospec(Database, instance=True)
    broken.begin.side_effect = broken.read.side_effect = OperationalError("database is locked", None, Exception())
    watched = limits_seen.watcher(broken, school.services.clock)(platform.channel, x)
    platform.tells(left("create_post", 0, None))
    assert watched.create_post(POST, []).id == "1"
    platform.channel.create_post.side_effect = OutcomeUnknown(platform="X", operation="create_post")
    with pytest.raises(OutcomeUnknown):
        watched.create_post(POST, [])


def test_reading_is_counted_on_x_and_costs_nothing_elsewhere(
    school: School, platform: Platform, watched: Channel
) -> None:
    platform.channel.find_post.return_value = NotFound(complete=False)
    now = school.services.clock.now()
    for channel in (watched, another_process(school, page := Platform("facebook"), school.accounts["facebook"])):
        for told in (platform, page):
            told.tells(read=7)
        channel.find_post(POST, media_count=0, window=TimeWindow(now, now))
    with school.services.db.read() as session:
        rows = session.scalars(select(ChannelCost)).all()
    assert [(row.account_id, row.kind, row.count) for row in rows] == [(school.accounts["x"], "read", 7)]


def test_only_a_channel_that_can_be_tried_seems_so(school: School, platform: Platform, watched: Channel) -> None:
    assert not isinstance(watched, Trying)
    platform.channel.trial = lambda *_, **__: None
    assert isinstance(another_process(school, platform, 1), Trying)


def test_a_fresh_check_forgets_what_was_told_before(
    school: School, x: int, platform: Platform, watched: Channel, clock: ToldClock
) -> None:
    platform.tells(left("create_post", 0, clock.now() + timedelta(hours=9)))
    watched.create_post(POST, [])
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, x).sealed = "s1.sealed"
    connect.check_again(school.services, x, by=school.head)
    assert kept(school.services) == {}


def test_a_publication_waits_with_a_sentence_and_without_an_attempt(
    school: School, x: int, platform: Platform, watched: Channel, clock: ToldClock
) -> None:
    post_id = school.post(kinds=("x",))
    (publication_id,) = school.approve(post_id)
    clock.moment = school.publication(publication_id).due_at
    until = clock.now() + timedelta(minutes=15)
    platform.tells(left("create_post", 0, until))
    watched.get_post("1")
    services = replace(school.services, channel_for=lambda _account: watched)
    (held,) = claim.claim_due(services, owner="me")
    publish.publish(services, held, guard=no_guard)
    row = school.publication(publication_id)
    assert (row.state, row.next_at, row.lease_until) == (PublicationState.SCHEDULED, until, None)
    assert "asks to wait" in row.problem
    with services.db.read() as session:
        assert session.scalars(select(Attempt)).all() == []
        assert session.get_one(ChannelAccount, x).status == "open"
    platform.channel.create_post.assert_not_called()
    clock.moment = until
    (held,) = claim.claim_due(services, owner="me")
    publish.publish(services, held, guard=no_guard)
    assert school.publication(publication_id).state == PublicationState.PUBLISHED


def test_the_real_platforms_headers_are_heeded_by_the_next_process(school: School, x: int, clock: ToldClock) -> None:
    """The simulated X allows so many posts in a quarter of an hour; the process after the last of them sends nothing."""
    with Simulator(config=SimulatorConfig(clock=clock, x_limits={**X_LIMITS, "create": 3})) as simulator:
        services = make_services(school.services.db, school.services.settings.data, clock, simulator=simulator)
        assert services.channel_for is not None
        with services.db.read() as session:
            account = session.get_one(ChannelAccount, x)
        bare = services.channel_for(account)
        for number in range(3):
            bare.create_post(RenderedPost(f"Words {number}"), [])
        watched = limits_seen.watcher(services.db, clock)(bare, x)
        with pytest.raises(RateLimited):
            watched.create_post(RenderedPost("One more"), [])
        seen = len(simulator.state.requests)
        with pytest.raises(RateLimited) as caught:
            limits_seen.watcher(services.db, clock)(services.channel_for(account), x).create_post(POST, [])
        assert len(simulator.state.requests) == seen
        assert caught.value.retry_at is not None
        assert caught.value.retry_at > clock.now()


def test_publications_are_counted_once_by_what_they_are_charged_as(
    school: School, platform: Platform, watched: Channel, clock: ToldClock
) -> None:
    services = replace(school.services, channel_for=lambda _account: watched)
    for text in ("Plain words", "See https://school.example", "More words"):
        post_id = school.post(kinds=("x",), text=text)
        (publication_id,) = school.approve(post_id)
        clock.moment = school.publication(publication_id).due_at
        platform.channel.create_post.return_value = PublishedPost(str(publication_id), "https://x.example/1")
        (held,) = claim.claim_due(services, owner="me")
        publish.publish(services, held, guard=no_guard)
    with services.db.read() as session:
        assert [one.state for one in session.scalars(select(Publication))] == ["published"] * 3
        assert {row.kind: row.count for row in session.scalars(select(ChannelCost))} == {"post": 2, "link_post": 1}
