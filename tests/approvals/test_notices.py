import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from approvals.notices import approval_request_notice
from approvals.ports import Renderer
from approvals.requests import Summary
from approvals.tables import ApprovalRequest

LINK = "https://gatekeeper.school.example/a/" + "Zx9-_" * 8 + "abc"
TEMPLATES = Path(__file__).parents[2] / "templates"


class JinjaRenderer:
    """The renderer of the product in small: HTML escaped, a missing value an error."""

    def __init__(self) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, template: str, **context: Any) -> str:
        return self.environment.get_template(template).render(**context)


@pytest.fixture
def renderer() -> Renderer:
    return JinjaRenderer()


NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SUMMARY = Summary(
    ("X", "Facebook Page"),
    due_at=NOW + timedelta(hours=5),
    window_ends_at=NOW + timedelta(hours=7),
    counts={"photos": 2, "findings with reasons": 1},
)


def asked(*, summary: Summary = SUMMARY, override_asked: bool = False, number: int = 1) -> ApprovalRequest:
    return ApprovalRequest(
        id=f"{number:032x}",
        title="Well done, Amy Poppins",
        summary=summary.to_json(),
        override_asked=override_asked,
        expires_at=NOW + timedelta(hours=5),
        message_id=f"approval-{number:032x}",
    )


def notice(
    renderer: Renderer, *, request: ApprovalRequest | None = None, author_name: str = "Tom Birch", **over: Any
) -> EmailMessage:
    built = approval_request_notice(
        request or asked(**over),
        link=LINK,
        to="head@school.example",
        sender="Gatekeeper <posts@school.example>",
        author_name=author_name,
        school_name="Elm Row Primary School",
        renderer=renderer,
        now=NOW,
    )
    arrived = message_from_bytes(built.as_bytes(), policy=default)  # as it comes out at the other end
    assert isinstance(arrived, EmailMessage)
    return arrived


def parts(message: EmailMessage) -> tuple[str, str]:
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


def test_the_mail_says_who_asks_when_where_and_what_else_happens(renderer: Renderer) -> None:
    message = notice(renderer)
    assert message.get_content_type() == "multipart/alternative"
    assert message["Subject"] == (
        "A post is waiting for your decision – from Tom Birch, due Monday 23 November 2026 at 14:00"
    )
    for body in map(visible, parts(message)):
        assert "Tom Birch has written a post" in body
        assert "Elm Row Primary School" in body
        assert "Would appear on: X, Facebook Page" in body
        assert "To be published: Monday 23 November 2026 at 14:00" in body
        assert "At the latest: Monday 23 November 2026 at 16:00" in body
        assert "Photos: 2" in body
        assert "Findings with reasons: 1" in body
        assert LINK in body
        assert "decides nothing" in body
        assert (
            "If you do nothing by Monday 23 November 2026 at 14:00, the post is not published and Tom Birch is told."
            in body
        )
        assert "Answering this e-mail decides nothing" in body
        assert "override" not in body.lower()


def test_the_mail_holds_no_title_and_no_secret_but_the_link(renderer: Renderer) -> None:
    """A title may hold a pupil's name, and mail is read on lock screens and forwarded."""
    message = notice(renderer)
    whole = message.as_string() + str(parts(message)) + str(message["Subject"])
    assert "Poppins" not in whole
    assert "Well done" not in whole
    assert LINK not in str(message["Subject"])


def test_an_override_is_marked_on_every_part(renderer: Renderer) -> None:
    message = notice(renderer, override_asked=True)
    assert message["Subject"].startswith("Override asked: a post is waiting for your decision – from Tom Birch")
    for body in map(visible, parts(message)):
        assert "an override is asked for" in body.lower()
        assert "in a sentence of your own" in body


def test_the_same_request_is_the_same_message_and_another_is_another(renderer: Renderer) -> None:
    first, again = notice(renderer, request=asked()), notice(renderer, request=asked())
    assert first["Message-ID"] == again["Message-ID"] == f"<approval-{1:032x}@school.example>"
    assert notice(renderer, number=2)["Message-ID"] != first["Message-ID"]


def test_no_machine_answers_the_mail_and_nothing_in_it_watches_the_reader(renderer: Renderer) -> None:
    message = notice(renderer)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Mon, 23 Nov 2026 09:00:00 +0000"
    seen = _Collector()
    seen.feed(parts(message)[1])
    assert not seen.tags & {"img", "script", "link", "iframe", "object", "form", "video", "svg"}
    assert seen.addresses == {LINK}
    assert "url(" not in parts(message)[1]
    assert "@import" not in parts(message)[1]


@pytest.mark.parametrize("name", ["Tom\r\nBcc: everyone@school.example", "Tom\nBirch", 'Tom "T" <t@x.example>, Birch'])
def test_a_name_cannot_become_a_header(renderer: Renderer, name: str) -> None:
    message = notice(renderer, author_name=name)
    assert message["Bcc"] is None
    assert message["To"] == "head@school.example"
    assert "\n" not in message["Subject"]


def test_a_name_cannot_become_markup(renderer: Renderer) -> None:
    plain, html = parts(notice(renderer, author_name="<b>Tom</b> & Co"))
    assert "<b>Tom</b>" not in html
    assert "&lt;b&gt;Tom&lt;/b&gt; &amp; Co" in html
    assert "<b>Tom</b> & Co" in plain


def test_without_a_window_none_is_told(renderer: Renderer) -> None:
    plain, html = parts(notice(renderer, summary=Summary(("X",), due_at=NOW)))
    for body in (plain, html):
        assert "At the latest" not in body
        assert "None" not in body


def test_every_line_fits_the_post(renderer: Renderer) -> None:
    """A line over 998 octets is broken on the way, and the link with it."""
    raw = notice(renderer).as_bytes()
    assert max(map(len, raw.splitlines())) <= 998
    assert LINK in parts(message_from_bytes(raw, policy=default))[0]  # type: ignore[arg-type]


class _Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str | None] = set()
        self.words: list[str] = []
        self.hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.hidden = tag in {"style", "title"}
        self.addresses |= {value for name, value in attrs if name in {"href", "src", "background"}}

    def handle_endtag(self, tag: str) -> None:
        self.hidden = False
        if tag == "td":
            self.words.append(":" if self.words and self.words[-1] in _LABELS else "")

    def handle_data(self, data: str) -> None:
        if not self.hidden and data.strip():
            self.words.append(data.strip())


_LABELS = {"Would appear on", "To be published", "At the latest", "Photos", "Findings with reasons"}


def visible(body: str) -> str:
    """The words a reader sees, in one line, a table's label followed by a colon."""
    if "<html" in body:
        seen = _Collector()
        seen.feed(body)
        body = " ".join(seen.words).replace(" : ", ": ")
    return re.sub(r"\s+", " ", body)
