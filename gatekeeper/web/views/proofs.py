"""Proving it is you: one's passkeys and PIN, added, changed and ended; and leave to choose anew, stopped."""

from urllib.parse import urlsplit

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from approvals.errors import ProofRefused
from gatekeeper.errors import BadInput
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, services, signed_in
from gatekeeper.web.limits import SIGN_IN, limiter
from gatekeeper.web.second_proof import ProofOffer, offered, typed_proof
from gatekeeper.workflow import passkey_options, recover, roles
from gatekeeper.workflow import second_proofs as steps
from gatekeeper.workflow.passkey_place import why_not_here
from gatekeeper.workflow.second_proofs import CHANGE, Basis, Given
from gatekeeper.workflow.step_up import occasion_of

bp = Blueprint("proofs", __name__, url_prefix="/account/proofs")

Answer = Response | tuple[str, int]


@bp.get("")
@signed_in
def index() -> str:
    """What one has, and what stands for one."""
    return _index()


@bp.get("/passkey")
@signed_in
def passkey() -> str:
    """The form for a new passkey."""
    return _form("passkey")


@bp.post("/passkey")
@signed_in
@limiter.limit(SIGN_IN)
def add_passkey() -> Answer:
    """Enrol what the browser made."""
    try:
        steps.add_passkey(
            services(),
            person().id,
            label=request.form.get("label", ""),
            response=request.form.get("response", ""),
            given=_given(),
        )
    except (BadInput, ProofRefused) as refused:
        return _form("passkey", refused), 422
    return _done("Your passkey is added. From now on you can decide with it.")


@bp.get("/pin")
@signed_in
def pin() -> str:
    """The form for a PIN."""
    return _form("pin")


@bp.post("/pin")
@signed_in
@limiter.limit(SIGN_IN)
def set_pin() -> Answer:
    """Set it."""
    try:
        steps.set_pin(services(), person().id, request.form.get("new_pin", "")[:20], _given())
    except (BadInput, ProofRefused) as refused:
        return _form("pin", refused), 422
    return _done("Your PIN is set.")


@bp.post("/pin/unlock")
@signed_in
@limiter.limit(SIGN_IN)
def unlock_pin() -> Answer:
    """Try a locked PIN once more, signed in."""
    try:
        steps.unlock_pin(services(), person().id, request.form.get("locked_pin", "")[:20])
    except ProofRefused as refused:
        return _index(unlock_error=str(refused)), 422
    return _done("Your PIN is unlocked.")


@bp.get("/pin/remove")
@signed_in
def without_pin() -> str:
    """Ask once more before the PIN goes."""
    return _form("remove_pin")


@bp.post("/pin/remove")
@signed_in
@limiter.limit(SIGN_IN)
def remove_pin() -> Answer:
    """Accept it no more."""
    try:
        steps.remove_pin(services(), person().id, _given())
    except ProofRefused as refused:
        return _form("remove_pin", refused), 422
    return _done("Your PIN is removed. You decide with your passkey alone.")


@bp.post("/passkeys/<passkey_id>/rename")
@signed_in
def rename(passkey_id: str) -> Answer:
    """Call a passkey something else."""
    try:
        steps.rename_passkey(services(), person().id, passkey_id, label=request.form.get("label", ""))
    except BadInput as refused:
        return _index(rename_error=str(refused), renamed=passkey_id), 422
    return _done("The passkey has its new name.")


@bp.get("/passkeys/<passkey_id>/end")
@signed_in
def ending(passkey_id: str) -> str | Response:
    """Ask once more before a passkey ends."""
    return _form("end", passkey_id=passkey_id) if _mine(passkey_id) else redirect(url_for("proofs.index"), code=303)


@bp.post("/passkeys/<passkey_id>/end")
@signed_in
@limiter.limit(SIGN_IN)
def end(passkey_id: str) -> Answer:
    """End it."""
    try:
        steps.end_passkey(services(), person().id, passkey_id, _given())
    except ProofRefused as refused:
        return _form("end", refused, passkey_id=passkey_id), 422
    return _done("The passkey is ended. It opens nothing any more.")


@bp.post("/recoveries/<recovery_id>/stop")
@signed_in
def stop_recovery(recovery_id: str) -> Response:
    """Stop somebody's leave to choose anew; the step asks whether this person may."""
    recover.stop(services(), recovery_id, by=person())
    flash("It is stopped. All proofs stay as they are.", "success")
    back = "proofs.index" if Role(person().role) in roles.DECIDING else "account.index"
    return redirect(url_for(back), code=303)


@bp.get("/challenge/<action>")
@signed_in
def challenge(action: str) -> Response:
    """What the script asks a passkey of the person signed in. Nothing is written."""
    with services().db.read() as session:
        return jsonify(passkey_options.to_ask_one(services(), session, occasion_of(person().id, action)))


@bp.get("/registration")
@signed_in
def registration() -> Response:
    """What the script needs to make a passkey. Nothing is written."""
    with services().db.read() as session:
        return jsonify(passkey_options.to_make_one(services(), session, person()))


def _given() -> Given:
    return Given(password=request.form.get("password", "")[:200], proof=typed_proof())


def _done(sentence: str) -> Response:
    flash(sentence, "success")
    return redirect(url_for("proofs.index"), code=303)


def _mine(passkey_id: str) -> bool:
    return any(one.id == passkey_id for one in _standing().passkeys)


def _standing() -> steps.Standing:
    with services().db.read() as session:
        return steps.standing(session, person().id, now=services().clock.now())


def _index(*, unlock_error: str = "", rename_error: str = "", renamed: str = "") -> str:
    now = services().clock.now()
    with services().db.read() as session:
        waiting = recover.waiting_for_eyes_of(session, person(), now=now)
    return render_template(
        "web/proofs/index.html",
        me=person(),
        decides=Role(person().role) in roles.DECIDING,
        standing=_standing(),
        waiting=waiting,
        unlock_error=unlock_error,
        rename_error=rename_error,
        renamed=renamed,
    )


def _form(page: str, refused: BadInput | ProofRefused | None = None, *, passkey_id: str = "") -> str:
    """One of the pages with a form. What was typed stays, except what is secret."""
    standing = _standing()
    errors = dict(refused.fields) if isinstance(refused, BadInput) else {}
    loose = str(refused) if isinstance(refused, BadInput) and not errors else ""
    return render_template(
        f"web/proofs/{page}.html",
        me=person(),
        standing=standing,
        by_password=standing.basis is not Basis.PROOF,
        recovering=standing.basis is Basis.RECOVERY,
        offer=_offer(str(refused) if isinstance(refused, ProofRefused) else ""),
        errors=errors,
        loose=loose,
        label=request.form.get("label", ""),
        passkey=next((one for one in standing.passkeys if one.id == passkey_id), None),
        elsewhere=why_not_here(services().settings, host=urlsplit(request.host_url).hostname or ""),
    )


def _offer(error: str) -> ProofOffer:
    return offered(person().id, CHANGE, error=error)
