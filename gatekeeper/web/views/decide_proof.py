"""Giving the second proof behind an e-mailed link. What was typed before the proof ran out comes along, not lost."""

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from approvals import tokens
from approvals.challenges import Occasion
from approvals.errors import DeciderRefused, LinkRefused, PasskeyRefused, ProofLocked, ProofMissing, ProofWrong
from approvals.passkeys import VIEW
from approvals.proofs import ProvedView
from gatekeeper.web.access import link_holder, services
from gatekeeper.web.decide_link import look, typed_words, view_secret, with_cookie
from gatekeeper.web.limits import SIGN_IN, limiter
from gatekeeper.web.proof_page import PinForm, proof_page
from gatekeeper.web.second_proof import offer_of, typed_proof
from gatekeeper.web.views import decide
from gatekeeper.workflow import decide as step
from gatekeeper.workflow import passkey_options, sign

bp = Blueprint("decide_proof", __name__)
bp.register_error_handler(LinkRefused, decide.closed)
bp.register_error_handler(DeciderRefused, decide.not_yours)

Answer = Response | tuple[str, int]


@bp.post("/decide/<request_id>/prove")
@link_holder
@limiter.limit(SIGN_IN)
def prove(request_id: str) -> Answer:
    """Look at what a passkey answered, or try the PIN."""
    view = look(request_id)
    form = PinForm()
    if typed_proof().assertion:
        try:
            proof = sign.prove(services(), view_secret(), typed_proof().assertion)
        except PasskeyRefused as refused:
            form.refuse({}, str(refused))
            return proof_page(view, form, status=400)
        return _proved(view, proof)
    if not form.validate():
        return proof_page(view, form, status=400)
    proof = step.prove(services(), view_secret(), form.pin.data or "")
    try:
        proof.demand()
    except ProofWrong as wrong:
        form.refuse({"pin": str(wrong)})
        return proof_page(view, form, status=400)
    except (ProofLocked, ProofMissing) as stuck:
        return _stuck(view, stuck)
    return _proved(view, proof)


@bp.get("/decide/<request_id>/challenge")
@link_holder
def challenge(request_id: str) -> Answer:
    """What the script asks the passkey of the link's person, to open the page. Nothing is written."""
    view = look(request_id)
    occasion = Occasion(person_id=view.person_id, purpose=VIEW, subject=request_id)
    with services().db.read() as session:
        return jsonify(passkey_options.to_ask_one(services(), session, occasion))


@bp.get("/decide/<request_id>/signing")
@link_holder
def signing(request_id: str) -> Answer:
    """What the script asks the passkey to sign: exactly this version. Only for a page that is open. Nothing is written."""
    view = look(request_id)
    if not view.proved:
        return make_response(
            jsonify(error="Your ten minutes are over. Reload the page and prove who you are again."), 403
        )
    with services().db.read() as session:
        return jsonify(passkey_options.to_sign(services(), session, view.person_id, view.request.digest))


def _proved(view: tokens.View, proof: ProvedView) -> Response:
    """On to the post, with the fresh secret, and with what was typed before."""
    assert proof.view_secret is not None
    now, request_id = services().clock.now(), view.request.id
    typed = typed_words()
    if typed.keys() - {"verdict"}:
        with services().db.read() as session:
            proved = tokens.view(session, proof.view_secret, now=now)
        answer: Response = make_response(decide.decision_page(proved, typed=typed))
    else:
        answer = redirect(url_for("decide.page", request_id=request_id), code=303)
    return with_cookie(answer, request_id, proof.view_secret, lasts=view.request.expires_at - now)


def _stuck(view: tokens.View, stuck: ProofLocked | ProofMissing) -> tuple[str, int]:
    locked = isinstance(stuck, ProofLocked)
    offer = offer_of(view.person_id, VIEW, options="")
    again = url_for("decide.page", request_id=(request.view_args or {})["request_id"])
    html = render_template("web/decide/stuck.html", sentence=str(stuck), locked=locked, offer=offer, again=again)
    return html, 403
