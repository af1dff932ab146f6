"""The page of a channel: what was asked and what to do, the steps, the second proof, the cost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gatekeeper.db.session import Database
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role, record
from gatekeeper.posts.model import ChannelAccount, ChannelLimit
from gatekeeper.settings import Settings
from gatekeeper.web.limits import limiter
from gatekeeper.workflow import cost, key_check
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

Browser = Callable[[Role], FlaskClient]
Change = Callable[..., None]


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock) -> Services:
    return make_services(sqlite_database, settings.data, clock, settings=settings)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock, monkeypatch: pytest.MonkeyPatch) -> Browser:
    monkeypatch.setattr(limiter, "enabled", False)

    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


@pytest.fixture
def change(school: School) -> Change:
    """Put the Facebook Page (or another account) into a state, with sealed keys."""

    def changed(*, kind: str = "facebook", **columns: Any) -> None:
        with school.services.db.begin() as session:
            row = session.get_one(ChannelAccount, school.accounts[kind])
            for name, value in {"sealed": "s1.sealed", "identity": "Quarry Bank", **columns}.items():
                setattr(row, name, value)

    return changed


def page(school: School, browser: FlaskClient, kind: str = "facebook") -> str:
    return " ".join(browser.get(f"/channels/{school.accounts[kind]}").text.split())


def test_each_check_stands_there_with_a_sign_and_what_to_do(
    school: School, as_role: Browser, change: Change, clock: ToldClock
) -> None:
    change(scopes=["pages_manage_posts", "pages_read_engagement"], expires_at=clock.now() + timedelta(days=80))
    shown = page(school, as_role(Role.ADMINISTRATOR))
    assert "The keys allow everything that is needed: pages_manage_posts, pages_read_engagement." in shown
    assert "They end on Thursday 11 February 2027" in shown
    assert "version v26.0" in shown
    assert "app is live cannot be asked" in shown
    assert 'class="check-no"' not in shown


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"scopes": ["pages_manage_posts"]}, "The keys do not allow: pages_read_engagement."),
        ({"sealed": None}, "No keys are stored."),
        ({"status": "new", "check_result": ""}, "Facebook is being asked whose the keys are."),
        (
            {"status": "held", "held_reason": "They ended.", "check_result": "They ended."},
            "press “Check the keys again”",
        ),
        ({"expires_at": "soon"}, "Make new keys on Facebook"),
        ({"checked_at": "long ago"}, "has not answered about the keys for more than three days"),
    ],
    ids=["scopes", "keys", "asked", "held", "ending", "silent"],
)
def test_what_is_not_in_order_says_so(
    school: School, as_role: Browser, change: Change, columns: dict[str, Any], words: str
) -> None:
    now = school.services.clock.now()
    moments = {"soon": now + timedelta(days=3), "long ago": now - timedelta(days=4)}
    change(**{name: moments.get(value, value) if isinstance(value, str) else value for name, value in columns.items()})
    assert words in page(school, as_role(Role.ADMINISTRATOR))


def test_a_held_channel_says_how_many_posts_wait(school: School, as_role: Browser, change: Change) -> None:
    school.approve(school.post(kinds=("facebook",)))
    change(status="held", held_reason="Facebook does not accept the school's keys for this account.")
    shown = page(school, as_role(Role.HEADTEACHER))
    assert "Nothing goes out on this channel." in shown
    assert "1 approved post waits for it" in shown


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        ({"read_back": True, "removed": True}, "read back and removed. No visitor saw it."),
        ({"read_back": False, "removed": True}, "but not read back"),
        ({"read_back": True, "removed": False}, "could not be removed again"),
    ],
    ids=["done", "unread", "left"],
)
def test_what_became_of_the_trial(
    school: School, as_role: Browser, change: Change, trial: dict[str, bool], words: str
) -> None:
    change()
    with school.services.db.begin() as session:
        for detail in ({"ok": True, "trial": trial}, {"ok": True}):  # the daily look makes none
            subject = f"channel:{school.accounts['facebook']}"
            now = school.services.clock.now()
            record(session, at=now, staff_id=None, action=key_check.CHECKED, subject=subject, detail=detail)
    assert words in page(school, as_role(Role.ADMINISTRATOR))


def test_x_says_that_no_trial_is_made_and_what_the_month_cost(school: School, as_role: Browser, change: Change) -> None:
    change(kind="x", scopes=["read", "write"])
    now = school.services.clock.now()
    with school.services.db.begin() as session:
        for kind, many in ((cost.POST, 3), (cost.LINK_POST, 1), (cost.READ, 40)):
            cost.count(session, school.accounts["x"], kind, many, now=now)
    shown = page(school, as_role(Role.ADMINISTRATOR), "x")
    assert "No trial is made: X has no post that nobody sees." in shown
    assert "$0.285" in shown
    assert "4 posts (1 with a link), 40 posts read back" in shown
    assert "This month" not in page(school, as_role(Role.ADMINISTRATOR), "facebook")


def test_a_platform_that_asks_to_wait_is_named_with_the_moment(
    school: School, as_role: Browser, clock: ToldClock
) -> None:
    with school.services.db.begin() as session:
        session.add(
            ChannelLimit(
                account_id=school.accounts["x"], route="create_post", remaining=0, seen_at=clock.now(),
                resets_at=clock.now() + timedelta(minutes=15),
            )
        )  # fmt: skip
    assert "X asks to wait with publishing until 09:15 on 23 November." in page(
        school, as_role(Role.ADMINISTRATOR), "x"
    )


def test_an_administrator_says_once_that_the_post_was_seen_and_new_keys_ask_again(
    school: School, as_role: Browser, change: Change
) -> None:
    change()
    client, address = as_role(Role.ADMINISTRATOR), f"/channels/{school.accounts['facebook']}"
    assert "I saw it without being signed in" in page(school, client)
    assert client.post(f"{address}/seen").status_code == 303
    shown = page(school, client)
    assert "Mx Administrator Quarry saw a post on the page without being signed in, on 23 November 2026." in shown
    assert "I saw it without being signed in" not in shown
    with school.services.db.begin() as session:
        record(
            session, at=school.services.clock.now(), staff_id=1, action="channel.keys_renewed",
            subject=f"channel:{school.accounts['facebook']}",
        )  # fmt: skip
    assert "I saw it without being signed in" in page(school, client)
    assert as_role(Role.HEADTEACHER).post(f"{address}/seen").status_code == 403
    assert client.post("/channels/999/seen").status_code == 404


def test_the_headteacher_opens_by_the_second_proof_and_a_wrong_one_is_said(
    school: School, as_role: Browser, change: Change
) -> None:
    change(status="checked", declared_own=False, opened_at=None, opened_by=None)
    client, address = as_role(Role.HEADTEACHER), f"/channels/{school.accounts['facebook']}/open"
    assert 'aria-current="step"' in page(school, client)
    wrong = client.post(address, data={"open-declared_own": "y", "pin": "111222"})
    assert wrong.status_code == 422
    assert "The channel was not opened." in wrong.text
    missing = client.post(address, data={"open-declared_own": "y"})
    assert "Please give your second proof" in missing.text
    undeclared = client.post(address, data={"pin": PIN})
    assert undeclared.status_code == 422
    assert "Please declare that this page is the school" in undeclared.text
    assert client.post(address, data={"open-declared_own": "y", "pin": PIN}).status_code == 303
    assert "Open" in page(school, client)
    assert 'aria-current="step"' not in page(school, client)
