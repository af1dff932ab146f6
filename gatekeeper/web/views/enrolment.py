"""Enrolling pupils for the matching of faces: who may be and who is, and one pupil at a time."""

from datetime import date
from typing import Final

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.accounts import names_of_staff
from gatekeeper.people.staff import Role
from gatekeeper.people.templates import ENOUGH_TEMPLATES, MOST_TEMPLATES
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.wording import many
from gatekeeper.workflow import consents, enrol
from gatekeeper.workflow.enrolment_view import PupilEnrolment, Standing, enrolment_list, pupil_enrolment

bp = Blueprint("enrolment", __name__, url_prefix="/enrolment")
lead = roles(Role.CONSENT_LEAD)

#: (word, tone, sign) of each standing
STANDING_WORDS: Final = {
    Standing.ENROLLED: ("Enrolled", "success", "✓"),
    Standing.MORE: ("Enrolled, more photos wanted", "warning", "!"),
    Standing.WAITING: ("Being looked at", "info", "…"),
    Standing.AGAIN: ("Must be enrolled again", "warning", "!"),
    Standing.NOT_YET: ("Not enrolled", "secondary", "–"),
}


@bp.get("")
@lead
def index() -> str:
    """Every pupil with consent, and where they stand."""
    with services().db.read() as db:
        found = enrolment_list(db, today=_today())
    return render_template("web/enrolment/index.html", found=found, words=STANDING_WORDS)


@bp.get("/<int:pupil_id>")
@lead
def show(pupil_id: int) -> str:
    """One pupil. That somebody looked is written down."""
    shown = _load(pupil_id)
    consents.note_look(services(), pupil_id, by=person().id)
    return _page(shown)


@bp.get("/<int:pupil_id>/progress")
@lead
def progress(pupil_id: int) -> Response:
    """How many photos are still being looked at, for the page's script."""
    shown = _load(pupil_id)
    return jsonify(state=_state(shown), word="The photos have been looked at", words=_words(shown))


@bp.post("/<int:pupil_id>/photos")
@lead
def add(pupil_id: int) -> Response | tuple[str, int]:
    """Take photos of this pupil."""
    photos = [file.stream.read() for file in request.files.getlist("photos") if file.filename]
    try:
        count = enrol.add_photos(services(), pupil_id, photos, by=person().id)
    except (BadInput, Conflict) as refused:
        return _page(_load(pupil_id), trouble=str(refused)), 422 if isinstance(refused, BadInput) else 409
    flash(f"{many(count, 'photo')} taken. As soon as they have been looked at, they are deleted.", "success")
    return _to(pupil_id)


@bp.post("/templates/<int:template_id>/delete")
@lead
def delete(template_id: int) -> Response:
    """Delete what was kept of one photo."""
    pupil_id = enrol.delete_template(services(), template_id, by=person().id)
    flash("Deleted.", "success")
    return _to(pupil_id)


def _to(pupil_id: int) -> Response:
    return redirect(url_for("enrolment.show", pupil_id=pupil_id), code=303)


def _today() -> date:
    return london(services().clock.now()).date()


def _load(pupil_id: int) -> PupilEnrolment:
    with services().db.read() as db:
        return pupil_enrolment(db, pupil_id, today=_today())


def _state(shown: PupilEnrolment) -> str:
    return "scanning" if shown.waiting else "ready"


def _words(shown: PupilEnrolment) -> str:
    return f"{many(shown.waiting, 'photo is', 'photos are')} being looked at."


def _page(shown: PupilEnrolment, *, trouble: str = "") -> str:
    with services().db.read() as db:
        names = names_of_staff(db)
    return render_template(
        "web/enrolment/show.html",
        shown=shown,
        state=_state(shown),
        words=_words(shown),
        trouble=trouble,
        names=names,
        enough=ENOUGH_TEMPLATES,
        most=MOST_TEMPLATES,
    )
