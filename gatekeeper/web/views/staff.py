"""The staff page: inviting, editing and closing accounts."""

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import DateField, EmailField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from approvals import recovery
from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.sessions import living_sessions
from gatekeeper.people.staff import ROLE_WORDS, Category, Role, Staff
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Form, at_most, needed, options, trimmed
from gatekeeper.web.wording import when
from gatekeeper.workflow import recover, second_proofs
from gatekeeper.workflow import roles as role_steps
from gatekeeper.workflow import staff as steps

bp = Blueprint("staff", __name__, url_prefix="/staff")
only_administrators = roles(Role.ADMINISTRATOR)

CATEGORY_WORDS = {
    Category.EMPLOYEE: "Employee",
    Category.CONSULTANT: "Consultant",
    Category.VOLUNTEER: "Volunteer",
    Category.AGENCY: "Agency staff",
}


class DetailsForm(Form):
    """What an administrator types about somebody."""

    name = StringField("Name", filters=[trimmed], validators=[needed("Please type the person's name."), at_most(120)])
    role = SelectField("Role", choices=options(ROLE_WORDS))
    category = SelectField(
        "Kind of work",
        description="The school's policy applies to all of them alike.",
        choices=options(CATEGORY_WORDS),
    )
    ends_on = DateField(
        "Last day",
        description="From the day after, the account is closed by itself. For agency staff and volunteers.",
        validators=[Optional()],
    )
    line_manager_id = SelectField("Line manager", choices=options({"": "Nobody"}), validators=[Optional()])

    def offer_managers(self, *, but: int | None = None) -> None:
        """Offer everybody with an open account as line manager."""
        with services().db.read() as session:
            members = session.scalars(select(Staff).where(Staff.active).order_by(Staff.name)).all()
        self.line_manager_id.choices = options({"": "Nobody", **{m.id: m.name for m in members if m.id != but}})

    def details(self) -> steps.Details:
        """What was typed, as the step takes it."""
        return steps.Details(
            name=self.name.data,
            role=Role(self.role.data),
            category=Category(self.category.data),
            ends_on=self.ends_on.data,
            line_manager_id=int(self.line_manager_id.data) if self.line_manager_id.data else None,
        )


class InviteForm(DetailsForm):
    """Somebody new."""

    email = EmailField(
        "E-mail address",
        description="The link to set a password goes there. The address cannot be changed later.",
        filters=[trimmed],
        validators=[needed("Please type the person's e-mail address."), at_most(254)],
    )


class EditForm(DetailsForm):
    """Somebody known."""

    reason = TextAreaField(
        "Reason for a new role",
        description="Needed only when the headteacher's or the deputy's role is given. The headteacher reads it.",
        filters=[trimmed],
        validators=[at_most(1000)],
        render_kw={"rows": 3},
    )


class RecoveryForm(Form):
    """Why somebody may choose a new PIN or passkey without the old one."""

    recovery_reason = TextAreaField(
        "Why",
        description="Such as “lost her telephone on the coach and forgot the PIN”. The person and the headteacher read it.",
        filters=[trimmed],
        validators=[needed("Please say why."), at_most(500)],
        render_kw={"rows": 2},
    )


@bp.get("")
@only_administrators
def index() -> str:
    """Everybody with an account."""
    now = services().clock.now()
    with services().db.read() as session:
        members = session.scalars(select(Staff).order_by(Staff.active.desc(), Staff.name)).all()
        changes = [(change, session.get_one(Staff, change.staff_id)) for change in role_steps.waiting_changes(session)]
        has_head = any(m.role == Role.HEADTEACHER and m.active for m in members)
    return render_template(
        "web/staff/index.html",
        members=members,
        changes=changes,
        has_head=has_head,
        today=london(now).date(),
        categories=CATEGORY_WORDS,
    )


@bp.get("/invite")
@only_administrators
def invite() -> str:
    """The empty form."""
    form = InviteForm()
    form.offer_managers()
    return render_template("web/staff/invite.html", form=form)


