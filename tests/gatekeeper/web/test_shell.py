"""What every page promises: headers, form secrets, calm errors, the school's colour."""

import logging
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gatekeeper.db.session import Database
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Role, Staff
from gatekeeper.web import access, theme
from gatekeeper.web.access import public, signed_in
from gatekeeper.web.app import UPLOAD_LIMIT, create_app
from gatekeeper.workflow.services import Services

Browser = Callable[[Role | None], FlaskClient]


@pytest.fixture
def guarded(app: Flask) -> Flask:
    """The site with its form secrets switched on, as in earnest."""
    app.config["WTF_CSRF_ENABLED"] = True
    app.config["WTF_CSRF_CHECK_DEFAULT"] = True
    return app


def secret_in(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    return found.group(1)


def test_every_answer_forbids_foreign_and_inline_code_and_keeping(browser: Browser) -> None:
    for client, address in (
        (browser(None), "/signin"),
        (browser(Role.AUTHOR), "/account"),
        (browser(None), "/nowhere"),
    ):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("address", ["/account", "/staff", "/staff/1", "/pupils", "/pupils/import", "/channels/new/x",
                                     "/school", "/audit", "/audit/ledger", "/help/channels"])  # fmt: skip
def test_no_page_carries_inline_script_or_style(browser: Browser, address: str) -> None:
    page = browser(Role.ADMINISTRATOR).get(address).text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert "http://" not in page.replace("http://localhost", "")
    assert "https://" not in page


def test_a_form_without_its_secret_is_refused(guarded: Flask, browser: Browser) -> None:
    client = browser(Role.AUTHOR)
    answer = client.post("/signout")
    assert answer.status_code == 400
    assert "open for too long" in answer.text
    assert client.get("/account").status_code == 200


def test_the_form_secret_is_bound_to_the_session(guarded: Flask, browser: Browser) -> None:
    mine, theirs = browser(Role.AUTHOR), browser(Role.AUDITOR)
    secret = secret_in(mine.get("/account").text)
    assert theirs.post("/signout", data={"csrf_token": secret}).status_code == 400
    assert mine.post("/signout", data={"csrf_token": secret}).status_code == 303


def test_the_sign_in_form_has_a_secret_too(guarded: Flask, browser: Browser) -> None:
    client = browser(None)
    assert client.post("/signin", data={"email": "x", "password": "y"}).status_code == 400
    secret = secret_in(client.get("/signin").text)
    assert client.post("/signin", data={"email": "x", "password": "y", "csrf_token": secret}).status_code == 422


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_sent_from_another_site_is_refused(browser: Browser, site: str) -> None:
    client = browser(Role.AUTHOR)
    assert client.post("/signout", headers={"Sec-Fetch-Site": site}).status_code == 400
    assert client.get("/account").status_code == 200


def test_an_unknown_host_is_refused(browser: Browser) -> None:
    answer = browser(None).get("/signin", base_url="http://evil.example")
    assert answer.status_code == 400
    assert "That did not work" in answer.text


@pytest.mark.parametrize(
    ("method", "address", "status"), [("GET", "/nowhere", 404), ("GET", "/signout", 405), ("GET", "/staff", 403)]
)
def test_errors_have_calm_pages_and_scripts_get_json(browser: Browser, method: str, address: str, status: int) -> None:
    client = browser(Role.AUTHOR)
    page = client.open(address, method=method)
    assert page.status_code == status
    assert "<h1>" in page.text
    assert "Traceback" not in page.text
    answer = client.open(address, method=method, headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert set(answer.get_json()) == {"error"}


def test_what_is_too_large_is_said_so(browser: Browser) -> None:
    answer = browser(Role.ADMINISTRATOR).post(
        "/pupils/import", data=bytes(UPLOAD_LIMIT + 1), content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_a_crash_shows_a_number_and_logs_places_and_no_values(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    site = create_app(services)

    @site.get("/crash")
    @public
    def crash() -> str:
        raise RuntimeError("Isolde Farah may not be shown")

    with caplog.at_level(logging.DEBUG):
        page = site.test_client().get("/crash")
    assert page.status_code == 500
    number = re.search(r"<strong>([0-9a-f]{8})</strong>", page.text)
    assert number
    assert number.group(1) in caplog.text
    assert "RuntimeError" in caplog.text
    assert "Isolde" not in page.text + caplog.text


def test_a_route_states_its_access_once() -> None:
    with pytest.raises(TypeError):

        @public
        @signed_in
        def view() -> str:
            return ""

    with pytest.raises(TypeError):
        access.roles()


def test_the_menu_shows_only_doors_that_open(browser: Browser) -> None:
    author, administrator = browser(Role.AUTHOR).get("/account").text, browser(Role.ADMINISTRATOR).get("/staff").text
    assert 'href="/staff"' not in author
    assert 'href="/staff" aria-current="page"' in administrator


def test_names_are_escaped_wherever_they_come_from(
    browser: Browser, services: Services, people: dict[Role, int]
) -> None:
    with services.db.begin() as session:
        session.get_one(Staff, people[Role.AUTHOR]).name = "<script>alert(1)</script>"
    page = browser(Role.ADMINISTRATOR).get("/staff").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("colour", ["#ffee00", "#000000", "#ffffff", "#1f5f8b", "#808080", "#c00000", "#00ff88"])
def test_letters_can_be_read_on_any_colour_a_school_chooses(colour: str) -> None:
    found = dict(re.findall(r"(--[a-z-]+):(#[0-9a-f]{6})", theme.style_sheet(colour).split("@media")[0]))
    night = dict(re.findall(r"(--[a-z-]+):(#[0-9a-f]{6})", theme.style_sheet(colour).split("@media")[1]))
    assert theme.contrast(found["--accent"], "#f6f5f1") >= theme.READABLE
    assert theme.contrast(found["--accent"], found["--on-accent"]) >= theme.READABLE
    assert theme.contrast(found["--accent-deep"], found["--on-accent"]) >= theme.READABLE
    assert theme.contrast(found["--school"], found["--on-school"]) >= theme.READABLE
    assert theme.contrast(night["--accent"], "#1d262f") >= theme.READABLE
    assert theme.contrast(night["--accent"], night["--on-accent"]) >= theme.READABLE


def test_the_style_sheet_takes_the_schools_colour_and_nothing_else(browser: Browser, services: Services) -> None:
    with services.db.begin() as session:
        change_setting(session, "colour", "red;}body{display:none", by=None, now=services.clock.now())
    sheet = browser(None).get("/theme.css")
    assert sheet.mimetype == "text/css"
    assert f"--school:{theme.DEFAULT}" in sheet.text
    assert browser(None).get("/theme.css", headers={"If-None-Match": sheet.headers["ETag"]}).status_code == 304


def test_style_sheets_are_served_without_asking_the_database(
    app: Flask, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_self: Database) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(Database, "read", never)
    client = app.test_client()
    client.set_cookie("gatekeeper", "anything")
    for address in ("/static/theme.css", "/bootstrap/static/css/bootstrap.min.css"):
        with client.get(address) as answer:
            assert answer.status_code == 200
