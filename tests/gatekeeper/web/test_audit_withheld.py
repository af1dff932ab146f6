"""Whoever a case is about reads in no record who reported it, nor that it is there; everybody else reads every line."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals import ledger_records
from gatekeeper.cases.model import Case, CaseKind
from gatekeeper.cases.rules import Viewer
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Audit, Role, Staff, record
from gatekeeper.workflow import case_view, case_work, legal_hold
from gatekeeper.workflow.audit_view import Filters, page_of, table_of
from gatekeeper.workflow.cases import Opening, begin
from gatekeeper.workflow.ledger_view import lines
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

Browser = Callable[[Role | None], FlaskClient]
READERS = (Role.HEADTEACHER, Role.ADMINISTRATOR, Role.AUDITOR)
REPORTER, OWNER = "Author Person", "Deputy headteacher Person"


def who(services: Services, people: dict[Role, int], role: Role) -> Staff:
    with services.db.read() as session:
        return session.get_one(Staff, people[role])


def concern(services: Services, people: dict[Role, int], about: Role | None) -> int:
    """One that went its whole way: read, handed over, held, taken out of the audit, and closed."""
    about_id = people[about] if about else None
    opening = Opening(kind=CaseKind.CONCERN, title="A photo", words="I saw it", about_id=about_id)
    case_id = begin(services, opening, by=who(services, people, Role.AUTHOR))
    with services.db.read() as session:
        owner = session.get_one(Staff, session.get_one(Case, case_id).owner_id)
    case_view.page_for(services, case_id, owner)
    held = legal_hold.place(services, case_id=case_id, subject=f"case:{case_id}", reason="A claim was made", by=owner)
    legal_hold.end(services, held, reason="The claim was dropped", by=owner)
    case_work.close(services, case_id, "settled", "It is over now.", by=owner)
    with services.step() as session:
        now = services.clock.now()
        detail = {"kind": "case", "number": str(case_id)}
        record(session, at=now, staff_id=owner.id, action="audit.exported", subject="audit", detail=detail)
        detail_of_case = {"case": case_id, "why": "concern"}
        record(
            session, at=now, staff_id=owner.id, action="takedown.ordered", subject="takedown:5", detail=detail_of_case
        )
    return case_id


def told(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("about", READERS, ids=str)
def test_nobody_reads_who_reported_a_concern_about_them(
    browser: Browser, services: Services, people: dict[Role, int], about: Role
) -> None:
    case_id = concern(services, people, about)
    client = browser(about)
    for address in ("/audit", f"/audit?kind=case&number={case_id}", f"/audit?person={people[Role.AUTHOR]}"):
        rows = told(client, address).partition("<tbody>")[2]
        assert f"case {case_id}" not in rows, address
        assert f"case: {case_id}" not in rows, address
        assert "number: " not in rows, address
    assert "No line fits what you asked for." in told(client, f"/audit?kind=case&number={case_id}")
    table = [line for line in told(client, "/audit/export.csv").splitlines() if "audit.exported" not in line]
    assert [line for line in table if "case" in line] == []


@pytest.mark.parametrize("about", READERS, ids=str)
def test_the_ledger_withholds_the_entries_of_a_case_from_the_one_it_is_about_and_has_no_gap(
    browser: Browser, services: Services, people: dict[Role, int], about: Role
) -> None:
    concern(services, people, about)
    page = told(browser(about), "/audit/ledger")
    assert page.count("<td>withheld from you</td>") == 4
    assert "The chain is whole: 5 entries" in page
    rows = page.partition("<tbody>")[2].partition("</tbody>")[0]
    for word in (REPORTER, OWNER, "concern", "case", "hold"):
        assert word not in rows.replace("withheld", ""), word
    with services.db.read() as session:
        assert ledger_records.verify(session).ok
        reader = Viewer(id=people[about], role=about)
        shown = lines(session, {}, reader=reader, limit=50, offset=0)
    assert [one.seq for one in shown] == [5, 4, 3, 2, 1]
    assert [one.at is None for one in shown] == [True, True, True, True, False]


@pytest.mark.parametrize("reader", [Role.ADMINISTRATOR, Role.AUDITOR], ids=str)
def test_whoever_a_case_is_not_about_reads_every_line(
    browser: Browser, services: Services, people: dict[Role, int], reader: Role
) -> None:
    case_id = concern(services, people, Role.HEADTEACHER)
    client = browser(reader)
    rows = told(client, "/audit")
    for words in (
        "opened a case",
        "read a case",
        "placed a legal hold",
        "ended a legal hold",
        "closed a case",
        REPORTER,
    ):
        assert words in rows, words
    assert f"number: {case_id}" in rows
    page = told(client, "/audit/ledger")
    assert "withheld from you" not in page
    assert "case opened" in page
    assert REPORTER in page


def test_the_headteacher_reads_every_line_of_a_case_that_is_not_about_them(
    browser: Browser, services: Services, people: dict[Role, int]
) -> None:
    other = concern(services, people, Role.CONSENT_LEAD)
    hidden = concern(services, people, Role.HEADTEACHER)
    client = browser(Role.HEADTEACHER)
    rows = told(client, "/audit")
    assert f"case {other}" in rows
    assert f"case {hidden}" not in rows
    page = told(client, "/audit/ledger")
    assert page.count("<td>withheld from you</td>") == 4
    assert page.count("<td>case opened</td>") == 1


def test_erasing_a_concern_brings_to_light_no_line_about_it(
    browser: Browser, services: Services, people: dict[Role, int]
) -> None:
    case_id = concern(services, people, Role.HEADTEACHER)
    with services.db.begin() as session:
        case = session.get_one(Case, case_id)
        case.about_id, case.erased_at = None, services.clock.now()
    head = browser(Role.HEADTEACHER)
    assert f"case {case_id}" not in told(head, "/audit")
    assert told(head, "/audit/ledger").count("<td>withheld from you</td>") == 4
    assert head.get(f"/cases/{case_id}").status_code == 404
    assert f"Case {case_id}" not in told(head, "/retention/holds")
    assert browser(Role.DEPUTY).get(f"/cases/{case_id}").status_code == 200
    assert f"case {case_id}" in told(browser(Role.AUDITOR), "/audit")


def test_what_is_left_out_leaves_whole_pages(
    database: Database, clock: ToldClock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On both databases: a page begins where the last one ended, whatever lies between and is not for the reader."""
    services = make_services(database, tmp_path_factory.mktemp("data"), clock)
    school = School(services)
    case_id = concern(services, school.staff, Role.HEADTEACHER)
    with services.db.begin() as session:
        session.query(Audit).filter(Audit.subject != f"case:{case_id}").delete()
        for number in range(1, 121):
            session.add(Audit(at=clock.now(), staff_id=None, action="case.read", subject=f"case:{case_id}", detail={}))
            session.add(
                Audit(at=clock.now(), staff_id=None, action="post.submitted", subject=f"post:{number}", detail={})
            )
    head, auditor = (Viewer(id=school.staff[role], role=role) for role in (Role.HEADTEACHER, Role.AUDITOR))
    met, before = [], None
    with services.db.read() as session:
        while True:
            page = page_of(session, Filters(reader=head), before=before)
            met += [row.subject for row in page.rows]
            if page.older is None:
                break
            before = page.older
            assert len(page.rows) == 50
        everything = len(session.scalars(select(Audit.id)).all())
        assert len(page_of(session, Filters(reader=auditor)).rows) == 50
    assert met == [f"post:{number}" for number in range(120, 0, -1)]
    assert "".join(table_of(services.db, Filters(reader=head), {})).count("post.submitted") == 120
    assert "case" not in "".join(table_of(services.db, Filters(reader=head), {}))
    assert len("".join(table_of(services.db, Filters(reader=auditor), {})).splitlines()) == everything + 1
