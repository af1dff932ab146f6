"""A site that a real browser can open: the real application behind the real server, on a database with a school in it."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import waitress
from playwright.sync_api import BrowserContext, Page

from gatekeeper.bootstrap import TEMPLATES
from gatekeeper.channels import seal
from gatekeeper.clock import SystemClock
from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role
from gatekeeper.web.app import create_app
from tests.factories.school import School, make_services, make_settings
from tests.fixtures.serving import run


@dataclass(frozen=True)
class Site:
    """A running site and the school in it."""

    url: str
    school: School

    def sign_in(self, context: BrowserContext, role: Role) -> None:
        """Make this browser one of a signed-in person of that role."""
        services = self.school.services
        with services.db.begin() as session:
            token = begin_session(session, self.school.staff[role], now=services.clock.now())
        context.add_cookies([{"name": "gatekeeper", "value": token, "url": self.url}])


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://localhost:{listening.getsockname()[1]}"
    settings = replace(
        make_settings(tmp_path, sqlite_database.url),
        public_url=url,  # a passkey works only at the site's own address
        secrets={"WEB_KEY": "for this test only, for this test only"},
        seal_public=seal.make_keypair()[0],
    )
    services = make_services(
        sqlite_database,
        tmp_path,
        SystemClock(),
        settings=settings,
        render=EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary"),
    )
    school = School(services)
    server = waitress.create_server(create_app(services), sockets=[listening], threads=4, ident=None)
    thread = threading.Thread(target=run, args=(server,), daemon=True)
    thread.start()
    yield Site(url=url, school=school)
    server.close()
    thread.join(timeout=5)


@pytest.fixture
def phone(browser: object) -> Iterator[Page]:
    """A phone's page: 360 px wide, touch, and nothing moving while it is looked at or pressed."""
    context = browser.new_context(  # type: ignore[attr-defined]
        viewport={"width": 360, "height": 740},
        has_touch=True,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/London",
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()