@bp.post("/invite")
@only_administrators
def send_invitation() -> Response | tuple[str, int]:
    """Add somebody and send the link."""
    form = InviteForm()
    form.offer_managers()
    if form.validate_on_submit():
        try:
            steps.invite(services(), form.details(), email=form.email.data, by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        except Conflict as refused:
            form.refuse({"role": str(refused)})
        else:
            flash(f"{form.name.data} is invited. The link in the e-mail works for seven days.", "success")
            return redirect(url_for("staff.index"), code=303)
    return render_template("web/staff/invite.html", form=form), 422


@bp.get("/<int:staff_id>")
@only_administrators
def show(staff_id: int) -> str:
    """One person."""
    with services().db.read() as session:
        member = steps.find(session, staff_id)
    return _page(member, _edit_form(member))


@bp.post("/<int:staff_id>")
@only_administrators
def save(staff_id: int) -> Response | tuple[str, int]:
    """Change one person's account."""
    with services().db.read() as session:
        member = steps.find(session, staff_id)
    form = EditForm()
    form.offer_managers(but=staff_id)
    if form.validate_on_submit():
        try:
            waiting = steps.edit(services(), staff_id, form.details(), reason=form.reason.data or "", by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        except Conflict as refused:
            form.refuse({"role": str(refused)})
        else:
            if waiting:
                flash(
                    f"Saved. The new role waits until {when(waiting.effective_at)}; the headteacher has been told "
                    "and can stop it.",
                    "warning",
                )
            else:
                flash("Saved.", "success")
            return redirect(url_for("staff.index"), code=303)
    return _page(member, form), 422


@bp.post("/<int:staff_id>/invite-again")
@only_administrators
def invite_again(staff_id: int) -> Response:
    """Send a fresh link."""
    steps.invite_again(services(), staff_id, by=person().id)
    flash("A fresh link is on its way.", "success")
    return redirect(url_for("staff.show", staff_id=staff_id), code=303)


@bp.post("/<int:staff_id>/deactivate")
@only_administrators
def deactivate(staff_id: int) -> Response:
    """Close the account at once."""
    steps.deactivate(services(), staff_id, by=person().id)
    flash("The account is closed, and every browser signed in with it is signed out.", "success")
    return redirect(url_for("staff.show", staff_id=staff_id), code=303)


@bp.post("/<int:staff_id>/reactivate")
@only_administrators
def reactivate(staff_id: int) -> Response:
    """Open the account again."""
    steps.reactivate(services(), staff_id, by=person().id)
    flash("The account is open again. Please look at the last day and the role.", "success")
    return redirect(url_for("staff.show", staff_id=staff_id), code=303)


@bp.post("/<int:staff_id>/recovery")
@only_administrators
def ask_recovery(staff_id: int) -> Response | tuple[str, int]:
    """Ask that somebody may choose a new PIN or passkey without the old one; it waits a day."""
    with services().db.read() as session:
        member = steps.find(session, staff_id)
    form = RecoveryForm()
    if form.validate_on_submit():
        try:
            asked = recover.ask(services(), staff_id, reason=form.recovery_reason.data, by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields)
        except Conflict as refused:
            form.refuse({"recovery_reason": str(refused)})
        else:
            flash(
                f"Asked. From {when(asked.effective_at)} on {member.name} can choose a new PIN or passkey. They, the "
                "headteacher and the other administrators have been told.",
                "warning",
            )
            return redirect(url_for("staff.show", staff_id=staff_id), code=303)
    return _page(member, _edit_form(member), form), 422


def _edit_form(member: Staff) -> EditForm:
    return EditForm(
        formdata=None,
        data={
            "name": member.name,
            "role": member.role,
            "category": member.category,
            "ends_on": member.ends_on,
            "line_manager_id": str(member.line_manager_id or ""),
        },
    )


def _page(member: Staff, form: EditForm, recovery_form: RecoveryForm | None = None) -> str:
    if len(form.line_manager_id.choices) == 1:
        form.offer_managers(but=member.id)
    now = services().clock.now()
    with services().db.read() as session:
        browsers = len(living_sessions(session, member.id, now=now))
        change = next((c for c in role_steps.waiting_changes(session) if c.staff_id == member.id), None)
        proofs = second_proofs.standing(session, member.id, now=now)
        asked = recovery.waiting(session, member.id)
    return render_template(
        "web/staff/show.html",
        member=member,
        form=form,
        browsers=browsers,
        change=change,
        proofs=proofs,
        recovery=asked if asked and asked.lapses_at > now else None,
        recovery_form=recovery_form or RecoveryForm(formdata=None),
        today=london(now).date(),
        categories=CATEGORY_WORDS,
    )
