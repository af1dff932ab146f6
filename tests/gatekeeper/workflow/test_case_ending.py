"""How a case ends and goes on again: no reply is left that may still be sent, and no deadline is lost on the way."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from approvals.tables import ApprovalRequest, Verdict
from gatekeeper.cases.model import Case, CaseClock, CaseEntry, CaseKind, CaseReply
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput
from gatekeeper.people.staff import Role, Staff
from gatekeeper.workflow import case_clocks, case_reply, case_reply_decide, case_view, case_work, decide
from gatekeeper.workflow.cases import Opening, begin
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def who(school: School, role: Role) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[role])


def enquiry(school: School, hours: float = 48) -> int:
    deadline = school.services.clock.now() + timedelta(hours=hours)
    opening = Opening(kind=CaseKind.ENQUIRY, title="Gazette", words="Why was the pool shut?", deadline=deadline)
    return begin(school.services, opening, by=who(school, Role.AUTHOR))


def removal(school: School, **more: Any) -> int:
    given: dict[str, Any] = {
        "about_id": school.author, "deadline": school.services.clock.now() + timedelta(days=3), "link": "x.example/1",
    }  # fmt: skip
    opening = Opening(kind=CaseKind.REMOVAL, title="A photo", words="Clause 7.2", **given | more)
    return begin(school.services, opening, by=who(school, Role.HEADTEACHER))


def asked(school: School, case_id: int, words: str = "No comment today.") -> int:
    reply_id = case_reply.draft(school.services, case_id, "Ruth, Gazette", words, by=who(school, Role.AUTHOR))
    case_reply.ask(school.services, reply_id, by=who(school, Role.AUTHOR))
    return reply_id


def reply(school: School, reply_id: int) -> CaseReply:
    with school.services.db.read() as session:
        return session.get_one(CaseReply, reply_id)


def ends_at(school: School, reply_id: int) -> datetime:
    with school.services.db.read() as session:
        return session.get_one(ApprovalRequest, reply(school, reply_id).request_id).expires_at


def approve(school: School, reply_id: int) -> None:
    row = reply(school, reply_id)
    opened = decide.open_for(school.services, row.request_id or "", person_id=school.head)
    assert opened is not None
    proof = decide.prove(school.services, opened.view_secret, PIN)
    form = decide.DecisionForm(
        verdict=Verdict.APPROVE, digest_shown=row.digest, typed_name="Head Quarry",
        statement="I have read these words and approve them.", answers={},
    )  # fmt: skip
    case_reply_decide.decide(school.services, proof.view_secret or opened.view_secret, form)


def close(school: School, case_id: int, result: str = "answered") -> None:
    case_work.close(school.services, case_id, result, "It is over now.", by=who(school, Role.HEADTEACHER))


def reopen(school: School, case_id: int) -> None:
    case_work.reopen(school.services, case_id, "They ask again.", by=who(school, Role.HEADTEACHER))


def the_clock(school: School, case_id: int) -> CaseClock:
    with school.services.db.read() as session:
        return session.scalars(select(CaseClock).where(CaseClock.case_id == case_id)).one()


def state(school: School, case_id: int) -> str:
    with school.services.db.read() as session:
        return session.get_one(Case, case_id).state


def test_cannot_end_as_answered_with_an_approved_reply_that_nobody_sent(school: School) -> None:
    case_id = enquiry(school)
    reply_id = asked(school, case_id)
    approve(school, reply_id)
    with pytest.raises(BadInput) as refused:
        close(school, case_id)
    says = "A reply is approved and not marked as sent. Say first that it was sent, or take it back."
    assert refused.value.fields == {"result": says}
    assert (state(school, case_id), reply(school, reply_id).state) == ("open", "approved")
    case_reply.mark_sent(school.services, reply_id, "By e-mail, at noon.", by=who(school, Role.AUTHOR))
    close(school, case_id)
    assert (state(school, case_id), reply(school, reply_id).state) == ("closed", "sent")


def test_cannot_end_as_answered_while_a_reply_is_asked_about(school: School) -> None:
    case_id = enquiry(school)
    reply_id = asked(school, case_id)
    with pytest.raises(BadInput, match="still asked about a reply") as refused:
        close(school, case_id)
    assert set(refused.value.fields) == {"result"}
    assert (state(school, case_id), reply(school, reply_id).state) == ("open", "asked")
    case_reply.withdraw(school.services, reply_id, by=who(school, Role.AUTHOR))
    close(school, case_id)
    assert state(school, case_id) == "closed"


@pytest.mark.parametrize("result", ["declined", "dropped"])
def test_another_end_ends_what_was_approved_and_the_story_says_so(school: School, result: str) -> None:
    case_id = enquiry(school)
    reply_id = asked(school, case_id)
    approve(school, reply_id)
    close(school, case_id, result)
    assert reply(school, reply_id).state == "withdrawn"
    with school.services.db.read() as session:
        line = session.scalars(select(CaseEntry).where(CaseEntry.kind == "reply_ended")).one()
    assert (line.by, line.facts) == (school.head, {"number": 1, "shared": False})


@pytest.mark.parametrize(("kind", "result"), [("enquiry", "declined"), ("removal", "removed")])
def test_a_deadline_that_only_the_closing_ended_runs_again(
    school: School, clock: ToldClock, kind: str, result: str
) -> None:
    case_id = enquiry(school, hours=72) if kind == "enquiry" else removal(school)
    before = the_clock(school, case_id)
    close(school, case_id, result)
    assert the_clock(school, case_id).met_at == clock.now()
    clock.advance(hours=60)  # two warnings would have gone meanwhile
    reopen(school, case_id)
    after = the_clock(school, case_id)
    assert (after.met_at, after.met_by, after.words, after.due_at) == (None, None, "", before.due_at)
    assert case_clocks.run(school.services) == 0, "what passed meanwhile is not sent late"
    clock.advance(hours=7)
    assert case_clocks.run(school.services) == 1
    close(school, case_id, result)
    reopen(school, case_id)
    assert the_clock(school, case_id).met_at is None


def test_a_deadline_that_is_over_when_a_case_goes_on_again_is_said_once(school: School, clock: ToldClock) -> None:
    case_id = enquiry(school)
    close(school, case_id, "declined")
    clock.advance(hours=60)
    reopen(school, case_id)
    assert [case_clocks.run(school.services) for _ in range(2)] == [1, 0]


def test_a_deadline_that_was_kept_by_a_reply_stays_kept(school: School, clock: ToldClock) -> None:
    case_id = enquiry(school)
    reply_id = asked(school, case_id)
    approve(school, reply_id)
    case_reply.mark_sent(school.services, reply_id, "By e-mail, at noon.", by=who(school, Role.AUTHOR))
    kept = the_clock(school, case_id).met_at
    close(school, case_id)  # in the very same moment
    clock.advance(hours=1)
    reopen(school, case_id)
    assert (the_clock(school, case_id).met_at, the_clock(school, case_id).words) == (kept, "Reply 1 was sent.")


def test_nobody_is_given_longer_to_decide_than_the_one_who_asks_named(school: School, clock: ToldClock) -> None:
    case_id = enquiry(school)
    named = the_clock(school, case_id).due_at
    first = asked(school, case_id)
    approve(school, first)
    close(school, case_id, "declined")
    reopen(school, case_id)
    case_reply.ask(school.services, first, by=who(school, Role.AUTHOR))
    assert ends_at(school, first) == named
    approve(school, first)
    case_reply.mark_sent(school.services, first, "By e-mail, at noon.", by=who(school, Role.AUTHOR))
    assert ends_at(school, asked(school, case_id, "And another.")) == named, (
        "a second reply, when the first was in time"
    )
    clock.advance(hours=47.8)
    assert ends_at(school, asked(school, case_id, "And a third.")) == named
    clock.advance(hours=1)
    assert ends_at(school, asked(school, case_id, "And a late one.")) == clock.now() + case_reply.TO_DECIDE


def test_a_case_is_not_handed_to_whoever_has_it_already(school: School) -> None:
    case_id, head = removal(school), who(school, Role.HEADTEACHER)
    assert case_view.page_for(school.services, case_id, head).owners == ()
    with pytest.raises(BadInput, match="look after it already"):
        case_work.hand_over(school.services, case_id, head.id, by=head)
    offered = case_view.page_for(school.services, enquiry(school), head).owners
    assert offered
    assert head.id not in {one.id for one in offered}, "it is the headteacher who looks after it"
