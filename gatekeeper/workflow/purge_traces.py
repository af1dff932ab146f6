"""Which traces of people's work had their time: mails, sign-ins, links, deputies' reasons, staff who left, the audit."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from approvals import erasure, tokens
from approvals.tables import ApprovalRequest, ApprovalToken, ApprovalView, DeputyAppointment, RequestStatus
from gatekeeper.cases.model import LegalHold
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Audit, Invitation, Staff, StaffSession
from gatekeeper.workflow.purge_rule import Night, Rule, done

_GONE: Final = "erased.invalid"  # a domain that never can be one (RFC 2606)


def _mail(_: Session, night: Night) -> Select[Any] | None:
    before = night.before("mail")
    if before is None:
        return None
    ended = or_(Notice.sent_at.is_not(None), Notice.failed_at.is_not(None))
    return select(Notice.id).where(Notice.created_at < before, ended).order_by(Notice.id)


def _sessions(_: Session, night: Night) -> Select[Any] | None:
    before = night.before("sessions")
    return None if before is None else select(StaffSession.id_hash).where(StaffSession.expires_at < before)


def _invitations(_: Session, night: Night) -> Select[Any] | None:
    before = night.before("sessions")
    if before is None:
        return None
    ended = func.coalesce(Invitation.used_at, Invitation.expires_at, type_=Invitation.expires_at.type)
    return select(Invitation.id).where(ended < before).order_by(Invitation.id)


def _views(_: Session, night: Night) -> Select[Any] | None:
    return select(ApprovalView.id_hash).where(ApprovalView.expires_at <= night.now)


def _links(_: Session, night: Night) -> Select[Any] | None:
    before = night.before("links")
    if before is None:
        return None
    opened = select(ApprovalRequest.id).where(ApprovalRequest.status == RequestStatus.OPEN)
    return select(ApprovalToken.id).where(ApprovalToken.expires_at < before, ApprovalToken.request_id.not_in(opened))


def _deputies(_: Session, night: Night) -> Select[Any] | None:
    before = night.before("deputies")
    if before is None:
        return None
    return select(DeputyAppointment.id).where(
        DeputyAppointment.reason_salt.is_not(None), DeputyAppointment.ends_at < before
    )


def _staff(_: Session, night: Night) -> Select[Any] | None:
    before, day = night.before("staff"), night.day_before("staff")
    if before is None or day is None:
        return None
    ended = or_(and_(~Staff.active, Staff.deactivated_at < before), Staff.ends_on < day)
    return select(Staff.id).where(ended, Staff.email.not_like(f"%@{_GONE}")).order_by(Staff.id)


def _forget_staff(session: Session, ids: Sequence[Any], night: Night) -> int:
    for table in (StaffSession, Invitation):
        done(session, delete(table).where(table.staff_id.in_(ids)))
    for person in session.scalars(select(Staff).where(Staff.id.in_(ids)).with_for_update()):
        person.email, person.name = f"left-{person.id}@{_GONE}", f"Former member of staff {person.id}"
        person.password_hash, person.line_manager_id, person.active = None, None, False
        person.deactivated_at = person.deactivated_at or night.now
    session.flush()
    return len(ids)


def _audit(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("audit")
    if before is None:
        return None
    held = session.scalars(select(LegalHold.subject).where(LegalHold.ended_at.is_(None))).all()
    return select(Audit.id).where(Audit.at < before, Audit.subject.not_in(held)).order_by(Audit.id)


RULES: Final = (
    Rule(
        id="mail",
        due=_mail,
        erase=lambda session, ids, _: done(session, delete(Notice).where(Notice.id.in_(ids))),
    ),
    Rule(
        id="sessions",
        due=_sessions,
        erase=lambda session, ids, _: done(session, delete(StaffSession).where(StaffSession.id_hash.in_(ids))),
    ),
    Rule(
        id="sessions",
        due=_invitations,
        erase=lambda session, ids, _: done(session, delete(Invitation).where(Invitation.id.in_(ids))),
    ),
    Rule(id="sessions", due=_views, erase=lambda session, _, night: tokens.drop_old_views(session, night.now)),
    Rule(id="links", due=_links, erase=lambda session, ids, _: erasure.drop_links(session, list(ids))),
    Rule(id="deputies", due=_deputies, erase=lambda session, ids, _: erasure.erase_reasons(session, list(ids))),
    Rule(id="staff", due=_staff, erase=_forget_staff, batch=20),
    Rule(
        id="audit",
        due=_audit,
        erase=lambda session, ids, _: done(session, delete(Audit).where(Audit.id.in_(ids))),
        batch=1000,
    ),
)
