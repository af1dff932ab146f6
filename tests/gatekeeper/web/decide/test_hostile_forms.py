"""Whatever a browser sends to the pages of a decision, the answer is calm, quick, and records nothing it should not."""

import json
import logging
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals.tables import ApprovalView, Decision, Verdict
from gatekeeper.people.staff import Role
from gatekeeper.posts.status import PostState
from tests.factories.school import School
from tests.gatekeeper.web.decide.asking import Browser, count, link_to, opened, proved, send

FIELDS = (
    "verdict", "digest", "typed_name", "statement", "answer-1", "by-1", "mark-1", "mark-where-1", "mark-words-1",
    "mark-quote-1", "assertion", "pin",
)  # fmt: skip
HOSTILE = {
    "nothing": "",
    "nul": "a\x00b" * 20,
    "long": "x" * 200_000,
    "deep": "[" * 20_000,
    "digits": "9" * 6_000,
    "markup": "<script>alert(1)</script>{{ 7*7 }}",
    "signs": "\u202e\u2066\ufeff\U000e0001" * 40,
    "halves": json.dumps({"id": "\ud800", "response": {"clientDataJSON": "\ud800"}}),
    "place": "text:999999-000000",
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("verdict", ["approve", "changes"])
def test_no_field_of_a_proved_page_can_be_used_to_hurt(
    school: School, browser: Browser, verdict: str, kind: str
) -> None:
    client, post_id = browser(None), school.post()
    address = proved(client, link_to(school, post_id))
    for field in FIELDS:
        answer = send(client, address, school, **{"verdict": verdict, "mark-words-1": "x"} | {field: HOSTILE[kind]})
        assert answer.status_code < 500, field
        assert "<script>alert(1)" not in answer.text
        if count(school, Decision):
            break  # the field means nothing here, and the rest was right
    with school.services.db.read() as session:
        for decision in session.scalars(select(Decision)):
            assert (decision.verdict, decision.proof_method) == (Verdict(verdict), "pin")


def test_no_field_of_the_proof_can_be_used_to_hurt(school: School, browser: Browser) -> None:
    client, post_id = browser(None), school.post()
    address = opened(client, link_to(school, post_id))
    for words in HOSTILE.values():
        for field in FIELDS:
            assert client.post(f"{address}/prove", data={field: words}).status_code < 500
    assert school.state(post_id) == PostState.WAITING
    assert count(school, ApprovalView) == 0


def test_the_log_names_no_pupil_even_at_its_most_talkative(
    school: School, browser: Callable[[Role | None], FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        post_id = school.post(pupils=("Wren",))
        client = browser(None)
        link = link_to(school, post_id)
        address = proved(client, link)
        page = client.get(address)
        assert page.status_code == 200
        assert send(client, address, school, statement="Wren Applethwaite may be shown.").status_code == 303
        for role in Role:
            for path in ("", "/versions", "/evidence"):
                browser(role).get(f"/posts/{post_id}{path}")
            browser(role).post(f"/posts/{post_id}/evidence", data={"names": "yes", "reason": "Wren’s parents ask."})
    for secret in ("Wren", "Applethwaite", link.rsplit("/", 1)[-1]):
        assert secret not in caplog.text
