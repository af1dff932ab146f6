"""Who may decide about a post at this moment, as accounts, roles and appointments stand in this transaction.

Asked when somebody is asked, when a page is opened, and again inside the transaction that records the decision.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import deputies
from approvals.errors import AuthorCannotDecide, NotTheApprover, StaysWithTheHead
from approvals.tables import ApprovalRequest
from gatekeeper.clock import london
from gatekeeper.people.staff import Staff
from gatekeeper.policy import approvers
from gatekeeper.policy.approvers import Appointed, Colleague
from gatekeeper.workflow.asked_about import head_only_of


@dataclass(frozen=True, kw_only=True)
class Deciders:
    """Everybody with an account, and the appointment whose time it is."""

    staff: tuple[Colleague, ...]
    deputy: Appointed | None

    def asked(self, *, author_id: int, head_only: str) -> Colleague:
        """The one to be asked about a post of this author.

        Raises:
            NobodyMayDecide: there is nobody; the text says what is missing.
        """
        return approvers.choose_approver(self.staff, author_id=author_id, deputy=self.deputy, head_only=head_only)

    def may_decide(self, person_id: int, *, author_id: int, head_only: str) -> bool:
        """Whether this person may decide about a post of this author."""
        return approvers.may_decide(person_id, self.staff, author_id=author_id, deputy=self.deputy, head_only=head_only)

    def may(self, session: Session, person_id: int, request: ApprovalRequest) -> bool:
        """Whether this person may decide this request at this moment."""
        why = head_only_of(session, request)
        return self.may_decide(person_id, author_id=request.author_id, head_only=why)

    def appointment_of(self, person_id: int, *, author_id: int) -> str | None:
        """The appointment under which this person decides; None where their role is enough."""
        found = approvers.decides_as_deputy(person_id, self.staff, author_id=author_id, deputy=self.deputy)
        return found.id if found else None


def deciders(session: Session, *, now: datetime) -> Deciders:
    """Everything that the question who may decide needs."""
    present = deputies.in_force(session, now)
    deputy = (
        Appointed(id=present.id, head_id=present.head_id, deputy_id=present.deputy_id) if present is not None else None
    )
    return Deciders(staff=colleagues(session, now=now), deputy=deputy)


def colleagues(session: Session, *, now: datetime) -> tuple[Colleague, ...]:
    """All staff as the question who may decide needs them."""
    today = london(now).date()
    return tuple(
        Colleague(id=one.id, role=one.role, active=one.may_sign_in(today))
        for one in session.scalars(select(Staff).execution_options(populate_existing=True))
    )


def check_entitled(session: Session, request: ApprovalRequest, person_id: int, *, now: datetime) -> None:
    """Refuse whoever may not decide this request at this moment: they may not read it either.

    Raises:
        AuthorCannotDecide: they wrote the post.
        StaysWithTheHead: a deputy is not enough for it; says why.
        NotTheApprover: they may not, or not any longer.
    """
    if person_id == request.author_id:
        raise AuthorCannotDecide
    who = deciders(session, now=now)
    why = head_only_of(session, request)
    if who.may_decide(person_id, author_id=request.author_id, head_only=why):
        return
    if who.may_decide(person_id, author_id=request.author_id, head_only=""):
        raise StaysWithTheHead(why)
    raise NotTheApprover
