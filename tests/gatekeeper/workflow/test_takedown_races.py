"""Real threads: a removal against a publisher, withdrawals against each other. Nothing is forgotten, nothing doubled."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from gatekeeper.people.consent import Purpose
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Publication
from gatekeeper.posts.public import ConsentReview, Incident, IncidentKind, ReviewItem, Takedown, TakedownState
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import consents, incident_act, takedown, takedown_act, takedown_removal, takedown_sweep
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import live, run

ROUNDS = 4


def at_once(*acts: Callable[[], object]) -> None:
    """Let all begin in the same moment; whatever one raises is raised here."""
    start, wrong = threading.Barrier(len(acts)), []

    def go(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 - told to the test
            wrong.append(error)

    threads = [threading.Thread(target=go, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


def order(school: School, publication_id: int) -> None:
    with school.services.step() as session:
        takedown.order(
            session, account_id=school.publication(publication_id).account_id, publication_id=publication_id,
            why="mistake", words="", by=school.head, now=school.services.clock.now(),
        )  # fmt: skip


def finish(school: School) -> list[Takedown]:
    """What the sweep and the worker make of what is left."""
    takedown_sweep.run(school.services)
    with school.services.db.read() as session:
        numbers = session.scalars(select(Takedown.id).where(Takedown.state == TakedownState.ORDERED)).all()
    for number in numbers:
        takedown_removal.carry_out(school.services, number)
    run(school)  # a publisher comes by once more: nothing of it goes out
    with school.services.db.read() as session:
        return list(session.scalars(select(Takedown)))


def test_a_removal_against_a_publisher_ends_with_nothing_public(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    for number in range(ROUNDS):
        ids = school.approve(school.post(text=f"Round {number}", due_in=timedelta(seconds=1)))
        clock.advance(seconds=2)
        delay = random.Random(number).uniform(0, 0.05)
        at_once(
            lambda: run(school),
            lambda ids=ids, delay=delay: (threading.Event().wait(delay), order(school, ids[0])),
            lambda ids=ids: order(school, ids[1]),
        )
        removals = finish(school)
        assert live(simulator) == {"x": 0, "facebook": 0}
        assert {one.state for one in removals} <= {TakedownState.GONE, TakedownState.NEVER_PUBLIC}
        assert len(removals) == 2 * (number + 1)
    with school.services.db.read() as session:
        states = set(session.scalars(select(Publication.state)))
    assert states <= {PublicationState.PUBLISHED, PublicationState.CANCELLED, PublicationState.FAILED}


def test_many_who_order_the_same_removal_order_one(school: School, simulator: Simulator, clock: ToldClock) -> None:
    (publication,) = school.approve(school.post(kinds=("x",), due_in=timedelta(seconds=1)))
    clock.advance(seconds=2)
    run(school)
    at_once(*[lambda: order(school, publication)] * 8)
    remote = simulator.posts("x")[0].id

    def by_number() -> None:
        with school.services.step() as session:
            takedown.order(
                session, account_id=school.accounts["x"], remote_id=remote, why="incident", words="", by=None,
                now=clock.now(),
            )  # fmt: skip

    at_once(*[by_number] * 4, *[lambda: order(school, publication)] * 4)
    assert [one.state for one in finish(school)] == [TakedownState.GONE]


def test_two_withdrawals_at_once_neither_wait_in_a_ring_nor_list_anything_twice(
    school: School, clock: ToldClock
) -> None:
    """Both children stand in the same posts, public and on their way."""
    lead = school.staff[Role.CONSENT_LEAD]
    for number in range(3):
        school.approve(school.post(pupils=("Wren", "Jonty"), text=f"Public {number}", due_in=timedelta(seconds=1)))
    clock.advance(seconds=2)
    run(school)
    waiting = [school.post(pupils=("Wren", "Jonty"), text=f"Waiting {number}") for number in range(3)]
    for post in waiting:
        school.approve(post)

    def withdraw(name: str, kind: str) -> None:
        consents.withdraw_consent(school.services, school.pupils[name], kind, Purpose.SOCIAL_MEDIA, by=lead)

    at_once(
        *[
            lambda name=name, kind=kind: withdraw(name, kind)  # type: ignore[misc]
            for name in ("Wren", "Jonty")
            for kind in ("x", "facebook")
        ]
    )
    assert {school.state(post) for post in waiting} == {PostState.OPEN}
    with school.services.db.read() as session:
        public = session.execute(
            select(ConsentReview.pupil_id, func.count(ReviewItem.id))
            .join(ReviewItem, ReviewItem.review_id == ConsentReview.id)
            .where(ReviewItem.publication_id.is_not(None))
            .group_by(ConsentReview.pupil_id)
        ).all()
        assert [count for _, count in public] == [6, 6]
        open_ones = session.scalars(select(ConsentReview).where(ConsentReview.closed_at.is_(None))).all()
        assert sorted(one.pupil_id for one in open_ones) == sorted([school.pupils["Wren"], school.pupils["Jonty"]])


@pytest.mark.parametrize("number", range(2))
def test_a_withdrawal_while_it_is_being_sent_loses_nothing(
    school: School, simulator: Simulator, clock: ToldClock, number: int
) -> None:
    """Whoever is first: either it never goes out, or it stands in the review or is taken down."""
    (publication,) = school.approve(school.post(pupils=("Wren",), kinds=("x",), due_in=timedelta(seconds=1)))
    clock.advance(seconds=2)
    lead = school.staff[Role.CONSENT_LEAD]
    delay = 0.02 * number
    at_once(
        lambda: run(school),
        lambda: (
            threading.Event().wait(delay),
            consents.withdraw_consent(school.services, school.pupils["Wren"], "x", Purpose.SOCIAL_MEDIA, by=lead),
        ),
    )
    finish(school)
    state = school.publication(publication).state
    with school.services.db.read() as session:
        listed = session.scalars(
            select(ReviewItem.state).where(ReviewItem.publication_id == publication).order_by(ReviewItem.id)
        ).all()
    if live(simulator)["x"]:
        assert listed == ["open"]
    else:
        assert state in {PublicationState.CANCELLED, PublicationState.FAILED} or listed == ["gone"]


def test_two_of_the_office_who_take_the_same_changed_post_down_do_not_wait_in_a_ring(
    school: School, clock: ToldClock
) -> None:
    """One from what was found on the account, one from the post's page."""
    for number in range(ROUNDS):
        (publication,) = school.approve(school.post(kinds=("x",), text=f"R {number}", due_in=timedelta(seconds=1)))
        clock.advance(seconds=2)
        run(school)
        with school.services.db.begin() as session:
            incident = Incident(
                account_id=school.accounts["x"], kind=IncidentKind.EDITED, publication_id=publication,
                remote_id=school.publication(publication).remote_id or "", seen_at=clock.now(),
            )  # fmt: skip
            session.add(incident)
            session.flush()
            found = incident.id
        at_once(
            lambda found=found: incident_act.take_down(school.services, found, by=school.head, words=""),
            lambda publication=publication: takedown_act.order(
                school.services, publication, why="mistake", words="The wrong picture", by=school.head
            ),
        )
    assert [one.state for one in finish(school)] == [TakedownState.GONE] * ROUNDS


def test_a_withdrawal_that_notes_other_posts_waits_in_no_ring_with_their_publisher(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    """The permission ends on Facebook alone, while posts with the child go out on X."""
    lead = school.staff[Role.CONSENT_LEAD]
    for number in range(ROUNDS):
        with school.services.db.begin() as session:
            school.permit(session, "Wren", "facebook")
        for part in range(3):
            text = f"Round {number}, part {part}"
            school.approve(school.post(pupils=("Wren",), kinds=("x",), text=text, due_in=timedelta(seconds=1)))
        clock.advance(seconds=2)
        at_once(
            lambda: run(school),
            lambda: consents.withdraw_consent(
                school.services, school.pupils["Wren"], "facebook", Purpose.SOCIAL_MEDIA, by=lead
            ),
        )
        run(school)
    with school.services.db.read() as session:
        assert set(session.scalars(select(Publication.state))) == {PublicationState.PUBLISHED}
    assert live(simulator)["x"] == 3 * ROUNDS
