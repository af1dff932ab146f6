"""The enquiry desk: replies that are drafted, asked about, and written down as sent once they are approved."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from approvals.errors import ProofRefused
from gatekeeper.cases.model import CaseReply
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Role, Staff
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.limits import SIGN_IN, limiter
from gatekeeper.web.second_proof import offered, typed_proof
from gatekeeper.web.views.cases import Answer, case_page
from gatekeeper.workflow import case_holding, case_reply, case_reply_view, step_up

bp = Blueprint("enquiries", __name__, url_prefix="/enquiries")

ACTION = "holding"
_WRITERS = tuple(role for role in Role if role is not Role.AUDITOR)


@bp.post("/<int:case_id>/replies")
@roles(*_WRITERS)
def draft(case_id: int) -> Answer:
    """Write a reply to an enquiry."""
    recipient, words = _typed()
    return _do(case_id, lambda: case_reply.draft(services(), case_id, recipient, words, by=person()))


@bp.post("/replies/<int:reply_id>/edit")
@roles(*_WRITERS)
def edit(reply_id: int) -> Answer:
    """Change a reply; what was asked or approved before is void."""
    recipient, words = _typed()
    return _do(
        _case_of(reply_id), lambda: case_reply.edit(services(), reply_id, recipient, words, by=person()), reply_id
    )


@bp.post("/replies/<int:reply_id>/ask")
@roles(*_WRITERS)
def ask(reply_id: int) -> Answer:
    """Ask whoever decides about exactly these words."""
    return _do(_case_of(reply_id), lambda: case_reply.ask(services(), reply_id, by=person()))


@bp.post("/replies/<int:reply_id>/withdraw")
@roles(*_WRITERS)
def withdraw(reply_id: int) -> Answer:
    """Take the question or the approval back."""
    return _do(_case_of(reply_id), lambda: case_reply.withdraw(services(), reply_id, by=person()))


@bp.post("/replies/<int:reply_id>/sent")
@roles(*_WRITERS)
def sent(reply_id: int) -> Answer:
    """Write down that somebody sent it, which is refused without the approval of exactly these words."""
    how = request.form.get("how", "")
    return _do(_case_of(reply_id), lambda: case_reply.mark_sent(services(), reply_id, how, by=person()))


@bp.post("/<int:case_id>/holding")
@roles(*_WRITERS)
def give_holding(case_id: int) -> Answer:
    """Write down that somebody gave the holding text."""
    how, digest = request.form.get("how", ""), request.form.get("digest", "")
    return _do(case_id, lambda: case_holding.give(services(), case_id, how, digest, by=person()))


@bp.route("/holding-text", methods=["GET", "POST"])
@roles(Role.HEADTEACHER)
@limiter.limit(SIGN_IN, methods=["POST"])
def holding() -> Answer:
    """The wording that the headteacher approves once for every enquiry."""
    if request.method == "GET":
        return _holding_page()
    words, wrong, errors = request.form.get("words", ""), "", {}
    try:
        method = step_up.confirm(services(), person().id, typed_proof(), action=ACTION)
        case_holding.approve(services(), words, by=person(), proof_method=method)
    except ProofRefused as refused:
        wrong = str(refused)
    except BadInput as refused:
        errors = refused.fields
    else:
        flash("The holding text is approved. Everybody who looks after an enquiry sees it from now on.", "success")
        return redirect(url_for("enquiries.holding"), code=303)
    return _holding_page(typed=words, errors=errors, wrong=wrong), 422


@bp.app_template_global("replies_of")
def replies_of(case_id: int) -> case_reply_view.Desk:
    """The replies of an enquiry and the holding text, for the case's page."""
    with services().db.read() as session:
        return case_reply_view.desk(session, case_id, person())


def _typed() -> tuple[str, str]:
    return request.form.get("recipient", ""), request.form.get("reply", "")


def _case_of(reply_id: int) -> int:
    """The case a reply belongs to; 0, which is none, where there is no such reply or it is not theirs."""
    with services().db.read() as session:
        reply = session.get(CaseReply, reply_id) if reply_id < 2**31 else None
        return reply.case_id if reply is not None else 0


def _do(case_id: int, step: Callable[[], Any], editing: int = 0) -> Response | Answer:
    try:
        step()
    except BadInput as refused:
        return case_page(case_id, errors=refused.fields, editing=editing, status=422)
    except Conflict as refused:
        return case_page(case_id, errors={"": str(refused)}, editing=editing, status=409)
    return redirect(url_for("cases.show", case_id=case_id, _anchor="replies"), code=303)


def _holding_page(*, typed: str = "", errors: dict[str, str] | None = None, wrong: str = "") -> str:
    with services().db.read() as session:
        kept = school_settings(session)[case_holding.KEY]
        by = session.get(Staff, kept["by"]) if kept else None
    return render_template(
        "web/cases/holding.html",
        kept=kept,
        approved_by=by.name if by else "",
        words=typed or kept.get("words") or case_holding.PROPOSED,
        errors=errors or {},
        proof=offered(person().id, ACTION, error=wrong),
    )
