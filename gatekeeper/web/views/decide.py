"""The pages behind the e-mailed link: look, give the PIN, read exactly what would be public, decide in writing.

Whoever asks for a page with GET changes nothing, first time or hundredth: mail scanners open links and run scripts.
The link's secret leaves the address at once for a cookie that only these pages are sent, and that shows no more than
the e-mail said. Who decides is always the person the link was made for; somebody else signed in is sent away.
"""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from approvals import tokens
from approvals.errors import (
    ApprovalError,
    DeciderRefused,
    DigestMismatch,
    LinkExpired,
    LinkRefused,
    LinkSpent,
    NobodyCanAllow,
    ProofMissing,
    ProofRefused,
    QuestionClosed,
    WordsMissing,
)
from approvals.outcomes import decision_of
from approvals.tables import Verdict
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.media import MediaDamaged
from gatekeeper.posts.model import Post
from gatekeeper.web.access import link_holder, person, roles, services
from gatekeeper.web.decide_form import sent_form, still_missing
from gatekeeper.web.decide_link import as_long, look, typed_words, view_secret, with_cookie
from gatekeeper.web.proof_page import proof_page
from gatekeeper.web.reply_page import reply_page
from gatekeeper.web.second_proof import offer_of
from gatekeeper.workflow import case_reply_decide
from gatekeeper.workflow import decide as step
from gatekeeper.workflow.asked_about import reply_in
from gatekeeper.workflow.compare import since_last
from gatekeeper.workflow.conversation import MarksUnclear, mark_form
from gatekeeper.workflow.decision_receipt import VERDICT_WORDS, Receipt, receipt_for
from gatekeeper.workflow.decision_view import page_for, picture_of
from gatekeeper.workflow.inbox import Search, inbox_for

bp = Blueprint("decide", __name__)

_CHOOSE: Final = "Please choose one of the three answers."
_MOST_WORDS: Final = 120  # letters of a search

Answer = BaseResponse | tuple[str, int]


@bp.get("/a/<token>")
@link_holder
def open_link(token: str) -> Answer:
    """Take the secret out of the address. Nothing is written, however often and by whomever it is opened."""
    now = services().clock.now()
    with services().db.read() as session:
        opened = tokens.open_link(session, as_long(token), purpose=tokens.DECIDE, now=now)
    return with_cookie(
        redirect(url_for("decide.page", request_id=opened.request_id), code=303),
        opened.request_id,
        opened.view_secret,
        lasts=opened.expires_at - now,
    )


@bp.get("/decide/<request_id>")
@link_holder
def page(request_id: str) -> Answer:
    """What is asked; after the PIN, everything that would be public."""
    view = look(request_id)
    return decision_page(view) if view.proved else proof_page(view)


@bp.post("/decide/<request_id>")
@link_holder
def decide(request_id: str) -> Answer:
    """Record the written decision, or say what is missing and keep what was typed."""
    view = look(request_id)
    if not view.proved:
        return proof_page(view, status=403, sentence=str(ProofMissing()))
    pressed = request.form.get("verdict", "")
    if pressed not in set(Verdict):
        return decision_page(view, typed=typed_words(), errors={"": _CHOOSE}, status=400)
    try:
        form = sent_form(Verdict(pressed), view.request)
        if reply_in(view.request.subject) is not None:
            outcome = step.Outcome(decision=case_reply_decide.decide(services(), view_secret(), form))
        else:
            outcome = step.decide(services(), view_secret(), form)
    except WordsMissing as unwritten:
        return decision_page(view, typed=typed_words(), errors=still_missing(form, view, unwritten), status=400)
    except (MarksUnclear, ProofRefused, DigestMismatch, NobodyCanAllow) as refused:
        return _not_recorded(view, refused)
    if outcome.decision is None:
        return render_template("web/decide/stopped.html", sentence=outcome.sentence), 409
    return redirect(url_for("decide.page", request_id=request_id), code=303)


def _not_recorded(view: tokens.View, refused: ApprovalError | MarksUnclear) -> tuple[str, int]:
    """Why nothing was recorded, with everything typed still there. The ten minutes may have run out in between."""
    if isinstance(refused, ProofMissing):
        return proof_page(view, status=403, sentence=str(refused))
    if isinstance(refused, ProofRefused):
        return decision_page(view, typed=typed_words(), errors={"sign": str(refused)}, status=400)
    if isinstance(refused, MarksUnclear):
        return decision_page(view, typed=typed_words(), errors=refused.fields, status=400)
    return decision_page(view, typed=typed_words(), errors={"": str(refused)}, status=409)


