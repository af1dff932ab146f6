"""The Mail page: what could not be delivered, to whom, why, and what can be done about it."""

from contextlib import closing
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.mail.report import LARGEST
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.workflow import bounce, mail_view

bp = Blueprint("mail", __name__, url_prefix="/mail")
only_administrators = roles(Role.ADMINISTRATOR)
_NO_FILE: Final = "Please choose the saved report, a file that ends in .eml."


@bp.app_context_processor
def _about_questions() -> dict[str, Any]:
    """For the page of a post: whether the person asked may not have been reached."""
    return {"question_trouble": lambda post_id: mail_view.question_trouble(services(), post_id)}


@bp.get("")
@only_administrators
def index() -> str:
    """Every e-mail that did not arrive."""
    return _page()


@bp.post("/<int:notice_id>/again")
@only_administrators
def again(notice_id: int) -> Response:
    """Try one of them again."""
    try:
        mail_view.try_again(services(), notice_id, by=person().id)
    except Conflict as late:
        flash(str(late), "warning")
    else:
        flash("It is tried again now. If it fails, it comes back here; what is settled by now is not sent.", "success")
    return redirect(url_for("mail.index"), code=303)


@bp.post("/<int:notice_id>/put-away")
@only_administrators
def put_away(notice_id: int) -> Response:
    """Take one of them off the page."""
    try:
        mail_view.put_away(services(), notice_id, by=person().id)
    except Conflict as late:
        flash(str(late), "warning")
    else:
        flash("It is put away. It was not sent.", "success")
    return redirect(url_for("mail.index"), code=303)


@bp.post("/report")
@only_administrators
def report() -> Response | tuple[str, int]:
    """Take in a mail server's report that somebody saved to a file."""
    given = request.files.get("report")
    data = b""
    if given:
        with closing(given):
            data = given.stream.read(LARGEST + 1)
    if not data:
        return _page(error=_NO_FILE), 422
    try:
        sentence = bounce.take_in(services(), data, by=person().id)
    except BadInput as refused:
        return _page(error=str(refused)), 422
    flash(sentence, "success")
    return redirect(url_for("mail.index"), code=303)


def _page(*, error: str = "") -> str:
    return render_template("web/mail/index.html", box=mail_view.mailbox(services()), error=error)
