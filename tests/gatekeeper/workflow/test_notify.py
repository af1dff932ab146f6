"""E-mails: written when they are sent, at least once, with one Message-ID, and with nothing of a pupil in them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound
from sqlalchemy import func, select

from approvals import tokens
from approvals.errors import LinkExpired
from approvals.tables import ApprovalRequest, ApprovalToken
from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.errors import SettingsError
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.mail.smtp import MailNotSent, MailRefused
from gatekeeper.people.accounts import find_invitation
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Finding, Post
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import FindingState, PostState
from gatekeeper.workflow import notify, request, sweep
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.wise import sync_wise
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from workers import notify as workers_notify
from workers import perform

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
ABOUT_POSTS = (
    "decided",
    "expired",
    "missed",
    "published",
    "needs_person",
    "not_sent",
    "cannot_request",
    "photo_changed",
)


class Outbox:
    """A mail server that keeps what it takes, or takes nothing."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusal: Exception | None = None

    def send(self, message: EmailMessage) -> None:
        if self.refusal:
            raise self.refusal
        self.messages.append(message)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def services(sqlite_database: Database, tmp_path: Path, clock: ToldClock, outbox: Outbox) -> Services:
    return make_services(
        sqlite_database,
        tmp_path,
        clock,
        mailer=outbox,
        render=EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary"),
    )


@pytest.fixture
def school(services: Services) -> Iterator[School]:
    return School(services)


def allow_the_name(school: School, post_id: int) -> None:
    """The head is asked to allow what stands against the post once the name and the faces were looked at together."""
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        session.add(
            Finding(
                version_id=post.version_id, rule="pupil-name-full", clause="3.1d", severity="block", field="text",
                start=0, end=17, quote="Wren Applethwaite", message="A pupil's name.",
            )
        )  # fmt: skip
        session.flush()
        sync_wise(school.services, session, post)
        for finding in session.scalars(select(Finding).where(Finding.version_id == post.version_id)):
            finding.state, finding.reason = FindingState.OVERRIDE, "The family asked for it in writing."


def asked(school: School, **more: object) -> int:
    """The head is asked about a new post, and to allow the name in it; returns the number of the e-mail about it."""
    post_id = school.post(**more)  # type: ignore[arg-type]
    if "Wren Applethwaite" in str(more.get("text")):
        allow_the_name(school, post_id)
    with school.services.step() as session:
        move(session.get_one(Post, post_id), PostState.REQUESTING)
    request.run(school.services, post_id)
    with school.services.db.read() as session:
        newest = select(func.max(Notice.id)).where(Notice.kind == "approval_request")
        return session.scalar(newest) or 0


def ordered(school: School, kind: str, *, to: int | None = None, **context: object) -> int:
    with school.services.step() as session:
        notice = notify.tell(
            session, kind, staff_id=to or school.author, subject=kind, context=context, now=school.services.clock.now()
        )
        return notice.id


def stored(school: School, notice_id: int) -> Notice:
    with school.services.db.read() as session:
        return session.get_one(Notice, notice_id)


def parts(message: EmailMessage) -> tuple[str, str]:
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


def token_in(message: EmailMessage) -> str:
    found = re.search(r"/a/([A-Za-z0-9_-]{43})\b", parts(message)[0])
    assert found
    return found.group(1)


def test_the_request_reaches_the_headteacher_with_a_link_that_opens_it(
    school: School, outbox: Outbox, clock: ToldClock
) -> None:
    notice_id = asked(school, photos=2)
    notify.run(school.services, notice_id)
    (message,) = outbox.messages
    assert message["To"] == "headteacher@quarrybank.example"
    with school.services.db.read() as session:
        opened = tokens.open_link(session, token_in(message), purpose=tokens.DECIDE, now=clock.now())
        assert opened.request_id == session.scalars(select(ApprovalRequest.id)).one()
    assert stored(school, notice_id).sent_at == clock.now()
    assert token_in(message) in parts(message)[1]


def test_the_token_is_made_at_sending_and_only_its_hash_is_kept(school: School, outbox: Outbox) -> None:
    notice_id = asked(school)
    with school.services.db.read() as session:
        assert session.scalars(select(ApprovalToken)).all() == []
    notify.run(school.services, notice_id)
    token = token_in(outbox.messages[0])
    raw = (school.services.settings.data / "gatekeeper.db").read_bytes()
    log = school.services.settings.data / "gatekeeper.db-wal"
    assert token.encode() not in raw + (log.read_bytes() if log.exists() else b"")


