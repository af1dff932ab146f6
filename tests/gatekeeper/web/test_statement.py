"""The statement's pages: for whom, as a PDF, the skeleton of the assessment, and what is typed by hand."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from gatekeeper.people.staff import Role

Browser = Callable[[Role | None], FlaskClient]


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.HEADTEACHER, Role.CONSENT_LEAD, Role.AUDITOR])
def test_who_answers_for_the_data_reads_it(browser: Browser, role: Role) -> None:
    client = browser(role)
    for reader, part in (
        ("parents", "If you change your mind"),
        ("governors", "The record"),
        ("dpo", "Biometric data"),
    ):
        assert part in client.get(f"/statement?for={reader}").text
    assert "If you change your mind" in client.get("/statement?for=everybody").text


@pytest.mark.parametrize("address", ["/statement", "/statement/paper.pdf", "/statement/dpia.pdf", "/statement/dpia.md"])
def test_no_page_of_it_is_public(browser: Browser, address: str) -> None:
    assert browser(None).get(address).status_code == 303
    assert browser(Role.AUTHOR).get(address).status_code == 403


def test_it_is_taken_out_on_paper(browser: Browser) -> None:
    client = browser(Role.AUDITOR)
    answer = client.get("/statement/paper.pdf?for=dpo")
    assert answer.data.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"] == "attachment; filename=statement-dpo.pdf"
    assert client.get("/statement/dpia.pdf").data.startswith(b"%PDF")
    assert "For the school to fill in" in client.get("/statement/dpia.md").text


def test_what_is_missing_is_said_until_it_is_recorded(browser: Browser) -> None:
    client = browser(Role.ADMINISTRATOR)
    assert "fill in: the data protection officer" in client.get("/statement?for=dpo").text
    wrong = client.post("/statement/details", data={"officer": "Ann Lister", "email": "ann at school"})
    assert wrong.status_code == 422
    assert 'value="Ann Lister"' in wrong.text
    typed = {"officer": "Ann Lister", "esafety_link": "https://school.example/esafety"}
    assert client.post("/statement/details", data=typed).status_code == 303
    assert "Data protection officer: Ann Lister." in client.get("/statement?for=dpo").text
    assert 'href="https://school.example/esafety"' in client.get("/policy").text
    assert browser(Role.AUDITOR).post("/statement/details", data=typed).status_code == 403
