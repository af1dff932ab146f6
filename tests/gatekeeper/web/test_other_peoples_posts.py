"""Another person's ids in every address: nothing is changed, and nobody reads what is not theirs."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gatekeeper.db.base import Base
from gatekeeper.db.session import Database
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Audit, Role, StaffSession
from gatekeeper.posts.model import Face, Finding, Photo, Post, Publication
from gatekeeper.posts.status import PostState
from gatekeeper.settings import Settings
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

SECRETS = ("Applethwaite", "Wren", "marrow soup")
#: tables that every request may write to
_OWN_TRACES = {Audit.__tablename__, StaffSession.__tablename__}
_READ_IT = frozenset({Role.HEADTEACHER, Role.CONSENT_LEAD, Role.AUTHOR})
_FORM = {
    "who": "A visitor", "as": "adult", "do": "crop", "left": "0", "top": "0", "right": "60", "bottom": "60",
    "reason": "Because it is so, and always was.", "there": "no", "link": "https://x.com/a/status/1", "take_back": "yes",
    "title": "Mine now", "text": "Taken over",
}  # fmt: skip


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock, services: Services) -> Services:
    return make_services(sqlite_database, settings.data, clock, settings=settings, render=services.render)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock) -> Callable[[Role], FlaskClient]:
    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


def ids_of(school: School, post_id: int) -> dict[str, int]:
    with school.services.db.read() as session:
        version_id = session.get_one(Post, post_id).version_id
        photo = session.scalars(select(Photo).where(Photo.post_id == post_id)).first()
        face = session.scalars(select(Face.id).where(Face.photo_id == (photo.id if photo else 0))).first()
        publication = session.scalars(select(Publication.id).where(Publication.version_id == version_id)).first()
        finding = session.scalars(select(Finding.id).where(Finding.version_id == version_id)).first()
    return {
        "post_id": post_id,
        "photo_id": photo.id if photo else 0,
        "face_id": face or 0,
        "finding_id": finding or 0,
        "publication_id": publication or 0,
    }


def posts_routes(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        if rule.arguments & {"post_id", "photo_id", "face_id", "finding_id", "publication_id"} and not (
            rule.arguments - {"post_id", "photo_id", "face_id", "finding_id", "publication_id"}
        ):
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield method, rule.endpoint


def everything(school: School) -> dict[str, list[tuple[object, ...]]]:
    with school.services.db.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table))]
            for table in Base.metadata.sorted_tables
            if table.name not in _OWN_TRACES
        }


def prepared(school: School, state: PostState) -> int:
    post_id = school.post(pupils=("Wren",), kinds=("x",), text="We made marrow soup.")
    with school.services.db.begin() as session:
        words = {"rule": "claim", "clause": "3.3c", "severity": "justify", "field": "text", "message": "A claim."}
        session.add(Finding(version_id=session.get_one(Post, post_id).version_id, quote="marrow soup", **words))
        session.get_one(Post, post_id).photos[0].alt = "Wren stirs the marrow soup"
    if state is PostState.DRAFT:
        with school.services.db.begin() as session:
            post = session.get_one(Post, post_id)
            post.state, post.version_id = state, None
    return post_id


@pytest.mark.parametrize("state", [PostState.OPEN, PostState.DRAFT])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUTHOR])
def test_nobody_changes_or_reads_what_is_not_theirs(
    app: Flask, school: School, as_role: Callable[[Role], FlaskClient], role: Role, state: PostState
) -> None:
    theirs = prepared(school, state)
    ids = ids_of(school, theirs)
    with school.services.db.begin() as session:  # a post of one's own, whose number may stand before another's ids
        mine = Post(
            author_id=school.staff[role], title="Mine", channels=[], state=PostState.OPEN,
            created_at=school.services.clock.now(), changed_at=school.services.clock.now(),
        )  # fmt: skip
        session.add(mine)
        session.flush()
        own = mine.id
    before = everything(school)
    client = as_role(role)
    reads = role in _READ_IT and state is not PostState.DRAFT
    tried = 0
    for method, endpoint in posts_routes(app):
        for post_id in {theirs, own}:
            rule = next(r for r in app.url_map.iter_rules(endpoint) if method in (r.methods or set()))
            values = {name: (post_id if name == "post_id" else ids[name]) for name in rule.arguments}
            address = app.url_map.bind("localhost").build(endpoint, values)
            if post_id == own and rule.arguments == {"post_id"}:
                continue  # entirely one's own
            answer = client.open(address, method=method, data=_FORM if method == "POST" else None)
            tried += 1
            assert answer.status_code < 500, (method, address)
            if not reads:
                found = [word for word in SECRETS if word in answer.text]
                assert not found, (method, address, answer.status_code)
                assert not (answer.mimetype or "").startswith("image/"), (method, address)
            assert everything(school) == before, (method, address)
    assert tried > 20
