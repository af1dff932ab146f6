"""The e-mailed link: what it leads to, what it keeps, and what it opens for nobody."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from approvals import deputies
from approvals.tables import Decision
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.change import touch
from tests.conftest import ToldClock
from tests.factories.school import PIN, School
from tests.gatekeeper.web.decide.asking import (
    Browser,
    appoint_deputy,
    count,
    everything,
    link_to,
    opened,
    proved,
    send,
    the_request,
)


def test_the_link_leads_to_a_clean_address_with_a_cookie_for_it_alone(head: FlaskClient, school: School) -> None:
    link = link_to(school, school.post())
    answer = head.get(link)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/decide/{the_request(school).id}"
    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith("gatekeeper-view=")]
    assert f"Path=/decide/{the_request(school).id}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    token = link.removeprefix("/a/")
    assert token not in cookie
    assert token not in head.get(answer.headers["Location"]).text


@pytest.mark.parametrize("what", ["link", "page", "forged"])
def test_the_pages_are_kept_nowhere_and_tell_no_other_site(head: FlaskClient, school: School, what: str) -> None:
    link = link_to(school, school.post())
    answer = head.get({"link": link, "page": opened(head, link), "forged": "/a/forged"}[what])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_before_the_pin_only_title_channels_time_and_counts_are_shown(head: FlaskClient, school: School) -> None:
    post_id = school.post(pupils=("Wren",), text="A great day at the farm.")
    page = head.get(opened(head, link_to(school, post_id)))
    assert page.status_code == 200
    assert "Harvest" in page.text
    assert "23 Nov 2026, 10:00" in page.text
    for hidden in ("farm", "Wren", "A table full", "/photo/", school.digest(post_id), 'name="verdict"'):
        assert hidden not in page.text, hidden


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.HEADTEACHER}))
def test_cannot_look_or_decide_while_somebody_else_is_signed_in(as_role: Browser, school: School, role: Role) -> None:
    link = link_to(school, school.post())
    client = as_role(role)
    address = opened(client, link)
    for answer in (
        client.get(address),
        client.post(f"{address}/prove", data={"pin": PIN}),
        send(client, address, school),
    ):
        assert answer.status_code == 403
        assert "not yours to decide" in answer.text
        assert "Harvest" not in answer.text
    assert count(school, Decision) == 0


def test_cannot_decide_about_ones_own_post(as_role: Browser, school: School) -> None:
    client = as_role(Role.AUTHOR)
    address = opened(client, link_to(school, school.post()))
    assert "You wrote this post" in send(client, address, school).text
    assert count(school, Decision) == 0


def test_cannot_use_a_link_after_its_time(
    head: FlaskClient, as_role: Browser, school: School, clock: ToldClock
) -> None:
    link = link_to(school, school.post())
    address = proved(head, link)
    clock.advance(hours=1)
    for answer in (as_role(None).get(link), head.get(address), send(head, address, school)):
        assert answer.status_code == 410
        assert "The time to decide is over" in answer.text
    assert count(school, Decision) == 0


@pytest.mark.parametrize("spoil", ["forged", "truncated", "longer", "odd", "other case"])
def test_a_link_that_never_was_gets_one_and_the_same_page(head: FlaskClient, school: School, spoil: str) -> None:
    link = link_to(school, school.post())
    other = {
        "forged": "/a/" + "A" * 43,
        "truncated": link[:-5],
        "longer": link + "A",
        "odd": "/a/%00%ff<script>",
        "other case": link.swapcase().replace("/A/", "/a/"),
    }[spoil]
    answer = head.get(other)
    assert answer.status_code == 404
    assert "This link opens nothing" in answer.text
    assert re.sub(r'content="[^"]*"', "", answer.text) == re.sub(r'content="[^"]*"', "", head.get("/a/x").text)
    assert "gatekeeper-view" not in str(answer.headers)


def test_a_page_without_its_cookie_is_the_same_as_one_that_never_was(head: FlaskClient, school: School) -> None:
    link_to(school, school.post())
    real = head.get(f"/decide/{the_request(school).id}")
    invented = head.get("/decide/0123456789abcdef0123456789abcdef")
    assert (real.status_code, invented.status_code) == (404, 404)
    assert re.sub(r'content="[^"]*"', "", real.text) == re.sub(r'content="[^"]*"', "", invented.text)


def test_the_cookie_of_one_post_opens_no_other(head: FlaskClient, school: School) -> None:
    first = opened(head, link_to(school, school.post()))
    cookie = head.get_cookie("gatekeeper-view", path=first)
    assert cookie is not None
    second = opened(head, link_to(school, school.post(text="Another.")))
    head.set_cookie("gatekeeper-view", cookie.value, path=second)
    assert head.get(second).status_code == 404


def test_cannot_decide_after_an_edit(head: FlaskClient, as_role: Browser, school: School, clock: ToldClock) -> None:
    post_id = school.post()
    link = link_to(school, post_id)
    address = proved(head, link)
    with school.services.step() as session:
        touch(session, session.get_one(Post, post_id), by=school.author, now=clock.now())
    for answer in (as_role(None).get(link), head.get(address), send(head, address, school)):
        assert answer.status_code == 410
        assert "edited" in answer.text
    assert count(school, Decision) == 0


def test_cannot_decide_with_the_link_of_an_older_version(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    old = proved(head, link_to(school, post_id))
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).state = PostState.OPEN
    new = proved(head, link_to(school, post_id))
    assert send(head, old, school).status_code == 410
    assert "newer version" in head.get(old).text
    assert send(head, new, school).status_code == 303


def test_a_mail_scanner_changes_nothing(as_role: Browser, school: School) -> None:
    """A hundred times GET, HEAD and OPTIONS on everything it can find, and a POST without a PIN."""
    link = link_to(school, school.post(photos=1))
    before = everything(school)
    scanner = as_role(None)
    address = f"/decide/{the_request(school).id}"
    for number in range(100):
        for method in ("GET", "HEAD", "OPTIONS"):
            assert scanner.open(link, method=method).status_code in (200, 303)
            if number % 10 == 0:
                for path in (address, f"{address}/prove", f"{address}/photo/{'0' * 64}"):
                    assert scanner.open(path, method=method).status_code in (200, 404, 405)
    assert scanner.post(link).status_code == 405
    send(scanner, address, school)
    scanner.post(f"{address}/prove", data={"pin": ""})
    assert everything(school) == before
    assert "pupil" not in scanner.get(address).text.lower()


def test_the_answer_takes_as_long_for_every_unknown_link(head: FlaskClient, school: School) -> None:
    """Not a stopwatch: the number of questions put to the database is the same."""
    link_to(school, school.post())
    engine, asked = school.services.db.engine, []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    counts = []
    for link in ("/a/" + "A" * 43, "/a/" + "B" * 43, "/a/x", "/a/" + "A" * 42, "/a/" + "A" * 44):
        asked.clear()
        head.get(link)
        counts.append(len(asked))
    assert len(set(counts)) == 1, counts


def test_expired_posts_say_when_it_ended(head: FlaskClient, school: School, clock: ToldClock) -> None:
    link = link_to(school, school.post(due_in=timedelta(minutes=30)))
    clock.advance(minutes=30)
    assert "Monday 23 November 2026 at 09:30" in head.get(link).text


def test_a_cookie_that_belongs_to_nothing_is_looked_up_as_one_that_does(head: FlaskClient, school: School) -> None:
    """Missing, cut off, invented: the same page after the same questions to the database."""
    link_to(school, school.post())
    real, invented = f"/decide/{the_request(school).id}", "/decide/0123456789abcdef0123456789abcdef"
    engine, asked = school.services.db.engine, []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    seen = set()
    for address in (real, invented):
        for secret in ("", "x", "A" * 43, "B" * 42, "C" * 44, "%00"):
            head.set_cookie("gatekeeper-view", secret, path=address)
            asked.clear()
            answer = head.get(address)
            seen.add((answer.status_code, len(asked), re.sub(r'content="[^"]*"', "", answer.text)))
    assert len(seen) == 1
    assert next(iter(seen))[0] == 404


@pytest.mark.parametrize("case", ["unknown", "expired", "settled", "replaced", "not yours"])
def test_every_link_that_opens_nothing_says_what_happened_and_what_to_do(
    head: FlaskClient, as_role: Browser, school: School, clock: ToldClock, case: str
) -> None:
    """Calmly, on a page that is kept nowhere, and never with a trace of the program."""
    post_id = school.post()
    link = link_to(school, post_id)
    client, status, told = head, 410, "You need do nothing"
    if case == "unknown":
        link, status, told = "/a/nothing", 404, "ask the school office"
    elif case == "expired":
        clock.advance(hours=2)
    elif case == "settled":
        send(head, proved(head, link), school, "refuse")
        client = as_role(None)
    elif case == "replaced":
        with school.services.db.begin() as session:
            session.get_one(Post, post_id).state = PostState.OPEN
        link_to(school, post_id)
        told = "only the link in the newest works"
    else:
        client, status, told = as_role(Role.AUTHOR), 403, "Sign out"
    answer = client.get(link, follow_redirects=True)
    assert answer.status_code == status
    assert told in answer.text
    assert "Nothing was changed by opening this page." in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    for hidden in ("Traceback", "Harvest", school.digest(post_id)):
        assert hidden not in answer.text


def test_a_deputy_whose_time_is_over_reads_nothing_any_more(
    as_role: Browser, head: FlaskClient, school: School, clock: ToldClock
) -> None:
    appoint_deputy(school)
    school.ask(school.post(text="A great day at the farm.", due_in=timedelta(days=3)))
    deputy = as_role(Role.DEPUTY)
    address = deputy.post(f"/decisions/{the_request(school).id}/open").headers["Location"]
    deputy.post(f"{address}/prove", data={"pin": PIN})
    assert "farm" in deputy.get(address).text
    with school.services.db.begin() as session:
        appointment = deputies.in_force(session, clock.now())
        assert appointment is not None
        deputies.end(session, appointment, by_person=school.head, how=deputies.Ending.BY_HAND, now=clock.now())
    answer = deputy.get(address)
    assert answer.status_code in (403, 404, 410)
    assert "farm" not in answer.text
