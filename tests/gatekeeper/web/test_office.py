"""The office's pages: staff, pupils, import, channels, school, audit, account, help."""

import io
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from approvals.ledger import KEY_NAMED
from approvals.tables import LedgerEntry
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.workflow.services import Services

Browser = Callable[[Role | None], FlaskClient]
ROSTER = b"pupil_id,first_name,last_name,class\nP1,Isolde,Farah,Oak\nP2,Kofi,Mensah,Elm\n"


@pytest.fixture
def pupil(services: Services, people: dict[Role, int]) -> int:
    with services.db.begin() as session:
        child = Pupil(
            reference="P1", first_name="Isolde", last_name="Farah", class_name="Oak", created_at=services.clock.now()
        )
        session.add(child)
        session.flush()
        return child.id


def upload(client: FlaskClient, data: bytes, kind: str = "roster") -> str:
    client.post("/pupils/import", data={"kind": kind, "file": (io.BytesIO(data), "roll.csv")})
    return client.get("/pupils/import/look").text


def shown_in(page: str) -> str:
    found = re.search(r'name="shown" value="([0-9a-f]{64})"', page)
    assert found
    return found.group(1)


def test_inviting_keeps_what_was_typed_when_a_field_is_wrong(browser: Browser) -> None:
    typed = {"name": "Jo Marsh", "email": "jo at school", "role": "author", "category": "volunteer"}
    page = browser(Role.ADMINISTRATOR).post("/staff/invite", data=typed)
    assert page.status_code == 422
    assert 'value="Jo Marsh"' in page.text
    assert 'aria-describedby="email-hint email-error"' in page.text
    assert '<a href="#email">' in page.text


def test_inviting_adds_somebody_without_a_password(browser: Browser, services: Services) -> None:
    typed = {"name": "Jo Marsh", "email": "Jo@School.example", "role": "author", "category": "agency"}
    assert browser(Role.ADMINISTRATOR).post("/staff/invite", data=typed).status_code == 303
    with services.db.read() as session:
        jo = session.scalars(select(Staff).where(Staff.email == "jo@school.example")).one()
    assert (jo.password_hash, jo.category) == (None, "agency")


def test_closing_an_account_signs_its_browser_out(browser: Browser, people: dict[Role, int]) -> None:
    author = browser(Role.AUTHOR)
    assert author.get("/account").status_code == 200
    browser(Role.ADMINISTRATOR).post(f"/staff/{people[Role.AUTHOR]}/deactivate")
    assert author.get("/account").status_code == 303


def test_each_look_at_a_pupil_is_written_down(browser: Browser, services: Services, pupil: int) -> None:
    assert "Isolde Farah" in browser(Role.HEADTEACHER).get(f"/pupils/{pupil}").text
    with services.db.read() as session:
        line = session.scalars(select(Audit)).one()
    assert (line.action, line.subject) == ("pupil.seen", f"pupil:{pupil}")


def test_the_headteacher_reads_the_register_and_changes_nothing(browser: Browser, pupil: int) -> None:
    head = browser(Role.HEADTEACHER)
    page = head.get(f"/pupils/{pupil}").text
    assert "Record the answer" not in page
    for step in ("permission", "withdraw", "never", "leaver"):
        assert head.post(f"/pupils/{pupil}/{step}").status_code == 403


def test_a_name_searched_for_never_stands_in_an_address(browser: Browser, pupil: int) -> None:
    client = browser(Role.CONSENT_LEAD)
    answer = client.post("/pupils/search", data={"words": "isolde"})
    assert "isolde" not in answer.location.lower()
    assert "Isolde Farah" in client.get(answer.location).text
    assert "Isolde" not in client.get(client.post("/pupils/search", data={"words": "nobody"}).location).text


