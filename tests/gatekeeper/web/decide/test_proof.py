"""The second proof before the page: what it opens, for whom, and what is kept when it runs out."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals import proofs
from approvals.tables import Decision
from gatekeeper.people.staff import Audit
from gatekeeper.posts.status import PostState
from gatekeeper.web.app import create_app
from gatekeeper.web.views import decide
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import PIN, School
from tests.gatekeeper.web.decide.asking import (
    WORDS,
    Browser,
    add_findings,
    count,
    everything,
    link_to,
    opened,
    proved,
    send,
)


def test_cannot_decide_without_the_pin(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    address = opened(head, link_to(school, post_id))
    answer = send(head, address, school)
    assert answer.status_code == 403
    assert "Please enter your PIN" in answer.text
    assert count(school, Decision) == 0
    assert school.state(post_id) == PostState.WAITING


def test_cannot_decide_with_the_link_of_somebody_else_who_gave_the_pin(
    head: FlaskClient, as_role: Browser, school: School
) -> None:
    """A scanner, or the reader of a forwarded mail, is not proved by the head's PIN."""
    link = link_to(school, school.post())
    scanner = as_role(None)
    address = opened(scanner, link)
    proved(head, link)
    assert send(scanner, address, school).status_code == 403
    assert "Your PIN" in scanner.get(address).text
    assert count(school, Decision) == 0


def test_five_wrong_pins_lock_and_say_how_to_go_on(head: FlaskClient, school: School) -> None:
    address = opened(head, link_to(school, school.post()))
    for left in ("4 tries", "3 tries", "2 tries", "1 try"):
        answer = head.post(f"{address}/prove", data={"pin": "000001"})
        assert answer.status_code == 400
        assert f"You have {left} left." in answer.text
    locked = head.post(f"{address}/prove", data={"pin": "000001"})
    assert locked.status_code == 403
    assert "Your PIN is locked" in locked.text
    assert "/account" in locked.text
    right = head.post(f"{address}/prove", data={"pin": PIN})
    assert right.status_code == 403
    assert send(head, address, school).status_code == 403
    assert count(school, Decision) == 0


@pytest.mark.parametrize("pin", ["", " ", "12345", "abcdef", "1" * 500])
def test_what_cannot_be_a_pin_costs_no_try(head: FlaskClient, school: School, pin: str) -> None:
    address = opened(head, link_to(school, school.post()))
    for _ in range(6):
        assert head.post(f"{address}/prove", data={"pin": pin}).status_code == 400
    assert head.post(f"{address}/prove", data={"pin": PIN}).status_code == 303


def test_a_head_without_a_pin_is_told_where_to_choose_one(head: FlaskClient, school: School) -> None:
    link = link_to(school, school.post())
    with school.services.db.begin() as session:
        session.execute(proofs.ApproverPin.__table__.delete())  # type: ignore[attr-defined]
    address = opened(head, link)
    assert "You have neither a passkey nor a PIN yet" in head.get(address).text
    assert "You have no PIN here" in head.post(f"{address}/prove", data={"pin": PIN}).text


def test_what_was_typed_survives_the_end_of_the_proof(head: FlaskClient, school: School, clock: ToldClock) -> None:
    post_id = school.post()
    override = add_findings(school, post_id)
    address = proved(head, link_to(school, post_id))
    clock.advance(minutes=11)
    answer = send(head, address, school, **{f"answer-{override}": "The mother wrote to us."})
    assert answer.status_code == 403
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', answer.text))
    assert fields["statement"] == WORDS["statement"]
    again = head.post(f"{address}/prove", data={**fields, "pin": "000001"})
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', again.text))
    page = head.post(f"{address}/prove", data={**fields, "pin": PIN})
    assert page.status_code == 200
    for words in (*WORDS.values(), "The mother wrote to us."):
        assert words in page.text
    assert "says-approve" in page.text  # and the answer that was pressed is unfolded again
    assert send(head, address, school, **{f"answer-{override}": "The mother wrote to us."}).status_code == 303


def test_looking_after_the_pin_changes_nothing_either(head: FlaskClient, school: School) -> None:
    address = proved(head, link_to(school, school.post(photos=1)))
    before = everything(school)
    for _ in range(10):
        assert head.get(address).status_code == 200
    assert everything(school) == before


def test_giving_the_pin_leaves_a_trace(head: FlaskClient, school: School) -> None:
    proved(head, link_to(school, school.post()))
    with school.services.db.read() as session:
        assert session.scalars(select(Audit.staff_id).where(Audit.action == "decide.proved")).all() == [school.head]


def test_cannot_post_without_the_forms_secret(services: Services, school: School) -> None:
    site = create_app(services)
    if "decide" not in site.blueprints:
        site.register_blueprint(decide.bp)
    client = site.test_client()
    address = opened(client, link_to(school, school.post()))
    assert client.post(f"{address}/prove", data={"pin": PIN}).status_code == 400
    page = client.get(address).text
    secret = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert secret
    given = client.post(f"{address}/prove", data={"pin": PIN, "csrf_token": secret.group(1)})
    assert given.status_code == 303
    assert send(client, address, school).status_code == 400
    assert count(school, Decision) == 0
    assert send(client, address, school, csrf_token=secret.group(1)).status_code == 303
