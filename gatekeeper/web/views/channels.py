"""The channels page: an administrator registers an account, the headteacher opens it. No page ever shows a key again."""

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import BooleanField, PasswordField, StringField, TextAreaField

from approvals.errors import ProofRefused
from gatekeeper.errors import BadInput, NotFound
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Form, at_most, needed, trimmed
from gatekeeper.web.limits import SIGN_IN, limiter
from gatekeeper.web.second_proof import offered, typed_proof
from gatekeeper.workflow import channel_view, connect

bp = Blueprint("channels", __name__, url_prefix="/channels")
readers = roles(Role.ADMINISTRATOR, Role.HEADTEACHER)
only_administrators = roles(Role.ADMINISTRATOR)
only_headteacher = roles(Role.HEADTEACHER)

#: status -> (word, colour, sign)
STATUS = {
    "new": ("Being checked", "info", "⟳"),
    "checked": ("Waiting for the headteacher", "warning", "⏳"),
    "open": ("Open", "success", "✓"),
    "held": ("Held", "danger", "⚠"),
    "closed": ("Closed", "secondary", "–"),
}
#: kind -> where the account's number is found
WHERE_ID = {
    "x": "The number of the account, not its @name. The help page on channels says where it stands.",
    "facebook": "The Page ID, under About and Page transparency on the page itself.",
    "linkedin": "The number in the address of the page's admin view: linkedin.com/company/NUMBER/admin.",
}


class OpenForm(Form):
    """The headteacher's declaration; the second proof stands beside it."""

    declared_own = BooleanField("I declare that this page is the school's own.")


class HoldForm(Form):
    """Why nothing may go out on an account for now."""

    reason = TextAreaField(
        "Reason",
        filters=[trimmed],
        validators=[needed("Please give the reason in a few words."), at_most(1000)],
        render_kw={"rows": 2},
    )


class KeysForm(Form):
    """The keys of one account; the fields are added for each platform."""

    def secrets(self, kind: str) -> Mapping[str, str]:
        """What was typed, by the name of the key."""
        return {name: getattr(self, name).data or "" for name in connect.SECRETS[kind]}


def _keys_form(kind: str) -> type[KeysForm]:
    secret = {"autocomplete": "off", "spellcheck": "false"}
    fields = {
        name: PasswordField(
            label,
            filters=[trimmed],
            validators=[needed(f"Please paste it here: {label}."), at_most(2000)],
            render_kw=secret,
        )
        for name, label in connect.SECRETS[kind].items()
    }
    return type("KeysFormOf" + kind, (KeysForm,), fields)


def _register_form(kind: str) -> type[KeysForm]:
    class Registering(_keys_form(kind)):  # type: ignore[misc]  # the parent is made for the platform
        name = StringField(
            "Name",
            description="What staff call it, such as “School page”.",
            filters=[trimmed],
            validators=[needed("Please give the account the name staff know it by."), at_most(120)],
        )
        remote_id = StringField(
            "Number of the account",
            description=WHERE_ID[kind],
            filters=[trimmed],
            validators=[needed("Please type the account's number."), at_most(40)],
            render_kw={"inputmode": "numeric"},
        )

    return Registering


@bp.get("")
@readers
def index() -> str:
    """Every account and how it stands."""
    with services().db.read() as session:
        accounts = session.scalars(select(ChannelAccount).order_by(ChannelAccount.id)).all()
    return render_template("web/channels/index.html", accounts=accounts, status=STATUS, label_of=label_of)


@bp.get("/new/<kind>")
@only_administrators
def new(kind: str) -> str:
    """The empty form for one platform."""
    _known(kind)
    return render_template("web/channels/new.html", form=_register_form(kind)(), kind=kind, label=label_of(kind))


