"""Legal holds from the page of their case, for whoever sees it in full and may hold: who that is, the step says."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.web.access import person, services, signed_in
from gatekeeper.web.views.cases import Answer, case_page
from gatekeeper.workflow import legal_hold
from gatekeeper.workflow.case_right import case_for
from gatekeeper.workflow.cases import subject_of

bp = Blueprint("case_holds", __name__, url_prefix="/cases")


@bp.post("/<int:case_id>/holds")
@signed_in
def place(case_id: int) -> Answer:
    """Hold the case itself, and with it the post it is about."""
    reason, subject = request.form.get("reason", ""), subject_of(case_id)

    def step() -> None:
        legal_hold.place(services(), case_id=case_id, subject=subject, reason=reason, by=person())

    return _do(case_id, step, "why-hold", "It is held. Nothing of it is purged while the hold stands.")


@bp.post("/<int:case_id>/holds/<int:hold_id>/end")
@signed_in
def end(case_id: int, hold_id: int) -> Answer:
    """End a hold of this case."""
    reason = request.form.get("reason", "")

    def step() -> None:
        legal_hold.end(services(), hold_id, case_id=case_id, reason=reason, by=person())

    done = "The hold has ended. From the next night on the usual periods count again."
    return _do(case_id, step, f"why-hold-{hold_id}", done, ending=hold_id)


def _do(case_id: int, step: Callable[[], Any], field: str, done: str, *, ending: int = 0) -> Answer:
    with services().db.read() as session:
        case_for(session, case_id, person())  # of a case that is not theirs they learn not even that it is there
    try:
        step()
    except BadInput as refused:
        return case_page(case_id, errors={field: str(refused)}, ending=ending, status=422)
    except Conflict as refused:
        return case_page(case_id, errors={"": str(refused)}, status=409)
    flash(done, "success")
    return redirect(url_for("cases.show", case_id=case_id, _anchor="holds"), code=303)
