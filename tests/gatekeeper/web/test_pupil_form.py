"""The page that adds or corrects one pupil."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role
from gatekeeper.workflow.services import Services

Browser = Callable[[Role | None], FlaskClient]
TYPED = {
    "reference": "P7",
    "first_name": "Isolde",
    "last_name": "Farah",
    "known_as": "Izzy",
    "year": "Year 4",
    "class_name": "Oak",
    "born_on": "2018-05-04",
}


@pytest.mark.parametrize("role", [Role.CONSENT_LEAD, Role.ADMINISTRATOR])
def test_an_empty_roll_says_both_ways_and_a_pupil_is_added(browser: Browser, services: Services, role: Role) -> None:
    client = browser(role)
    empty = client.get("/pupils").text
    assert 'href="/pupils/new"' in empty
    assert 'href="/pupils/import"' in empty
    answer = client.post("/pupils/new", data=TYPED)
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert "Isolde (Izzy) Farah" in page
    assert "No permission is recorded yet" in page
    assert f'href="{answer.location}/edit"' in page
    assert "Isolde" not in answer.location


def test_the_roll_leads_to_the_form_for_those_who_keep_it(browser: Browser) -> None:
    keeper = browser(Role.CONSENT_LEAD)
    keeper.post("/pupils/new", data=TYPED)
    assert 'href="/pupils/new"' in keeper.get("/pupils").text
    head = browser(Role.HEADTEACHER)
    assert "/pupils/new" not in head.get("/pupils").text
    assert "/edit" not in head.get("/pupils/1").text
    for role in (Role.HEADTEACHER, Role.AUTHOR, Role.AUDITOR):
        for address in ("/pupils/new", "/pupils/1/edit"):
            assert browser(role).get(address).status_code == 403
            assert browser(role).post(address, data=TYPED).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"reference": ""}, "reference", "own number"),
        ({"first_name": " "}, "first_name", "first name"),
        ({"last_name": "x" * 81}, "last_name", "at most 80"),
        ({"born_on": "the fourth of May"}, "born_on", "This is not a date"),
        ({"born_on": "2031-05-04"}, "born_on", "cannot be the birthday"),
    ],
)
def test_bad_input_is_told_at_its_field_and_nothing_typed_is_lost(
    browser: Browser, services: Services, wrong: dict[str, str], field: str, sentence: str
) -> None:
    page = browser(Role.CONSENT_LEAD).post("/pupils/new", data={**TYPED, **wrong})
    assert page.status_code == 422
    assert f'<a href="#{field}">' in page.text
    assert f'id="{field}-error"' in page.text
    assert sentence in page.text
    for name, value in {**TYPED, **wrong}.items():
        if value.strip():
            assert f'value="{value}"' in page.text, name
    with services.db.read() as session:
        assert session.scalar(select(func.count(Pupil.id))) == 0


def test_correcting_shows_what_is_there_and_writes_the_look_down(browser: Browser, services: Services) -> None:
    client = browser(Role.ADMINISTRATOR)
    client.post("/pupils/new", data=TYPED)
    page = client.get("/pupils/1/edit").text
    for value in TYPED.values():
        assert f'value="{value}"' in page
    saved = client.post("/pupils/1/edit", data={**TYPED, "class_name": "Elm", "born_on": "05/05/2018"})
    assert saved.status_code == 303
    assert "Elm" in client.get("/pupils/1").text
    with services.db.read() as session:
        lines = [(line.action, str(line.detail)) for line in session.scalars(select(Audit).order_by(Audit.id))]
    assert [action for action, _ in lines] == ["pupil.added", "pupil.seen", "pupil.edited", "pupil.seen"]
    assert not any(name in detail for _, detail in lines for name in ("Isolde", "Farah", "Oak", "Elm", "2018"))


def test_a_number_that_is_taken_is_refused_in_words(browser: Browser) -> None:
    client = browser(Role.CONSENT_LEAD)
    client.post("/pupils/new", data=TYPED)
    client.post("/pupils/new", data={**TYPED, "reference": "P8", "first_name": "Kofi"})
    page = client.post("/pupils/2/edit", data={**TYPED, "first_name": "Kofi"})
    assert page.status_code == 422
    assert "belongs to another pupil already" in page.text


def test_there_is_no_form_for_a_pupil_who_is_not_there(browser: Browser) -> None:
    client = browser(Role.CONSENT_LEAD)
    assert client.get("/pupils/99/edit").status_code == 404
    assert client.post("/pupils/99/edit", data=TYPED).status_code == 404
