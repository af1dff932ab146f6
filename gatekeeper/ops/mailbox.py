"""The demo's mail: a server that delivers nothing, and a page on this computer that shows what it was given.

An e-mail is shown as text, and as HTML inside a sandbox whose policy lets nothing load and nothing run: what the page
shows must not depend on what somebody could write into a message.
"""

import argparse
import email
import email.policy
import re
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, abort, render_template, request, send_from_directory
from markupsafe import Markup, escape

from gatekeeper.clock import london
from gatekeeper.log import configure_logging
from gatekeeper.ops.mail_sink import MailSink, file_keeper
from gatekeeper.ops.serve import serve

_TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mailbox"
_NAME = re.compile(r"\d{8}-\d{6}-\d{6}")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_PAGE = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
#: pictures and styles only as they stand in the message itself; links open outside the sandbox, in a tab of their own
_MESSAGE = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@dataclass(frozen=True)
class Letter:
    """One message, as far as the page shows it."""

    name: str
    arrived: datetime
    sender: str
    to: str
    subject: str
    text: str
    html: str | None


def create_mailbox(folder: Path, *, title: str) -> Flask:
    """The page over a folder of messages."""
    app = Flask("gatekeeper.ops.mailbox", template_folder=str(_TEMPLATES), static_folder=None)
    app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1", "[::1]"]
    app.jinja_env.filters["london"] = london
    app.jinja_env.filters["with_links"] = _with_links

    @app.after_request
    def _guard(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _PAGE)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def letters() -> str:
        found = [_read(path) for path in sorted(folder.glob("*.eml"), reverse=True)]
        return render_template("list.html", letters=found, title=title)

    @app.get("/<name>")
    def letter(name: str) -> str:
        return render_template("letter.html", letter=_find(folder, name), title=title, source=request.args.get("as"))

    @app.get("/<name>/html")
    def html(name: str) -> Response:
        shown = _find(folder, name).html
        if shown is None:
            abort(404)
        # every link opens in a new tab: inside the sandbox it could not
        response = Response(f'<base target="_blank">{shown}', mimetype="text/html")
        response.headers["Content-Security-Policy"] = _MESSAGE
        return response

    @app.get("/mailbox.css")
    def style() -> Response:
        return send_from_directory(_TEMPLATES, "mailbox.css")

    @app.get("/favicon.ico")
    def icon() -> tuple[str, int]:
        return "", 204

    @app.errorhandler(404)
    def missing(_error: Exception) -> tuple[str, int]:
        return render_template("missing.html", title=title), 404

    return app


def _find(folder: Path, name: str) -> Letter:
    path = folder / f"{name}.eml"
    if not _NAME.fullmatch(name) or not path.is_file():
        abort(404)
    return _read(path)


def _read(path: Path) -> Letter:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return Letter(
        name=path.stem,
        arrived=datetime.strptime(path.stem, "%Y%m%d-%H%M%S-%f").replace(tzinfo=UTC),
        sender=_header(message, "From"),
        to=_header(message, "To"),
        subject=_header(message, "Subject") or "(no subject)",
        text=_part(message, "plain") or "",
        html=_part(message, "html"),
    )


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):  # a charset nobody knows
        return None


def _with_links(text: str) -> Markup:
    """The text with its web addresses made links, and nothing else made anything."""
    pieces: list[Markup] = []
    end = 0
    for found in _LINK.finditer(text):
        url = found.group()
        pieces.append(escape(text[end : found.start()]))
        if urlsplit(url).hostname:
            pieces.append(Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(url))
        else:
            pieces.append(escape(url))
        end = found.end()
    return Markup("").join([*pieces, escape(text[end:])])


def main() -> int:
    """Take mail in and show it until asked to stop."""
    parser = argparse.ArgumentParser(prog="gatekeeper.ops.mailbox", description="The demo's mail.")
    parser.add_argument("--port", type=int, required=True, help="of the page")
    parser.add_argument("--smtp-port", type=int, required=True, help="of the mail server")
    parser.add_argument("--folder", type=Path, required=True, help="where the messages are kept")
    asked = parser.parse_args()
    configure_logging("mailbox")
    sink = MailSink(file_keeper(asked.folder), port=asked.smtp_port)
    try:
        sink.start()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        serve(create_mailbox(asked.folder, title="The demo's e-mails"), host="127.0.0.1", port=asked.port)
    except OSError as err:
        print(f"The mail page cannot listen: {err.strerror}.", file=sys.stderr)
        return 1
    finally:
        sink.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
