"""The answer: what is recorded, and above all what is not."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals.tables import Decision
from gatekeeper.people.consent import Consent
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Post, Publication
from gatekeeper.posts.status import PostState
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.gatekeeper.web.decide.asking import WORDS, Browser, add_findings, count, link_to, proved, send


@pytest.mark.parametrize(
    ("verdict", "state"), [("approve", "scheduled"), ("changes", "changes"), ("refuse", "refused")]
)
def test_a_decision_is_recorded_and_shown(head: FlaskClient, school: School, verdict: str, state: str) -> None:
    post_id = school.post(photos=1)
    address = proved(head, link_to(school, post_id))
    answer = send(head, address, school, verdict)
    assert (answer.status_code, answer.headers["Location"]) == (303, address)
    assert school.state(post_id) == state
    receipt = head.get(address)
    assert "Your decision is recorded" in receipt.text
    assert "I have read it and approve it." in receipt.text
    assert school.digest(post_id) in receipt.text


def test_cannot_decide_twice_or_replay_the_form(head: FlaskClient, as_role: Browser, school: School) -> None:
    link = link_to(school, school.post())
    address = proved(head, link)
    send(head, address, school)
    for verdict in ("approve", "refuse"):
        again = send(head, address, school, verdict)
        assert again.status_code == 410
        assert "approved on" in again.text
    assert count(school, Decision) == 1
    spent = as_role(None).get(link)
    assert spent.status_code == 410
    assert "This post was approved on" in spent.text


def test_two_tabs_make_one_decision(head: FlaskClient, as_role: Browser, school: School) -> None:
    link = link_to(school, school.post())
    other = as_role(None)
    address = proved(head, link)
    proved(other, link)
    assert send(head, address, school, "refuse").status_code == 303
    second = send(other, address, school, "approve")
    assert "This post was refused on" in second.text
    assert count(school, Decision) == 1
    assert count(school, Publication) == 0


def test_cannot_decide_about_another_digest_and_nothing_typed_is_lost(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    address = proved(head, link_to(school, post_id))
    answer = send(head, address, school, digest="0" * 64)
    assert answer.status_code == 409
    assert "Nothing was decided" in answer.text
    assert WORDS["statement"] in answer.text
    assert count(school, Decision) == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"statement": ""}, "Please write a few words that say you approve."),
        ({"typed_name": ""}, "Please type your name."),
        ({"verdict": ""}, "Please choose one of the three answers."),
        ({"verdict": "publish"}, "Please choose one of the three answers."),
        ({"verdict": "refuse", "statement": "no"}, "Please write in a sentence why"),
    ],
)
def test_an_incomplete_form_says_what_is_missing_and_keeps_the_rest(
    head: FlaskClient, school: School, changes: dict[str, str], sentence: str
) -> None:
    address = proved(head, link_to(school, school.post()))
    answer = send(head, address, school, **{"verdict": "approve", **changes})
    assert answer.status_code == 400
    assert sentence in answer.text
    for name, words in {**WORDS, **changes}.items():
        if name in WORDS and words:
            assert words in answer.text
    assert count(school, Decision) == 0


def test_each_override_needs_its_own_answer(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    override = add_findings(school, post_id)
    address = proved(head, link_to(school, post_id))
    answer = send(head, address, school)
    assert answer.status_code == 400
    assert f'id="answer-{override}-error"' in answer.text
    assert send(head, address, school, **{f"answer-{override}": "The mother wrote to us."}).status_code == 303


def test_everything_that_is_missing_is_said_at_once(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    override = add_findings(school, post_id)
    address = proved(head, link_to(school, post_id))
    answer = send(head, address, school, statement="", typed_name="")
    for name in (f"answer-{override}", "statement", "typed_name"):
        assert f'<a href="#{name}">' in answer.text
        assert f'id="{name}-error"' in answer.text


def test_cannot_approve_when_a_permission_was_withdrawn_meanwhile(
    head: FlaskClient, school: School, clock: ToldClock
) -> None:
    post_id = school.post(pupils=("Wren",))
    address = proved(head, link_to(school, post_id))
    with school.services.db.begin() as session:
        for consent in session.scalars(select(Consent).where(Consent.pupil_id == school.pupils["Wren"])):
            consent.withdrawn_at, consent.withdrawn_by = clock.now(), school.staff[Role.CONSENT_LEAD]
    answer = send(head, address, school)
    assert answer.status_code == 409
    assert "Not approved: something changed" in answer.text
    assert (count(school, Decision), count(school, Publication)) == (0, 0)
    assert school.state(post_id) == PostState.OPEN


def test_cannot_approve_when_one_byte_of_a_picture_changed(head: FlaskClient, school: School) -> None:
    post_id = school.post(photos=1)
    address = proved(head, link_to(school, post_id))
    with school.services.db.read() as session:
        path = school.services.media.path(session.get_one(Post, post_id).photos[0].rendition_sha256 or "")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert head.get(address).status_code == 200
    assert head.get(f"{address}/photo/{path.stem}").status_code == 404  # what is not what was checked is not shown
    answer = send(head, address, school)
    assert answer.status_code == 409
    assert "damaged" in answer.text
    assert (count(school, Decision), count(school, Publication)) == (0, 0)


def test_very_long_words_are_cut_and_not_refused(head: FlaskClient, school: School) -> None:
    address = proved(head, link_to(school, school.post()))
    assert send(head, address, school, statement="Yes, it is fine. " * 2000).status_code == 303
    with school.services.db.read() as session:
        assert len(session.scalars(select(Decision.statement)).one() or "") <= 5000
