"""The roll and each child's page. Names never stand in an address: a search travels in the session."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from gatekeeper.clock import london
from gatekeeper.errors import BadInput, NotFound
from gatekeeper.people.accounts import names_of_staff
from gatekeeper.people.biometric import Said, biometric_answer, biometric_facts, newest_biometric
from gatekeeper.people.consent import Basis, Consent, Purpose, answer_for, answers_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.roll import ANY_CHANNEL, class_names, consent_history, find_pupils, newest_consent
from gatekeeper.people.staff import Role
from gatekeeper.policy.limits import LIMITS, label_of
from gatekeeper.web.access import can_open, person, roles, services
from gatekeeper.web.forms_base import Day, Form, at_most, chosen, needed, options, trimmed
from gatekeeper.workflow import consents
from gatekeeper.workflow.review_view import open_review_of

bp = Blueprint("pupils", __name__, url_prefix="/pupils")
readers = roles(Role.CONSENT_LEAD, Role.ADMINISTRATOR, Role.HEADTEACHER)
keepers = roles(Role.CONSENT_LEAD, Role.ADMINISTRATOR)
KEEPERS = frozenset({Role.CONSENT_LEAD, Role.ADMINISTRATOR})

BASIS_WORDS = {Basis.CONSENT: "Consent of the family", Basis.PUBLIC_TASK: "Public task of the school"}
SAID_WORDS = {
    Said.YES: "Yes: a parent consented in writing, and nobody objects",
    Said.PARENT_OBJECTS: "No: a parent objects",
    Said.CHILD_OBJECTS: "No: the pupil objects",
    Said.NOT_GIVEN: "No: nobody consented in writing",
}
_SEARCH = "roll_search"
_EVERYWHERE = "every channel"


class PermissionForm(Form):
    """One answer of a family."""

    about = SelectField("About", choices=[])
    allowed = RadioField(
        "Answer", choices=options({"yes": "Yes", "no": "No"}), validators=[chosen("Please choose yes or no.")]
    )
    basis = SelectField("Lawful basis", choices=options(BASIS_WORDS))
    given_on = Day("Given on", validators=[needed("Please give the day it was given.")])
    expires_on = Day("Ends on", validators=[Optional()])
    note = TextAreaField(
        "Note",
        description="Who said it and how, such as “signed form, both parents”.",
        filters=[trimmed],
        validators=[at_most(2000)],
        render_kw={"rows": 2},
    )

    def offer(self) -> None:
        """Offer every kind of channel."""
        self.about.choices = options({kind: f"Shown on {limit.label}" for kind, limit in LIMITS.items()})

    def permission(self) -> consents.Permission:
        """What was typed, as the step takes it."""
        return consents.Permission(
            allowed=self.allowed.data == "yes",
            basis=Basis(self.basis.data),
            given_on=self.given_on.data,
            expires_on=self.expires_on.data,
            note=self.note.data or "",
        )


class BiometricForm(Form):
    """What came of asking a family whether the face may be matched (Protection of Freedoms Act 2012, section 26)."""

    said = RadioField(
        "Answer", choices=options(SAID_WORDS), validators=[chosen("Please choose what the family and the pupil said.")]
    )
    written_by = StringField(
        "Who consented in writing", description="The parent's name. Needed for a yes.",
        filters=[trimmed], validators=[at_most(200)], render_kw={"autocomplete": "off"},
    )  # fmt: skip
    told = TextAreaField(
        "Who was told, and how",
        description="Each parent: “letter of 3 September to both”. Where one could not be told, write why. Needed for a yes.",
        filters=[trimmed],
        validators=[at_most(2000)],
        render_kw={"rows": 2},
    )
    each_told = BooleanField("Each parent was told before")
    nobody_objects = BooleanField("No parent objects, and the pupil was asked and does not object")
    given_on = Day("Given on", validators=[needed("Please give the day of the answer.")])
    expires_on = Day("Ends on", validators=[Optional()])

    def answer(self) -> consents.FamilyAnswer:
        """What was typed, as the step takes it."""
        return consents.FamilyAnswer(
            said=Said(self.said.data),
            written_by=self.written_by.data or "",
            told=self.told.data or "",
            each_told=self.each_told.data,
            nobody_objects=self.nobody_objects.data,
            given_on=self.given_on.data,
            expires_on=self.expires_on.data,
        )


class ReasonForm(Form):
    """Why the never-publish mark is set or taken away."""

    reason = TextAreaField(
        "Reason",
        description="Only the consent lead, administrators and the headteacher see it.",
        filters=[trimmed],
        validators=[needed("Please give the reason in a few words."), at_most(1000)],
        render_kw={"rows": 2},
    )


class LeaverForm(Form):
    """A child's last day."""

    left_on = Day("Last day at the school", validators=[Optional()])


