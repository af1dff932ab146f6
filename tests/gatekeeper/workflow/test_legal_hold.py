"""Who learns of a legal hold: those who see its case in full, and never the person the case is about."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from approvals import ledger_records
from gatekeeper.cases.model import CaseEntry, CaseKind, LegalHold
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.workflow import case_view, case_work, legal_hold
from gatekeeper.workflow.cases import Opening, begin
from tests.conftest import ToldClock
from tests.factories.aged import aged_case
from tests.factories.school import School, make_services

WHY = "She may be dismissed over this"


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def who(school: School, role: Role) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[role])


def concern(school: School, about: Role) -> int:
    opening = Opening(kind=CaseKind.CONCERN, title="A photo", words="I saw it", about_id=school.staff[about])
    return begin(school.services, opening, by=who(school, Role.AUTHOR))


def hold(school: School, case_id: int, by: Role, subject: str = "") -> int:
    return legal_hold.place(
        school.services, case_id=case_id, subject=subject or f"case:{case_id}", reason=WHY, by=who(school, by)
    )


def end(school: School, hold_id: int, by: Role, **more: Any) -> None:
    legal_hold.end(school.services, hold_id, reason="The claim was dropped", by=who(school, by), **more)


def listed(school: School, role: Role, **more: Any) -> list[int]:
    with school.services.db.read() as session:
        return [one.id for one in legal_hold.holds(session, who(school, role), **more)]


def written(school: School) -> list[tuple[str, bool]]:
    with school.services.db.read() as session:
        rows = session.scalars(select(CaseEntry).where(CaseEntry.kind.in_(("held", "hold_ended"))))
        return [(one.kind, one.facts["shared"]) for one in rows]


@pytest.mark.parametrize("subject", ["case", "post", "pupil"])
def test_the_person_a_case_is_about_learns_of_no_hold_for_it_and_ends_none(school: School, subject: str) -> None:
    case_id = concern(school, Role.CONSENT_LEAD)
    post_id = school.post()
    held = {"case": f"case:{case_id}", "post": f"post:{post_id}", "pupil": f"pupil:{school.pupils['Wren']}"}[subject]
    hold_id = hold(school, case_id, Role.HEADTEACHER, held)
    assert listed(school, Role.HEADTEACHER) == [hold_id]
    assert listed(school, Role.CONSENT_LEAD) == []
    with pytest.raises(NotFound) as refused:
        end(school, hold_id, Role.CONSENT_LEAD)
    with pytest.raises(NotFound) as absent:
        end(school, 77, Role.CONSENT_LEAD)
    assert str(refused.value) == str(absent.value)
    end(school, hold_id, Role.HEADTEACHER)
    assert listed(school, Role.CONSENT_LEAD, over=True) == []
    assert listed(school, Role.HEADTEACHER, over=True) == [hold_id]


def test_a_case_that_is_not_ones_to_see_answers_a_hold_like_one_that_does_not_exist(school: School) -> None:
    case_id = concern(school, Role.HEADTEACHER)
    answers = []
    for number in (case_id, 77):
        for subject in (f"case:{number}", f"pupil:{school.pupils['Wren']}"):
            with pytest.raises(BadInput) as refused:
                hold(school, number, Role.HEADTEACHER, subject)
            answers.append((str(refused.value), refused.value.fields))
    assert answers == [("There is no such case.", {"case": "There is no such case."})] * 4
    for number in (case_id, 77):
        with pytest.raises(NotAllowed):
            hold(school, number, Role.AUTHOR)  # its reporter sees the progress of it and holds nothing
    with school.services.db.read() as session:
        assert session.scalars(select(LegalHold)).all() == []


def test_cannot_hold_a_case_that_one_may_not_see_under_another(school: School) -> None:
    mine, hers = aged_case(school, days=9), concern(school, Role.CONSENT_LEAD)
    answers = []
    for number in (hers, 77):
        with pytest.raises(BadInput) as refused:
            hold(school, mine, Role.CONSENT_LEAD, f"case:{number}")
        answers.append(refused.value.fields)
    assert answers == [{"number": "There is no case of this number."}] * 2
    held = hold(school, mine, Role.HEADTEACHER, f"case:{hers}")
    assert listed(school, Role.CONSENT_LEAD) == []  # it would tell her that there is one
    with pytest.raises(NotFound):
        end(school, held, Role.CONSENT_LEAD)


def test_who_looks_after_a_concern_about_the_headteacher_holds_it_in_their_place(school: School) -> None:
    case_id = concern(school, Role.HEADTEACHER)
    hold_id = hold(school, case_id, Role.DEPUTY)
    assert listed(school, Role.DEPUTY, case_id=case_id) == [hold_id]
    assert listed(school, Role.HEADTEACHER) == []
    with pytest.raises(Conflict, match="held under this case already"):
        hold(school, case_id, Role.DEPUTY)
    with pytest.raises(NotFound):
        end(school, hold_id, Role.HEADTEACHER)
    end(school, hold_id, Role.DEPUTY, case_id=case_id)
    with school.services.db.read() as session:
        assert ledger_records.verify(session).ok


@pytest.mark.parametrize("role", [Role.DEPUTY, Role.LINE_MANAGER], ids=str)
def test_looking_after_another_concern_is_no_right_to_hold_it(school: School, role: Role) -> None:
    case_id = concern(school, Role.CONSENT_LEAD)
    case_work.hand_over(school.services, case_id, school.staff[role], by=who(school, Role.HEADTEACHER))
    assert not case_view.page_for(school.services, case_id, who(school, role)).may_hold
    with pytest.raises(NotAllowed):
        hold(school, case_id, role)
    hold_id = hold(school, case_id, Role.HEADTEACHER)
    with pytest.raises(NotAllowed):
        end(school, hold_id, role)


def test_a_hold_of_another_case_is_not_ended_from_this_one(school: School) -> None:
    one, other = aged_case(school, days=9), aged_case(school, days=9)
    hold_id = hold(school, one, Role.HEADTEACHER)
    with pytest.raises(NotFound):
        end(school, hold_id, Role.HEADTEACHER, case_id=other)


def test_who_placed_a_hold_and_who_looks_after_its_case_learn_that_it_ended(school: School) -> None:
    case_id = aged_case(school, days=9, owner_id=school.staff[Role.CONSENT_LEAD])
    hold_id = hold(school, case_id, Role.HEADTEACHER)
    end(school, hold_id, Role.ADMINISTRATOR)
    with school.services.db.read() as session:
        told = session.scalars(select(Notice.staff_id).where(Notice.kind == "case_news")).all()
        lines = session.scalars(select(Audit.action).where(Audit.action.like("hold.%")).order_by(Audit.id)).all()
    assert sorted(told) == sorted([school.head, school.staff[Role.CONSENT_LEAD]])
    assert lines == ["hold.placed", "hold.ended"]
    assert written(school) == [("held", False), ("hold_ended", False)]  # whoever sees the progress reads neither


def test_nobody_is_written_to_about_a_case_they_see_no_more(school: School) -> None:
    case_id = concern(school, Role.HEADTEACHER)
    hold_id = hold(school, case_id, Role.DEPUTY)
    manager = school.staff[Role.LINE_MANAGER]
    case_work.hand_over(school.services, case_id, manager, by=who(school, Role.DEPUTY))
    with pytest.raises(NotAllowed):
        end(school, hold_id, Role.DEPUTY)
    end(school, hold_id, Role.LINE_MANAGER)  # it can always be ended: whoever looks after it may
    with school.services.db.read() as session:
        assert session.scalars(select(Notice.staff_id).where(Notice.kind == "case_news")).all() == []
