"""The pages "Where is this child?" and the export: a reason first, for few, and nothing stays behind."""

import io
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock

Browser = Callable[[Role | None], FlaskClient]
FINDERS = (Role.CONSENT_LEAD, Role.HEADTEACHER, Role.AUDITOR)
GIVERS = (Role.CONSENT_LEAD, Role.HEADTEACHER)
REASON = {"reason": "Request of the mother of 20 November"}


@pytest.fixture
def wren(services: Services, people: dict[Role, int], clock: ToldClock) -> int:
    """A child, and two posts that name her: a draft that was never sent, and one that was."""
    now = clock.now()
    with services.db.begin() as session:
        pupil = Pupil(
            reference="Q1", first_name="Wren", last_name="Applethwaite", class_name="Heron", born_on=date(2018, 1, 1),
            created_at=now,
        )  # fmt: skip
        session.add(pupil)
        for state in (PostState.DRAFT, PostState.OPEN):
            session.add(
                Post(
                    author_id=people[Role.AUTHOR], title=f"Title of {state}", text="Wren Applethwaite sang", state=state,
                    created_at=now, changed_at=now,
                )
            )  # fmt: skip
        session.flush()
        return pupil.id


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_the_pages_are_for_few(browser: Browser, wren: int, role: Role) -> None:
    client = browser(role)
    finds, gives = (200 if role in FINDERS else 403), (200 if role in GIVERS else 403)
    assert client.get(f"/pupils/{wren}/posts").status_code == finds
    assert client.get(f"/pupils/{wren}/subject-access").status_code == gives
    if gives == 403:
        assert client.post(f"/pupils/{wren}/subject-access", data=REASON).status_code == 403


def test_the_list_is_shown_only_after_a_reason_and_for_some_minutes(
    browser: Browser, services: Services, people: dict[Role, int], wren: int, clock: ToldClock
) -> None:
    lead = browser(Role.CONSENT_LEAD)
    address = f"/pupils/{wren}/posts"
    assert "Why do you look?" in lead.get(address).text
    assert "Title of" not in lead.get(address).text
    short = lead.post(address, data={"reason": "because"})
    assert (short.status_code, "because" in short.text, "say in a sentence why" in short.text) == (422, True, True)
    answer = lead.post(address, data=REASON)
    assert (answer.status_code, answer.location) == (303, address)
    page = lead.get(address).text
    assert "Title of open" in page
    assert "named in the words" in page
    assert "Title of draft" not in page  # a draft that was never sent is its author's alone
    with services.db.read() as session:
        rows = session.scalars(select(Audit).where(Audit.action == "pupil.found")).all()
    assert [(row.staff_id, row.subject, row.detail) for row in rows] == [
        (people[Role.CONSENT_LEAD], f"pupil:{wren}", REASON)
    ]
    clock.advance(minutes=11)
    assert "Why do you look?" in lead.get(address).text


def test_the_reason_for_one_child_opens_no_other(
    browser: Browser, services: Services, wren: int, clock: ToldClock
) -> None:
    with services.db.begin() as session:
        other = Pupil(reference="Q2", first_name="Jonty", last_name="Applethwaite", created_at=clock.now())
        session.add(other)
        session.flush()
        number = other.id
    head = browser(Role.HEADTEACHER)
    head.post(f"/pupils/{wren}/posts", data=REASON)
    assert "Why do you look?" in head.get(f"/pupils/{number}/posts").text
    assert "Why do you look?" in browser(Role.HEADTEACHER).get(f"/pupils/{wren}/posts").text  # nor another browser


def test_an_auditor_sees_where_but_no_title_and_no_way_into_a_post(browser: Browser, wren: int) -> None:
    auditor = browser(Role.AUDITOR)
    auditor.post(f"/pupils/{wren}/posts", data=REASON)
    page = auditor.get(f"/pupils/{wren}/posts").text
    assert "Post 2" in page
    assert "Title of" not in page
    assert "/posts/2" not in page
    assert "subject-access" not in page


def test_the_file_is_handed_out_once_and_kept_by_nobody(browser: Browser, services: Services, wren: int) -> None:
    lead = browser(Role.CONSENT_LEAD)
    before = {path for path in services.settings.data.rglob("*") if path.is_file()}
    answer = lead.post(f"/pupils/{wren}/subject-access", data=REASON)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == f"attachment; filename=subject-access-{wren}.zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as bundle:
        assert bundle.namelist() == ["data.json", "read-first.html"]
    after = {path for path in services.settings.data.rglob("*") if path.is_file()}
    assert {path.name for path in after - before} <= {"gatekeeper.db-wal", "gatekeeper.db-shm"}


def test_without_a_reason_nothing_is_made(browser: Browser, services: Services, wren: int) -> None:
    refused = browser(Role.HEADTEACHER).post(f"/pupils/{wren}/subject-access", data={"reason": "for mum"})
    assert (refused.status_code, "for mum" in refused.text) == (422, True)
    with services.db.read() as session:
        assert session.scalars(select(Audit.id).where(Audit.action == "subject_access.exported")).all() == []


@pytest.mark.parametrize("address", ["/pupils/99/posts", "/pupils/99/subject-access"])
def test_there_is_no_page_about_nobody(browser: Browser, address: str) -> None:
    assert browser(Role.HEADTEACHER).get(address).status_code == 404
    assert browser(Role.HEADTEACHER).post(address, data=REASON).status_code == 404
