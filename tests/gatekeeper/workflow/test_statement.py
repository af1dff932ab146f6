"""The statement and the impact assessment: each sentence follows from a fact, and flipping the fact flips the sentence."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy.orm import Session

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput
from gatekeeper.people.policy_editions import PolicyEdition
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.posts.public import AccountWatch, Incident, IncidentKind
from gatekeeper.workflow import data_protection, dpia, statement_facts, statement_paper
from gatekeeper.workflow.policy_editions import SECTION_TWO
from gatekeeper.workflow.statement import Reader, statement_for
from gatekeeper.workflow.statement_facts import Account, Contacts, Facts, Matching, Period, Policy
from gatekeeper.workflow.watch_view import Watched
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
X = Account(platform="X", name="Quarry Bank", is_open=True, watched=True, read_at=NOW)
PAGE = Account(platform="Facebook", name="Quarry Page", is_open=True, watched=False, read_at=None)
ON = Matching(reference="DPIA-7", officer="Ann Lister", day="2026-09-01", enrolled=3)
POLICY = Policy(label="2022-03", section_two="", review_on=date(2025, 3, 1), overdue=True, read=2, readers=7)
PLAIN_WATCH = Watched(
    accounts=("X (Quarry Bank): read.",), looked_for=("Posts.",), not_watched=("Likes.",), left_out=()
)
PLAIN = Facts(
    at=NOW,
    version="1.2.3",
    school="Quarry Bank Primary",
    demo=False,
    matching=None,
    heads=("Head Quarry",),
    deputy="",
    deputy_until=None,
    accounts=(X,),
    watch=PLAIN_WATCH,
    periods=tuple(
        Period(id=name, name=name.title(), sentence="", since="it ended", days=30, chosen=False)
        for name in ("originals", "published", "leavers")
    ),
    contacts=Contacts(),
    policy=POLICY,
    database="SQLite",
    database_host="",
    https=True,
    backups_apart=True,
    pupils=210,
    staff=7,
    published=12,
    incidents=0,
    softened=0,
    passkeys=0,
    governor="",
)


def words(facts: Facts, *readers: Reader) -> str:
    documents = [statement_for(reader, facts) for reader in readers or Reader]
    sections = [section for document in documents for section in document.sections]
    rows = [" | ".join(row) for section in sections for row in section.table]
    return "\n".join([document.lead for document in documents] + [s for one in sections for s in one.sentences] + rows)


def contacts(**given: str) -> dict[str, Any]:
    return {"contacts": Contacts(**given)}


@pytest.mark.parametrize(
    ("changes", "before", "after"),
    [
        ({"matching": ON}, "No biometric data about any child is made or kept", "(DPIA-7, signed off on 1 September 2026"),
        ({"matching": replace(ON, enrolled=1)}, "It does not compare any face", "1 child is enrolled"),
        ({"heads": ()}, "the headteacher, Head Quarry", "No headteacher is recorded, so nothing can be approved"),
        ({"deputy": "Meg", "deputy_until": NOW}, "Nobody decides in the headteacher's place", "Meg decides in the headteacher"),
        ({"accounts": ()}, "publishes on X (Quarry Bank)", "no account connected"),
        ({"accounts": (X, PAGE)}, "on X (Quarry Bank), and", "X (Quarry Bank) and Facebook (Quarry Page), and"),
        ({"accounts": (PAGE,)}, "through the check: X (Quarry Bank).", "No account's timeline is read"),
        ({"watch": replace(PLAIN_WATCH, accounts=())}, "X (Quarry Bank): read.", "No account's timeline is read"),
        ({"watch": replace(PLAIN_WATCH, left_out=("Gaps.",))}, "", "Gaps."),
        ({"accounts": ()}, "goes to X, which", "Nothing goes to any platform"),
        ({"database": "PostgreSQL"}, "SQLite database", "PostgreSQL database on the computer that Gatekeeper runs on"),
        ({"database_host": "db.example"}, "on the computer that Gatekeeper runs on", "on another computer, db.example"),
        ({"https": False}, "over an encrypted connection", "not encrypted"),
        ({"backups_apart": False}, "a folder that the school chose", "on the same computer"),
        (contacts(withdraw="in person"), "how a family tells the school", "Tell the school: in person."),
        (contacts(complain="the clerk"), "where complaints about data go", "Complaints about data go to the clerk."),
        (contacts(privacy_link="https://q.example/p"), "", "privacy notice: https://q.example/p"),
        (contacts(officer="Ann"), "For the school to fill in: the data protection officer", "officer: Ann."),
        (contacts(officer="Ann", email="a@q.example", phone="1"), "", "officer: Ann (a@q.example, 1)."),
        (contacts(register_number="Z1234567"), "the number in the Information", "Commissioner as Z1234567"),
        (contacts(dpia="G-1"), "fill in: the impact assessment", "assessment of Gatekeeper: G-1."),
        (contacts(esafety_link="https://q.example/e"), "where the eSafety", "security policy: https://q.example/e"),
        ({"policy": None}, "The edition 2022-03", "No edition of the social media policy is adopted"),
        ({"policy": replace(POLICY, overdue=False)}, "that is overdue", "is to be looked at again by 1 March 2025"),
        ({"policy": replace(POLICY, review_on=None)}, "1 March 2025", "No day is set for looking at it again"),
        ({"policy": replace(POLICY, section_two=SECTION_TWO["2A"])}, "is not decided", "never in working hours"),
        ({"policy": replace(POLICY, read=7)}, "2 of 7 members", "7 of 7 members"),
        ({"pupils": 1}, "Of 210 pupils", "Of 1 pupil:"),
        ({"staff": 1}, "Of 7 members of staff", "Of 1 member of staff"),
        ({"published": 1}, "12 posts are published", "1 post is published"),
        ({"incidents": 2}, "No incident is open", "2 incidents are open"),
        ({"softened": 1}, "softened no rule", "softened 1 rule"),
        ({"passkeys": 1}, "Nobody has a passkey yet", "1 person can prove"),
        ({"governor": "Gwen"}, "No governor is named", "Gwen gets the seal"),
        ({"version": "2.0"}, "version 1.2.3", "version 2.0"),
        ({"at": NOW + timedelta(days=1)}, "23 November 2026", "24 November 2026"),
        ({"demo": True}, "", "a demonstration with invented people"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_fact_that_is_flipped_flips_its_sentence(changes: dict[str, Any], before: str, after: str) -> None:
    plain, changed = words(PLAIN), words(replace(PLAIN, **changes))
    assert before in plain
    assert after not in plain
    assert after in changed
    assert not before or before not in changed


def test_an_account_that_is_not_read_is_named_as_such() -> None:
    assert "Not read: Facebook (Quarry Page)." in words(replace(PLAIN, accounts=(X, PAGE)))


def test_a_period_without_an_end_and_one_of_the_schools_own_are_told() -> None:
    long = replace(PLAIN.periods[0], days=None)
    own = replace(PLAIN.periods[1], days=1, chosen=True)
    years = replace(PLAIN.periods[2], days=1095)
    told = words(replace(PLAIN, periods=(long, own, years)), Reader.DPO)
    assert "Leavers | 3 years, counted since it ended" in told
    assert "Originals | without an end, counted since it ended | as it came" in told
    assert "Published | 1 day, counted since it ended | the school's choice" in told


def test_parents_are_told_what_they_need() -> None:
    told = words(PLAIN, Reader.PARENTS)
    for part in ("withdrawn at any time", "30 days", "ico.org.uk", "written approval", "Nobody's own account"):
        assert part in told
    assert "6.1" not in told


# the facts


def set_school(key: str, value: Any) -> Callable[[Session, School], None]:
    return lambda session, school: change_setting(session, key, value, by=None, now=NOW)


def watched(session: Session, school: School) -> None:
    session.get_one(ChannelAccount, school.accounts["x"]).sealed = "sealed"
    session.add(AccountWatch(account_id=school.accounts["x"], began_at=NOW, next_at=NOW))


def unpaid(session: Session, school: School) -> None:
    watched(session, school)
    change_setting(session, "watch", {"reads": 0}, by=None, now=NOW)


def shut(session: Session, school: School) -> None:
    session.get_one(ChannelAccount, school.accounts["x"]).status = "closed"


def headless(session: Session, school: School) -> None:
    session.get_one(Staff, school.head).active = False


def edition(session: Session, school: School) -> None:
    session.add(PolicyEdition(label="2026-11", section_two="2C", review_on=date(2026, 1, 1), adopted_at=NOW))


def incident(session: Session, school: School) -> None:
    kind = IncidentKind.UNGATED
    session.add(Incident(account_id=school.accounts["x"], kind=kind, remote_id="1", pictures=[], seen_at=NOW))


@pytest.mark.parametrize(
    ("flip", "fact", "value"),
    [
        (set_school("name", "Weir"), lambda f: f.school, "Weir"),
        (
            set_school("recognition", {"dpia_reference": "D", "dpo": "A", "date": "2026-09-01"}),
            lambda f: f.matching and f.matching.reference,
            "D",
        ),
        (set_school("recognition", {"dpia_reference": "D"}), lambda f: f.matching, None),
        (set_school("data_protection", {"officer": "Ann"}), lambda f: f.contacts.officer, "Ann"),
        (set_school("retention", {"originals": 7}), lambda f: (f.period("originals").days, f.period("originals").chosen), (7, True)),
        (watched, lambda f: [one.platform for one in f.watched], ["X"]),
        (watched, lambda f: [one.partition(": ")[0] for one in f.watch.accounts], ["X (Quarry Bank on x)"]),
        (unpaid, lambda f: [one.platform for one in f.watched], []),
        (shut, lambda f: [one.platform for one in f.open_accounts], ["Facebook"]),
        (headless, lambda f: f.heads, ()),
        (edition, lambda f: f.policy and (f.policy.section_two, f.policy.overdue, f.policy.read), (SECTION_TWO["2C"], True, 0)),
        (incident, lambda f: f.incidents, 1),
    ],
    ids=["name", "matching", "matching-half", "officer", "retention", "watch", "watch-in-full", "no-budget", "closed", "head", "policy", "incident"],
)  # fmt: skip
def test_what_is_set_and_stored_reaches_the_facts(
    sqlite_database: Database, tmp_path: Path, flip: Any, fact: Any, value: object
) -> None:
    school = School(make_services(sqlite_database, tmp_path, ToldClock()))
    services = school.services
    with services.db.begin() as session:
        flip(session, school)
        session.flush()
        assert fact(statement_facts.gather(session, services.settings, now=NOW)) == value


@pytest.mark.parametrize(
    ("url", "kind", "host"),
    [
        ("sqlite:////data/school.db", "SQLite", ""),
        ("postgresql+psycopg://gk:secret@localhost/school", "PostgreSQL", ""),
        ("postgresql+psycopg://gk:secret@db.school.example:5432/school", "PostgreSQL", "db.school.example"),
    ],
    ids=["file", "here", "elsewhere"],
)
def test_where_the_database_is_comes_from_its_address_without_its_password(
    sqlite_database: Database, tmp_path: Path, url: str, kind: str, host: str
) -> None:
    school = School(make_services(sqlite_database, tmp_path, ToldClock()))
    settings = replace(school.services.settings, database_url=url)
    with school.services.db.read() as session:
        facts = statement_facts.gather(session, settings, now=NOW)
    assert (facts.database, facts.database_host) == (kind, host)
    assert "secret" not in words(facts)


# the impact assessment


def test_a_measure_that_is_off_is_never_named_as_on() -> None:
    for facts in (PLAIN, replace(PLAIN, https=False, governor="Gwen", passkeys=2, matching=ON, softened=3)):
        sections = {section.title[3:].strip(): section for section in dpia.skeleton(facts).sections}
        on = "\n".join(row[2] for row in sections["Risks and measures"].table)
        off = "\n".join(sections["Measures that are not on"].sentences)
        for measure in (one for risk in dpia.RISKS for one in risk.measures):
            assert (measure.words in on) is measure.is_on(facts), measure.words
            assert not (measure.is_on(facts) and measure.words in off), measure.words
        assert ("the connection is encrypted" in off) is (not facts.https)


def test_every_risk_leaves_the_judgement_open() -> None:
    document = dpia.skeleton(PLAIN)
    table = next(section.table for section in document.sections if "Risks" in section.title)
    assert all(row[3].startswith("For the school to fill in") for row in table[1:])
    assert len(table) == len(dpia.RISKS) + 1
    filled = replace(PLAIN, contacts=Contacts(officer="A", register_number="Z1234567", dpia="G-1"))
    assert dpia.open_points(document) == dpia.open_points(dpia.skeleton(filled)) + 3


def test_the_pdf_holds_every_sentence_and_is_the_same_twice() -> None:
    for document in (*(statement_for(reader, PLAIN) for reader in Reader), dpia.skeleton(replace(PLAIN, matching=ON))):
        made = statement_paper.pdf(document)
        assert made == statement_paper.pdf(document)
        text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages).split())
        for section in document.sections:
            assert section.title in text
            assert all(sentence[:40] in text for sentence in section.sentences)


def test_what_a_school_typed_marks_nothing_up() -> None:
    nasty = replace(PLAIN, school="Q | <b> [x](javascript:1) *y*", contacts=Contacts(withdraw="a\n# b"))
    text = statement_paper.markdown(dpia.skeleton(nasty))
    assert "\\| \\<b\\> \\[x\\](javascript:1) \\*y\\*" in text
    assert "\n# b" not in text
    assert statement_paper.pdf(statement_for(Reader.PARENTS, nasty))


# what only the school can know


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "ann at school"}, "email"),
        ({"register_number": "12"}, "register_number"),
        ({"privacy_link": "javascript:alert(1)"}, "privacy_link"),
        ({"esafety_link": "https://[broken"}, "esafety_link"),
        ({"officer": "x" * 301}, "officer"),
    ],
    ids=["email", "number", "script", "broken", "long"],
)
def test_cannot_record_what_is_not_what_its_field_is_for(
    sqlite_database: Database, tmp_path: Path, typed: dict[str, str], field: str
) -> None:
    school = School(make_services(sqlite_database, tmp_path, ToldClock()))
    with pytest.raises(BadInput) as refused:
        data_protection.change(school.services, {"phone": "1", **typed}, by=school.head)
    assert list(refused.value.fields) == [field]
    assert data_protection.contacts_of(school.services) == Contacts()


def test_what_is_not_named_stays_as_it_was(sqlite_database: Database, tmp_path: Path) -> None:
    school = School(make_services(sqlite_database, tmp_path, ToldClock()))
    data_protection.change(school.services, {"register_number": "za123456", "officer": " Ann  Lister "}, by=school.head)
    data_protection.change(school.services, {"phone": "1"}, by=school.staff[Role.ADMINISTRATOR])
    found = data_protection.contacts_of(school.services)
    assert (found.officer, found.register_number, found.phone) == ("Ann Lister", "ZA123456", "1")
