"""The reviews of consent: what has to be looked at because a child may not be shown any more."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.workflow import review_view, review_work

bp = Blueprint("reviews", __name__, url_prefix="/reviews")

Answer = BaseResponse | tuple[str, int] | str
_REVIEWERS = roles(Role.CONSENT_LEAD, Role.HEADTEACHER)
_HEAD = roles(Role.HEADTEACHER)
_LEAD = roles(Role.CONSENT_LEAD)


@bp.get("/")
@_REVIEWERS
def index() -> str:
    """What is open, and what was closed last."""
    waiting, closed = review_view.reviews(services())
    return render_template("web/reviews/index.html", waiting=waiting, closed=closed)


@bp.get("/<int:review_id>")
@_REVIEWERS
def show(review_id: int) -> str:
    """One review."""
    return _show(review_id)


@bp.get("/<int:review_id>/pictures/<int:item_id>/<int:number>")
@_REVIEWERS
def picture(review_id: int, item_id: int, number: int) -> Response:
    """One published picture of a line."""
    answer = Response(review_view.picture(services(), review_id, item_id, number), mimetype="image/jpeg")
    answer.headers["Content-Disposition"] = f'inline; filename="review-{item_id}-{number}.jpg"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/<int:review_id>/take-down")
@_REVIEWERS
def take_down(review_id: int) -> Answer:
    """Order all of it down, or one."""
    try:
        count = review_work.take_down(services(), review_id, by=person().id, item_id=request.form.get("item", type=int))
    except Conflict as refused:
        flash(str(refused), "warning")
    else:
        what = "The post is" if count == 1 else f"All {count} posts are"
        flash(f"{what} being taken down. Load this page again in a moment.", "success")
    return _to(review_id)


@bp.post("/<int:review_id>/keep/<int:item_id>")
@_HEAD
def keep(review_id: int, item_id: int) -> Answer:
    """Let one stand, with a reason."""
    words = request.form.get("words", "")
    try:
        review_work.keep(services(), review_id, item_id, words=words, by=person().id)
    except BadInput as refused:
        return _show(review_id, trouble=(item_id, str(refused), words)), 422
    except Conflict as refused:
        flash(str(refused), "warning")
    else:
        flash("It stays, with your reason on record.", "success")
    return _to(review_id)


@bp.post("/<int:review_id>/close")
@_REVIEWERS
def close(review_id: int) -> Answer:
    """Close a review that a date opened and in which nothing is open."""
    try:
        review_work.close(services(), review_id, by=person().id)
    except Conflict as refused:
        flash(str(refused), "warning")
    else:
        flash("The review is closed.", "success")
    return _to(review_id)


@bp.route("/<int:review_id>/letter", methods=["GET", "POST"])
@_LEAD
def letter(review_id: int) -> Answer:
    """The letter to the family, to change, print or copy."""
    trouble, typed = "", None
    if request.method == "POST":
        typed = request.form.get("letter", "")
        if request.form.get("do") == "anew":
            review_work.forget_letter(services(), review_id, by=person().id)
            return redirect(url_for("reviews.letter", review_id=review_id), code=303)
        try:
            review_work.save_letter(services(), review_id, words=typed, by=person().id)
        except BadInput as refused:
            trouble = str(refused)
        else:
            flash("The letter is saved. Gatekeeper sends it to nobody.", "success")
            return redirect(url_for("reviews.letter", review_id=review_id), code=303)
    child, words = review_view.letter(services(), review_id, by=person().id)
    page = render_template(
        "web/reviews/letter.html",
        review_id=review_id,
        child=child,
        words=words if typed is None else typed,
        trouble=trouble,
    )
    return (page, 422) if trouble else page


def _show(review_id: int, trouble: tuple[int, str, str] | None = None) -> str:
    review = review_view.review_view(services(), review_id, person())
    return render_template("web/reviews/show.html", review=review, trouble=trouble)


def _to(review_id: int) -> BaseResponse:
    return redirect(url_for("reviews.show", review_id=review_id), code=303)
