"""A platform that says nothing about a channel's keys for days: told once after three, and once when it answers again."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.channels.errors import AuthenticationFailed, NotSent
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.workflow import channel_view, daily_check, key_silence
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.gatekeeper.workflow.test_daily_check import GOOD, error, look, mails, row


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


@pytest.fixture
def account(school: School) -> int:
    """The Facebook Page, open, with keys that were good a moment ago."""
    with school.services.db.begin() as session:
        for one in session.scalars(select(ChannelAccount)):
            one.checked_at = school.services.clock.now() if one.kind == "facebook" else None
            one.opened_at = school.services.clock.now() + timedelta(days=400)  # the other one says nothing here
        session.get_one(ChannelAccount, school.accounts["facebook"]).sealed = "s1.sealed"
    return school.accounts["facebook"]


def days_without_an_answer(school: School, account: int, clock: ToldClock, days: int) -> None:
    for _ in range(days):
        clock.advance(days=1)
        look(school, account, error(NotSent))
        daily_check.run(school.services)
        daily_check.run(school.services)


def test_nobody_is_told_in_the_first_three_days(school: School, account: int, clock: ToldClock) -> None:
    days_without_an_answer(school, account, clock, 3)
    assert mails(school.services) == []


def test_the_administrators_are_told_once_and_once_more_when_it_answers(
    school: School, account: int, clock: ToldClock
) -> None:
    days_without_an_answer(school, account, clock, 9)
    administrator = school.staff[Role.ADMINISTRATOR]
    assert mails(school.services) == [("channel_silent", administrator)]
    assert row(school.services, account).status == "open"
    for _ in range(3):
        look(school, account, GOOD)
        clock.advance(days=1)
        daily_check.run(school.services)
    assert mails(school.services) == [("channel_silent", administrator), ("channel_answers", administrator)]


def test_the_next_silence_is_told_again(school: School, account: int, clock: ToldClock) -> None:
    for _ in range(2):
        days_without_an_answer(school, account, clock, 4)
        look(school, account, GOOD)
    assert [kind for kind, _ in mails(school.services)] == ["channel_silent", "channel_answers"] * 2


def test_keys_that_turn_out_to_have_ended_are_told_as_that_and_not_as_well(
    school: School, account: int, clock: ToldClock
) -> None:
    days_without_an_answer(school, account, clock, 4)
    look(school, account, error(AuthenticationFailed))
    assert [kind for kind, _ in mails(school.services)] == ["channel_silent", "channel_failed"]


def test_it_is_told_by_the_clock_even_where_nobody_asks(school: School, account: int, clock: ToldClock) -> None:
    """The process that asks may be what is broken."""
    clock.advance(days=3, minutes=1)
    daily_check.run(school.services)
    assert [kind for kind, _ in mails(school.services)] == ["channel_silent"]


@pytest.mark.parametrize("status", ["held", "closed", "new", "checked"])
def test_of_a_channel_that_is_not_open_no_silence_is_told(
    school: School, account: int, clock: ToldClock, status: str
) -> None:
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, account).status = status
    clock.advance(days=9)
    daily_check.run(school.services)
    assert mails(school.services) == []


def test_page_and_mail_say_the_same_sentence(school: School, account: int, clock: ToldClock) -> None:
    days_without_an_answer(school, account, clock, 4)
    with school.services.db.read() as session:
        (notice,) = session.scalars(select(Notice).where(Notice.kind == "channel_silent"))
    assert notice.context["sentence"] == key_silence.sentence("Facebook")
    shown = channel_view._silence(row(school.services, account), "Facebook", now=clock.now())
    assert [point.words for point in shown] == [notice.context["sentence"]]
