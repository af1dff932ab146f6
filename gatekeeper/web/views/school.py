"""The school's own settings: its name, colour and crest, its own words, and the record for the matching of faces."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from flask_wtf.file import FileField
from sqlalchemy import func, select
from werkzeug.wrappers import Response as Answer
from wtforms import DateField, SelectField, StringField, TextAreaField, TimeField
from wtforms.fields import ColorField
from wtforms.validators import Optional, Regexp

from gatekeeper.clock import london
from gatekeeper.errors import BadInput
from gatekeeper.people.policy_editions import edition_in_force
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Role, Staff
from gatekeeper.people.templates import FaceTemplate
from gatekeeper.policy.hours import SchoolHours
from gatekeeper.posts.media import MediaDamaged
from gatekeeper.web import theme
from gatekeeper.web.access import person, public, roles, services
from gatekeeper.web.forms_base import Form, at_most, needed, trimmed
from gatekeeper.workflow import school as steps
from gatekeeper.workflow.school_day import school_day_of, terms_as_typed, terms_of

bp = Blueprint("school", __name__, url_prefix="/school")
keepers = roles(Role.ADMINISTRATOR, Role.HEADTEACHER)


def _lines(label: str, hint: str) -> TextAreaField:
    return TextAreaField(
        label, description=hint, filters=[trimmed], validators=[at_most(20_000)], render_kw={"rows": 3}
    )


class SchoolForm(Form):
    """What the school says of itself."""

    name = StringField(
        "Name of the school", filters=[trimmed], validators=[needed("Please give the school's name."), at_most(120)]
    )
    town = StringField("Town", filters=[trimmed], validators=[at_most(80)])
    address = StringField("Address", filters=[trimmed], validators=[at_most(200)])
    policy_version = StringField(
        "Date of the social media policy",
        description="Year and month, such as 2022-03. Every decision names it with the version of the rules.",
        filters=[trimmed],
        validators=[
            Optional(),
            Regexp(r"\d{4}-(0[1-9]|1[0-2])$", message="Please write the year and the month like 2022-03."),
        ],
    )
    governor = SelectField(
        "Who gets the seal of the record each day, beside the headteacher",
        description="A governor, best somebody who does not look after this computer. They get one short e-mail a day, "
        "which names no pupil and no post: the number that seals the record of decisions. With it they can show later "
        "that nobody cut off its end. Without it only the headteacher could.",
        coerce=int,
        default=lambda: _settings()["governor"] or 0,  # a form sent without the field changes nothing
    )
    colour = ColorField(
        "Colour",
        description="Marks your school on every page. Where letters would be hard to read, it is darkened or lightened.",
    )
    crest = FileField("Crest", description="A square picture, JPEG or PNG.", render_kw={"accept": "image/*"})
    short_names = _lines("Short names", "One a line, as people say it: “Hillside”.")
    phones = _lines("Telephone numbers", "The school's own. They may stand in posts; others are reported.")
    emails = _lines("E-mail addresses", "The school's own, one a line.")
    postcodes = _lines("Postcodes", "The school's own.")
    domains = _lines("Web addresses", "The school's own, such as hillside.example. Links to them are fine.")
    trusted_domains = _lines("Trusted web addresses", "Others that a post may link to.")
    handles = _lines("Account names", "The school's own on the platforms, such as @HillsidePri.")
    houses = _lines("Houses", "A pupil who bears a house's name is then found only where a person is meant.")
    classes = _lines("Classes", "One a line with its year: “Oak: Year 6”.")
    day_start = TimeField(
        "School day begins",
        description="Reminders go out from Monday to Friday in the school day.",
        validators=[Optional()],
    )
    day_end = TimeField("School day ends", validators=[Optional()])
    terms = _lines(
        "Terms", "One a line, first to last day: “03/09/2026 to 18/12/2026”. With none, all weeks of the year count."
    )


class DpiaForm(Form):
    """The impact assessment."""

    dpia_reference = StringField("Reference of the assessment", filters=[trimmed], validators=[at_most(120)])
    dpo = StringField("Data protection officer", filters=[trimmed], validators=[at_most(120)])
    date = DateField("Signed off on", validators=[Optional()])


@bp.get("")
@keepers
def form() -> str:
    """The settings as they stand."""
    return _page(_filled(), DpiaForm(prefix="dpia", formdata=None))


@bp.post("")
@keepers
def save() -> Answer | tuple[str, int]:
    """Change what differs; nothing is changed while one field is wrong."""
    typed = _with_governors(SchoolForm())
    if typed.validate_on_submit():
        values, wrong = _read(typed)
        if not wrong:
            try:
                if typed.crest.data and typed.crest.data.filename:
                    steps.set_crest(services(), typed.crest.data.stream.read(), by=person().id)
            except BadInput as refused:
                wrong |= refused.fields
        if not wrong:
            steps.change_school(services(), values, by=person().id)
            flash("The school's settings are saved.", "success")
            return redirect(url_for("school.form"), code=303)
        typed.refuse(wrong)
    return _page(typed, DpiaForm(prefix="dpia", formdata=None)), 422


@bp.post("/recognition")
@keepers
def record_dpia() -> Answer | tuple[str, int]:
    """Record the impact assessment."""
    typed = DpiaForm(prefix="dpia")
    if typed.validate_on_submit():
        try:
            steps.record_dpia(
                services(),
                reference=typed.dpia_reference.data or "",
                dpo=typed.dpo.data or "",
                day=typed.date.data,
                by=person().id,
            )
        except BadInput as refused:
            typed.refuse(refused.fields)
        else:
            flash("The assessment is recorded, and matching is on. Nobody is enrolled yet.", "success")
            return redirect(url_for("school.form", _anchor="recognition"), code=303)
    return _page(_filled(), typed), 422


@bp.post("/recognition/remove")
@keepers
def remove_dpia() -> Answer:
    """Take the record back, and delete every template with it."""
    steps.remove_dpia(services(), by=person().id)
    flash("Matching is off, and everything kept for it is deleted.", "success")
    return redirect(url_for("school.form", _anchor="recognition"), code=303)


@bp.get("/crest")
@public
def crest() -> Response:
    """The school's crest; it stands on the sign-in page too."""
    digest = _settings()["crest"]
    try:
        data = services().media.read(digest) if digest else b""
    except MediaDamaged:
        data = b""
    if not data:
        abort(404)
    return Response(data, mimetype="image/jpeg")


