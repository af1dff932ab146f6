"""A session that ended while a form was open: what was typed goes through signing in, and nothing secret does."""

import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from gatekeeper.people.passwords import hash_password
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Post
from gatekeeper.web import kept
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock

Browser = Callable[[Role | None], FlaskClient]
WORD = "three quiet green hills"
ROOT = Path(__file__).resolve().parents[3]
OURS = {"Origin": "http://localhost"}
TYPED = {"title": "Harvest", "text": "Our table is full.\r\nThank you, “all” of <you>!", "window": "120", "do": "save"}
KEPT = "what you typed is kept"


@pytest.fixture
def visitor(app: Flask, services: Services, people: dict[Role, int]) -> FlaskClient:
    """A browser whose session ended; everybody has the same password."""
    with services.db.begin() as session:
        for person in people.values():
            session.get_one(Staff, person).password_hash = hash_password(WORD)
    client = app.test_client()
    client.set_cookie("gatekeeper", "of-a-session-that-ended")
    return client


def sealed_in(page: str) -> str:
    found = re.search(r'name="kept" value="([^"]+)"', page)
    return found[1] if found else ""


def hidden(page: str) -> dict[str, str]:
    form = page.split('id="typed"')[1].split("</form>", maxsplit=1)[0]
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in pairs}


def enter(client: FlaskClient, page: str, *, role: Role = Role.AUTHOR, password: str = WORD) -> TestResponse:
    """Sign in with the form of this page."""
    action = re.search(r'action="(/signin[^"]*)"', page)
    assert action
    data = {"email": f"{role}@school.example", "password": password, "kept": sealed_in(page)}
    data["csrf_token"] = next(iter(re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)), "")
    return client.post(html.unescape(action[1]), data=data)


def posts(services: Services) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).select_from(Post)) or 0


def test_a_form_sent_after_the_session_ended_goes_on_after_signing_in(
    visitor: FlaskClient, app: Flask, services: Services
) -> None:
    app.config["WTF_CSRF_ENABLED"] = app.config["WTF_CSRF_CHECK_DEFAULT"] = True
    stopped = visitor.post("/posts/new", data={**TYPED, "csrf_token": "of the ended session"}, headers=OURS)
    assert stopped.status_code == 401
    assert "You were signed out before this was saved" in stopped.text
    assert KEPT in stopped.text
    assert "Our table is full" not in stopped.text  # only who has signed in sees it
    resumed = enter(visitor, stopped.text)
    assert resumed.status_code == 200
    assert "Our table is full." in resumed.text
    assert posts(services) == 0  # nothing is sent without a press
    again = hidden(resumed.text)
    assert {name: again[name] for name in TYPED} == TYPED
    assert again["csrf_token"] not in {"", "of the ended session"}
    made = visitor.post("/posts/new", data=again)
    assert (made.status_code, made.location) == (303, "/posts/1/edit")
    assert "Thank you, “all” of &lt;you&gt;!" in visitor.get("/posts/1/edit").text


def test_a_session_idle_for_half_an_hour_loses_no_word(
    browser: Browser, visitor: FlaskClient, clock: ToldClock
) -> None:
    client = browser(Role.AUTHOR)
    clock.advance(minutes=31)
    assert sealed_in(client.post("/posts/new", data=TYPED, headers=OURS).text)


def test_a_wrong_password_keeps_the_words_too(visitor: FlaskClient) -> None:
    stopped = visitor.post("/posts/new", data=TYPED, headers=OURS)
    wrong = enter(visitor, stopped.text, password="wrong wrong wrong")
    assert wrong.status_code == 422
    assert KEPT in wrong.text
    assert "Our table is full." in enter(visitor, wrong.text).text


