"""The boxes and the photos of a post's page: each request answers for one of them."""

import math
from collections.abc import Callable
from typing import Final

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.posts.status import FaceState
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.post_page import Search, Trouble, post_page
from gatekeeper.web.views.posts import AUTHORS
from gatekeeper.web.wording import many
from gatekeeper.workflow import patch, resolve, submit, suggest
from gatekeeper.workflow import second_look as looking
from gatekeeper.workflow.ask_register import class_list, pupil_answer, pupil_search
from gatekeeper.workflow.draft_view import draft_view
from gatekeeper.workflow.post_view import post_view

bp = Blueprint("photos", __name__, url_prefix="/posts/<int:post_id>")

Answer = Response | str | tuple[str, int]
_SIDES: Final = ("left", "top", "right", "bottom")
_WHO: Final = {"staff": FaceState.STAFF, "adult": FaceState.ADULT, "visitor": FaceState.ADULT}
_QUESTIONS: Final = frozenset({"class", "one"})
VISITOR: Final = "Visitor, was asked"
_LONGEST_ID: Final = 9


@bp.post("/faces/<int:face_id>/say")
@roles(*AUTHORS)
def say(post_id: int, face_id: int) -> Answer:
    """Who this is. Asking for pupils answers with names; choosing one, with the register's answer; then it clears."""
    what = request.form.get("as", "pupil")
    pupil_id = _number(request.form.get("pupil", ""))
    if what in _QUESTIONS or (what == "pupil" and "pupil" not in request.form):
        return _question(post_id, face_id, what, pupil_id)
    typed = request.form.get("who", "")
    words = VISITOR if what == "visitor" else typed
    state = _WHO.get(what, FaceState.PUPIL)
    return _do(
        post_id,
        f"face-{face_id}",
        lambda by: resolve.clear_face(
            services(), face_id, by=by, state=state, pupil_id=pupil_id, words=words, seen=request.form.get("seen", "")
        ),
        typed={"who": typed, "as": what},
        to=lambda: _next(post_id, face_id),
    )


def _question(post_id: int, face_id: int, what: str, pupil_id: int | None) -> Answer:
    """Ask the roll or the register about one face; nothing is answered by it."""
    typed = {"who": request.form.get("who", ""), "class": request.form.get("class", ""), "as": what}
    by = person().id
    try:
        if what == "class":
            return post_page(
                post_id,
                search=Search(face_id, class_list(services(), face_id, by=by, class_name=typed["class"]), "class"),
            )
        if what == "one":
            return post_page(
                post_id, search=Search(face_id, pupil_answer(services(), face_id, by=by, pupil_id=pupil_id), "one")
            )
        return post_page(post_id, search=Search(face_id, pupil_search(services(), face_id, by=by, query=typed["who"])))
    except BadInput as refused:
        return post_page(post_id, trouble=Trouble(f"face-{face_id}", (str(refused),), typed), status=422)


@bp.post("/faces/<int:face_id>/cover")
@roles(*AUTHORS)
def cover(post_id: int, face_id: int) -> Answer:
    """Cover it for good."""
    return _do(
        post_id,
        f"face-{face_id}",
        lambda by: resolve.cover_face(services(), face_id, by=by),
        to=lambda: _next(post_id, face_id),
    )


@bp.post("/faces/<int:face_id>/undo")
@roles(*AUTHORS)
def undo(post_id: int, face_id: int) -> Answer:
    """Take the answer back."""
    return _do(post_id, f"face-{face_id}", lambda by: resolve.undo_face(services(), face_id, by=by))


@bp.post("/faces/<int:face_id>/no-face")
@roles(*AUTHORS)
def no_face(post_id: int, face_id: int) -> Answer:
    """There is no face in this box."""
    return _do(
        post_id,
        f"face-{face_id}",
        lambda by: resolve.not_a_face(services(), face_id, by=by, seen=request.form.get("seen", "")),
        to=lambda: _next(post_id, face_id),
    )


@bp.post("/faces/<int:face_id>/second-look")
@roles(*AUTHORS)
def second_look(post_id: int, face_id: int) -> Answer:
    """Ask a second person whether this box, which the check is sure of, holds no face."""

    def step(by: int) -> None:
        looking.ask(services(), face_id, by=by)
        flash("A second person is asked to look. The face blocks until they have.", "success")

    return _do(post_id, f"face-{face_id}", step)


@bp.post("/faces/<int:face_id>/second-look/take-back")
@roles(*AUTHORS)
def second_look_taken_back(post_id: int, face_id: int) -> Answer:
    """Ask nobody any more."""
    return _do(post_id, f"face-{face_id}", lambda by: looking.take_back(services(), face_id, by=by))


@bp.post("/faces/<int:face_id>/remove")
@roles(*AUTHORS)
def remove_box(post_id: int, face_id: int) -> Answer:
    """Take away a box that was drawn by hand."""
    return _do(
        post_id,
        f"face-{face_id}",
        lambda by: resolve.remove_box(services(), face_id, by=by, seen=request.form.get("seen", "")),
        to="photos",
    )


@bp.post("/cover-all")
@roles(*AUTHORS)
def cover_all(post_id: int) -> Answer:
    """Cover everyone who is not cleared."""

    def step(by: int) -> None:
        count = resolve.cover_all_uncleared(services(), post_id, by=by)
        flash(
            f"{many(count, 'face')} covered. The photos are being checked again."
            if count
            else "Nobody was left to cover.",
            "success",
        )

    return _do(post_id, "photos", step)


