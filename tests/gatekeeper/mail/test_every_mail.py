"""Every kind of e-mail there is, sent through a real SMTP server and looked at as it arrives.

The list is made from the folders. Whoever adds a folder adds an example of what its template is given.
"""

import email
import email.policy
import re
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import select

from approvals.tables import ApprovalRequest
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.mail.smtp import SmtpMailer
from gatekeeper.ops.mail_sink import MailSink
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Staff
from gatekeeper.posts.model import Post
from gatekeeper.workflow import notify
from gatekeeper.workflow.mail_view import WHAT
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
KINDS: Final = sorted(folder.name for folder in (TEMPLATES / "email").iterdir() if folder.is_dir())

SENTENCE = (
    "Something changed since this post was checked, such as a permission. Nothing was published, and nothing will be."
)
PERIOD = {
    "head": "Mx Headteacher Quarry-Applegarth", "deputy": "Mx Deputy Quarry",
    "starts": "Monday 23 November 2026 at 09:00", "ends": "Friday 27 November 2026 at 17:00",
}  # fmt: skip
CHANNEL = {
    "channel": "Facebook (Quarry Bank Primary School)", "sentence": SENTENCE, "ended": False, "account_id": 2,
}  # fmt: skip
#: what each template is given. "POST" and "REQUEST" stand for a post's and a question's number.
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "anchor": {
        "entries": 1204,
        "head": "0f" * 32,
        "moment": "Monday 23 November 2026 at 07:00",
        "day": "Monday 23 November 2026",
    },
    "approval_request": {"request_id": "REQUEST"},
    "backup_failed": {"sentence": SENTENCE},
    "cannot_request": {"post_id": "POST", "sentence": SENTENCE},
    "case_due": {"case_id": 7, "kind": "breach", "due": "Thursday 26 November 2026 at 09:00", "over": False},
    "case_given": {"case_id": 7, "kind": "breach", "owner": True, "asked": False},
    "case_news": {"case_id": 7, "kind": "concern"},
    "channel_answers": CHANNEL,
    "channel_ending": CHANNEL,
    "channel_failed": CHANNEL,
    "channel_silent": CHANNEL,
    "decided": {"post_id": "POST", "verdict": "changes"},
    "deputy_ended": {**PERIOD, "to_head": False},
    "deputy_named": {**PERIOD, "to_head": False},
    "digest": {"requests": ["REQUEST"]},
    "expired": {"post_id": "POST", "sentence": SENTENCE},
    "incident_found": {
        "account_id": 2,
        "channel": "Facebook (Quarry Bank Primary School)",
        "sentence": "1 post that did not come through Gatekeeper and 2 posts that were changed after they were read",
        "incident_id": 0,
        "headline": "Something was found on Facebook (Quarry Bank Primary School)",
        "there": "The page behind the link shows what was approved. There you can write down why it is gone.",
    },
    "invitation": {},
    "missed": {"post_id": "POST"},
    "more_wait": {"requests": ["REQUEST"]},
    "needs_person": {"post_id": "POST", "channel": "Facebook (Quarry Bank Primary School)"},
    "not_sent": {"post_id": "POST", "channel": "X (Quarry Bank Primary School)", "sentence": SENTENCE},
    "password_reset": {},
    "photo_changed": {"post_id": "POST"},
    "pin_locked": {},
    "policy_unread": {"edition": "2022-03"},
    "proof_changed": {"sentence": "A passkey named “Office telephone” was added to your account."},
    "published": {
        "post_id": "POST",
        "channel": "X and Facebook",
        "places": (  # a list would stand for questions
            {"channel": "X", "permalink": ""},
            {"channel": "Facebook", "permalink": "https://facebook.example/111/posts/1"},
        ),
    },
    "recovery_asked": {"whose": "Mx Headteacher Quarry", "yours": True},
    "recovery_stopped": {"whose": "Mx Headteacher Quarry", "yours": False},
    "reminder": {"request_id": "REQUEST", "stage": "last"},
    "role_change": {"change_id": 1},
    "sending_on": {"by": "Mx Headteacher Quarry", "since": "Monday 23 November 2026 at 09:00", "restored": False},
    "sending_stopped": {"by": "Mx Deputy Quarry", "since": "Monday 23 November 2026 at 09:00", "being_sent": 2},
    "undecided": {"post_id": "POST"},
    "watch_failing": CHANNEL,
    "words_asked": {"post_id": "POST"},
    "held_for_consent": {"post_id": "POST"},
    "taken_down": {"channel": "Facebook (Quarry Bank)", "takedown": 3, "post_id": "POST"},
    "takedown_asked": {"channel": "Facebook (Quarry Bank)", "post_id": "POST"},
    "takedown_by_hand": {"channel": "Facebook (Quarry Bank)", "takedown": 3, "post_id": "POST"},
    "takedown_still_there": {"channel": "Facebook (Quarry Bank)", "takedown": 3, "post_id": "POST"},
}
#: a post that is public is linked where it can be seen; nothing else leads out of the school
ELSEWHERE: Final = {"published": "https://facebook.example/111/posts/1"}
ADDRESS: Final = "http://localhost:8000"
UNSEEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0|font-size\s*:\s*[01](?:px|pt|em)?\s*[;\"]|"
    r"max-height\s*:\s*0|text-indent\s*:\s*-|position\s*:\s*(?:absolute|fixed)|mso-hide",
    re.IGNORECASE,
)


