"""The list of what waits and of what was decided: looking makes nothing."""

import re
from datetime import timedelta

import pytest

from approvals.tables import ApprovalToken, Verdict
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import decide, inbox
from tests.factories.school import PIN, School
from tests.gatekeeper.web.decide.asking import Browser, appoint_deputy, call_it, count, send, the_request


def test_the_signed_in_head_sees_what_waits_and_still_needs_the_pin(as_role: Browser, school: School) -> None:
    school.ask(school.post())
    client = as_role(Role.HEADTEACHER)
    assert "Harvest" in client.get("/decisions").text
    asked = the_request(school)
    answer = client.post(f"/decisions/{asked.id}/open")
    assert answer.headers["Location"] == f"/decide/{asked.id}"
    assert "Your PIN" in client.get(f"/decide/{asked.id}").text
    assert send(client, f"/decide/{asked.id}", school).status_code == 403
    assert client.post(f"/decide/{asked.id}/prove", data={"pin": PIN}).status_code == 303
    assert send(client, f"/decide/{asked.id}", school).status_code == 303
    inbox = client.get("/decisions").text
    assert "Nothing waits for you" in inbox
    assert "Harvest" in inbox
    assert "Approved, waiting for its time" in inbox
    assert "I have read it and approve it." not in inbox  # the words stand with the post


def test_looking_at_the_inbox_makes_no_link(as_role: Browser, school: School) -> None:
    school.ask(school.post())
    links = count(school, ApprovalToken)
    client = as_role(Role.HEADTEACHER)
    for _ in range(5):
        client.get("/decisions")
    assert client.get(f"/decisions/{the_request(school).id}/open").status_code == 405
    assert count(school, ApprovalToken) == links


def test_cannot_open_a_question_that_was_asked_of_somebody_else(as_role: Browser, school: School) -> None:
    school.ask(school.post())
    asked = the_request(school)
    deputy = as_role(Role.DEPUTY)
    assert "Harvest" not in deputy.get("/decisions").text
    assert deputy.post(f"/decisions/{asked.id}/open").headers["Location"] == "/decisions"
    assert deputy.get(f"/decide/{asked.id}").status_code == 404
    for role in set(Role) - {Role.HEADTEACHER, Role.DEPUTY}:
        assert as_role(role).post(f"/decisions/{asked.id}/open").status_code == 403
        assert as_role(role).get("/decisions").status_code == 403


def test_the_most_urgent_stands_first_with_how_long_is_left_and_what_ends_today(
    as_role: Browser, school: School
) -> None:
    for title, due_in in (("Gala", timedelta(days=2, hours=1)), ("Tulips", timedelta(minutes=40)), ("Choir", timedelta(hours=5))):  # fmt: skip
        school.ask(call_it(school, school.post(due_in=due_in), title), override=title == "Choir")
    page = as_role(Role.HEADTEACHER).get("/decisions").text
    assert [page.index(f"<h3>{title}") for title in ("Tulips", "Choir", "Gala")] == sorted(
        page.index(f"<h3>{title}") for title in ("Tulips", "Choir", "Gala")
    )
    for words in ("40 minutes left", "5 hours left", "2 days left", "2 of them end today.", "Mx Author Quarry"):
        assert words in page, words
    assert page.count("Override asked") == 1
    assert "Decisions (3)" in page


def test_what_publishing_costs_stands_beside_each_question(as_role: Browser, school: School) -> None:
    school.ask(school.post(kinds=("facebook",)))
    assert "about $" not in as_role(Role.HEADTEACHER).get("/decisions").text
    school.ask(school.post(text="See https://quarry.example"))
    assert "about $0.20 on X" in as_role(Role.HEADTEACHER).get("/decisions").text


def test_each_question_is_opened_by_itself(as_role: Browser, school: School) -> None:
    """There is no way to answer several at once: every form of the page leads to one question, or signs out."""
    for _ in range(3):
        school.ask(school.post())
    page = as_role(Role.HEADTEACHER).get("/decisions").text
    actions = re.findall(r'<form method="post" action="([^"]+)"', page)
    assert sum("/decisions/" in action for action in actions) == 3
    assert {action for action in actions if "/decisions/" not in action} <= {"/signin/leave", "/signout"}
    assert 'type="checkbox"' not in page


def test_a_named_deputy_sees_the_question_and_for_whom_it_is(as_role: Browser, school: School) -> None:
    school.ask(school.post())
    deputy = as_role(Role.DEPUTY)
    assert "Harvest" not in deputy.get("/decisions").text
    appoint_deputy(school)
    page = deputy.get("/decisions").text
    assert "Harvest" in page
    assert "You decide for Mx Headteacher Quarry" in page
    assert "Decisions (1)" in page


def decided(school: School, title: str, verdict: Verdict) -> int:
    post_id = call_it(school, school.post(), title)
    secret = school.ask(post_id)
    decide.decide(
        school.services,
        decide.prove(school.services, secret, PIN).view_secret or secret,
        decide.DecisionForm(
            verdict=verdict,
            digest_shown=school.digest(post_id),
            typed_name="Head Quarry",
            statement="Because it is what we want.",
            answers={},
        ),
    )
    return post_id


def rows(page: str) -> list[str]:
    """The titles of the decisions on this page, in order."""
    return re.findall(r'<th scope="row">(?:<a [^>]*>)?([^<]+)', page)


def test_what_was_decided_is_found_by_title_and_by_verdict_and_says_what_became_of_it(
    as_role: Browser, school: School
) -> None:
    for title, verdict in (("Tulips 100 %", Verdict.APPROVE), ("Gala", Verdict.REFUSE), ("The tulip club", Verdict.CHANGES)):  # fmt: skip
        decided(school, title, verdict)
    with school.services.db.begin() as session:
        gala = session.get_one(Post, 2)
        assert gala.title == "Gala"
        gala.state = PostState.DRAFT
    client = as_role(Role.HEADTEACHER)

    def found(query: str) -> list[str]:
        return rows(client.get(f"/decisions?{query}").text)

    assert found("") == ["The tulip club", "Gala", "Tulips 100 %"]
    assert found("words=tuLIP") == ["The tulip club", "Tulips 100 %"]
    assert found("words=club+the") == ["The tulip club"]
    assert found("words=%25") == ["Tulips 100 %"]
    assert found("words=_") == found("words=nothing+of+the+kind") == []
    assert found("verdict=refuse") == ["Gala"]
    assert found("verdict=approve&words=gala") == []
    assert found("verdict=everything&page=99999999999999999999") == ["The tulip club", "Gala", "Tulips 100 %"]
    page = client.get("/decisions").text
    assert "Approved, waiting for its time" in page
    assert "Draft" in page
    assert "No decision fits" in client.get("/decisions?words=zebra").text


def test_older_decisions_stand_on_further_pages(
    as_role: Browser, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "PAGE", 2)
    for title in ("First", "Second", "Third"):
        decided(school, title, Verdict.REFUSE)
    client = as_role(Role.HEADTEACHER)
    assert rows(client.get("/decisions?verdict=refuse").text) == ["Third", "Second"]
    older = client.get("/decisions?verdict=refuse&page=2").text
    assert rows(older) == ["First"]
    assert 'href="/decisions?verdict=refuse&amp;page=1#decided"' in older
    assert rows(client.get("/decisions?page=0").text) == ["Third", "Second"]


def test_nobody_sees_what_another_person_decided(as_role: Browser, school: School) -> None:
    decided(school, "Gala", Verdict.REFUSE)
    assert "Gala" not in as_role(Role.DEPUTY).get("/decisions").text
