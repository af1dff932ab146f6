"""Whose records leave a case out: who reads every line of the audit reads none about a case that is about themselves.

The page of such a case answers as if there were none. A line "opened a case" about the one case that they cannot open
would tell them that it is about them, and who reported it.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from gatekeeper.cases.model import Case, CaseKind
from gatekeeper.cases.rules import RULES, Viewer
from gatekeeper.people.staff import Audit
from gatekeeper.workflow.cases import subject_of


def withheld_cases(session: Session, reader: Viewer) -> frozenset[int]:
    """The cases of which this person is told nothing: those about them.

    Of a concern whose words were erased nobody knows any more whom it was about, so it is withheld from whoever would
    see it by their role alone: otherwise its lines would come to light with the erasing.
    """
    hidden = Case.about_id == reader.id
    if reader.role in RULES[CaseKind.CONCERN].team:
        erased = and_(Case.kind == CaseKind.CONCERN, Case.erased_at.is_not(None))
        own = or_(Case.owner_id.is_not_distinct_from(reader.id), Case.opened_by == reader.id)
        hidden = or_(hidden, and_(erased, ~own))
    return frozenset(session.scalars(select(Case.id).where(hidden)))


def lines_open_to(session: Session, reader: Viewer) -> list[ColumnElement[bool]]:
    """What holds of every line of the audit that this person may read."""
    numbers = sorted(withheld_cases(session, reader))
    if not numbers:
        return []
    # a hold, or a removal, for a case names it in its detail; a table that was taken out names what was asked for
    asked_about = and_(
        func.coalesce(Audit.detail["kind"].as_string(), "") == "case",
        func.coalesce(Audit.detail["number"].as_string(), "").in_([str(number) for number in numbers]),
    )
    return [
        Audit.subject.not_in([subject_of(number) for number in numbers]),
        func.coalesce(Audit.detail["case"].as_integer(), 0).not_in(numbers),
        or_(Audit.action != "audit.exported", ~asked_about),
    ]


def is_about(said: dict[str, Any], cases: Collection[int]) -> bool:
    """Whether an entry of the ledger tells something of one of these cases."""
    return said.get("case") in cases or said.get("subject") in {subject_of(number) for number in cases}
