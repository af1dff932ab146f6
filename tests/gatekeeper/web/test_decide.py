"""The pages behind the link, through the web client: what they show, and above all what they refuse."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from approvals import proofs, tokens
from approvals.tables import ApprovalBase, ApprovalRequest, ApprovalToken, Decision, LedgerEntry
from gatekeeper.db.base import Base
from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.consent import Consent
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Audit, Role
from gatekeeper.posts.model import Face, Finding, Patch, Post, Publication, SecondLook
from gatekeeper.posts.status import FaceState, FindingState, PostState
from gatekeeper.settings import Settings
from gatekeeper.web.app import create_app
from gatekeeper.web.views import decide
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
WORDS = {"typed_name": "Head Quarry", "statement": "I have read it and approve it."}
Browser = Callable[[Role | None], FlaskClient]


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


def link_to(school: School, post_id: int) -> str:
    """The address in the e-mail about this post."""
    school.ask(post_id)
    with school.services.db.begin() as session:
        asked = session.get_one(ApprovalRequest, the_request(school).id)
        token = tokens.mint(
            session, request=asked, person_id=school.head, purpose=tokens.DECIDE, now=school.services.clock.now()
        )
    return f"/a/{token}"


def the_request(school: School) -> ApprovalRequest:
    with school.services.db.read() as session:
        newest = session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.opened_seq.desc())).first()
        assert newest is not None
        return newest


def opened(client: FlaskClient, link: str) -> str:
    """Open the link; returns the clean address."""
    answer = client.get(link)
    assert answer.status_code == 303
    return answer.headers["Location"]


def proved(client: FlaskClient, link: str) -> str:
    """Open the link and give the PIN; returns the clean address."""
    address = opened(client, link)
    answer = client.post(f"{address}/prove", data={"pin": PIN})
    assert answer.status_code == 303
    return address


def send(client: FlaskClient, address: str, school: School, verdict: str = "approve", **more: str) -> TestResponse:
    with school.services.db.read() as session:
        digest = session.get_one(ApprovalRequest, address.rsplit("/", 1)[-1]).digest
    return client.post(address, data={"digest": digest, "verdict": verdict, **WORDS, **more})


def count(school: School, table: type) -> int:
    with school.services.db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def everything(school: School) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with school.services.db.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table))]
            for metadata in (Base.metadata, ApprovalBase.metadata)
            for table in metadata.sorted_tables
        }


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


def test_after_the_pin_exactly_what_would_be_public_is_shown(head: FlaskClient, school: School) -> None:
    post_id = school.post(pupils=("Wren", "Jonty"), text="A great day\nat the farm.")
    page = head.get(proved(head, link_to(school, post_id)))
    for shown in (
        "A great day\nat the farm.",
        "A table full of vegetables, picture 1",
        "Quarry Bank on x",
        "Quarry Bank on facebook",
        "at the latest 12:00",
        "Pupil: Wren Applethwaite (Heron)",
        "May be shown on X and Facebook (consent, recorded 1 September 2026).",
        "Said by Mx Author Quarry",
        school.digest(post_id),
    ):
        assert shown in page.text, shown
    assert page.text.count('name="verdict" value="') == 4  # three answers, and the one that Enter presses: none


def test_findings_are_shown_with_the_authors_reasons_and_overrides_with_a_field_each(
    head: FlaskClient, school: School
) -> None:
    post_id = school.post()
    override = add_findings(school, post_id)
    page = head.get(proved(head, link_to(school, post_id)))
    assert "The family asked for it." in page.text
    assert f'name="answer-{override}"' in page.text
    assert page.text.count("<textarea") == 2
    assert "1 override asked" in page.text


def add_findings(school: School, post_id: int) -> int:
    with school.services.db.begin() as session:
        version_id = session.get_one(Post, post_id).version_id
        rows = [
            Finding(
                version_id=version_id, rule="naming.pupil", clause="3.1d", severity=severity, field="text",
                quote="harvest", message="This may be a name.", state=state, reason="The family asked for it.",
                resolved_by=school.author, resolved_at=school.services.clock.now(),
            )
            for severity, state in (
                ("block", FindingState.OVERRIDE), ("justify", FindingState.ANSWERED), ("advice", FindingState.OPEN)
            )
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return rows[0].id


def test_a_picture_is_shown_to_the_browser_that_gave_the_pin_and_to_no_other(
    head: FlaskClient, as_role: Browser, school: School
) -> None:
    post_id = school.post(photos=1)
    link = link_to(school, post_id)
    with school.services.db.read() as session:
        sha = session.get_one(Post, post_id).photos[0].rendition_sha256 or ""
    address = proved(head, link)
    picture = head.get(f"{address}/photo/{sha}")
    assert picture.mimetype == "image/jpeg"
    assert picture.data == school.services.media.read(sha)
    other = as_role(None)
    assert other.get(f"{address}/photo/{sha}").status_code == 404
    opened(other, link)
    assert other.get(f"{address}/photo/{sha}").status_code == 404
    with school.services.db.read() as session:
        elsewhere = school.services.media.put(b"another post's picture", ".jpg")
    assert head.get(f"{address}/photo/{elsewhere}").status_code == 404


@pytest.mark.parametrize(
    ("verdict", "state"), [("approve", "scheduled"), ("changes", "changes"), ("refuse", "refused")]
)
def test_a_decision_is_recorded_and_shown(head: FlaskClient, school: School, verdict: str, state: str) -> None:
    post_id = school.post(photos=1)
    address = proved(head, link_to(school, post_id))
    answer = send(head, address, school, verdict)
    assert (answer.status_code, answer.headers["Location"]) == (303, address)
    assert school.state(post_id) == state
    receipt = head.get(address)
    assert "Your decision is recorded" in receipt.text
    assert "I have read it and approve it." in receipt.text
    assert school.digest(post_id) in receipt.text


def test_what_was_written_is_shown_to_the_browser_that_decided_and_to_no_other(
    head: FlaskClient, as_role: Browser, school: School, clock: ToldClock
) -> None:
    link = link_to(school, school.post())
    other = as_role(None)
    opened(other, link)
    address = proved(head, link)
    send(head, address, school)
    assert "This post was approved on" in other.get(address).text
    assert "I have read it" not in other.get(address).text
    clock.advance(minutes=10)
    assert "I have read it" not in head.get(address).text


def test_cannot_decide_without_the_pin(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    address = opened(head, link_to(school, post_id))
    answer = send(head, address, school)
    assert answer.status_code == 403
    assert "Please enter your PIN" in answer.text
    assert count(school, Decision) == 0
    assert school.state(post_id) == PostState.WAITING


def test_cannot_decide_with_the_link_of_somebody_else_who_gave_the_pin(
    head: FlaskClient, as_role: Browser, school: School
) -> None:
    """A scanner, or the reader of a forwarded mail, is not proved by the head's PIN."""
    link = link_to(school, school.post())
    scanner = as_role(None)
    address = opened(scanner, link)
    proved(head, link)
    assert send(scanner, address, school).status_code == 403
    assert "Your PIN" in scanner.get(address).text
    assert count(school, Decision) == 0


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


