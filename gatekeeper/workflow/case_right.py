"""Whose case is it: finds a case for somebody who may do something in it. Everybody else is told there is none."""

from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.cases.model import Case, CaseKind, CaseState
from gatekeeper.cases.rules import RULES, Act, Sight, Standing, Viewer, may, sight
from gatekeeper.errors import Conflict, NotAllowed, NotFound
from gatekeeper.people.staff import Staff

NONE: Final = "There is no such case, or it is not yours to see."
CLOSED: Final = "This case is closed. Open it again first."
_HIGHEST: Final = 2**31 - 1


def standing(case: Case) -> Standing:
    """What of a case the rules ask about."""
    return Standing(
        kind=CaseKind(case.kind),
        state=CaseState(case.state),
        opened_by=case.opened_by,
        owner_id=case.owner_id,
        about_id=case.about_id,
        erased=case.erased_at is not None,
    )


def viewer(by: Staff) -> Viewer:
    """A member of staff as the rules know them."""
    return Viewer(id=by.id, role=by.role)


def case_for(session: Session, case_id: int, by: Staff, act: Act | None = None) -> Case:
    """The case, if this person may see it and, with `act`, do this in it; then it is locked until the transaction ends.

    Raises:
        NotFound: there is none, or none for them.
        NotAllowed: they may see it, and not do this.
        Conflict: it is closed, and this needs it open.
    """
    case = (
        session.get(Case, case_id, with_for_update=act is not None, populate_existing=True) if _fits(case_id) else None
    )
    if case is None or sight(standing(case), viewer(by)) is Sight.NOTHING:
        raise NotFound(NONE)
    if act is None or may(act, standing(case), viewer(by)):
        return case
    if case.erased_at is not None:
        raise Conflict("The words of this case were erased, because their time was over.")
    if case.state == CaseState.CLOSED and act not in (Act.REOPEN, Act.EXPORT):
        raise Conflict(CLOSED)
    raise NotAllowed(f"This is not yours to do in this {RULES[CaseKind(case.kind)].word.lower()}.")


def _fits(case_id: int) -> bool:
    return 0 < case_id <= _HIGHEST
