"""The daily e-mail with the head of the ledger: once a day to each reader, whatever happens to mail or to the clocks."""

import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import ledger
from approvals.tables import Decision, LedgerEntry
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.mail.smtp import MailNotSent
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Role, Staff
from gatekeeper.workflow import anchor, notify, sweep
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


class Outbox:
    """A mail server that keeps what it takes, or takes nothing."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusal: Exception | None = None

    def send(self, message: EmailMessage) -> None:
        if self.refusal:
            raise self.refusal
        self.messages.append(message)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


def make_school(db: Database, tmp_path: Path, clock: ToldClock, outbox: Outbox) -> School:
    render = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary")
    return School(make_services(db, tmp_path, clock, mailer=outbox, render=render))


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, outbox: Outbox) -> School:
    made = make_school(sqlite_database, tmp_path, clock, outbox)
    write(made.services)
    return made


def write(services: Services) -> None:
    with services.db.begin() as session:
        ledger.append(session, at=services.clock.now(), kind="test.written", body={})


def name_governor(school: School, role: Role = Role.AUDITOR) -> int:
    with school.services.db.begin() as session:
        change_setting(session, "governor", school.staff[role], by=school.head, now=school.services.clock.now())
    return school.staff[role]


def notices(services: Services) -> list[Notice]:
    with services.db.read() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == anchor.KIND).order_by(Notice.id)))


def stands(services: Services) -> anchor.Anchor:
    with services.db.read() as session:
        return anchor.current(session)


def test_head_and_governor_are_told_once_a_day_where_the_ledger_stands(school: School, clock: ToldClock) -> None:
    governor = name_governor(school)
    assert anchor.run(school.services) == 2
    first = stands(school.services)
    write(school.services)
    for _ in range(3):
        assert anchor.run(school.services) == 0
    assert {n.staff_id for n in notices(school.services)} == {school.head, governor}
    assert {(n.context["entries"], n.context["head"]) for n in notices(school.services)} == {first}
    clock.advance(days=1)
    assert anchor.run(school.services) == 2
    assert notices(school.services)[-1].context["head"] == stands(school.services).head != first.head


def test_nobody_is_told_of_an_empty_ledger(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> None:
    services = make_services(sqlite_database, tmp_path, clock)
    with services.db.begin() as session:
        session.add(
            Staff(email="head@quarrybank.example", name="A Head", role=Role.HEADTEACHER, created_at=clock.now())
        )
    assert stands(services) == anchor.Anchor(0, "0" * 64)
    assert anchor.run(services) == 0
    write(services)
    assert anchor.run(services) == 1


def test_a_head_who_is_the_governor_too_gets_one_and_a_closed_account_none(school: School) -> None:
    name_governor(school, Role.HEADTEACHER)
    assert anchor.run(school.services) == 1
    governor = name_governor(school, Role.AUTHOR)
    with school.services.db.begin() as session:
        session.get_one(Staff, governor).active = False
    assert anchor.run(school.services) == 0


def test_a_governor_named_at_noon_is_told_the_same_day(school: School) -> None:
    assert anchor.run(school.services) == 1
    name_governor(school)
    assert anchor.run(school.services) == 1


@pytest.mark.parametrize(
    ("early", "due"),
    [
        (datetime(2026, 11, 23, 6, 59, tzinfo=UTC), datetime(2026, 11, 23, 7, 0, tzinfo=UTC)),
        (datetime(2026, 7, 1, 5, 59, tzinfo=UTC), datetime(2026, 7, 1, 6, 0, tzinfo=UTC)),
        (datetime(2026, 3, 29, 5, 59, tzinfo=UTC), datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),
        (datetime(2026, 10, 25, 6, 59, tzinfo=UTC), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),
    ],
    ids=["winter", "summer", "clocks-forward", "clocks-back"],
)
def test_it_goes_from_seven_in_the_morning_by_the_schools_clock(
    school: School, clock: ToldClock, early: datetime, due: datetime
) -> None:
    clock.moment = early
    assert anchor.run(school.services) == 0
    clock.moment = due
    assert anchor.run(school.services) == 1
    clock.advance(hours=16)  # late in the evening, also where the day has 25 hours
    assert anchor.run(school.services) == 0


def test_two_sweepers_order_one(database: Database, tmp_path: Path, clock: ToldClock, outbox: Outbox) -> None:
    school = make_school(database, tmp_path, clock, outbox)
    write(school.services)
    name_governor(school)
    barrier, ordered = threading.Barrier(4), []

    def work() -> None:
        barrier.wait()
        ordered.append(anchor.run(school.services))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(ordered) == 2
    assert len(notices(school.services)) == 2


def test_nothing_is_lost_while_mail_is_down(school: School, outbox: Outbox, clock: ToldClock) -> None:
    sweep.run(school.services)
    (notice,) = notices(school.services)
    outbox.refusal = MailNotSent("The mail server could not be reached.")
    with pytest.raises(MailNotSent):
        notify.run(school.services, notice.id)
    with school.services.db.read() as session:
        mailed = anchor.last_mailed(session)
        assert mailed is not None
        assert (mailed.anchor, mailed.sent) == (stands(school.services), None)
    write(school.services)
    outbox.refusal = None
    clock.advance(hours=5)
    notify.run(school.services, notice.id)
    (message,) = outbox.messages
    assert notice.context["head"] in plain(message)  # as it stood in the morning
    with school.services.db.read() as session:
        mailed = anchor.last_mailed(session)
        assert mailed is not None
        assert mailed.sent == clock.now()


def plain(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


class Words(HTMLParser):
    """What a person reads of a page, and every address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.addresses, self.tags = "", set[str](), set[str]()

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses |= {str(value) for name, value in attrs if name in ("href", "src", "background")}


