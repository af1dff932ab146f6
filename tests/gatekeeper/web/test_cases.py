"""The pages of cases: what each reader is shown, what a refused form keeps, and the enquiry desk from end to end."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from gatekeeper.cases.model import Case, CaseKind, CaseReply
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Post
from gatekeeper.settings import Settings
from gatekeeper.web.limits import limiter
from gatekeeper.workflow import notify
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
Browser = Callable[[Role], FlaskClient]
CONCERN = {
    "title": "A photo of the staff room",
    "words": "It shows <b>marks</b> on the wall.",
    "link": "https://x.example/1",
}
SECRET = "Between us: she has been warned before."


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
    school = School(services)
    with services.db.begin() as session:
        session.get_one(Staff, school.author).line_manager_id = school.staff[Role.LINE_MANAGER]
    return school


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock, monkeypatch: pytest.MonkeyPatch) -> Browser:
    monkeypatch.setattr(limiter, "enabled", False)

    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


def screenshot() -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (30, 60, 90)).save(out, "PNG")
    out.seek(0)
    return out, "shot.png"


def newest(school: School) -> Case:
    with school.services.db.read() as session:
        found = session.scalars(select(Case).order_by(Case.id.desc())).first()
    assert found is not None
    return found


def page(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.get_data(as_text=True)


def test_a_concern_is_reported_with_a_screenshot_and_its_link_is_only_text(school: School, as_role: Browser) -> None:
    author = as_role(Role.AUTHOR)
    answer = author.post("/cases/new/concern", data=CONCERN | {"picture": screenshot()})
    assert answer.status_code == 303
    shown = page(author, answer.headers["Location"])
    assert "&lt;b&gt;marks&lt;/b&gt;" in shown
    assert 'href="https://x.example' not in shown
    picture = author.get(f"{answer.headers['Location']}/pictures/1")
    assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
    assert as_role(Role.DEPUTY).get(f"{answer.headers['Location']}/pictures/1").status_code == 404


def test_a_reporter_reads_what_is_meant_for_them_and_no_more(school: School, as_role: Browser) -> None:
    author, manager = as_role(Role.AUTHOR), as_role(Role.LINE_MANAGER)
    where = author.post("/cases/new/concern", data=CONCERN).headers["Location"]
    manager.post(f"{where}/note", data={"words": SECRET})
    manager.post(f"{where}/note", data={"words": "Thank you, we look at it.", "shared": "yes"})
    shown = page(author, where)
    assert "Thank you, we look at it." in shown
    assert SECRET not in shown
    assert "Close it" not in shown
    assert SECRET in page(manager, where)


def test_a_form_that_is_refused_keeps_what_was_typed_and_says_what_is_wrong(school: School, as_role: Browser) -> None:
    head = as_role(Role.HEADTEACHER)
    answer = head.post(
        "/cases/new/removal",
        data={
            "title": "A post about the school",
            "words": "Section 3.2",
            "deadline_date": "31/02/2027",
            "deadline_time": "15:00",
        },
    )
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "This is not a date." in shown
    assert "A post about the school" in shown
    assert 'href="#deadline_date"' in shown
    with school.services.db.read() as session:
        assert session.scalar(select(Case.id)) is None


def test_a_time_that_comes_twice_is_asked_about(as_role: Browser, clock: ToldClock) -> None:
    clock.advance(days=-28)  # Monday 26 October 2026: the clocks went back yesterday
    answer = as_role(Role.ADMINISTRATOR).post(
        "/cases/new/breach",
        data={"title": "A list", "words": "It went out", "began_date": "2026-10-25", "began_time": "01:30"},
    )
    assert answer.status_code == 422
    assert "began_fold-0" in answer.get_data(as_text=True)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_form_opens_for_those_who_may_and_for_nobody_else(as_role: Browser, kind: CaseKind) -> None:
    for role in Role:
        allowed = kind in ("concern", "breach", "complaint") or (
            role == Role.HEADTEACHER if kind == "removal" else role != Role.AUDITOR
        )
        assert as_role(role).get(f"/cases/new/{kind}").status_code == (200 if allowed else 404), role
    assert as_role(Role.HEADTEACHER).get("/cases/new/gossip").status_code == 404


@pytest.mark.parametrize(
    "path", ["note", "wait", "hand-over", "pictures", "due/report", "breach", "answer", "take-back", "close", "reopen", "export"]
)  # fmt: skip
def test_a_stranger_changes_nothing_in_a_case_and_learns_not_even_that_it_is_there(
    school: School, as_role: Browser, path: str
) -> None:
    where = as_role(Role.AUTHOR).post("/cases/new/concern", data=CONCERN).headers["Location"]
    data: dict[str, object] = {"words": "x y z", "to": str(school.head), "picture": screenshot()}
    there = as_role(Role.ADMINISTRATOR).post(f"{where}/{path}", data=data)
    data["picture"] = screenshot()
    nowhere = as_role(Role.ADMINISTRATOR).post(f"/cases/999/{path}", data=data)
    assert there.status_code == nowhere.status_code == 404
    assert newest(school).state == "open"


def test_the_headteacher_works_through_a_breach_and_takes_it_out(school: School, as_role: Browser) -> None:
    where = (
        as_role(Role.AUTHOR)
        .post("/cases/new/breach", data={"title": "A list", "words": "It went out"})
        .headers["Location"]
    )
    head = as_role(Role.HEADTEACHER)
    shown = page(head, where)
    assert "Report to the ICO, or record why not" in shown
    assert "Thu 26 Nov 2026, 09:00" in shown
    assert head.post(f"{where}/close", data={"result": "reported", "words": "All done."}).status_code == 422
    head.post(f"{where}/breach", data={"what": "A list with 31 names.", "high_risk": "yes"})
    for name in ("report", "people"):
        assert head.post(f"{where}/due/{name}", data={"words": "Done by telephone."}).status_code == 303
    assert head.post(f"{where}/close", data={"result": "reported", "words": "All done."}).status_code == 303
    package = head.post(f"{where}/export")
    with zipfile.ZipFile(io.BytesIO(package.data)) as bundle:
        assert b"A list with 31 names." in bundle.read("case.json")
    assert as_role(Role.AUTHOR).post(f"{where}/export").status_code == 403
    assert "31 names" not in page(as_role(Role.AUTHOR), where)


def test_a_case_that_nobody_else_may_have_is_not_offered_to_be_handed_over(school: School, as_role: Browser) -> None:
    head = as_role(Role.HEADTEACHER)
    form = {
        "about": str(school.author), "title": "A photo", "words": "Clause 7.2", "link": "x.example/1",
        "deadline_date": "2026-12-20", "deadline_time": "12:00",
    }  # fmt: skip
    where = head.post("/cases/new/removal", data=form).headers["Location"]
    shown = page(head, where)
    assert "There is nobody else here who may look after it" in shown
    assert "/hand-over" not in shown
    refused = head.post(f"{where}/hand-over", data={"to": str(school.head)}, follow_redirects=True)
    assert refused.status_code == 422
    assert "They get an e-mail" not in refused.text


def test_who_takes_a_case_over_is_not_told_of_an_e_mail(school: School, as_role: Browser) -> None:
    where = as_role(Role.AUTHOR).post("/cases/new/concern", data=CONCERN).headers["Location"]
    head = as_role(Role.HEADTEACHER)
    shown = head.post(f"{where}/hand-over", data={"to": str(school.head)}, follow_redirects=True).text
    assert "You look after it now." in shown
    assert "They get an e-mail" not in shown


def test_who_opened_a_case_and_works_on_it_is_not_asked_what_they_themselves_may_read(as_role: Browser) -> None:
    lead = as_role(Role.CONSENT_LEAD)
    where = lead.post("/cases/new/breach", data={"title": "A list", "words": "It went out"}).headers["Location"]
    assert "may read this" in page(as_role(Role.HEADTEACHER), where)
    own = page(lead, where)
    assert "Add the note" in own
    assert "may read this" not in own
    assert "nothing else of the outcome" not in own


def test_asking_first_from_a_draft_freezes_it_until_the_answer(school: School, as_role: Browser) -> None:
    post_id, author = school.post(), as_role(Role.AUTHOR)
    assert "Ask first" in page(author, f"/posts/{post_id}")
    assert "Send to the headteacher" in page(author, f"/posts/{post_id}")
    address = author.get(f"/cases/about/{post_id}").headers["Location"]
    assert "frozen from the moment you ask" in page(author, address)
    asked = author.post(address, data={"title": "Harvest", "words": "May I?", "post": str(post_id)}).headers["Location"]
    frozen = page(author, f"/posts/{post_id}")
    assert "Frozen until there is an answer." in frozen
    assert "Send to the headteacher" not in frozen
    assert author.post(f"/posts/{post_id}/send").status_code in (409, 422)
    manager = as_role(Role.LINE_MANAGER)
    assert manager.post(f"{asked}/answer", data={"verdict": "go_ahead", "words": ""}).status_code == 422
    assert manager.post(f"{asked}/answer", data={"verdict": "go_ahead", "words": "Yes, do."}).status_code == 303
    assert "Yes, do." in page(author, asked)
    assert author.post(f"/posts/{post_id}/send").status_code == 303
    with school.services.db.read() as session:
        assert session.get_one(Post, post_id).asked_first is None


def test_nobody_asks_about_a_post_that_is_not_theirs(school: School, as_role: Browser) -> None:
    post_id = school.post()
    assert as_role(Role.CONSENT_LEAD).get(f"/cases/new/advice?post={post_id}").status_code == 404


def test_an_enquiry_is_answered_by_the_e_mailed_link_and_only_then_sent(
    school: School, as_role: Browser, app: Flask
) -> None:
    author = as_role(Role.AUTHOR)
    enquiry = {
        "asker": "Ruth Ashdown",
        "outlet": "Gazette",
        "contact": "r@gazette.example",
        "title": "Pool",
        "words": "Why is it shut?",
    }
    where = author.post("/cases/new/enquiry", data=enquiry).headers["Location"]
    number = where.rsplit("/", 1)[-1]
    assert 'value="Ruth Ashdown, Gazette, r@gazette.example"' in page(author, where)
    draft = {
        "recipient": "Ruth Ashdown, r@gazette.example",
        "reply": "The pool <i>opens</i> on Monday. Wren Applethwaite was told.",
    }
    assert author.post(f"/enquiries/{number}/replies", data=draft).status_code == 303
    assert author.post("/enquiries/replies/1/sent", data={"how": "By e-mail"}).status_code == 409
    assert author.post("/enquiries/replies/1/ask").status_code == 303

    phone, address = app.test_client(), _link(school)
    opened = phone.get(address).headers["Location"]
    before = page(phone, opened)
    assert "pool" not in before.lower()
    assert "Show me the reply" in before
    assert phone.post(f"{opened}/prove", data={"pin": PIN}).status_code == 303
    shown = page(phone, opened)
    assert "The pool &lt;i&gt;opens&lt;/i&gt; on Monday." in shown
    assert '“<span class="as-typed">Wren Applethwaite</span>”' in shown
    assert "Look at this before it goes out" in page(author, where)
    assert "Ruth Ashdown, r@gazette.example" in shown
    digest = re.findall(r'name="digest" value="([0-9a-f]{64})"', shown)[0]
    words = {"typed_name": "Head Quarry", "statement": "I approve these words.", "digest": digest}
    assert phone.post(opened, data=words).status_code == 400, "no answer was chosen"
    assert phone.post(opened, data=words | {"verdict": "approve", "statement": ""}).status_code == 400
    assert phone.post(opened, data=words | {"verdict": "approve", "digest": "0" * 64}).status_code == 409
    assert phone.post(opened, data=words | {"verdict": "approve"}).status_code == 303
    assert "sends exactly these words" in page(phone, opened, 410)

    assert "Approved: may be sent" in page(author, where)
    assert author.post("/enquiries/replies/1/sent", data={"how": "By e-mail, at noon"}).status_code == 303
    with school.services.db.read() as session:
        assert session.get_one(CaseReply, 1).sent_how == "By e-mail, at noon"
    assert "Reply 1 to enquiry" in page(as_role(Role.HEADTEACHER), "/decisions")


def _link(school: School) -> str:
    """The address in the e-mail that asks."""
    with school.services.db.begin() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "approval_request")).one()
        message = notify._write(school.services, session, notice.id)
        assert message is not None
        body = message.get_body(("plain",))
        assert body is not None
        told = body.get_content()
    assert "reply" in str(message["Subject"])
    assert "pool" not in told.lower()
    return re.findall(r"http://localhost(/a/\S+)", told)[0]


def test_a_request_for_changes_to_a_reply_needs_words_and_ends_the_question(school: School, as_role: Browser) -> None:
    author, head = as_role(Role.AUTHOR), as_role(Role.HEADTEACHER)
    where = author.post("/cases/new/enquiry", data={"asker": "A", "title": "Pool", "words": "Why?"}).headers["Location"]
    author.post(
        f"/enquiries/{where.rsplit('/', 1)[-1]}/replies", data={"recipient": "Ruth, by post", "reply": "No comment."}
    )
    author.post("/enquiries/replies/1/ask")
    request_id = re.findall(r"/decisions/([0-9a-f]+)/open", page(head, "/decisions"))[0]
    opened = head.post(f"/decisions/{request_id}/open").headers["Location"]
    head.post(f"{opened}/prove", data={"pin": PIN})
    digest = re.findall(r'name="digest" value="([0-9a-f]{64})"', page(head, opened))[0]
    words = {"typed_name": "Head Quarry", "digest": digest, "verdict": "changes"}
    assert head.post(opened, data=words | {"statement": "no"}).status_code == 400
    assert head.post(opened, data=words | {"statement": "Say when it opens again."}).status_code == 303
    shown = page(author, where)
    assert "Changes asked for" in shown
    assert "Say when it opens again." in shown
    assert "It was sent" not in shown


def test_the_holding_text_is_approved_by_the_headteachers_second_proof_alone(school: School, as_role: Browser) -> None:
    head, author = as_role(Role.HEADTEACHER), as_role(Role.AUTHOR)
    assert author.get("/enquiries/holding-text").status_code == 403
    assert "We have received your enquiry" in page(head, "/enquiries/holding-text")
    refused = head.post("/enquiries/holding-text", data={"words": "We have it.", "pin": "000000"})
    assert refused.status_code == 422
    assert "We have it." in refused.get_data(as_text=True)
    where = author.post("/cases/new/enquiry", data={"asker": "A", "title": "Pool", "words": "Why?"}).headers["Location"]
    assert "nothing is said before a reply is approved" in page(author, where)
    assert head.post("/enquiries/holding-text", data={"words": "We have it.", "pin": PIN}).status_code == 303
    assert "We have it." in page(author, where)


def test_an_empty_list_says_what_it_is_for_and_the_menu_leads_there(as_role: Browser, school: School) -> None:
    for role in Role:
        shown = page(as_role(role), "/cases")
        assert "There are no cases here" in shown
        assert 'href="/cases"' in shown
    assert "Is a child at risk" in page(as_role(Role.AUTHOR), "/cases/new")


def test_a_list_of_forty_cases_has_pages_and_its_kinds_can_be_chosen(school: School, as_role: Browser) -> None:
    author = as_role(Role.AUTHOR)
    for number in range(31):
        author.post("/cases/new/concern", data=CONCERN | {"title": f"Number {number}"})
    head = as_role(Role.HEADTEACHER)
    assert "Page 1 of 2" in page(head, "/cases")
    assert "Number 0" in page(head, "/cases?page=2")
    assert "No case fits" in page(head, "/cases?kind=breach")
    assert "Nothing is overdue" in page(head, "/cases?show=overdue")
    assert page(head, "/cases?show=nonsense&kind=nonsense&page=-4")
