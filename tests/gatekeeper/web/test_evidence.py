"""The page and the button: who is offered the evidence, who gets it, and what is said to everybody else."""

import io
import zipfile
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Audit, Role
from gatekeeper.settings import Settings
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.bundle import NAMED, decided, whole, with_findings
from tests.factories.school import School, make_services

OFFICE = (Role.HEADTEACHER, Role.ADMINISTRATOR, Role.AUDITOR)
REASON = "A parent complained to the governors."


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock, services: Services) -> Services:
    return make_services(sqlite_database, settings.data, clock, settings=settings, render=services.render)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock) -> Callable[[Role], FlaskClient]:
    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


def exported(school: School) -> list[tuple[int | None, object]]:
    with school.services.db.read() as session:
        rows = session.scalars(select(Audit).where(Audit.action == "evidence.exported").order_by(Audit.id))
        return [(row.staff_id, row.detail.get("names")) for row in rows]


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_what_is_theirs_and_nobody_more(
    school: School, as_role: Callable[[Role], FlaskClient], role: Role
) -> None:
    client, address = as_role(role), f"/posts/{whole(school)}/evidence"
    gets = role in OFFICE or role is Role.AUTHOR
    page = client.get(address)
    assert page.status_code == (200 if gets else 404)
    assert ("With the names" in page.text) == (role in (Role.HEADTEACHER, Role.AUDITOR))
    assert not exported(school), "looking is no export"
    answer = client.post(address)
    assert answer.status_code == (200 if gets else 404)
    named = client.post(address, data={"names": "yes", "reason": REASON})
    assert named.status_code == (404 if not gets else 200 if role in (Role.HEADTEACHER, Role.AUDITOR) else 403)
    if gets:
        assert answer.mimetype == "application/zip"
        assert answer.headers["Content-Disposition"] == "attachment; filename=evidence-post-1-version-1.zip"
        assert answer.headers["Cache-Control"] == "no-store"
        names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
        assert ("consents.json" in names) == (role is not Role.AUTHOR)
    else:
        assert "Applethwaite" not in answer.text + named.text
    expected = [(school.staff[role], False)] if gets else []
    expected += [(school.staff[role], True)] if role in (Role.HEADTEACHER, Role.AUDITOR) else []
    assert exported(school) == expected


def test_names_without_a_reason_are_refused_and_the_page_keeps_the_wish(
    school: School, as_role: Callable[[Role], FlaskClient]
) -> None:
    answer = as_role(Role.HEADTEACHER).post(f"/posts/{whole(school)}/evidence", data={"names": "yes", "reason": "so"})
    assert answer.status_code == 422
    assert "Please say in a sentence why the names of pupils are needed." in answer.text
    assert 'value="yes" aria-describedby="names-hint" checked' in answer.text
    assert ">so</textarea>" in answer.text
    assert not exported(school)


def test_the_button_stands_on_the_posts_page_once_something_was_decided(
    school: School, as_role: Callable[[Role], FlaskClient]
) -> None:
    post_id = school.post()
    shown = "Evidence of the decision"
    assert shown not in as_role(Role.HEADTEACHER).get(f"/posts/{post_id}").text
    decided(school, post_id)
    assert shown in as_role(Role.HEADTEACHER).get(f"/posts/{post_id}").text
    assert shown in as_role(Role.AUTHOR).get(f"/posts/{post_id}").text
    assert shown not in as_role(Role.CONSENT_LEAD).get(f"/posts/{post_id}").text
    assert shown not in as_role(Role.DEPUTY).get(f"/posts/{post_id}").text


def test_nothing_is_handed_out_before_a_decision(school: School, as_role: Callable[[Role], FlaskClient]) -> None:
    client, post_id = as_role(Role.HEADTEACHER), school.post()
    assert "Nothing was decided about this post yet" in client.get(f"/posts/{post_id}/evidence").text
    answer = client.post(f"/posts/{post_id}/evidence")
    assert answer.status_code == 409
    assert "Nothing was decided about this post yet" in answer.text
    assert client.post("/posts/999/evidence").status_code == 404
    assert client.get("/posts/999/evidence").status_code == 404


def test_a_version_that_is_none_is_refused(school: School, as_role: Callable[[Role], FlaskClient]) -> None:
    client, post_id = as_role(Role.AUDITOR), whole(school)
    assert client.post(f"/posts/{post_id}/evidence", data={"version": "7"}).status_code == 404
    assert client.post(f"/posts/{post_id}/evidence", data={"version": "x"}).status_code == 200
    assert client.post(f"/posts/{post_id}/evidence", data={"version": "9" * 30}).status_code == 404
    assert client.get(f"/posts/{'9' * 30}/evidence").status_code == 404
    assert client.get(f"/posts/{'9' * 30}/versions").status_code == 404
    assert client.get(f"/posts/{post_id}/versions?from=-1&to={'9' * 30}").status_code in (200, 404)


def test_the_list_tells_posts_by_number_and_no_title(school: School, as_role: Callable[[Role], FlaskClient]) -> None:
    post_id = school.post(text="A quiet day.")
    with_findings(school, post_id, NAMED)
    decided(school, post_id)
    for role in OFFICE:
        page = as_role(role).get("/evidence")
        assert "Post 1</a>: approved" in page.text
        assert "Harvest" not in page.text
    assert as_role(Role.AUTHOR).get("/evidence").status_code == 403
    assert "Post 1" in as_role(Role.AUDITOR).get("/posts/1/evidence").text.replace("post 1", "Post 1")
    assert "Applethwaite" not in as_role(Role.AUDITOR).get("/posts/1/evidence").text


def test_an_older_post_is_found_by_its_number(school: School, as_role: Callable[[Role], FlaskClient]) -> None:
    client, post_id = as_role(Role.AUDITOR), whole(school)
    answer = client.get(f"/evidence?post={post_id}")
    assert answer.status_code == 303
    assert answer.location == f"/posts/{post_id}/evidence"
    assert all(client.get(f"/evidence?post={wrong}").status_code == 200 for wrong in ("0", "-3", "x", "9" * 30))
