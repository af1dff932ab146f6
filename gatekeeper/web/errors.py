"""Calm pages for what did not work. Nobody is ever shown, and no log ever holds, what was in the request."""

import logging
import secrets
import sys
import traceback
from types import TracebackType
from typing import Any

from flask import Flask, jsonify, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from approvals.errors import ApprovalError
from gatekeeper.errors import BadInput, Conflict, GatekeeperError, NotAllowed, NotFound
from gatekeeper.web import door, kept
from gatekeeper.web.access import person_or_none, wants_json

log = logging.getLogger(__name__)

#: status -> (heading, what it means and what to do)
PAGES: dict[int, tuple[str, str]] = {
    400: ("That did not work", "What arrived here could not be used. Go back, reload the page and try once more."),
    403: ("This page is not open to you", "Your role does not include it. If it should, ask an administrator."),
    404: ("There is nothing here", "The address may be mistyped, or the page is one that you may not see."),
    405: ("This cannot be done that way", "Please use the buttons on the page itself."),
    409: ("Something changed in the meantime", "Go back, reload the page and look again before you go on."),
    413: ("That is too large", "Files may have 25 MB each. Please choose a smaller one."),
    429: ("Please wait a moment", "There were very many tries in a short time. In a minute you can go on."),
    500: ("That was our fault", "Something went wrong here. Nothing was published by it. Please try once more."),
}
_STATUS: tuple[tuple[type[GatekeeperError], int], ...] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (BadInput, 400),
    (Conflict, 409),
)


def answer_errors(app: Flask) -> None:
    """Give every error its page."""

    @app.errorhandler(CSRFError)
    def _form(_: CSRFError) -> Response | tuple[Any, int]:
        if person_or_none() and not wants_json():
            if request.endpoint == "signin.enter":  # the sign-in form sent twice, or reloaded: it has done its work
                return door.entered()
            if (typed := kept.taken()) and not kept.is_too_long(typed):
                return door.go_on_page(typed, status=400)
        sentence = (
            "This form was open for too long, or you signed in again meanwhile. Go back, reload, and send it again."
        )
        return _page(400, sentence)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response | tuple[Any, int]:
        if error.response is not None or error.code is None or error.code < 400:  # noqa: PLR2004
            return error.get_response()  # a redirect is an answer of its own
        if isinstance(error, InternalServerError):
            return _page(500, reference=getattr(error.original_exception, "reference", ""))
        return _page(error.code)

    @app.errorhandler(GatekeeperError)
    def _refused(error: GatekeeperError) -> tuple[Any, int]:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
        return _page(status, str(error))

    @app.errorhandler(ApprovalError)
    def _undecided(error: ApprovalError) -> tuple[Any, int]:
        return _page(409, str(error))


def _page(status: int, sentence: str = "", *, reference: str = "") -> tuple[Any, int]:
    heading, advice = PAGES.get(status, PAGES[400 if status < 500 else 500])  # noqa: PLR2004
    if wants_json():
        return jsonify(error=sentence or advice), status
    try:
        page = render_template(
            "web/errors/error.html",
            status=status,
            heading=heading,
            sentence=sentence or advice,
            reference=reference,
            back=_post_behind() if heading == PAGES[409][0] else "",
        )
    except Exception:  # noqa: BLE001 - what broke the page (an unknown host, a lost database) can break this one too
        plain = f"{heading}. {sentence or advice} {reference}".strip()
        return Response(plain, status, mimetype="text/plain"), status
    return page, status


def _post_behind() -> str:
    """The page of the post that somebody wanted to do something with; empty where it was about no post."""
    number = (request.view_args or {}).get("post_id")
    return url_for("posts.show", post_id=number) if number is not None and person_or_none() else ""


class Site(Flask):
    """Flask, with reports of crashes that hold places in the code and no value of any variable."""

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Write where it happened; the message stays out, because a database error repeats the pupil's name in it."""
        kind, error, trace = exc_info
        reference = secrets.token_hex(4)
        if error is not None:
            error.reference = reference  # type: ignore[attr-defined]  # read back by the page that is shown
        places = " < ".join(
            f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
            for frame in reversed(traceback.extract_tb(trace)[-8:])
        )
        log.error(
            "crash %s: %s in %s at %s",
            reference,
            kind.__name__ if kind else sys.exc_info()[0],
            request.endpoint,
            places,
        )
