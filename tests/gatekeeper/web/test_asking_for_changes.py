"""Asking for changes through the web client: forged places, a proof that ran out, two windows, and who may look."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from approvals import tokens
from approvals.tables import ApprovalRequest, Decision
from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChangeReply, Post
from gatekeeper.posts.repository import move, seal
from gatekeeper.posts.status import PostState
from gatekeeper.settings import Settings
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
Browser = Callable[[Role | None], FlaskClient]
NAME = {"typed_name": "Head Quarry"}
MARK = {"mark-where-1": "text:4-11", "mark-words-1": "Say autumn."}


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock) -> Services:
    renderer = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary")
    return make_services(sqlite_database, settings.data, clock, settings=settings, render=renderer)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock) -> Browser:
    """A browser that is signed in as somebody of this school, or nobody."""

    def open_browser(role: Role | None) -> FlaskClient:
        client = app.test_client()
        if role is not None:
            with school.services.db.begin() as session:
                client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


def proved(client: FlaskClient, school: School, post_id: int) -> str:
    """Ask about the post, open the link in this browser and give the PIN; returns the page's address."""
    school.ask(post_id)
    return again(client, school)


def again(client: FlaskClient, school: School) -> str:
    """Open the newest question in this browser and give the PIN."""
    now = school.services.clock.now()
    with school.services.db.begin() as session:
        asked = session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.opened_seq.desc())).first()
        assert asked is not None
        token = tokens.mint(session, request=asked, person_id=school.head, purpose=tokens.DECIDE, now=now)
    address = client.get(f"/a/{token}").headers["Location"]
    assert client.post(f"{address}/prove", data={"pin": PIN}).status_code == 303
    return str(address)


def send(client: FlaskClient, address: str, school: School, verdict: str = "changes", **fields: str) -> TestResponse:
    with school.services.db.read() as session:
        digest = session.get_one(ApprovalRequest, address.rsplit("/", 1)[-1]).digest
    return client.post(address, data={"digest": digest, "verdict": verdict, **fields})


def decisions(school: School) -> list[Decision]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Decision).order_by(Decision.ledger_seq)))


def ask_for_changes(client: FlaskClient, school: School, post_id: int) -> str:
    address = proved(client, school, post_id)
    assert send(client, address, school, **NAME, **MARK).status_code == 303
    return decisions(school)[-1].id


def test_a_mark_is_reason_enough_to_ask_for_changes(as_role: Browser, school: School) -> None:
    post_id = school.post()
    ask_for_changes(as_role(None), school, post_id)
    (decision,) = decisions(school)
    assert decision.marks == [{"where": "text:4-11", "words": "Say autumn."}]
    assert school.state(post_id) == PostState.CHANGES


def test_neither_words_nor_a_mark_is_too_little(as_role: Browser, school: School) -> None:
    head = as_role(None)
    address = proved(head, school, school.post())
    assert send(head, address, school, **NAME).status_code == 400
    assert decisions(school) == []


def test_a_forged_place_is_refused_calmly_and_nothing_typed_is_lost(as_role: Browser, school: School) -> None:
    post_id, head = school.post(), as_role(None)
    address = proved(head, school, post_id)
    said = NAME | MARK | {"statement": "Please look again at this.", "mark-words-2": "And <b>this</b>."}
    for where in ("text:4-9999", "photo:1:face:3", "photo:2", "alt:1:0-1", "<script>", "text:9-4"):
        answer = send(head, address, school, **said, **{"mark-where-2": where})
        assert answer.status_code == 400, where
        assert "This place is not in this version of the post." in answer.text
        assert "Say autumn." in answer.text
        assert "And &lt;b&gt;this&lt;/b&gt;." in answer.text
        assert "Please look again at this." in answer.text
        assert "<script>" not in answer.text
    assert decisions(school) == []
    assert school.state(post_id) == PostState.WAITING


def test_marks_are_kept_while_the_proof_is_given_again(as_role: Browser, school: School, clock: ToldClock) -> None:
    head = as_role(None)
    address = proved(head, school, school.post())
    clock.advance(minutes=11)
    answer = send(head, address, school, **NAME, **MARK)
    assert answer.status_code == 403
    kept = dict(re.findall(r'<input type="hidden" name="(mark-[a-z]+-1)" value="([^"]*)">', answer.text))
    assert kept == MARK
    page = head.post(f"{address}/prove", data={"pin": PIN, **kept, **NAME})
    assert page.status_code == 200
    assert 'name="mark-where-1" value="text:4-11"' in page.text
    assert ">Say autumn.</textarea>" in page.text
    assert '<q dir="auto">harvest</q>' in page.text


def test_marks_go_with_no_other_answer(as_role: Browser, school: School) -> None:
    head = as_role(None)
    address = proved(head, school, school.post())
    forged = {"mark-where-1": "nowhere", "mark-words-1": "x"}
    assert send(head, address, school, "approve", **NAME, **forged, statement="I approve this.").status_code == 303
    assert decisions(school)[0].marks is None


