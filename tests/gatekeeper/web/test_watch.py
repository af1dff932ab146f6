"""The pages about the school's own accounts: what was found, beside what was approved, and who may see and end it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gatekeeper import jobs
from gatekeeper.cases.model import Case, CaseClock
from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.school import school_settings
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Audit, Role
from gatekeeper.posts.media import render
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.posts.public import AccountWatch, Incident, RemotePublicPost, Takedown
from gatekeeper.settings import Settings
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.watch_view import watched
from tests.conftest import ToldClock
from tests.factories.bundle import decided, published
from tests.factories.school import School, make_services

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
Browser = Callable[[Role], FlaskClient]
SEE = {Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR}


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock) -> Services:
    renderer = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary")
    return make_services(sqlite_database, settings.data, clock, settings=settings, render=renderer)


@pytest.fixture
def school(services: Services) -> School:
    made = School(services)
    with services.db.begin() as session:
        for account in session.scalars(select(ChannelAccount)):
            account.sealed = "keys"
    return made


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock) -> Browser:
    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


def an_incident(school: School, clock: ToldClock, *, kind: str = "ungated", **more: object) -> int:
    picture = school.services.media.put(render(np.full((30, 40, 3), (200, 30, 30), np.uint8)).data, ".jpg")
    account = school.accounts["facebook"]
    with school.services.db.begin() as session:
        row = {"account_id": account, "remote_id": "111_5", "posted_at": clock.now(), "text": "Look at Wren!"}
        session.add(RemotePublicPost(**row, media_count=2, first_seen_at=clock.now(), seen_at=clock.now()))
        found = Incident(
            **row,
            kind=kind,
            permalink="https://www.facebook.com/111_5",
            pictures=[picture],
            seen_at=clock.now(),
            **more,
        )
        session.add(found)
        session.flush()
        return found.id


@pytest.mark.parametrize("role", sorted(Role))
def test_each_role_sees_of_what_was_found_what_is_its_own_to_see(
    as_role: Browser, school: School, clock: ToldClock, role: Role
) -> None:
    number = an_incident(school, clock)
    browser = as_role(role)
    page = browser.get(f"/watch/incidents/{number}")
    assert page.status_code == (200 if role in SEE | {Role.AUDITOR} else 403)
    assert ("Look at Wren!" in page.text) == (role in SEE)
    assert browser.get(f"/watch/incidents/{number}/pictures/0").status_code == (200 if role in SEE else 403)
    closes = role in {Role.HEADTEACHER, Role.DEPUTY}
    assert ("It is all right, because" in page.text) == closes
    answer = browser.post(f"/watch/incidents/{number}/close", data={"words": "I knew of it."})
    assert answer.status_code == (303 if closes else 403)


def test_a_look_at_what_was_found_leaves_a_trace(as_role: Browser, school: School, clock: ToldClock) -> None:
    number = an_incident(school, clock)
    as_role(Role.HEADTEACHER).get(f"/watch/incidents/{number}")
    as_role(Role.AUDITOR).get(f"/watch/incidents/{number}")
    with school.services.db.read() as session:
        seen = list(session.scalars(select(Audit.staff_id).where(Audit.action == "incident.seen")))
    assert seen == [school.head]


def test_cannot_close_without_a_reason_and_what_was_typed_stays(
    as_role: Browser, school: School, clock: ToldClock
) -> None:
    number = an_incident(school, clock)
    head = as_role(Role.HEADTEACHER)
    refused = head.post(f"/watch/incidents/{number}/close", data={"words": "   "})
    assert refused.status_code == 422
    assert "Please say why" in refused.text
    long = head.post(f"/watch/incidents/{number}/close", data={"words": "so " * 500})
    assert long.status_code == 422
    assert "so so so" in long.text
    assert head.post("/watch/incidents/999/close", data={"words": "No"}).status_code == 404
    assert head.post(f"/watch/incidents/{number}/close", data={"words": "The governors did it."}).status_code == 303
    assert head.post(f"/watch/incidents/{number}/close", data={"words": "Twice"}).status_code == 303
    page = head.get(f"/watch/incidents/{number}").text
    assert "This has ended already." in page
    assert "The governors did it." in page
    assert "Twice" not in page
    assert "It can still be taken down." in page
    assert "Open a case" not in page


def test_an_edited_post_stands_beside_what_was_approved(as_role: Browser, school: School, clock: ToldClock) -> None:
    post = school.post(kinds=("facebook",), photos=1)
    decided(school, post)
    published(school, post)
    with school.services.db.read() as session:
        from gatekeeper.posts.model import Publication

        publication = session.scalars(select(Publication)).one()
    number = an_incident(school, clock, kind="edited", about="1" * 64, publication_id=publication.id)
    head = as_role(Role.HEADTEACHER)
    page = head.get(f"/watch/incidents/{number}").text
    for words in (
        "Look at Wren!",
        "Our harvest table is full.",
        "What was changed",
        "1 picture of it could not be kept",
    ):
        assert words in page
    assert head.get(f"/watch/incidents/{number}/approved/0").mimetype == "image/jpeg"
    assert head.get(f"/watch/incidents/{number}/approved/1").status_code == 404
    assert head.get(f"/watch/incidents/{number}/pictures/7").status_code == 404


def test_the_page_says_how_each_account_stands_and_what_was_there_before(
    as_role: Browser, school: School, clock: ToldClock
) -> None:
    now = clock.now()
    with school.services.db.begin() as session:
        for kind, failures in (("x", 3), ("facebook", 0)):
            session.add(
                AccountWatch(
                    account_id=school.accounts[kind], began_at=now, next_at=now, failures=failures,
                    read_at=now, problem="X does not accept the school's keys." if failures else "",
                )
            )  # fmt: skip
        for number in range(7):
            session.add(
                RemotePublicPost(
                    account_id=school.accounts["facebook"], remote_id=f"111_{number}",
                    posted_at=now - timedelta(days=1), first_seen_at=now, seen_at=now,
                )
            )  # fmt: skip
    page = as_role(Role.AUDITOR).get("/watch").text
    assert "X (Quarry Bank on x) cannot be read" in page
    assert "7 older posts were there before" in page
    assert "0 of 2,000 posts" in page
    assert "Personal profiles of staff" in page
    assert "How often, and what X may cost" not in page


def test_what_is_watched_can_be_quoted_as_it_stands(school: School, clock: ToldClock) -> None:
    with school.services.db.begin() as session:
        told = watched(session)
        assert [words.partition(":")[0] for words in told.accounts] == [
            "X (Quarry Bank on x)",
            "Facebook (Quarry Bank on facebook)",
        ]
        session.get_one(ChannelAccount, school.accounts["x"]).status = "closed"
        session.flush()
        told = watched(session)
    assert len(told.accounts) == 1
    assert not any("X charges" in words for words in told.left_out)
    assert any("comments" in words.lower() for words in told.not_watched)


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"minutes": "30", "reads": "0"}, 303),
        ({"minutes": "7", "reads": "100"}, 422),
        ({"minutes": "15", "reads": "-1"}, 422),
        ({"minutes": "15", "reads": "100001"}, 422),
        ({"minutes": "15", "reads": "many"}, 422),
        ({"minutes": "15", "reads": ""}, 422),
        ({}, 422),
    ],
    ids=["good", "no-such-pause", "below", "above", "word", "empty", "nothing"],
)
def test_only_a_setting_that_can_be_is_kept(
    as_role: Browser, school: School, typed: dict[str, str], status: int
) -> None:
    assert as_role(Role.DEPUTY).post("/watch/settings", data=typed).status_code == 403
    assert as_role(Role.ADMINISTRATOR).post("/watch/settings", data=typed).status_code == status
    with school.services.db.read() as session:
        assert bool(school_settings(session)["watch"]) == (status == 303)


def test_an_account_can_be_read_at_once_but_not_again_and_again(
    as_role: Browser, school: School, clock: ToldClock
) -> None:
    account = school.accounts["x"]
    admin = as_role(Role.ADMINISTRATOR)
    assert admin.post("/watch/999/read").status_code == 303
    with school.services.db.begin() as session:
        session.add(AccountWatch(account_id=account, began_at=clock.now(), next_at=clock.now() + timedelta(minutes=9)))
    assert admin.post(f"/watch/{account}/read").status_code == 303
    with school.services.db.read() as session:
        ordered = session.scalars(select(jobs.Order).where(jobs.Order.job == "watch")).one()
    assert ordered.next_at == clock.now()
    with school.services.db.begin() as session:
        session.get_one(AccountWatch, account).read_at = clock.now()
    assert "a moment ago" in admin.post(f"/watch/{account}/read", follow_redirects=True).text


def test_the_menu_counts_what_is_open(as_role: Browser, school: School, clock: ToldClock) -> None:
    an_incident(school, clock)
    assert "Our accounts (1)" in as_role(Role.HEADTEACHER).get("/watch").text


@pytest.mark.parametrize("role", sorted(Role))
def test_the_office_has_it_taken_down_and_nobody_else(
    as_role: Browser, school: School, clock: ToldClock, role: Role
) -> None:
    number = an_incident(school, clock)
    browser = as_role(role)
    answer = browser.post(f"/watch/incidents/{number}/take-down", data={"reason": "Not ours"})
    assert answer.status_code == (303 if role in SEE else 403)
    with school.services.db.read() as session:
        ordered = [(one.remote_id, one.why, one.incident_id, one.words) for one in session.scalars(select(Takedown))]
    assert ordered == ([("111_5", "incident", number, "Not ours")] if role in SEE else [])
    if role in SEE:
        page = browser.get(f"/watch/incidents/{number}").text
        assert "Ordered; the platform is asked until it is gone" in page
        assert "Take it down" not in page
        assert browser.post(f"/watch/incidents/{number}/take-down", data={}).status_code == 303  # joins the first
        assert browser.post("/watch/incidents/99/take-down").status_code == 404


def test_what_is_gone_cannot_be_taken_down_and_what_ended_begins_nothing(
    as_role: Browser, school: School, clock: ToldClock
) -> None:
    number = an_incident(school, clock, kind="vanished")
    head = as_role(Role.HEADTEACHER)
    assert "Take it down" not in head.get(f"/watch/incidents/{number}").text
    assert head.post(f"/watch/incidents/{number}/take-down").status_code == 303
    assert "there is nothing to take down" in head.get(f"/watch/incidents/{number}").text
    head.post(f"/watch/incidents/{number}/close", data={"words": "I asked for it."})
    answer = head.post(f"/watch/incidents/{number}/case", data={"kind": "concern"})
    assert (answer.status_code, answer.location) == (303, f"/watch/incidents/{number}")
    assert "This has ended already." in head.get(answer.location).text


@pytest.mark.parametrize("kind", ["concern", "breach"])
def test_a_case_begins_from_what_was_found_without_its_words(
    as_role: Browser, school: School, clock: ToldClock, kind: str
) -> None:
    number = an_incident(school, clock)
    head = as_role(Role.HEADTEACHER)
    assert head.post(f"/watch/incidents/{number}/case", data={"kind": "enquiry"}).status_code == 422
    answer = head.post(f"/watch/incidents/{number}/case", data={"kind": kind})
    assert answer.status_code == 303
    assert head.get(answer.location).status_code == 200
    with school.services.db.read() as session:
        case = session.scalars(select(Case)).one()
        clocks = list(session.scalars(select(CaseClock.due_at).where(CaseClock.case_id == case.id)))
    assert case.kind == kind
    assert "Wren" not in case.title + case.words
    if kind == "breach":
        assert min(clocks) <= clock.now() + timedelta(hours=72)
