"""Giving a post another time, which is a change like any other: what was asked or approved of it is void.

The headteacher approves an exact time, so a post that moves is asked about again. What had been sent is sent again in
the same transaction, so that no moved post is forgotten as a draft; what was still its author's to finish stays theirs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gatekeeper import jobs
from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import Staff, record
from gatekeeper.policy import calendar, limits
from gatekeeper.policy.soft_rules import Planned, Remark
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import EDITABLE, PostState
from gatekeeper.workflow.calendar import plan_around, school_hours
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.due import TypedDue, is_doubled, resolve
from gatekeeper.workflow.own_post import own_post
from gatekeeper.workflow.policy_gate import check_has_read
from gatekeeper.workflow.readiness import problems_with
from gatekeeper.workflow.services import Services

P = PostState
#: sent by their author before, and waiting for nothing but the time: they are checked again at once
SENT_AGAIN: Final = frozenset({P.SCANNING, P.OPEN, P.REQUESTING, P.WAITING, P.SCHEDULED, P.EXPIRED, P.MISSED})
_LOOK_AHEAD: Final = timedelta(days=120)

_AGAIN: Final = "It is checked again, and the headteacher is asked again. Nothing is published before they approve."
#: what pressing the button will do, said before it is pressed
CONSEQUENCE: Final[dict[PostState, str]] = {
    P.DRAFT: "It stays a draft. Nothing is asked or published.",
    P.SCANNING: "It is being checked. The check begins again with the new time.",
    P.SCAN_FAILED: "It becomes a draft with the new time. Send it to be checked when you are ready.",
    P.OPEN: "It is checked again with the new time. Your answers stay where they still fit.",
    P.REQUESTING: f"The headteacher is being asked about the present time. That question is closed. {_AGAIN}",
    P.WAITING: f"The headteacher has been asked about the present time. That question is closed. {_AGAIN}",
    P.SCHEDULED: f"The headteacher has approved it for the present time. That approval ends. {_AGAIN}",
    P.CHANGES: "It becomes a draft with the new time. The headteacher still asks for changes: make them, then send it.",
    P.REFUSED: "It becomes a draft with the new time. It was refused as it was: change it, then send it.",
    P.EXPIRED: f"Nobody decided in time. {_AGAIN}",
    P.MISSED: f"Its time passed before it could be sent. {_AGAIN}",
    P.FAILED: "It becomes a draft with the new time. See why it was not published, change it, then send it.",
    P.WITHDRAWN: "It becomes a draft with the new time. Send it to be checked when you are ready.",
}


@dataclass(frozen=True, kw_only=True)
class Moving:
    """One press of the button.

    Attributes:
        revision: the revision the page was filled from.
        seen: the state the page spoke of; another one means that something else would happen than it said.
    """

    due: TypedDue
    revision: int | None
    seen: str


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What became of the post."""

    due: datetime
    state: PostState


@dataclass(frozen=True, kw_only=True)
class MoveView:
    """The page that moves one post."""

    id: int
    title: str
    state: PostState
    revision: int
    due_at: datetime | None
    due: TypedDue
    doubled: bool
    consequence: str
    sends: bool
    remarks: tuple[Remark, ...]
    free: tuple[datetime, ...]


def move_post(services: Services, post_id: int, by: int, moving: Moving) -> Moved:
    """Give the author's own post another time; says when it goes out now, and what it is.

    Raises:
        NotFound: there is no such post, or it is not theirs.
        BadInput: the time cannot be used, or the post cannot be sent as it is. Nothing was changed.
        Conflict: it is being sent or was, or it is not what the page showed, or its author has not confirmed the
            policy's present edition (`PolicyUnread`) and it would be sent again. Nothing was changed.
    """
    now = services.clock.now()
    with services.step() as session:
        post = own_post(session, post_id, by)
        state = PostState(post.state)
        if state not in EDITABLE:
            raise Conflict("This post can no longer be moved: it has been sent.")
        if moving.seen != state or moving.revision != post.revision:
            raise Conflict(
                "This post has changed since you opened this page. What you typed is still below: read again what "
                "moving it does, then press once more."
            )
        due = _resolved(moving.due)
        if due == post.due_at:
            raise _bad("This is the time it has already. Choose another one.")
        notice = timedelta() if services.settings.demo else limits.NOTICE
        if sentence := limits.due_sentence(due, now=now, notice=notice):
            raise _bad(sentence)
        send_when_clear = post.send_when_clear
        touch(session, post, by=by, now=now, reason="The post was moved to another time.")
        post.due_at, post.due_wall = due, moving.due.stored
        if state in SENT_AGAIN:
            check_has_read(session, by)
            if fields := problems_with(session, post, now=now, demo=services.settings.demo):
                sentence = f"It cannot be moved and sent as it is. {' '.join(dict.fromkeys(fields.values()))}"
                raise BadInput(sentence, fields={"": sentence})
            # one that was not yet on its way to the headteacher is not sent there by moving it
            post.send_when_clear, post.note = send_when_clear or state not in {P.OPEN, P.SCANNING}, ""
            move(post, P.SCANNING)
            jobs.order(session, jobs.SCAN, post.id, now=now)
        record(session, at=now, staff_id=by, action="post.moved", subject=f"post:{post.id}")
        return Moved(due=due, state=PostState(post.state))


def move_view(services: Services, post_id: int, by: Staff, typed: TypedDue | None = None) -> MoveView:
    """The page for moving the author's own post, with what there is to say about the typed time.

    Raises:
        NotFound: there is no such post, or it is not theirs.
        Conflict: it is being sent or was.
    """
    now = services.clock.now()
    with services.db.read() as session:
        post = session.get(Post, post_id)
        if post is None or post.author_id != by.id:
            raise NotFound("There is no such post, or it is not yours to see.")
        state = PostState(post.state)
        if state not in EDITABLE:
            raise Conflict("This post can no longer be moved: it has been sent.")
        stored = TypedDue.read(post.due_wall) if post.due_wall else _as_typed(post.due_at)
        due = typed or stored
        moment = _moment(due, now=now)
        plan = plan_around(session, by, now, max(now + _LOOK_AHEAD, moment or now))
        here = Planned(id=post.id, due=moment or now, channels=tuple(post.channels), text=post.text)
        return MoveView(
            id=post.id,
            title=post.title or f"Post {post.id}",
            state=state,
            revision=post.revision,
            due_at=post.due_at,
            due=due,
            doubled=is_doubled(due),
            consequence=CONSEQUENCE[state],
            sends=state in SENT_AGAIN,
            remarks=plan.remarks(here) if moment else (),
            free=calendar.free_slots(school_hours(session), plan.taken(here), now=now),
        )


def _resolved(typed: TypedDue) -> datetime:
    try:
        return resolve(typed)
    except OverflowError:
        raise _bad("This is not a date. Write it like 24/11/2026.", field="due_date") from None


def _moment(typed: TypedDue, *, now: datetime) -> datetime | None:
    """The typed moment if it can be read and lies within reach."""
    try:
        due = _resolved(typed)
    except BadInput:
        return None
    return due if now < due <= now + limits.FURTHEST else None


def _as_typed(due: datetime | None) -> TypedDue:
    local = london(due) if due else None
    return TypedDue(date=f"{local:%Y-%m-%d}", time=f"{local:%H:%M}", fold=local.fold) if local else TypedDue()


def _bad(sentence: str, *, field: str = "due_time") -> BadInput:
    return BadInput(sentence, fields={field: sentence})
