"""The sign-in page, also as the answer to a form that arrived without a session, and the page that sends it again."""

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import EmailField, PasswordField

from gatekeeper.web import kept
from gatekeeper.web.access import can_open
from gatekeeper.web.forms_base import Form, at_most, needed, trimmed

_OVER = "What you typed was kept for an hour, and that is over. Please type it once more."


class SignInForm(Form):
    """Address and password."""

    email = EmailField(
        "E-mail address",
        filters=[trimmed],
        validators=[needed("Please type your e-mail address."), at_most(254)],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        "Password",
        validators=[needed("Please type your password."), at_most(200)],
        render_kw={"autocomplete": "current-password"},
    )


def door_page(form: SignInForm, interrupted: kept.Interrupted | None = None) -> str:
    """The sign-in page. What was typed before is carried by it, and never shown to whoever has not signed in."""
    return render_template(
        "web/signin/form.html",
        form=form,
        interrupted=interrupted,
        then=interrupted.back if interrupted else request.args.get("next"),
    )


def carried() -> kept.Interrupted | None:
    """What the sign-in form brought along, for the page that is shown again after a wrong password."""
    sealed = request.form.get("kept", "")
    found = kept.opened(sealed) if sealed else None
    return kept.Interrupted(sealed=sealed, back=then(), files=found.files) if found else None


def signed_out() -> AnyResponse:
    """Answer a form that arrived without a session: ask to sign in, say plainly what happened, keep what was typed."""
    if request.endpoint == "signin.leave":
        return redirect(url_for("signin.form"), code=303)
    return make_response(door_page(SignInForm(formdata=None), kept.interrupted()), 401)


def entered() -> AnyResponse:
    """Where somebody goes on who has just signed in."""
    sealed = request.form.get("kept", "")
    if sealed and (found := kept.opened(sealed)):
        return go_on_page(found)
    if sealed:
        flash(_OVER, "warning")
    return redirect(then(), code=303)


def go_on_page(found: kept.Kept, *, status: int = 200) -> Response:
    """What was typed, who is signed in, and one button that sends it. Whoever may not use the page sees nothing of it."""
    for name in ("csrf_token", "csrf_valid"):  # the form secret of the visit ended with it
        g.pop(name, None)
    allowed = can_open(found.endpoint)
    page = render_template("web/signin/go_on.html", kept=found if allowed else None, back=then(), again=status != 200)  # noqa: PLR2004
    return make_response(page, status if allowed else 403)


def then() -> str:
    """The page asked for before signing in; only ever one of this site."""
    wanted = request.args.get("next", "")
    return wanted if kept.is_local(wanted) else "/"
