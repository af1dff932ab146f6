"""The e-mail that asks for a decision.

It names no pupil, carries no picture, and leaves out the post's title and words, because a title can hold a name. It
holds no tracking and nothing that is loaded from elsewhere. Reading it, opening its link or answering it decides
nothing, and it says so.
"""

import re
import textwrap
import unicodedata
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from approvals.ports import Renderer
from approvals.requests import summary_of
from approvals.tables import ApprovalRequest
from approvals.wall_clock import when

_FOLDER = "email/approval_request"


def approval_request_notice(
    request: ApprovalRequest,
    *,
    link: str,
    to: str,
    sender: str,
    author_name: str,
    school_name: str,
    renderer: Renderer,
    now: datetime,
) -> EmailMessage:
    """The e-mail for one request: who asks, when it is due, where it would appear, the link, and what else happens.

    Sent twice, it is the same message to the mail program: its Message-ID belongs to the request.

    Args:
        request: what is asked.
        link: the whole address with the token in it.
        to: the approver's address.
        sender: the school's sending address, with or without a name.
        author_name: the member of staff who wrote the post.
        school_name: as it signs its letters.
        renderer: fills `email/approval_request/{subject.txt,body.txt,body.html}`.
        now: the moment.
    """
    summary = summary_of(request)
    context = {
        "author_name": one_line(author_name),
        "school_name": one_line(school_name),
        "link": link,
        "channels": list(summary.channels),
        "due": when(summary.due_at),
        "window_ends": when(summary.window_ends_at) if summary.window_ends_at else None,
        "decide_by": when(request.expires_at),
        "counts": list(summary.counts.items()),
        "override_asked": request.override_asked,
        "about": "reply" if (request.subject or "").startswith("reply:") else "post",
    }
    message = EmailMessage(policy=SMTP)
    message["Subject"] = one_line(renderer.render(f"{_FOLDER}/subject.txt", **context))
    message["From"] = sender
    message["To"] = to
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{request.message_id}@{_domain(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(narrow(renderer.render(f"{_FOLDER}/body.txt", **context)), cte="quoted-printable")
    html = renderer.render(f"{_FOLDER}/body.html", **context)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def narrow(words: str) -> str:
    """The text in lines that every mail program shows whole; addresses are never broken."""
    lines = (line if "://" in line else textwrap.fill(line, 76) for line in words.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def one_line(words: str) -> str:
    """The words without line ends, which in a header would begin another header, and without invisible signs."""
    seen = (sign if sign.isspace() or unicodedata.category(sign)[0] != "C" else "" for sign in words)
    return " ".join("".join(seen).split())


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"
