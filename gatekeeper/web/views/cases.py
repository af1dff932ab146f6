"""Cases: what the school has to answer for beside its posts. Each page shows what its reader may see, and no more."""

from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from gatekeeper.cases import breach
from gatekeeper.cases.model import CaseKind
from gatekeeper.cases.rules import RULES, Act, may_open
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import Role
from gatekeeper.posts.media import MediaDamaged
from gatekeeper.web.access import person, roles, services, signed_in
from gatekeeper.web.forms_case import FIELDS, CaseForm, form_for, is_optional
from gatekeeper.workflow import case_advice, case_export, case_route, case_view, case_work
from gatekeeper.workflow.case_paper import FACTS, LINES
from gatekeeper.workflow.cases import begin
from gatekeeper.workflow.draft_view import draft_view

bp = Blueprint("cases", __name__, url_prefix="/cases")

Answer = str | BaseResponse | tuple[str, int]
_TABS: Final = {"open": "Open", "mine": "Mine", "overdue": "Overdue", "all": "All"}


@bp.get("")
@signed_in
def index() -> str:
    """The cases of this person: their own, those they look after, and those their role answers for."""
    asked = request.args.get("kind", "")
    search = case_view.Search(
        which=request.args.get("show", "open"),
        kind=CaseKind(asked) if asked in set(CaseKind) else None,
        page=request.args.get("page", 1, type=int),
    )
    with services().db.read() as session:
        found = case_view.listing(session, person(), search, now=services().clock.now())

    def page_address(number: int) -> str:
        return url_for("cases.index", show=found.search.which, kind=found.search.kind, page=number)

    return render_template(
        "web/cases/index.html", found=found, tabs=_TABS, kinds=RULES, states=case_view.STATES, page_address=page_address
    )


@bp.get("/new")
@signed_in
def choose() -> str:
    """What can be opened, in words that need no policy at hand."""
    mine = {kind: rules for kind, rules in RULES.items() if may_open(kind, person().role)}
    return render_template("web/cases/choose.html", kinds=mine)


@bp.route("/new/<kind>", methods=["GET", "POST"])
@signed_in
def new(kind: str) -> Answer:
    """Open a case of one kind."""
    if kind not in set(CaseKind):
        raise NotFound("There is no such kind of case.")
    which = CaseKind(kind)
    if not may_open(which, person().role):
        raise NotFound("Cases of this kind are opened by somebody else here.")
    post_id = request.values.get("post", type=int) if which is CaseKind.ADVICE else None
    with services().db.read() as session:
        staff = {one.id: one.name for one in case_route.colleagues(session, now=services().clock.now())}
    staff.pop(person().id, None)
    form = form_for(which, staff, fill=request.method == "GET")
    post = draft_view(services(), post_id, person().id) if post_id is not None else None
    if request.method == "GET":
        if post is not None:
            form.title.data = f"Post {post_id}"
        return _form_page(form, which, post_id)
    try:
        opening = form.opening(which)
        data = _picture()
        if which is CaseKind.ADVICE:
            case_id = case_advice.ask(
                services(), opening.title, opening.words, link=opening.link, post_id=post_id, by=person()
            )
        else:
            case_id = begin(services(), opening, by=person())
    except BadInput as refused:
        form.refuse(refused.fields, str(refused))
        return _form_page(form, which, post_id), 422
    except Conflict as refused:
        form.refuse({}, str(refused))
        return _form_page(form, which, post_id), 409
    if data:
        _attach(case_id, *data)
    flash("It is written down, and whoever looks after it is told.", "success")
    return redirect(url_for("cases.show", case_id=case_id), code=303)


@bp.get("/<int:case_id>")
@signed_in
def show(case_id: int) -> Answer:
    """One case."""
    return case_page(case_id)


@bp.post("/<int:case_id>/note")
@signed_in
def note(case_id: int) -> Answer:
    """Add a note, which the reporter may be shown."""
    words, shared = request.form.get("words", ""), request.form.get("shared") == "yes"
    return _do(case_id, lambda: case_work.note(services(), case_id, words, shared=shared, by=person()), "story")


@bp.post("/<int:case_id>/wait")
@signed_in
def wait(case_id: int) -> Answer:
    """It waits for somebody, or goes on."""
    waiting = request.form.get("waiting") == "yes"
    return _do(case_id, lambda: case_work.wait(services(), case_id, waiting=waiting, by=person()))


@bp.post("/<int:case_id>/hand-over")
@signed_in
def hand_over(case_id: int) -> Answer:
    """Give it to somebody else; who does so may see nothing of it afterwards."""
    to = request.form.get("to", 0, type=int)
    words = request.form.get("why", "")
    try:
        case_work.hand_over(services(), case_id, to, words=words, by=person())
    except BadInput as refused:
        return case_page(case_id, errors=refused.fields, status=422)
    flash("You look after it now." if to == person().id else "Handed over. They get an e-mail.", "success")
    try:
        case_view.page_for(services(), case_id, person())
    except NotFound:
        return redirect(url_for("cases.index"), code=303)
    return redirect(url_for("cases.show", case_id=case_id), code=303)


@bp.post("/<int:case_id>/pictures")
@signed_in
def attach(case_id: int) -> Answer:
    """Add a screenshot."""
    file = request.files.get("picture")
    if file is None or not file.filename:
        return case_page(case_id, errors={"picture": "Please choose a picture first."}, status=422)
    data, name = file.read(), file.filename
    return _do(case_id, lambda: case_work.attach(services(), case_id, data, name, by=person()), "pictures")


