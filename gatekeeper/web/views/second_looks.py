"""The boxes that wait for a second person: is there a face in it? Whoever looks sees that one box and no more."""

from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gatekeeper.errors import BadInput
from gatekeeper.web.access import person, roles, services
from gatekeeper.workflow import second_look
from gatekeeper.workflow.photo_shapes import shape

bp = Blueprint("second_looks", __name__, url_prefix="/second-looks")

#: in the order of the enum, so that the statement reads the same each time
_WHO: Final = tuple(sorted(second_look.ANSWERERS))
_SAW: Final = {"none": True, "face": False}


@bp.get("/")
@roles(*_WHO)
def index() -> str:
    """The boxes this person may look at."""
    looks = [
        (look, shape("open", "?", "The box that is asked about", look.box))
        for look in second_look.waiting_for(services(), person())
    ]
    return render_template("web/photos/second_looks.html", looks=looks)


@bp.get("/<int:look_id>/picture")
@roles(*_WHO)
def picture(look_id: int) -> Response:
    """The box with a little around it."""
    answer = Response(second_look.picture_of(services(), look_id, by=person()), mimetype="image/jpeg")
    answer.headers["Content-Disposition"] = f'inline; filename="box-{look_id}.jpg"'
    return answer


@bp.post("/<int:look_id>")
@roles(*_WHO)
def answer(look_id: int) -> Response:
    """What was seen."""
    saw = request.form.get("saw", "")
    if saw not in _SAW:
        raise BadInput("Say whether there is a face in the box.")
    second_look.answer(services(), look_id, by=person(), no_face=_SAW[saw], seen=request.form.get("seen", ""))
    flash("Thank you. It is written down, and the author sees it.", "success")
    return redirect(url_for("second_looks.index"), code=303)
