"""The form that puts one child on the roll or corrects what stands there. No name stands in its address."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import StringField

from gatekeeper.errors import BadInput, NotFound
from gatekeeper.people.pupils import LONGEST, Pupil
from gatekeeper.people.roll import class_names
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Day, Form
from gatekeeper.workflow import consents, pupils

bp = Blueprint("pupil_form", __name__, url_prefix="/pupils")
keepers = roles(Role.CONSENT_LEAD, Role.ADMINISTRATOR)


def _text(label: str, *, hint: str = "", **more: str) -> StringField:
    # the step says what is too long; a browser would cut it off without a word
    return StringField(label, description=hint, render_kw={"autocomplete": "off", "spellcheck": "false", **more})


class PupilForm(Form):
    """One child as the roll holds it."""

    reference = _text("Number", hint="Your school's own number for the pupil, as in the office program.")
    first_name = _text("First name")
    last_name = _text("Last name")
    known_as = _text("Known as", hint="If everybody uses another first name. The words of posts are checked for it too.")  # fmt: skip
    year = _text("Year", list="years")
    class_name = _text("Class", list="classes")
    born_on = Day("Date of birth", description="Tells two pupils of the same name apart.")

    def details(self) -> pupils.PupilDetails:
        """What was typed, as the step takes it."""
        texts = {name: self[name].data or "" for name in LONGEST}
        return pupils.PupilDetails(**texts, born_on=self.born_on.data)


@bp.route("/new", methods=["GET", "POST"])
@keepers
def new() -> str | Response | tuple[str, int]:
    """Add one child."""
    form = PupilForm()
    if not form.is_submitted():
        return _page(form, None)
    if form.validate():
        try:
            pupil_id = pupils.add_pupil(services(), form.details(), by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        else:
            flash("The pupil is on the roll. No permission is recorded yet, so the answer is no.", "success")
            return _to(pupil_id)
    return _page(form, None), 422


@bp.route("/<int:pupil_id>/edit", methods=["GET", "POST"])
@keepers
def edit(pupil_id: int) -> str | Response | tuple[str, int]:
    """Correct what stands on the roll. That somebody looked is written down."""
    with services().db.read() as db:
        pupil = db.get(Pupil, pupil_id)
    if pupil is None:
        raise NotFound("There is no such pupil on the roll.")
    form = PupilForm(obj=pupil)
    if not form.is_submitted():
        consents.note_look(services(), pupil_id, by=person().id)
        return _page(form, pupil)
    if form.validate():
        try:
            changed = pupils.edit_pupil(services(), pupil_id, form.details(), by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        else:
            flash("The roll is corrected." if changed else "Nothing was changed.", "success")
            return _to(pupil_id)
    return _page(form, pupil), 422


def _to(pupil_id: int) -> Response:
    return redirect(url_for("pupils.show", pupil_id=pupil_id), code=303)


def _page(form: PupilForm, pupil: Pupil | None) -> str:
    with services().db.read() as db:
        classes = class_names(db)
        years: Sequence[str] = db.scalars(
            select(Pupil.year).where(Pupil.year != "").distinct().order_by(Pupil.year)
        ).all()
    return render_template("web/pupil_form/form.html", form=form, pupil=pupil, classes=classes, years=years)
