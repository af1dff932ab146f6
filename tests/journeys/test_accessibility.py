"""Every page in a real browser: axe-core finds nothing, nothing sticks out of a phone, the console stays silent."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page
from sqlalchemy import select

from approvals.tables import ApprovalRequest
from gatekeeper.cases.model import CaseKind
from gatekeeper.mail.order import order_notice
from gatekeeper.people.passwords import hash_password
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Face, Finding, Photo, Post, Publication, Restoration, Version
from gatekeeper.posts.status import FaceState, PublicationState
from gatekeeper.workflow import (
    case_holding,
    case_reply,
    case_work,
    consents,
    emergency,
    legal_hold,
    policy_cards,
    policy_editions,
    second_look,
    takedown_act,
    takedown_removal,
    teach,
)
from gatekeeper.workflow.bounce import DELAYED
from gatekeeper.workflow.cases import Opening, begin, open_case
from gatekeeper.workflow.policy_editions import TypedEdition
from tests.factories.bundle import decided
from tests.factories.school import PIN, School
from tests.gatekeeper.workflow.test_asked_changes import MARKS, ask_for_changes, edit
from tests.journeys.conftest import Site

pytestmark = pytest.mark.browser

#: every page with a fixed address, and who looks at it
PAGES = {
    Role.AUTHOR: ("/", "/schedule", "/schedule?view=list", "/posts/new", "/account", "/help", "/help/getting-started", "/help/recognition"),
    Role.HEADTEACHER: ("/", "/takedowns/", "/reviews/", "/decisions", "/deputies", "/sending", "/second-looks/", "/pupils", "/channels", "/audit", "/audit/ledger", "/school", "/rules", "/rules/change", "/rules/versions", "/rules/versions/0", "/account", "/account/proofs", "/account/proofs/passkey", "/account/proofs/pin", "/account/proofs/pin/remove", "/retention", "/retention/classes/audit", "/retention/holds", "/policy", "/statement?for=governors"),
    Role.CONSENT_LEAD: ("/pupils", "/pupils/1", "/pupils/1/edit", "/pupils/new", "/pupils/import", "/words", "/enrolment", "/enrolment/1", "/pupils/1/posts", "/pupils/1/subject-access"),
    Role.ADMINISTRATOR: (
        "/staff", "/staff/invite", "/staff/1", "/channels", "/channels/1", "/channels/new/x", "/channels/new/facebook",
        "/channels/1/keys", "/school", "/school/marks", "/pupils/3", "/mail", "/statement?for=dpo", "/statement/details",
    ),
    Role.LINE_MANAGER: (
        "/cases", "/cases/new", "/cases/new/enquiry", "/cases/new/breach",
    ),
    Role.AUDITOR: ("/audit", "/audit/ledger", "/evidence", "/"),
}  # fmt: skip


@pytest.fixture(params=[(360, "light"), (1280, "dark")], ids=["phone-light", "desk-dark"])
def look_of_it(request: pytest.FixtureRequest) -> tuple[int, str]:
    """Each width and each colour scheme once; no rule of the style sheets asks for both at a time."""
    pair: tuple[int, str] = request.param
    return pair


@pytest.fixture
def reader(browser: Browser, look_of_it: tuple[int, str]) -> Iterator[Page]:
    width, scheme = look_of_it
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    yield page
    context.close()
    assert [line for line in trouble if "status of 4" not in line] == []


def look(page: Page, address: str, *, status: int = 200) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == status, (address, answer.status)
    check(page)


def follow(page: Page, target: Locator) -> None:
    """Press what leads to another page, and wait until all of that stands: half a page cannot be judged."""
    with page.expect_navigation():
        target.click()


def check(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, (page.url, found.generate_report())
    sticking_out = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sticking_out <= 0, f"{page.url} is {sticking_out} px too wide"


def open_post(school: School) -> int:
    """A post with everything on it that an author can meet: faces of each state, and findings of each weight."""
    post_id = school.post(
        photos=2, pupils=("Wren", "Jonty"), text="Well done Wren Applethwaite and everyone, well run!"
    )
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.send_when_clear = False
        photo = session.scalars(select(Photo).where(Photo.post_id == post_id, Photo.position == 0)).one()
        photo.preview_sha256 = photo.rendition_sha256
        session.add(Face(photo_id=photo.id, x1=240, y1=60, x2=300, y2=140, score=0.9, source="detector"))
        session.add(
            Face(
                photo_id=photo.id, x1=310, y1=60, x2=360, y2=140, score=0.9, source="detector", state=FaceState.STAFF,
                words="Mrs Quarry", resolved_by=school.author, resolved_at=school.services.clock.now(),
            )
        )  # fmt: skip
        for photo in session.scalars(select(Photo).where(Photo.post_id == post_id)):
            photo.preview_sha256 = photo.rendition_sha256
        for severity, start, end in (("block", 10, 27), ("justify", 32, 40), ("advice", None, None)):
            session.add(
                Finding(
                    version_id=post.version_id or 0, rule=f"a-{severity}", clause="3.1d", severity=severity, field="text",
                    start=start, end=end, quote=post.text[start:end] if start else "",
                    message="“Wren Applethwaite” is a pupil's name. Say “a pupil” instead.",
                )
            )  # fmt: skip
    return post_id


@pytest.mark.parametrize("role", PAGES)
def test_every_page_is_accessible_and_fits(site: Site, reader: Page, role: Role) -> None:
    open_post(site.school)
    site.sign_in(reader.context, role)
    for address in PAGES[role]:
        look(reader, site.url + address)


def test_the_policy_is_accessible_and_fits(site: Site, reader: Page) -> None:
    services, school = site.school.services, site.school
    words = "# One\n\nBe kind.\n\n| a | b |\n| - | - |\n| c | d |"
    typed = TypedEdition(label="2022-03", words=words, review_on=date(2025, 3, 1), line="I adopt this policy here.")
    edition = policy_editions.adopt(services, typed, by=school.head)
    site.sign_in(reader.context, Role.AUTHOR)
    look(reader, f"{site.url}/posts/new")  # the text to read first
    look(reader, f"{site.url}/")
    policy_editions.acknowledge(services, edition, by=school.author)
    reader.goto(f"{site.url}/posts/new")
    reader.get_by_text("From the policy:").click()
    check(reader)
    policy_cards.put_away(services, "privacy", by=school.author)
    look(reader, f"{site.url}/account")
    site.sign_in(reader.context, Role.HEADTEACHER)
    for page in ("policy", "policy/readers", "policy/adopt", f"policy/editions/{edition}"):
        look(reader, f"{site.url}/{page}")
    reader.goto(f"{site.url}/policy/adopt")
    follow(reader, reader.get_by_role("button", name="Adopt this edition"))
    check(reader)  # the form with every error on it


def test_the_pages_of_cases_are_accessible_and_fit(site: Site, reader: Page) -> None:
    """The fullest kinds, with everything on them that a reader can meet, and the page on which a reply is decided."""
    services, school, now = site.school.services, site.school, site.school.services.clock.now()
    with services.step() as session:
        ids = {
            kind: open_case(
                session, kind=kind, title="A long word: Schulaufsichtsbehördenangelegenheit", words="Words " * 40,
                by=school.head, now=now, link="https://social.example/" + "x" * 90,
                **({"about_id": school.author, "deadline": now + timedelta(days=5)} if kind is CaseKind.REMOVAL else {}),
            )
            for kind in CaseKind
        }  # fmt: skip
        author, head = session.get_one(Staff, school.author), session.get_one(Staff, school.head)
    case_holding.approve(services, "We have received it.", by=head, proof_method="pin")
    reply = case_reply.draft(services, ids[CaseKind.ENQUIRY], "Ruth, by post", "No.", by=head)
    case_reply.edit(services, reply, "Ruth, by post", "No comment.", by=head)
    case_work.note(services, ids[CaseKind.CONCERN], "A note", by=head, shared=True)
    case_work.close(services, ids[CaseKind.CONCERN], "settled", "It is settled.", by=head)
    held = ids[CaseKind.BREACH]
    legal_hold.place(services, case_id=held, subject=f"case:{held}", reason="A claim was made", by=head)
    site.sign_in(reader.context, Role.HEADTEACHER)
    for kind in (CaseKind.ENQUIRY, CaseKind.CONCERN, CaseKind.BREACH):
        reader.goto(f"{site.url}/cases/{ids[kind]}")
        reader.evaluate("for (const part of document.querySelectorAll('main details')) part.open = true")
        check(reader)
    for address in ("/cases?show=all", "/enquiries/holding-text"):
        look(reader, site.url + address)
    reader.goto(f"{site.url}/cases/new/removal")
    reader.get_by_role("button", name="Make the request").click()
    reader.locator(".errors-summary").wait_for()
    check(reader)
    site.sign_in(reader.context, Role.AUTHOR)
    look(reader, f"{site.url}/cases/{ids[CaseKind.REMOVAL]}")
    asked = begin(services, Opening(kind=CaseKind.ENQUIRY, title="Pool", words="Why is it shut?"), by=author)
    reply = case_reply.draft(services, asked, "Ruth, by post", "No comment.", by=author)
    case_reply.ask(services, reply, by=author)
    site.sign_in(reader.context, Role.HEADTEACHER)
    reader.goto(f"{site.url}/decisions")
    reader.get_by_role("button", name="Look and decide").click()
    reader.get_by_label("Your PIN").fill(PIN)
    reader.get_by_role("button", name="Show me the reply").click()
    follow(reader, reader.get_by_role("link", name="Approve"))
    check(reader)


def test_what_is_stopped_is_accessible_and_fits(site: Site, reader: Page) -> None:
    """The banner on every page, the page with everything on it, and the same after a restore."""
    services, school = site.school.services, site.school
    (publication,) = school.approve(school.post(kinds=("x",)))
    with services.db.begin() as session:
        session.get_one(Publication, publication).state = PublicationState.SENDING
    school.approve(school.post(kinds=("facebook",)))
    emergency.press(services, by=school.head, reason="Somebody signed in who should not have.")
    site.sign_in(reader.context, Role.HEADTEACHER)
    look(reader, f"{site.url}/sending")
    look(reader, f"{site.url}/")
    with services.db.begin() as session:
        session.get_one(Publication, publication).state = PublicationState.NEEDS_PERSON
        session.add(Restoration(taken_at=services.clock.now(), restored_at=services.clock.now()))
    look(reader, f"{site.url}/sending")


def test_the_pages_of_a_post_are_accessible_and_fit(site: Site, reader: Page) -> None:
    post = open_post(site.school)
    site.sign_in(reader.context, Role.AUTHOR)
    look(reader, f"{site.url}/posts/{post}")
    look(reader, f"{site.url}/posts/{post}/edit")
    look(reader, f"{site.url}/schedule/posts/{post}")
    reader.goto(f"{site.url}/posts/new")
    follow(reader, reader.get_by_role("button", name="Send to be checked"))
    check(reader)  # the form with every error on it


def test_mail_that_did_not_arrive_is_accessible_and_fits(site: Site, reader: Page) -> None:
    services, now = site.school.services, site.school.services.clock.now()
    post = site.school.post()
    site.school.ask(post)
    with services.db.begin() as session:
        asked = session.scalars(select(ApprovalRequest.id)).one()
        for number in range(3):
            notice = order_notice(
                session, "approval_request", staff_id=site.school.head, now=now,
                subject=f"request:{asked if number == 0 else number}", context={"request_id": asked},
            )  # fmt: skip
            notice.failed_at = now if number == 0 else None
            notice.sent_at = now if number == 2 else None
            notice.problem = DELAYED
    site.sign_in(reader.context, Role.ADMINISTRATOR)
    look(reader, f"{site.url}/mail")
    reader.get_by_text("Put away", exact=True).click()
    check(reader)
    site.sign_in(reader.context, Role.AUTHOR)
    look(reader, f"{site.url}/posts/{post}")
    reader.get_by_text("could not be delivered").wait_for()


def test_answering_a_face_is_accessible_and_fits(site: Site, reader: Page) -> None:
    post = open_post(site.school)
    with site.school.services.db.begin() as session:
        face = session.scalars(select(Face.id).where(Face.state == FaceState.UNKNOWN)).first() or 0
    second_look.ask(site.school.services, face, by=site.school.author)
    site.sign_in(reader.context, Role.AUTHOR)
    reader.goto(f"{site.url}/posts/{post}")
    panel = reader.locator(f"#face-{face}")
    panel.get_by_label("or a class").select_option("Heron")
    panel.get_by_role("button", name="Show names").click()
    panel.get_by_role("button", name="Wren Applethwaite").wait_for()
    check(reader)
    panel.get_by_role("button", name="Wren Applethwaite").click()
    panel.get_by_text("May be shown on X.").wait_for()
    reader.evaluate("for (const part of document.querySelectorAll('section.photos details')) part.open = true")
    check(reader)  # with everything unfolded
    site.sign_in(reader.context, Role.DEPUTY)
    look(reader, f"{site.url}/second-looks/")


def test_the_form_of_a_pupil_is_accessible_and_fits_with_every_error_on_it(site: Site, reader: Page) -> None:
    site.sign_in(reader.context, Role.CONSENT_LEAD)
    reader.goto(f"{site.url}/pupils/new")
    reader.get_by_role("button", name="Add the pupil").click()
    reader.locator(".errors-summary").wait_for()
    check(reader)


def test_the_pages_of_a_decision_are_accessible_and_fit(site: Site, reader: Page) -> None:
    post = site.school.post(photos=2, pupils=("Wren",))
    site.school.ask(post)
    site.sign_in(reader.context, Role.HEADTEACHER)
    reader.goto(f"{site.url}/decisions")
    check(reader)
    follow(reader, reader.get_by_role("button", name="Read and decide").or_(reader.locator("main form button")).first)
    check(reader)
    reader.get_by_label("PIN").fill(PIN)
    follow(reader, reader.get_by_role("button", name="Show me the post"))
    check(reader)
    for choice in ("Ask for changes", "Refuse", "Approve"):
        follow(reader, reader.get_by_role("link", name=choice, exact=True))
        check(reader)
    follow(reader, reader.get_by_role("button", name="Approve this post"))
    check(reader)  # nothing was typed
    reader.get_by_label("In your words").fill("I approve this post.")
    reader.get_by_label("Your name, typed as a signature").fill("Mx Quarry")
    reader.get_by_role("button", name="Approve this post").click()
    reader.get_by_role("heading", name="Your decision is recorded").wait_for()
    check(reader)
    reader.goto(f"{site.url}/decisions")
    check(reader)  # with a decision in it


def test_the_pages_on_which_changes_are_asked_for_and_made_are_accessible_and_fit(site: Site, reader: Page) -> None:
    post = open_post(site.school)
    ask_for_changes(site.school, post, *MARKS, statement="Nearly there, thank you.")
    site.sign_in(reader.context, Role.AUTHOR)
    look(reader, f"{site.url}/posts/{post}")
    look(reader, f"{site.url}/posts/{post}/edit")
    edit(site.school, post, text="Another\u200b text  with the same harvest.")
    look(reader, f"{site.url}/posts/{post}/versions")
    site.school.ask(post)
    look(reader, f"{site.url}/posts/{post}")  # with what was asked before
    site.sign_in(reader.context, Role.HEADTEACHER)
    reader.goto(f"{site.url}/decisions")
    reader.locator("main form button").first.click()
    reader.get_by_label("PIN").fill(PIN)
    reader.get_by_role("button", name="Show me the post").click()
    reader.get_by_role("heading", name="What changed since you asked for changes").wait_for()
    reader.evaluate("for (const part of document.querySelectorAll('.since details')) part.open = true")
    check(reader)
    site.sign_in(reader.context, Role.AUDITOR)
    look(reader, f"{site.url}/posts/{post}/versions")


def test_the_pages_of_a_visitor_are_accessible_and_fit(site: Site, reader: Page) -> None:
    for address, status in (
        ("/signin", 200), ("/signin/forgotten", 200), ("/help", 200), ("/nowhere", 404),
    ):  # fmt: skip
        look(reader, site.url + address, status=status)
    reader.goto(f"{site.url}/a/{'x' * 43}")
    check(reader)


def test_the_pages_after_a_session_ended_in_the_middle_are_accessible_and_fit(site: Site, reader: Page) -> None:
    with site.school.services.db.begin() as session:
        author = session.get_one(Staff, site.school.author)
        author.password_hash, email = hash_password("three quiet green hills"), author.email
    site.sign_in(reader.context, Role.AUTHOR)
    reader.goto(f"{site.url}/cases/new/concern")
    reader.locator("#words").fill("Schulaufsichtsbehördenangelegenheit " * 3 + "x" * 120)
    reader.context.clear_cookies()
    reader.get_by_role("button", name="Report it").click()
    reader.get_by_text("what you typed is kept").wait_for()
    check(reader)
    reader.get_by_label("E-mail address").fill(email)
    reader.get_by_label("Password").fill("three quiet green hills")
    reader.get_by_role("button", name="Sign in").click()
    reader.get_by_role("heading", name="Go on where you were").wait_for()
    check(reader)


def test_the_pages_of_a_change_of_rules_and_of_taught_words_are_accessible_and_fit(site: Site, reader: Page) -> None:
    post = site.school.post(text="We read Isolde the Invincible.")
    with site.school.services.db.begin() as session:
        version = session.get_one(Version, session.get_one(Post, post).version_id)
        found = Finding(
            version_id=version.id, rule="pupil-name-first", clause="3.1d", severity="justify", field="text", start=8,
            end=14, quote="Isolde", message="“Isolde” is the first name of at least one pupil.",
        )  # fmt: skip
        session.add(found)
        session.flush()
        finding = found.id
    teach.ask_lead(site.school.services, post, finding, by=site.school.author)
    site.sign_in(reader.context, Role.HEADTEACHER)
    reader.goto(f"{site.url}/rules/change")
    reader.get_by_label("The school's own rules").fill("[[rule]")
    reader.get_by_role("button", name="Put in force").click()
    reader.locator(".errors-summary").wait_for()
    check(reader)
    reader.get_by_label("The school's own rules").fill("")
    reader.locator("#soft-profanity").select_option("advice")
    reader.get_by_label("Why do the rules change?").fill("Agreed by the governors.")
    reader.get_by_role("button", name="Put in force").click()
    reader.locator(".notice-success").wait_for()
    look(reader, f"{site.url}/rules/versions/1")
    site.sign_in(reader.context, Role.CONSENT_LEAD)
    look(reader, f"{site.url}/words")
    look(reader, f"{site.url}/posts/{post}/findings/{finding}/teach")
    look(reader, f"{site.url}/help/policy-rules")


def test_the_page_of_the_evidence_is_accessible_and_fits(site: Site, reader: Page) -> None:
    post = site.school.post()
    decided(site.school, post)
    site.sign_in(reader.context, Role.HEADTEACHER)
    look(reader, f"{site.url}/evidence")
    look(reader, f"{site.url}/posts/{post}/evidence")
    reader.get_by_label("With the names of the pupils in the pictures").check()
    reader.get_by_role("button", name="Download the evidence").click()
    reader.locator(".errors-summary").wait_for()
    check(reader)


def test_the_pages_of_a_take_down_are_accessible_and_fit(site: Site, reader: Page) -> None:
    school, now = site.school, site.school.services.clock.now()
    post = school.post(kinds=("x", "facebook"), pupils=("Wren",))
    ids = school.approve(post)
    with school.services.db.begin() as session:
        session.get_one(Post, post).state = "published"
        for number, publication_id in enumerate(ids):
            row = session.get_one(Publication, publication_id)
            row.state, row.remote_id, row.published_at = PublicationState.PUBLISHED, f"190000000000000000{number}", now
    lead = school.staff[Role.CONSENT_LEAD]
    consents.mark_never(school.services, school.pupils["Wren"], reason="Court order", by=lead)
    takedown_act.order(school.services, ids[0], why="mistake", words="The wrong picture", by=school.head)
    takedown_removal.give_up(school.services, 1, "")
    site.sign_in(reader.context, Role.HEADTEACHER)
    look(reader, f"{site.url}/posts/{post}")
    reader.locator("#removals summary").click()
    check(reader)
    follow(reader, reader.get_by_role("button", name="Take it down from Facebook"))  # without a reason
    check(reader)
    look(reader, f"{site.url}/takedowns/")
    follow(reader, reader.get_by_role("button", name="It is gone"))
    check(reader)
    look(reader, f"{site.url}/reviews/")
    look(reader, f"{site.url}/reviews/1")
    reader.locator("summary", has_text="Keep it, because …").click()
    check(reader)