def test_cannot_decide_twice_or_replay_the_form(head: FlaskClient, as_role: Browser, school: School) -> None:
    link = link_to(school, school.post())
    address = proved(head, link)
    send(head, address, school)
    for verdict in ("approve", "refuse"):
        again = send(head, address, school, verdict)
        assert again.status_code == 410
        assert "approved on" in again.text
    assert count(school, Decision) == 1
    spent = as_role(None).get(link)
    assert spent.status_code == 410
    assert "This post was approved on" in spent.text


def test_two_tabs_make_one_decision(head: FlaskClient, as_role: Browser, school: School) -> None:
    link = link_to(school, school.post())
    other = as_role(None)
    address = proved(head, link)
    proved(other, link)
    assert send(head, address, school, "refuse").status_code == 303
    second = send(other, address, school, "approve")
    assert "This post was refused on" in second.text
    assert count(school, Decision) == 1
    assert count(school, Publication) == 0


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


def test_five_wrong_pins_lock_and_say_how_to_go_on(head: FlaskClient, school: School) -> None:
    address = opened(head, link_to(school, school.post()))
    for left in ("4 tries", "3 tries", "2 tries", "1 try"):
        answer = head.post(f"{address}/prove", data={"pin": "000001"})
        assert answer.status_code == 400
        assert f"You have {left} left." in answer.text
    locked = head.post(f"{address}/prove", data={"pin": "000001"})
    assert locked.status_code == 403
    assert "Your PIN is locked" in locked.text
    assert "/account" in locked.text
    right = head.post(f"{address}/prove", data={"pin": PIN})
    assert right.status_code == 403
    assert send(head, address, school).status_code == 403
    assert count(school, Decision) == 0


