"""The school's list of logos and marks: what is looked for in photos, and what is no longer."""

from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_wtf.file import FileField
from werkzeug.wrappers import Response as Answer
from wtforms import RadioField, StringField

from gatekeeper.errors import BadInput
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Form, at_most, chosen, needed, options, trimmed
from gatekeeper.workflow import marks as steps

bp = Blueprint("marks", __name__, url_prefix="/school/marks")
keepers = roles(Role.ADMINISTRATOR, Role.HEADTEACHER)
_ACCEPT: Final = "image/jpeg,image/png,image/webp,image/heic"


class MarkForm(Form):
    """A logo to look for."""

    name = StringField(
        "Name",
        description="As the headteacher will read it: “School crest”, “Strido sports”.",
        filters=[trimmed],
        validators=[needed("Please give the logo a name."), at_most(120)],
    )
    owner = RadioField(
        "Whose is it?", choices=options(steps.OWNERS), validators=[chosen("Please say whose it is.")], default=None
    )
    picture = FileField(
        "Picture of it",
        description="From the front, on a plain ground, with little space around it. JPEG or PNG.",
        render_kw={"accept": _ACCEPT},
    )


@bp.get("")
@keepers
def index() -> str:
    """The list, and the form for one more."""
    return _page(MarkForm(formdata=None))


@bp.post("")
@keepers
def register() -> Answer | tuple[str, int]:
    """Put a logo on the list, or say why it cannot be found by this picture."""
    typed = MarkForm()
    if typed.validate_on_submit():
        chosen_file = typed.picture.data
        try:
            steps.register_mark(
                services(),
                name=typed.name.data or "",
                owner=typed.owner.data or "",
                data=chosen_file.stream.read() if chosen_file else b"",
                by=person().id,
            )
        except BadInput as refused:
            typed.refuse(refused.fields, str(refused))
        else:
            flash("The logo is on the list. Photos that are checked from now on are searched for it.", "success")
            return redirect(url_for("marks.index"), code=303)
    return _page(typed), 422


@bp.post("/<int:mark_id>/retire")
@keepers
def retire(mark_id: int) -> Answer:
    """Look for it no longer."""
    name = steps.retire_mark(services(), mark_id, by=person().id)
    flash(f"“{name}” is off the list. What was found before stays on record.", "success")
    return redirect(url_for("marks.index"), code=303)


@bp.get("/<int:mark_id>/picture")
@keepers
def picture(mark_id: int) -> Response:
    """The registered picture."""
    return Response(steps.picture_of_mark(services(), mark_id), mimetype="image/jpeg")


def _page(typed: MarkForm) -> str:
    with services().db.read() as session:
        listed = steps.listed_marks(session)
    return render_template(
        "web/marks/index.html",
        form=typed,
        active=[mark for mark in listed if mark.retired_at is None],
        retired=[mark for mark in listed if mark.retired_at is not None],
        owners=steps.OWNERS,
    )
