"""The page about sending: three roles stop everything with one press, only the head lets go; everybody reads of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals import proofs
from approvals.tables import ApproverPin
from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import EmergencyStop, Publication, Restoration
from gatekeeper.posts.status import PublicationState
from gatekeeper.settings import Settings
from gatekeeper.web.limits import limiter
from gatekeeper.workflow import emergency
from gatekeeper.workflow.emergency import MAY_PRESS
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services
from tests.gatekeeper.web.decide.asking import link_to, proved

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
Browser = Callable[[Role], FlaskClient]


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock) -> Services:
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
def as_role(app: Flask, school: School, clock: ToldClock, monkeypatch: pytest.MonkeyPatch) -> Browser:
    monkeypatch.setattr(limiter, "enabled", False)

    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


def standing(school: School) -> EmergencyStop | None:
    with school.services.db.read() as session:
        return emergency.standing(session)


def restored(school: School, clock: ToldClock) -> None:
    with school.services.db.begin() as session:
        session.add(Restoration(taken_at=clock.now(), restored_at=clock.now()))


@pytest.mark.parametrize("role", sorted(Role))
def test_each_role_finds_the_button_exactly_where_it_may_press_it(as_role: Browser, school: School, role: Role) -> None:
    browser = as_role(role)
    may = role in MAY_PRESS
    assert ("Stop everything now" in browser.get("/").text) == may
    assert browser.get("/sending").status_code == (200 if may else 403)
    assert browser.post("/sending/stop").status_code == (303 if may else 403)
    assert (standing(school) is not None) == may
    page = browser.get("/").text
    assert "Stop everything now" not in page
    assert ("nothing goes out" in page) == may
    assert ("(stopped)" in page) == may


def test_one_press_stops_everything_and_the_page_says_so(as_role: Browser, school: School) -> None:
    for role in (Role.HEADTEACHER, Role.ADMINISTRATOR):
        assert "Stop everything now" in as_role(role).get("/channels").text
    deputy = as_role(Role.DEPUTY)
    answer = deputy.post("/sending/stop", data={"reason": "Something is <wrong>."}, follow_redirects=True)
    assert answer.status_code == 200
    assert "Nothing was being sent at that moment" in answer.text
    assert "Something is &lt;wrong&gt;." in answer.text
    assert "Only the headteacher lets sending go on" in answer.text
    assert 'name="pin"' not in answer.text
    again = as_role(Role.ADMINISTRATOR).post("/sending/stop", follow_redirects=True)
    assert "was stopped already" in again.text
    assert "Mx Deputy Quarry" in again.text


def test_what_was_being_sent_is_said_and_linked(as_role: Browser, school: School) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    with school.services.db.begin() as session:
        session.get_one(Publication, publication).state = PublicationState.SENDING
    page = as_role(Role.HEADTEACHER).post("/sending/stop", follow_redirects=True).text
    assert "1 post was being sent at that moment" in page
    assert f'href="/posts/{post}"' in page
    assert "Being sent" in page


@pytest.mark.parametrize("role", sorted(Role))
def test_everybody_signed_in_reads_on_every_page_that_nothing_goes_out(
    as_role: Browser, school: School, role: Role
) -> None:
    emergency.press(school.services, by=school.head, reason="A secret reason.")
    browser = as_role(role)
    for address in ("/", "/account", "/help", "/nowhere"):
        page = browser.get(address).text
        assert "Sending is stopped" in page, address
        assert "by Mx Headteacher Quarry" in page
        assert "A secret reason" not in page
        assert ('href="/sending"' in page) == (role in MAY_PRESS)


def test_who_is_not_signed_in_reads_of_it_only_where_they_decide_and_without_a_name(app: Flask, school: School) -> None:
    visitor = app.test_client()
    link = link_to(school, school.post())
    emergency.press(school.services, by=school.staff[Role.ADMINISTRATOR])
    for address in ("/signin", "/help", "/a/nothing"):
        assert "Sending is stopped" not in visitor.get(address, follow_redirects=True).text
    page = visitor.get(proved(visitor, link)).text
    assert "Sending is stopped" in page
    assert "Administrator Quarry" not in page


def test_a_posts_page_says_that_it_is_held_and_until_when(as_role: Browser, school: School) -> None:
    post = school.post(kinds=("x",))
    school.approve(post)
    emergency.press(school.services, by=school.head)
    page = as_role(Role.AUTHOR).get(f"/posts/{post}").text
    assert "Approved, and held" in page
    assert "It goes out if sending goes on before 12:00 on 23 November" in page
    assert "needs a new time and a new approval" in page
    assert "It goes out by itself" not in page
    assert "Approved, and held" in as_role(Role.AUTHOR).get("/").text


def test_the_head_lifts_it_by_the_second_proof(as_role: Browser, school: School, clock: ToldClock) -> None:
    school.approve(school.post(kinds=("x",)))
    emergency.press(school.services, by=school.head)
    clock.advance(hours=1)
    head = as_role(Role.HEADTEACHER)
    page = head.get("/sending").text
    assert "may go out until" in page
    for pin, sentence in (("", "second proof"), ("000001", "4 tries left")):
        refused = head.post("/sending/on", data={"pin": pin})
        assert refused.status_code == 422
        assert sentence in refused.text
        assert standing(school) is not None
    answer = head.post("/sending/on", data={"pin": PIN}, follow_redirects=True)
    assert "Sending goes on" in answer.text
    assert "lifted by Mx Headteacher Quarry" in answer.text
    assert "nothing goes out" not in answer.text
    assert standing(school) is None
    assert head.post("/sending/on", data={"pin": PIN}).status_code == 409


@pytest.mark.parametrize("address", ["/sending/on", "/sending/restored"])
def test_nobody_but_the_head_lets_sending_go_on(
    as_role: Browser, school: School, clock: ToldClock, address: str
) -> None:
    restored(school, clock)
    emergency.press(school.services, by=school.head)
    with school.services.db.begin() as session:
        proofs.set_pin(session, school.staff[Role.DEPUTY], PIN, now=clock.now())
    for role in sorted(set(Role) - {Role.HEADTEACHER}):
        assert as_role(role).post(address, data={"pin": PIN}).status_code == 403
    assert standing(school) is not None


def test_a_restore_is_finished_only_when_nothing_is_open(as_role: Browser, school: School, clock: ToldClock) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    later = school.post(kinds=("facebook",))
    school.approve(later)
    restored(school, clock)
    head = as_role(Role.HEADTEACHER)
    for state, sentence in (
        (PublicationState.UNKNOWN, "looks at the channels by itself"),
        (PublicationState.NEEDS_PERSON, "say what you see"),
    ):
        with school.services.db.begin() as session:
            session.get_one(Publication, publication).state = state
        page = head.get("/sending").text
        assert sentence in page
        assert "The restore can be finished once" in page
        assert head.post("/sending/restored", data={"pin": "000001"}).status_code == 409
    assert f'href="/posts/{post}"' in page
    with school.services.db.begin() as session:
        assert session.get_one(ApproverPin, school.head).failures == 0, "no try is spent while it cannot be finished"
        session.get_one(Publication, publication).state = PublicationState.FAILED
    page = head.get("/sending").text
    assert "What the headteacher puts right" in page
    assert f'href="/posts/{later}"' in page
    assert "Stop everything now" not in page
    assert head.post("/sending/restored", data={"pin": "000001"}).status_code == 422
    assert "The restore is finished" in head.post("/sending/restored", data={"pin": PIN}, follow_redirects=True).text
    with school.services.db.read() as session:
        assert session.scalars(select(Restoration)).one().finished_at == clock.now()


def test_after_a_restore_the_stop_of_before_still_stands_until_it_is_lifted(
    as_role: Browser, school: School, clock: ToldClock
) -> None:
    emergency.press(school.services, by=school.head)
    restored(school, clock)
    head = as_role(Role.HEADTEACHER)
    page = head.get("/sending").text
    assert page.count('name="pin"') == 1
    assert "Sending stays stopped until you lift the stop as well" in page
    head.post("/sending/restored", data={"pin": PIN})
    assert standing(school) is not None
    head.post("/sending/on", data={"pin": PIN})
    assert standing(school) is None


def test_after_a_restore_every_page_says_why_nothing_goes_out(
    as_role: Browser, school: School, clock: ToldClock
) -> None:
    restored(school, clock)
    assert "put back from a backup of" in as_role(Role.AUTHOR).get("/").text