@bp.get("")
@readers
def index() -> str:
    """The roll."""
    words = str(session.get(_SEARCH, "")) if request.args.get("search") else ""
    today = _today()
    left = request.args.get("left") == "1"
    class_name = request.args.get("class", "")
    page = request.args.get("page", 1, type=int)
    with services().db.read() as db:
        found = find_pupils(db, today=today, words=words, class_name=class_name, left=left, page=page)
        answers = answers_for(db, found.items, {kind: label_of(kind) for kind in LIMITS}, today=today)
        classes = class_names(db)
        anybody = db.scalar(select(Pupil.id).limit(1)) is not None
    return render_template(
        "web/pupils/index.html",
        page=found,
        answers=answers,
        classes=classes,
        class_name=class_name,
        left=left,
        words=words,
        anybody=anybody,
        may_keep=_may_keep(),
    )


@bp.post("/search")
@readers
def search() -> Response:
    """Keep the words out of the address and show what they find."""
    session[_SEARCH] = request.form.get("words", "")[:80].strip()
    asked: dict[str, Any] = {
        "search": 1 if session[_SEARCH] else None,
        "class": request.form.get("class", "")[:40] or None,
        "left": 1 if request.form.get("left") == "1" else None,
    }
    return redirect(url_for("pupils.index", **asked), code=303)


@bp.get("/<int:pupil_id>")
@readers
def show(pupil_id: int) -> str:
    """One child. That somebody looked is written down."""
    consents.note_look(services(), pupil_id, by=person().id)
    return _page(pupil_id)