def _read(typed: SchoolForm) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {key: typed[key].data or "" for key in ("name", "town", "address")}
    wrong: dict[str, str] = {}
    if "policy_version" in typed and typed.policy_version.data:  # left empty, the date stands as it was
        values["policy_version"] = typed.policy_version.data
    values["governor"] = typed.governor.data or None
    values["colour"] = (typed.colour.data or "").lower()
    if not theme.is_colour(values["colour"]):
        wrong["colour"] = "Please choose a colour, written like #1f5f8b."
    for key in steps.LISTS:
        try:
            values[key] = steps.list_of(typed[key].data or "", field=key)
        except BadInput as refused:
            wrong |= refused.fields
    try:
        values["classes"] = steps.classes_of(typed.classes.data or "")
    except BadInput as refused:
        wrong |= refused.fields
    if typed.day_start.raw_data or typed.day_end.raw_data or typed.terms.raw_data:
        try:
            values["school_day"] = school_day_of(typed.day_start.data, typed.day_end.data)
            values["terms"] = terms_of(typed.terms.data or "")
        except BadInput as refused:
            wrong |= refused.fields
    return values, wrong


def _settings() -> dict[str, Any]:
    with services().db.read() as session:
        return school_settings(session)


def _filled() -> SchoolForm:
    values = _settings()
    data = {key: values[key] for key in ("name", "town", "address", "policy_version", "colour")}
    data["governor"] = values["governor"] or 0
    data |= {key: "\n".join(values[key]) for key in steps.LISTS}
    data["classes"] = "\n".join(f"{name}: {year}" for name, year in values["classes"].items())
    hours = SchoolHours.of(values)
    data |= {"day_start": hours.start, "day_end": hours.end, "terms": terms_as_typed(values["terms"])}
    return _with_governors(SchoolForm(formdata=None, data=data))


def _with_governors(form: SchoolForm) -> SchoolForm:
    """The form with everybody who can be named: open accounts, and whoever is named already."""
    today = london(services().clock.now()).date()
    with services().db.read() as session:
        if edition_in_force(session) is not None:  # from then on the edition's own name counts
            del form.policy_version
        named = school_settings(session)["governor"]
        staff = session.scalars(select(Staff).where(Staff.role != Role.HEADTEACHER).order_by(Staff.name)).all()
    can_be_named = [person for person in staff if person.may_sign_in(today) or person.id == named]
    form.governor.choices = [(0, "Nobody yet"), *((staff.id, staff.name) for staff in can_be_named)]
    return form


def _page(typed: SchoolForm, dpia: DpiaForm) -> str:
    values = _settings()
    with services().db.read() as session:
        recorder = session.scalar(select(Staff.name).where(Staff.id == values["recognition"].get("recorded_by")))
        enrolled = session.scalar(select(func.count(FaceTemplate.pupil_id.distinct()))) or 0
    return render_template(
        "web/school/form.html", form=typed, dpia=dpia, settings=values, recorder=recorder, enrolled=enrolled
    )
