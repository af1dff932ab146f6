"""Who decides for the headteacher, from when until when, and why. The head names and ends; the deputy reads."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.widgets import DateInput, TimeInput

from approvals.errors import ProofRefused
from gatekeeper.clock import london
from gatekeeper.errors import BadInput
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Form, at_most, needed, options, trimmed
from gatekeeper.web.limits import SIGN_IN, limiter
from gatekeeper.web.second_proof import offered, typed_proof
from gatekeeper.workflow import deputies, step_up
from gatekeeper.workflow.due import TypedDue, is_doubled

bp = Blueprint("deputies", __name__, url_prefix="/deputies")

ACTION = "deputy"
_FOLDS = {"0": "The first, before the clocks go back", "1": "The second, after they went back"}


def _which_of_two() -> Any:
    return RadioField(
        "Which of the two?",
        choices=options(_FOLDS),
        validate_choice=False,
        description="The clocks go back that night, so this hour comes twice.",
    )


class NameForm(Form):
    """Who decides, from when, until when, and why."""

    deputy = SelectField("Who decides for you", coerce=str, validate_choice=False)
    from_date = StringField("From: day", description="Leave day and time empty to begin at once.", widget=DateInput())
    from_time = StringField("From: time", widget=TimeInput())
    from_fold = _which_of_two()
    to_date = StringField("Until: day", description="At most 90 days. It ends by itself.", widget=DateInput())
    to_time = StringField("Until: time", widget=TimeInput())
    to_fold = _which_of_two()
    reason = TextAreaField(
        "Why",
        description="In a sentence. It stands with every decision taken under this appointment.",
        filters=[trimmed],
        validators=[needed("Please say in a sentence why somebody else decides."), at_most(300)],
        render_kw={"rows": 2, "maxlength": 300},
    )

    def typed(self, which: str) -> TypedDue:
        """One end of the time, as typed."""
        fold = self[f"{which}_fold"].data
        return TypedDue(
            date=self[f"{which}_date"].data or "",
            time=self[f"{which}_time"].data or "",
            fold=int(fold) if fold in _FOLDS else None,
        )

    def is_doubled(self, which: str) -> bool:
        """Whether the typed hour comes twice, so that the form has to ask which is meant."""
        return is_doubled(self.typed(which))

    def naming(self) -> deputies.Naming:
        """What was typed, for the step."""
        chosen = self.deputy.data or ""
        return deputies.Naming(
            deputy_id=int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 10 else None,  # noqa: PLR2004 - fits the column
            starts=self.typed("from"),
            ends=self.typed("to"),
            reason=self.reason.data or "",
        )


@bp.get("")
@roles(Role.HEADTEACHER, Role.DEPUTY)
def index() -> str:
    """Every appointment, and for the headteacher the form for a new one."""
    return _page(NameForm(formdata=None))


@bp.post("")
@roles(Role.HEADTEACHER)
@limiter.limit(SIGN_IN)
def name() -> Response | tuple[str, int]:
    """Name a deputy, by the second proof. It is asked for only when the form itself is right."""
    form = NameForm()
    wrong = ""
    if form.validate_on_submit():
        try:
            deputies.check(services(), form.naming(), by=person().id)
            method = step_up.confirm(services(), person().id, typed_proof(), action=ACTION)
            deputies.name_deputy(services(), form.naming(), by=person().id, proof_method=method)
        except ProofRefused as refused:
            wrong = str(refused)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        else:
            flash("The appointment is written down. You and your deputy get an e-mail.", "success")
            return redirect(url_for("deputies.index"), code=303)
    return _page(form, proof_error=wrong), 422


@bp.post("/<appointment_id>/end")
@roles(Role.HEADTEACHER)
def end(appointment_id: str) -> Response:
    """End an appointment now."""
    deputies.end_early(services(), appointment_id, by=person().id)
    flash("The appointment is ended. You decide again.", "success")
    return redirect(url_for("deputies.index"), code=303)


def _page(form: NameForm, *, proof_error: str = "") -> str:
    me, now = person(), services().clock.now()
    with services().db.read() as session:
        shown = deputies.page_for(session, me, now=now)
    form.deputy.choices = options({one.id: one.name for one in shown.candidates})
    return render_template(
        "web/deputies/index.html",
        shown=shown,
        form=form,
        is_head=me.role == Role.HEADTEACHER,
        proof=offered(me.id, ACTION, error=proof_error) if me.role == Role.HEADTEACHER else None,
        proof_error=proof_error,
        today=london(now).date(),
    )
