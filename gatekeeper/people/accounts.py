"""Accounts: who is looked up at sign-in, what wrong passwords cost, and the links with which a password is set.

`identify` is the one way from what somebody claims to a member of staff. A school's single sign-on is added there: it
hands in the provider's own number for the person instead of an address typed by them.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gatekeeper.errors import BadInput
from gatekeeper.people.sessions import hash_token
from gatekeeper.people.staff import Invitation, Staff

TRIES: Final = 10
REST: Final = timedelta(minutes=15)
LINK_LASTS: Final = timedelta(days=7)


def clean_email(typed: str, *, field: str = "email") -> str:
    """An e-mail address in the one spelling that is stored.

    Raises:
        BadInput: it is not an address.
    """
    try:
        return validate_email(typed.strip(), check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        sentence = "This is not a whole e-mail address, such as name@school.example."
        raise BadInput(sentence, fields={field: sentence}) from None


def identify(session: Session, *, email: str) -> Staff | None:
    """The member of staff that somebody claims to be."""
    return session.scalars(select(Staff).where(Staff.email == email.strip().lower())).first()


def count_try(session: Session, staff: Staff, *, now: datetime) -> bool:
    """Write a try at the password down before it is made; False when the account rests.

    Counting first means that many tries at once cannot outrun the counter.
    """
    session.refresh(staff, with_for_update=True)  # two tries in one instant are counted one after the other
    if staff.locked_until is not None and staff.locked_until > now:
        return False
    if staff.locked_until is not None:
        staff.locked_until, staff.failed_logins = None, 0
    staff.failed_logins += 1
    if staff.failed_logins >= TRIES:
        staff.locked_until = now + REST
    return True


def clear_tries(staff: Staff) -> None:
    """The password was right: earlier slips are forgotten."""
    staff.failed_logins, staff.locked_until = 0, None


def mint_invitation(session: Session, staff_id: int, now: datetime) -> str:
    """Make the link's token at the moment its e-mail is written. Only the hash is kept; older links end."""
    session.execute(
        update(Invitation).where(Invitation.staff_id == staff_id, Invitation.used_at.is_(None)).values(used_at=now)
    )
    token = secrets.token_urlsafe(32)
    session.add(
        Invitation(staff_id=staff_id, token_hash=hash_token(token), created_at=now, expires_at=now + LINK_LASTS)
    )
    return token


def find_invitation(session: Session, token: str, *, now: datetime) -> tuple[Invitation, Staff] | None:
    """The living invitation behind a link and whom it invites. Looking changes nothing."""
    row = session.execute(
        select(Invitation, Staff)
        .join(Staff, Staff.id == Invitation.staff_id)
        .where(Invitation.token_hash == hash_token(token), Invitation.used_at.is_(None), Invitation.expires_at > now)
        .with_for_update(of=Invitation)
    ).first()
    return (row[0], row[1]) if row is not None and row[1].active else None


def names_of_staff(session: Session) -> dict[int, str]:
    """Everybody's name by their id, those who left included, in the order of the names."""
    return {row.id: row.name for row in session.execute(select(Staff.id, Staff.name).order_by(Staff.name))}
