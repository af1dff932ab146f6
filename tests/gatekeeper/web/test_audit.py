"""The audit page: words for every action, filters, pages that begin where the last one ended, and the table."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals import ledger
from approvals.ledger_entries import latest
from gatekeeper.people.staff import Audit, Role
from gatekeeper.workflow import audit_view, ledger_view
from gatekeeper.workflow.audit_view import Filters
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.fixtures.signing import SIGNER

Browser = Callable[[Role | None], FlaskClient]


def write(services: Services, count: int, **line: Any) -> None:
    with services.db.begin() as session:
        for number in range(count):
            told = {"action": "post.submitted", "subject": f"post:{number}", "staff_id": None} | line
            session.add(Audit(at=services.clock.now(), **told))


def subjects(page: str) -> list[str]:
    return re.findall(r'data-label="About">(\w+ \d+)', page)


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'<a rel="{rel}" href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else None


def test_every_line_is_met_once_on_the_way_to_the_oldest_and_back(browser: Browser, services: Services) -> None:
    write(services, 120)
    client, address, seen = browser(Role.AUDITOR), "/audit?action=post.submitted", []
    pages = []
    while address:
        page = client.get(address).text
        pages.append(subjects(page))
        seen += pages[-1]
        write(services, 1)  # lines written meanwhile move nothing
        last, address = address, link(page, "next") or ""
    assert seen == [f"post {number}" for number in range(119, -1, -1)]
    assert [len(page) for page in pages] == [50, 50, 20]
    newer = link(client.get(last).text, "prev")
    assert newer
    assert subjects(client.get(newer).text) == pages[1]


@pytest.fixture
def three_days(services: Services, people: dict[Role, int], clock: ToldClock) -> None:
    clock.advance(days=-1)
    write(services, 1, subject="post:7")
    clock.advance(days=1)
    write(services, 1, subject="pupil:7", action="pupil.seen", staff_id=people[Role.AUTHOR])
    write(services, 1, subject="post:70")
    clock.advance(hours=15, minutes=30)  # half past midnight in London
    write(services, 1, subject="case:7")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("number=7", "Choose under “About” what has this number."),
        ("kind=staff&number=7", "Choose under “About” what has this number."),
        ("kind=post&number=abc", "This is not a number"),
        ("number=-3", "This is not a number"),
        ("kind=post", "Give its number as well."),
    ],
    ids=["number", "other kind", "letters", "below zero", "kind"],
)
def test_what_narrows_nothing_is_said_beside_the_field_and_stays_typed(
    browser: Browser, three_days: None, asked: str, sentence: str
) -> None:
    answer = browser(Role.AUDITOR).get(f"/audit?{asked}")
    assert answer.status_code == 200
    assert sentence in answer.text
    assert 'aria-invalid="true" aria-describedby="number-error"' in answer.text
    assert len(subjects(answer.text)) == 4
    if "number=" in asked:
        assert f'value="{asked.rpartition("=")[2]}"' in answer.text


@pytest.mark.parametrize("asked", ["", "kind=post&number=7", "kind=&number="], ids=["nothing", "both", "neither"])
def test_what_was_asked_for_well_gets_no_remark(browser: Browser, three_days: None, asked: str) -> None:
    assert "field-error" not in browser(Role.AUDITOR).get(f"/audit?{asked}").text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("person={author}", ["pupil 7"]),
        ("action=pupil.seen", ["pupil 7"]),
        ("reads=yes", ["pupil 7"]),
        ("kind=pupil&number=7", ["pupil 7"]),
        ("kind=case&number=7", ["case 7"]),
        ("kind=post&number=", ["case 7", "post 70", "pupil 7", "post 7"]),
        ("kind=staff&number=7", ["case 7", "post 70", "pupil 7", "post 7"]),
        ("from=2026-11-24", ["case 7"]),
        ("to=2026-11-22", ["post 7"]),
        ("from=2026-11-23&to=2026-11-23", ["post 70", "pupil 7"]),
        ("reads=yes&kind=post&number=7", []),
        ("person=x&from=never&to=9999-12-31&before=-3&number=99999999999", ["case 7", "post 70", "pupil 7", "post 7"]),
    ],
    ids=[
        "person",
        "action",
        "reads",
        "pupil",
        "case",
        "no-number",
        "no-such-kind",
        "from",
        "to",
        "day",
        "both",
        "junk",
    ],
)
@pytest.mark.usefixtures("three_days")
def test_only_what_was_asked_for_is_shown_and_taken_out(
    browser: Browser, people: dict[Role, int], asked: str, found: list[str]
) -> None:
    asked = asked.format(author=people[Role.AUTHOR])
    client = browser(Role.AUDITOR)
    assert subjects(client.get(f"/audit?{asked}").text) == found
    table = client.get(f"/audit/export.csv?{asked}").text
    lines = list(csv.DictReader(io.StringIO(table)))
    assert [line["about"] for line in lines if line["action"] != "audit.exported"] == found[::-1]


def test_taking_it_out_is_itself_written_down_with_what_was_asked(
    browser: Browser, services: Services, people: dict[Role, int]
) -> None:
    client = browser(Role.AUDITOR)
    client.get("/audit/export.csv?reads=yes&kind=pupil&number=7")
    with services.db.read() as session:
        (line,) = session.scalars(select(Audit)).all()
    assert (line.action, line.staff_id) == ("audit.exported", people[Role.AUDITOR])
    assert line.detail == {"reads": "yes", "kind": "pupil", "number": "7"}
    assert "took the audit out as a table" in client.get("/audit").text


def test_what_a_line_adds_is_told_in_words(browser: Browser, services: Services) -> None:
    facts = {
        "ok": True,
        "trial": {"read_back": False, "tries": 2},
        "changed": ["name", "town"],
        "none": None,
        "counts": {},
    }
    write(services, 1, detail=facts)
    page = browser(Role.AUDITOR).get("/audit").text
    assert "ok: yes; trial: read back no, tries 2; changed: name, town</span>" in page


def test_a_spreadsheet_runs_nothing_of_the_table(browser: Browser, services: Services) -> None:
    write(services, 1, action="=cmd()", subject="@sum:1", detail={"why": "=1+1"})
    (line, *_) = csv.DictReader(io.StringIO(browser(Role.HEADTEACHER).get("/audit/export.csv").text))
    assert not any(str(cell).startswith(("=", "+", "-", "@")) for cell in line.values())
    assert line["action"] == "'=cmd()"


def test_the_table_comes_in_pieces_and_ends_where_it_began(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_view, "_CHUNK", 10)
    write(services, 25)
    pieces = []
    for piece in audit_view.table_of(services.db, Filters(), {}):
        pieces.append(piece.count("\r\n"))
        write(services, 1)
    assert pieces == [1, 10, 10, 5]


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.LINE_MANAGER, Role.DEPUTY, Role.CONSENT_LEAD])
def test_nobody_else_reads_the_audit(browser: Browser, role: Role) -> None:
    assert browser(role).get("/audit").status_code == 403
    assert browser(role).get("/audit/export.csv").status_code == 403


def test_of_a_long_ledger_the_end_is_read_and_the_whole_when_asked(
    browser: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_view, "END", 5)
    with services.db.begin() as session:
        for number in range(20):
            ledger.append(session, at=services.clock.now(), kind="test.written", body={"number": number})
        early = latest(session, limit=18)[-1].hash
    client = browser(Role.AUDITOR)
    page = client.get("/audit/ledger").text
    assert "the entries 17 to 21 are each as they were written and signed" in page
    assert "The chain is whole: 21 entries" in client.get("/audit/ledger?whole=yes").text
    assert "The seal you put in is that of entry 4." in client.get(f"/audit/ledger?seal={early}").text
    with services.db.begin() as session:
        connection = session.connection()
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='trigger'").all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE ledger SET body = '{}' WHERE seq = 3")
    assert "The chain is broken at entry 3." in client.get("/audit/ledger?whole=yes").text
    with services.db.begin() as session:
        session.connection().exec_driver_sql("UPDATE ledger SET body = '{}' WHERE seq = 19")
    assert "The chain is broken at entry 19." in client.get("/audit/ledger").text
    assert SIGNER.key_id in page
