"""Every answer a platform can give about keys, by the real channels: what the channel is afterwards, and who is told."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.channels.base import Channel
from gatekeeper.channels.errors import ChannelBusy
from gatekeeper.channels.registry import build_channel
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.posts.model import ChannelAccount, ChannelLimit
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import key_check, limits_seen
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

#: the platforms' own failures -> what becomes of a channel that was open
HELD = {
    "x": ("x.401", "x.402", "x.403", "x.suspended"),
    "facebook": ("graph.190", "graph.200", "graph.10", "graph.368"),
    "linkedin": ("linkedin.401", "linkedin.403", "linkedin.426"),
}
NO_NEWS = {
    "x": ("x.400", "x.429", "x.503", "html"),
    "facebook": ("graph.2", "graph.32", "graph.100", "graph.100_33", "html"),
    "linkedin": ("linkedin.409", "linkedin.422", "linkedin.429", "linkedin.500", "html"),
}
FIRST = {"x": "/2/users/me", "facebook": "/v26.0/me", "linkedin": "/oauth/v2/introspectToken"}


def pairs(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(kind, name) for kind, names in table.items() for name in names]


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def account_of(school: School, kind: str, number: str) -> int:
    """The account of this kind, open and with keys; the school of the tests has no LinkedIn page yet."""
    now = school.services.clock.now()
    with school.services.db.begin() as session:
        row = session.get(ChannelAccount, school.accounts.get(kind, 0)) or ChannelAccount(
            kind=kind, name="Page", created_by=1, created_at=now, opened_by=school.head, opened_at=now
        )
        session.add(row)
        row.status, row.declared_own, row.remote_id, row.sealed = "open", True, number, "s1.sealed"
        session.flush()
        return row.id


def holder(school: School, simulator: Simulator, kind: str) -> Services:
    """The platform process, which speaks to the simulator and keeps what it is told."""
    clock = school.services.clock
    keys = simulator.credentials(kind)
    watched = limits_seen.watcher(school.services.db, clock)

    def channel_for(account: ChannelAccount) -> Channel:
        return watched(build_channel(keys, clock=clock, base_url=simulator.base_url), account.id)

    return replace(school.services, channel_for=channel_for)


def look(school: School, kind: str, *, failure: str = "", status: str = "open", **config: object) -> ChannelAccount:
    """One look at the keys while the platform gives this failure; returns the account as it is afterwards."""
    with Simulator(config=SimulatorConfig(clock=school.services.clock, **config)) as simulator:  # type: ignore[arg-type]
        account_id = account_of(school, kind, simulator.credentials(kind).account_id)
        with school.services.db.begin() as session:
            session.get_one(ChannelAccount, account_id).status = status
        if failure:
            simulator.fault("status", canned=failure, path=FIRST[kind])
        try:
            key_check.check(holder(school, simulator, kind), account_id)
        except ChannelBusy:
            assert status == "new"
    with school.services.db.read() as session:
        return session.get_one(ChannelAccount, account_id)


def mails(school: School) -> list[str]:
    with school.services.db.read() as session:
        return [one.kind for one in session.scalars(select(Notice).where(Notice.kind.like("channel_%")))]


@pytest.mark.parametrize("kind", ["x", "facebook", "linkedin"])
@pytest.mark.parametrize("status", ["new", "open"])
def test_good_keys_leave_a_channel_open(school: School, kind: str, status: str) -> None:
    found = look(school, kind, status=status)
    assert (found.status, found.held_reason) == ("open", "")
    assert found.scopes
    assert mails(school) == []


@pytest.mark.parametrize(("kind", "failure"), pairs(HELD))
def test_a_refusal_of_the_keys_holds_an_open_channel(school: School, kind: str, failure: str) -> None:
    found = look(school, kind, failure=failure)
    assert found.status == "held"
    assert found.held_reason == found.check_result != ""
    assert mails(school) == ["channel_failed"]


@pytest.mark.parametrize(("kind", "failure"), pairs(NO_NEWS))
def test_anything_else_is_no_news_about_keys_that_worked(school: School, kind: str, failure: str) -> None:
    found = look(school, kind, failure=failure)
    assert (found.status, found.held_reason) == ("open", "")
    assert found.next_check_at is not None
    assert mails(school) == []


@pytest.mark.parametrize(("kind", "failure"), [*pairs(HELD), *pairs(NO_NEWS)])
def test_keys_that_were_never_confirmed_open_nothing(school: School, kind: str, failure: str) -> None:
    found = look(school, kind, failure=failure, status="new")
    assert found.status in ("new", "held")
    assert found.check_result


@pytest.mark.parametrize(
    ("kind", "config", "words"),
    [
        ("x", {"x_access_level": "read"}, "“write” (to publish)"),
        ("facebook", {"facebook_scopes": ("pages_read_engagement",)}, "“pages_manage_posts” (to publish)"),
        ("facebook", {"facebook_scopes": ("pages_manage_posts",)}, "“pages_read_engagement”"),
        (
            "linkedin",
            {"linkedin_scopes": ("r_organization_social", "rw_organization_admin")},
            "“w_organization_social”",
        ),
        (
            "linkedin",
            {"linkedin_scopes": ("w_organization_social", "rw_organization_admin")},
            "“r_organization_social”",
        ),
    ],
    ids=["x-write", "facebook-write", "facebook-read", "linkedin-write", "linkedin-read"],
)
@pytest.mark.parametrize("status", ["new", "open"])
def test_keys_that_allow_too_little_hold_the_channel_with_what_is_missing(
    *, school: School, kind: str, config: dict[str, object], words: str, status: str
) -> None:
    found = look(school, kind, status=status, **config)
    assert found.status == "held"
    assert words in found.held_reason


def test_what_a_refusal_says_of_limits_is_kept(school: School, clock: ToldClock) -> None:
    look(school, "facebook", failure="graph.32")
    look(school, "linkedin", failure="linkedin.429")
    with school.services.db.read() as session:
        rows = {row.route: (row.remaining, row.resets_at) for row in session.scalars(select(ChannelLimit))}
    assert rows["everything"][0] == 0  # Facebook: everything waits for as long as it says
    midnight = clock.now().replace(hour=0, minute=0).timestamp() + 86_400
    assert rows["verify_credentials"][1] is not None
    with school.services.db.read() as session:
        resets = session.scalars(
            select(ChannelLimit.resets_at)
            .join(ChannelAccount, ChannelAccount.id == ChannelLimit.account_id)
            .where(ChannelAccount.kind == "linkedin")
        ).one()
    assert resets is not None
    assert resets.timestamp() == midnight
