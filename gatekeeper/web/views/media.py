"""The photos themselves. They are private: only for whoever may see this post's faces, and kept by no browser."""

from flask import Blueprint, Response

from gatekeeper.web.access import person, services, signed_in
from gatekeeper.workflow.draft_view import photo_bytes

bp = Blueprint("media", __name__, url_prefix="/media")


@bp.get("/photos/<int:photo_id>")
@signed_in
def preview(photo_id: int) -> Response:
    """The whole photo, upright and uncovered, for resolving."""
    return _picture(photo_id, public=False)


@bp.get("/photos/<int:photo_id>/public")
@signed_in
def public(photo_id: int) -> Response:
    """Exactly what would be published."""
    return _picture(photo_id, public=True)


def _picture(photo_id: int, *, public: bool) -> Response:
    picture = photo_bytes(services(), photo_id, person(), public=public)
    answer = Response(picture.data, mimetype="image/jpeg")
    answer.headers["Content-Disposition"] = f'inline; filename="photo-{photo_id}.jpg"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer
