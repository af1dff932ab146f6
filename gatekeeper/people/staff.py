"""Staff accounts, their sessions and the record of what they did.

A person has one role. A role opens pages (`web/access.py`) and never more: who may decide is asked again by the
approval room at the moment of deciding.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from gatekeeper.db.base import Base


class Role(StrEnum):
    """What somebody is in this school's publishing."""

    AUTHOR = "author"
    LINE_MANAGER = "line_manager"
    HEADTEACHER = "headteacher"
    DEPUTY = "deputy"
    CONSENT_LEAD = "consent_lead"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


ROLE_WORDS = {
    Role.AUTHOR: "Author",
    Role.LINE_MANAGER: "Line manager",
    Role.HEADTEACHER: "Headteacher",
    Role.DEPUTY: "Deputy headteacher",
    Role.CONSENT_LEAD: "Consent lead",
    Role.ADMINISTRATOR: "Administrator",
    Role.AUDITOR: "Auditor",
}


class Category(StrEnum):
    """Policy clause 1.4: to whom the policy applies."""

    EMPLOYEE = "employee"
    CONSULTANT = "consultant"
    VOLUNTEER = "volunteer"
    AGENCY = "agency"


class Staff(Base):
    """One member of staff who may sign in."""

    __tablename__ = "staff"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(20))
    category: Mapped[str] = mapped_column(String(20), default=Category.EMPLOYEE)
    line_manager_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    password_hash: Mapped[str | None] = mapped_column(String(255))  # None until the invitation is accepted
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)
    ends_on: Mapped[date | None]
    created_at: Mapped[datetime]
    deactivated_at: Mapped[datetime | None]

    def may_sign_in(self, today: date) -> bool:
        """Whether the account is open: active, and not past the last day of an agency or volunteer's stay."""
        return self.active and (self.ends_on is None or self.ends_on >= today)


class StaffSession(Base):
    """A signed-in browser. The cookie holds a random secret; only its SHA-256 is here, so a stolen table signs nobody in."""

    __tablename__ = "staff_session"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Invitation(Base):
    """A link with which somebody sets a password. Only the token's hash is stored; it works once."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RoleChange(Base):
    """A wish to give or recover the headteacher's role. It waits, so that the present head can stop it."""

    __tablename__ = "role_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    new_role: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    requested_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class Audit(Base):
    """Who did or looked at what, when. Subjects are ids; no pupil's name, answer or picture is written here."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "subject"), Index("ix_audit_action", "action", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(80))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


def record(
    session: Session,
    *,
    at: datetime,
    staff_id: int | None,
    action: str,
    subject: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one line to the audit in the caller's transaction."""
    session.add(Audit(at=at, staff_id=staff_id, action=action, subject=subject, detail=detail or {}))