@bp.get("/decide/<request_id>/photo/<sha256>")
@link_holder
def photo(request_id: str, sha256: str) -> Answer:
    """One picture exactly as it would be published, for the browser that gave the PIN."""
    try:
        view = look(request_id)
        with services().db.read() as session:
            if not view.proved or reply_in(view.request.subject) or not picture_of(session, view.request, sha256):
                return _missing_picture()
        return Response(services().media.read(sha256), mimetype="image/jpeg")
    except (ApprovalError, MediaDamaged):
        return _missing_picture()


@bp.get("/decisions")
@roles(Role.HEADTEACHER, Role.DEPUTY)
def inbox() -> str:
    """What waits for the person signed in, and what they decided."""
    asked = request.args.get("verdict", "")
    search = Search(
        verdict=Verdict(asked) if asked in set(Verdict) else None,
        words=" ".join(request.args.get("words", "")[:_MOST_WORDS].split()),
        page=request.args.get("page", 1, type=int),
    )
    with services().db.read() as session:
        mine = inbox_for(session, person().id, search, now=services().clock.now())

    def page_address(number: int) -> str:
        return url_for(
            "decide.inbox", verdict=search.verdict, words=search.words or None, page=number, _anchor="decided"
        )

    return render_template(
        "web/decide/inbox.html",
        inbox=mine,
        proof=offer_of(person().id, "inbox", options=""),
        verdict_words=VERDICT_WORDS,
        page_address=page_address,
    )


@bp.post("/decisions/<request_id>/open")
@roles(Role.HEADTEACHER, Role.DEPUTY)
def open_mine(request_id: str) -> BaseResponse:
    """Open a question of one's own without the e-mail. The PIN is asked for all the same."""
    opened = step.open_for(services(), request_id, person_id=person().id)
    if opened is None:
        flash("Nothing waits for you there any more.", "info")
        return redirect(url_for("decide.inbox"), code=303)
    lasts = opened.expires_at - services().clock.now()
    answer = redirect(url_for("decide.page", request_id=request_id), code=303)
    return with_cookie(answer, request_id, opened.view_secret, lasts=lasts)


@bp.errorhandler(LinkRefused)
def closed(refused: LinkRefused) -> Answer:
    """One calm page for a link that opens nothing: settled, over, or not known."""
    if isinstance(refused, LinkSpent):
        if receipt := _receipt():
            return render_template("web/decide/receipt.html", receipt=receipt, sentence=str(refused)), 410
        return render_template("web/decide/closed.html", why="settled", sentence=str(refused)), 410
    if isinstance(refused, LinkExpired):
        return render_template("web/decide/closed.html", why="expired", sentence=str(refused)), 410
    return render_template("web/decide/closed.html", why="unknown", sentence=str(refused)), 404


@bp.errorhandler(DeciderRefused)
def not_yours(refused: DeciderRefused) -> Answer:
    """One calm page for whoever is not the person asked."""
    return render_template("web/decide/closed.html", why="not-yours", sentence=str(refused)), 403


@bp.errorhandler(QuestionClosed)
def _settled(_: QuestionClosed) -> Answer:
    """Settled in between: the page itself says how."""
    return redirect(url_for("decide.page", **(request.view_args or {})), code=303)


def decision_page(
    view: tokens.View,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> tuple[str, int]:
    """Everything that would be public, and the form for the answer. Only for a proved view."""
    given = typed or {}
    if reply_in(view.request.subject) is not None:
        return reply_page(view, typed=given, errors=errors or {}, chosen=_chosen(given), status=status)
    with services().db.read() as session:
        shown = page_for(session, view.request, person_id=view.person_id, now=services().clock.now())
        approver = session.get_one(Staff, view.person_id).name
        remarks = mark_form(session, view.request, given)
        since = since_last(session, view.request, session.get_one(Post, shown.post_id))
    html = render_template(
        "web/decide/decision.html",
        shown=shown,
        view=view,
        approver=approver,
        typed=given,
        errors=errors or {},
        chosen=_chosen(given),
        remarks=remarks,
        since=since,
        sign=offer_of(view.person_id, "approve", options=url_for("decide_proof.signing", request_id=view.request.id)),
    )
    return html, status


def _chosen(typed: Mapping[str, str]) -> str:
    """The answer whose fields are unfolded: the one that was pressed before an error, or before the proof ran out."""
    said = request.form.get("verdict", "") or typed.get("verdict", "")
    return said if said in set(Verdict) else ""


def _receipt() -> Receipt | None:
    """The decision in full, for the browser that decided and while its proof lasts."""
    now = services().clock.now()
    request_id = (request.view_args or {}).get("request_id", "")
    with services().db.read() as session:
        decision = decision_of(session, request_id) if request_id else None
        if decision is None:
            return None
        holding = tokens.locate(session, view_secret())
        proved = holding.proved if holding.token.request_id == request_id else None
        if proved is None or not proved.proved_at <= now < proved.proved_until:
            return None
        return receipt_for(session, decision, now=now)


def _missing_picture() -> tuple[str, int]:
    return "", 404
