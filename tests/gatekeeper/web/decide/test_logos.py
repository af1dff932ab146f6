"""Logos on the decision page: one tick and one name for each, and no other way."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals.tables import Decision, LedgerEntry
from gatekeeper.posts.model import Publication
from tests.conftest import ToldClock
from tests.factories.school import PIN, School
from tests.gatekeeper.web.decide.asking import WORDS, add_marks, count, link_to, proved, send


@pytest.mark.parametrize(
    ("tick", "by"),
    [(False, ""), (True, ""), (False, "the governors"), (True, " . – "), (True, "x")],
    ids=["nothing", "tick-alone", "name-alone", "signs-alone", "one-letter"],
)
def test_cannot_approve_a_logo_without_the_tick_and_a_name(
    head: FlaskClient, school: School, tick: bool, by: str
) -> None:
    post_id = school.post(photos=1)
    (mark,) = add_marks(school, post_id, "Kestrel crest")
    address = proved(head, link_to(school, post_id))
    given = {f"mark-{mark}": "yes"} if tick else {}
    answer = send(head, address, school, **given, **{f"by-{mark}": by})
    assert answer.status_code == 400
    assert "tick that this logo may be shown and write who authorised it" in answer.text
    assert WORDS["statement"] in answer.text
    assert by.strip() in answer.text
    assert (f'name="mark-{mark}" value="yes" checked' in answer.text) is tick
    assert count(school, Decision) == count(school, Publication) == 0


def test_a_logo_goes_out_when_the_approval_says_who_authorised_it(head: FlaskClient, school: School) -> None:
    """One tick and one name for all its places, kept with the decision and, as a salted hash alone, in the ledger."""
    post_id = school.post(photos=1)
    first, second = add_marks(school, post_id, "Kestrel crest", "Kestrel crest")
    address = proved(head, link_to(school, post_id))
    page = head.get(address).text
    assert page.count("This logo may be shown in this post") == 1
    assert "Photo 1 (2 places)" in page
    more = {f"mark-{first}": "yes", f"by-{first}": "the  governors"}
    assert send(head, address, school, **more).status_code == 303
    with school.services.db.read() as session:
        answers = session.scalars(select(Decision.answers)).one()
        bodies = " ".join(session.scalars(select(LedgerEntry.body)))
    assert answers == [
        {"id": str(number), "rule": "photo-mark", "sentence": "Authorised by the governors"}
        for number in (first, second)
    ]
    assert '"rule":"photo-mark"' in bodies
    assert "governors" not in bodies
    receipt = head.get(address).text
    assert receipt.count("Authorised by the governors") == 1


def test_one_logos_authority_serves_no_other_and_an_ordinary_answer_serves_none(
    head: FlaskClient, school: School
) -> None:
    post_id = school.post(photos=1)
    crest, maker = add_marks(school, post_id, "Kestrel crest", "Strido sports")
    address = proved(head, link_to(school, post_id))
    more = {f"mark-{crest}": "yes", f"by-{crest}": "the governors", f"answer-{maker}": "It is quite all right with us."}
    answer = send(head, address, school, **more)
    assert answer.status_code == 400
    assert f'id="by-{maker}-error"' in answer.text
    assert f'id="by-{crest}-error"' not in answer.text
    assert count(school, Decision) == 0


@pytest.mark.parametrize("verdict", ["refuse", "changes"])
def test_refusing_or_asking_for_changes_needs_no_tick(head: FlaskClient, school: School, verdict: str) -> None:
    post_id = school.post(photos=1)
    add_marks(school, post_id, "Kestrel crest")
    address = proved(head, link_to(school, post_id))
    assert send(head, address, school, verdict, statement="Please choose another photo.").status_code == 303


def test_the_tick_and_its_name_survive_the_end_of_the_proof(
    head: FlaskClient, school: School, clock: ToldClock
) -> None:
    post_id = school.post(photos=1)
    (mark,) = add_marks(school, post_id, "Kestrel crest")
    address = proved(head, link_to(school, post_id))
    clock.advance(minutes=11)
    more = {f"mark-{mark}": "yes", f"by-{mark}": "the governors"}
    answer = send(head, address, school, **more)
    assert answer.status_code == 403
    assert f'name="by-{mark}" value="the governors"' in answer.text
    page = head.post(f"{address}/prove", data={"pin": PIN, **WORDS, **more}).text
    assert f'name="mark-{mark}" value="yes" checked' in page
    assert 'value="the governors"' in page