class Seen(HTMLParser):
    """What an HTML part loads, where it leads, and what a person reads in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("style", "title"):
            self._silent += 1
        if tag in (
            "img",
            "script",
            "link",
            "iframe",
            "object",
            "embed",
            "form",
            "input",
            "svg",
            "video",
            "audio",
            "base",
        ):
            self.loads.append(tag)
        if tag == "meta" and "http-equiv" in given:
            self.loads.append("meta http-equiv")
        self.loads += [
            f"{tag} {name}" for name in given if name in ("src", "srcset", "background") or name.startswith("on")
        ]
        if tag == "a":
            self.links.append(given.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "title"):
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


@pytest.fixture(scope="module")
def arrived() -> Iterator[tuple[str, list[bytes]]]:
    """A mail server, and the bytes of every message that it took."""
    taken: list[bytes] = []
    sink = MailSink(taken.append)
    sink.start()
    yield f"smtp://{sink.host}:{sink.port}", taken
    sink.stop()


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, arrived: tuple[str, list[bytes]]) -> School:
    """A school whose every word is trouble: a pupil's name in each field of a post, signs in its own name."""
    renderer = EmailRenderer(TEMPLATES, school_name=lambda: "St Zoë’s & All Saints’ Church of England Primary School")
    return School(make_services(sqlite_database, tmp_path, clock, mailer=SmtpMailer(arrived[0]), render=renderer))


def send(school: School, kind: str, arrived: tuple[str, list[bytes]]) -> list[bytes]:
    """One e-mail of this kind, sent twice as after a crash; the bytes that arrived."""
    services, now = school.services, school.services.clock.now()
    post_id = school.post(text="Wren Applethwaite won the cup!", photos=1, pupils=("Wren",), due_in=timedelta(hours=6))
    with services.db.begin() as session:
        change_setting(session, "name", "St Zoë’s & All Saints’ Church of England Primary School", by=None, now=now)
        session.get_one(Post, post_id).title = "Wren Applethwaite wins"
        session.get_one(
            Staff, school.author
        ).name = "Mx Author\u202e\x07 Quarry-Featherstonehaugh of the Upper School Office"
    school.ask(post_id)
    with services.step() as session:
        request_id = session.scalars(select(ApprovalRequest.id)).one()
        named = {"POST": post_id, "REQUEST": request_id}
        context = {
            name: [request_id]
            if isinstance(value, list)
            else named.get(value, value)
            if isinstance(value, str)
            else value
            for name, value in EXAMPLES[kind].items()
        }
        to = school.head if "request" in " ".join(context) else school.author
        notice_id = notify.tell(session, kind, staff_id=to, subject=kind, context=context, now=now).id
    before = len(arrived[1])
    for _ in range(2):
        with services.db.begin() as session:
            session.get_one(Notice, notice_id).sent_at = None
        notify.run(services, notice_id)
    return arrived[1][before:]


def test_there_is_an_example_of_every_kind_and_administrators_read_what_it_is_for() -> None:
    assert sorted(EXAMPLES) == KINDS, "a new folder under templates/email/ needs an example here"
    assert {path.name for folder in KINDS for path in (TEMPLATES / "email" / folder).iterdir()} == {
        "subject.txt", "body.txt", "body.html",
    }  # fmt: skip
    assert not set(WHAT) - set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_e_mail_arrives_complete_plain_and_discreet(
    school: School, arrived: tuple[str, list[bytes]], kind: str
) -> None:
    first, second = send(school, kind, arrived)
    assert max(first) < 128, "a mail server of thirty years ago would change these bytes"
    assert max(map(len, first.splitlines())) <= 78

    message, again = (email.message_from_bytes(one, policy=email.policy.default) for one in (first, second))
    assert message["Message-ID"] == again["Message-ID"]
    assert re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", str(message["Message-ID"]).strip())
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part["Content-Transfer-Encoding"] for part in message.iter_parts()] == ["quoted-printable"] * 2
    assert not message.defects

    plain, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    subject = str(message["Subject"])
    whole = f"{subject}\n{plain}\n{html}"
    for secret in ("Wren", "Applethwaite", "won the cup", "table.jpg", "vegetables"):
        assert secret not in whole
    assert not [sign for sign in whole if unicodedata.category(sign)[0] == "C" and sign not in "\n\t"]
    assert "\n" not in subject
    assert 10 < len(subject) < 160

    assert all(len(line) <= 78 or "://" in line for line in plain.splitlines())
    assert "<" not in plain.replace("<http", "")
    assert "{{" not in whole
    assert "\n\n\n" not in plain

    seen = Seen(html)
    assert seen.loads == []  # no picture, so none without words for it; no script; nothing that tells of being read
    assert not re.search(r"url\(|@import|javascript:", html)
    assert not UNSEEN.search(html)
    links = {*seen.links, *re.findall(r"https?://\S+", plain)}
    assert links
    assert {link for link in links if not link.startswith(f"{ADDRESS}/")} <= {ELSEWHERE.get(kind, ADDRESS), ADDRESS}
    assert not any("?" in link for link in links), "nothing tells who opened it"
    assert set(seen.links) <= set(re.findall(r"https?://\S+", plain)), "the plain text is complete"
    assert len(" ".join(seen.words).split()) > 20
