"""One's own account: password, where one is signed in, and changes that wait for one's word. Proofs have their own page."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import EqualTo

from gatekeeper.errors import BadInput
from gatekeeper.people.sessions import living_sessions
from gatekeeper.people.staff import Role, Staff
from gatekeeper.web.access import person, services, signed_in, web_session
from gatekeeper.web.forms_base import Form, at_most, needed
from gatekeeper.web.limits import SIGN_IN, limiter
from gatekeeper.workflow import accounts, recover, roles, second_proofs

bp = Blueprint("account", __name__, url_prefix="/account")


class PasswordForm(Form):
    """A new password, by the old one."""

    current = PasswordField(
        "Present password",
        validators=[needed("Please type your present password."), at_most(200)],
        render_kw={"autocomplete": "current-password"},
    )
    password = PasswordField(
        "New password",
        description="At least 12 characters. Three or four words in a row are good and easy to type.",
        validators=[needed("Please choose a new password."), at_most(200)],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "The new one again",
        validators=[EqualTo("password", "The two new passwords differ. Please type them again.")],
        render_kw={"autocomplete": "new-password"},
    )


@bp.get("")
@signed_in
def index() -> str:
    """The account page."""
    return _page(PasswordForm(prefix="password"))


@bp.post("/password")
@signed_in
@limiter.limit(SIGN_IN)
def password() -> Response | tuple[str, int]:
    """Set a new password."""
    typed = PasswordForm(prefix="password")
    if typed.validate_on_submit():
        try:
            accounts.change_password(
                services(),
                person().id,
                current=typed.current.data,
                password=typed.password.data,
                here=web_session().id_hash or "",
            )
        except BadInput as refused:
            typed.refuse(refused.fields)
        else:
            flash("Your password is changed. Every other browser is signed out.", "success")
            return redirect(url_for("account.index"), code=303)
    return _page(typed), 422


@bp.post("/sessions/end")
@signed_in
def end_session() -> Response:
    """Sign one other browser out."""
    accounts.end_one_session(services(), person().id, request.form.get("session", ""))
    flash("That browser is signed out.", "success")
    return redirect(url_for("account.index"), code=303)


@bp.post("/sessions/end-others")
@signed_in
def end_others() -> Response:
    """Sign every other browser out."""
    accounts.sign_out_elsewhere(services(), person().id, here=web_session().id_hash or "")
    flash("Every other browser is signed out.", "success")
    return redirect(url_for("account.index"), code=303)


@bp.post("/changes/<int:change_id>/stop")
@signed_in
def stop_change(change_id: int) -> Response:
    """Stop a change of the deciding roles; the step asks whether this person may."""
    with services().step() as session:
        roles.stop_change(session, change_id, by=person(), now=services().clock.now())
    flash("The change is stopped. Nobody's role is different.", "success")
    return redirect(url_for("account.index"), code=303)


def _page(password_form: PasswordForm) -> str:
    me, now = person(), services().clock.now()
    with services().db.read() as session:
        browsers = living_sessions(session, me.id, now=now)
        changes = [
            (change, session.get_one(Staff, change.staff_id), session.get_one(Staff, change.requested_by))
            for change in roles.waiting_changes(session)
            if me.role == Role.HEADTEACHER or me.id in (change.requested_by, change.staff_id)
        ]
        standing = second_proofs.standing(session, me.id, now=now)
        recoveries = recover.waiting_for_eyes_of(session, me, now=now)
        manager = session.scalar(select(Staff.name).where(Staff.id == me.line_manager_id))
    return render_template(
        "web/account/index.html",
        me=me,
        manager=manager,
        password_form=password_form,
        decides=Role(me.role) in roles.DECIDING,
        standing=standing,
        recoveries=recoveries,
        browsers=browsers,
        here=web_session().id_hash,
        changes=changes,
    )