def test_sent_already_nothing_happens(school: School, outbox: Outbox) -> None:
    notice_id = asked(school)
    notify.run(school.services, notice_id)
    notify.run(school.services, notice_id)
    notify.run(school.services, 999)
    assert len(outbox.messages) == 1


def test_a_failure_is_raised_for_the_worker_and_written_down_for_people(school: School, outbox: Outbox) -> None:
    notice_id = asked(school)
    outbox.refusal = MailNotSent("The mail server could not be reached.")
    with pytest.raises(MailNotSent):
        notify.run(school.services, notice_id)
    assert stored(school, notice_id).sent_at is None
    assert stored(school, notice_id).problem == "The mail server could not be reached."
    outbox.refusal = None
    notify.run(school.services, notice_id)
    assert stored(school, notice_id).problem == ""
    assert len(outbox.messages) == 1


def test_a_refusal_for_good_is_shown_at_once_and_not_tried_again(
    school: School, outbox: Outbox, clock: ToldClock
) -> None:
    notice_id = asked(school)
    outbox.refusal = MailRefused("The mail server refused the recipient's address. Is it spelt right?")
    perform.use(school.services)
    workers_notify.run(notice_id)
    perform.use(None)
    row = stored(school, notice_id)
    assert (row.failed_at, row.sent_at, row.tries) == (clock.now(), None, 1)
    assert "refused the recipient" in row.problem
    with school.services.db.read() as session:
        assert ("notify", notice_id) not in jobs.due(session, "mail", now=clock.now() + timedelta(days=9))
    sweep.run(school.services)  # and the safety net does not take it for lost work
    outbox.refusal = None
    notify.run(school.services, notice_id)
    assert outbox.messages == []


def test_what_fails_for_now_is_tried_ever_more_rarely_and_given_up_after_three_days(
    school: School, outbox: Outbox, clock: ToldClock
) -> None:
    notice_id = asked(school, due_in=timedelta(days=9))
    outbox.refusal = MailNotSent("The mail server could not be reached.")
    perform.use(school.services)
    pauses = []
    for _ in range(10):
        workers_notify.run(notice_id)
        with school.services.db.read() as session:
            following = session.scalars(select(jobs.Order.next_at).where(jobs.Order.job == "notify")).one()
        pauses.append((following - clock.now()).total_seconds())
        clock.moment = following
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    asked_at = stored(school, notice_id).created_at
    clock.moment = asked_at + timedelta(days=3)
    workers_notify.run(notice_id)
    assert stored(school, notice_id).failed_at is None
    clock.advance(minutes=15)
    workers_notify.run(notice_id)
    perform.use(None)
    row = stored(school, notice_id)
    assert (row.failed_at, row.tries, row.problem) == (clock.now(), 12, "The mail server could not be reached.")
    with school.services.db.read() as session:
        assert session.scalars(select(jobs.Order).where(jobs.Order.job == "notify")).all() == []


def test_a_mail_that_cannot_be_written_says_so(school: School, outbox: Outbox) -> None:
    notice_id = ordered(school, "there_is_no_such_letter")
    with pytest.raises(TemplateNotFound):
        notify.run(school.services, notice_id)
    assert stored(school, notice_id).problem == "The e-mail could not be written; it is tried again."


