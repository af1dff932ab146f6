"""Whether a post is frozen because its author asked first, and why. Asked wherever a post goes on its way."""

from sqlalchemy.orm import Session

from gatekeeper.cases.model import Case, CaseState
from gatekeeper.errors import Conflict
from gatekeeper.people.staff import Staff
from gatekeeper.posts.model import Post


def why_frozen(session: Session, post: Post) -> str:
    """Why this post cannot be sent, in a sentence; empty where no question of its author stands in its way."""
    if post.asked_first is None:
        return ""
    case = session.get(Case, post.asked_first)
    if case is None:  # cannot be: the database holds the two together
        return "A question about this post was asked first. It cannot be sent."
    who = session.get(Staff, case.owner_id) if case.owner_id else None
    name = who.name if who else "your line manager"
    if case.state == CaseState.CLOSED:
        return f"{_who_answered(session, case)} asked you not to send this post. Change it and ask first again."
    return f"You asked {name} about this post first. It can be sent once they have answered “go ahead”."


def check_not_frozen(session: Session, post: Post) -> None:
    """Refuse a post whose author asked about it first and has no "go ahead" yet.

    Raises:
        Conflict: says who was asked.
    """
    if sentence := why_frozen(session, post):
        raise Conflict(sentence)


def _who_answered(session: Session, case: Case) -> str:
    who = session.get(Staff, case.closed_by) if case.closed_by else None
    return who.name if who else "Your line manager"
