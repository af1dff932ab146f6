"""What was ordered to be taken down is gone and proved to be, or stands in a list until it is."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from approvals.tables import LedgerEntry
from gatekeeper import jobs
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelAccount, EmergencyStop, Publication
from gatekeeper.posts.public import RemotePublicPost, Takedown, TakedownState
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import answer, reconcile, takedown, takedown_removal, takedown_sweep
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import fault_on_create, live, run, to_a_person


def order(school: School, publication_id: int, **more: Any) -> int:
    account_id = school.publication(publication_id).account_id
    told = {"why": "mistake", "words": "The wrong picture", "by": school.head, **more}
    with school.services.step() as session:
        return takedown.order(
            session, account_id=account_id, publication_id=publication_id, now=school.services.clock.now(), **told
        )


def removal(school: School, takedown_id: int) -> Takedown:
    with school.services.db.read() as session:
        return session.get_one(Takedown, takedown_id)


def published(school: School, clock: ToldClock, *kinds: str, **more: Any) -> list[int]:
    ids = school.approve(school.post(kinds=kinds or ("x",), **more))
    clock.advance(hours=1)
    run(school)
    assert {school.publication(one).state for one in ids} == {PublicationState.PUBLISHED}
    return ids


def entries(school: School, kind: str) -> list[dict[str, Any]]:
    with school.services.db.read() as session:
        rows = session.scalars(select(LedgerEntry.body).where(LedgerEntry.kind == kind).order_by(LedgerEntry.seq))
        return [json.loads(row) for row in rows]


def told(school: School, kind: str) -> set[int]:
    with school.services.db.read() as session:
        return set(session.scalars(select(Notice.staff_id).where(Notice.kind == kind)))


@pytest.fixture
def three(school: School) -> School:
    school.open_linkedin()
    return school


def test_a_post_is_gone_from_three_platforms_and_each_end_is_proved(
    three: School, simulator: Simulator, clock: ToldClock
) -> None:
    ids = published(three, clock, "x", "facebook", "linkedin", photos=2)
    for publication_id in ids:
        number = order(three, publication_id)
        takedown_removal.carry_out(three.services, number)
        assert removal(three, number).state == TakedownState.GONE
    assert [simulator.posts(kind) for kind in ("x", "facebook", "linkedin")] == [[], [], []]
    ordered, confirmed = entries(three, "takedown.ordered"), entries(three, "takedown.confirmed")
    assert [one["takedown"] for one in ordered] == [one["takedown"] for one in confirmed] == [1, 2, 3]
    assert {one["how"] for one in confirmed} == {"removed_and_read"}
    assert all("words" not in one for one in ordered)
    assert told(three, "taken_down") == {three.author, three.head}


def test_removing_it_again_finds_it_gone(school: School, clock: ToldClock) -> None:
    (publication_id,) = published(school, clock)
    for _ in range(2):
        number = order(school, publication_id)
        takedown_removal.carry_out(school.services, number)
        clock.advance(minutes=11)
    assert [one["how"] for one in entries(school, "takedown.confirmed")] == ["removed_and_read", "read_to_be_gone"]
    takedown_removal.carry_out(school.services, number)  # over: nothing more is done
    assert len(entries(school, "takedown.confirmed")) == 2


def test_a_young_post_that_cannot_be_read_is_looked_for_again(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    """A platform that is slow to show a post must not make anybody believe that it is gone."""
    (publication_id,) = published(school, clock)
    with school.services.db.begin() as session:
        session.get_one(Publication, publication_id).remote_id = "1900000000000000001"
    number = order(school, publication_id)
    takedown_removal.carry_out(school.services, number)
    assert removal(school, number).state == TakedownState.ORDERED
    before = len(simulator.requests("DELETE"))
    takedown_removal.carry_out(school.services, number)
    assert len(simulator.requests("DELETE")) == before, "not before its time"
    clock.advance(minutes=11)
    takedown_sweep.run(school.services)
    takedown_removal.carry_out(school.services, number)
    assert removal(school, number).state == TakedownState.GONE


def test_an_edited_post_on_x_goes_with_every_version(school: School, simulator: Simulator, clock: ToldClock) -> None:
    published(school, clock)
    (post,) = simulator.posts("x")
    with simulator.state.changing():
        simulator.control.edit_post({"id": post.id, "text": "Edited elsewhere"})
    (edited,) = simulator.posts("x")
    with school.services.step() as session:
        number = takedown.order(
            session, account_id=school.accounts["x"], remote_id=edited.versions[-1].id, why="incident", words="Edited",
            by=school.head, now=clock.now(),
        )  # fmt: skip
    takedown_removal.carry_out(school.services, number)
    assert simulator.posts("x") == []
    assert removal(school, number).state == TakedownState.GONE


def test_a_post_by_somebody_else_is_taken_down_too(school: School, simulator: Simulator, clock: ToldClock) -> None:
    with simulator.state.changing():
        posted = simulator.control.external_post({"kind": "facebook", "text": "Went round the gate"})
    remote = simulator.posts("facebook")[0].id
    assert posted
    with school.services.db.begin() as session:
        session.add(
            RemotePublicPost(
                account_id=school.accounts["facebook"], remote_id=remote, posted_at=clock.now(),
                first_seen_at=clock.now(), seen_at=clock.now(),
            )
        )  # fmt: skip
    with school.services.step() as session:
        told_of = {"account_id": school.accounts["facebook"], "remote_id": remote, "why": "incident", "words": ""}
        number = takedown.order(session, **told_of, by=school.head, now=clock.now())
        assert takedown.order(session, **told_of, by=school.head, now=clock.now(), incident_id=None) == number
    takedown_removal.carry_out(school.services, number)
    assert simulator.posts("facebook") == []
    with school.services.db.read() as session:
        assert session.scalars(select(RemotePublicPost.gone_at)).one() == clock.now()


def test_a_second_wish_joins_the_first(school: School, clock: ToldClock) -> None:
    (publication_id,) = published(school, clock)
    assert order(school, publication_id) == order(school, publication_id, why="consent", by=None)
    assert len(entries(school, "takedown.ordered")) == 1


@pytest.mark.parametrize(("why", "remote"), [("fun", "1"), ("mistake", None)])
def test_cannot_order_without_a_reason_or_a_post(school: School, why: str, remote: str | None) -> None:
    with school.services.step() as session, pytest.raises(BadInput):
        takedown.order(
            session, account_id=school.accounts["x"], remote_id=remote, why=why, words="", by=None,
            now=school.services.clock.now(),
        )  # fmt: skip


def test_cannot_order_a_publication_of_another_account(school: School, clock: ToldClock) -> None:
    (publication_id,) = published(school, clock)
    with school.services.step() as session, pytest.raises(NotFound):
        takedown.order(
            session, account_id=school.accounts["facebook"], publication_id=publication_id, why="mistake", words="",
            by=None, now=clock.now(),
        )  # fmt: skip


def test_what_has_not_begun_is_cancelled_and_its_rest_goes_on(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post()
    first, _ = school.approve(post)
    number = order(school, first)
    assert removal(school, number).state == TakedownState.NEVER_PUBLIC
    assert school.publication(first).state == PublicationState.CANCELLED
    clock.advance(hours=1)
    run(school)
    assert sum(live(simulator).values()) == 1
    assert school.state(post) == PostState.PARTLY


def test_the_last_channel_that_is_cancelled_ends_the_approval(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post()
    for publication_id in school.approve(post):
        order(school, publication_id)
    assert school.state(post) == PostState.WITHDRAWN
    clock.advance(hours=1)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 0}
    assert [one["publication"] for one in entries(school, "takedown.never_public")] == [1, 2]


@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_what_is_on_its_way_is_removed_as_soon_as_it_is_found(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    (publication_id,) = school.approve(school.post(kinds=(kind,)))
    clock.advance(hours=1)
    fault_on_create(simulator, kind, "accept_then_drop")
    run(school)
    number = order(school, publication_id)
    assert removal(school, number).state == TakedownState.WAITING
    takedown_removal.carry_out(school.services, number)  # nobody knows yet what to remove
    takedown_sweep.run(school.services)
    assert removal(school, number).state == TakedownState.WAITING
    clock.advance(seconds=5)
    reconcile.reconcile(school.services)
    assert removal(school, number).state == TakedownState.ORDERED
    takedown_removal.carry_out(school.services, number)
    assert live(simulator)[kind] == 0


def test_what_nobody_can_find_is_never_sent_again_once_it_was_ordered_down(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (publication_id,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    to_a_person(school, simulator, clock, "x")
    number = order(school, publication_id)
    answer.answer(school.services, publication_id, by=school.head, there=False)
    assert school.publication(publication_id).state == PublicationState.FAILED
    assert removal(school, number).state == TakedownState.NEVER_PUBLIC
    assert run(school) == 0
    assert live(simulator)["x"] == 0


def test_what_a_person_finds_is_removed(school: School, simulator: Simulator, clock: ToldClock) -> None:
    (publication_id,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    to_a_person(school, simulator, clock, "x")
    number = order(school, publication_id)
    with simulator.state.changing():
        simulator.control.external_post({"kind": "x", "text": "It was there after all"})
    answer.answer(
        school.services,
        publication_id,
        by=school.head,
        there=True,
        link=f"https://x.com/i/status/{simulator.posts('x')[0].id}",
    )
    takedown_removal.carry_out(school.services, number)
    assert removal(school, number).state == TakedownState.GONE
    assert simulator.posts("x") == []


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ("https://x.com/school/status/1900000000000000001", "may be another post's"),
        ("https://x.com/school/status/{there}", ""),
    ],
    ids=["wrong number", "right number"],
)
def test_cannot_believe_that_a_post_is_gone_by_a_number_that_was_only_typed(
    school: School, simulator: Simulator, clock: ToldClock, link: str, says: str
) -> None:
    (publication_id,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    to_a_person(school, simulator, clock, "x")
    with simulator.state.changing():
        simulator.control.external_post({"kind": "x", "text": "It was there after all"})
    there = simulator.posts("x")[0].id
    answer.answer(school.services, publication_id, by=school.head, there=True, link=link.format(there=there))
    clock.advance(days=3)
    number = order(school, publication_id)
    takedown_removal.carry_out(school.services, number)
    assert says in removal(school, number).problem
    assert removal(school, number).state == (TakedownState.BY_HAND if says else TakedownState.GONE)
    assert len(simulator.posts("x")) == bool(says)


@pytest.mark.parametrize(
    ("kind", "remote_id"), [("facebook", "pfbid02GmLpBXaSDrhgsbJgDGaqyW"), ("linkedin", "urn:li:activity:714113893776")]
)
def test_what_no_program_can_name_is_given_to_a_person_at_once(
    three: School, simulator: Simulator, clock: ToldClock, kind: str, remote_id: str
) -> None:
    (publication_id,) = published(three, clock, kind)
    with three.services.db.begin() as session:
        session.get_one(Publication, publication_id).remote_id = remote_id
    number = order(three, publication_id)
    before = len(simulator.requests("DELETE"))
    takedown_removal.carry_out(three.services, number)
    assert removal(three, number).state == TakedownState.BY_HAND
    assert "no number that a program can use" in removal(three, number).problem
    assert len(simulator.requests("DELETE")) == before


def test_the_gate_refuses_what_is_to_be_taken_down(school: School, simulator: Simulator, clock: ToldClock) -> None:
    """However it came back into the line: the last gate knows."""
    (publication_id,) = school.approve(school.post(kinds=("x",)))
    with school.services.db.begin() as session:
        session.add(
            Takedown(
                account_id=school.accounts["x"], publication_id=publication_id, why="consent", asked_at=clock.now(),
                next_at=clock.now(), state=TakedownState.WAITING,
            )
        )  # fmt: skip
    clock.advance(hours=1)
    run(school)
    assert live(simulator)["x"] == 0
    assert "taken down" in school.publication(publication_id).problem
    takedown_sweep.run(school.services)
    with school.services.db.read() as session:
        assert session.scalars(select(Takedown.state)).one() == TakedownState.NEVER_PUBLIC


def test_the_sweep_cancels_what_came_back_into_the_line(school: School, clock: ToldClock) -> None:
    (publication_id,) = school.approve(school.post(kinds=("x",)))
    with school.services.db.begin() as session:
        session.add(
            Takedown(
                account_id=school.accounts["x"], publication_id=publication_id, why="consent", asked_at=clock.now(),
                next_at=clock.now(), state=TakedownState.WAITING,
            )
        )  # fmt: skip
    takedown_sweep.run(school.services)
    assert school.publication(publication_id).state == PublicationState.CANCELLED


@pytest.mark.parametrize("held", ["stop", "channel"])
def test_neither_the_emergency_stop_nor_a_held_channel_keeps_a_post_public(
    school: School, simulator: Simulator, clock: ToldClock, held: str
) -> None:
    (publication_id,) = published(school, clock)
    with school.services.db.begin() as session:
        if held == "stop":
            session.add(EmergencyStop(pressed_by=school.head, pressed_at=clock.now(), standing=1))
        else:
            session.get_one(ChannelAccount, school.accounts["x"]).status = "held"
    takedown_removal.carry_out(school.services, order(school, publication_id))
    assert live(simulator)["x"] == 0


@pytest.mark.parametrize("mode", ["drop_before", "accept_then_drop", "accept_then_5xx"])
@pytest.mark.parametrize("kind", ["x", "facebook", "linkedin"])
def test_a_platform_that_fails_is_asked_again_until_it_is_gone(
    three: School, simulator: Simulator, clock: ToldClock, kind: str, mode: str
) -> None:
    (publication_id,) = published(three, clock, kind)
    number = order(three, publication_id)
    simulator.fault(mode, method="DELETE", times=1)
    with pytest.raises(takedown_removal.NotGoneYet):
        takedown_removal.carry_out(three.services, number)
    one = removal(three, number)
    assert (one.state, one.tries) == (TakedownState.ORDERED, 1)
    assert "tried again" in one.problem
    clock.advance(minutes=11)
    takedown_removal.carry_out(three.services, number)
    assert removal(three, number).state == TakedownState.GONE
    assert simulator.posts(kind) == []


@pytest.mark.parametrize("status", [401, 429])
def test_dead_keys_and_waits_say_what_to_do(
    school: School, simulator: Simulator, clock: ToldClock, status: int
) -> None:
    (publication_id,) = published(school, clock)
    number = order(school, publication_id)
    simulator.fault("status", method="DELETE", times=1, canned={401: "x.401", 429: "x.429"}[status])
    if status == 401:
        with pytest.raises(takedown_removal.NotGoneYet):
            takedown_removal.carry_out(school.services, number)
        assert "connect the channel again" in removal(school, number).problem
        assert told(school, "takedown_by_hand") >= {school.head, school.staff[Role.ADMINISTRATOR]}
        takedown_removal.confirm_by_hand(school.services, number, words="Removed it myself", by=school.head)
        assert removal(school, number).confirmed_by == school.head
        return
    takedown_removal.carry_out(school.services, number)
    assert "asks to wait" in removal(school, number).problem
    assert removal(school, number).next_at > clock.now()
    clock.advance(hours=1)
    takedown_sweep.run(school.services)
    with school.services.db.read() as session:
        assert number in session.scalars(select(jobs.Order.subject_id).where(jobs.Order.job == "takedown")).all()


def test_what_the_platform_refuses_goes_to_a_person_who_says_when_it_is_done(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (publication_id,) = published(school, clock, "facebook")
    number = order(school, publication_id)
    simulator.fault("status", method="DELETE", times=9, canned="graph.200")
    takedown_removal.carry_out(school.services, number)
    assert removal(school, number).state == TakedownState.BY_HAND
    assert told(school, "takedown_by_hand") == {school.head, school.staff[Role.ADMINISTRATOR]}
    with pytest.raises(BadInput):
        takedown_removal.confirm_by_hand(school.services, number, words=" ", by=school.head)
    takedown_removal.confirm_by_hand(school.services, number, words="Removed it in the app", by=school.head)
    one = removal(school, number)
    assert (one.state, one.confirmed_by, one.confirmed_at) == (TakedownState.GONE, school.head, clock.now())
    assert entries(school, "takedown.confirmed")[-1]["how"] == "person"
    with pytest.raises(Conflict):
        takedown_removal.confirm_by_hand(school.services, number, words="Once more", by=school.head)


def test_cannot_confirm_what_nobody_knows_yet(school: School, simulator: Simulator, clock: ToldClock) -> None:
    (publication_id,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    fault_on_create(simulator, "x", "accept_then_drop")
    run(school)
    number = order(school, publication_id)
    with pytest.raises(Conflict):
        takedown_removal.confirm_by_hand(school.services, number, words="Looks gone to me", by=school.head)


def test_after_many_tries_in_vain_a_person_is_asked(school: School, clock: ToldClock) -> None:
    (publication_id,) = published(school, clock)
    number = order(school, publication_id)
    takedown_removal.give_up(school.services, number, "in vain")
    assert removal(school, number).state == TakedownState.BY_HAND


def test_an_order_that_was_lost_is_given_again(school: School, clock: ToldClock) -> None:
    (publication_id,) = published(school, clock)
    number = order(school, publication_id)
    with school.services.db.begin() as session:
        session.execute(jobs.Order.__table__.delete())  # type: ignore[attr-defined]
    takedown_sweep.run(school.services)
    takedown_sweep.run(school.services)
    with school.services.db.read() as session:
        assert session.scalars(select(jobs.Order.subject_id).where(jobs.Order.job == "takedown")).all() == [number]


def test_a_post_known_by_its_number_first_is_removed_once(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    """An incident may order it down while the publication's own fate is still being looked up."""
    (publication_id,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    fault_on_create(simulator, "x", "accept_then_drop")
    run(school)
    ours = order(school, publication_id)
    with school.services.step() as session:
        theirs = takedown.order(
            session, account_id=school.accounts["x"], remote_id=simulator.posts("x")[0].id, why="incident", words="",
            by=None, now=clock.now(),
        )  # fmt: skip
    clock.advance(seconds=5)
    reconcile.reconcile(school.services)
    assert removal(school, ours).state == TakedownState.WAITING
    takedown_removal.carry_out(school.services, theirs)
    clock.advance(minutes=11)
    takedown_sweep.run(school.services)
    takedown_removal.carry_out(school.services, ours)
    assert {removal(school, one).state for one in (ours, theirs)} == {TakedownState.GONE}


@pytest.fixture(autouse=True)
def _patience(clock: ToldClock) -> None:
    assert timedelta(minutes=11) > takedown_removal._SETTLES
