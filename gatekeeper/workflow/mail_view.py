"""What became of the e-mails: for administrators all that did not arrive, for an author the question about their post.

Nobody is written to about mail that does not arrive: that mail might not arrive either, and one broken mail server
would make a storm of it. Administrators see a number in the menu instead, and authors a line on the post's own page.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest, RequestStatus
from gatekeeper import jobs
from gatekeeper.errors import Conflict, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.workflow import bounce, digest, remind
from gatekeeper.workflow.asked_about import post_in
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.services import Services

SHOWN: Final = timedelta(days=30)
PUT_AWAY: Final = "It was not delivered, and an administrator put it away."
#: what each e-mail is for; a kind that is not named here says its own name
WHAT: Final = {
    digest.ASKING: "Question to decide about a post",
    digest.MORE: "List of posts to decide about",
    remind.REMINDER: "Reminder of a post to decide about",
    remind.DIGEST: "Daily list of posts to decide about",
    "decided": "Decision about a post",
    "expired": "Post that nobody decided about",
    "missed": "Approved post that missed its time",
    "published": "Published post",
    "not_sent": "Post that was not published",
    "needs_person": "Post that somebody has to look after",
    "cannot_request": "Post that could not go to the headteacher",
    "photo_changed": "Stored photo that was changed",
    "invitation": "Invitation",
    "password_reset": "Link for a new password",
    "pin_locked": "Locked PIN",
    "role_change": "Change of who decides",
    "words_asked": "Words to look at",
    "undecided": "Post that nobody has decided about yet",
    "deputy_named": "Deputy who was named",
    "deputy_ended": "Deputy whose time ended early",
    "proof_changed": "Changed passkey or PIN",
    "recovery_asked": "New passkey or PIN that was asked for",
    "policy_unread": "Policy to read",
    "recovery_stopped": "New passkey or PIN that was stopped",
    "anchor": "Daily seal of the record of decisions",
    "backup_failed": "Backup that could not be made",
    "case_due": "Something that is due in a case",
    "case_given": "Case to look after",
    "case_news": "News in a case",
    "channel_ending": "Channel keys that end",
    "channel_failed": "Channel that was held",
    "channel_silent": "Channel that gives no answer",
    "channel_answers": "Channel that answers again",
    "sending_stopped": "Stop of all sending",
    "sending_on": "Sending that goes on",
    "held_for_consent": "Post that was held because a child may not be shown",
    "taken_down": "Post that was taken down",
    "takedown_asked": "Wish of an author to take a post down",
    "takedown_by_hand": "Post that a person has to take down",
    "takedown_still_there": "Post that is still public",
    "incident_found": "Something found on the school's own account",
    "watch_failing": "Account that cannot be read",
}


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One e-mail that did not arrive, or not yet."""

    id: int
    what: str
    post_id: int | None
    staff_id: int
    name: str
    address: str
    why: str
    since: datetime
    tries: int


@dataclass(frozen=True)
class Mailbox:
    """What the Mail page shows: given up first, then what is still being tried, then what is only late."""

    failed: tuple[Trouble, ...]
    waiting: tuple[Trouble, ...]
    late: tuple[Trouble, ...]


@dataclass(frozen=True, kw_only=True)
class QuestionTrouble:
    """Why the person asked about a post may not know of it."""

    to: str
    given_up: bool
    why: str
    since: datetime


def mailbox(services: Services) -> Mailbox:
    """Every e-mail of the last thirty days that did not arrive, the newest trouble first."""
    after = services.clock.now() - SHOWN
    with services.db.read() as session:
        failed = _read(session, _failed(after).order_by(Notice.failed_at.desc()))
        waiting = _read(session, _being_tried(after).order_by(Notice.created_at.desc()))
        late = _read(
            session,
            select(Notice)
            .where(Notice.problem == bounce.DELAYED, Notice.failed_at.is_(None), Notice.sent_at > after)
            .order_by(Notice.sent_at.desc()),
        )
    return Mailbox(failed, waiting, late)


def undelivered(services: Services) -> int:
    """How many e-mails were given up and are not dealt with."""
    with services.db.read() as session:
        found = _failed(services.clock.now() - SHOWN).subquery()
        return session.scalar(select(func.count()).select_from(found)) or 0


