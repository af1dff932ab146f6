"""Writes and sends the e-mails that are ordered in the database.

A mail is written at the moment it is sent, so that a link in it is made then and no token ever lies in an order. It is
sent at least once: after a crash it may go a second time, with the same Message-ID. No mail carries a pupil's name, a
photo, the words of a post, or the words of a decision; those stand behind the link.

What the mail server refuses for good is not sent again by itself: `failed_at` says since when, and the author and the
administrators read it. What fails for now is tried again, ever more rarely, for three days.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from approvals import tokens
from approvals.errors import NotTheApprover, RequestClosed
from approvals.notices import approval_request_notice, narrow, one_line
from approvals.tables import ApprovalRequest, RequestStatus
from approvals.wall_clock import when
from gatekeeper import jobs
from gatekeeper.clock import london
from gatekeeper.errors import GatekeeperError, SettingsError
from gatekeeper.log import place_of
from gatekeeper.mail.model import Notice
from gatekeeper.mail.order import order_once
from gatekeeper.mail.smtp import MailNotSent, MailRefused
from gatekeeper.people.accounts import mint_invitation
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Staff
from gatekeeper.policy.hours import SchoolHours
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import accounts_of
from gatekeeper.workflow import digest, remind
from gatekeeper.workflow.asked_about import post_in
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

#: e-mails with a link that sets a password
INVITING = frozenset({"invitation", "password_reset"})
_ABOUT_QUESTIONS: Final = frozenset({remind.REMINDER, remind.DIGEST, digest.MORE})
GIVEN_UP: Final = timedelta(days=3)
_UNSENT = "The e-mail could not be sent yet; it is tried again."
_UNWRITTEN = "The e-mail could not be written; it is tried again."


class NotAtThisHour(GatekeeperError):
    """A reminder was late, and the school is closed by now: it is tried again, and goes once the school is open."""


@dataclass(frozen=True)
class _Moot:
    """There is nothing to send any more, and why."""

    reason: str


@dataclass(frozen=True)
class _Held:
    """It is not sent now, but later, with others; the reason is why."""

    reason: str


def tell(session: Session, kind: str, *, staff_id: int, subject: str, context: dict[str, Any], now: datetime) -> Notice:
    """Order an e-mail to a member of staff in the caller's transaction. Told of the same thing twice, it goes once.

    Args:
        session: the caller's transaction.
        kind: the folder under `templates/email/`.
        staff_id: to whom.
        subject: what it is about; the same kind to the same person about the same subject is one e-mail.
        context: ids and plain facts for the template. No pupil, no token.
        now: the moment.
    """
    notice, fresh = order_once(session, kind, staff_id=staff_id, subject=subject, context=context, now=now)
    if not fresh and notice.sent_at is None and notice.failed_at is None and notice.problem != digest.HELD:
        jobs.order(session, jobs.NOTIFY, notice.id, now=now)
    return notice


def run(services: Services, notice_id: int) -> None:
    """Write one ordered e-mail and hand it to the mail server; sent already or given up, nothing happens.

    Raises:
        MailNotSent: it did not go; the worker tries again later, and the notice says why to whoever waits for it.
    """
    if services.mailer is None:
        raise SettingsError("This process may not send e-mail: it has no GATEKEEPER_SMTP_URL.")
    try:
        with services.step() as session:
            message = _write(services, session, notice_id)
    except NotAtThisHour:
        raise
    except Exception:
        _note_failure(services, notice_id, _UNWRITTEN, for_good=False)
        raise
    if message is None:
        return
    try:
        services.mailer.send(message)  # outside any transaction: a slow mail server must not hold the database
    except MailRefused as refused:
        log.warning("notice %d was refused for good", notice_id)
        _note_failure(services, notice_id, str(refused), for_good=True)
        return  # nobody tries again until a person asks for it
    except Exception as error:
        sentence = str(error) if isinstance(error, MailNotSent) else _UNSENT
        log.warning("notice %d could not be sent (%s)", notice_id, place_of(error))
        if _note_failure(services, notice_id, sentence, for_good=False):
            return
        raise
    with services.step() as session:
        notice = session.get_one(Notice, notice_id)
        notice.sent_at = services.clock.now()
        notice.tries += 1
        if notice.failed_at is None:  # a mail server may send it back before this line is reached
            notice.problem = ""


def _note_failure(services: Services, notice_id: int, sentence: str, *, for_good: bool) -> bool:
    """Write down that it did not go, for whoever waits for it. Says whether it is given up."""
    now = services.clock.now()
    with services.step() as session:
        notice = session.get_one(Notice, notice_id)
        notice.problem = sentence
        notice.tries += 1
        given_up = for_good or now - notice.created_at > GIVEN_UP
        if given_up and notice.failed_at is None:
            notice.failed_at = now
    return given_up


def _write(services: Services, session: Session, notice_id: int) -> EmailMessage | None:
    """The message as it goes out now, or None when there is nothing to send (any more)."""
    now = services.clock.now()
    notice = session.get(Notice, notice_id, with_for_update=True)
    if notice is None or notice.sent_at is not None or notice.failed_at is not None:
        return None
    staff = session.get_one(Staff, notice.staff_id)
    if not staff.may_sign_in(london(now).date()):
        written: EmailMessage | _Moot | _Held = _Moot("Not sent: the person's account is closed.")
    elif notice.kind == digest.ASKING:
        written = _write_request(services, session, notice, staff, now=now)
    elif notice.kind in _ABOUT_QUESTIONS:
        written = _write_about_questions(services, session, notice, staff, now=now)
    else:
        written = _write_plain(services, session, notice, staff, now=now)
    if isinstance(written, _Moot):
        notice.sent_at, notice.problem = now, written.reason  # settled, so that nobody tries again
        return None
    if isinstance(written, _Held):
        notice.problem = written.reason
        return None
    notice.message_id = str(written["Message-ID"])
    return written


def _write_request(
    services: Services, session: Session, notice: Notice, staff: Staff, *, now: datetime
) -> EmailMessage | _Moot | _Held:
    request = session.get_one(ApprovalRequest, notice.context["request_id"], populate_existing=True)
    if _is_settled(request, now=now):
        return _Moot(digest.SETTLED)
    if notice.tries == 0 and digest.must_wait(session, request, staff.id, now=now):
        return _Held(digest.HELD)
    try:
        token = tokens.mint(session, request=request, person_id=staff.id, purpose=tokens.DECIDE, now=now)
    except RequestClosed:
        return _Moot(digest.SETTLED)
    return approval_request_notice(
        request,
        link=f"{services.settings.public_url}/a/{token}",
        to=staff.email,
        sender=services.settings.mail_from,
        author_name=session.get_one(Staff, request.author_id).name,
        school_name=school_settings(session)["name"],
        renderer=services.render,
        now=now,
    )


def _write_about_questions(
    services: Services, session: Session, notice: Notice, staff: Staff, *, now: datetime
) -> EmailMessage | _Moot:
    """A reminder or a list of what waits: of questions that are still open, and reminders in school hours alone."""
    named = notice.context.get("requests") or [notice.context["request_id"]]
    found = [session.get(ApprovalRequest, request_id, populate_existing=True) for request_id in named]
    waiting = [one for one in found if one is not None and not _is_settled(one, now=now)]
    if not waiting:
        return _Moot(digest.SETTLED)
    if notice.kind != digest.MORE and not SchoolHours.of(school_settings(session)).is_open(now):
        raise NotAtThisHour("The school is closed now; the reminder goes when it is open.")
    context: dict[str, Any] = {"link": f"{services.settings.public_url}/decisions"}
    if notice.kind == remind.REMINDER:
        post_id = post_in(waiting[0].subject)
        context["about"] = "reply" if post_id is None else "post"
        if post_id is not None:
            context |= _about_post(session, post_id, address=services.settings.public_url, reader=staff)
        context["link"] = _link_to(services, session, waiting[0], staff, now=now)
    else:
        names = {one.author_id: session.get_one(Staff, one.author_id).name for one in waiting}
        context["questions"] = [
            {"due": when(one.expires_at), "author": names[one.author_id]}
            for one in sorted(waiting, key=lambda one: one.expires_at)
        ]
    return _write_plain(services, session, notice, staff, now=now, about=context)


def _link_to(services: Services, session: Session, request: ApprovalRequest, staff: Staff, *, now: datetime) -> str:
    """A link like the one that asked, for the person asked; the inbox for whoever else may decide."""
    try:
        token = tokens.mint(session, request=request, person_id=staff.id, purpose=tokens.DECIDE, now=now)
    except NotTheApprover:
        return f"{services.settings.public_url}/decisions"
    return f"{services.settings.public_url}/a/{token}"


def _is_settled(request: ApprovalRequest, *, now: datetime) -> bool:
    return request.status != RequestStatus.OPEN or request.expires_at <= now


def _write_plain(
    services: Services,
    session: Session,
    notice: Notice,
    staff: Staff,
    *,
    now: datetime,
    about: dict[str, Any] | None = None,
) -> EmailMessage:
    address = services.settings.public_url
    context: dict[str, Any] = {
        "name": staff.name,
        "school_name": school_settings(session)["name"],
        "address": address,
        "link": address,
        **dict.fromkeys(("post", "channel", "permalink", "sentence"), ""),  # a template may ask after all of these
        **notice.context,
        **(about or {}),
    }
    if notice.kind in INVITING:
        context["link"] = f"{address}/welcome/{mint_invitation(session, staff.id, now)}"
    elif "post_id" in notice.context:
        context |= _about_post(session, notice.context["post_id"], address=address, reader=staff)
    folder = f"email/{notice.kind}"
    message = EmailMessage(policy=SMTP)
    message["Subject"] = one_line(services.render.render(f"{folder}/subject.txt", **context))
    message["From"] = services.settings.mail_from
    message["To"] = staff.email
    message["Date"] = format_datetime(now)
    message["Message-ID"] = notice.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(narrow(services.render.render(f"{folder}/body.txt", **context)), cte="quoted-printable")
    html = services.render.render(f"{folder}/body.html", **context)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def _about_post(session: Session, post_id: int, *, address: str, reader: Staff) -> dict[str, Any]:
    """What an e-mail may say of a post: where, when and whose. Its title and words could hold a name."""
    post = session.get(Post, post_id)
    if post is None:
        return {"post": None}
    author = session.get_one(Staff, post.author_id)
    return {
        "link": f"{address}/posts/{post.id}",
        "post": {
            "id": post.id,
            "channels": [label_of(account.kind) for account in accounts_of(session, post)],
            "due": when(post.due_at) if post.due_at else "",
            "author": author.name,
            "yours": author.id == reader.id,
        },
    }
