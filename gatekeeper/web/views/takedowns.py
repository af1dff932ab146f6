"""Taking a post down from its channel, and the list of what is not gone yet."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services, signed_in
from gatekeeper.web.post_page import Trouble, post_page
from gatekeeper.workflow import takedown_act, takedown_removal
from gatekeeper.workflow.takedown_view import removals

bp = Blueprint("takedowns", __name__, url_prefix="/takedowns")

Answer = Response | tuple[str, int] | str
_READERS = roles(Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR, Role.CONSENT_LEAD, Role.AUDITOR)
_ORDERERS = roles(Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR, Role.CONSENT_LEAD)
_OFFICE = roles(Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR)


@bp.get("/")
@_READERS
def index() -> str:
    """What is not gone yet, and what went last."""
    return _index()


@bp.post("/publications/<int:publication_id>")
@_ORDERERS
def order(publication_id: int) -> Answer:
    """Have one publication removed from its channel."""
    post_id, words = request.form.get("post", 0, type=int), request.form.get("words", "")
    why = request.form.get("why", "")
    try:
        takedown_act.order(services(), publication_id, why=why, words=words, by=person().id)
    except BadInput as refused:
        return _refused(post_id, publication_id, refused, {"words": words, "why": why})
    flash("Its removal is ordered. Here it says when the platform shows that it is gone.", "success")
    return _back(post_id)


@bp.post("/publications/<int:publication_id>/ask")
@signed_in
def ask(publication_id: int) -> Answer:
    """The author asks the headteacher for it."""
    post_id, words = request.form.get("post", 0, type=int), request.form.get("words", "")
    try:
        takedown_act.ask(services(), publication_id, words=words, by=person().id)
    except BadInput as refused:
        return _refused(post_id, publication_id, refused, {"words": words})
    flash("The headteacher is being written to.", "success")
    return _back(post_id)


@bp.post("/<int:takedown_id>/by-hand")
@_OFFICE
def by_hand(takedown_id: int) -> Answer:
    """A person says that it is gone."""
    words = request.form.get("words", "")
    try:
        takedown_removal.confirm_by_hand(services(), takedown_id, words=words, by=person().id)
    except BadInput as refused:
        return _index(trouble=(takedown_id, str(refused), words)), 422
    except Conflict as refused:
        flash(str(refused), "warning")
    else:
        flash("Thank you. It is kept with your name.", "success")
    return redirect(url_for("takedowns.index"), code=303)


@bp.post("/<int:takedown_id>/again")
@_OFFICE
def again(takedown_id: int) -> Answer:
    """Ask the platform at once."""
    try:
        takedown_act.again(services(), takedown_id, by=person().id)
    except Conflict as refused:
        flash(str(refused), "warning")
    else:
        flash("The platform is being asked. Load this page again in a moment.", "success")
    return redirect(url_for("takedowns.index"), code=303)


def _index(trouble: tuple[int, str, str] | None = None) -> str:
    return render_template("web/takedowns/index.html", removals=removals(services(), person()), trouble=trouble)


def _refused(post_id: int, publication_id: int, refused: BadInput, typed: dict[str, str]) -> Answer:
    sentences = tuple(refused.fields.values()) or (str(refused),)
    return post_page(post_id, trouble=Trouble(f"takedown-{publication_id}", sentences, typed), status=422)


def _back(post_id: int) -> Response:
    return redirect(f"{url_for('posts.show', post_id=post_id)}#removals", code=303)
