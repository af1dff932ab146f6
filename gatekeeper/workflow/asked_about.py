"""What a question in the approval room is about, by its name there: a post, or one reply to an enquiry."""

from typing import Final

from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest
from gatekeeper.workflow.head_only import head_only

_POST: Final = "post:"
_REPLY: Final = "reply:"


def reply_subject(reply_id: int) -> str:
    """A reply's name in the approval room."""
    return f"{_REPLY}{reply_id}"


def post_in(subject: str) -> int | None:
    """The post that bears this name; None where it is something else."""
    return int(subject.removeprefix(_POST)) if subject.startswith(_POST) else None


def reply_in(subject: str) -> int | None:
    """The reply that bears this name; None where it is something else."""
    return int(subject.removeprefix(_REPLY)) if subject.startswith(_REPLY) else None


def head_only_of(session: Session, request: ApprovalRequest) -> str:
    """Why only the headteacher may decide this question; empty where a deputy may."""
    return "" if reply_in(request.subject) is not None else head_only(session, int(request.version_ref))
