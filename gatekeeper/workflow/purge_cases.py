"""Which cases had their time: their words, screenshots and answers go, the frame with kind, dates and people stays."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Select, delete, exists, select, update
from sqlalchemy.orm import Session

from approvals import erasure
from approvals.tables import ApprovalRequest, RequestStatus
from gatekeeper.cases.model import Case, CaseAttachment, CaseClock, CaseEntry, CaseKind, CaseReply, CaseState, LegalHold
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.workflow.legal_hold import held_case
from gatekeeper.workflow.purge_rule import Night, Rule, done, still_due

_OPEN: Final = (TakedownState.WAITING, TakedownState.ORDERED, TakedownState.BY_HAND)


def _closed(class_id: str, *, breaches: bool) -> Callable[[Session, Night], Select[Any] | None]:
    def due(session: Session, night: Night) -> Select[Any] | None:
        before = night.before(class_id)
        if before is None:
            return None
        kind = Case.kind == CaseKind.BREACH if breaches else Case.kind != CaseKind.BREACH
        return (
            select(Case.id)
            .where(
                Case.state == CaseState.CLOSED,
                Case.closed_at < before,
                Case.erased_at.is_(None),
                kind,
                ~exists().where(Takedown.case_id == Case.id, Takedown.state.in_(_OPEN)),
                ~exists().where(
                    CaseReply.case_id == Case.id,
                    ApprovalRequest.id == CaseReply.request_id,
                    ApprovalRequest.status == RequestStatus.OPEN,
                ),
                ~held_case(session),
            )
            .order_by(Case.id)
        )

    return due


def _rule(class_id: str, *, breaches: bool) -> Rule:
    due = _closed(class_id, breaches=breaches)

    def erase(session: Session, ids: Sequence[Any], night: Night) -> int:
        locked = session.scalars(select(Case).where(Case.id.in_(ids)).order_by(Case.id).with_for_update())
        cases = {case.id: case for case in locked}
        going = still_due(session, due, night, ids)  # one may have been opened again, or held, in this moment
        for case_id in going:
            _erase(session, cases[case_id], why=class_id, night=night)
        return len(going)

    return Rule(id=class_id, due=due, erase=erase, batch=20, asks_again=True)


def _erase(session: Session, case: Case, *, why: str, night: Night) -> None:
    case.title, case.words, case.link, case.outcome = f"Case {case.id}", "", "", ""
    case.facts, case.about_id, case.erased_at = {}, None, night.now
    asked = select(CaseReply.request_id).where(CaseReply.case_id == case.id, CaseReply.request_id.is_not(None))
    subjects = set(session.scalars(select(ApprovalRequest.subject).where(ApprovalRequest.id.in_(asked))))
    for statement in (
        update(CaseEntry).where(CaseEntry.case_id == case.id).values(words="", facts={}),
        delete(CaseAttachment).where(CaseAttachment.case_id == case.id),
        update(CaseClock).where(CaseClock.case_id == case.id).values(words=""),
        update(CaseReply).where(CaseReply.case_id == case.id).values(recipient="", words="", sent_how=""),
        update(LegalHold).where(LegalHold.case_id == case.id).values(reason=""),
    ):
        done(session, statement)
    for subject in sorted({f"case:{case.id}", *subjects}):
        erasure.erase_words(session, subject, why=why, now=night.now)


RULES: Final = (_rule("cases", breaches=False), _rule("breaches", breaches=True))
