"""The pages behind the e-mailed link: look, give the PIN, read exactly what would be public, decide in writing.

Whoever asks for a page with GET changes nothing, first time or hundredth: mail scanners open links and run scripts.
The link's secret leaves the address at once for a cookie that only these pages are sent, and that shows no more than
the e-mail said. Who decides is always the person the link was made for; somebody else signed in is sent away.
"""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from approvals import proofs, tokens
from approvals.errors import (
    ApprovalError,
    DeciderRefused,
    DigestMismatch,
    FindingUnanswered,
    LinkExpired,
    LinkRefused,
    LinkSpent,
    ProofMissing,
    QuestionClosed,
    StatementMissing,
    WordsMissing,
)
from approvals.outcomes import decision_of
from approvals.requests import summary_of
from approvals.statements import written
from approvals.tables import Decision, Verdict
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.media import MediaDamaged
from gatekeeper.web.access import link_holder, person, roles, services
from gatekeeper.web.decide_link import as_long, look, typed_words, view_secret, with_cookie
from gatekeeper.web.proof_page import proof_page
from gatekeeper.workflow import decide as step
from gatekeeper.workflow.decision_view import page_for, picture_of

bp = Blueprint("decide", __name__)

_NO_ANSWER: Final = "Please answer this point in a sentence of your own, or choose another decision."
_NO_AUTHORITY: Final = (
    "Please tick that this logo may be shown and write who authorised it, or choose another decision."
)

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
        return decision_page(
            view, typed=typed_words(), errors={"": "Please press one of the three buttons."}, status=400
        )
    form = _form(Verdict(pressed))
    try:
        outcome = step.decide(services(), view_secret(), form)
    except ProofMissing as missing:  # the ten minutes ran out in between
        return proof_page(view, status=403, sentence=str(missing))
    except (WordsMissing, DigestMismatch) as refused:
        unwritten = isinstance(refused, WordsMissing)
        errors = _missing(form, view) if unwritten else {"": str(refused)}
        return decision_page(view, typed=typed_words(), errors=errors, status=400 if unwritten else 409)
    if outcome.decision is None:
        return render_template("web/decide/stopped.html", sentence=outcome.sentence), 409
    return redirect(url_for("decide.page", request_id=request_id), code=303)


@bp.get("/decide/<request_id>/photo/<sha256>")
@link_holder
def photo(request_id: str, sha256: str) -> Answer:
    """One picture exactly as it would be published, for the browser that gave the PIN."""
    try:
        view = look(request_id)
        with services().db.read() as session:
            if not view.proved or not picture_of(session, view.request, sha256):
                return _missing_picture()
        return Response(services().media.read(sha256), mimetype="image/jpeg")
    except (ApprovalError, MediaDamaged):
        return _missing_picture()


@bp.get("/decisions")
@roles(Role.HEADTEACHER, Role.DEPUTY)
def inbox() -> str:
    """What waits for the person signed in."""
    now = services().clock.now()
    with services().db.read() as session:
        waiting = [
            (asked, summary_of(asked), session.get_one(Staff, asked.author_id).name)
            for asked in step.waiting_for(session, person().id, now=now)
        ]
        decided = step.decided_by(session, person().id)
        has_pin = proofs.has_pin(session, person().id)
    return render_template("web/decide/inbox.html", waiting=waiting, decided=decided, has_pin=has_pin, now=now)


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
        return render_template("web/decide/settled.html", sentence=str(refused), receipt=_receipt()), 410
    if isinstance(refused, LinkExpired):
        return render_template(
            "web/decide/closed.html", heading="The time to decide is over", sentence=str(refused)
        ), 410
    return render_template("web/decide/closed.html", heading="This link opens nothing", sentence=str(refused)), 404


@bp.errorhandler(DeciderRefused)
def not_yours(refused: DeciderRefused) -> Answer:
    """One calm page for whoever is not the person asked."""
    return render_template("web/decide/closed.html", heading="This is not yours to decide", sentence=str(refused)), 403


@bp.errorhandler(QuestionClosed)
def _settled(_: QuestionClosed) -> Answer:
    """Settled in between: the page itself says how."""
    return redirect(url_for("decide.page", **(request.view_args or {})), code=303)


def _form(verdict: Verdict) -> step.DecisionForm:
    typed = typed_words()
    return step.DecisionForm(
        verdict=verdict,
        digest_shown=request.form.get("digest", ""),
        typed_name=typed.get("typed_name", ""),
        statement=typed.get("statement", ""),
        answers=_numbered(typed, "answer-"),
        authorised={number: typed.get(f"by-{number}", "") for number in _numbered(typed, "mark-")},
    )


def _numbered(typed: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The fields that are there once for each finding, by the finding's number."""
    return {key.removeprefix(prefix): words for key, words in typed.items() if key.startswith(prefix)}


def _missing(form: step.DecisionForm, view: tokens.View) -> dict[str, str]:
    """Everything that is not written out yet, in the order of the page: nobody should be sent back for each in turn."""
    with services().db.read() as session:
        version_id = int(view.request.version_ref)
        findings = step.required_findings(session, version_id)
        answers = step.answers_to(session, version_id, form)
        marks = {
            str(one.id): str(first) for first, group in step.marks_of(session, version_id).items() for one in group
        }
    enough = "written out in full"
    given = {"typed_name": form.typed_name, "statement": form.statement, "answers": answers}
    filled = {"typed_name": enough, "statement": enough, "answers": dict.fromkeys(findings, enough)}
    missing: dict[str, str] = {}
    for part in ("answers", "statement", "typed_name"):
        words: dict[str, Any] = filled | {part: given[part]}
        try:
            written(form.verdict, required_findings=findings, **words)
        except StatementMissing as refused:
            missing[refused.field] = str(refused)
        except FindingUnanswered as refused:
            for finding_id in refused.finding_ids:
                first = marks.get(finding_id)
                missing[f"by-{first}" if first else f"answer-{finding_id}"] = _NO_AUTHORITY if first else _NO_ANSWER
    return missing


def decision_page(
    view: tokens.View,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> tuple[str, int]:
    """Everything that would be public, and the form for the answer. Only for a proved view."""
    with services().db.read() as session:
        shown = page_for(session, view.request, now=services().clock.now())
        approver = session.get_one(Staff, view.person_id).name
    html = render_template(
        "web/decide/decision.html", shown=shown, view=view, approver=approver, typed=typed or {}, errors=errors or {}
    )
    return html, status


def _receipt() -> Decision | None:
    """The decision in full, for the browser that decided and while its proof lasts."""
    now = services().clock.now()
    request_id = (request.view_args or {}).get("request_id", "")
    with services().db.read() as session:
        decision = decision_of(session, request_id) if request_id else None
        if decision is None:
            return None
        holding = tokens.locate(session, view_secret())
        mine = holding.token.request_id == request_id and holding.proved is not None
        stands = mine and holding.proved is not None and holding.proved.proved_at <= now < holding.proved.proved_until
    return decision if stands else None


def _missing_picture() -> tuple[str, int]:
    return "", 404
