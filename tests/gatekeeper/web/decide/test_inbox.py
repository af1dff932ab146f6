"""The list of what waits and of what was decided: looking makes nothing."""

from approvals.tables import ApprovalToken
from gatekeeper.people.staff import Role
from tests.factories.school import PIN, School
from tests.gatekeeper.web.decide.asking import Browser, count, send, the_request


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
