"""The Mail page, and what an author reads where the question about their post may not have arrived."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals.tables import ApprovalRequest
from gatekeeper import jobs
from gatekeeper.mail.model import Notice
from gatekeeper.mail.order import order_notice
from gatekeeper.people.school import school_settings
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Audit, Role
from gatekeeper.workflow import digest
from gatekeeper.workflow.mail_view import PUT_AWAY
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.bounces import postfix
from tests.factories.school import School

Browser = Callable[[Role | None], FlaskClient]
REFUSED = "The mail server refused the recipient's address. Is it spelt right?"


@pytest.fixture
def ordered(services: Services, people: dict[Role, int], clock: ToldClock) -> Callable[..., int]:
    def order(kind: str = "decided", *, to: Role = Role.AUTHOR, **changes: object) -> int:
        with services.db.begin() as session:
            notice = order_notice(
                session, kind, staff_id=people[to], subject=f"{kind}:{to}:{len(changes)}", now=clock.now()
            )
            for name, value in changes.items():
                setattr(notice, name, value)
            return notice.id

    return order


def stored(services: Services, notice_id: int) -> Notice:
    with services.db.read() as session:
        return session.get_one(Notice, notice_id)


def test_nothing_to_do_is_said_and_counts_nothing(browser: Browser) -> None:
    page = browser(Role.ADMINISTRATOR).get("/mail").text
    assert "Every e-mail arrived" in page
    assert ">Mail</a>" in page


def test_what_failed_stands_on_the_page_with_to_whom_why_and_since_when(
    browser: Browser, ordered: Callable[..., int], clock: ToldClock
) -> None:
    ordered(failed_at=clock.now(), problem=REFUSED, tries=1)
    ordered("expired", problem="The mail server could not be reached.", tries=7)
    ordered("approval_request", to=Role.HEADTEACHER, problem=digest.HELD)
    page = browser(Role.ADMINISTRATOR).get("/mail").text
    for words in ("Decision about a post", "Author Person", "author@school.example", "Is it spelt right?",
                  "Could not be delivered", "Not sent yet", "tried 7 times", ">Mail (1)</a>"):  # fmt: skip
        assert words in page, words
    assert "headteacher@school.example" not in page  # held back on purpose is no trouble


@pytest.mark.parametrize("role", [None, *(role for role in Role if role is not Role.ADMINISTRATOR)], ids=str)
def test_the_page_is_for_administrators(browser: Browser, role: Role | None) -> None:
    assert browser(role).get("/mail").status_code == (303 if role is None else 403)


def test_trying_again_orders_it_anew_and_is_written_down(
    browser: Browser, services: Services, ordered: Callable[..., int], clock: ToldClock
) -> None:
    notice_id = ordered(failed_at=clock.now(), problem=REFUSED, sent_at=clock.now(), tries=1)
    with services.db.begin() as session:
        session.delete(session.scalars(select(jobs.Order)).one())
    admin = browser(Role.ADMINISTRATOR)
    assert admin.post(f"/mail/{notice_id}/again").status_code == 303
    row = stored(services, notice_id)
    assert (row.failed_at, row.sent_at, row.problem) == (None, None, "")
    with services.db.read() as session:
        assert jobs.due(session, "mail", now=clock.now()) == [("notify", notice_id)]
        assert session.scalars(select(Audit.action)).all() == ["mail.tried_again"]
    assert "sent or put away in the meantime" in admin.post(f"/mail/{notice_id}/again", follow_redirects=True).text


def test_putting_away_takes_it_off_the_page_and_sends_nothing(
    browser: Browser, services: Services, ordered: Callable[..., int], clock: ToldClock
) -> None:
    notice_id = ordered(failed_at=clock.now(), problem=REFUSED, tries=1)
    admin = browser(Role.ADMINISTRATOR)
    admin.post(f"/mail/{notice_id}/put-away")
    assert stored(services, notice_id).problem == PUT_AWAY
    assert "Every e-mail arrived" in admin.get("/mail").text
    waiting = ordered("expired", problem="The mail server could not be reached.")
    assert "cannot be put away" in admin.post(f"/mail/{waiting}/put-away", follow_redirects=True).text
    assert admin.post("/mail/999/again").status_code == 404


def test_a_saved_report_can_be_handed_in(
    browser: Browser, services: Services, ordered: Callable[..., int], clock: ToldClock
) -> None:
    notice_id = ordered(sent_at=clock.now())
    message_id = stored(services, notice_id).message_id
    admin = browser(Role.ADMINISTRATOR)
    for words in ("noted as undelivered", "taken in before"):
        upload = {"report": (io.BytesIO(postfix(message_id)), "report.eml")}
        assert words in admin.post("/mail/report", data=upload, follow_redirects=True).text
    assert stored(services, notice_id).problem == "The e-mail came back. There is no such mailbox."
    page = admin.get("/mail").text
    assert ">Mail (1)</a>" in page


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Please choose the saved report"),
        (b"hello", "no delivery report"),
        (postfix("<another@gatekeeper>"), "about no e-mail of ours"),
    ],
    ids=["nothing", "letter", "foreign"],
)
def test_a_file_that_is_no_report_of_ours_is_refused_with_a_sentence(browser: Browser, data: bytes, words: str) -> None:
    answer = browser(Role.ADMINISTRATOR).post("/mail/report", data={"report": (io.BytesIO(data), "x.eml")})
    assert answer.status_code == 422
    assert words in answer.text


@pytest.fixture
def waiting_post(services: Services, clock: ToldClock) -> tuple[School, int]:
    """A post that the head was asked about; the e-mail is in the state that the test gives it."""
    school = School(services)
    post_id = school.post()
    school.ask(post_id)
    with services.db.begin() as session:
        request = session.scalars(select(ApprovalRequest)).one()
        order_notice(
            session, "approval_request", staff_id=school.head, subject=f"request:{request.id}", now=clock.now(),
            context={"request_id": request.id},
        )  # fmt: skip
    return school, post_id


def as_author(app: Flask, services: Services, school: School, post_id: int) -> str:
    client = app.test_client()
    with services.db.begin() as session:
        client.set_cookie("gatekeeper", begin_session(session, school.author, now=services.clock.now()))
    answer = client.get(f"/posts/{post_id}")
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"sent": True}, None),
        ({"problem": digest.HELD}, None),
        ({"failed": True, "problem": REFUSED}, "The e-mail to the headteacher could not be delivered."),
        ({"sent": True, "failed": True, "problem": "It came back."}, "The e-mail to the headteacher could not be delivered."),
        ({"problem": "The mail server could not be reached."}, "The e-mail to the headteacher has not gone out yet."),
    ],
    ids=["fresh", "sent", "held-back", "refused", "came-back", "trying"],
)  # fmt: skip
def test_the_author_reads_where_the_question_may_not_have_arrived(
    app: Flask, services: Services, waiting_post: tuple[School, int],
    changes: dict[str, object], words: str | None,
) -> None:  # fmt: skip
    school, post_id = waiting_post
    with services.db.begin() as session:
        notice = session.scalars(select(Notice)).one()
        now = services.clock.now()
        notice.sent_at = now if changes.get("sent") else None
        notice.failed_at = now if changes.get("failed") else None
        notice.problem = str(changes.get("problem", ""))
    page = as_author(app, services, school, post_id)
    if words:
        assert words in page
    else:
        assert "The e-mail to" not in page


def test_the_author_reads_it_too_where_the_question_went_together_with_others(
    app: Flask, services: Services, waiting_post: tuple[School, int], clock: ToldClock
) -> None:
    school, post_id = waiting_post
    with services.db.begin() as session:
        asking = session.scalars(select(Notice)).one()
        asking.sent_at, asking.problem = clock.now(), digest.TOGETHER
        more = order_notice(
            session, digest.MORE, staff_id=school.head, subject="more:1", now=clock.now(),
            context={"requests": [asking.context["request_id"]]},
        )  # fmt: skip
        more.failed_at, more.problem = clock.now(), REFUSED
    assert "could not be delivered" in as_author(app, services, school, post_id)


def test_the_school_day_and_the_terms_are_set_on_the_schools_page(browser: Browser, services: Services) -> None:
    office = browser(Role.ADMINISTRATOR)
    typed = {"name": "Hillside", "colour": "#2f6b4f", "governor": "0", "day_start": "07:45", "day_end": "16:30"}
    night = office.post("/school", data={**typed, "day_end": "23:30", "terms": ""})
    assert night.status_code == 422
    assert "nobody is reminded at night" in night.text
    wrong = office.post("/school", data={**typed, "terms": "autumn"})
    assert wrong.status_code == 422
    assert "is no term" in wrong.text
    assert office.post("/school", data={**typed, "terms": "03/09/2026 to 18/12/2026"}).status_code == 303
    with services.db.read() as session:
        settings = school_settings(session)
    assert settings["school_day"] == {"start": "07:45", "end": "16:30"}
    assert settings["terms"] == [["2026-09-03", "2026-12-18"]]
    page = office.get("/school").text
    assert 'value="07:45"' in page
    assert "03/09/2026 to 18/12/2026" in page
