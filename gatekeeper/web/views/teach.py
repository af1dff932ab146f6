"""Words that look like a pupil and are none: asked about by authors, taught to the check by the consent lead."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Form, trimmed
from gatekeeper.web.views.posts import AUTHORS
from gatekeeper.workflow import teach as steps

bp = Blueprint("teach", __name__)
readers = roles(Role.CONSENT_LEAD, Role.HEADTEACHER, Role.DEPUTY)
teacher = roles(Role.CONSENT_LEAD)


class TeachForm(Form):
    """A phrase and why it names no pupil."""

    phrase = StringField(
        "The whole name or title",
        description="More than the pupil's first name: “Grace Darling”, “Matilda the Musical”. Only these words, "
        "together, are passed over; the first name alone is still found.",
        filters=[trimmed],
    )
    why = TextAreaField(
        "What is it?",
        description="Such as “A lighthouse keeper's daughter, in the history books”. Kept with your name.",
        filters=[trimmed],
        render_kw={"rows": 2},
    )


@bp.get("/words")
@readers
def index() -> str:
    """The questions that wait, and every phrase that was taught. A deputy reads no sentence of a post they do not decide."""
    with services().db.read() as session:
        sees = Role(person().role) is not Role.DEPUTY
        return render_template(
            "web/rules/words.html",
            sees=sees,
            questions=steps.questions(session) if sees else [],
            taught=steps.taught_phrases(session),
        )


@bp.post("/posts/<int:post_id>/findings/<int:finding_id>/ask-lead")
@roles(*AUTHORS)
def ask(post_id: int, finding_id: int) -> Response:
    """The author asks the consent lead."""
    try:
        steps.ask_lead(services(), post_id, finding_id, by=person().id)
        flash("The consent lead is asked. You can go on with the rest of the post.", "success")
    except Conflict as refused:
        flash(str(refused), "warning")
    return redirect(url_for("posts.show", post_id=post_id, _anchor=f"finding-{finding_id}"), code=303)


@bp.route("/posts/<int:post_id>/findings/<int:finding_id>/teach", methods=["GET", "POST"])
@teacher
def teach(post_id: int, finding_id: int) -> Response | str | tuple[str, int]:
    """Say that the words are no pupil, and what they are."""
    words = steps.words_to_teach(services(), post_id, finding_id, person())
    form = TeachForm()
    if not form.is_submitted():
        form.phrase.data = words.phrase
        return render_template("web/rules/teach.html", form=form, words=words)
    if form.validate():
        try:
            steps.teach(
                services(),
                post_id,
                finding_id,
                phrase=form.phrase.data or "",
                why=form.why.data or "",
                by=person(),
            )
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        else:
            flash("Thank you. These words are passed over from now on, and the post is checked again.", "success")
            return redirect(url_for("teach.index"), code=303)
    return render_template("web/rules/teach.html", form=form, words=words), 422


@bp.post("/words/questions/<int:question_id>/pupil")
@teacher
def is_pupil(question_id: int) -> Response:
    """Answer that the words are a pupil."""
    steps.is_pupil(services(), question_id, by=person())
    flash("Thank you. The finding stays, and the author has to change the words.", "success")
    return redirect(url_for("teach.index"), code=303)


@bp.post("/words/<int:phrase_id>/retire")
@teacher
def retire(phrase_id: int) -> Response:
    """Take a phrase back."""
    steps.retire(services(), phrase_id, by=person().id)
    flash("Taken back. The words are found again.", "success")
    return redirect(url_for("teach.index"), code=303)
