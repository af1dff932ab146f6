"""The pages about what is kept for how long, and the legal holds."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from gatekeeper.cases.model import Case, LegalHold
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Audit, Role
from gatekeeper.policy import retention
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import purge
from gatekeeper.workflow.legal_hold import MAY_HOLD
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock

Browser = Callable[[Role | None], FlaskClient]
KEEPERS = (Role.ADMINISTRATOR, Role.HEADTEACHER)
REASON = "Agreed with the data protection officer"


@pytest.fixture
def post_id(services: Services, people: dict[Role, int], clock: ToldClock) -> int:
    """A draft that was withdrawn, and that nobody will miss."""
    at = clock.now() - timedelta(days=31)
    with services.db.begin() as session:
        post = Post(
            author_id=people[Role.AUTHOR], text="Wren Applethwaite won", state=PostState.WITHDRAWN, created_at=at,
            changed_at=at,
        )  # fmt: skip
        session.add(post)
        session.flush()
        return post.id


@pytest.fixture
def case_id(services: Services, people: dict[Role, int], clock: ToldClock) -> int:
    with services.db.begin() as session:
        case = Case(kind="complaint", title="A claim", opened_by=people[Role.HEADTEACHER], opened_at=clock.now())
        session.add(case)
        session.flush()
        return case.id


def stored(services: Services) -> object:
    with services.db.read() as session:
        return school_settings(session)["retention"]


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_the_periods_are_for_the_head_and_the_administrator(browser: Browser, role: Role) -> None:
    assert browser(role).get("/retention").status_code == (200 if role in KEEPERS else 403)
    assert browser(role).get("/retention/holds").status_code == (200 if role in MAY_HOLD else 403)


def test_the_page_tells_every_class_and_counts_without_naming(browser: Browser, post_id: int) -> None:
    page = browser(Role.HEADTEACHER).get("/retention").text
    for one in retention.classes().values():
        assert one.name in page, one.id
    assert '<td data-label="Would go tonight">1</td>' in page
    assert "Applethwaite" not in page


def test_the_page_tells_the_last_nights_and_what_failed(
    browser: Browser, services: Services, post_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No night has passed yet" in browser(Role.HEADTEACHER).get("/retention").text
    purge.run(services)
    page = browser(Role.HEADTEACHER).get("/retention").text
    assert "Posts that never went out: 1" in page
    assert "not everything could be erased" not in page


def test_a_period_is_changed_with_a_reason_and_both_stand_in_the_audit(
    browser: Browser, services: Services, people: dict[Role, int]
) -> None:
    form = {"days": "60", "reason": REASON, "shown": "30"}
    answer = browser(Role.ADMINISTRATOR).post("/retention/classes/rejected", data=form)
    assert answer.status_code == 303
    assert stored(services) == {"rejected": 60}
    with services.db.read() as session:
        row = session.scalars(select(Audit).where(Audit.action == "retention.changed")).one()
    assert row.staff_id == people[Role.ADMINISTRATOR]
    assert row.detail == {"class": "rejected", "from": "30 days", "to": "60 days", "reason": REASON}
    back = browser(Role.HEADTEACHER).post("/retention/classes/rejected", data={**form, "days": "30", "shown": "60"})
    assert (back.status_code, stored(services)) == (303, {})


@pytest.mark.parametrize(
    ("class_id", "changes", "status", "says"),
    [
        ("rejected", {"days": "6"}, 422, "from 7 to 36500"),
        ("rejected", {"days": "36501"}, 422, "from 7 to 36500"),
        ("rejected", {"days": "-3"}, 422, "from 7 to 36500"),
        ("rejected", {"days": ""}, 422, "from 7 to 36500"),
        ("rejected", {"days": "soon"}, 422, "Not a valid integer"),
        ("rejected", {"reason": "because"}, 422, "say in a sentence why"),
        ("rejected", {"never": "y"}, 422, "may not be kept without an end"),
        ("rejected", {"shown": "31"}, 409, "changed this period meanwhile"),
        ("rejected", {"shown": "x"}, 409, "changed this period meanwhile"),
        ("nothing", {}, 404, "no such class of data"),
    ],
    ids=str,
)
def test_a_period_that_may_not_be_is_refused_and_what_was_typed_stays(  # noqa: PLR0917 - the cases' columns
    browser: Browser, services: Services, class_id: str, changes: dict[str, str], status: int, says: str
) -> None:
    form = {"days": "60", "reason": REASON, "shown": "30", **changes}
    answer = browser(Role.HEADTEACHER).post(f"/retention/classes/{class_id}", data=form)
    assert answer.status_code == status
    assert says in answer.text
    assert status == 404 or form["reason"] in answer.text
    assert stored(services) == {}


def test_the_audit_may_be_kept_without_an_end(browser: Browser, services: Services) -> None:
    form = {"days": "2190", "never": "y", "reason": REASON, "shown": "2190"}
    assert browser(Role.HEADTEACHER).post("/retention/classes/audit", data=form).status_code == 303
    assert stored(services) == {"audit": None}
    assert (
        "kept without an end" in browser(Role.HEADTEACHER).get("/retention").text
        or "without an end" in browser(Role.HEADTEACHER).get("/retention").text
    )


def test_a_hold_is_placed_keeps_and_ends(
    browser: Browser, services: Services, post_id: int, case_id: int, clock: ToldClock
) -> None:
    lead = browser(Role.CONSENT_LEAD)
    form = {"case": str(case_id), "kind": "post", "number": str(post_id), "reason": "A solicitor wrote to us"}
    assert lead.post("/retention/holds", data=form).status_code == 303
    assert lead.post("/retention/holds", data=form).status_code == 409
    page = lead.get("/retention/holds").text
    assert f"Post {post_id}" in page
    assert "A solicitor wrote to us" in page
    purge.run(services)
    with services.db.read() as session:
        assert session.get_one(Post, post_id).text != ""
        hold_id = session.scalars(select(LegalHold.id)).one()
    short = lead.post(f"/retention/holds/{hold_id}/end", data={"reason": "done"})
    assert (short.status_code, "say in a sentence" in short.text) == (422, True)
    assert lead.post(f"/retention/holds/{hold_id}/end", data={"reason": "The claim was dropped"}).status_code == 303
    assert "Holds that have ended" in lead.get("/retention/holds").text
    clock.advance(days=1)
    purge.run(services)
    with services.db.read() as session:
        assert session.get_one(Post, post_id).text == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"case": "77"},
        {"case": ""},
        {"case": "99999999999999999999"},
        {"number": "77"},
        {"number": ""},
        {"number": "-1"},
        {"number": "99999999999999999999"},
        {"kind": "staff"},
        {"reason": "no"},
        {"reason": ""},
    ],
    ids=str,
)
def test_a_hold_on_nothing_or_for_no_reason_is_refused(
    browser: Browser, services: Services, post_id: int, case_id: int, changes: dict[str, str]
) -> None:
    form = {
        "case": str(case_id),
        "kind": "post",
        "number": str(post_id),
        "reason": "A solicitor wrote to us",
        **changes,
    }
    assert browser(Role.HEADTEACHER).post("/retention/holds", data=form).status_code == 422
    with services.db.read() as session:
        assert session.scalars(select(LegalHold.id)).all() == []


def test_the_page_of_an_erased_post_says_so(browser: Browser, services: Services, post_id: int) -> None:
    purge.run(services)
    for path in (f"/posts/{post_id}", f"/posts/{post_id}/edit"):
        answer = browser(Role.AUTHOR).get(path)
        assert answer.status_code == 404
        assert "were erased on 23 November 2026" in answer.text
    assert f"/posts/{post_id}" not in browser(Role.AUTHOR).get("/posts").text
