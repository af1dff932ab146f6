"""Signing in and out, asking for a link, and setting a password by a link."""

from typing import Final

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response
from wtforms import EmailField, PasswordField
from wtforms.validators import EqualTo

from gatekeeper.errors import BadInput, NotAllowed
from gatekeeper.web import door
from gatekeeper.web.access import person_or_none, public, services, signed_in, web_session
from gatekeeper.web.door import SignInForm
from gatekeeper.web.forms_base import Form, at_most, needed, trimmed
from gatekeeper.web.limits import SIGN_IN, limiter
from gatekeeper.workflow import accounts

bp = Blueprint("signin", __name__)
_LINK: Final = "invitation"  # where the link's token waits between the click and the new password
SENT: Final = "If we know this address, an e-mail with a link is on its way. It works for seven days, once."


class AskForm(Form):
    """The address a link is asked for."""

    email = EmailField(
        "E-mail address",
        filters=[trimmed],
        validators=[needed("Please type your e-mail address."), at_most(254)],
        render_kw={"autocomplete": "username"},
    )


class NewPasswordForm(Form):
    """A new password, typed twice."""

    password = PasswordField(
        "New password",
        description="At least 12 characters. Three or four words in a row are good and easy to type.",
        validators=[needed("Please choose a password."), at_most(200)],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "The same again",
        validators=[EqualTo("password", "The two passwords differ. Please type them again.")],
        render_kw={"autocomplete": "new-password"},
    )


@bp.get("/signin")
@public
def form() -> str | Response:
    """The sign-in page."""
    if person_or_none():
        return redirect(door.then(), code=303)
    return door.door_page(SignInForm())


@bp.post("/signin")
@public
@limiter.limit(SIGN_IN)
def enter() -> Response | tuple[str, int]:
    """Sign in, or say the one sentence. What was typed before the session ended goes along either way."""
    typed = SignInForm()
    if typed.validate_on_submit():
        try:
            agent = request.user_agent.string
            entered = accounts.sign_in(services(), email=typed.email.data, password=typed.password.data, agent=agent)
        except NotAllowed as refused:
            typed.refuse({}, str(refused))
        else:
            web_session().sign_in(entered.staff, entered.token, agent=agent)
            return door.entered()
    return door.door_page(typed, door.carried()), 422


@bp.post("/signout")
@signed_in
def leave() -> Response:
    """End this session."""
    here = web_session()
    if here.staff and here.id_hash:
        accounts.sign_out(services(), here.staff.id, here.id_hash)
    here.sign_out()
    flash("You are signed out.", "success")
    return redirect(url_for("signin.form"), code=303)


@bp.get("/signin/forgotten")
@public
def forgotten() -> str:
    """Where a link is asked for."""
    return render_template("web/signin/forgotten.html", form=AskForm())


@bp.post("/signin/forgotten")
@public
@limiter.limit("10 per minute; 60 per hour")
def ask() -> Response | tuple[str, int]:
    """Send a link if there is such an account; the answer is the same either way."""
    typed = AskForm()
    if not typed.validate_on_submit():
        return render_template("web/signin/forgotten.html", form=typed), 422
    accounts.ask_for_link(services(), email=typed.email.data)
    flash(SENT, "success")
    return redirect(url_for("signin.form"), code=303)


@bp.get("/welcome/<token>")
@public
@limiter.limit(SIGN_IN)
def open_link(token: str) -> Response:
    """Take the token out of the address; opening changes nothing, however often and by whomever."""
    g.link_holder = True  # the address holds a secret: it goes to no other page
    session[_LINK] = token
    return redirect(url_for("signin.welcome"), code=303)


@bp.get("/welcome")
@public
def welcome() -> str | tuple[str, int]:
    """Where the password is set."""
    try:
        invited = accounts.invited(services(), str(session.get(_LINK, "")))
    except NotAllowed as refused:
        return render_template("web/signin/link_over.html", sentence=str(refused)), 403
    return render_template("web/signin/welcome.html", form=NewPasswordForm(), invited=invited)


@bp.post("/welcome")
@public
@limiter.limit(SIGN_IN)
def set_password() -> Response | tuple[str, int]:
    """Use the link up."""
    typed = NewPasswordForm()
    token = str(session.get(_LINK, ""))
    try:
        invited = accounts.invited(services(), token)
        if typed.validate_on_submit():
            accounts.set_password_by_link(services(), token, password=typed.password.data)
            session.pop(_LINK, None)
            flash("Your password is set. Please sign in with it.", "success")
            return redirect(url_for("signin.form"), code=303)
    except NotAllowed as refused:
        return render_template("web/signin/link_over.html", sentence=str(refused)), 403
    except BadInput as refused:
        typed.refuse(refused.fields)
    return render_template("web/signin/welcome.html", form=typed, invited=invited), 422
