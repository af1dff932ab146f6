"""Nobody marks a reply as sent without the standing approval of exactly its words, not even by hand in the database."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from approvals import decisions, deputies, ledger_records, proofs, tokens
from approvals.errors import AuthorCannotDecide, DigestMismatch, LinkRefused, ProofMissing, QuestionClosed
from approvals.tables import ApprovalRequest, Decision, LedgerEntry, RequestStatus, Verdict
from gatekeeper.cases.model import Case, CaseKind, CaseReply
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role, Staff
from gatekeeper.workflow import (
    case_clocks,
    case_holding,
    case_reply,
    case_reply_decide,
    case_reply_words,
    case_work,
    decide,
    handover,
    inbox,
)
from gatekeeper.workflow.case_reply_view import desk
from gatekeeper.workflow.cases import Opening, begin
from gatekeeper.workflow.decision_receipt import receipt_for
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

TO, WORDS = "Ruth Ashdown, Merrow Gazette, r@gazette.example", "The school will say nothing about single families."
SAYS = "I have read these words and approve them."


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(database, tmp_path, clock))


@pytest.fixture
def lite(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    """Where the kind of database does not matter."""
    return School(make_services(sqlite_database, tmp_path, clock))


def who(school: School, role: Role) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[role])


def enquiry(school: School, role: Role = Role.AUTHOR, **more: Any) -> int:
    opening = Opening(kind=CaseKind.ENQUIRY, title="Gazette", words="Why was the pool shut?", **more)
    return begin(school.services, opening, by=who(school, role))


def drafted(school: School, role: Role = Role.AUTHOR) -> int:
    return case_reply.draft(school.services, enquiry(school, role), TO, WORDS, by=who(school, role))


def asked(school: School, role: Role = Role.AUTHOR) -> int:
    reply_id = drafted(school, role)
    case_reply.ask(school.services, reply_id, by=who(school, role))
    return reply_id


def reply(school: School, reply_id: int) -> CaseReply:
    with school.services.db.read() as session:
        return session.get_one(CaseReply, reply_id)


def the_request(school: School, reply_id: int) -> ApprovalRequest:
    with school.services.db.read() as session:
        return session.get_one(ApprovalRequest, reply(school, reply_id).request_id)


def proved(school: School, reply_id: int, role: Role = Role.HEADTEACHER) -> str:
    opened = decide.open_for(school.services, the_request(school, reply_id).id, person_id=school.staff[role])
    assert opened is not None
    proof = decide.prove(school.services, opened.view_secret, PIN)
    return proof.view_secret or opened.view_secret


def decided(
    school: School, reply_id: int, verdict: Verdict = Verdict.APPROVE, role: Role = Role.HEADTEACHER, **more: Any
) -> Decision:
    given = {
        "digest_shown": reply(school, reply_id).digest,
        "typed_name": "Head Quarry",
        "statement": SAYS,
        "answers": {},
    }
    form = decide.DecisionForm(verdict=verdict, **given | more)
    return case_reply_decide.decide(school.services, proved(school, reply_id, role), form)


def approved(school: School) -> int:
    reply_id = asked(school)
    decided(school, reply_id)
    return reply_id


def sent(school: School, reply_id: int, role: Role = Role.AUTHOR) -> None:
    case_reply.mark_sent(school.services, reply_id, "By e-mail, at noon.", by=who(school, role))


def by_hand(school: School, statement: str, **values: Any) -> None:
    with school.services.db.begin() as session:
        session.execute(text(statement), values)


# ---- the way that is meant ----


def test_a_reply_is_drafted_asked_about_approved_and_then_written_down_as_sent(school: School) -> None:
    reply_id = approved(school)
    sent(school, reply_id)
    row = reply(school, reply_id)
    assert (row.state, row.sent_by, row.sent_how) == ("sent", school.author, "By e-mail, at noon.")
    with school.services.db.read() as session:
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "reply.sent")).one()
        assert row.digest in entry.body
        assert "Ashdown" not in entry.body
        everything = " ".join(session.scalars(select(LedgerEntry.body)))
        assert "families" not in everything
        assert ledger_records.verify(session).ok
        notices = session.scalars(select(Notice).where(Notice.kind == "approval_request")).all()
    assert [one.staff_id for one in notices] == [school.head]
    with pytest.raises(Conflict):
        sent(school, reply_id)


# ---- what the database itself refuses ----


def test_the_database_refuses_a_reply_that_is_sent_without_the_approval_of_exactly_it(school: School) -> None:
    other, reply_id = approved(school), asked(school)
    now, decision_id = "2026-11-23 10:00:00", reply(school, other).decision_id
    mark = "UPDATE case_reply SET sent_at = :now, sent_by = :by, decision_id = :decision WHERE id = :id"
    for decision in (decision_id, "0" * 32):
        with pytest.raises(DBAPIError, match="approval of exactly its words"):
            by_hand(school, mark, now=now, by=school.author, decision=decision, id=reply_id)
    decided(school, reply_id, Verdict.REFUSE)
    with pytest.raises(DBAPIError, match="approval of exactly its words"):
        by_hand(school, mark, now=now, by=school.author, decision=reply(school, reply_id).decision_id, id=reply_id)
    insert = (
        "INSERT INTO case_reply (case_id, number, recipient, words, digest, state, written_by, written_at, decision_id,"
        " sent_at, sent_by, sent_how) SELECT case_id, 99, recipient, words, digest, 'sent', written_by, written_at,"
        " decision_id, written_at, written_by, '' FROM case_reply WHERE id = :id"
    )
    with pytest.raises(DBAPIError, match="approval of exactly its words"):  # the same words under another number
        by_hand(school, insert, id=other)


def test_the_database_refuses_an_approval_that_was_withdrawn(school: School) -> None:
    reply_id = approved(school)
    decision_id = reply(school, reply_id).decision_id
    case_reply.withdraw(school.services, reply_id, by=who(school, Role.HEADTEACHER))
    mark = "UPDATE case_reply SET sent_at = :now, sent_by = :by, decision_id = :decision WHERE id = :id"
    with pytest.raises(DBAPIError, match="approval of exactly its words"):
        by_hand(school, mark, now="2026-11-23 10:00:00", by=school.author, decision=decision_id, id=reply_id)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE case_reply SET words = 'Something else' WHERE id = :id",
        "UPDATE case_reply SET recipient = 'Somebody else' WHERE id = :id",
        "UPDATE case_reply SET digest = :other WHERE id = :id",
        "UPDATE case_reply SET written_by = written_by + 1 WHERE id = :id",
        "UPDATE case_reply SET request_id = NULL WHERE id = :id",
        "UPDATE case_reply SET words = '', recipient = '' WHERE id = :id",
        "DELETE FROM case_reply WHERE id = :id",
    ],
    ids=["words", "recipient", "digest", "author", "question", "erased too early", "removed"],
)
def test_the_database_keeps_what_was_asked_about(school: School, change: str) -> None:
    reply_id = asked(school)
    values = {"id": reply_id} | ({"other": "0" * 64} if ":other" in change else {})
    with pytest.raises(DBAPIError, match="asked about"):
        by_hand(school, change, **values)
    assert reply(school, reply_id).words == WORDS


def test_what_was_sent_stays_sent_and_its_words_go_only_with_its_case(school: School) -> None:
    reply_id = approved(school)
    sent(school, reply_id)
    with pytest.raises(DBAPIError, match="never changes"):
        by_hand(school, "UPDATE case_reply SET sent_at = NULL, sent_by = NULL WHERE id = :id", id=reply_id)
    with school.services.db.begin() as session:
        row = session.get_one(CaseReply, reply_id)
        session.get_one(Case, row.case_id).erased_at = school.services.clock.now()
        session.flush()
        row.words = row.recipient = row.sent_how = ""
    assert reply(school, reply_id).sent_at is not None


# ---- what the steps refuse ----


@pytest.mark.parametrize("reach", [drafted, asked], ids=["draft", "asked"])
def test_cannot_mark_as_sent_what_nobody_approved(lite: School, reach: Callable[[School], int]) -> None:
    reply_id = reach(lite)
    with pytest.raises(Conflict, match="no standing approval"):
        sent(lite, reply_id)


@pytest.mark.parametrize("verdict", [Verdict.REFUSE, Verdict.CHANGES])
def test_cannot_mark_as_sent_what_was_refused_or_is_to_be_changed(lite: School, verdict: Verdict) -> None:
    reply_id = asked(lite)
    decided(lite, reply_id, verdict, statement="Leave the pool out of it, please.")
    with pytest.raises(Conflict, match="no standing approval"):
        sent(lite, reply_id)
    with pytest.raises(Conflict):
        case_reply.ask(lite.services, reply_id, by=who(lite, Role.AUTHOR))  # the same words again


@pytest.mark.parametrize("part", ["words", "recipient"])
def test_one_changed_letter_voids_the_approval_and_makes_another_reply(lite: School, part: str) -> None:
    reply_id = approved(lite)
    to, words = (TO, WORDS.replace("nothing", "Nothing")) if part == "words" else (TO.replace("r@", "q@"), WORDS)
    fresh = case_reply.edit(lite.services, reply_id, to, words, by=who(lite, Role.AUTHOR))
    assert fresh != reply_id
    assert (reply(lite, reply_id).state, reply(lite, fresh).state) == ("old", "draft")
    with lite.services.db.read() as session:
        decision = session.scalars(select(Decision)).one()
        assert not decisions.is_in_force(session, decision.id)
    for one in (reply_id, fresh):
        with pytest.raises(Conflict):
            sent(lite, one)


def test_an_edit_that_changes_nothing_voids_nothing(lite: School) -> None:
    reply_id = approved(lite)
    assert case_reply.edit(lite.services, reply_id, f" {TO} ", f"{WORDS}\r\n", by=who(lite, Role.AUTHOR)) == reply_id
    sent(lite, reply_id)


def test_editing_what_is_asked_closes_the_question_and_its_link(lite: School) -> None:
    reply_id = asked(lite)
    secret, asked_about = proved(lite, reply_id), the_request(lite, reply_id)
    case_reply.edit(lite.services, reply_id, TO, "Other words.", by=who(lite, Role.AUTHOR))
    with lite.services.db.read() as session:
        assert session.get_one(ApprovalRequest, asked_about.id).status == RequestStatus.VOID
    form = decide.DecisionForm(
        verdict=Verdict.APPROVE, digest_shown=asked_about.digest, typed_name="Head Quarry", statement=SAYS, answers={}
    )
    with pytest.raises((LinkRefused, QuestionClosed)):
        case_reply_decide.decide(lite.services, secret, form)


def test_a_withdrawn_approval_is_none_until_it_is_asked_for_and_given_again(lite: School) -> None:
    reply_id = approved(lite)
    case_reply.withdraw(lite.services, reply_id, by=who(lite, Role.HEADTEACHER))
    with pytest.raises(Conflict, match="no standing approval"):
        sent(lite, reply_id)
    case_reply.ask(lite.services, reply_id, by=who(lite, Role.AUTHOR))
    decided(lite, reply_id)
    sent(lite, reply_id)


def test_closing_the_enquiry_ends_what_was_approved(lite: School) -> None:
    reply_id = approved(lite)
    case_work.close(
        lite.services, reply(lite, reply_id).case_id, "dropped", "They no longer ask.", by=who(lite, Role.HEADTEACHER)
    )
    with lite.services.db.read() as session:
        assert not decisions.is_in_force(session, session.scalars(select(Decision.id)).one())
    with pytest.raises(Conflict):
        sent(lite, reply_id)


def test_whoever_wrote_it_never_approves_it_not_even_the_headteacher(lite: School) -> None:
    with lite.services.db.begin() as session:
        proofs.set_pin(session, lite.staff[Role.DEPUTY], PIN, now=lite.services.clock.now())
    reply_id = asked(lite, Role.HEADTEACHER)
    assert the_request(lite, reply_id).approver_id == lite.staff[Role.DEPUTY]
    assert decide.open_for(lite.services, the_request(lite, reply_id).id, person_id=lite.head) is None
    with lite.services.db.begin() as session, pytest.raises(AuthorCannotDecide):
        request = session.get_one(ApprovalRequest, the_request(lite, reply_id).id)
        tokens.mint(session, request=request, person_id=lite.head, purpose=tokens.DECIDE, now=lite.services.clock.now())
    decided(lite, reply_id, role=Role.DEPUTY)
    sent(lite, reply_id, Role.HEADTEACHER)


def test_a_comma_of_somebody_else_does_not_let_the_headteacher_approve_their_own_words(lite: School) -> None:
    with lite.services.db.begin() as session:
        proofs.set_pin(session, lite.staff[Role.DEPUTY], PIN, now=lite.services.clock.now())
    heads_own = drafted(lite, Role.HEADTEACHER)
    case_reply.edit(lite.services, heads_own, TO, f"{WORDS} Yes.", by=who(lite, Role.HEADTEACHER))
    fresh = case_reply.edit(lite.services, heads_own, TO, f"{WORDS} No.", by=who(lite, Role.DEPUTY))
    assert reply(lite, fresh).written_by == lite.staff[Role.DEPUTY]
    with pytest.raises(Conflict, match="has written some of this reply"):
        case_reply.ask(lite.services, fresh, by=who(lite, Role.DEPUTY))
    with lite.services.db.begin() as session:  # somebody else entitled to work on it, and neither head nor deputy
        session.get_one(Case, reply(lite, fresh).case_id).owner_id = lite.author
    authors_own = case_reply.draft(lite.services, reply(lite, fresh).case_id, TO, "Mine.", by=who(lite, Role.AUTHOR))
    both = case_reply.edit(lite.services, authors_own, TO, "Mine, and the head's.", by=who(lite, Role.HEADTEACHER))
    last = case_reply.edit(lite.services, both, TO, "Mine again.", by=who(lite, Role.AUTHOR))
    case_reply.ask(lite.services, last, by=who(lite, Role.AUTHOR))
    assert the_request(lite, last).approver_id == lite.staff[Role.DEPUTY]
    assert decide.open_for(lite.services, the_request(lite, last).id, person_id=lite.head) is None
    decided(lite, last, role=Role.DEPUTY)
    sent(lite, last)


def test_a_reply_that_was_sent_keeps_the_time_that_was_named(lite: School, clock: ToldClock) -> None:
    case_id = enquiry(lite, deadline=clock.now() + timedelta(hours=30))
    reply_id = case_reply.draft(lite.services, case_id, TO, WORDS, by=who(lite, Role.AUTHOR))
    case_reply.ask(lite.services, reply_id, by=who(lite, Role.AUTHOR))
    decided(lite, reply_id)
    sent(lite, reply_id)
    clock.advance(hours=40)
    assert case_clocks.run(lite.services) == 0


def test_cannot_approve_what_the_page_did_not_show_or_without_the_second_proof(lite: School) -> None:
    reply_id = asked(lite)
    with pytest.raises(DigestMismatch):
        decided(lite, reply_id, digest_shown="0" * 64)
    opened = decide.open_for(lite.services, the_request(lite, reply_id).id, person_id=lite.head)
    assert opened is not None
    form = decide.DecisionForm(
        verdict=Verdict.APPROVE,
        digest_shown=reply(lite, reply_id).digest,
        typed_name="Head Quarry",
        statement=SAYS,
        answers={},
    )
    with pytest.raises(ProofMissing):
        case_reply_decide.decide(lite.services, opened.view_secret, form)
    assert reply(lite, reply_id).state == "asked"


@pytest.mark.parametrize("role", [Role.CONSENT_LEAD, Role.ADMINISTRATOR, Role.AUDITOR, Role.LINE_MANAGER])
def test_whoever_has_nothing_to_do_with_an_enquiry_does_nothing_with_its_replies(lite: School, role: Role) -> None:
    reply_id, somebody = approved(lite), who(lite, role)
    case_id = reply(lite, reply_id).case_id
    for step in (
        lambda: case_reply.draft(lite.services, case_id, TO, WORDS, by=somebody),
        lambda: case_reply.edit(lite.services, reply_id, TO, "Mine.", by=somebody),
        lambda: case_reply.ask(lite.services, reply_id, by=somebody),
        lambda: case_reply.withdraw(lite.services, reply_id, by=somebody),
        lambda: case_reply.mark_sent(lite.services, reply_id, "By post.", by=somebody),
    ):
        with pytest.raises((NotFound, NotAllowed)):
            step()
    for number in (0, -3, 10**12):
        with pytest.raises(NotFound):
            case_reply.ask(lite.services, number, by=who(lite, Role.HEADTEACHER))


def test_a_reply_needs_somebody_and_something(lite: School) -> None:
    case_id = enquiry(lite)
    for to, words in (("", WORDS), (TO, " - "), (TO * 20, WORDS), (TO, "x" * 5_001)):
        with pytest.raises(BadInput):
            case_reply.draft(lite.services, case_id, to, words, by=who(lite, Role.AUTHOR))
    with pytest.raises(BadInput):
        case_reply.mark_sent(lite.services, approved(lite), " . ", by=who(lite, Role.AUTHOR))


# ---- time and people change ----


def test_a_question_that_nobody_answered_in_time_ends_and_can_be_asked_again(lite: School, clock: ToldClock) -> None:
    case_id = enquiry(lite, deadline=clock.now() + timedelta(hours=5))
    reply_id = case_reply.draft(lite.services, case_id, TO, WORDS, by=who(lite, Role.AUTHOR))
    case_reply.ask(lite.services, reply_id, by=who(lite, Role.AUTHOR))
    assert the_request(lite, reply_id).expires_at == clock.now() + timedelta(hours=5)
    clock.advance(hours=5)
    assert decide.expire_due(lite.services) == 0, "no post expired"
    assert reply(lite, reply_id).state == "expired"
    case_reply.ask(lite.services, reply_id, by=who(lite, Role.AUTHOR))
    decided(lite, reply_id)
    sent(lite, reply_id)


def test_a_question_about_a_reply_is_handed_over_with_the_questions_about_posts(lite: School, clock: ToldClock) -> None:
    reply_id, post_id = asked(lite), lite.post(due_in=timedelta(days=2))
    lite.ask(post_id)
    with lite.services.step() as session, handover.handing_over(session, now=clock.now()):
        proofs.set_pin(session, lite.staff[Role.DEPUTY], PIN, now=clock.now())
        deputies.name(
            session, head_id=lite.head, deputy_id=lite.staff[Role.DEPUTY], starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=5), reason="Away at a conference", proof_method="pin", now=clock.now(),
        )  # fmt: skip
    assert the_request(lite, reply_id).approver_id == lite.staff[Role.DEPUTY]
    handover.run(lite.services)
    decided(lite, reply_id, role=Role.DEPUTY)
    sent(lite, reply_id)


def test_the_inbox_the_page_and_the_receipt_tell_of_replies(lite: School, clock: ToldClock) -> None:
    reply_id = asked(lite)
    with lite.services.db.read() as session:
        (waiting,) = inbox.inbox_for(session, lite.head, inbox.Search(), now=clock.now()).waiting
    assert (waiting.title, waiting.price) == ("Reply 1 to enquiry 1", "")
    decision = decided(lite, reply_id)
    with lite.services.db.read() as session:
        (line,) = inbox.inbox_for(session, lite.head, inbox.Search(), now=clock.now()).decided
        assert line.reply == (reply(lite, reply_id).case_id, "approved")
        assert receipt_for(session, decision, now=clock.now()).post_id is None
        shown = desk(session, 1, who(lite, Role.AUTHOR)).replies[0]
    assert shown.can_send
    assert shown.said == SAYS


def test_the_check_of_words_remarks_on_a_reply_while_it_can_be_changed(lite: School) -> None:
    words = "Wren Applethwaite was away on Monday."
    reply_id = case_reply.draft(lite.services, enquiry(lite), TO, words, by=who(lite, Role.AUTHOR))
    with lite.services.db.read() as session:
        (line,) = desk(session, 1, who(lite, Role.AUTHOR)).replies
        assert "Wren Applethwaite" in {one.quote for one in line.remarks}
        assert desk(session, 1, who(lite, Role.HEADTEACHER)).replies[0].row.id == reply_id
        assert case_reply_words.remarks(session, WORDS) == ()


# ---- the holding text ----


def test_the_holding_text_is_what_the_headteacher_approved_and_nothing_else(lite: School) -> None:
    case_id, author = enquiry(lite), who(lite, Role.AUTHOR)
    with pytest.raises(Conflict):
        case_holding.give(lite.services, case_id, "By telephone", "0" * 64, by=author)
    for role in (Role.DEPUTY, Role.ADMINISTRATOR, Role.AUTHOR):
        with pytest.raises(NotAllowed):
            case_holding.approve(lite.services, "We have it.", by=who(lite, role), proof_method="pin")
    case_holding.approve(lite.services, "We have received it.", by=who(lite, Role.HEADTEACHER), proof_method="pin")
    with lite.services.db.read() as session:
        first = desk(session, case_id, author)
    assert first.holding == "We have received it."
    case_holding.approve(lite.services, "Thank you.", by=who(lite, Role.HEADTEACHER), proof_method="pin")
    with pytest.raises(Conflict, match="was changed"):
        case_holding.give(lite.services, case_id, "By telephone", first.holding_digest, by=author)
    with lite.services.db.read() as session:
        kinds = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "holding.approved")).all()
    assert len(kinds) == 2
    assert "Thank" not in kinds[1].body