@pytest.mark.parametrize("pin", ["", " ", "12345", "abcdef", "1" * 500])
def test_what_cannot_be_a_pin_costs_no_try(head: FlaskClient, school: School, pin: str) -> None:
    address = opened(head, link_to(school, school.post()))
    for _ in range(6):
        assert head.post(f"{address}/prove", data={"pin": pin}).status_code == 400
    assert head.post(f"{address}/prove", data={"pin": PIN}).status_code == 303


def test_a_head_without_a_pin_is_told_where_to_choose_one(head: FlaskClient, school: School) -> None:
    link = link_to(school, school.post())
    with school.services.db.begin() as session:
        session.execute(proofs.ApproverPin.__table__.delete())  # type: ignore[attr-defined]
    address = opened(head, link)
    assert "You have no PIN yet" in head.get(address).text
    assert "You have no PIN yet" in head.post(f"{address}/prove", data={"pin": PIN}).text


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


def test_cannot_decide_about_another_digest_and_nothing_typed_is_lost(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    address = proved(head, link_to(school, post_id))
    answer = send(head, address, school, digest="0" * 64)
    assert answer.status_code == 409
    assert "Nothing was decided" in answer.text
    assert WORDS["statement"] in answer.text
    assert count(school, Decision) == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"statement": ""}, "Please write a few words that say you approve."),
        ({"typed_name": ""}, "Please type your name."),
        ({"verdict": ""}, "Please press one of the three buttons."),
        ({"verdict": "publish"}, "Please press one of the three buttons."),
        ({"verdict": "refuse", "statement": "no"}, "Please write in a sentence why"),
    ],
)
def test_an_incomplete_form_says_what_is_missing_and_keeps_the_rest(
    head: FlaskClient, school: School, changes: dict[str, str], sentence: str
) -> None:
    address = proved(head, link_to(school, school.post()))
    answer = send(head, address, school, **{"verdict": "approve", **changes})
    assert answer.status_code == 400
    assert sentence in answer.text
    for name, words in {**WORDS, **changes}.items():
        if name in WORDS and words:
            assert words in answer.text
    assert count(school, Decision) == 0