def test_reloading_the_page_after_signing_in_keeps_the_words(visitor: FlaskClient, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = app.config["WTF_CSRF_CHECK_DEFAULT"] = True
    stopped = visitor.post("/posts/new", data=TYPED, headers=OURS)
    enter(visitor, stopped.text)
    assert "Our table is full." in enter(visitor, stopped.text).text


def test_who_signs_in_is_named_and_sees_what_they_would_send(visitor: FlaskClient) -> None:
    resumed = enter(visitor, visitor.post("/posts/new", data=TYPED, headers=OURS).text, role=Role.HEADTEACHER)
    assert re.search(r"sent as\s+<strong>Headteacher Person</strong>", resumed.text)
    assert "If somebody else typed it" in resumed.text
    assert "Our table is full." in resumed.text


def test_somebody_who_may_not_use_the_page_sees_nothing_of_it(visitor: FlaskClient) -> None:
    typed = {"name": "Isolde Farah", "notes": "Her mother rang"}
    stopped = visitor.post("/pupils/new", data=typed, headers=OURS)
    assert sealed_in(stopped.text)
    resumed = enter(visitor, stopped.text, role=Role.AUTHOR)
    assert resumed.status_code == 403
    assert "not open to you" in resumed.text
    assert "Isolde" not in resumed.text
    assert "mother" not in resumed.text


def test_words_kept_for_longer_than_an_hour_are_gone_and_that_is_said(visitor: FlaskClient, clock: ToldClock) -> None:
    stopped = visitor.post("/posts/new", data=TYPED, headers=OURS)
    clock.advance(minutes=61)
    late = enter(visitor, stopped.text)
    assert (late.status_code, late.location) == (303, "/posts/new")
    assert "that is over" in visitor.get(late.location).text


def test_nobody_can_put_words_into_the_sign_in_form(visitor: FlaskClient) -> None:
    stopped = visitor.post("/posts/new", data=TYPED, headers=OURS)
    sealed = sealed_in(stopped.text)
    for forged in (sealed[:-2], sealed[::-1], "x", "eyJwYXRoIjoiL3Bvc3RzL25ldyJ9.AAAA"):
        answer = enter(visitor, stopped.text.replace(sealed, forged))
        assert answer.status_code == 303
        visitor.post("/signout")


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_another_sites_words_are_not_carried(visitor: FlaskClient, headers: dict[str, str]) -> None:
    stopped = visitor.post("/posts/new", data=TYPED, headers=headers)
    assert stopped.status_code == 401
    assert not sealed_in(stopped.text)
    assert "Nothing was changed" in stopped.text


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("/account/password", {"current": "a secret word", "password": "a secret word", "again": "a secret word"}),
        ("/account/proofs/pin", {"password": "a secret word", "new_pin": "739284"}),
        ("/channels/new/x", {"name": "@us", "consumer_key": "a secret word"}),
        ("/channels/1/open", {"pin": "739284"}),
        ("/deputies", {"reason": "Leave", "pin": "739284"}),
        ("/sending/on", {"pin": "739284"}),
        ("/decisions/abc/open", {"statement": "I agree"}),
        ("/enquiries/holding-text", {"words": "Thank you.", "pin": "739284"}),
        ("/enquiries/holding-text", {"words": "Thank you.", "assertion": "{}"}),
        ("/posts/1/withdraw", {}),
        ("/cases/1/wait", {"waiting": "a button's word"}),  # one button, and nothing typed
    ],
)
def test_proofs_passwords_and_decisions_are_never_carried(
    visitor: FlaskClient, address: str, typed: dict[str, str]
) -> None:
    stopped = visitor.post(address, data=typed, headers=OURS)
    assert stopped.status_code == 401
    assert "You were signed out before this was done. Nothing was changed." in stopped.text
    assert not sealed_in(stopped.text)
    assert not any(value in stopped.text for value in typed.values())
    assert enter(visitor, stopped.text, role=Role.HEADTEACHER).status_code == 303


def test_every_secret_field_of_every_form_is_known() -> None:
    """A form with a new kind of secret has to be named in `gatekeeper/web/kept.py` before it can be sent."""
    for path in (ROOT / "templates" / "web").rglob("*.html"):
        tags = re.findall(r"<input\b[^>]*>", path.read_text())
        secret = [tag for tag in tags if 'type="password"' in tag or "assertion" in tag]
        assert {name for tag in secret for name in re.findall(r'\bname="([^"]+)"', tag)} <= kept.SECRET_FIELDS, path
    for path in (ROOT / "gatekeeper" / "web").rglob("*.py"):
        if path.stem in kept.NEVER or path.parts[-1] == "door.py":
            continue
        names = re.findall(r"^\s+(\w+) = PasswordField\(", path.read_text(), flags=re.MULTILINE)
        assert len(names) == path.read_text().count("PasswordField("), path
        assert set(names) <= kept.SECRET_FIELDS, path


def test_a_picture_has_to_be_chosen_once_more_and_that_is_said(visitor: FlaskClient) -> None:
    data: dict[str, Any] = {**TYPED, "photo": (io.BytesIO(b"any"), "hall.jpg")}
    stopped = visitor.post("/posts/new", data=data, headers=OURS)
    assert "has to be chosen once more" in stopped.text
    assert "choose it once more" in enter(visitor, stopped.text).text


def test_more_than_a_page_can_carry_is_not_carried_and_that_is_said(visitor: FlaskClient) -> None:
    stopped = visitor.post("/posts/new", data={**TYPED, "text": "é" * 100_000}, headers=OURS)
    assert "too long to be kept" in stopped.text
    assert not sealed_in(stopped.text)


@pytest.mark.parametrize(
    ("address", "came", "back"),
    [
        ("/cases/3/note", "http://localhost/cases/3?part=story", "/cases/3?part=story"),
        ("/cases/3/note", "http://localhost/cases/3/note", "/cases/3"),
        ("/cases/3/note", "https://evil.example/cases/9", "/cases/3"),
        ("/account/password", "", "/account"),
        ("/sending/on", "http://localhost/signin?next=/x", "/sending"),
    ],
)
def test_signing_in_leads_back_to_the_page_of_the_form(
    visitor: FlaskClient, address: str, came: str, back: str
) -> None:
    stopped = visitor.post(address, headers={"Referer": came, **OURS})
    assert enter(visitor, stopped.text, role=Role.HEADTEACHER).location == back


def test_signing_out_twice_says_nothing_about_words(browser: Browser) -> None:
    assert browser(None).post("/signout").location == "/signin"


def test_a_form_opened_before_signing_in_again_elsewhere_loses_nothing(app: Flask, browser: Browser) -> None:
    app.config["WTF_CSRF_ENABLED"] = app.config["WTF_CSRF_CHECK_DEFAULT"] = True
    client = browser(Role.AUTHOR)
    stale = client.post("/posts/new", data={**TYPED, "csrf_token": "of the session before"}, headers=OURS)
    assert stale.status_code == 400
    assert "not saved yet" in stale.text
    assert client.post("/posts/new", data=hidden(stale.text)).location == "/posts/1/edit"


def test_another_site_gets_no_button_for_its_words(app: Flask, browser: Browser) -> None:
    app.config["WTF_CSRF_ENABLED"] = app.config["WTF_CSRF_CHECK_DEFAULT"] = True
    for headers in ({}, {"Origin": "https://evil.example"}):
        answer = browser(Role.AUTHOR).post("/posts/new", data=TYPED, headers=headers)
        assert answer.status_code == 400
        assert "Our table" not in answer.text
