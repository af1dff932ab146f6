"""Moving a post: what was asked or approved is void, it is sent again where it had been sent, and never mid-flight."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from approvals.tables import ApprovalRequest, RequestStatus
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelAccount, Post, Publication
from gatekeeper.posts.status import EDITABLE, PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish, scan
from gatekeeper.workflow.due import TypedDue
from gatekeeper.workflow.move_post import CONSEQUENCE, SENT_AGAIN, Moving, move_post
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.gatekeeper.workflow.test_publish import live, no_guard, run

THURSDAY = TypedDue(date="2026-11-26", time="14:00")


def moving(school: School, post_id: int, due: TypedDue = THURSDAY) -> Moving:
    with school.services.db.read() as session:
        post = session.get_one(Post, post_id)
        return Moving(due=due, revision=post.revision, seen=post.state)


def test_what_moving_does_is_said_for_every_state_that_can_be_moved() -> None:
    assert set(CONSEQUENCE) == EDITABLE
    assert SENT_AGAIN <= EDITABLE
    for state in (PostState.REQUESTING, PostState.WAITING, PostState.SCHEDULED):
        assert "the headteacher is asked again" in CONSEQUENCE[state]


def test_an_approved_post_that_moves_is_void_and_checked_again(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post_id = school.post()
    publications = school.approve(post_id)
    moved = move_post(school.services, post_id, school.author, moving(school, post_id))
    assert (moved.state, moved.due) == (PostState.SCANNING, datetime(2026, 11, 26, 14, tzinfo=UTC))
    assert {school.publication(one).state for one in publications} == {PublicationState.CANCELLED}
    clock.advance(hours=2)
    assert run(school) == 0
    scan.scan(school.services, post_id)
    assert school.state(post_id) == PostState.REQUESTING  # nothing was found, so the headteacher is asked about it anew
    clock.advance(days=4)
    assert run(school) == 0
    assert live(simulator) == {"x": 0, "facebook": 0}


def test_the_open_question_is_closed_and_the_headteacher_asked_anew(school: School) -> None:
    post_id = school.post()
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).send_when_clear = True
    school.ask(post_id)
    move_post(school.services, post_id, school.author, moving(school, post_id))
    with school.services.db.read() as session:
        assert set(session.scalars(select(ApprovalRequest.status))) == {RequestStatus.VOID}
    scan.scan(school.services, post_id)
    assert school.state(post_id) == PostState.REQUESTING


def test_an_open_post_is_checked_again_and_not_sent_to_the_headteacher(school: School) -> None:
    post_id = school.post()
    move_post(school.services, post_id, school.author, moving(school, post_id))
    scan.scan(school.services, post_id)
    assert school.state(post_id) == PostState.OPEN


def test_what_is_still_its_authors_to_finish_becomes_a_draft(school: School) -> None:
    for state in sorted(EDITABLE - SENT_AGAIN):
        post_id = school.post()
        with school.services.db.begin() as session:
            post = session.get_one(Post, post_id)
            post.state, post.text = state, ""  # not even complete: a draft keeps anything
        moved = move_post(school.services, post_id, school.author, moving(school, post_id))
        assert moved.state is PostState.DRAFT, state


def test_cannot_move_while_it_is_being_sent(school: School, clock: ToldClock) -> None:
    post_id = school.post(kinds=("x",))
    (publication,) = school.approve(post_id)
    with school.services.db.begin() as session:
        session.get_one(Publication, publication).state = PublicationState.SENDING
    with pytest.raises(Conflict, match="being sent at this moment"):
        move_post(school.services, post_id, school.author, moving(school, post_id))
    assert school.state(post_id) == PostState.SCHEDULED


def test_a_claim_taken_a_moment_before_the_move_sends_nothing(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post_id = school.post(kinds=("x",))
    school.approve(post_id)
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test")
    move_post(school.services, post_id, school.author, moving(school, post_id))
    publish.publish(school.services, claim, guard=no_guard)
    assert live(simulator)["x"] == 0


def test_cannot_move_what_went_out(school: School) -> None:
    post_id = school.post()
    for state in sorted(set(PostState) - EDITABLE):
        with school.services.db.begin() as session:
            session.get_one(Post, post_id).state = state
        with pytest.raises(Conflict, match="has been sent"):
            move_post(school.services, post_id, school.author, moving(school, post_id))


def test_cannot_move_a_post_that_was_approved_after_the_page_was_opened(school: School) -> None:
    """The page spoke of an open question; taking an approval back is another matter and is asked about again."""
    post_id = school.post()
    seen = moving(school, post_id)
    publications = school.approve(post_id)
    with pytest.raises(Conflict, match="changed since you opened"):
        move_post(school.services, post_id, school.author, seen)
    assert {school.publication(one).state for one in publications} == {PublicationState.SCHEDULED}


def test_cannot_move_over_an_edit_in_another_tab(school: School) -> None:
    post_id = school.post()
    seen = moving(school, post_id)
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).revision += 1
    with pytest.raises(Conflict, match="changed since you opened"):
        move_post(school.services, post_id, school.author, seen)


def test_of_two_presses_at_once_one_moves_it_and_the_other_is_told(school: School) -> None:
    post_id = school.post(kinds=("x",))
    (publication,) = school.approve(post_id)
    seen = moving(school, post_id)
    dues = [TypedDue(date="2026-11-26", time=f"{hour}:00") for hour in (10, 11, 12, 13)]
    together = threading.Barrier(len(dues))

    def press(due: TypedDue) -> datetime | None:
        together.wait(timeout=20)
        try:
            return move_post(school.services, post_id, school.author, replace(seen, due=due)).due
        except Conflict:
            return None

    with ThreadPoolExecutor(len(dues)) as pool:
        (moved,) = [due for due in pool.map(press, dues) if due is not None]
    with school.services.db.read() as session:
        post = session.get_one(Post, post_id)
        assert (post.due_at, post.state, post.revision) == (moved, PostState.SCANNING, (seen.revision or 0) + 1)
    assert school.publication(publication).state == PublicationState.CANCELLED


def test_cannot_move_to_the_time_it_has(school: School) -> None:
    post_id = school.post(due_in=timedelta(hours=1))
    with pytest.raises(BadInput, match="has already"):
        move_post(
            school.services,
            post_id,
            school.author,
            moving(school, post_id, TypedDue(date="2026-11-23", time="10:00")),
        )


def test_an_approval_is_kept_when_the_post_could_not_be_sent_again(school: School) -> None:
    post_id = school.post()
    publications = school.approve(post_id)
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, school.accounts["x"]).status = "held"
    with pytest.raises(BadInput, match="cannot be moved and sent"):
        move_post(school.services, post_id, school.author, moving(school, post_id))
    assert school.state(post_id) == PostState.SCHEDULED
    assert {school.publication(one).state for one in publications} == {PublicationState.SCHEDULED}


def test_cannot_move_somebody_elses_post(school: School) -> None:
    post_id = school.post()
    for role in set(Role) - {Role.AUTHOR}:
        with pytest.raises(NotFound):
            move_post(school.services, post_id, school.staff[role], moving(school, post_id))
