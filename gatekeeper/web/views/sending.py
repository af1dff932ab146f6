"""Whether posts go out: one button that stops everything, the headteacher's way back, and finishing a restore."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from approvals.errors import ProofRefused
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.limits import SIGN_IN, limiter
from gatekeeper.web.second_proof import offered, typed_proof
from gatekeeper.web.wording import many
from gatekeeper.workflow import emergency, restoration, sending_view

bp = Blueprint("sending", __name__, url_prefix="/sending")

_OFFICE = (Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR)


@bp.get("")
@roles(*_OFFICE)
def index() -> str:
    """Whether sending is stopped, and what becomes of the posts meanwhile."""
    return _page()


@bp.post("/stop")
@roles(*_OFFICE)
def stop() -> Response:
    """Stop everything on every channel, at once and without another question."""
    done = emergency.press(services(), by=person().id, reason=request.form.get("reason", ""))
    if not done.fresh:
        flash("Sending was stopped already. It stays stopped.", "warning")
    elif done.being_sent:
        being = many(done.being_sent, "post was", "posts were")
        flash(f"Sending is stopped. {being} being sent at that moment, and may become public.", "warning")
    else:
        flash("Sending is stopped. Nothing was being sent at that moment.", "success")
    return redirect(url_for("sending.index"), code=303)


@bp.post("/on")
@roles(Role.HEADTEACHER)
@limiter.limit(SIGN_IN)
def lift() -> Response | tuple[str, int]:
    """Let sending go on, by the second proof."""
    try:
        emergency.lift(services(), by=person().id, proof=typed_proof())
    except ProofRefused as refused:
        return _page(proof_error=str(refused)), 422
    flash("Sending goes on. What is still within its time goes out now, one after the other.", "success")
    return redirect(url_for("sending.index"), code=303)


@bp.post("/restored")
@roles(Role.HEADTEACHER)
@limiter.limit(SIGN_IN)
def finish() -> Response | tuple[str, int]:
    """Finish a restore, by the second proof; not before everything is known."""
    try:
        restoration.finish(services(), by=person().id, proof=typed_proof())
    except ProofRefused as refused:
        return _page(proof_error=str(refused)), 422
    flash("The restore is finished.", "success")
    return redirect(url_for("sending.index"), code=303)


def _page(*, proof_error: str = "") -> str:
    me, now = person(), services().clock.now()
    with services().db.read() as session:
        shown = sending_view.page(session, now=now)
    is_head = me.role == Role.HEADTEACHER
    # after a restore that comes first; one proof is asked for on a page
    action = restoration.ACTION if shown.restored else emergency.ACTION
    asks = is_head and (shown.restored.ready if shown.restored else shown.stop is not None)
    return render_template(
        "web/sending/index.html",
        shown=shown,
        is_head=is_head,
        proof=offered(me.id, action, error=proof_error) if asks else None,
        proof_error=proof_error,
    )
