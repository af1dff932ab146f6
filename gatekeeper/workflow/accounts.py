"""Signing in and out, and setting passwords. What a wrong guess costs is written down before the guess is looked at."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.mail.order import order_notice
from gatekeeper.people import accounts, sessions
from gatekeeper.people.passwords import check_usable, hash_password, is_password
from gatekeeper.people.staff import Category, Role, Staff, record
from gatekeeper.workflow import roles
from gatekeeper.workflow.services import Services

#: one sentence for every way it can fail, so that nobody learns whose address is known here
NOT_SIGNED_IN: Final = (
    "That address and password do not belong together. After ten wrong tries an account rests for 15 minutes."
)
LINK_OVER: Final = "This link has been used or is older than seven days. Ask for a new one on the sign-in page."


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, and the secret for their cookie."""

    staff: Staff
    token: str


def sign_in(services: Services, *, email: str, password: str, agent: str = "") -> SignedIn:
    """Begin a session.

    Raises:
        NotAllowed: always with the same sentence, after the same time.
    """
    now = services.clock.now()
    with services.step() as session:
        staff = accounts.identify(session, email=email)
        open_now = staff is not None and accounts.count_try(session, staff, now=now)
    stored = staff.password_hash if staff is not None and open_now else None
    right = is_password(stored, password)  # outside the transaction: it is slow on purpose
    with services.step() as session:
        now = services.clock.now()
        present = session.get(Staff, staff.id) if staff is not None else None
        if present is None or not right or not present.may_sign_in(london(now).date()):
            refused = present.id if present is not None else None
            record(session, at=now, staff_id=refused, action="signin.refused", subject=f"staff:{refused or 'unknown'}")
            token = ""
        else:
            accounts.clear_tries(present)
            token = sessions.begin_session(session, present.id, now=now, agent=agent)
            record(session, at=now, staff_id=present.id, action="signin", subject=f"staff:{present.id}")
    if not token or present is None:
        raise NotAllowed(NOT_SIGNED_IN)
    return SignedIn(present, token)


def sign_out(services: Services, staff_id: int, id_hash: str) -> None:
    """End this one session."""
    with services.step() as session:
        now = services.clock.now()
        if sessions.end_session(session, id_hash, staff_id=staff_id, now=now):
            record(session, at=now, staff_id=staff_id, action="signout", subject=f"staff:{staff_id}")


def sign_out_elsewhere(services: Services, staff_id: int, *, here: str) -> None:
    """End every session of this person but the one at hand."""
    with services.step() as session:
        now = services.clock.now()
        sessions.end_all_sessions(session, staff_id, now=now, but=here)
        record(session, at=now, staff_id=staff_id, action="signout.elsewhere", subject=f"staff:{staff_id}")


def ask_for_link(services: Services, *, email: str) -> None:
    """Send a link to set a new password, if the address is known. The answer never says whether it was."""
    now = services.clock.now()
    with services.step() as session:
        staff = accounts.identify(session, email=email)
        if staff is None or not staff.may_sign_in(london(now).date()):
            record(session, at=now, staff_id=None, action="password.link_refused", subject="staff:unknown")
            return
        subject = f"staff:{staff.id}:{now:%Y%m%d%H%M}"  # at most one such e-mail a minute
        if _already_ordered(session, staff_id=staff.id, subject=subject):
            return
        order_notice(session, "password_reset", staff_id=staff.id, subject=subject, now=now)
        record(session, at=now, staff_id=staff.id, action="password.link_asked", subject=f"staff:{staff.id}")


def _already_ordered(session: Session, *, staff_id: int, subject: str) -> bool:
    same = select(Notice.id).where(
        Notice.kind == "password_reset", Notice.staff_id == staff_id, Notice.subject == subject
    )
    return session.scalar(same) is not None


