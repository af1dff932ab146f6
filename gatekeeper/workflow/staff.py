"""Inviting, editing and closing accounts. Every step leaves a line in the audit; what decides goes into the ledger."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from approvals import recovery
from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.mail.order import order_notice
from gatekeeper.people.accounts import clean_email, identify
from gatekeeper.people.sessions import end_all_sessions
from gatekeeper.people.staff import Category, Role, RoleChange, Staff, record
from gatekeeper.workflow import roles
from gatekeeper.workflow.handover import handing_over
from gatekeeper.workflow.services import Services


@dataclass(frozen=True, kw_only=True)
class Details:
    """What an administrator types about somebody."""

    name: str
    role: Role
    category: Category
    ends_on: date | None = None
    line_manager_id: int | None = None


def invite(services: Services, details: Details, *, email: str, by: int) -> int:
    """Add somebody and send them the link with which they set a password.

    Raises:
        BadInput: a field cannot be used.
        Conflict: the headteacher's role is only given by a change that waits.
    """
    address = clean_email(email)
    with services.step() as session:
        now = services.clock.now()
        if identify(session, email=address) is not None:
            sentence = f"There is already an account for {address}."
            raise BadInput(sentence, fields={"email": sentence})
        if roles.must_wait(session, present=Role.AUTHOR, wanted=details.role):
            sentence = (
                "Invite the person as an author first, then change the role: the headteacher is told and has 24 hours."
            )
            raise BadInput(sentence, fields={"role": sentence})
        _check(session, details, staff_id=None, today=london(now).date())
        staff = Staff(
            email=address,
            name=details.name.strip(),
            role=details.role,
            category=details.category,
            ends_on=details.ends_on,
            line_manager_id=details.line_manager_id,
            created_at=now,
        )
        session.add(staff)
        session.flush()
        roles.write_new_decider(session, staff, by=by, now=now)
        _order_invitation(session, staff.id, now=now)
        detail = {"role": str(details.role), "category": str(details.category)}
        record(session, at=now, staff_id=by, action="staff.invited", subject=f"staff:{staff.id}", detail=detail)
    return staff.id


def invite_again(services: Services, staff_id: int, *, by: int) -> None:
    """Send a fresh link to somebody who has not set a password yet.

    Raises:
        Conflict: they have, or the account is closed.
    """
    with services.step() as session:
        now = services.clock.now()
        staff = find(session, staff_id)
        if staff.password_hash is not None or not staff.active:
            raise Conflict("This person needs no invitation any more; they can ask for a new password themselves.")
        _order_invitation(session, staff.id, now=now)
        record(session, at=now, staff_id=by, action="staff.invited_again", subject=f"staff:{staff.id}")


def _order_invitation(session: Session, staff_id: int, *, now: datetime) -> None:
    order_notice(session, "invitation", staff_id=staff_id, subject=f"staff:{staff_id}:{now.isoformat()}", now=now)


def edit(services: Services, staff_id: int, details: Details, *, reason: str, by: int) -> RoleChange | None:
    """Change an account; a change that touches who decides waits and is returned.

    Raises:
        BadInput: a field cannot be used.
        Conflict: a change of the deciding roles is already waiting.
        NotFound: there is no such person.
    """
    with services.step() as session:
        now = services.clock.now()
        staff = find(session, staff_id)
        _check(session, details, staff_id=staff_id, today=london(now).date())
        present = Role(staff.role)
        if present is Role.HEADTEACHER and details.ends_on is not None:
            sentence = "The headteacher's account has no last day. Give the role to somebody else first."
            raise BadInput(sentence, fields={"ends_on": sentence})
        changed = [
            word
            for word, old, new in (
                ("name", staff.name, details.name.strip()),
                ("category", staff.category, str(details.category)),
                ("last day", staff.ends_on, details.ends_on),
                ("line manager", staff.line_manager_id, details.line_manager_id),
            )
            if old != new
        ]
        staff.name, staff.category = details.name.strip(), details.category
        staff.ends_on, staff.line_manager_id = details.ends_on, details.line_manager_id
        if changed:
            what = {"changed": changed}
            record(session, at=now, staff_id=by, action="staff.edited", subject=f"staff:{staff.id}", detail=what)
        if details.role is present:
            return None
        if roles.must_wait(session, present=present, wanted=details.role):
            return roles.ask_for_change(session, staff, details.role, reason=reason, by=by, now=now)
        _check_not_last_administrator(session, staff)
        roles.appoint(session, staff, details.role, by=by, now=now)
    return None


def deactivate(services: Services, staff_id: int, *, by: int) -> None:
    """Close an account and end all its sessions at once; what the person was asked to decide is handed over.

    Raises:
        Conflict: it is one's own, the headteacher's, or the last administrator's.
    """
    with services.step() as session:
        now = services.clock.now()
        staff = find(session, staff_id)
        if staff.id == by:
            raise Conflict("You cannot close your own account; another administrator can.")
        if staff.role == Role.HEADTEACHER:
            raise Conflict("The headteacher's account stays open. Give the role to somebody else first.")
        _check_not_last_administrator(session, staff)
        with handing_over(session, now=now):
            staff.active, staff.deactivated_at = False, now
        recovery.stop_for(session, staff.id, by_person=by, now=now)
        end_all_sessions(session, staff.id, now=now)
        record(session, at=now, staff_id=by, action="staff.deactivated", subject=f"staff:{staff.id}")


def reactivate(services: Services, staff_id: int, *, by: int) -> None:
    """Open a closed account again."""
    with services.step() as session:
        now = services.clock.now()
        staff = find(session, staff_id)
        if roles.DECIDING & {Role(staff.role)}:
            # a closed deputy would otherwise come back to decide without the headteacher hearing of it
            roles.appoint(session, staff, Role.AUTHOR, by=by, now=now)
        staff.active, staff.deactivated_at = True, None
        record(session, at=now, staff_id=by, action="staff.reactivated", subject=f"staff:{staff.id}")


def find(session: Session, staff_id: int) -> Staff:
    """The person, or NotFound."""
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("There is no such person here.")
    return staff


def _check(session: Session, details: Details, *, staff_id: int | None, today: date) -> None:
    fields = {}
    if not details.name.strip():
        fields["name"] = "Please type the person's name."
    if details.ends_on is not None and details.ends_on < today:
        fields["ends_on"] = "The last day cannot be in the past; to close the account now, deactivate it."
    if details.line_manager_id is not None:
        manager = session.get(Staff, details.line_manager_id)
        if manager is None or not manager.active or manager.id == staff_id:
            fields["line_manager_id"] = "Please choose somebody else as line manager."
    if fields:
        raise BadInput("Please look at the marked fields.", fields=fields)


def _check_not_last_administrator(session: Session, staff: Staff) -> None:
    if staff.role != Role.ADMINISTRATOR:
        return
    others = select(func.count()).where(
        Staff.role == Role.ADMINISTRATOR, Staff.active, Staff.id != staff.id, Staff.password_hash.is_not(None)
    )
    if not session.scalar(others):
        raise Conflict("This is the only administrator who can sign in. Make somebody else administrator first.")
