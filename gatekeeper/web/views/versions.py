"""What changed between two versions of a post, and the author's answers to what was asked for."""

import re
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gatekeeper.errors import BadInput
from gatekeeper.web.access import person, roles, services, signed_in
from gatekeeper.web.post_page import Trouble, post_page
from gatekeeper.web.replies import keep_replies
from gatekeeper.web.views.posts import AUTHORS
from gatekeeper.workflow.versions_view import versions_view

bp = Blueprint("versions", __name__, url_prefix="/posts/<int:post_id>")

_KEY: Final = re.compile(r"[1-9]\d{0,5}|now", re.ASCII)


@bp.get("/versions")
@signed_in
def index(post_id: int) -> str:
    """Two versions beside each other; without a choice, what was last asked about and how it is now."""
    shown = versions_view(services(), post_id, person(), before=_key("from"), after=_key("to"))
    return render_template("web/versions/index.html", shown=shown)


@bp.post("/answers")
@roles(*AUTHORS)
def answer(post_id: int) -> Response | str | tuple[str, int]:
    """Keep the author's answers, each to its mark."""
    try:
        keep_replies(post_id)
    except BadInput as refused:
        typed = {name: words for name, words in request.form.items() if name.startswith("reply-")}
        return post_page(post_id, trouble=Trouble("asked", tuple(refused.fields.values()), typed), status=422)
    flash("Your answers are kept. The headteacher reads them when you send the post again.", "success")
    return redirect(url_for("posts.show", post_id=post_id, _anchor="asked"), code=303)


def _key(name: str) -> str:
    """The chosen version; what is no version at all is no choice."""
    asked = request.args.get(name, "")
    return asked if _KEY.fullmatch(asked) else ""
