"""Asking first: a post is frozen from the question until somebody else answered in writing, and nothing goes round it."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper import jobs
from gatekeeper.cases.model import Case, CaseState
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import case_advice, case_view, request, resolve, submit
from gatekeeper.workflow.submit import DraftEdit
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

MANAGER = Role.LINE_MANAGER


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    school = School(make_services(sqlite_database, tmp_path, clock))
    with school.services.db.begin() as session:
        session.get_one(Staff, school.author).line_manager_id = school.staff[MANAGER]
    return school


def who(school: School, role: Role) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[role])


def asked(school: School, post_id: int | None = None, role: Role = Role.AUTHOR) -> int:
    return case_advice.ask(school.services, "Bonfire", "May I show the fire?", by=who(school, role), post_id=post_id)


def frozen(school: School, post_id: int) -> bool:
    with school.services.db.read() as session:
        return session.get_one(Post, post_id).asked_first is not None


def send(school: School, post_id: int) -> None:
    resolve.send_to_head(school.services, post_id, by=school.author)


def test_a_frozen_post_can_be_sent_in_no_way_until_the_answer_is_go_ahead(school: School) -> None:
    post_id = school.post()
    case_id = asked(school, post_id)
    for way in (
        lambda: send(school, post_id),
        lambda: submit.submit(school.services, post_id, school.author),
        lambda: submit.use_again(school.services, post_id, school.author),
    ):
        with pytest.raises(Conflict, match="Mx Line_Manager Quarry"):
            way()
    case_advice.answer(school.services, case_id, "go_ahead", "Yes, it is far enough away.", by=who(school, MANAGER))
    send(school, post_id)
    assert school.state(post_id) == PostState.REQUESTING


def test_whoever_is_asked_reads_the_words_as_they_were_when_they_were_asked(school: School) -> None:
    """A draft opens for its author alone."""
    post_id = school.post(text="The fire was hot.", photos=2)
    case_id = asked(school, post_id)
    submit.save_draft(school.services, post_id, school.author, DraftEdit(text="The fire was cold."))
    facts = case_view.page_for(school.services, case_id, who(school, MANAGER)).case.facts
    assert (facts["post_words"], facts["post_photos"]) == ("The fire was hot.", 2)


def test_a_frozen_post_can_still_be_written_on(school: School) -> None:
    post_id = school.post()
    asked(school, post_id)
    submit.save_draft(school.services, post_id, school.author, DraftEdit(text="Without the fire."))
    assert frozen(school, post_id)
    with pytest.raises(Conflict):
        submit.submit(school.services, post_id, school.author)


def test_please_do_not_stays_until_another_question_is_answered_otherwise(school: School) -> None:
    post_id = school.post()
    case_advice.answer(
        school.services, asked(school, post_id), "please_do_not", "It shames her.", by=who(school, MANAGER)
    )
    with pytest.raises(Conflict, match="asked you not to send"):
        send(school, post_id)
    again = asked(school, post_id)
    case_advice.take_back(school.services, again, "", by=who(school, Role.AUTHOR))
    with pytest.raises(Conflict, match="asked you not to send"):
        send(school, post_id)
    case_advice.answer(school.services, asked(school, post_id), "go_ahead", "Better now.", by=who(school, MANAGER))
    send(school, post_id)


def test_taking_the_question_back_frees_the_post_and_keeps_that_it_was_asked(school: School) -> None:
    post_id = school.post()
    case_id = asked(school, post_id)
    case_advice.take_back(school.services, case_id, "", by=who(school, Role.AUTHOR))
    assert not frozen(school, post_id)
    with school.services.db.read() as session:
        case = session.get_one(Case, case_id)
        assert (case.state, case.facts["result"]) == (CaseState.CLOSED, "taken_back")
    with pytest.raises(Conflict):
        case_advice.answer(school.services, case_id, "go_ahead", "Too late.", by=who(school, MANAGER))


def test_a_post_that_is_on_its_way_all_the_same_is_not_asked_about(school: School) -> None:
    """No page leads there; the step refuses it by itself."""
    post_id = school.post()
    case_id = asked(school, post_id)
    with school.services.step() as session:
        post = session.get_one(Post, post_id)
        move(post, PostState.REQUESTING)
        jobs.order(session, jobs.REQUEST, post_id, now=school.services.clock.now())
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.OPEN
    assert frozen(school, post_id)
    assert case_id


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.DEPUTY, Role.CONSENT_LEAD, Role.ADMINISTRATOR, Role.AUDITOR])
def test_nobody_but_the_one_asked_and_the_headteacher_answers(school: School, role: Role) -> None:
    case_id = asked(school, school.post())
    with pytest.raises((NotFound, NotAllowed)):
        case_advice.answer(school.services, case_id, "go_ahead", "Of course.", by=who(school, role))


def test_nobody_takes_back_what_somebody_else_asked(school: School) -> None:
    case_id = asked(school, school.post())
    for role in (MANAGER, Role.HEADTEACHER):
        with pytest.raises(NotAllowed):
            case_advice.take_back(school.services, case_id, "", by=who(school, role))


def test_the_headteacher_asks_the_deputy_and_never_themselves(school: School) -> None:
    case_id = asked(school, role=Role.HEADTEACHER)
    with school.services.db.read() as session:
        assert session.get_one(Case, case_id).owner_id == school.staff[Role.DEPUTY]
        session.get_one(Staff, school.staff[Role.DEPUTY])
    with pytest.raises(NotAllowed):
        case_advice.answer(school.services, case_id, "go_ahead", "I say so.", by=who(school, Role.HEADTEACHER))


def test_a_question_needs_words_and_an_answer_needs_a_verdict_and_words(school: School) -> None:
    with pytest.raises(BadInput):
        case_advice.ask(school.services, "Bonfire", " ? ", by=who(school, Role.AUTHOR))
    case_id = asked(school)
    for verdict, words in (("", "Yes."), ("perhaps", "Yes."), ("taken_back", "Yes."), ("go_ahead", " - ")):
        with pytest.raises(BadInput):
            case_advice.answer(school.services, case_id, verdict, words, by=who(school, MANAGER))


def test_cannot_ask_about_somebody_elses_post_or_one_that_was_sent_or_twice(school: School) -> None:
    post_id = school.post()
    with pytest.raises(NotFound):
        asked(school, post_id, Role.CONSENT_LEAD)
    asked(school, post_id)
    with pytest.raises(Conflict, match="already"):
        asked(school, post_id)
    sent = school.post()
    school.ask(sent)
    with pytest.raises(Conflict, match="has been sent"):
        asked(school, sent)


def test_the_answer_is_kept_and_its_author_is_told_without_a_word_of_it(school: School) -> None:
    case_id = asked(school)
    case_advice.answer(school.services, case_id, "please_do_not", "Jonty would be mocked.", by=who(school, MANAGER))
    page = case_view.page_for(school.services, case_id, who(school, Role.AUTHOR))
    assert "Jonty would be mocked." in [one.words for one in page.story]
    with school.services.db.read() as session:
        news = session.scalars(select(Notice).where(Notice.kind == "case_news")).one()
    assert news.staff_id == school.author
    assert "Jonty" not in repr(news.context)