def test_recording_an_answer_through_the_page(browser: Browser, pupil: int) -> None:
    client = browser(Role.CONSENT_LEAD)
    typed = {
        "permission-about": "x",
        "permission-allowed": "yes",
        "permission-basis": "consent",
        "permission-given_on": "2026-10-01",
    }
    assert client.post(f"/pupils/{pupil}/permission", data=typed).status_code == 303
    assert "May be shown on X." in client.get(f"/pupils/{pupil}").text
    wrong = client.post(f"/pupils/{pupil}/permission", data={**typed, "permission-given_on": "2027-10-01"})
    assert wrong.status_code == 422
    assert "in the future" in wrong.text
    assert client.post(f"/pupils/{pupil}/permission", data={"permission-about": "tiktok"}).status_code == 422
    assert client.post(f"/pupils/{pupil}/withdraw", data={"about": "tiktok"}).status_code == 404
    assert "Withdraw on every channel" not in client.get(f"/pupils/{pupil}").text  # it is one
    assert client.post(f"/pupils/{pupil}/permission", data={**typed, "permission-about": "facebook"}).status_code == 303
    assert "Withdraw on every channel" in client.get(f"/pupils/{pupil}").text
    assert client.post(f"/pupils/{pupil}/withdraw", data={"about": "every channel"}).status_code == 303
    page = client.get(f"/pupils/{pupil}").text
    assert "Every permission is withdrawn." in page
    assert "May be shown on" not in page


def test_a_roster_is_looked_at_and_then_written(browser: Browser, services: Services, people: dict[Role, int]) -> None:
    client = browser(Role.CONSENT_LEAD)
    page = upload(client, ROSTER)
    assert "Isolde Farah" in page
    with services.db.read() as session:
        assert session.scalar(select(func.count(Pupil.id))) == 0
    assert client.post("/pupils/import/apply", data={"shown": "0" * 64}).status_code == 409
    assert client.post("/pupils/import/apply", data={"shown": shown_in(page)}).status_code == 303
    with services.db.read() as session:
        assert session.scalar(select(func.count(Pupil.id))) == 2
    assert client.post("/pupils/import/apply", data={"shown": shown_in(page)}).status_code == 404


def test_a_roster_with_a_refused_line_offers_no_import(browser: Browser, services: Services) -> None:
    client = browser(Role.CONSENT_LEAD)
    page = upload(client, ROSTER + b",No,Number,Oak\n")
    assert "Nothing can be imported yet" in page
    assert 'name="shown"' not in page
    client.post("/pupils/import/apply", data={"shown": "x"})
    with services.db.read() as session:
        assert session.scalar(select(func.count(Pupil.id))) == 0


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"kind": "roster"}, "Please choose a file."),
        ({"file": (io.BytesIO(ROSTER), "a.csv")}, "Please say what is in the file."),
        ({"kind": "roster", "file": (io.BytesIO(b"PK\x03\x04"), "a.xlsx")}, "This is a workbook."),
    ],
)
def test_an_upload_that_cannot_be_read_says_why(browser: Browser, data: dict[str, object], sentence: str) -> None:
    page = browser(Role.CONSENT_LEAD).post("/pupils/import", data=data)
    assert page.status_code == 422
    assert sentence in page.text


def test_another_browser_does_not_see_the_waiting_file(browser: Browser) -> None:
    upload(browser(Role.CONSENT_LEAD), ROSTER)
    assert browser(Role.ADMINISTRATOR).get("/pupils/import/look").status_code == 303


def test_keys_are_typed_once_and_no_page_shows_them_again(browser: Browser, services: Services) -> None:
    client = browser(Role.ADMINISTRATOR)
    keys = {"access_token": "EAAGsecret1", "app_id": "42", "app_secret": "secret2"}
    wrong = client.post("/channels/new/facebook", data={**keys, "name": "Page", "remote_id": "@page"})
    assert wrong.status_code == 422
    assert "digits only" in wrong.text
    assert "secret" not in wrong.text.replace("app_secret", "").replace("App secret", "")
    assert client.post("/channels/new/facebook", data={**keys, "name": "Page", "remote_id": "111"}).status_code == 303
    page = client.get("/channels/1").text
    assert "sealed; no page shows them" in page
    assert "EAAG" not in page
    with services.db.read() as session:
        assert "EAAG" not in (session.get_one(ChannelAccount, 1).sealed or "")
    assert client.get("/channels/new/tiktok").status_code == 404