@bp.post("/<int:pupil_id>/permission")
@keepers
def permission(pupil_id: int) -> Response | tuple[str, int]:
    """Record an answer."""
    form = PermissionForm(prefix="permission")
    form.offer()
    if form.validate_on_submit():
        try:
            consents.record_consent(services(), pupil_id, form.about.data, form.permission(), by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        else:
            return _done(pupil_id, "The answer is recorded.")
    return _page(pupil_id, permission=form), 422


@bp.post("/<int:pupil_id>/biometric")
@keepers
def biometric(pupil_id: int) -> Response | tuple[str, int]:
    """Record what the family and the pupil said about matching the face."""
    form = BiometricForm(prefix="biometric")
    if form.validate_on_submit():
        try:
            consents.record_biometric(services(), pupil_id, form.answer(), by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        else:
            said = "The answer is recorded." if form.said.data == Said.YES else "The no is recorded. Nothing is kept to match this face by."  # fmt: skip
            return _done(pupil_id, said)
    return _page(pupil_id, biometric=form), 422


@bp.post("/<int:pupil_id>/withdraw")
@keepers
def withdraw(pupil_id: int) -> Response:
    """Withdraw the permission that counts now, on one channel or on every."""
    about = request.form.get("about", "")
    if about == _EVERYWHERE:
        consents.withdraw_everywhere(services(), pupil_id, by=person().id)
        return _done(pupil_id, "Every permission is withdrawn. Posts with this child that were on their way are held.")
    purpose = Purpose.BIOMETRIC if about == ANY_CHANNEL else Purpose.SOCIAL_MEDIA
    if about != ANY_CHANNEL and about not in LIMITS:
        raise NotFound("There is no such permission.")
    consents.withdraw_consent(services(), pupil_id, about, purpose, by=person().id)
    if purpose is Purpose.BIOMETRIC:
        return _done(pupil_id, "The consent is withdrawn. Nothing is kept to match this face by.")
    return _done(pupil_id, "The permission is withdrawn. Posts with this child that were on their way are held.")


@bp.post("/<int:pupil_id>/never")
@keepers
def never(pupil_id: int) -> Response | tuple[str, int]:
    """Set or clear the mark that beats every permission."""
    form = ReasonForm(prefix="never")
    clear = request.form.get("mark") == "clear"
    if form.validate_on_submit():
        step = consents.clear_never if clear else consents.mark_never
        try:
            step(services(), pupil_id, reason=form.reason.data, by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields)
        else:
            said = "The mark is taken away; the permissions count again." if clear else "Marked: never to be published."
            return _done(pupil_id, said)
    return _page(pupil_id, never=form), 422


@bp.post("/<int:pupil_id>/leaver")
@keepers
def leaver(pupil_id: int) -> Response | tuple[str, int]:
    """Record the last day, or that the child stays."""
    form = LeaverForm(prefix="leaver")
    if not form.validate_on_submit():
        return _page(pupil_id, leaver=form), 422
    consents.set_leaver(services(), pupil_id, left_on=form.left_on.data, by=person().id)
    return _done(pupil_id, "The last day is recorded." if form.left_on.data else "Recorded: stays at the school.")


def _done(pupil_id: int, words: str) -> Response:
    """Say so, on the child's page or, where something of the child is public and may not be, where that is listed."""
    flash(words, "success")
    review = open_review_of(services(), pupil_id) if can_open("reviews.show") else None
    if review is not None:
        return redirect(url_for("reviews.show", review_id=review), code=303)
    return redirect(url_for("pupils.show", pupil_id=pupil_id), code=303)


def _today() -> date:
    return london(services().clock.now()).date()


def _may_keep() -> bool:
    return Role(person().role) in KEEPERS


def _page(pupil_id: int, **forms: Form) -> str:
    today = _today()
    with services().db.read() as db:
        pupil = db.get(Pupil, pupil_id)
        if pupil is None:
            raise NotFound("There is no such pupil on the roll.")
        rows: list[dict[str, Any]] = [
            {
                "kind": kind,
                "label": label_of(kind),
                "answer": answer_for(db, pupil, kind, today=today, words=label_of(kind)),
                "newest": newest_consent(db, pupil_id, kind),
            }
            for kind in LIMITS
        ]
        biometric = newest_biometric(db, pupil_id)
        biometric_says = biometric_answer(db, pupil, today=today)
        history, facts = consent_history(db, pupil_id), biometric_facts(db, pupil_id)
        names = names_of_staff(db)
    permission = forms.get("permission")
    if permission is None:
        permission = PermissionForm(prefix="permission", formdata=None, data={"given_on": today})
        permission.offer()
    return render_template(
        "web/pupils/show.html",
        pupil=pupil,
        rows=rows,
        biometric=biometric[0] if biometric else None,
        biometric_facts=biometric[1] if biometric else None,
        biometric_says=biometric_says,
        asked=forms.get("biometric") or BiometricForm(prefix="biometric", formdata=None, data={"given_on": today}),
        history=history,
        facts=facts,
        said_words=SAID_WORDS,
        names=names,
        permission=permission,
        never=forms.get("never") or ReasonForm(prefix="never", formdata=None),
        leaver=forms.get("leaver") or LeaverForm(prefix="leaver", formdata=None, data={"left_on": pupil.left_on}),
        may_keep=_may_keep(),
        today=today,
        basis_words=BASIS_WORDS,
        label_of=label_of,
        any_channel=ANY_CHANNEL,
        everywhere=_EVERYWHERE,
        withdrawable=sum(_stands(row["newest"]) for row in rows),
    )


def _stands(newest: Consent | None) -> bool:
    return newest is not None and newest.allowed and newest.withdrawn_at is None