def try_again(services: Services, notice_id: int, *, by: int) -> None:
    """Send one of them again, with the same Message-ID, to the address that the person has now.

    Raises:
        NotFound, Conflict: there is no such e-mail, or it is no longer in trouble.
    """
    with services.step() as session:
        notice = _in_trouble(session, notice_id)
        notice.sent_at = notice.failed_at = None
        notice.problem = ""
        now = services.clock.now()
        jobs.order(session, jobs.NOTIFY, notice.id, now=now)
        record(session, at=now, staff_id=by, action="mail.tried_again", subject=f"notice:{notice.id}")


def put_away(services: Services, notice_id: int, *, by: int) -> None:
    """Take one that was given up off the page; it is not sent.

    Raises:
        NotFound, Conflict: there is no such e-mail, or it is no longer in trouble.
    """
    with services.step() as session:
        notice = _in_trouble(session, notice_id)
        if notice.failed_at is None:
            raise Conflict("It is still being tried, so it cannot be put away.")
        now = services.clock.now()
        notice.sent_at, notice.failed_at, notice.problem = notice.sent_at or now, None, PUT_AWAY
        record(session, at=now, staff_id=by, action="mail.put_away", subject=f"notice:{notice.id}")


def question_trouble(services: Services, post_id: int) -> QuestionTrouble | None:
    """What stands between the open question about a post and the person asked, if anything does."""
    with services.db.read() as session:
        request = session.scalars(
            select(ApprovalRequest).where(
                ApprovalRequest.subject == subject_of(post_id), ApprovalRequest.status == RequestStatus.OPEN
            )
        ).one_or_none()
        if request is None:
            return None
        asking = session.scalars(
            select(Notice).where(
                Notice.kind == digest.ASKING,
                Notice.staff_id == request.approver_id,
                Notice.subject == f"request:{request.id}",
            )
        ).one_or_none()
        if asking is not None and asking.problem == digest.TOGETHER:
            lists = select(Notice).where(Notice.kind == digest.MORE, Notice.staff_id == request.approver_id)
            since = lists.where(Notice.created_at >= request.opened_at).order_by(Notice.id.desc())
            asking = next((one for one in session.scalars(since) if request.id in one.context["requests"]), None)
        if asking is None or not _is_in_trouble(asking):
            return None
        person = session.get_one(Staff, asking.staff_id)
        return QuestionTrouble(
            to="the headteacher" if person.role == Role.HEADTEACHER else person.name,
            given_up=asking.failed_at is not None,
            why=asking.problem,
            since=asking.failed_at or asking.created_at,
        )


def _failed(after: datetime) -> Select[Any]:
    return select(Notice).where(Notice.failed_at > after)


def _being_tried(after: datetime) -> Select[Any]:
    return select(Notice).where(
        Notice.sent_at.is_(None),
        Notice.failed_at.is_(None),
        Notice.created_at > after,
        Notice.problem.not_in(("", digest.HELD)),
    )


def _is_in_trouble(notice: Notice) -> bool:
    tried = notice.sent_at is None and notice.problem not in ("", digest.HELD)
    return notice.failed_at is not None or tried


def _in_trouble(session: Session, notice_id: int) -> Notice:
    notice = session.get(Notice, notice_id, with_for_update=True)
    if notice is None:
        raise NotFound("There is no such e-mail.")
    if not _is_in_trouble(notice):
        raise Conflict("This e-mail was sent or put away in the meantime.")
    return notice


def _read(session: Session, query: Select[Any]) -> tuple[Trouble, ...]:
    notices = session.scalars(query).all()
    people = session.scalars(select(Staff).where(Staff.id.in_({notice.staff_id for notice in notices})))
    known = {person.id: person for person in people}
    return tuple(
        Trouble(
            id=notice.id,
            what=WHAT.get(notice.kind, notice.kind.replace("_", " ").capitalize()),
            post_id=_post_of(session, notice),
            staff_id=notice.staff_id,
            name=known[notice.staff_id].name,
            address=known[notice.staff_id].email,
            why=notice.problem,
            since=notice.failed_at or notice.sent_at or notice.created_at,
            tries=notice.tries,
        )
        for notice in notices
    )


def _post_of(session: Session, notice: Notice) -> int | None:
    if "post_id" in notice.context:
        return int(notice.context["post_id"])
    request = session.get(ApprovalRequest, notice.context.get("request_id", ""))
    return post_in(request.subject) if request else None
