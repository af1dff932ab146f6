"""The keys of an open channel are looked at every day: bad news holds it at once and is told, no answer is no news."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from sqlalchemy import select

from approvals.tables import LedgerEntry
from gatekeeper import jobs
from gatekeeper.channels.base import AccountIdentity, Channel
from gatekeeper.channels.errors import (
    AccountRestricted,
    AuthenticationFailed,
    ChannelError,
    ContentRejected,
    NotSent,
    PermissionDenied,
    PlatformUnavailable,
    PostNotFound,
    QuotaExhausted,
    RateLimited,
    UnsupportedApiVersion,
)
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import ChannelAccount, Publication
from gatekeeper.posts.status import PublicationState
from gatekeeper.workflow import claim, connect, daily_check, key_check, post_view
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

DAY = timedelta(days=1)
GOOD = AccountIdentity("111", "Quarry Bank", frozenset({"pages_manage_posts", "pages_read_engagement"}))


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


@pytest.fixture
def account(school: School) -> int:
    """The Facebook Page, open, with keys."""
    with school.services.db.begin() as session:
        row = session.get_one(ChannelAccount, school.accounts["facebook"])
        row.sealed, row.next_check_at = "s1.sealed", school.services.clock.now() + DAY
    return school.accounts["facebook"]


def error(kind: type[ChannelError], *, retry_at: datetime | None = None) -> ChannelError:
    return kind(platform="Facebook", operation="verify_credentials", retry_at=retry_at)


def look(school: School, account: int, answer: AccountIdentity | Exception | Callable[..., AccountIdentity]) -> None:
    """The platform process asks, and the platform gives this answer."""
    channel = create_autospec(Channel, instance=True)
    channel.verify_credentials.side_effect = answer if callable(answer) else [answer]
    key_check.check(replace(school.services, channel_for=lambda _account: channel), account)


def row(services: Services, account_id: int) -> ChannelAccount:
    with services.db.read() as session:
        return session.get_one(ChannelAccount, account_id)


def ordered(services: Services) -> list[int]:
    with services.db.read() as session:
        return list(session.scalars(select(jobs.Order.subject_id).where(jobs.Order.job == "connect")))


def mails(services: Services) -> list[tuple[str, int]]:
    with services.db.read() as session:
        found = session.scalars(select(Notice).where(Notice.kind.like("channel_%")).order_by(Notice.id))
        return [(one.kind, one.staff_id) for one in found]


def test_the_keys_are_looked_at_once_a_day_and_the_channel_stays_open_meanwhile(
    school: School, account: int, clock: ToldClock
) -> None:
    daily_check.run(school.services)
    assert ordered(school.services) == []
    clock.advance(days=1)
    daily_check.run(school.services)
    daily_check.run(school.services)
    assert ordered(school.services) == [account]
    assert row(school.services, account).status == "open"
    look(school, account, GOOD)
    found = row(school.services, account)
    assert (found.status, found.checked_at, found.next_check_at) == ("open", clock.now(), clock.now() + DAY)
    assert found.scopes == ["pages_manage_posts", "pages_read_engagement"]
    assert mails(school.services) == []


@pytest.mark.parametrize("status", ["held", "closed", "checked"])
def test_only_open_channels_are_looked_at(school: School, account: int, clock: ToldClock, status: str) -> None:
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, account).status = status
    clock.advance(days=2)
    daily_check.run(school.services)
    assert ordered(school.services) == []
    look(school, account, error(AuthenticationFailed))
    assert row(school.services, account).status == status


@pytest.mark.parametrize(
    "kind", [AuthenticationFailed, PermissionDenied, AccountRestricted, UnsupportedApiVersion, QuotaExhausted]
)
def test_bad_news_holds_the_channel_at_once_and_every_administrator_is_told(
    school: School, account: int, kind: type[ChannelError]
) -> None:
    look(school, account, error(kind))
    found = row(school.services, account)
    assert (found.status, found.held_reason) == ("held", str(error(kind)))
    assert not connect.can_be_opened(found)  # the head's PIN does not mend keys
    assert mails(school.services) == [("channel_failed", school.staff[Role.ADMINISTRATOR])]
    with school.services.db.read() as session:
        last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(1)).one()
    assert (last.kind, json.loads(last.body)["why"]) == ("channel_held", kind.__name__)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (AccountIdentity("999", "Somebody else"), "another account"),
        (replace(GOOD, scopes=frozenset({"pages_read_engagement"})), "pages_manage_posts"),
        (replace(GOOD, scopes=frozenset({"pages_manage_posts"})), "pages_read_engagement"),
    ],
)
def test_keys_that_became_another_accounts_or_allow_too_little_hold_it(
    school: School, account: int, answer: AccountIdentity, word: str
) -> None:
    look(school, account, answer)
    found = row(school.services, account)
    assert found.status == "held"
    assert word in found.held_reason


@pytest.mark.parametrize("kind", [NotSent, PlatformUnavailable, RateLimited, ContentRejected, PostNotFound])
def test_no_answer_is_no_news_and_is_asked_for_again_in_an_hour(
    school: School, account: int, clock: ToldClock, kind: type[ChannelError]
) -> None:
    look(school, account, error(kind))
    found = row(school.services, account)
    assert (found.status, found.next_check_at) == ("open", clock.now() + timedelta(hours=1))
    assert mails(school.services) == []


def test_a_platform_that_asks_to_wait_is_asked_later_but_within_a_day(
    school: School, account: int, clock: ToldClock
) -> None:
    look(school, account, error(RateLimited, retry_at=clock.now() + timedelta(hours=5)))
    assert row(school.services, account).next_check_at == clock.now() + timedelta(hours=5)
    look(school, account, error(RateLimited, retry_at=clock.now() + timedelta(days=300)))
    assert row(school.services, account).next_check_at == clock.now() + DAY


def test_an_answer_about_a_channel_that_was_held_meanwhile_does_not_open_it(school: School, account: int) -> None:
    def held_meanwhile(**_: object) -> AccountIdentity:
        connect.hold_channel(school.services, account, reason="A stranger posted.", by=school.head)
        return GOOD

    look(school, account, held_meanwhile)
    assert row(school.services, account).held_reason == "A stranger posted."


def test_a_dead_channel_holds_its_posts_says_so_on_their_pages_and_burns_none(
    school: School, account: int, clock: ToldClock
) -> None:
    post_id = school.post(kinds=("facebook",))
    school.approve(post_id)
    look(school, account, error(AuthenticationFailed))
    with school.services.db.begin() as session:
        due = session.scalars(select(Publication)).one().due_at
        author = session.get_one(Staff, school.author)
    clock.moment = due + timedelta(minutes=5)
    assert claim.claim_due(school.services, owner="me") == []
    (shown,) = post_view.post_view(school.services, post_id, author).publications
    assert shown.state is PublicationState.SCHEDULED
    assert "does not accept the school's keys" in shown.problem
    assert "The post waits" in shown.problem
    connect.check_again(school.services, account, by=school.staff[Role.ADMINISTRATOR])
    assert claim.claim_due(school.services, owner="me") == []  # not while the platform is asked
    look(school, account, GOOD)
    assert len(claim.claim_due(school.services, owner="me")) == 1


@pytest.mark.parametrize(
    ("left", "warnings"),
    [(timedelta(days=15), 0), (timedelta(days=14), 1), (timedelta(days=3), 1), (timedelta(0), 1)],
    ids=["15", "14", "3", "end"],
)
def test_administrators_are_told_of_an_end_that_is_near(
    school: School, account: int, clock: ToldClock, left: timedelta, warnings: int
) -> None:
    look(school, account, replace(GOOD, expires_at=clock.now() + left))
    assert len(mails(school.services)) == warnings


def test_each_warning_goes_once_and_keys_that_last_longer_begin_anew(
    school: School, account: int, clock: ToldClock
) -> None:
    ends = clock.now() + timedelta(days=20)
    seen = []
    for _ in range(21):
        look(school, account, replace(GOOD, expires_at=ends))
        daily_check.run(school.services)
        daily_check.run(school.services)
        seen.append(len(mails(school.services)))
        clock.advance(days=1)
    assert [seen[5], seen[6], seen[16], seen[17], seen[19], seen[20]] == [0, 1, 1, 2, 2, 3]
    look(school, account, replace(GOOD, expires_at=clock.now() + timedelta(days=60)))
    assert row(school.services, account).told_expiry is None
    assert len(mails(school.services)) == 3


def test_the_warning_goes_even_while_the_platform_does_not_answer(
    school: School, account: int, clock: ToldClock
) -> None:
    look(school, account, replace(GOOD, expires_at=clock.now() + timedelta(days=15)))
    clock.advance(days=1, minutes=1)
    look(school, account, error(PlatformUnavailable))
    daily_check.run(school.services)
    assert [kind for kind, _ in mails(school.services)] == ["channel_ending"]


def test_the_end_itself_is_a_moment_to_look(school: School, account: int, clock: ToldClock) -> None:
    ends = clock.now() + timedelta(hours=3)
    look(school, account, replace(GOOD, expires_at=ends))
    assert row(school.services, account).next_check_at == ends