@bp.post("/photos/<int:photo_id>/box")
@roles(*AUTHORS)
def box(post_id: int, photo_id: int) -> Answer:
    """A box in percent of the photo: a face that was missed, a part to be covered, or the part to be published."""
    where = f"photo-{photo_id}"
    typed = {side: request.form.get(side, "") for side in _SIDES}
    try:
        region = _region(post_id, photo_id, typed)
    except BadInput as refused:
        return post_page(post_id, trouble=Trouble(where, (str(refused),), typed), status=422)
    if request.form.get("do") == "crop":
        return _do(post_id, where, lambda by: resolve.crop_photo(services(), photo_id, by=by, box=region), typed=typed)
    if request.form.get("do") == "patch":
        return _do(post_id, where, lambda by: patch.add_patch(services(), photo_id, by=by, box=region), typed=typed)
    drawn: list[int] = []
    return _do(
        post_id,
        where,
        lambda by: drawn.append(resolve.add_face(services(), photo_id, by=by, box=region)),
        typed=typed,
        to=lambda: f"face-{drawn[0]}",
    )


@bp.post("/photos/<int:photo_id>/whole")
@roles(*AUTHORS)
def whole(post_id: int, photo_id: int) -> Answer:
    """Publish the whole photo again."""
    return _do(post_id, f"photo-{photo_id}", lambda by: resolve.crop_photo(services(), photo_id, by=by, box=None))


@bp.post("/findings/<int:finding_id>/cover")
@roles(*AUTHORS)
def cover_finding(post_id: int, finding_id: int) -> Answer:
    """Cover the place in the photo that a finding speaks of."""
    return _do(
        post_id,
        f"finding-{finding_id}",
        lambda by: patch.cover_finding(services(), finding_id, by=by),
        to="photos",
    )


@bp.post("/patches/<int:patch_id>/remove")
@roles(*AUTHORS)
def remove_patch(post_id: int, patch_id: int) -> Answer:
    """Take a cover off that lies on no face."""
    return _do(post_id, "photos", lambda by: patch.remove_patch(services(), patch_id, by=by))


@bp.post("/photos/<int:photo_id>/size")
@roles(*AUTHORS)
def size(post_id: int, photo_id: int) -> Answer:
    """As sharp as may be, with a reason, or at the lower size again."""
    sharp, reason = request.form.get("size") == "sharp", request.form.get("reason", "")
    return _do(
        post_id,
        f"photo-{photo_id}",
        lambda by: patch.set_sharpness(services(), photo_id, by=by, full_size=sharp, reason=reason),
        typed={"sharp": reason} if sharp else None,
    )


@bp.post("/photos/<int:photo_id>/classes")
@roles(*AUTHORS)
def classes(post_id: int, photo_id: int) -> Answer:
    """Which classes are in this photo: only they are compared, and only while recognition is on."""
    named = request.form.getlist("class")
    return _do(post_id, f"photo-{photo_id}", lambda by: suggest.set_classes(services(), photo_id, by, named))


@bp.post("/photos/<int:photo_id>/remove")
@roles(*AUTHORS)
def remove(post_id: int, photo_id: int) -> Answer:
    """Take the photo out of the post; it is a draft again."""
    try:
        submit.remove_photo(services(), photo_id, person().id)
    except (BadInput, Conflict) as refused:
        return post_page(post_id, trouble=Trouble(f"photo-{photo_id}", (str(refused),)), status=409)
    flash("The photo was taken out. Look through the post and send it to be checked again.", "success")
    return redirect(url_for("posts.edit", post_id=post_id), code=303)


def _do(
    post_id: int,
    where: str,
    step: Callable[[int], object],
    *,
    typed: dict[str, str] | None = None,
    to: str | Callable[[], str] | None = None,
) -> Answer:
    """Call one step and go back to the page, or draw the page with the refusal at its place."""
    try:
        step(person().id)
    except (BadInput, Conflict) as refused:
        status = 422 if isinstance(refused, BadInput) else 409
        return post_page(post_id, trouble=Trouble(where, (str(refused),), typed or {}), status=status)
    anchor = to() if callable(to) else to or where
    return redirect(url_for("posts.show", post_id=post_id, _anchor=anchor), code=303)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None


def _next(post_id: int, face_id: int) -> str:
    """Where to go on: the next face still to answer, else what is left to do."""
    photos = post_view(services(), post_id, person()).photos
    faces = [face for photo in photos for face in photo.faces]
    at = next((index for index, face in enumerate(faces) if face.id == face_id), 0)
    left = [face.id for face in faces[at + 1 :] + faces[:at] if face.against]
    return f"face-{left[0]}" if left else "photos"


def _region(post_id: int, photo_id: int, typed: dict[str, str]) -> tuple[float, float, float, float]:
    """The typed percentages as pixels of the upright photo."""
    if not any(typed[side].strip() for side in _SIDES):
        raise BadInput("Draw a box on the photo first, or type where it is in percent.")
    shares = [_share(side, typed[side]) for side in _SIDES]
    if shares[0] >= shares[2] or shares[1] >= shares[3]:
        raise BadInput("Right must be more than left, and bottom more than top.")
    photos = {photo.id: photo for photo in draft_view(services(), post_id, person().id).photos}
    if photo_id not in photos:
        raise BadInput("This photo is no longer in the post. Reload the page.")
    width, height = photos[photo_id].width, photos[photo_id].height
    return (shares[0] * width, shares[1] * height, shares[2] * width, shares[3] * height)


def _share(side: str, text: str) -> float:
    try:
        share = float(text.strip().removesuffix("%").replace(",", "."))
    except ValueError:
        share = math.nan
    if not 0 <= share <= 100:  # noqa: PLR2004 - also refuses what is no number
        raise BadInput(f"{side.capitalize()} must be a number from 0 to 100, in percent of the photo.")
    return share / 100
