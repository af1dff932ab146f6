"""Everything that is held about one child, as one file for a subject access request."""

from flask import Blueprint, Response, render_template, request

from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.pupils import Pupil
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.limits import limiter
from gatekeeper.workflow import subject_access

bp = Blueprint("subject_access", __name__, url_prefix="/pupils")
givers = roles(*sorted(subject_access.MAY_EXPORT))


@bp.get("/<int:pupil_id>/subject-access")
@givers
def form(pupil_id: int) -> str:
    """What the file holds, and the question why it is made."""
    return _page(pupil_id)


@bp.post("/<int:pupil_id>/subject-access")
@givers
@limiter.limit("6 per minute")
def take(pupil_id: int) -> Response | tuple[str, int]:
    """Make the file and hand it out. It is kept nowhere."""
    reason = request.form.get("reason", "")[:1000]
    try:
        made = subject_access.export(services(), pupil_id, reason=reason, by=person())
    except BadInput as refused:
        return _page(pupil_id, reason=reason, refused=str(refused)), 422
    except Conflict as refused:
        return _page(pupil_id, reason=reason, too_many=str(refused)), 409
    answer = Response(made.data, mimetype="application/zip")
    answer.headers["Content-Disposition"] = f"attachment; filename={made.file_name}"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _page(pupil_id: int, *, reason: str = "", refused: str = "", too_many: str = "") -> str:
    with services().db.read() as db:
        pupil = db.get(Pupil, pupil_id)
        if pupil is None:
            raise NotFound("There is no such pupil on the roll.")
    return render_template(
        "web/pupils/subject_access.html", pupil=pupil, reason=reason, refused=refused, too_many=too_many
    )