def test_school_settings_change_together_or_not_at_all(browser: Browser, services: Services) -> None:
    client = browser(Role.ADMINISTRATOR)
    typed = {"name": "Hillside", "colour": "#2f6b4f", "phones": "01632 960114", "classes": "Oak: Year 6"}
    wrong = client.post("/school", data={**typed, "name": "Other", "classes": "Oak"})
    assert wrong.status_code == 422
    assert "needs a class and its year" in wrong.text
    assert 'value="Other"' in wrong.text
    with services.db.read() as session:
        assert school_settings(session)["name"] == "Our school"
    assert client.post("/school", data=typed).status_code == 303
    with services.db.read() as session:
        settings = school_settings(session)
    assert (settings["name"], settings["phones"], settings["classes"]) == (
        "Hillside",
        ["01632 960114"],
        {"Oak": "Year 6"},
    )


def test_the_assessment_needs_all_three_and_stands_in_the_ledger(browser: Browser, services: Services) -> None:
    client = browser(Role.ADMINISTRATOR)
    assert "Off" in client.get("/school").text
    page = client.post("/school/recognition", data={"dpia-dpia_reference": "DPIA-7", "dpia-date": "2026-11-24"})
    assert page.status_code == 422
    assert "Please name the data protection officer" in page.text
    assert "the day it was signed off" in page.text
    typed = {"dpia-dpia_reference": "DPIA-7", "dpia-dpo": "Ann Lister", "dpia-date": "2026-11-20"}
    assert client.post("/school/recognition", data=typed).status_code == 303
    assert "DPIA-7" in client.get("/school").text
    client.post("/school/recognition/remove")
    with services.db.read() as session:
        assert school_settings(session)["recognition"] == {}
        kinds = session.scalars(
            select(LedgerEntry.kind).where(LedgerEntry.kind != KEY_NAMED).order_by(LedgerEntry.seq)
        ).all()
    assert list(kinds) == ["recognition.dpia_recorded", "recognition.dpia_removed"]


def test_a_broken_ledger_is_said_so_plainly(browser: Browser, services: Services) -> None:
    client = browser(Role.ADMINISTRATOR)
    typed = {"dpia-dpia_reference": "D", "dpia-dpo": "A", "dpia-date": "2026-11-20"}
    client.post("/school/recognition", data=typed)
    assert "The chain is whole: 2 entries" in client.get("/audit/ledger").text
    with services.db.begin() as session:
        connection = session.connection()
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='trigger'").all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE ledger SET body = '{}'")
    page = client.get("/audit/ledger").text
    assert "The chain is broken at entry 1" in page


def test_the_help_shows_every_page_and_no_file_outside(browser: Browser) -> None:
    client = browser(Role.AUTHOR)
    first = client.get("/help").text
    for name in re.findall(r'href="/help/([a-z-]+)"', first):
        assert client.get(f"/help/{name}").status_code == 200
    assert ".md" not in first
    for name in ("nothing", "..%2f..%2fsettings", "index%00", "INDEX"):
        assert client.get(f"/help/{name}").status_code == 404
    for name in ("post-page.png", "matching.svg"):
        assert client.get(f"/help/images/{name}").status_code == 200
    for name in ("nothing.png", "..%2findex.md", "POST.PNG"):
        assert client.get(f"/help/images/{name}").status_code == 404
    assert browser(None).get("/help/images/post-page.png").status_code == 303
    assert browser(None).get("/help").status_code == 200
    assert browser(None).get("/help/channels").status_code == 303
