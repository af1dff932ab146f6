import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from gatekeeper.ops.mail_sink import file_keeper
from gatekeeper.ops.mailbox import create_mailbox
from tests.fixtures.serving import Serve

HOSTILE = (
    "<html><head><base href='{elsewhere}/'></head><body><h1 id='h'>A post waits</h1>"
    "<script>document.getElementById('h').innerText='SCRIPT RAN'</script>"
    "<img src='{elsewhere}/seen.png' onerror=\"document.getElementById('h').innerText='HANDLER RAN'\">"
    "<form action='/'><button>Send</button></form></body></html>"
)


def _message(subject: str = "A post waits", *, html: str | None = None, text: str = "Dear Ruth") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "office@school.example", "head@school.example", subject
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def client(folder: Path) -> FlaskClient:
    folder.mkdir()
    return create_mailbox(folder, title="The demo's e-mails").test_client()


def _only(folder: Path) -> str:
    return next(folder.glob("*.eml")).stem


def test_says_what_to_do_while_there_is_no_mail(client: FlaskClient) -> None:
    assert "Send a post to the headteacher" in client.get("/").text


def test_shows_the_newest_first(client: FlaskClient, folder: Path) -> None:
    keep = file_keeper(folder)
    for subject in ("The first", "The second"):
        keep(_message(subject))
    page = client.get("/").text
    assert page.index("The second") < page.index("The first")


def test_links_in_a_text_open_and_everything_else_in_it_stays_text(client: FlaskClient, folder: Path) -> None:
    file_keeper(folder)(
        _message(text='See http://localhost:8000/a/token?x=1&y="2. <b>Not bold</b> javascript:alert(1)')
    )
    page = client.get(f"/{_only(folder)}").text
    assert '<a href="http://localhost:8000/a/token?x=1&amp;y=" target="_blank" rel="noopener noreferrer">' in page
    assert "<b>Not bold" not in page
    assert 'href="javascript' not in page


def test_cannot_put_markup_into_the_page_by_a_subject(client: FlaskClient, folder: Path) -> None:
    file_keeper(folder)(_message("<script>alert(1)</script>"))
    for page in (client.get("/"), client.get(f"/{_only(folder)}")):
        assert "<script" not in page.text
        assert "script-src" not in page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_message_as_html_is_sandboxed_also_when_it_is_opened_alone(client: FlaskClient, folder: Path) -> None:
    file_keeper(folder)(_message(html=HOSTILE))
    policy = client.get(f"/{_only(folder)}/html").headers["Content-Security-Policy"]
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy


@pytest.mark.parametrize(
    "name", ["../keys/seal_key", "..%2fkeys%2fseal_key", "20260101-000000-000000", "x" * 300, "%00"]
)
def test_cannot_read_anything_but_messages(client: FlaskClient, folder: Path, name: str) -> None:
    (folder.parent / "keys").mkdir()
    (folder.parent / "keys" / "seal_key.eml").write_text("secret")
    answer = client.get(f"/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_cannot_be_reached_under_a_foreign_name(client: FlaskClient) -> None:
    """Another site's page could otherwise read the mail by pointing its own name at this computer."""
    assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_a_broken_message_is_still_listed(client: FlaskClient, folder: Path) -> None:
    keep = file_keeper(folder)
    keep(b"Subject: =?x-unknown?B?aGk=?=\nContent-Type: text/html; charset=x-unknown\n\n\xff\xfe<p>hi")
    assert client.get("/").status_code == 200
    assert client.get(f"/{_only(folder)}").status_code == 200


def test_a_browser_shows_a_hostile_message_and_runs_and_loads_nothing_of_it(
    browser: Browser, folder: Path, serve: Serve
) -> None:
    asked: list[str] = []

    def elsewhere(environ: dict[str, str], start_response: Callable[..., object]) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b""]

    folder.mkdir()
    file_keeper(folder)(_message(html=HOSTILE.format(elsewhere=serve(elsewhere))))
    context = browser.new_context()
    page = context.new_page()
    page.goto(serve(create_mailbox(folder, title="The demo's e-mails")))
    page.get_by_role("link", name="A post waits").click()
    assert page.frame_locator("iframe").locator("h1").inner_text() == "A post waits"
    assert page.frame_locator("iframe").get_by_role("button").is_visible()
    assert not asked
    context.close()


def test_the_sink_and_the_page_agree_on_the_folder(client: FlaskClient, folder: Path) -> None:
    from gatekeeper.ops.mail_sink import MailSink

    sink = MailSink(file_keeper(folder))
    sink.start()
    try:
        with smtplib.SMTP(sink.host, sink.port, timeout=5) as server:
            server.sendmail("a@school.example", ["b@school.example"], _message("By the wire"))
    finally:
        sink.stop()
    assert "By the wire" in client.get("/").text
