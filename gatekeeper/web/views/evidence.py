"""The evidence of a post, handed out as one zip. Every download is made anew and written into the audit."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from gatekeeper.errors import BadInput, Conflict, GatekeeperError
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services, signed_in
from gatekeeper.workflow import evidence as step
from gatekeeper.workflow.evidence import Wish

bp = Blueprint("evidence", __name__)
_LONGEST_REASON = 500
_HIGHEST = 1_000_000


@bp.get("/evidence")
@roles(Role.HEADTEACHER, Role.ADMINISTRATOR, Role.AUDITOR)
def index() -> str | BaseResponse:
    """The posts about which something was decided, newest first; by number, because a title may name a pupil."""
    wanted = request.args.get("post", type=int)
    if wanted is not None and 0 < wanted <= _HIGHEST:
        return redirect(url_for("evidence.form", post_id=wanted), code=303)
    with services().db.read() as session:
        lines = step.decided_lately(session)
    return render_template("web/evidence/index.html", lines=lines)


@bp.get("/posts/<int:post_id>/evidence")
@signed_in
def form(post_id: int) -> str:
    """What the bundle holds, and what may be chosen; the step asks whether this person may have it."""
    return _page(post_id)


@bp.post("/posts/<int:post_id>/evidence")
@signed_in
def take(post_id: int) -> Response | tuple[str, int]:
    """Make the bundle and hand it out."""
    wish = Wish(
        version=request.form.get("version", type=_number),
        names=request.form.get("names") == "yes",
        reason=request.form.get("reason", "")[:_LONGEST_REASON],
    )
    try:
        bundle = step.export(services(), post_id, wish, by=person())
    except (BadInput, Conflict) as refused:
        return _page(post_id, refused=refused, wish=wish), 409 if isinstance(refused, Conflict) else 422
    answer = Response(bundle.data, mimetype="application/zip")
    answer.headers["Content-Disposition"] = f"attachment; filename={bundle.file_name}"
    return answer


def _number(typed: str) -> int:
    """A version's number; one that no database could hold is that of no version."""
    return min(int(typed), _HIGHEST)


@bp.app_template_global("may_take_evidence")
def may_take_evidence(post_id: int) -> bool:
    """Whether the post's page shows the button: something was decided, and this person may have the proof of it."""
    return step.is_offered(services(), post_id, person())


def _page(post_id: int, *, refused: GatekeeperError | None = None, wish: Wish | None = None) -> str:
    offer = step.offer(services(), post_id, person())
    here = step.reads_posts(person())
    return render_template(
        "web/evidence/form.html",
        post_id=post_id,
        offer=offer,
        refused=str(refused) if refused else "",
        about_reason=isinstance(refused, BadInput),
        wish=wish or Wish(),
        back=url_for("posts.show", post_id=post_id) if here else url_for("evidence.index"),
    )
