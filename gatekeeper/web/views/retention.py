"""How long everything is kept, what the last nights erased, and the legal holds under which nothing goes."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, TextAreaField
from wtforms.validators import Optional

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.accounts import names_of_staff
from gatekeeper.people.staff import Role
from gatekeeper.policy import retention as periods
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Form, at_most, chosen, needed, options, trimmed
from gatekeeper.workflow import legal_hold, retention

bp = Blueprint("retention", __name__, url_prefix="/retention")
keepers = roles(Role.ADMINISTRATOR, Role.HEADTEACHER)
holders = roles(*sorted(legal_hold.MAY_HOLD))

Answer = Response | str | tuple[str, int]
_HIGHEST = 999_999_999
_KINDS = {"case": "The case itself", "post": "A post", "pupil": "A pupil, with every post they are in"}


class PeriodForm(Form):
    """How long one class is kept, and why that changes."""

    days = IntegerField("Days", validators=[Optional()], render_kw={"inputmode": "numeric", "autocomplete": "off"})
    never = BooleanField("Keep it without an end")
    reason = TextAreaField(
        "Why does it change?",
        description="Kept in the audit with your name, such as “Agreed with the data protection officer on 3 November”.",
        filters=[trimmed],
        validators=[at_most(retention.LONGEST_REASON)],
        render_kw={"rows": 2},
    )
    shown = HiddenField()


class HoldForm(Form):
    """What is held, under which case, and why."""

    case = IntegerField(
        "Number of the case",
        description="The case for which it has to be kept.",
        validators=[needed("Please give the number of the case.")],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    kind = RadioField("What is held", choices=options(_KINDS), validators=[chosen("Please choose what is held.")])
    number = IntegerField(
        "Number of the post or pupil",
        description="As it stands in the address of its page. A name is not asked for here.",
        validators=[Optional()],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    reason = TextAreaField(
        "Why it has to be kept",
        filters=[trimmed],
        validators=[needed("Please say in a sentence why it has to be kept."), at_most(legal_hold.LONGEST_REASON)],
        render_kw={"rows": 2},
    )

    def subject(self) -> str:
        """What is held, as the step takes it."""
        number = self.case.data if self.kind.data == "case" else self.number.data
        return f"{self.kind.data}:{number if number and 0 < number <= _HIGHEST else ''}"


@bp.get("")
@keepers
def index() -> str:
    """The classes with their periods, and the last nights."""
    with services().db.read() as session:
        page = retention.page(session, now=services().clock.now())
        held = len(legal_hold.holds(session, person()))
    return render_template("web/retention/index.html", page=page, held=held, names=_class_names())


@bp.route("/classes/<class_id>", methods=["GET", "POST"])
@keepers
def change(class_id: str) -> Answer:
    """One class, and the form that changes its period. What was typed stays when it is refused."""
    with services().db.read() as session:
        line = retention.line(session, class_id)
    if request.method == "GET":
        data = {"days": line.days, "never": line.days is None, "shown": _spelt(line.days)}
        return render_template("web/retention/change.html", line=line, form=PeriodForm(formdata=None, data=data))
    form = PeriodForm()
    status = 422
    if form.validate_on_submit():
        # no number and no wish for none is a number that nobody may choose
        days = None if form.never.data else form.days.data if form.days.data is not None else -1
        try:
            before = retention.change(
                services(),
                class_id,
                days=days,
                shown=_read(form.shown.data),
                reason=form.reason.data or "",
                by=person().id,
            )
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        except Conflict as refused:
            form.refuse({}, str(refused))
            form.shown.data, status = _spelt(line.days), 409
        else:
            flash(_changed(line, days, before), "success")
            return redirect(url_for("retention.index"), code=303)
    return render_template("web/retention/change.html", line=line, form=form), status


@bp.route("/holds", methods=["GET", "POST"])
@holders
def holds() -> Answer:
    """The holds that stand, and the form for another."""
    if request.method == "GET":
        return _holds_page(HoldForm(formdata=None, data={"case": request.args.get("case", type=int)}))
    form = HoldForm()
    status = 422
    if form.validate_on_submit():
        try:
            legal_hold.place(
                services(),
                case_id=min(form.case.data or 0, _HIGHEST),
                subject=form.subject(),
                reason=form.reason.data or "",
                by=person(),
            )
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        except Conflict as refused:
            form.refuse({}, str(refused))
            status = 409
        else:
            flash("It is held. Nothing of it is purged while the hold stands.", "success")
            return redirect(url_for("retention.holds"), code=303)
    return _holds_page(form), status


@bp.post("/holds/<int:hold_id>/end")
@holders
def end_hold(hold_id: int) -> Answer:
    """End a hold."""
    try:
        legal_hold.end(services(), hold_id, reason=request.form.get("reason", "")[:1000], by=person())
    except BadInput as refused:
        return _holds_page(HoldForm(formdata=None), ending=hold_id, refused=str(refused)), 422
    flash("The hold has ended. From the next night on the usual periods count again.", "success")
    return redirect(url_for("retention.holds"), code=303)


def _holds_page(form: HoldForm, *, ending: int = 0, refused: str = "") -> str:
    with services().db.read() as session:
        standing, ended = legal_hold.holds(session, person()), legal_hold.holds(session, person(), over=True)
        names = names_of_staff(session)
    return render_template(
        "web/retention/holds.html",
        form=form,
        standing=standing,
        ended=ended,
        names=names,
        ending=ending,
        refused=refused,
    )


def _changed(line: retention.Line, days: int | None, before: int | None) -> str:
    if days == before:
        return "The period stays as it was."
    until = "without an end" if days is None else f"for {days} days"
    return f"{line.of.name}: kept {until} from the next night on."


def _class_names() -> dict[str, str]:
    return {one.id: one.name for one in periods.classes().values()} | {"files": "Pictures nobody refers to"}


def _spelt(days: int | None) -> str:
    return "never" if days is None else str(days)


def _read(typed: str | None) -> int | None:
    if typed == "never":
        return None
    return int(typed) if typed and typed.isdecimal() and len(typed) < 9 else -1  # noqa: PLR2004 - never a period