def test_of_two_windows_only_the_first_is_recorded(as_role: Browser, school: School) -> None:
    one, other = as_role(None), as_role(None)
    address = proved(one, school, school.post())
    again(other, school)
    assert send(one, address, school, **NAME, **MARK).status_code == 303
    late = send(other, address, school, **NAME, **{**MARK, "mark-words-1": "Something else."})
    assert late.status_code in {303, 410}
    assert [decision.marks for decision in decisions(school)] == [[{"where": "text:4-11", "words": "Say autumn."}]]


def test_the_head_reads_on_the_next_page_what_changed_and_the_answer(as_role: Browser, school: School) -> None:
    post_id, head, author = school.post(), as_role(None), as_role(Role.AUTHOR)
    address = proved(head, school, post_id)
    assert "What changed since" not in head.get(address).text
    assert send(head, address, school, **NAME, **MARK).status_code == 303
    decision_id = decisions(school)[-1].id
    data = {"asked": decision_id, "reply-1": "It says autumn now."}
    assert author.post(f"/posts/{post_id}/answers", data=data).status_code == 303
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        touch(session, post, by=school.author, now=school.services.clock.now())
        post.text = "Our autumn table is full. Thank you to every family!"
        move(post, PostState.SCANNING)
        seal(session, post, now=school.services.clock.now())
        move(post, PostState.OPEN)
    page = head.get(proved(head, school, post_id)).text
    assert "What changed since you asked for changes" in page
    assert "It says autumn now." in page
    assert re.search(r"<del>.*?harvest.*?</del>", page)
    assert re.search(r"<ins>.*?autumn.*?</ins>", page)


def test_a_window_opened_earlier_takes_back_no_answer_of_another(as_role: Browser, school: School) -> None:
    post_id = school.post()
    decision_id = ask_for_changes(as_role(None), school, post_id)
    author, address = as_role(Role.AUTHOR), f"/posts/{post_id}/answers"
    author.post(address, data={"asked": decision_id, "reply-1": "From the other window.", "was-1": ""})
    author.post(address, data={"asked": decision_id, "reply-1": "", "was-1": ""})
    with school.services.db.read() as session:
        assert [reply.words for reply in session.scalars(select(ChangeReply))] == ["From the other window."]
    author.post(address, data={"asked": decision_id, "reply-1": "", "was-1": "From the other window."})
    with school.services.db.read() as session:
        assert session.scalars(select(ChangeReply)).all() == []


def test_an_answer_that_is_too_long_is_kept_on_the_page(as_role: Browser, school: School) -> None:
    post_id = school.post()
    decision_id = ask_for_changes(as_role(None), school, post_id)
    words = "very long " * 200
    answer = as_role(Role.AUTHOR).post(f"/posts/{post_id}/answers", data={"asked": decision_id, "reply-1": words})
    assert answer.status_code == 422
    assert words in answer.text
    assert "1,000 is the most" in answer.text


def test_cannot_answer_for_the_author(as_role: Browser, school: School) -> None:
    post_id = school.post()
    decision_id = ask_for_changes(as_role(None), school, post_id)
    for role in set(Role) - {Role.AUTHOR}:
        answer = as_role(role).post(f"/posts/{post_id}/answers", data={"asked": decision_id, "reply-1": "Not mine."})
        assert answer.status_code in {403, 404}, role
    with school.services.db.read() as session:
        assert session.scalars(select(ChangeReply)).all() == []


def test_who_may_compare_versions_and_who_reads_their_words(as_role: Browser, school: School) -> None:
    post_id = school.post(photos=1, pupils=("Wren",), text="Wren dug the beds.")
    head = as_role(None)
    assert send(head, proved(head, school, post_id), school, **NAME, **MARK).status_code == 303
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        touch(session, post, by=school.author, now=school.services.clock.now())
        post.text = "Wren and Jonty dug the beds."
    readers = {Role.AUTHOR, Role.HEADTEACHER, Role.CONSENT_LEAD}
    for role in Role:
        page = as_role(role).get(f"/posts/{post_id}/versions")
        assert page.status_code == (404 if role is Role.LINE_MANAGER else 200), role
        assert ("Jonty" in page.text) is (role in readers)
        assert ("Say autumn." in page.text) is (role in readers)
        assert "/media/photos/" not in page.text  # no photo changed
        assert page.headers["Cache-Control"] == "no-store"


def test_a_version_that_there_is_not_is_not_found(as_role: Browser, school: School) -> None:
    post_id, author = school.post(), as_role(Role.AUTHOR)
    for choice, status in (("?from=1&to=9", 404), ("?from=../1&to=%00", 200), ("?from=now&to=1", 404)):
        assert author.get(f"/posts/{post_id}/versions{choice}").status_code == status, choice