@pytest.fixture
def message(school: School, outbox: Outbox) -> EmailMessage:
    school.post(text="Wren Applethwaite planted a tree.")
    anchor.run(school.services)
    notify.run(school.services, notices(school.services)[0].id)
    return outbox.messages[0]


def test_the_text_says_in_plain_words_what_it_is_and_how_to_check(message: EmailMessage, school: School) -> None:
    entries, head = stands(school.services)
    words = plain(message)
    lines = words.splitlines()
    assert message["Subject"] == "Please keep: the record of decisions on Monday 23 November 2026"
    assert head in lines
    assert f"--anchor {head}" in lines
    assert "gatekeeper ledger verify \\" in lines
    assert f"Entries:     {entries}" in lines
    assert "please keep this e-mail" in words
    assert max(map(len, lines)) <= 76
    assert words.isascii()


def test_the_page_says_the_same_and_asks_nobody_else_for_anything(message: EmailMessage, school: School) -> None:
    part = message.get_body(("html",))
    assert part is not None
    page = Words()
    page.feed(part.get_content())
    entries, head = stands(school.services)
    assert f"gatekeeper ledger verify --anchor {head}" in page.words
    assert f"Entries: {entries}" in page.words
    assert page.addresses == {f"{school.services.settings.public_url}/audit/ledger"}
    assert not page.tags & {"img", "script", "iframe", "link"}


def test_no_pupil_and_no_post_is_named(message: EmailMessage) -> None:
    told = message.as_string()
    assert not any(word in told for word in ("Wren", "Applethwaite", "tree", "Harvest"))


def test_a_receipt_says_where_the_ledger_stood_at_the_decision(school: School) -> None:
    school.approve(school.post())
    write(school.services)
    with school.services.db.read() as session:
        decision = session.scalars(select(Decision)).one()
        at = anchor.at_decision(session, decision)
        assert at.entries == decision.ledger_seq < anchor.current(session).entries
        assert at.head == session.scalar(select(LedgerEntry.hash).where(LedgerEntry.seq == decision.ledger_seq))
