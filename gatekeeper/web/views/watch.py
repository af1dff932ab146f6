"""The school's own accounts: how they are watched, what was found on them, and what became of it."""

from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import IntegerField, SelectField, TextAreaField
from wtforms.validators import Optional

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Form, at_most, options, trimmed
from gatekeeper.workflow import incident_act, incident_close, incident_view, watch, watch_pace, watch_view

bp = Blueprint("watch", __name__, url_prefix="/watch")

Answer = str | BaseResponse | tuple[str, int]
readers = roles(Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR, Role.AUDITOR)
office = roles(Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR)
keepers = roles(Role.HEADTEACHER, Role.ADMINISTRATOR)
deciders = roles(Role.HEADTEACHER, Role.DEPUTY)
_PAUSES: Final = {minutes: f"Every {minutes} minutes" if minutes < 60 else "Every hour" for minutes in watch_pace.EVERY}  # noqa: PLR2004 - an hour


class SettingForm(Form):
    """How often the accounts are read, and what X may cost."""

    minutes = SelectField("How often each account is read", choices=options(_PAUSES), coerce=int, validate_choice=False)
    reads = IntegerField(
        "Posts of X that may be read back in a month",
        description="X charges a tenth of a cent for each. A reading that finds nothing new costs nothing. 0: X is not read.",
        validators=[Optional()],
        render_kw={"inputmode": "numeric", "class": "form-control short"},
    )


class CloseForm(Form):
    """Why what was found is all right."""

    words = TextAreaField(
        "It is all right, because",
        description="Your words are kept with what was found, with your name and the time.",
        filters=[trimmed],
        validators=[at_most(incident_close.MOST_WORDS)],
        render_kw={"rows": 3},
    )


class TakeDownForm(Form):
    """Why it is taken down."""

    reason = TextAreaField(
        "Why",
        description="For those who read this later.",
        filters=[trimmed],
        validators=[at_most(incident_act.MOST_WORDS)],
        render_kw={"rows": 2},
    )


class CaseForm(Form):
    """What kind of case begins."""

    kind = SelectField("What kind of case", choices=options(incident_act.CASES))


@bp.get("")
@readers
def index() -> str:
    """How each account is watched, what was found, and what is not watched."""
    return _index()


@bp.post("/settings")
@keepers
def save() -> Answer:
    """Set how often is read and what X may cost."""
    form = SettingForm()
    if form.validate():
        wanted = watch_pace.WatchSetting(
            minutes=form.minutes.data or 0, reads=-1 if form.reads.data is None else form.reads.data
        )
        try:
            watch_pace.change(services(), wanted, by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields)
        else:
            flash("It is saved. It counts from the next reading on.", "success")
            return redirect(url_for("watch.index"), code=303)
    return _index(form), 422


@bp.post("/<int:account_id>/read")
@office
def read_now(account_id: int) -> Answer:
    """Let one account be read at once."""
    if watch.order_now(services(), account_id):
        flash("It is being read. Load this page again in a moment.", "success")
    else:
        flash("It was read a moment ago, or it is not watched.", "warning")
    return redirect(url_for("watch.index"), code=303)


@bp.get("/incidents/<int:incident_id>")
@readers
def incident(incident_id: int) -> str:
    """One thing that was found, beside what was approved."""
    return _incident(incident_id)


@bp.post("/incidents/<int:incident_id>/close")
@deciders
def close(incident_id: int) -> Answer:
    """Say in writing why it is all right."""
    form = CloseForm()
    if form.validate():
        try:
            incident_close.close(services(), incident_id, by=person().id, words=form.words.data or "")
        except BadInput as refused:
            form.refuse(refused.fields)
        except Conflict as late:
            return _too_late(incident_id, late)
        else:
            flash("It is kept with your reason.", "success")
            return redirect(url_for("watch.incident", incident_id=incident_id), code=303)
    return _incident(incident_id, closing=form), 422


@bp.post("/incidents/<int:incident_id>/take-down")
@office
def take_down(incident_id: int) -> Answer:
    """Have it removed from the platform."""
    form = TakeDownForm()
    if form.validate():
        try:
            incident_act.take_down(services(), incident_id, by=person().id, words=form.reason.data or "")
        except Conflict as late:
            return _too_late(incident_id, late)
        flash("Its removal is ordered. It ends here when the platform shows that it is gone.", "success")
        return redirect(url_for("watch.incident", incident_id=incident_id), code=303)
    return _incident(incident_id, removing=form), 422


@bp.post("/incidents/<int:incident_id>/case")
@office
def open_case(incident_id: int) -> Answer:
    """Open a case from it."""
    form = CaseForm()
    if form.validate():
        try:
            case_id = incident_act.open_case_from(services(), incident_id, by=person().id, kind=form.kind.data or "")
        except Conflict as late:
            return _too_late(incident_id, late)
        return redirect(url_for("cases.show", case_id=case_id), code=303)
    return _incident(incident_id, case=form), 422


@bp.get("/incidents/<int:incident_id>/pictures/<int:number>")
@office
def picture(incident_id: int, number: int) -> Response:
    """One kept copy of a picture that was found."""
    return _picture(incident_id, number, approved=False)


@bp.get("/incidents/<int:incident_id>/approved/<int:number>")
@office
def approved(incident_id: int, number: int) -> Response:
    """One picture as it was approved."""
    return _picture(incident_id, number, approved=True)


def _too_late(incident_id: int, late: Conflict) -> Answer:
    """Show what it has become meanwhile, and say that nothing was done."""
    flash(str(late), "warning")
    return redirect(url_for("watch.incident", incident_id=incident_id), code=303)


def _index(form: SettingForm | None = None) -> str:
    now = services().clock.now()
    asked: dict[str, Any] = {name: request.args.get(name, 1, type=int) for name in ("open_page", "closed_page")}
    with services().db.read() as session:
        shown = watch_view.page(session, services().settings, now=now, **asked)
    return render_template(
        "web/watch/index.html",
        shown=shown,
        kinds=watch_view.KINDS,
        form=form or SettingForm(formdata=None, minutes=shown.setting.minutes, reads=shown.setting.reads),
        may_set=person().role in (Role.HEADTEACHER, Role.ADMINISTRATOR),
        demo=services().settings.demo,
    )


def _incident(
    incident_id: int,
    *,
    closing: CloseForm | None = None,
    removing: TakeDownForm | None = None,
    case: CaseForm | None = None,
) -> str:
    shown = incident_view.incident_page(services(), incident_id, person())
    return render_template(
        "web/watch/incident.html",
        shown=shown,
        kinds=watch_view.KINDS,
        closing=closing or CloseForm(formdata=None),
        removing=removing or TakeDownForm(formdata=None),
        case=case or CaseForm(formdata=None),
    )


def _picture(incident_id: int, number: int, *, approved: bool) -> Response:
    data = incident_view.picture(services(), incident_id, number, person(), approved=approved)
    answer = Response(data, mimetype="image/jpeg")
    answer.headers["Content-Disposition"] = f'inline; filename="picture-{number + 1}.jpg"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer
