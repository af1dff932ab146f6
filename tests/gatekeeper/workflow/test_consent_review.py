"""A withdrawn consent holds what is on its way and lists what is public, at once, and the list reaches zero."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.consent import Basis, Consent, Purpose
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.register_import import Kind
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Face, Post
from gatekeeper.posts.public import ConsentReview, ReviewItem, Takedown, TakedownState
from gatekeeper.posts.status import FaceState, PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import (
    answer,
    consent_dates,
    consent_hold,
    consents,
    resolve,
    review_work,
    roll,
    takedown_act,
    takedown_removal,
)
from gatekeeper.workflow.consent_review import GIVEN_AGAIN
from gatekeeper.workflow.face_answer import write_answer
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.factories.sending import fault_on_create, live, run, to_a_person

SOCIAL = Purpose.SOCIAL_MEDIA
YES = consents.Permission(allowed=True, basis=Basis.CONSENT, given_on=date(2026, 11, 1))


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return School(make_services(sqlite_database, tmp_path, clock, simulator=simulator))


@pytest.fixture
def lead(school: School) -> int:
    return school.staff[Role.CONSENT_LEAD]


def withdraw(school: School, name: str = "Wren", kind: str = "x") -> None:
    consents.withdraw_consent(school.services, school.pupils[name], kind, SOCIAL, by=school.staff[Role.CONSENT_LEAD])


def reviews(school: School) -> list[ConsentReview]:
    with school.services.db.read() as session:
        return list(session.scalars(select(ConsentReview).order_by(ConsentReview.id)))


def items(school: School) -> list[ReviewItem]:
    with school.services.db.read() as session:
        return list(session.scalars(select(ReviewItem).order_by(ReviewItem.id)))


def post_of(school: School, number: int) -> Post:
    with school.services.db.read() as session:
        return session.get_one(Post, number)


def published(school: School, clock: ToldClock, *names: str, **more: Any) -> list[int]:
    ids = school.approve(school.post(pupils=names or ("Wren",), due_in=timedelta(seconds=1), **more))
    clock.advance(seconds=2)
    run(school)
    return ids


def carry_out(school: School) -> None:
    with school.services.db.read() as session:
        numbers = session.scalars(select(Takedown.id)).all()
    for number in numbers:
        takedown_removal.carry_out(school.services, number)


def test_what_is_public_is_listed_and_reaches_zero(
    school: School, simulator: Simulator, clock: ToldClock, lead: int
) -> None:
    published(school, clock, text="The first post")
    published(school, clock, text="The second post", kinds=("x",))
    published(school, clock, "Jonty", text="The third post")
    withdraw(school)
    (review,) = reviews(school)
    assert (review.cause, review.kinds, review.opened_by, review.closed_at) == ("withdrawn", ["x"], lead, None)
    assert [(one.state, one.how) for one in items(school)] == [("open", "shown")] * 2
    assert review_work.take_down(school.services, review.id, by=lead) == 2
    with pytest.raises(Conflict):
        review_work.take_down(school.services, review.id, by=lead)
    carry_out(school)
    assert live(simulator) == {"x": 1, "facebook": 2}
    assert {one.state for one in items(school)} == {"gone"}
    assert (reviews(school)[0].closed_by, reviews(school)[0].closed_at) == (lead, clock.now())


@pytest.mark.parametrize("state", ["waiting", "scheduled"])
def test_what_is_on_its_way_goes_back_to_its_author_naming_nobody(
    school: School, simulator: Simulator, clock: ToldClock, state: str
) -> None:
    number = school.post(pupils=("Wren",))
    ids = school.approve(number) if state == "scheduled" else []
    if state == "waiting":
        school.ask(number)
    withdraw(school)
    post = post_of(school, number)
    assert (post.state, post.held_for_consent, post.note) == (PostState.OPEN, True, consent_hold.HELD_NOTE)
    assert {school.publication(one).state for one in ids} <= {PublicationState.CANCELLED}
    assert [(one.state, one.publication_id) for one in items(school)] == [("held", None)]
    assert reviews(school)[0].closed_at == clock.now()
    with school.services.db.read() as session:
        (notice,) = session.scalars(select(Notice).where(Notice.kind == "held_for_consent"))
    assert (notice.staff_id, notice.context) == (school.author, {"post_id": number})
    clock.advance(hours=1)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 0}


def test_a_draft_is_held_until_the_face_is_covered(school: School, clock: ToldClock) -> None:
    number = school.post(pupils=("Wren",))
    withdraw(school)
    with pytest.raises(BadInput, match="May not be shown on X") as refused:
        resolve.send_to_head(school.services, number, by=school.author)
    assert "withdrawn" not in str(refused.value)  # what a family decided is for those who keep the register
    consent_hold.run(school.services)
    assert post_of(school, number).held_for_consent
    with school.services.db.begin() as session:
        face = session.scalars(select(Face)).one()
        write_answer(session, face, FaceState.COVERED, by=school.author, now=clock.now())
    consent_hold.run(school.services)
    assert not post_of(school, number).held_for_consent
    assert post_of(school, number).note == ""


def test_a_name_in_the_words_holds_a_draft_and_says_nothing_of_whom(school: School, clock: ToldClock) -> None:
    number = school.post(text="Robin Featherstone won!")
    with school.services.db.begin() as session:  # came onto the roll since
        pupil = session.get_one(Pupil, school.pupils["Wren"])
        pupil.first_name, pupil.last_name = "Robin", "Featherstone"
    withdraw(school)
    with pytest.raises(BadInput) as refused:
        resolve.send_to_head(school.services, number, by=school.author)
    assert "name a child who cannot be named now" in str(refused.value)
    assert "Robin" not in str(refused.value)
    with school.services.db.begin() as session:
        session.get_one(Post, number).text = "Somebody won!"
    resolve.send_to_head(school.services, number, by=school.author)


def test_given_again_a_draft_is_let_go_and_the_review_closes_honestly(
    school: School, clock: ToldClock, lead: int
) -> None:
    draft = school.post(pupils=("Wren",))
    published(school, clock)
    withdraw(school)
    consents.record_consent(school.services, school.pupils["Wren"], "x", YES, by=lead)
    assert not post_of(school, draft).held_for_consent
    ends = {(one.state, one.words, one.ended_by) for one in items(school) if one.publication_id}
    assert ends == {("kept", GIVEN_AGAIN, lead)}
    assert reviews(school)[0].closed_by == lead
    withdraw(school)
    assert [one.closed_at is None for one in reviews(school)] == [False, True]
    assert [one.state for one in items(school) if one.review_id == 2 and one.publication_id] == ["open"]


def test_a_removal_that_was_ordered_goes_on_when_permission_comes_again(
    school: School, simulator: Simulator, clock: ToldClock, lead: int
) -> None:
    published(school, clock, kinds=("x",))
    withdraw(school)
    review_work.take_down(school.services, 1, by=lead)
    consents.record_consent(school.services, school.pupils["Wren"], "x", YES, by=lead)
    assert reviews(school)[0].closed_at is None
    carry_out(school)
    assert [one.state for one in items(school)] == ["gone"]
    assert reviews(school)[0].closed_at is not None
    assert live(simulator)["x"] == 0


def test_only_the_kinds_of_channel_concerned(school: School, clock: ToldClock) -> None:
    published(school, clock, kinds=("facebook",))
    scheduled = school.post(pupils=("Wren",), kinds=("facebook",), text="Another one")
    school.approve(scheduled)
    withdraw(school, kind="x")
    assert items(school) == []
    assert reviews(school)[0].closed_at == clock.now()
    assert post_of(school, scheduled).state == PostState.SCHEDULED
    withdraw(school, kind="facebook")
    assert sorted(one.state for one in items(school)) == ["held", "open"]
    assert post_of(school, scheduled).state == PostState.OPEN


def test_the_open_review_grows_and_lists_nothing_twice(school: School, clock: ToldClock, lead: int) -> None:
    published(school, clock)
    withdraw(school, kind="x")
    withdraw(school, kind="facebook")
    consents.mark_never(school.services, school.pupils["Wren"], reason="Court order", by=lead)
    (review,) = reviews(school)
    assert review.kinds == ["facebook", "linkedin", "x"]
    assert len(items(school)) == 2


def test_what_is_on_the_wire_is_ordered_down(school: School, simulator: Simulator, clock: ToldClock) -> None:
    number = school.post(pupils=("Wren",), kinds=("x",))
    school.approve(number)
    clock.advance(hours=1)
    fault_on_create(simulator, "x", "accept_then_drop")
    run(school)
    withdraw(school)
    with school.services.db.read() as session:
        removal = session.scalars(select(Takedown)).one()
    assert (removal.state, removal.why) == (TakedownState.WAITING, "consent")
    assert {(one.publication_id is not None, one.state) for one in items(school)} == {(False, "held"), (True, "open")}
    assert reviews(school)[0].closed_at is None


@pytest.mark.parametrize("change", ["never", "left", "refused"])
def test_every_change_that_ends_a_permission_opens_a_review(
    school: School, clock: ToldClock, lead: int, change: str
) -> None:
    published(school, clock, kinds=("x",))
    services, wren = school.services, school.pupils["Wren"]
    if change == "never":
        consents.mark_never(services, wren, reason="Court order", by=lead)
    elif change == "left":
        consents.set_leaver(services, wren, left_on=date(2026, 11, 22), by=lead)
    else:
        no = consents.Permission(allowed=False, basis=Basis.CONSENT, given_on=date(2026, 11, 23))
        consents.record_consent(services, wren, "x", no, by=lead)
    assert [one.cause for one in reviews(school)] == [change]
    assert [one.state for one in items(school)] == ["open"]


def test_a_last_day_to_come_opens_nothing_until_it_is_over(school: School, clock: ToldClock, lead: int) -> None:
    published(school, clock, kinds=("x",))
    consents.set_leaver(school.services, school.pupils["Wren"], left_on=date(2026, 11, 24), by=lead)
    assert reviews(school) == []
    consent_dates.run(school.services)
    clock.advance(days=1)
    consent_dates.run(school.services)
    assert reviews(school) == []
    clock.advance(days=1)
    consent_dates.run(school.services)
    clock.advance(days=1)
    consent_dates.run(school.services)
    (review,) = reviews(school)
    assert (review.cause, review.opened_by, review.closed_at) == ("left", None, None)


def test_the_yearly_round_reviews_what_ran_out_and_nothing_twice(school: School, clock: ToldClock, lead: int) -> None:
    published(school, clock)
    with school.services.db.begin() as session:
        for consent in session.scalars(select(Consent)):
            consent.expires_on = date(2026, 11, 25)
    consent_dates.run(school.services)
    for _ in range(5):
        clock.advance(days=1)
        for _ in range(2):
            consent_dates.run(school.services)
    (review,) = reviews(school)
    assert (review.cause, review.kinds, review.opened_by) == ("expired", ["facebook", "x"], None)
    assert [one.state for one in items(school)] == ["open", "open"]
    review_work.take_down(school.services, review.id, by=lead)
    carry_out(school)
    assert reviews(school)[0].closed_by == lead


def test_only_the_headteacher_keeps_a_post_and_says_why(school: School, clock: ToldClock, lead: int) -> None:
    published(school, clock, kinds=("x",))
    withdraw(school)
    (item,) = items(school)
    with pytest.raises(NotAllowed):
        review_work.keep(school.services, 1, item.id, words="Because it is a nice photo", by=lead)
    with pytest.raises(BadInput):
        review_work.keep(school.services, 1, item.id, words="because", by=school.head)
    with pytest.raises(NotFound):
        review_work.keep(school.services, 1, 4711, words="The newsletter rests on public task", by=school.head)
    review_work.keep(school.services, 1, item.id, words="The newsletter rests on public task", by=school.head)
    assert (items(school)[0].state, items(school)[0].ended_by) == ("kept", school.head)
    assert reviews(school)[0].closed_by == school.head
    with pytest.raises(Conflict):
        review_work.keep(school.services, 1, item.id, words="The newsletter rests on public task", by=school.head)


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.ADMINISTRATOR, Role.AUDITOR])
def test_nobody_else_takes_down_for_consent_or_writes_the_letter(school: School, clock: ToldClock, role: Role) -> None:
    published(school, clock, kinds=("x",))
    withdraw(school)
    for act in (
        lambda: review_work.take_down(school.services, 1, by=school.staff[role]),
        lambda: review_work.save_letter(school.services, 1, words="Dear family", by=school.staff[role]),
        lambda: review_work.close(school.services, 1, by=school.staff[role]),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_cannot_close_while_something_is_open(school: School, clock: ToldClock, lead: int) -> None:
    published(school, clock, kinds=("x",))
    withdraw(school)
    with pytest.raises(Conflict):
        review_work.close(school.services, 1, by=lead)
    with pytest.raises(NotFound):
        review_work.close(school.services, 2, by=lead)


@pytest.mark.parametrize("words", ["", "   ", "x" * 10_001])
def test_cannot_keep_a_letter_that_is_none(school: School, lead: int, words: str) -> None:
    withdraw(school)
    with pytest.raises(BadInput):
        review_work.save_letter(school.services, 1, words=words, by=lead)


def test_a_biometric_refusal_takes_nothing_down(school: School, clock: ToldClock, lead: int) -> None:
    published(school, clock, kinds=("x",))
    answer = consents.FamilyAnswer(said=consents.Said.CHILD_OBJECTS, given_on=date(2026, 11, 1))
    consents.record_biometric(school.services, school.pupils["Wren"], answer, by=lead)
    assert reviews(school) == []


def test_a_no_in_an_imported_table_opens_reviews_and_a_yes_none(school: School, clock: ToldClock, lead: int) -> None:
    published(school, clock, "Wren", "Jonty")
    table = (
        b"pupil_id,channel,allowed,given_on,basis\n"
        b"Q0001,x,no,2026-11-20,consent\nQ0001,facebook,yes,2026-11-20,consent\nQ0002,x,no,2026-11-20,consent\n"
    )
    plan = roll.dry_run(school.services, Kind.CONSENTS, table, by=lead)
    roll.apply(school.services, Kind.CONSENTS, table, shown=plan.digest, by=lead)
    assert [(one.cause, one.kinds, one.opened_by) for one in reviews(school)] == [("refused", ["x"], lead)] * 2
    assert [one.state for one in items(school)] == ["open", "open"]


def test_a_post_that_two_children_speak_against_is_held_until_both_are_right(
    school: School, clock: ToldClock, lead: int
) -> None:
    number = school.post(pupils=("Wren", "Jonty"))
    withdraw(school, "Wren")
    withdraw(school, "Jonty")
    consents.record_consent(school.services, school.pupils["Wren"], "x", YES, by=lead)
    assert post_of(school, number).held_for_consent
    consents.record_consent(school.services, school.pupils["Jonty"], "x", YES, by=lead)
    assert not post_of(school, number).held_for_consent


def test_a_removal_from_the_posts_page_counts_in_the_review(school: School, clock: ToldClock, lead: int) -> None:
    (publication,) = published(school, clock, kinds=("x",))
    withdraw(school)
    takedown_act.order(school.services, publication, why="mistake", words="Wrong picture", by=school.head)
    (item,) = items(school)
    assert item.takedown_id == 1
    with pytest.raises(Conflict):
        review_work.keep(school.services, 1, item.id, words="The newsletter rests on public task", by=school.head)
    carry_out(school)
    assert items(school)[0].state == "gone"
    assert reviews(school)[0].closed_at is not None


def test_what_never_became_public_ends_its_line(
    school: School, simulator: Simulator, clock: ToldClock, lead: int
) -> None:
    number = school.post(pupils=("Wren",), kinds=("x",))
    (publication,) = school.approve(number)
    clock.advance(hours=1)
    to_a_person(school, simulator, clock, "x")
    withdraw(school)
    assert [one.state for one in items(school)] == ["open"]
    answer.answer(school.services, publication, by=school.head, there=False)
    assert [one.state for one in items(school)] == ["held"]
    assert reviews(school)[0].closed_by == lead


def test_what_was_kept_is_asked_about_anew_when_the_child_must_never_be_shown(
    school: School, simulator: Simulator, clock: ToldClock, lead: int
) -> None:
    for text in ("The first post", "The second post"):
        published(school, clock, text=text, kinds=("x",))
    withdraw(school)
    first, second = items(school)
    review_work.keep(school.services, 1, first.id, words="The newsletter rests on public task", by=school.head)
    consents.mark_never(school.services, school.pupils["Wren"], reason="A court order", by=lead)
    assert [(one.id, one.state) for one in items(school)] == [(first.id, "open"), (second.id, "open")]
    assert review_work.take_down(school.services, 1, by=lead) == 2
    carry_out(school)
    assert live(simulator)["x"] == 0
    assert reviews(school)[0].closed_at is not None
