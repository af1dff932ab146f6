"""The receipt: for whom it is, and what it says."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals.tables import Decision, LedgerEntry
from gatekeeper.people.staff import Role
from gatekeeper.workflow.stop import stop
from tests.conftest import ToldClock
from tests.factories.school import PIN, School
from tests.gatekeeper.web.decide.asking import (
    Browser,
    appoint_deputy,
    call_it,
    link_to,
    opened,
    proved,
    send,
    the_request,
)


def test_what_was_written_is_shown_to_the_browser_that_decided_and_to_no_other(
    head: FlaskClient, as_role: Browser, school: School, clock: ToldClock
) -> None:
    link = link_to(school, school.post())
    other = as_role(None)
    opened(other, link)
    address = proved(head, link)
    send(head, address, school)
    assert "This post was approved on" in other.get(address).text
    assert "I have read it" not in other.get(address).text
    clock.advance(minutes=10)
    assert "I have read it" not in head.get(address).text


def test_the_receipt_says_what_was_decided_how_it_was_proved_and_where_the_ledger_stood(
    head: FlaskClient, school: School
) -> None:
    post_id = school.post(photos=1)
    address = proved(head, link_to(school, post_id))
    send(head, address, school)
    page = head.get(address).text
    with school.services.db.read() as session:
        decision = session.scalars(select(Decision)).one()
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.seq == decision.ledger_seq)).one()
    for shown in (
        "This post was approved on Monday 23 November 2026",
        "Head Quarry",
        "your PIN",
        school.digest(post_id),
        f"Entry {entry.seq}",
        entry.hash,
        "It goes out Mon 23 Nov 2026, 10:00",
    ):
        assert shown in page, shown


@pytest.mark.parametrize("verdict", ["refuse", "changes"])
def test_nothing_can_be_taken_back_where_nothing_was_approved(head: FlaskClient, school: School, verdict: str) -> None:
    address = proved(head, link_to(school, school.post()))
    send(head, address, school, verdict)
    assert "Take the approval back" not in head.get(address).text


def test_second_thoughts_lead_to_the_post_until_the_approval_is_taken_back(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    address = proved(head, link_to(school, post_id))
    send(head, address, school)
    assert f'href="/posts/{post_id}"' in head.get(address).text
    stop(school.services, post_id, by=school.head)
    after = head.get(address).text
    assert "The approval was withdrawn on Monday 23 November 2026" in after
    assert f'href="/posts/{post_id}"' not in after
    assert "It goes out" not in after


def test_the_next_question_is_offered_and_its_title_is_not_said_before_its_own_proof(
    head: FlaskClient, as_role: Browser, school: School
) -> None:
    address = proved(head, link_to(school, school.post()))
    school.ask(call_it(school, school.post(), "The swimming gala"))
    send(head, address, school)
    page = head.get(address).text
    assert "1 more post waits for you." in page
    assert "swimming" not in page
    assert "/open" not in page  # nobody is signed in on this telephone
    signed_in = as_role(Role.HEADTEACHER)
    cookie = head.get_cookie("gatekeeper-view", path=address)
    assert cookie is not None
    signed_in.set_cookie("gatekeeper-view", cookie.value, path=address)
    assert f'action="/decisions/{the_request(school).id}/open"' in signed_in.get(address).text


def test_whoever_pressed_second_reads_what_is_really_on_record(
    head: FlaskClient, as_role: Browser, school: School
) -> None:
    link = link_to(school, school.post())
    other = as_role(None)
    address = proved(head, link)
    proved(other, link)
    send(head, address, school, "refuse")
    send(other, address, school, "approve")
    page = other.get(address).text
    assert "This post was refused on" in page
    assert "It will not be published" in page
    assert "It goes out" not in page


def test_a_deputys_receipt_says_who_named_them(as_role: Browser, school: School) -> None:
    appoint_deputy(school)
    post_id = school.post()
    school.ask(post_id)
    client = as_role(Role.DEPUTY)
    address = client.post(f"/decisions/{the_request(school).id}/open").headers["Location"]
    client.post(f"{address}/prove", data={"pin": PIN})
    page = client.get(address).text
    assert "You decide for Mx Headteacher Quarry until Tuesday 24 November 2026" in page
    send(client, address, school)
    receipt = client.get(address).text
    assert "decided as the deputy of Mx Headteacher Quarry" in receipt
