"""Signing in through the pages: cookies, forms, links."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gatekeeper.people.accounts import mint_invitation
from gatekeeper.people.passwords import hash_password
from gatekeeper.people.staff import Role, Staff, StaffSession
from gatekeeper.web.app import create_app
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock

Browser = Callable[[Role | None], FlaskClient]
WORD = "three quiet green hills"


@pytest.fixture
def author(services: Services, people: dict[Role, int]) -> str:
    """An author with a password; the e-mail address."""
    with services.db.begin() as session:
        member = session.get_one(Staff, people[Role.AUTHOR])
        member.password_hash = hash_password(WORD)
        return member.email


def enter(client: FlaskClient, email: str, password: str = WORD, **more: str) -> int:
    return client.post("/signin", data={"email": email, "password": password, **more}).status_code


def test_signed_out_people_are_sent_to_sign_in_and_back(browser: Browser, author: str) -> None:
    client = browser(None)
    sent = client.get("/account?tab=1")
    assert sent.status_code == 303
    assert sent.location == "/signin?next=/account?tab%3D1"
    back = client.post(sent.location, data={"email": author, "password": WORD})
    assert back.location == "/account?tab=1"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\\\\evil", ""]
)
def test_signing_in_leads_to_no_other_site(browser: Browser, author: str, wanted: str) -> None:
    answer = browser(None).post("/signin", query_string={"next": wanted}, data={"email": author, "password": WORD})
    assert answer.location == "/"


def test_a_wrong_password_keeps_the_address_and_never_the_password(browser: Browser, author: str) -> None:
    page = browser(None).post("/signin", data={"email": author, "password": "wrong wrong wrong"})
    assert page.status_code == 422
    assert f'value="{author}"' in page.text
    assert "wrong wrong wrong" not in page.text


def test_a_script_that_is_signed_out_gets_a_sentence_and_no_page(browser: Browser) -> None:
    answer = browser(None).get("/account", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert "sign in again" in answer.get_json()["error"]


def test_the_session_secret_is_new_at_every_sign_in(app: Flask, author: str) -> None:
    client = app.test_client()
    client.set_cookie("gatekeeper", "chosen-by-somebody-else")
    enter(client, author)
    first = client.get_cookie("gatekeeper")
    client.post("/signout")
    enter(client, author)
    second = client.get_cookie("gatekeeper")
    assert first is not None
    assert second is not None
    assert len({"chosen-by-somebody-else", first.value, second.value}) == 3


def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(browser: Browser, app: Flask) -> None:
    client = browser(Role.AUTHOR)
    kept = client.get_cookie("gatekeeper")
    assert kept is not None
    assert client.post("/signout").location == "/signin"
    assert "You are signed out" in client.get("/signin").text
    thief = app.test_client()
    thief.set_cookie("gatekeeper", kept.value)
    assert thief.get("/account").status_code == 303


def test_a_browser_is_named_where_its_owner_looks_for_it(app: Flask, author: str) -> None:
    client = app.test_client()
    windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36"
    client.post("/signin", data={"email": author, "password": WORD}, headers={"User-Agent": windows})
    assert "Chrome on Windows" in client.get("/account").text


def test_over_https_the_cookie_is_bound_to_this_host(services: Services, author: str) -> None:
    secure = replace(services, settings=replace(services.settings, public_url="https://posts.hillside.example"))
    site = create_app(secure)
    site.config["WTF_CSRF_ENABLED"] = False
    base = "https://posts.hillside.example"
    answer = site.test_client().post("/signin", base_url=base, data={"email": author, "password": WORD})
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-gatekeeper="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert site.test_client().get("/signin", base_url="https://other.example").status_code == 400
    assert site.test_client().get("/signin", base_url="http://localhost").status_code == 400


def test_on_loopback_the_cookie_is_plain_and_still_hidden_from_scripts(browser: Browser, author: str) -> None:
    answer = browser(None).post("/signin", data={"email": author, "password": WORD})
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("gatekeeper="))
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_a_page_that_asks_for_news_by_itself_keeps_nobody_signed_in(browser: Browser, clock: ToldClock) -> None:
    client = browser(Role.AUTHOR)
    clock.advance(minutes=20)
    assert client.get("/account", headers={"Sec-Fetch-Dest": "empty"}).status_code == 200
    clock.advance(minutes=11)
    assert client.get("/account").status_code == 303


def test_working_keeps_somebody_signed_in_up_to_twelve_hours(browser: Browser, clock: ToldClock) -> None:
    client = browser(Role.AUTHOR)
    for _ in range(28):
        clock.advance(minutes=25)
        assert client.get("/account").status_code == 200
    clock.advance(minutes=25)
    assert client.get("/account").status_code == 303


def test_a_link_leaves_the_address_at_once_and_opening_it_often_changes_nothing(
    services: Services, people: dict[Role, int], app: Flask, clock: ToldClock
) -> None:
    with services.db.begin() as session:
        token = mint_invitation(session, people[Role.AUTHOR], clock.now())
    for _ in range(5):
        scanner = app.test_client().get(f"/welcome/{token}")
        assert (scanner.status_code, scanner.location) == (303, "/welcome")
        assert scanner.headers["Referrer-Policy"] == "no-referrer"
    client = app.test_client()
    client.get(f"/welcome/{token}")
    page = client.get("/welcome")
    assert "author@school.example" in page.text
    assert token not in page.text
    differing = client.post("/welcome", data={"password": WORD, "again": "something else entirely"})
    assert differing.status_code == 422
    assert "The two passwords differ" in differing.text
    assert client.post("/welcome", data={"password": WORD, "again": WORD}).location == "/signin"
    assert enter(client, "author@school.example") == 303
    late = app.test_client()
    late.get(f"/welcome/{token}")
    assert late.get("/welcome").status_code == 403
    assert late.post("/welcome", data={"password": WORD, "again": WORD}).status_code == 403


@pytest.mark.parametrize("token", ["x", "../account", "%00", "é"])
def test_a_link_nobody_made_opens_nothing(app: Flask, token: str) -> None:
    client = app.test_client()
    client.get(f"/welcome/{token}")
    assert client.get("/welcome").status_code == 403


def test_the_answer_about_a_forgotten_password_is_always_the_same(browser: Browser, author: str) -> None:
    said = set()
    for email in (author, "nobody@school.example", "x"):
        client = browser(None)
        assert client.post("/signin/forgotten", data={"email": email}).status_code == 303
        page = client.get("/signin").text
        assert "If we know this address" in page
        said.add(page.split("If we know", 1)[1].split("</div>")[0])
    assert len(said) == 1


def test_a_flood_of_tries_is_slowed_down(browser: Browser) -> None:
    client = browser(None)
    codes = [client.post("/signin", data={}).status_code for _ in range(35)]
    assert codes[:30] == [422] * 30
    assert codes[-1] == 429


def test_the_database_alone_signs_nobody_in(browser: Browser, services: Services) -> None:
    browser(Role.AUTHOR)
    with services.db.read() as session:
        stored = session.query(StaffSession).one().id_hash
    thief = browser(None)
    thief.set_cookie("gatekeeper", stored)
    assert thief.get("/account").status_code == 303