def test_a_bounce_that_comes_before_the_sending_is_written_down_is_kept(
    school: School, outbox: Outbox, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice_id = asked(school)

    def send_and_have_it_come_back(_message: EmailMessage) -> None:
        with school.services.db.begin() as session:
            notice = session.get_one(Notice, notice_id)
            notice.failed_at, notice.problem = clock.now(), "It came back."

    monkeypatch.setattr(outbox, "send", send_and_have_it_come_back)
    notify.run(school.services, notice_id)
    row = stored(school, notice_id)
    assert (row.sent_at, row.failed_at, row.problem) == (clock.now(), clock.now(), "It came back.")


def test_a_crash_between_the_servers_yes_and_the_row_sends_the_same_message_again(
    school: School, outbox: Outbox, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends after the mail server said yes; the claim's lease runs out, and the worker starts over."""
    notice_id = asked(school)
    take = outbox.send

    def send_and_end(message: EmailMessage) -> None:
        take(message)
        raise SystemExit  # no handler of the worker runs for it

    monkeypatch.setattr(outbox, "send", send_and_end)
    perform.use(school.services)
    with pytest.raises(SystemExit):
        workers_notify.run(notice_id)
    monkeypatch.setattr(outbox, "send", take)
    workers_notify.run(notice_id)
    assert len(outbox.messages) == 1  # its lease still holds
    clock.advance(seconds=jobs.NOTIFY.timeout + 31)
    workers_notify.run(notice_id)
    clock.advance(hours=1)
    workers_notify.run(notice_id)
    perform.use(None)
    assert len(outbox.messages) == 2
    assert len({message["Message-ID"] for message in outbox.messages}) == 1
    assert stored(school, notice_id).sent_at is not None


def test_a_post_expires_at_its_time_while_the_mail_server_is_down(
    school: School, outbox: Outbox, clock: ToldClock
) -> None:
    notice_id = asked(school)
    notify.run(school.services, notice_id)
    token = token_in(outbox.messages[0])
    outbox.refusal = MailNotSent("The mail server could not be reached.")
    clock.advance(hours=1)
    perform.use(school.services)
    sweep.run(school.services)
    with school.services.db.read() as session:
        expired = session.scalars(select(Notice).where(Notice.kind == "expired")).one()
        assert session.scalars(select(Post.state)).all() == [PostState.EXPIRED]
        with pytest.raises(LinkExpired, match="Nobody decided by then, so nothing was published"):
            tokens.open_link(session, token, purpose=tokens.DECIDE, now=clock.now())
    workers_notify.run(expired.id)
    outbox.refusal = None
    clock.advance(seconds=5)
    workers_notify.run(expired.id)
    perform.use(None)
    assert [message["To"] for message in outbox.messages[1:]] == ["author@quarrybank.example"]
    assert "was not decided in time" in parts(outbox.messages[1])[0]


def test_a_fault_of_a_library_is_told_without_its_words(school: School, outbox: Outbox) -> None:
    notice_id = asked(school)
    outbox.refusal = RuntimeError("550 secret internals")
    with pytest.raises(RuntimeError):
        notify.run(school.services, notice_id)
    assert "secret" not in stored(school, notice_id).problem


def test_sent_again_after_a_crash_it_is_the_same_message_and_both_links_open(
    school: School, outbox: Outbox, clock: ToldClock
) -> None:
    notice_id = asked(school)
    notify.run(school.services, notice_id)
    with school.services.db.begin() as session:  # the crash came before the sending was written down
        session.get_one(Notice, notice_id).sent_at = None
    notify.run(school.services, notice_id)
    first, second = outbox.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert token_in(first) != token_in(second)
    with school.services.db.read() as session:
        for message in (first, second):
            tokens.open_link(session, token_in(message), purpose=tokens.DECIDE, now=clock.now())


@pytest.mark.parametrize("kind", ABOUT_POSTS)
def test_a_plain_e_mail_sent_again_has_the_same_message_id(school: School, outbox: Outbox, kind: str) -> None:
    notice_id = ordered(school, kind, post_id=school.post(), verdict="approve", sentence="So it is.")
    for _ in range(2):
        with school.services.db.begin() as session:
            session.get_one(Notice, notice_id).sent_at = None
        notify.run(school.services, notice_id)
    assert len({message["Message-ID"] for message in outbox.messages}) == 1
    assert len(outbox.messages) == 2


def test_no_link_is_sent_once_the_question_is_settled(school: School, outbox: Outbox, clock: ToldClock) -> None:
    notice_id = asked(school)
    clock.advance(hours=1)
    notify.run(school.services, notice_id)
    assert outbox.messages == []
    assert stored(school, notice_id).problem == "Not sent: the question was settled before."
    assert stored(school, notice_id).sent_at is not None  # settled, so nobody tries again


def test_nothing_is_sent_to_a_closed_account(school: School, outbox: Outbox) -> None:
    notice_id = asked(school)
    with school.services.db.begin() as session:
        session.get_one(Staff, school.head).active = False
    notify.run(school.services, notice_id)
    assert outbox.messages == []
    assert "closed" in stored(school, notice_id).problem


def test_a_process_without_the_mail_password_sends_nothing(school: School) -> None:
    notice_id = asked(school)
    with pytest.raises(SettingsError, match="SMTP_URL"):
        notify.run(replace(school.services, mailer=None), notice_id)
    assert stored(school, notice_id).sent_at is None


def test_told_of_the_same_thing_twice_it_goes_once(school: School, outbox: Outbox, clock: ToldClock) -> None:
    post_id = school.post()
    first = ordered(school, "expired", post_id=post_id, sentence="Too late.")
    assert ordered(school, "expired", post_id=post_id, sentence="Too late.") == first
    with school.services.db.read() as session:
        assert jobs.due(session, "mail", now=clock.now()) == [("notify", first)]
    notify.run(school.services, first)
    assert ordered(school, "expired", post_id=post_id, sentence="Too late.") == first
    notify.run(school.services, first)
    assert len(outbox.messages) == 1


@pytest.mark.parametrize("verdict", ["approve", "changes", "refuse"])
@pytest.mark.parametrize("kind", [*ABOUT_POSTS, "approval_request"])
def test_no_e_mail_holds_a_pupils_name_a_photo_or_the_words(
    school: School, outbox: Outbox, kind: str, verdict: str
) -> None:
    """Not even where the author put a name into the title or the text."""
    more = {"text": "Wren Applethwaite won!", "photos": 1, "pupils": ("Wren",)}
    if kind == "approval_request":
        notice_id = asked(school, **more)
    else:
        post_id = school.post(**more)  # type: ignore[arg-type]
        with school.services.db.begin() as session:
            session.get_one(Post, post_id).title = "Wren wins"
        notice_id = ordered(
            school, kind, post_id=post_id, verdict=verdict, channel="Facebook", sentence="So it is.",
            permalink="https://facebook.example/1",
        )  # fmt: skip
    notify.run(school.services, notice_id)
    (message,) = outbox.messages
    text, html = parts(message)
    whole = " ".join([message["Subject"], text, html])
    assert "Wren" not in whole
    assert "Applethwaite" not in whole
    assert "<img" not in html
    assert "won!" not in whole
    assert not re.search(
        r"(?:src|background)\s*=|url\(|@import|<script|<link", html
    )  # nothing is loaded from elsewhere
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    if kind in ABOUT_POSTS:
        assert all(len(line) <= 76 or "://" in line for line in text.splitlines())
    assert message["Subject"].strip()
    assert "\n\n\n" not in text


@pytest.mark.parametrize("kind", ABOUT_POSTS)
def test_values_are_escaped_in_html_and_stay_on_one_line_in_the_head(school: School, outbox: Outbox, kind: str) -> None:
    context = {"channel": "<b>Page\r\nBcc: x@y.example", "sentence": "<i>now</i>", "verdict": "refuse"}
    notify.run(school.services, ordered(school, kind, post_id=school.post(), **context))
    (message,) = outbox.messages
    assert "<b>" not in parts(message)[1]
    assert "<i>" not in parts(message)[1]
    assert message["Bcc"] is None


def test_somebody_who_is_not_the_author_reads_whose_post_it_is(school: School, outbox: Outbox) -> None:
    notify.run(school.services, ordered(school, "missed", to=school.head, post_id=school.post()))
    text, html = parts(outbox.messages[0])
    assert "Written by:  Mx Author Quarry" in text
    assert "Mx Author Quarry" in html
    assert "An approved post missed its time" in text


def test_an_e_mail_about_a_post_that_was_deleted_still_goes(school: School, outbox: Outbox) -> None:
    notify.run(school.services, ordered(school, "expired", post_id=999, sentence="Too late."))
    assert "Too late." in parts(outbox.messages[0])[0]


def test_an_invitation_gets_its_link_at_sending(school: School, outbox: Outbox, clock: ToldClock) -> None:
    notify.run(school.services, ordered(school, "invitation", staff=school.author))
    found = re.search(r"/welcome/([A-Za-z0-9_-]{43})\b", parts(outbox.messages[0])[0])
    assert found
    with school.services.db.read() as session:
        known = find_invitation(session, found.group(1), now=clock.now() + timedelta(days=6))
        assert known is not None
        assert known[1].id == school.author


def test_dates_are_those_of_the_schools_wall_clock(school: School, outbox: Outbox, clock: ToldClock) -> None:
    clock.moment = datetime.fromisoformat("2027-06-01T08:00:00+00:00")
    notify.run(school.services, ordered(school, "expired", post_id=school.post(), sentence="Too late."))
    assert "Tuesday 1 June 2027 at 10:00" in parts(outbox.messages[0])[0]


def test_every_role_can_be_told(school: School, outbox: Outbox) -> None:
    post_id = school.post()
    for role in Role:
        notify.run(school.services, ordered(school, "published", to=school.staff[role], post_id=post_id))
    assert len(outbox.messages) == len(Role)
