"""Giving the second proof behind an e-mailed link. What was typed before the proof ran out comes along, not lost."""

from flask import Blueprint, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from approvals import tokens
from approvals.errors import DeciderRefused, LinkRefused, ProofLocked, ProofMissing, ProofWrong
from gatekeeper.web.access import link_holder, services
from gatekeeper.web.decide_link import look, typed_words, view_secret, with_cookie
from gatekeeper.web.limits import SIGN_IN, limiter
from gatekeeper.web.proof_page import PinForm, proof_page
from gatekeeper.web.views import decide
from gatekeeper.workflow import decide as step

bp = Blueprint("decide_proof", __name__)
bp.register_error_handler(LinkRefused, decide.closed)
bp.register_error_handler(DeciderRefused, decide.not_yours)

Answer = Response | tuple[str, int]


@bp.post("/decide/<request_id>/prove")
@link_holder
@limiter.limit(SIGN_IN)
def prove(request_id: str) -> Answer:
    """Try the PIN."""
    view = look(request_id)
    form = PinForm()
    if not form.validate():
        return proof_page(view, form, status=400)
    proof = step.prove(services(), view_secret(), form.pin.data or "")
    try:
        proof.demand()
    except ProofWrong as wrong:
        form.refuse({"pin": str(wrong)})
        return proof_page(view, form, status=400)
    except (ProofLocked, ProofMissing) as stuck:
        return render_template("web/decide/stuck.html", sentence=str(stuck), locked=isinstance(stuck, ProofLocked)), 403
    assert proof.view_secret is not None
    now = services().clock.now()
    if typed := typed_words():
        with services().db.read() as session:
            proved = tokens.view(session, proof.view_secret, now=now)
        answer: Response = make_response(decide.decision_page(proved, typed=typed))
    else:
        answer = redirect(url_for("decide.page", request_id=request_id), code=303)
    return with_cookie(answer, request_id, proof.view_secret, lasts=view.request.expires_at - now)
