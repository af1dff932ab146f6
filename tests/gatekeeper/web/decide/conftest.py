"""The web on a copy of the ready-made database, with a school whose headteacher has a PIN."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role
from gatekeeper.settings import Settings
from gatekeeper.web.views import decide
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.gatekeeper.web.decide.asking import Browser

TEMPLATES = Path(__file__).resolve().parents[4] / "templates"


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock) -> Services:
    """The web's services on a copy of the ready-made database, which is quicker than making one."""
    return make_services(
        sqlite_database,
        settings.data,
        clock,
        settings=settings,
        render=EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary"),
    )


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def site(app: Flask) -> Flask:
    if "decide" not in app.blueprints:
        app.register_blueprint(decide.bp)
    return app


@pytest.fixture
def as_role(site: Flask, school: School, clock: ToldClock) -> Browser:
    """A browser that is signed in as somebody of this school, or nobody."""

    def open_browser(role: Role | None) -> FlaskClient:
        client = site.test_client()
        if role is not None:
            with school.services.db.begin() as session:
                client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


@pytest.fixture
def head(as_role: Browser) -> FlaskClient:
    """The headteacher's telephone: nobody is signed in on it."""
    return as_role(None)
