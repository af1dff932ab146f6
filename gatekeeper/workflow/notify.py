"""Writes and sends the e-mails that are ordered in the database.

A mail is written at the moment it is sent, so that a link in it is made then and no token ever lies in an order. It is
sent at least once: after a crash it may go a second time, with the same Message-ID. No mail carries a pupil's name, a
photo, the words of a post, or the words of a decision; those stand behind the link.
"""

import logging
import re
import textwrap
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tokens
from approvals.errors import RequestClosed
from approvals.notices import approval_request_notice
from approvals.tables import ApprovalRequest
from approvals.wall_clock import when
from gatekeeper import jobs
from gatekeeper.clock import london
from gatekeeper.errors import SettingsError
from gatekeeper.mail.model import Notice
from gatekeeper.mail.order import order_notice
from gatekeeper.mail.smtp import MailNotSent
from gatekeeper.people.accounts import mint_invitation
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import accounts_of
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

#: e-mails with a link that sets a password
INVITING = frozenset({"invitation", "password_reset"})
_UNSENT = "The e-mail could not be sent yet; it is tried again."


@dataclass(frozen=True)
class _Moot:
    """There is nothing to send any more, and why."""

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
    known = session.scalars(
        select(Notice).where(Notice.kind == kind, Notice.staff_id == staff_id, Notice.subject == subject)
    ).one_or_none()
    if known is None:
        return order_notice(session, kind, staff_id=staff_id, subject=subject, context=context, now=now)
    if known.sent_at is None:
        jobs.order(session, jobs.NOTIFY, known.id, now=now)
    return known


def run(services: Services, notice_id: int) -> None:
    """Write one ordered e-mail and hand it to the mail server; sent already, nothing happens.

    Raises:
        MailNotSent: it did not go; the worker tries again later, and the notice says why to whoever waits for it.
    """
    if services.mailer is None:
        raise SettingsError("This process may not send e-mail: it has no GATEKEEPER_SMTP_URL.")
    with services.step() as session:
        message = _write(services, session, notice_id)
    if message is None:
        return
    try:
        services.mailer.send(message)  # outside any transaction: a slow mail server must not hold the database
    except Exception as error:
        sentence = str(error) if isinstance(error, MailNotSent) else _UNSENT
        log.warning("notice %d could not be sent (%s)", notice_id, type(error).__name__)
        with services.step() as session:
            session.get_one(Notice, notice_id).problem = sentence
        raise
    with services.step() as session:
        notice = session.get_one(Notice, notice_id)
        notice.sent_at, notice.problem = services.clock.now(), ""


def _write(services: Services, session: Session, notice_id: int) -> EmailMessage | None:
    """The message as it goes out now, or None when there is nothing to send (any more)."""
    now = services.clock.now()
    notice = session.get(Notice, notice_id, with_for_update=True)
    if notice is None or notice.sent_at is not None:
        return None
    staff = session.get_one(Staff, notice.staff_id)
    if not staff.may_sign_in(london(now).date()):
        written: EmailMessage | _Moot = _Moot("Not sent: the person's account is closed.")
    elif notice.kind == "approval_request":
        written = _write_request(services, session, notice, staff, now=now)
    else:
        written = _write_plain(services, session, notice, staff, now=now)
    if isinstance(written, _Moot):
        notice.sent_at, notice.problem = now, written.reason  # settled, so that nobody tries again
        return None
    notice.message_id = str(written["Message-ID"])
    return written


def _write_request(
    services: Services, session: Session, notice: Notice, staff: Staff, *, now: datetime
) -> EmailMessage | _Moot:
    request = session.get_one(ApprovalRequest, notice.context["request_id"], populate_existing=True)
    try:
        token = tokens.mint(session, request=request, person_id=staff.id, purpose=tokens.DECIDE, now=now)
    except RequestClosed:
        return _Moot("Not sent: the question was settled before.")
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


def _write_plain(services: Services, session: Session, notice: Notice, staff: Staff, *, now: datetime) -> EmailMessage:
    address = services.settings.public_url
    context: dict[str, Any] = {
        "name": staff.name,
        "school_name": school_settings(session)["name"],
        "address": address,
        "link": address,
        **dict.fromkeys(("post", "channel", "permalink", "sentence"), ""),  # a template may ask after all of these
        **notice.context,
    }
    if notice.kind in INVITING:
        context["link"] = f"{address}/welcome/{mint_invitation(session, staff.id, now)}"
    elif "post_id" in notice.context:
        context |= _about_post(session, notice.context["post_id"], address=address, reader=staff)
    folder = f"email/{notice.kind}"
    message = EmailMessage(policy=SMTP)
    message["Subject"] = " ".join(services.render.render(f"{folder}/subject.txt", **context).split())
    message["From"] = services.settings.mail_from
    message["To"] = staff.email
    message["Date"] = format_datetime(now)
    message["Message-ID"] = notice.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_narrow(services.render.render(f"{folder}/body.txt", **context)), cte="quoted-printable")
    html = services.render.render(f"{folder}/body.html", **context)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def _narrow(words: str) -> str:
    """The text in lines that every mail program shows whole; addresses are never broken."""
    lines = (line if "://" in line else textwrap.fill(line, 76) for line in words.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


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
