"""Every route says who may use it, and every route × every role is let in or kept out exactly as it says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from gatekeeper.clock import SystemClock
from gatekeeper.db.schema import upgrade
from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.media import MediaStore
from gatekeeper.settings import Settings
from gatekeeper.web.access import Access, Kind, access_of
from gatekeeper.web.app import create_app
from gatekeeper.web.limits import limiter
from gatekeeper.workflow.services import Services
from tests.fixtures.signing import SIGNER

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
#: routes that really sign somebody out would spoil the browsers that the test shares
ENDS_THE_SESSION = frozenset({"signin.leave"})


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("routes")
    url = f"sqlite:///{folder / 'school.db'}"
    upgrade(url)
    db = Database(url, signer=SIGNER)
    settings = Settings(
        process="web",
        data=folder,
        database_url=url,
        redis_url="",
        public_url="http://localhost",
        host="127.0.0.1",
        port=8000,
        mail_from="Gatekeeper <gatekeeper@school.example>",
        secrets={"WEB_KEY": "only for tests, only for tests, only"},
    )
    yield Services(
        settings=settings,
        db=db,
        clock=SystemClock(),
        media=MediaStore(settings.media),
        render=EmailRenderer(TEMPLATES, school_name=lambda: "Hillside Primary"),
        wake=lambda orders: None,
    )
    db.engine.dispose()


@pytest.fixture(scope="module")
def app(services: Services) -> Iterator[Flask]:
    site = create_app(services)
    site.config["WTF_CSRF_ENABLED"] = False
    limiter.enabled = False  # so many requests a second come from no school
    yield site
    limiter.enabled = True


@pytest.fixture(scope="module")
def browsers(app: Flask, services: Services) -> dict[Role | None, FlaskClient]:
    """One browser for each role, and one that is signed out."""
    clients: dict[Role | None, FlaskClient] = {None: app.test_client()}
    with services.db.begin() as session:
        for role in Role:
            member = Staff(email=f"{role}@school.example", name=str(role), role=role, created_at=datetime.now(UTC))
            session.add(member)
            session.flush()
            token = begin_session(session, member.id, now=datetime.now(UTC))
            clients[role] = app.test_client()
            clients[role].set_cookie("gatekeeper", token)
    return clients


def methods_of(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def address_of(app: Flask, rule: Rule) -> str:
    """An address of this route; the numbers in it belong to nothing, so no view gets far."""
    with app.test_request_context():
        values = {name: 999_999 if "Integer" in type(c).__name__ else "x" for name, c in rule._converters.items()}
        _, address = rule.build(values) or ("", "")
        return address


def test_every_route_states_who_may_use_it(app: Flask) -> None:
    silent = [rule.endpoint for rule in app.url_map.iter_rules() if access_of(app, rule.endpoint) is None]
    assert not silent, f"closed to everybody, because nothing is stated: {silent}"


def test_what_is_public_is_a_short_list(app: Flask) -> None:
    """Whoever adds to it is asked to look twice: these pages answer anybody on the network."""
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (access := access_of(app, rule.endpoint)) and access.kind is Kind.PUBLIC
    }
    assert public == {
        "static",
        "bootstrap.static",
        "theme",
        "school.crest",
        "help_pages.index",
        "signin.form",
        "signin.enter",
        "signin.forgotten",
        "signin.ask",
        "signin.open_link",
        "signin.welcome",
        "signin.set_password",
    }


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role or "signed-out")
def test_every_route_opens_for_exactly_whom_it_says(
    app: Flask, browsers: dict[Role | None, FlaskClient], role: Role | None
) -> None:
    wrong = []
    for rule in app.url_map.iter_rules():
        access = access_of(app, rule.endpoint)
        assert access is not None
        if rule.endpoint in ENDS_THE_SESSION and role is not None:
            continue
        for method in methods_of(rule):
            answer = browsers[role].open(address_of(app, rule), method=method)
            if not as_stated(answer.status_code, answer.location, access, role):
                wrong.append(f"{method} {rule} ({access.kind}): {answer.status_code} {answer.location or ''}")
    assert not wrong, "\n".join(wrong)


def as_stated(status: int, location: str | None, access: Access, role: Role | None) -> bool:
    # a form gets the sign-in page itself, which carries what was typed
    to_the_door = status == 401 or (status == 303 and (location or "").startswith("/signin"))
    if access.allows(role):
        # a page behind a link is open to whoever asks, and answers that the link opens nothing
        shut = access.kind not in (Kind.LINK_HOLDER, Kind.PUBLIC) and (status == 403 or to_the_door)
        return not shut and status < 500
    return to_the_door if role is None else status == 403


def test_a_route_that_states_nothing_is_closed_even_to_the_headteacher(services: Services) -> None:
    site = create_app(services)
    site.add_url_rule("/forgotten-statement", "forgotten", lambda: "pupils' data")
    client = site.test_client()
    with services.db.begin() as session:
        member = Staff(email="late@school.example", name="L", role=Role.HEADTEACHER, created_at=datetime.now(UTC))
        session.add(member)
        session.flush()
        client.set_cookie("gatekeeper", begin_session(session, member.id, now=datetime.now(UTC)))
    answer = client.get("/forgotten-statement")
    assert answer.status_code == 403
    assert "pupils' data" not in answer.text