def invited(services: Services, token: str) -> Staff:
    """Whom a link invites; looking changes nothing.

    Raises:
        NotAllowed: the link is used, too old or unknown.
    """
    with services.db.read() as session:
        found = accounts.find_invitation(session, token, now=services.clock.now())
    if found is None:
        raise NotAllowed(LINK_OVER)
    return found[1]


def set_password_by_link(services: Services, token: str, *, password: str) -> None:
    """Use the link up and set the password; every session of the account ends.

    Raises:
        NotAllowed: the link is used, too old or unknown.
        BadInput: the password cannot be used; the link stays good.
    """
    staff = invited(services, token)
    check_usable(password, name=staff.name, email=staff.email)
    hashed = hash_password(password)
    with services.step() as session:
        now = services.clock.now()
        found = accounts.find_invitation(session, token, now=now)
        if found is None:
            raise NotAllowed(LINK_OVER)
        invitation, staff = found
        invitation.used_at = now
        staff.password_hash = hashed
        accounts.clear_tries(staff)
        sessions.end_all_sessions(session, staff.id, now=now)
        record(session, at=now, staff_id=staff.id, action="password.set", subject=f"staff:{staff.id}")


def check_own_password(services: Services, staff_id: int, password: str, *, field: str = "current") -> None:
    """Make sure that the person at the keyboard is the one who signed in. Wrong tries count as at sign-in.

    Raises:
        BadInput: it is not their password.
    """
    with services.step() as session:
        staff = session.get_one(Staff, staff_id)
        open_now = accounts.count_try(session, staff, now=services.clock.now())
    if not is_password(staff.password_hash if open_now else None, password):
        sentence = "This is not your present password."
        raise BadInput(sentence, fields={field: sentence})
    with services.step() as session:
        accounts.clear_tries(session.get_one(Staff, staff_id))


def change_password(services: Services, staff_id: int, *, current: str, password: str, here: str) -> None:
    """Set a new password by the old one; every other session of the account ends.

    Raises:
        BadInput: tied to `current` or `password`.
    """
    check_own_password(services, staff_id, current)
    with services.db.read() as session:
        staff = session.get_one(Staff, staff_id)
    check_usable(password, name=staff.name, email=staff.email)
    hashed = hash_password(password)
    with services.step() as session:
        now = services.clock.now()
        session.get_one(Staff, staff_id).password_hash = hashed
        sessions.end_all_sessions(session, staff_id, now=now, but=here)
        record(session, at=now, staff_id=staff_id, action="password.changed", subject=f"staff:{staff_id}")


def add_user(services: Services, *, name: str, email: str, role: Role, password: str) -> int:
    """Add a member of staff from the command line; the first administrator comes this way.

    Raises:
        BadInput: a field cannot be used.
        Conflict: the address is taken, or the headteacher's role is not free.
    """
    address = accounts.clean_email(email)
    name = name.strip()
    if not name:
        raise BadInput("Please give the person's name.", fields={"name": "Please give the person's name."})
    check_usable(password, name=name, email=address)
    hashed = hash_password(password)
    with services.step() as session:
        now = services.clock.now()
        if accounts.identify(session, email=address) is not None:
            raise Conflict(f"There is already an account for {address}.")
        staff = Staff(
            email=address, name=name, role=role, category=Category.EMPLOYEE, password_hash=hashed, created_at=now
        )
        session.add(staff)
        session.flush()
        roles.write_new_decider(session, staff, by=None, now=now)
        record(session, at=now, staff_id=None, action="staff.added", subject=f"staff:{staff.id}", detail={"role": role})
    return staff.id


def end_one_session(services: Services, staff_id: int, id_hash: str) -> None:
    """Sign one of a person's own browsers out.

    Raises:
        NotFound: it is not theirs, or over already.
    """
    with services.step() as session:
        now = services.clock.now()
        if not sessions.end_session(session, id_hash, staff_id=staff_id, now=now):
            raise NotFound("That browser is signed out already.")
        record(session, at=now, staff_id=staff_id, action="signout.other", subject=f"staff:{staff_id}")
