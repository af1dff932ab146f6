"""The findings about a post's words, and what a person says about a publication nobody is sure of."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.post_page import Trouble, post_page
from gatekeeper.web.views.posts import AUTHORS
from gatekeeper.workflow import answer, resolve

bp = Blueprint("findings", __name__, url_prefix="/posts/<int:post_id>")

Answer = Response | str | tuple[str, int]


@bp.post("/findings/<int:finding_id>/reason")
@roles(*AUTHORS)
def reason(post_id: int, finding_id: int) -> Answer:
    """A written reason."""
    text = request.form.get("reason", "")
    return _do(
        post_id,
        f"finding-{finding_id}",
        lambda: resolve.answer_finding(services(), finding_id, by=person().id, reason=text, seen=_about()),
        typed={"reason": text},
    )


@bp.post("/findings/<int:finding_id>/override")
@roles(*AUTHORS)
def override(post_id: int, finding_id: int) -> Answer:
    """Ask the headteacher to allow it."""
    text = request.form.get("reason", "")
    return _do(
        post_id,
        f"finding-{finding_id}",
        lambda: resolve.ask_override(services(), finding_id, by=person().id, reason=text, seen=_about()),
        typed={"reason": text},
    )


@bp.post("/publications/<int:publication_id>/seen")
@roles(*(role for role in Role if role is not Role.AUDITOR))
def seen(post_id: int, publication_id: int) -> Answer:
    """Whether the post is on the platform's page, as a person saw it."""
    link, there = request.form.get("link", ""), request.form.get("there", "")

    def step() -> None:
        if there not in {"yes", "no"}:
            raise BadInput("Say whether the post is on the page.")
        answer.answer(services(), publication_id, by=person().id, there=there == "yes", link=link)
        flash("Thank you. It is written down.", "success")

    return _do(post_id, f"publication-{publication_id}", step, typed={"link": link, "there": there})


def _about() -> str:
    """Which finding the page showed; empty where a form does not say."""
    return request.form.get("about", "")


def _do(post_id: int, where: str, step: Callable[[], object], *, typed: dict[str, str]) -> Answer:
    try:
        step()
    except (BadInput, Conflict) as refused:
        status = 422 if isinstance(refused, BadInput) else 409
        return post_page(post_id, trouble=Trouble(where, (str(refused),), typed), status=status)
    return redirect(url_for("posts.show", post_id=post_id, _anchor=where), code=303)
