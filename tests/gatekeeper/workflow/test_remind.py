"""Reminders and digests: once each, in school hours, before the due time, never after a decision, never a flood."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals.tables import ApprovalRequest
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.school import change_setting
from gatekeeper.policy.hours import SchoolHours
from gatekeeper.workflow import notify, remind
from gatekeeper.workflow.remind import DIGEST, REMINDER, Stage, plan
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.gatekeeper.workflow.test_notify import Outbox, parts

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
HOURS = SchoolHours()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def make(tmp_path: Path, clock: ToldClock, outbox: Outbox) -> Callable[[Database], Services]:
    def build(database: Database) -> Services:
        renderer = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary")
        return make_services(database, tmp_path, clock, mailer=outbox, render=renderer)

    return build


@pytest.fixture
def school(sqlite_database: Database, make: Callable[[Database], Services]) -> Iterator[School]:
    return School(make(sqlite_database))


def mails(school: School) -> list[tuple[str, str]]:
    """What was ordered to remind somebody, in order: (kind, subject with the request's number left out)."""
    with school.services.db.read() as session:
        rows = session.scalars(select(Notice).where(Notice.kind.in_((REMINDER, DIGEST))).order_by(Notice.id)).all()
    return [(row.kind, row.subject) for row in rows]


def stages(school: School) -> list[str]:
    return [subject.rpartition(":")[2] for kind, subject in mails(school) if kind == REMINDER]


def ask(school: School, due_in: timedelta) -> int:
    post_id = school.post(due_in=due_in)
    school.ask(post_id)
    return post_id


@pytest.mark.parametrize(
    ("asked", "due", "expected"),
    [
        pytest.param("2026-11-23T09:00", "2026-11-23T15:00", [("half", "2026-11-23T12:00"), ("last", "2026-11-23T13:00")], id="one-day"),
        pytest.param("2026-11-23T09:00", "2026-11-25T15:00", [("half", "2026-11-24T12:00"), ("last", "2026-11-25T13:00")], id="two-days"),
        pytest.param("2026-11-23T09:00", "2026-11-23T13:00", [("last", "2026-11-23T11:00")], id="both-at-once-go-as-one"),
        pytest.param("2026-11-23T09:00", "2026-11-23T14:00", [("last", "2026-11-23T12:00")], id="half-an-hour-apart-go-as-one"),
        pytest.param("2026-11-23T09:00", "2026-11-23T12:30", [("last", "2026-11-23T10:30")], id="under-four-hours"),
        pytest.param("2026-11-23T09:00", "2026-11-23T11:59", [], id="under-three-hours"),
        pytest.param("2026-11-20T16:00", "2026-11-23T10:00", [("last", "2026-11-23T08:00")], id="over-the-weekend"),
        pytest.param("2026-11-20T16:00", "2026-11-22T10:00", [], id="due-on-a-sunday"),
        pytest.param("2026-11-23T16:30", "2026-11-24T07:30", [], id="due-before-school"),
        pytest.param("2026-11-23T09:00", "2026-11-24T08:30", [("last", "2026-11-24T08:00")], id="both-moved-to-the-morning"),
        pytest.param("2026-10-24T23:00", "2026-10-26T11:00", [("half", "2026-10-26T08:00"), ("last", "2026-10-26T09:00")], id="clocks-go-back"),
        pytest.param("2026-03-27T12:00", "2026-03-30T11:00", [("half", "2026-03-30T07:00"), ("last", "2026-03-30T09:00")], id="clocks-go-forward"),
    ],
)  # fmt: skip
def test_reminders_are_planned_in_school_hours_and_before_the_due_time(
    asked: str, due: str, expected: list[tuple[str, str]]
) -> None:
    planned = plan(asked=at(asked), due=at(due), hours=HOURS)
    assert [(str(one.stage), one.at) for one in planned] == [(stage, at(moment)) for stage, moment in expected]


def test_no_plan_of_a_thousand_lies_outside_school_hours_or_the_questions_own_time() -> None:
    for step in range(1000):
        asked = at("2026-01-01T00:00") + timedelta(hours=step * 7, minutes=step)
        due = asked + timedelta(minutes=step * 13)
        planned = plan(asked=asked, due=due, hours=HOURS)
        assert all(HOURS.is_open(one.at) and asked < one.at < due for one in planned)
        assert [one.stage for one in planned] in ([], [Stage.HALF], [Stage.LAST], [Stage.HALF, Stage.LAST])
        if len(planned) == 2:
            assert planned[1].at - planned[0].at >= timedelta(hours=1)


def test_each_reminder_goes_once_however_often_the_round_is_made(
    school: School, clock: ToldClock, outbox: Outbox
) -> None:
    ask(school, timedelta(hours=6))  # asked at nine: half at twelve, last at one
    for _ in range(7 * 12):
        remind.run(school.services)
        clock.advance(minutes=5)
    assert stages(school) == ["half", "last"]
    with school.services.db.read() as session:
        made = [notice.created_at for notice in session.scalars(select(Notice).where(Notice.kind == REMINDER))]
    assert made == [at("2026-11-23T12:00"), at("2026-11-23T13:00")]


def test_a_worker_that_slept_sends_the_last_reminder_alone(school: School, clock: ToldClock) -> None:
    ask(school, timedelta(hours=6))
    clock.advance(hours=5)
    assert remind.run(school.services) == 1
    assert stages(school) == ["last"]


def test_none_is_sent_once_the_time_is_over_or_the_school_is_closed(school: School, clock: ToldClock) -> None:
    ask(school, timedelta(hours=6))
    clock.moment = at("2026-11-23T15:00")
    assert remind.run(school.services) == 0
    ask(school, timedelta(hours=20))
    clock.moment = at("2026-11-23T22:00")
    assert remind.run(school.services) == 0


def test_none_is_sent_after_a_decision(school: School, clock: ToldClock, outbox: Outbox) -> None:
    school.approve(school.post(due_in=timedelta(hours=6)))
    clock.advance(hours=4, minutes=1)
    assert remind.run(school.services) == 0


def test_one_that_was_ordered_before_the_decision_says_nothing_after_it(
    school: School, clock: ToldClock, outbox: Outbox
) -> None:
    post_id = school.post(due_in=timedelta(hours=6))
    school.ask(post_id)
    clock.advance(hours=4)
    remind.run(school.services)
    with school.services.db.begin() as session:
        request = session.scalars(select(ApprovalRequest)).one()
        request.status, request.closed_at, request.closed_reason = "void", clock.now(), "It was edited."
    with school.services.db.read() as session:
        notice_id = session.scalars(select(Notice.id).where(Notice.kind == REMINDER)).one()
    notify.run(school.services, notice_id)
    assert outbox.messages == []


def test_one_that_is_late_is_not_sent_at_night(school: School, clock: ToldClock, outbox: Outbox) -> None:
    ask(school, timedelta(hours=30))
    clock.moment = at("2026-11-23T16:59")
    with school.services.db.begin() as session:
        change_setting(session, "school_day", {"start": "08:00", "end": "20:00"}, by=None, now=clock.now())
    clock.moment = at("2026-11-23T19:59")
    with school.services.db.begin() as session:  # what the round of that minute would order
        request = session.scalars(select(ApprovalRequest)).one()
        context = {"request_id": request.id, "stage": "half"}
        notice = notify.tell(session, REMINDER, staff_id=school.head, subject="late", context=context, now=clock.now())
        notice_id = notice.id
    clock.moment = at("2026-11-23T23:00")
    with pytest.raises(notify.NotAtThisHour):
        notify.run(school.services, notice_id)
    clock.moment = at("2026-11-24T08:00")
    notify.run(school.services, notice_id)
    assert len(outbox.messages) == 1


def test_a_reminder_opens_the_question_and_says_nothing_of_the_post(
    school: School, clock: ToldClock, outbox: Outbox
) -> None:
    ask(school, timedelta(hours=6))
    clock.advance(hours=3)
    remind.run(school.services)
    with school.services.db.read() as session:
        notice_id = session.scalars(select(Notice.id).where(Notice.kind == REMINDER)).one()
    notify.run(school.services, notice_id)
    (message,) = outbox.messages
    text, _ = parts(message)
    assert message["To"] == "headteacher@quarrybank.example"
    assert "/a/" in text
    assert "Monday 23 November 2026 at 15:00" in text
    assert "Harvest" not in text + message["Subject"]


def test_two_sweepers_at_once_order_one(
    database: Database, make: Callable[[Database], Services], clock: ToldClock
) -> None:
    school = School(make(database))
    ask(school, timedelta(hours=6))
    clock.advance(hours=3)
    start, trouble = threading.Barrier(4), []

    def sweep() -> None:
        try:
            start.wait(timeout=10)
            remind.run(school.services)
        except BaseException as err:  # noqa: BLE001 - shown by the assertion below
            trouble.append(err)

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    assert stages(school) == ["half"]


def test_three_that_wait_bring_one_digest_a_day_and_no_single_reminder(
    school: School, clock: ToldClock, outbox: Outbox
) -> None:
    for days in (2, 3, 4):
        ask(school, timedelta(days=days, hours=5))
    for _ in range(4 * 24 * 2):
        remind.run(school.services)
        clock.advance(minutes=30)
    days = [subject for kind, subject in mails(school) if kind == DIGEST]
    # on Thursday two are left: they are reminded of one by one again, once the last reminder is due
    assert days == ["digest:2026-11-24", "digest:2026-11-25"]
    assert stages(school) == ["last"]


def test_a_digest_says_how_many_wait_and_until_when(school: School, clock: ToldClock, outbox: Outbox) -> None:
    for days in (2, 3, 4):
        ask(school, timedelta(days=days))
    clock.moment = at("2026-11-24T08:00")
    remind.run(school.services)
    with school.services.db.read() as session:
        notice_id = session.scalars(select(Notice.id).where(Notice.kind == DIGEST)).one()
    notify.run(school.services, notice_id)
    (message,) = outbox.messages
    text, html = parts(message)
    assert message["Subject"] == "3 posts wait for your decision"
    assert text.count("http://localhost:8000/decisions") == 1
    assert "/a/" not in text
    for moment in ("Wednesday 25 November 2026 at 09:00", "Friday 27 November 2026 at 09:00"):
        assert moment in text
        assert moment in html


def test_a_wave_that_came_after_the_digest_costs_one_more_before_it_ends(school: School, clock: ToldClock) -> None:
    for days in (2, 3, 4):
        ask(school, timedelta(days=days))
    clock.moment = at("2026-11-24T08:00")
    remind.run(school.services)
    clock.moment = at("2026-11-24T10:00")
    for _ in range(8):
        ask(school, timedelta(hours=6))
    for _ in range(24):
        clock.advance(minutes=15)
        remind.run(school.services)
    found = [subject for kind, subject in mails(school) if kind == DIGEST]
    assert len(found) == 2
    assert found[0] == "digest:2026-11-24"
    assert found[1].startswith("digest:2026-11-24:")
    assert stages(school) == []


def test_the_third_question_of_a_morning_brings_no_digest_at_once(school: School, clock: ToldClock) -> None:
    for _ in range(3):
        ask(school, timedelta(days=3))
        clock.advance(minutes=10)
    assert remind.run(school.services) == 0


def test_a_digest_comes_in_term_alone(school: School, clock: ToldClock) -> None:
    with school.services.db.begin() as session:
        change_setting(session, "terms", [["2026-11-26", "2026-12-18"]], by=None, now=clock.now())
    for days in (4, 5, 6):
        ask(school, timedelta(days=days))
    for _ in range(4):
        clock.advance(days=1)
        remind.run(school.services)
    assert next(subject for _, subject in mails(school)) == "digest:2026-11-26"