def test_each_override_needs_its_own_answer(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    override = add_findings(school, post_id)
    address = proved(head, link_to(school, post_id))
    answer = send(head, address, school)
    assert answer.status_code == 400
    assert f'id="answer-{override}-error"' in answer.text
    assert send(head, address, school, **{f"answer-{override}": "The mother wrote to us."}).status_code == 303


def test_everything_that_is_missing_is_said_at_once(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    override = add_findings(school, post_id)
    address = proved(head, link_to(school, post_id))
    answer = send(head, address, school, statement="", typed_name="")
    for name in (f"answer-{override}", "statement", "typed_name"):
        assert f'<a href="#{name}">' in answer.text
        assert f'id="{name}-error"' in answer.text


def test_a_permission_withdrawn_before_the_page_is_opened_stands_on_top_of_it(
    head: FlaskClient, school: School, clock: ToldClock
) -> None:
    address = proved(head, link_to(school, school.post(pupils=("Wren", "Jonty"))))
    assert "each with permission here" in head.get(address).text
    with school.services.db.begin() as session:
        school.permit(session, "Wren", "facebook", allowed=False)
    page = head.get(address).text
    assert "1 face may not be shown now, so an approval cannot be recorded" in page
    assert "each with permission here" not in page
    assert "May not be shown on Facebook." in page


def test_what_was_typed_survives_the_end_of_the_proof(head: FlaskClient, school: School, clock: ToldClock) -> None:
    post_id = school.post()
    override = add_findings(school, post_id)
    address = proved(head, link_to(school, post_id))
    clock.advance(minutes=11)
    answer = send(head, address, school, **{f"answer-{override}": "The mother wrote to us."})
    assert answer.status_code == 403
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', answer.text))
    assert fields["statement"] == WORDS["statement"]
    again = head.post(f"{address}/prove", data={**fields, "pin": "000001"})
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', again.text))
    page = head.post(f"{address}/prove", data={**fields, "pin": PIN})
    assert page.status_code == 200
    for words in (*WORDS.values(), "The mother wrote to us."):
        assert words in page.text
    assert send(head, address, school, **{f"answer-{override}": "The mother wrote to us."}).status_code == 303


def test_cannot_approve_when_a_permission_was_withdrawn_meanwhile(
    head: FlaskClient, school: School, clock: ToldClock
) -> None:
    post_id = school.post(pupils=("Wren",))
    address = proved(head, link_to(school, post_id))
    with school.services.db.begin() as session:
        for consent in session.scalars(select(Consent).where(Consent.pupil_id == school.pupils["Wren"])):
            consent.withdrawn_at, consent.withdrawn_by = clock.now(), school.staff[Role.CONSENT_LEAD]
    answer = send(head, address, school)
    assert answer.status_code == 409
    assert "Not approved: something changed" in answer.text
    assert (count(school, Decision), count(school, Publication)) == (0, 0)
    assert school.state(post_id) == PostState.OPEN


def test_cannot_approve_when_one_byte_of_a_picture_changed(head: FlaskClient, school: School) -> None:
    post_id = school.post(photos=1)
    address = proved(head, link_to(school, post_id))
    with school.services.db.read() as session:
        path = school.services.media.path(session.get_one(Post, post_id).photos[0].rendition_sha256 or "")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert head.get(address).status_code == 200
    assert head.get(f"{address}/photo/{path.stem}").status_code == 404  # what is not what was checked is not shown
    answer = send(head, address, school)
    assert answer.status_code == 409
    assert "damaged" in answer.text
    assert (count(school, Decision), count(school, Publication)) == (0, 0)


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


def test_looking_after_the_pin_changes_nothing_either(head: FlaskClient, school: School) -> None:
    address = proved(head, link_to(school, school.post(photos=1)))
    before = everything(school)
    for _ in range(10):
        assert head.get(address).status_code == 200
    assert everything(school) == before


def test_giving_the_pin_leaves_a_trace(head: FlaskClient, school: School) -> None:
    proved(head, link_to(school, school.post()))
    with school.services.db.read() as session:
        assert session.scalars(select(Audit.staff_id).where(Audit.action == "decide.proved")).all() == [school.head]


def test_cannot_post_without_the_forms_secret(services: Services, school: School) -> None:
    site = create_app(services)
    if "decide" not in site.blueprints:
        site.register_blueprint(decide.bp)
    client = site.test_client()
    address = opened(client, link_to(school, school.post()))
    assert client.post(f"{address}/prove", data={"pin": PIN}).status_code == 400
    page = client.get(address).text
    secret = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert secret
    given = client.post(f"{address}/prove", data={"pin": PIN, "csrf_token": secret.group(1)})
    assert given.status_code == 303
    assert send(client, address, school).status_code == 400
    assert count(school, Decision) == 0
    assert send(client, address, school, csrf_token=secret.group(1)).status_code == 303


def test_the_signed_in_head_sees_what_waits_and_still_needs_the_pin(as_role: Browser, school: School) -> None:
    school.ask(school.post())
    client = as_role(Role.HEADTEACHER)
    assert "Harvest" in client.get("/decisions").text
    asked = the_request(school)
    answer = client.post(f"/decisions/{asked.id}/open")
    assert answer.headers["Location"] == f"/decide/{asked.id}"
    assert "Your PIN" in client.get(f"/decide/{asked.id}").text
    assert send(client, f"/decide/{asked.id}", school).status_code == 403
    assert client.post(f"/decide/{asked.id}/prove", data={"pin": PIN}).status_code == 303
    assert send(client, f"/decide/{asked.id}", school).status_code == 303
    inbox = client.get("/decisions").text
    assert "Nothing waits for you" in inbox
    assert "I have read it and approve it." in inbox


def test_looking_at_the_inbox_makes_no_link(as_role: Browser, school: School) -> None:
    school.ask(school.post())
    links = count(school, ApprovalToken)
    client = as_role(Role.HEADTEACHER)
    for _ in range(5):
        client.get("/decisions")
    assert client.get(f"/decisions/{the_request(school).id}/open").status_code == 405
    assert count(school, ApprovalToken) == links


def test_cannot_open_a_question_that_was_asked_of_somebody_else(as_role: Browser, school: School) -> None:
    school.ask(school.post())
    asked = the_request(school)
    deputy = as_role(Role.DEPUTY)
    assert "Harvest" not in deputy.get("/decisions").text
    assert deputy.post(f"/decisions/{asked.id}/open").headers["Location"] == "/decisions"
    assert deputy.get(f"/decide/{asked.id}").status_code == 404
    for role in set(Role) - {Role.HEADTEACHER, Role.DEPUTY}:
        assert as_role(role).post(f"/decisions/{asked.id}/open").status_code == 403
        assert as_role(role).get("/decisions").status_code == 403


def test_faces_are_numbered_where_they_are_in_the_cropped_picture(head: FlaskClient, school: School) -> None:
    """The crop cuts one face away, and the other keeps its number and moves with the picture."""
    post_id = school.post(pupils=("Wren", "Jonty"))
    with school.services.db.begin() as session:
        photo = session.get_one(Post, post_id).photos[0]
        photo.crop = [100, 0, 400, 300]
        photo.rendition_width, photo.rendition_height = 150, 150  # half the size of what was cut out
    page = head.get(proved(head, link_to(school, post_id))).text
    assert "Jonty Applethwaite" in page
    assert "Wren Applethwaite" not in page
    assert '<rect class="shape-line" x="5.0" y="20.0" width="25.0" height="30.0"' in page
    assert 'aria-label="Face 2: Pupil"' in page
    assert re.search(r'<span class="face-number" aria-hidden="true">2</span>', page)


def test_covered_adult_and_staff_faces_are_told_apart(head: FlaskClient, school: School, clock: ToldClock) -> None:
    post_id = school.post(photos=1)
    with school.services.db.begin() as session:
        photo = session.get_one(Post, post_id).photos[0]
        for place, (state, words) in enumerate(
            [(FaceState.COVERED, ""), (FaceState.STAFF, "Ms Okoro, asked today"), (FaceState.ADULT, "The baker, asked")]
        ):
            photo.faces.append(
                Face(
                    x1=10 + 80 * place, y1=10, x2=70 + 80 * place, y2=80, source="detector", state=state, words=words,
                    resolved_by=school.author, resolved_at=clock.now(),
                )
            )  # fmt: skip
    page = head.get(proved(head, link_to(school, post_id))).text
    for shown in ("Covered, cannot be recognised", "Member of staff", "Ms Okoro, asked today", "Another adult"):
        assert shown in page
    assert "2 adults" in page
    assert "1 face covered" in page


def add_marks(school: School, post_id: int, *names: str) -> list[int]:
    """Logos that were seen in photo 1, each explained by the author; the finding's id for each."""
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        rows = [
            Finding(
                version_id=post.version_id or 0, rule="photo-mark", clause="3.6", severity="justify",
                field="images[0].mark", quote=name, message=f"The logo “{name}” can be seen.", box=[40 * place, 20, 40 * place + 30, 50],
                state=FindingState.ANSWERED, reason="It is on our jumpers.", resolved_by=school.author,
                resolved_at=school.services.clock.now(),
            )
            for place, name in enumerate(names)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


@pytest.mark.parametrize(
    ("tick", "by"),
    [(False, ""), (True, ""), (False, "the governors"), (True, " . – "), (True, "x")],
    ids=["nothing", "tick-alone", "name-alone", "signs-alone", "one-letter"],
)
def test_cannot_approve_a_logo_without_the_tick_and_a_name(
    head: FlaskClient, school: School, tick: bool, by: str
) -> None:
    post_id = school.post(photos=1)
    (mark,) = add_marks(school, post_id, "Kestrel crest")
    address = proved(head, link_to(school, post_id))
    given = {f"mark-{mark}": "yes"} if tick else {}
    answer = send(head, address, school, **given, **{f"by-{mark}": by})
    assert answer.status_code == 400
    assert "tick that this logo may be shown and write who authorised it" in answer.text
    assert WORDS["statement"] in answer.text
    assert by.strip() in answer.text
    assert (f'name="mark-{mark}" value="yes" checked' in answer.text) is tick
    assert count(school, Decision) == count(school, Publication) == 0


def test_a_logo_goes_out_when_the_approval_says_who_authorised_it(head: FlaskClient, school: School) -> None:
    """One tick and one name for all its places, kept with the decision and, as a salted hash alone, in the ledger."""
    post_id = school.post(photos=1)
    first, second = add_marks(school, post_id, "Kestrel crest", "Kestrel crest")
    address = proved(head, link_to(school, post_id))
    page = head.get(address).text
    assert page.count("This logo may be shown in this post") == 1
    assert "Photo 1 (2 places)" in page
    more = {f"mark-{first}": "yes", f"by-{first}": "the  governors"}
    assert send(head, address, school, **more).status_code == 303
    with school.services.db.read() as session:
        answers = session.scalars(select(Decision.answers)).one()
        bodies = " ".join(session.scalars(select(LedgerEntry.body)))
    assert answers == [
        {"id": str(number), "rule": "photo-mark", "sentence": "Authorised by the governors"}
        for number in (first, second)
    ]
    assert '"rule":"photo-mark"' in bodies
    assert "governors" not in bodies
    receipt = head.get(address).text
    assert receipt.count("Authorised by the governors") == 1


def test_one_logos_authority_serves_no_other_and_an_ordinary_answer_serves_none(
    head: FlaskClient, school: School
) -> None:
    post_id = school.post(photos=1)
    crest, maker = add_marks(school, post_id, "Kestrel crest", "Strido sports")
    address = proved(head, link_to(school, post_id))
    more = {f"mark-{crest}": "yes", f"by-{crest}": "the governors", f"answer-{maker}": "It is quite all right with us."}
    answer = send(head, address, school, **more)
    assert answer.status_code == 400
    assert f'id="by-{maker}-error"' in answer.text
    assert f'id="by-{crest}-error"' not in answer.text
    assert count(school, Decision) == 0


@pytest.mark.parametrize("verdict", ["refuse", "changes"])
def test_refusing_or_asking_for_changes_needs_no_tick(head: FlaskClient, school: School, verdict: str) -> None:
    post_id = school.post(photos=1)
    add_marks(school, post_id, "Kestrel crest")
    address = proved(head, link_to(school, post_id))
    assert send(head, address, school, verdict, statement="Please choose another photo.").status_code == 303


def test_the_tick_and_its_name_survive_the_end_of_the_proof(
    head: FlaskClient, school: School, clock: ToldClock
) -> None:
    post_id = school.post(photos=1)
    (mark,) = add_marks(school, post_id, "Kestrel crest")
    address = proved(head, link_to(school, post_id))
    clock.advance(minutes=11)
    more = {f"mark-{mark}": "yes", f"by-{mark}": "the governors"}
    answer = send(head, address, school, **more)
    assert answer.status_code == 403
    assert f'name="by-{mark}" value="the governors"' in answer.text
    page = head.post(f"{address}/prove", data={"pin": PIN, **WORDS, **more}).text
    assert f'name="mark-{mark}" value="yes" checked' in page
    assert 'value="the governors"' in page


def test_what_was_found_in_a_photo_is_shown_at_its_place_with_the_authors_reason(
    head: FlaskClient, school: School
) -> None:
    post_id = school.post(photos=2)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        photo = post.photos[1]
        photo.full_size, photo.full_size_reason = True, "The winners' faces are small in it."
        photo.patches.append(
            Patch(x1=300, y1=200, x2=380, y2=280, placed_by=school.author, placed_at=school.services.clock.now())
        )
        for what, severity, box in (
            ("lettering", "justify", [10, 10, 60, 30]),
            ("code", "justify", [70, 10, 120, 60]),
            ("photo", "justify", None),
            ("photo", "advice", None),
        ):
            session.add(
                Finding(
                    version_id=post.version_id or 0, rule=f"a-{what}-{severity}", clause="3.1d", severity=severity,
                    field=f"images[1].{what}", message=f"Something about the {what}, {severity}.", box=box,
                    state=FindingState.ANSWERED, reason=f"A reason for the {what}.", resolved_by=school.author,
                )
            )  # fmt: skip
    page = head.get(proved(head, link_to(school, post_id))).text
    for words in ("Lettering in photo 2", "Code in photo 2", "<span>Photo 2 ·", "A reason for the photo.",
                  "1 hint about this photo", "1 other part covered", "sharper than usual", "faces are small in it",
                  "Published at 400 × 300 pixels", "3 points explained"):  # fmt: skip
        assert words in page, words
    assert 'aria-label="Finding 1"' in page
    assert 'aria-label="Covered part 1"' in page
    assert "What the checks said about the words" not in page


def test_a_box_that_a_second_person_looked_at_is_shown_with_both_names(head: FlaskClient, school: School) -> None:
    post_id = school.post(photos=1)
    now, lead = school.services.clock.now(), school.staff[Role.CONSENT_LEAD]
    with school.services.db.begin() as session:
        face = Face(
            x1=10, y1=10, x2=70, y2=80, source="detector", score=0.95, state=FaceState.NOT_A_FACE, resolved_by=lead,
            resolved_at=now,
        )  # fmt: skip
        photo = session.get_one(Post, post_id).photos[0]
        photo.faces.append(face)
        session.flush()
        session.add(
            SecondLook(
                face_id=face.id, asked_by=school.author, asked_at=now, no_face=True, answered_by=lead, answered_at=now,
                closed_at=now,
            )
        )  # fmt: skip
    page = head.get(proved(head, link_to(school, post_id))).text
    assert "Mx Author Quarry asked for a second look, and Mx Consent_Lead Quarry saw none either" in page
    assert "Nobody can be recognised in it." in page


def test_what_the_author_typed_is_shown_as_words_and_never_as_a_page(head: FlaskClient, school: School) -> None:
    post_id = school.post(text='<script>alert(1)</script><img src=x onerror="x">')
    page = head.get(proved(head, link_to(school, post_id))).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_very_long_words_are_cut_and_not_refused(head: FlaskClient, school: School) -> None:
    address = proved(head, link_to(school, school.post()))
    assert send(head, address, school, statement="Yes, it is fine. " * 2000).status_code == 303
    with school.services.db.read() as session:
        assert len(session.scalars(select(Decision.statement)).one() or "") <= 5000


def test_the_answer_takes_as_long_for_every_unknown_link(head: FlaskClient, school: School) -> None:
    """Not a stopwatch: the number of questions put to the database is the same."""
    from sqlalchemy import event

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
