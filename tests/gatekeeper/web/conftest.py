"""A site on a database of its own, with one person of every role, and browsers signed in as them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gatekeeper.channels import seal
from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import ROLE_WORDS, Role, Staff
from gatekeeper.posts.media import MediaStore
from gatekeeper.settings import Settings
from gatekeeper.web.app import create_app
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.fixtures.signing import SIGNER

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    return Settings(
        process="web",
        data=tmp_path,
        database_url=sqlite_url,
        redis_url="",
        public_url="http://localhost",
        host="127.0.0.1",
        port=8000,
        mail_from="Gatekeeper <gatekeeper@school.example>",
        seal_public=seal.make_keypair()[0],
        secrets={"WEB_KEY": "only for tests, only for tests, only"},
    )


@pytest.fixture
def services(settings: Settings, clock: ToldClock) -> Iterator[Services]:
    db = Database(settings.database_url, signer=SIGNER)
    yield Services(
        settings=settings,
        db=db,
        clock=clock,
        media=MediaStore(settings.media),
        render=EmailRenderer(TEMPLATES, school_name=lambda: "Hillside Primary"),
        wake=lambda orders: None,
    )
    db.engine.dispose()


@pytest.fixture
def people(services: Services) -> dict[Role, int]:
    """One person of every role; the id by role. Nobody has a password."""
    ids = {}
    with services.db.begin() as session:
        for role in Role:
            member = Staff(
                email=f"{role}@school.example",
                name=f"{ROLE_WORDS[role]} Person",
                role=role,
                created_at=datetime(2026, 9, 1, 8, tzinfo=UTC),
            )
            session.add(member)
            session.flush()
            ids[role] = member.id
    return ids


@pytest.fixture
def app(services: Services) -> Flask:
    site = create_app(services)
    site.config["WTF_CSRF_CHECK_DEFAULT"] = False  # test_csrf switches it on again
    site.config["WTF_CSRF_ENABLED"] = False
    return site


@pytest.fixture
def browser(
    app: Flask, services: Services, people: dict[Role, int], clock: ToldClock
) -> Callable[[Role | None], FlaskClient]:
    """A browser signed in as a role, or signed out."""

    def open_browser(role: Role | None) -> FlaskClient:
        client = app.test_client()
        if role is not None:
            with services.db.begin() as session:
                token = begin_session(session, people[role], now=clock.now())
            client.set_cookie("gatekeeper", token)
        return client

    return open_browser