@bp.get("/<int:case_id>/pictures/<int:attachment_id>")
@signed_in
def picture(case_id: int, attachment_id: int) -> Answer:
    """One picture of a case, for whoever may see it."""
    with services().db.read() as session:
        found = case_view.attachment_of(session, case_id, attachment_id, person())
    if found is None:
        raise NotFound("There is no such picture.")
    try:
        return Response(services().media.read(found.sha256), mimetype="image/jpeg")
    except MediaDamaged as lost:
        raise NotFound("This picture's file is lost.") from lost


@bp.post("/<int:case_id>/due/<name>")
@signed_in
def meet(case_id: int, name: str) -> Answer:
    """Write down how something that was due was done."""
    words = request.form.get("words", "")
    return _do(case_id, lambda: case_work.meet(services(), case_id, name, words, by=person()), "due")


@bp.post("/<int:case_id>/breach")
@signed_in
def change(case_id: int) -> Answer:
    """Keep what is known of a breach so far."""
    facts = {name: request.form.get(name, "") for name, _, _ in breach.QUESTIONS}
    high = request.form.get("high_risk") == "yes"
    return _do(
        case_id, lambda: case_work.change_breach(services(), case_id, facts, high_risk=high, by=person()), "known"
    )


@bp.post("/<int:case_id>/answer")
@signed_in
def answer(case_id: int) -> Answer:
    """Answer a question in writing."""
    verdict, words = request.form.get("verdict", ""), request.form.get("words", "")
    return _do(case_id, lambda: case_advice.answer(services(), case_id, verdict, words, by=person()))


@bp.post("/<int:case_id>/take-back")
@signed_in
def take_back(case_id: int) -> Answer:
    """Take one's own question back."""
    return _do(case_id, lambda: case_advice.take_back(services(), case_id, "", by=person()))


@bp.post("/<int:case_id>/close")
@signed_in
def close(case_id: int) -> Answer:
    """End it, with what came of it."""
    result, words, told = (request.form.get(name, "") for name in ("result", "words", "told"))
    return _do(case_id, lambda: case_work.close(services(), case_id, result, words, told=told, by=person()))


@bp.post("/<int:case_id>/reopen")
@signed_in
def reopen(case_id: int) -> Answer:
    """Go on with one that was closed."""
    words = request.form.get("words", "")
    return _do(case_id, lambda: case_work.reopen(services(), case_id, words, by=person()))


@bp.post("/<int:case_id>/export")
@signed_in
def export(case_id: int) -> Response:
    """The whole case as a zip. That it was taken out is written down."""
    return _file(case_export.export(services(), case_id, by=person()), "application/zip")


@bp.get("/<int:case_id>/letter")
@signed_in
def letter(case_id: int) -> Response:
    """The request to remove something, on paper."""
    return _file(case_export.letter(services(), case_id, by=person()), "application/pdf")


@bp.get("/about/<int:post_id>")
@roles(*(role for role in Role if role is not Role.AUDITOR))
def ask_first(post_id: int) -> BaseResponse:
    """The button on a draft: ask about this post before it is sent."""
    return redirect(url_for("cases.new", kind=CaseKind.ADVICE, post=post_id), code=303)


@bp.app_template_global("asked_first")
def asked_first(post_id: int) -> tuple[int, str, bool] | None:
    """What freezes a post, for its page: the case, why, and whether an answer is still to come."""
    with services().db.read() as session:
        return case_advice.question_of(session, post_id)


def case_page(case_id: int, *, errors: dict[str, str] | None = None, status: int = 200, **more: Any) -> Answer:
    """The page of one case, also as the answer to what was refused: then it says why, and keeps what was typed."""
    shown = case_view.page_for(services(), case_id, person())
    html = render_template(
        "web/cases/show.html",
        shown=shown,
        reader_id=person().id,
        errors=errors or {},
        typed=request.form if errors else {},
        Act=Act,
        lines=LINES,
        fact_words=FACTS,
        questions=breach.QUESTIONS,
        answers=case_advice.ANSWERS,
        **more,
    )
    return html if status == 200 else (html, status)  # noqa: PLR2004


def _do(case_id: int, step: Any, anchor: str | None = None) -> Answer:
    try:
        step()
    except BadInput as refused:
        return case_page(case_id, errors=refused.fields or {"": str(refused)}, status=422)
    return redirect(url_for("cases.show", case_id=case_id, _anchor=anchor), code=303)


def _form_page(form: CaseForm, kind: CaseKind, post_id: int | None) -> str:
    fields = [(form[name], is_optional(kind, name)) for name in FIELDS[kind]]
    doubled = [which for which in ("began", "deadline") if f"{which}_date" in FIELDS[kind] and form.is_doubled(which)]
    return render_template(
        "web/cases/new.html", form=form, fields=fields, doubled=doubled, rules=RULES[kind], kind=kind, post_id=post_id
    )


def _picture() -> tuple[bytes, str] | None:
    file = request.files.get("picture")
    return (file.read(), file.filename) if file is not None and file.filename else None


def _attach(case_id: int, data: bytes, name: str) -> None:
    """The case stands whatever becomes of its picture: a concern is not lost because a file was broken."""
    try:
        case_work.attach(services(), case_id, data, name, by=person())
    except BadInput as refused:
        flash(f"The picture was not kept: {refused} You can add another below.", "warning")


def _file(package: case_export.Package, kind: str) -> Response:
    answer = Response(package.data, mimetype=kind)
    answer.headers["Content-Disposition"] = f"attachment; filename={package.file_name}"
    return answer
