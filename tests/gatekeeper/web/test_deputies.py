"""The page of deputies: the head names by the second proof and ends; the deputy reads; nobody else sees it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals import deputies as appointments
from approvals import proofs
from approvals.tables import ApproverPin, DeputyAppointment
from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role, Staff
from gatekeeper.settings import Settings
from gatekeeper.web.limits import limiter
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
WHY = "I am at the heads' conference <b>all week</b>."
Browser = Callable[[Role], FlaskClient]


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock) -> Services:
    return make_services(
        sqlite_database,
        settings.data,
        clock,
        settings=settings,
        render=EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary"),
    )


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock, monkeypatch: pytest.MonkeyPatch) -> Browser:
    monkeypatch.setattr(limiter, "enabled", False)

    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


def typed(school: School, **more: str) -> dict[str, str]:
    return {
        "deputy": str(school.staff[Role.DEPUTY]), "from_date": "", "from_time": "", "to_date": "2026-11-27",
        "to_time": "17:00", "reason": WHY, "pin": PIN, **more,
    }  # fmt: skip


def rows(school: School) -> list[DeputyAppointment]:
    with school.services.db.read() as session:
        return list(session.scalars(select(DeputyAppointment)))


def failures(school: School) -> int:
    with school.services.db.read() as session:
        return session.get_one(ApproverPin, school.head).failures


def test_the_head_names_a_deputy_and_both_read_when_and_why(as_role: Browser, school: School) -> None:
    head = as_role(Role.HEADTEACHER)
    answer = head.post("/deputies", data=typed(school))
    assert (answer.status_code, answer.location) == (303, "/deputies")
    for role in (Role.HEADTEACHER, Role.DEPUTY):
        page = as_role(role).get("/deputies").text
        assert "In force" in page
        assert "2026-11-27T17:00" in page
        assert "&lt;b&gt;all week&lt;/b&gt;" in page
    assert rows(school)[0].proof_method == "pin"


def test_the_head_ends_it(as_role: Browser, school: School) -> None:
    head = as_role(Role.HEADTEACHER)
    head.post("/deputies", data=typed(school))
    (row,) = rows(school)
    assert head.post(f"/deputies/{row.id}/end").status_code == 303
    assert "ended early by Mx Headteacher Quarry" in head.get("/deputies").text
    assert head.post(f"/deputies/{row.id}/end").status_code == 409
    assert head.post("/deputies/unknown/end").status_code == 404


def test_cannot_name_without_the_right_pin_and_the_try_is_counted(as_role: Browser, school: School) -> None:
    head = as_role(Role.HEADTEACHER)
    for pin, sentence in (("", "second proof"), ("000001", "4 tries left")):
        answer = head.post("/deputies", data=typed(school, pin=pin))
        assert answer.status_code == 422
        assert sentence in answer.text
        assert "all week" in answer.text  # nothing typed is lost
        assert 'value="2026-11-27"' in answer.text
        assert pin == "" or f'value="{pin}"' not in answer.text
    assert rows(school) == []
    assert failures(school) == 1


def test_a_form_that_is_wrong_costs_no_try(as_role: Browser, school: School) -> None:
    answer = as_role(Role.HEADTEACHER).post("/deputies", data=typed(school, to_date="2027-11-27", pin="000001"))
    assert answer.status_code == 422
    assert "at most 90 days" in answer.text
    assert 'href="#to_date"' in answer.text
    assert failures(school) == 0


def test_a_doubled_hour_is_asked_about(as_role: Browser, school: School, clock: ToldClock) -> None:
    clock.advance(days=330)
    head = as_role(Role.HEADTEACHER)
    ends = {"to_date": "2027-10-31", "to_time": "01:30"}
    answer = head.post("/deputies", data=typed(school, **ends))
    assert answer.status_code == 422
    assert "Which of the two?" in answer.text
    assert head.post("/deputies", data=typed(school, **ends, to_fold="1")).status_code == 303


@pytest.mark.parametrize("deputy", ["", "x", "0", "999999999999", "-1", "２"])
def test_cannot_name_whom_the_list_does_not_hold(as_role: Browser, school: School, deputy: str) -> None:
    answer = as_role(Role.HEADTEACHER).post("/deputies", data=typed(school, deputy=deputy))
    assert answer.status_code == 422
    assert "choose a deputy headteacher" in answer.text


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.HEADTEACHER}))
def test_cannot_name_or_end_as_anybody_else_not_even_as_the_deputy(
    as_role: Browser, school: School, role: Role, clock: ToldClock
) -> None:
    as_role(Role.HEADTEACHER).post("/deputies", data=typed(school))
    (row,) = rows(school)
    client = as_role(role)
    assert client.post("/deputies", data=typed(school)).status_code == 403
    assert client.post(f"/deputies/{row.id}/end").status_code == 403
    assert client.get("/deputies").status_code == (200 if role is Role.DEPUTY else 403)
    with school.services.db.read() as session:
        assert appointments.in_force(session, clock.now()) is not None


def test_says_how_to_get_a_deputy_where_there_is_none(as_role: Browser, school: School) -> None:
    with school.services.db.begin() as session:
        session.get_one(Staff, school.staff[Role.DEPUTY]).role = Role.AUTHOR
    page = as_role(Role.HEADTEACHER).get("/deputies").text
    assert "Nobody here is a deputy headteacher" in page
    assert "on the Staff page" in page
    assert "<textarea" not in page


def test_says_that_the_deputy_has_no_second_proof_yet(as_role: Browser, school: School, clock: ToldClock) -> None:
    head = as_role(Role.HEADTEACHER)
    assert "has no passkey and no PIN yet" in head.get("/deputies").text
    with school.services.db.begin() as session:
        proofs.set_pin(session, school.staff[Role.DEPUTY], PIN, now=clock.now())
    assert "has no passkey and no PIN yet" not in head.get("/deputies").text
