"""A post on several channels is told of once, when the last has ended; what goes wrong on one is told at once."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.people.consent import Purpose
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import answer, claim, consents, publish, reconcile, stop, takedown
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.factories.sending import no_guard, run, to_a_person


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    made = School(make_services(sqlite_database, tmp_path, clock, simulator=simulator))
    made.open_linkedin()
    return made


def mails(school: School, staff_id: int) -> list[tuple[str, str]]:
    with school.services.db.read() as session:
        wanted = select(Notice).where(Notice.staff_id == staff_id, Notice.kind.in_(("published", "not_sent", "missed")))
        return [(one.kind, str(one.context.get("channel"))) for one in session.scalars(wanted.order_by(Notice.id))]


def approve(school: School, clock: ToldClock, *kinds: str) -> list[int]:
    made = list(school.approve(school.post(kinds=kinds)))
    clock.advance(hours=1)
    return made


def refuse(simulator: Simulator, path: str, host: str, canned: str) -> None:
    simulator.fault("status", host=host, method="POST", path=path, canned=canned, times=1)


def test_three_channels_are_one_mail_to_the_author_and_one_to_whoever_decided(school: School, clock: ToldClock) -> None:
    approve(school, clock, "x", "facebook", "linkedin")
    assert run(school) == 3
    for person in (school.author, school.head):
        assert mails(school, person) == [("published", "X, Facebook and LinkedIn")]
    assert mails(school, school.staff[Role.ADMINISTRATOR]) == []
    with school.services.db.read() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "published")).first()
        assert notice is not None
        assert all(place["permalink"].startswith("http") for place in notice.context["places"])


def test_nobody_is_told_while_one_channel_is_on_its_way(school: School, simulator: Simulator, clock: ToldClock) -> None:
    approve(school, clock, "x", "facebook")
    simulator.fault("accept_then_drop", host="graph.facebook.com", method="POST", path="/v26.0/111/feed", times=1)
    run(school)
    assert mails(school, school.author) == []
    clock.advance(seconds=5)
    reconcile.reconcile(school.services)
    assert mails(school, school.author) == [("published", "X and Facebook")]


def test_what_one_channel_refuses_is_told_at_once_and_the_others_with_it(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    approve(school, clock, "x", "facebook")
    refuse(simulator, "/2/tweets", "api.twitter.com", "x.too_long")
    run(school)
    told = mails(school, school.author)
    assert sorted(kind for kind, _ in told) == ["not_sent", "published"]
    assert ("published", "Facebook") in told


def test_a_post_that_is_public_nowhere_is_told_of_as_that_alone(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    approve(school, clock, "x")
    refuse(simulator, "/2/tweets", "api.twitter.com", "x.too_long")
    run(school)
    assert [kind for kind, _ in mails(school, school.author)] == ["not_sent"]


def test_a_channel_that_misses_its_time_lets_the_others_be_told(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    approve(school, clock, "x", "facebook")
    simulator.fault("status", host="api.twitter.com", method="POST", path="/2/tweets", canned="x.429", times=99)
    run(school)
    assert mails(school, school.author) == []
    clock.advance(hours=3)
    run(school)
    assert sorted(kind for kind, _ in mails(school, school.author)) == ["missed", "published"]


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
def test_the_answer_of_a_person_is_an_end_as_well(
    school: School, simulator: Simulator, clock: ToldClock, *, there: bool
) -> None:
    riddle, _ = approve(school, clock, "x", "facebook")
    to_a_person(school, simulator, clock, "x")
    assert school.publication(riddle).state == PublicationState.NEEDS_PERSON
    assert mails(school, school.author) == []
    clock.advance(hours=3)
    answer.answer(school.services, riddle, by=school.author, there=there, link="https://x.com/school/status/190012")
    assert mails(school, school.author) == [("published", "X and Facebook" if there else "Facebook")]


def test_what_is_stopped_halfway_is_told_of(school: School, simulator: Simulator, clock: ToldClock) -> None:
    approve(school, clock, "x", "facebook")
    simulator.fault("status", host="api.twitter.com", method="POST", path="/2/tweets", canned="x.429", times=1)
    run(school)
    with school.services.db.read() as session:
        post = session.scalars(select(Post.id)).one()
    stop.stop(school.services, post, by=school.author)
    assert mails(school, school.author) == [("published", "Facebook")]


def test_told_once_however_often_it_is_asked(school: School, clock: ToldClock) -> None:
    approve(school, clock, "x", "facebook")
    run(school)
    clock.advance(hours=3)
    run(school)
    assert len(mails(school, school.author)) == 1


def take_down(school: School, publication_id: int) -> None:
    with school.services.step() as session:
        takedown.order(
            session, account_id=school.publication(publication_id).account_id, publication_id=publication_id,
            why="consent", words="", by=school.head, now=school.services.clock.now(),
        )  # fmt: skip


def test_a_channel_that_is_cancelled_for_its_removal_does_not_keep_the_mail_about_the_others(
    school: School, clock: ToldClock
) -> None:
    _, facebook = approve(school, clock, "x", "facebook")
    (first,) = claim.claim_due(school.services, owner="test", limit=1)
    publish.publish(school.services, first, guard=no_guard)
    take_down(school, facebook)
    assert school.publication(facebook).state == PublicationState.CANCELLED
    assert mails(school, school.author) == [("published", "X")]


def test_neither_does_one_that_a_withdrawn_permission_cancels(school: School, clock: ToldClock) -> None:
    school.approve(school.post(kinds=("x", "facebook"), pupils=("Wren",)))
    clock.advance(hours=1)
    (first,) = claim.claim_due(school.services, owner="test", limit=1)
    publish.publish(school.services, first, guard=no_guard)
    lead = school.staff[Role.CONSENT_LEAD]
    consents.withdraw_consent(school.services, school.pupils["Wren"], "facebook", Purpose.SOCIAL_MEDIA, by=lead)
    assert mails(school, school.author) == [("published", "X")]


def test_neither_does_one_that_is_to_be_removed_and_that_a_person_does_not_find(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    _, facebook = approve(school, clock, "x", "facebook")
    to_a_person(school, simulator, clock, "facebook")
    take_down(school, facebook)
    assert mails(school, school.author) == []
    answer.answer(school.services, facebook, by=school.author, there=False)
    assert school.publication(facebook).state == PublicationState.FAILED
    assert mails(school, school.author) == [("published", "X")]
    run(school)
    assert not simulator.posts("facebook")
