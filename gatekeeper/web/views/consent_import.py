"""Importing the roster and the permissions: upload, look at every line, confirm exactly what was shown."""

import base64

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import RadioField

from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.register_file import LARGEST
from gatekeeper.people.register_import import COLUMNS, NEEDED, Kind, Outcome, Plan
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Form, chosen, options
from gatekeeper.workflow import roll

bp = Blueprint("consent_import", __name__, url_prefix="/pupils/import")
keepers = roles(Role.CONSENT_LEAD, Role.ADMINISTRATOR)
_FILE = "import"  # the file waits in the session's row of the database and goes with it
_SHOWN = 500

KIND_WORDS = {Kind.ROSTER: "Roster: who is on the roll", Kind.CONSENTS: "Permissions: who may be shown where"}


class UploadForm(Form):
    """Which table, and the file."""

    kind = RadioField(
        "What is in the file?",
        choices=options(KIND_WORDS),
        validators=[chosen("Please say what is in the file.")],
    )
    file = FileField(
        "File",
        description="A table saved as CSV. Nothing is changed until you have seen every line and confirmed.",
        render_kw={"accept": ".csv,.txt,text/csv"},
    )


@bp.get("")
@keepers
def form() -> str:
    """The form."""
    return _upload_page(UploadForm(formdata=None, data={"kind": request.args.get("kind", Kind.ROSTER)}))


@bp.post("")
@keepers
def upload() -> Response | tuple[str, int]:
    """Read the file and keep it for the dry run."""
    typed = UploadForm()
    if typed.validate_on_submit():
        if not typed.file.data or not typed.file.data.filename:
            typed.refuse({"file": "Please choose a file."})
        else:
            data = typed.file.data.stream.read(LARGEST + 1)
            try:
                roll.dry_run(services(), Kind(typed.kind.data), data, by=person().id)
            except BadInput as refused:
                typed.refuse(refused.fields, str(refused))
            else:
                session[_FILE] = {"kind": typed.kind.data, "data": base64.b64encode(data).decode()}
                return redirect(url_for("consent_import.look"), code=303)
    return _upload_page(typed), 422


@bp.get("/look")
@keepers
def look() -> str | Response:
    """The dry run, line by line."""
    kept = _kept()
    if kept is None:
        return redirect(url_for("consent_import.form"), code=303)
    kind, data = kept
    return _look_page(roll.dry_run(services(), kind, data, by=person().id))


@bp.post("/apply")
@keepers
def confirm() -> Response | tuple[str, int]:
    """Write what was shown."""
    kept = _kept()
    if kept is None:
        raise NotFound("There is no file waiting. Please upload it again.")
    kind, data = kept
    try:
        plan = roll.apply(services(), kind, data, shown=request.form.get("shown", ""), by=person().id)
    except (Conflict, BadInput) as refused:
        return _look_page(roll.dry_run(services(), kind, data, by=person().id), refused=str(refused)), 409
    session.pop(_FILE, None)
    counts = plan.counts
    flash(
        f"Imported: {counts[Outcome.ADDED]} added, {counts[Outcome.CHANGED]} changed, "
        f"{counts[Outcome.UNCHANGED]} as they were.",
        "success",
    )
    return redirect(url_for("pupils.index"), code=303)


@bp.post("/discard")
@keepers
def discard() -> Response:
    """Forget the file."""
    session.pop(_FILE, None)
    flash("The file is forgotten. Nothing was changed.", "success")
    return redirect(url_for("consent_import.form"), code=303)


def _kept() -> tuple[Kind, bytes] | None:
    kept = session.get(_FILE)
    return (Kind(kept["kind"]), base64.b64decode(kept["data"])) if kept else None


def _upload_page(typed: UploadForm) -> str:
    return render_template("web/consent_import/form.html", form=typed, columns=COLUMNS, needed=NEEDED, kinds=KIND_WORDS)


def _look_page(plan: Plan, *, refused: str = "") -> str:
    order = list(Outcome)[::-1]  # refused first: it is what has to be mended
    lines = sorted(plan.lines, key=lambda line: (order.index(line.outcome), line.number))
    return render_template(
        "web/consent_import/look.html",
        plan=plan,
        lines=lines[:_SHOWN],
        more=max(0, len(lines) - _SHOWN),
        refused=refused,
        kind_word=KIND_WORDS[plan.kind],
    )
