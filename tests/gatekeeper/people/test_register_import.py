"""The import of tables: every way a file can be wrong has its sentence, and nothing is half written."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.consent import Consent, Purpose
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.register_file import LARGEST, MOST_LINES
from gatekeeper.people.register_import import Kind, Line, Outcome, Plan
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.workflow import consents, roll
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import make_services

HEAD = "pupil_id,first_name,last_name,known_as,year,class,dob\n"
ROSTER = HEAD + "P1,Zoë,Farah,,Year 4,Oak,2018-05-01\nP2,Kofi,Mensah,Kof,Year 4,Oak,14/02/2018\n"
YES = "pupil_id,channel,allowed,basis,given_on,expires_on,note\n"


@pytest.fixture
def services(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Services:
    services = make_services(sqlite_database, tmp_path, clock)
    with services.db.begin() as session:
        session.add(Staff(id=1, email="lead@x.example", name="L", role=Role.CONSENT_LEAD, created_at=clock.now()))
    return services


def look(services: Services, kind: Kind, text: str | bytes) -> Plan:
    return roll.dry_run(services, kind, text if isinstance(text, bytes) else text.encode(), by=1)


def write(services: Services, kind: Kind, text: str) -> Plan:
    shown = look(services, kind, text).digest
    return roll.apply(services, kind, text.encode(), shown=shown, by=1)


def only(plan: Plan, outcome: Outcome) -> Line:
    found = [line for line in plan.lines if line.outcome is outcome]
    assert len(found) == 1, plan.lines
    return found[0]


def count(services: Services, table: type) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_dry_run_writes_nothing(services: Services) -> None:
    assert look(services, Kind.ROSTER, ROSTER).counts[Outcome.ADDED] == 2
    assert count(services, Pupil) == 0
    assert count(services, Audit) == 0


def test_a_roster_is_written_as_shown_and_the_audit_names_nobody(services: Services) -> None:
    write(services, Kind.ROSTER, ROSTER)
    with services.db.read() as session:
        kofi = session.scalars(select(Pupil).where(Pupil.reference == "P2")).one()
        line = session.scalars(select(Audit)).one()
    assert (kofi.first_name, kofi.known_as, kofi.class_name, kofi.born_on) == ("Kofi", "Kof", "Oak", date(2018, 2, 14))
    assert line.action == "import.roster"
    assert "Kofi" not in str(line.detail)
    assert look(services, Kind.ROSTER, ROSTER).counts[Outcome.UNCHANGED] == 2


def test_a_changed_line_says_what_changes(services: Services) -> None:
    write(services, Kind.ROSTER, ROSTER)
    plan = look(services, Kind.ROSTER, ROSTER.replace("Kof,Year 4,Oak", "Kof,Year 5,Elm"))
    assert only(plan, Outcome.CHANGED).what == ("year: Year 4 → Year 5", "class: Oak → Elm")


@pytest.mark.parametrize(
    "data",
    [
        ("\ufeff" + ROSTER).encode(),
        ROSTER.replace(",", ";").encode(),
        ROSTER.replace(",", "\t").replace("\n", "\r\n").encode(),
        ROSTER.encode("cp1252"),
        ROSTER.encode("utf-16"),
        ("\n\n" + ROSTER.replace("pupil_id", " Pupil ID ") + "\n,,,,,,\n").encode(),
    ],
    ids=["mark", "semicolons", "tabs", "windows", "utf-16", "blank lines"],
)
def test_a_table_is_understood_however_it_was_saved(services: Services, data: bytes) -> None:
    plan = look(services, Kind.ROSTER, data)
    assert [line.who for line in plan.lines] == ["Zoë Farah", "Kofi Mensah"]
    assert plan.counts[Outcome.ADDED] == 2


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (HEAD.encode(), "no lines under it"),
        (b"name,class\nA,B\n", "Missing: pupil_id, first_name, last_name"),
        (b"pupil_id,first_name,last_name,first_name\n1,A,B,C\n", "stands there twice: first_name"),
        (b'pupil_id,first_name,last_name\n1,"A,B\n2,C,D\n', "quotation mark is not closed"),
        (b"PK\x03\x04rest of a workbook", "This is a workbook"),
        (b"pupil_id\x00,first_name", "no text file"),
        (b"x" * (LARGEST + 1), "larger than 1 MB"),
        ((HEAD + "P,A,B,,,,\n" * (MOST_LINES + 1)).encode(), "more than 5,000 lines"),
    ],
)
def test_what_is_no_such_table_is_refused_with_a_sentence(services: Services, data: bytes, sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        look(services, Kind.ROSTER, data)
    assert sentence in caught.value.fields["file"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("P1,A,B,,,,", "pupil_id: P1 stands in line 2 already"),
        (",A,B,,,,", "pupil_id: is empty"),
        ("P3,,B,,,,", "first_name: is empty"),
        ("P3,A,B,,,," + "x", "dob: x is not a date"),
        ("P3,A,B,,,,01/13/2018", "dob: 01/13/2018 is not a date"),
        ("P3,A,B,,,,2031-01-01", "dob: 01/01/2031 is not the birthday of a pupil"),
        ("P3,A,B,,,,1961-01-01", "dob: 01/01/1961 is not the birthday of a pupil"),
        ("P3,A,B,,,,01/02/18", "is not a date"),
        ("P3,A,B", "has 3 cells where the heading has 7"),
        ("P3,A,B,,,,,,extra", "has 9 cells where the heading has 7"),
        ("P3," + "A" * 81 + ",B,,,,", "first_name: is longer than 80 characters"),
        ("P3,A\x07,B,,,,", "first_name: holds something that cannot be read"),
    ],
)
def test_one_refused_line_is_named_and_stops_the_whole_file(services: Services, line: str, why: str) -> None:
    text = ROSTER + line + "\n"
    plan = look(services, Kind.ROSTER, text)
    refused = only(plan, Outcome.REFUSED)
    assert refused.number == 4
    assert why in refused.what[0]
    with pytest.raises(BadInput, match="Nothing was imported"):
        roll.apply(services, Kind.ROSTER, text.encode(), shown=plan.digest, by=1)
    assert count(services, Pupil) == 0


def test_cannot_import_what_was_not_shown(services: Services) -> None:
    plan = look(services, Kind.ROSTER, ROSTER)
    write(services, Kind.ROSTER, ROSTER.replace("Zoë", "Zoey"))
    with pytest.raises(Conflict):
        roll.apply(services, Kind.ROSTER, ROSTER.encode(), shown=plan.digest, by=1)
    with services.db.read() as session:
        assert session.scalars(select(Pupil.first_name).order_by(Pupil.id)).first() == "Zoey"


def test_permissions_are_added_changed_and_left_alone(services: Services) -> None:
    write(services, Kind.ROSTER, ROSTER)
    first = write(services, Kind.CONSENTS, YES + "P1,X,yes,consent,2026-09-01,,form\nP2,Facebook,No,,2026-09-01,,\n")
    assert first.counts[Outcome.ADDED] == 2
    second = look(
        services, Kind.CONSENTS, YES + "P1,x,Y,consent,01/09/2026,,form\nP2,facebook,yes,public task,2026-10-01,,\n"
    )
    assert [line.outcome for line in second.lines] == [Outcome.UNCHANGED, Outcome.CHANGED]
    assert "Facebook: yes (was: no)" in only(second, Outcome.CHANGED).what[0]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("P9,x,yes,consent,2026-09-01,,", "pupil_id: P9 is not on the roll"),
        ("P1,tiktok,yes,consent,2026-09-01,,", "channel: must be x, facebook or linkedin"),
        ("P1,x,perhaps,consent,2026-09-01,,", "allowed: must be yes or no"),
        ("P1,x,yes,,2026-09-01,,", "basis: must be consent or public task"),
        ("P1,x,yes,consent,,,", "given_on: nothing is not a date"),
        ("P1,x,yes,consent,2026-11-24,,", "given_on: 24/11/2026 is in the future"),
        ("P1,x,yes,consent,2026-09-01,2026-08-01,", "expires_on: is before given_on"),
        ("P2,x,no,,2026-09-01,,", "channel: line 2 answers for this pupil and channel already"),
    ],
)
def test_a_wrong_permission_is_refused_by_field(services: Services, line: str, why: str) -> None:
    write(services, Kind.ROSTER, ROSTER)
    plan = look(services, Kind.CONSENTS, YES + "P2,x,yes,consent,2026-09-01,,\n" + line + "\n")
    refused = only(plan, Outcome.REFUSED)
    assert refused.number == 3
    assert why in refused.what[0]


def test_an_old_list_cannot_bring_back_a_withdrawn_permission(services: Services) -> None:
    write(services, Kind.ROSTER, ROSTER)
    old = YES + "P1,x,yes,consent,2026-09-01,,\n"
    write(services, Kind.CONSENTS, old)
    consents.withdraw_consent(services, 1, "x", Purpose.SOCIAL_MEDIA, by=1)
    assert "withdrawn on 23/11/2026" in only(look(services, Kind.CONSENTS, old), Outcome.REFUSED).what[0]


def test_an_old_yes_cannot_replace_a_later_no(services: Services) -> None:
    write(services, Kind.ROSTER, ROSTER)
    write(services, Kind.CONSENTS, YES + "P1,x,no,,2026-10-01,,\n")
    plan = look(services, Kind.CONSENTS, YES + "P1,x,yes,consent,2026-09-01,,\n")
    assert "an answer given later, on 01/10/2026" in only(plan, Outcome.REFUSED).what[0]


def test_a_yes_cannot_replace_a_no_of_the_same_day(services: Services) -> None:
    write(services, Kind.ROSTER, ROSTER)
    old = YES + "P1,x,yes,consent,2026-09-01,,\n"
    write(services, Kind.CONSENTS, old)
    write(services, Kind.CONSENTS, YES + "P1,x,no,,2026-09-01,,\n")
    assert "a no of the same day" in only(look(services, Kind.CONSENTS, old), Outcome.REFUSED).what[0]


def test_a_no_is_taken_whatever_its_date(services: Services) -> None:
    write(services, Kind.ROSTER, ROSTER)
    write(services, Kind.CONSENTS, YES + "P1,x,yes,consent,2026-10-01,,\n")
    write(services, Kind.CONSENTS, YES + "P1,x,no,,2026-09-01,,\n")
    with services.db.read() as session:
        newest = session.scalars(select(Consent).order_by(Consent.id.desc())).first()
    assert newest is not None
    assert not newest.allowed
    assert newest.recorded_at == datetime(2026, 11, 23, 9, tzinfo=UTC)
