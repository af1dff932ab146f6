"""A post that was held or frozen after its approval does not go out, whatever way that came about."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.tables import drop_triggers
from gatekeeper.cases.model import Case
from gatekeeper.posts.model import Post
from gatekeeper.posts.public import ConsentReview, ReviewItem
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import reconcile
from gatekeeper.workflow.erase_post import erase
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import fault_on_create, live, run


def frozen(session: Session, school: School, post: Post) -> None:
    case = Case(
        kind="advice", title="May I?", opened_by=school.author, opened_at=school.services.clock.now(), post_id=post.id
    )
    session.add(case)
    session.flush()
    post.asked_first = case.id


def held(session: Session, school: School, post: Post) -> None:
    """As a withdrawn permission leaves it, but that nothing took the approval back."""
    school.permit(session, "Wren", "x", allowed=False)
    review = ConsentReview(
        pupil_id=school.pupils["Wren"], cause="withdrawn", kinds=["x"], opened_at=school.services.clock.now()
    )
    session.add(review)
    session.flush()
    session.add(
        ReviewItem(
            review_id=review.id, post_id=post.id, how="named", state="held", ended_at=school.services.clock.now()
        )
    )
    post.held_for_consent, post.text = True, "Wren Applethwaite baked the bread for our table."


def erased(session: Session, school: School, post: Post) -> None:
    erase(session, post, why="unpublished", now=school.services.clock.now())


def marked_as_erased(session: Session, school: School, post: Post) -> None:
    post.erased_at = school.services.clock.now()


def robbed(session: Session, _school: School, post: Post) -> None:
    """Its photos, and with them everything that is known of the faces, are gone; its version still holds them."""
    session.execute(text("DELETE FROM photo WHERE post_id = :post"), {"post": post.id})


def forged(session: Session, school: School, _post: Post) -> None:
    """Somebody without the ledger's key wrote the decision's entry, as its signature shows."""
    ledger.append(session, at=school.services.clock.now(), kind="test.written", body={})
    for statement in drop_triggers(session.get_bind().dialect.name):
        session.execute(text(statement))
    session.execute(
        text(
            "UPDATE ledger SET signature = (SELECT signature FROM ledger WHERE seq = 1) "
            "WHERE kind = 'decision.recorded'"
        )
    )


@pytest.mark.parametrize("change", [frozen, held, erased, marked_as_erased, robbed, forged])
def test_cannot_publish_what_was_held_or_frozen_after_its_approval(
    school: School, simulator: Simulator, clock: ToldClock, change: Callable[[Session, School, Post], None]
) -> None:
    post_id = school.post(kinds=("x",), photos=1 if change in {robbed, forged} else 0)
    (publication,) = school.approve(post_id)
    with school.services.db.begin() as session:
        change(session, school, session.get_one(Post, post_id))
    clock.advance(hours=1)
    run(school)
    assert live(simulator)["x"] == 0
    assert not simulator.requests("POST"), "not even a picture may leave the school"
    assert school.publication(publication).state == S.FAILED
    assert school.publication(publication).problem


def test_a_post_that_was_held_and_mended_goes_out(school: School, simulator: Simulator, clock: ToldClock) -> None:
    post_id = school.post(kinds=("x",))
    school.approve(post_id)
    with school.services.db.begin() as session:
        held(session, school, session.get_one(Post, post_id))
        school.permit(session, "Wren", "x")
    clock.advance(hours=1)
    run(school)
    assert live(simulator)["x"] == 1


def test_one_text_that_cannot_be_read_keeps_nobody_from_looking_the_others_up(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    posts = [school.post(kinds=("x",), text=f"Part {number}") for number in range(2)]
    publications = [school.approve(post)[0] for post in posts]
    clock.advance(hours=1)
    for _ in publications:
        fault_on_create(simulator, "x", "accept_then_drop")
    run(school)
    assert [school.publication(one).state for one in publications] == [S.UNKNOWN] * 2
    with school.services.db.begin() as session:
        erased(session, school, session.get_one(Post, posts[0]))
    clock.advance(seconds=10)
    reconcile.reconcile(school.services)
    assert [school.publication(one).state for one in publications] == [S.UNKNOWN, S.PUBLISHED]
    clock.advance(hours=1)
    reconcile.reconcile(school.services)
    assert school.publication(publications[0]).state == S.NEEDS_PERSON