@bp.post("/new/<kind>")
@only_administrators
def register(kind: str) -> Response | tuple[str, int]:
    """Register an account; its keys are sealed before anything is stored."""
    _known(kind)
    form = _register_form(kind)()
    if form.validate_on_submit():
        typed = connect.Registration(
            kind=kind,
            name=form["name"].data,
            remote_id=form["remote_id"].data,
            secrets=form.secrets(kind),
        )
        try:
            account_id = connect.register(services(), typed, by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        else:
            flash("The keys are sealed. The platform is being asked whose they are.", "success")
            return redirect(url_for("channels.show", account_id=account_id), code=303)
    return render_template("web/channels/new.html", form=form, kind=kind, label=label_of(kind)), 422


@bp.get("/<int:account_id>")
@readers
def show(account_id: int) -> str:
    """One account."""
    return _page(account_id)


@bp.post("/<int:account_id>/open")
@only_headteacher
@limiter.limit(SIGN_IN)
def open_channel(account_id: int) -> Response | tuple[str, int]:
    """Open it for posts."""
    form, wrong = OpenForm(prefix="open"), ""
    if form.validate_on_submit():
        try:
            connect.open_channel(
                services(), account_id, by=person().id, proof=typed_proof(), declared_own=form.declared_own.data
            )
        except BadInput as refused:
            form.refuse(refused.fields)
        except ProofRefused as refused:
            wrong = str(refused)
        else:
            flash("The channel is open.", "success")
            return redirect(url_for("channels.show", account_id=account_id), code=303)
    return _page(account_id, opening=form, proof_error=wrong), 422


@bp.post("/<int:account_id>/hold")
@readers
def hold(account_id: int) -> Response | tuple[str, int]:
    """Stop everything on it."""
    form = HoldForm(prefix="hold")
    if form.validate_on_submit():
        try:
            connect.hold_channel(services(), account_id, reason=form.reason.data, by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields)
        else:
            flash("The channel is held. Nothing goes out on it until the headteacher opens it again.", "success")
            return redirect(url_for("channels.show", account_id=account_id), code=303)
    return _page(account_id, holding=form), 422


@bp.post("/<int:account_id>/close")
@readers
def close(account_id: int) -> Response:
    """Close it and destroy its keys here."""
    connect.close_channel(services(), account_id, by=person().id)
    flash("The channel is closed and its keys are destroyed here.", "success")
    return redirect(url_for("channels.show", account_id=account_id), code=303)


@bp.post("/<int:account_id>/check")
@only_administrators
def check(account_id: int) -> Response:
    """Have the platform asked again."""
    connect.check_again(services(), account_id, by=person().id)
    flash("The platform is being asked again.", "success")
    return redirect(url_for("channels.show", account_id=account_id), code=303)


@bp.post("/<int:account_id>/seen")
@only_administrators
def seen(account_id: int) -> Response:
    """Say that a post was seen there by somebody who was not signed in."""
    connect.looked_logged_out(services(), account_id, by=person().id)
    flash("That is written down with your name.", "success")
    return redirect(url_for("channels.show", account_id=account_id), code=303)


@bp.get("/<int:account_id>/keys")
@only_administrators
def keys(account_id: int) -> str:
    """The form for new keys."""
    account = _account(account_id)
    return render_template(
        "web/channels/keys.html", form=_keys_form(account.kind)(), account=account, label=label_of(account.kind)
    )


@bp.post("/<int:account_id>/keys")
@only_administrators
def renew(account_id: int) -> Response | tuple[str, int]:
    """Seal new keys."""
    account = _account(account_id)
    form = _keys_form(account.kind)()
    if form.validate_on_submit():
        try:
            connect.renew(services(), account_id, form.secrets(account.kind), by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        else:
            flash("The new keys are sealed. The platform is being asked whose they are.", "success")
            return redirect(url_for("channels.show", account_id=account_id), code=303)
    return render_template("web/channels/keys.html", form=form, account=account, label=label_of(account.kind)), 422


def _known(kind: str) -> None:
    if kind not in connect.SECRETS:
        abort(404)


def _account(account_id: int) -> ChannelAccount:
    with services().db.read() as session:
        account = session.get(ChannelAccount, account_id)
    if account is None:
        raise NotFound("There is no such channel.")
    return account


def _page(
    account_id: int, *, opening: OpenForm | None = None, holding: HoldForm | None = None, proof_error: str = ""
) -> str:
    account = _account(account_id)
    with services().db.read() as session:
        opened_by = session.scalar(select(Staff.name).where(Staff.id == account.opened_by))
        view = channel_view.view_of(session, account, settings=services().settings, now=services().clock.now())
    fresh = None if request.method == "POST" else request.form
    return render_template(
        "web/channels/show.html",
        account=account,
        label=label_of(account.kind),
        status=STATUS[account.status],
        opened_by=opened_by,
        view=view,
        proof_error=proof_error,
        proof=offered(person().id, connect.ACTION, error=proof_error) if person().role == Role.HEADTEACHER else None,
        can_be_opened=connect.can_be_opened(account),
        is_head=person().role == Role.HEADTEACHER,
        opening=opening or OpenForm(prefix="open", formdata=fresh),
        holding=holding or HoldForm(prefix="hold", formdata=fresh),
    )
