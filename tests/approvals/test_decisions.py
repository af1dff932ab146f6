import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from approvals import decisions, ledger, ledger_check
from approvals.decisions import can_decide, check_can_decide, decision_for, is_in_force, withdraw
from approvals.errors import (
    AlreadyDecided,
    ApprovalError,
    AuthorCannotDecide,
    DigestMismatch,
    FindingUnanswered,
    LedgerBroken,
    LinkUnknown,
    NothingToWithdraw,
    NotTheApprover,
    ProofMissing,
    RequestClosed,
    StatementMissing,
)
from approvals.ledger import KEY_NAMED
from approvals.requests import void_requests
from approvals.tables import ApprovalRequest, ApprovalToken, Decision, LedgerEntry, Verdict, Withdrawal
from approvals.tokens import DECIDE, View
from tests.approvals.room import AUTHOR, DEPUTY, DIGEST, HEAD, NAME, STATEMENT, WRONG_PIN, Room

REASON = "The photo shows a name on the wall."


def entries(room: Room) -> list[dict[str, Any]]:
    with room.db.read() as session:
        query = (
            select(LedgerEntry.kind, LedgerEntry.body).where(LedgerEntry.kind != KEY_NAMED).order_by(LedgerEntry.seq)
        )
        return [{"kind": kind} | json.loads(body) for kind, body in session.execute(query)]


def refuses(room: Room, error: type[ApprovalError], secret: str, **over: Any) -> ApprovalError:
    """Nothing at all may be written by a decision that is refused."""
    before = room.everything()
    with pytest.raises(error) as refused:
        room.decide(secret, **over)
    assert room.everything() == before
    return refused.value


def in_force(room: Room, decision: Decision) -> bool:
    with room.db.begin() as session:
        return is_in_force(session, decision.id, keep=True)


# what is recorded


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_decision_is_recorded_with_everything_that_makes_it_one(room: Room, verdict: Verdict) -> None:
    request = room.ask()
    findings, answers = {"f1": "3.1d"}, {"f1": "Amy's parents asked for it."}
    made = room.decide(
        room.proved(request), verdict=verdict, statement=REASON, answers=answers, required_findings=findings
    )
    with room.db.read() as session:
        stored = session.get_one(Decision, made.id)
        facts = (stored.request_id, stored.subject, stored.version_ref, stored.digest, stored.verdict)
        assert facts == (request.id, "post:12", "version:34", DIGEST, verdict)
        assert (stored.approver_id, stored.typed_name, stored.statement) == (HEAD, NAME, REASON)
        assert stored.answers == [{"id": "f1", "rule": "3.1d", "sentence": "Amy's parents asked for it."}]
        assert (stored.proof_method, stored.policy_version) == ("pin", "2022-03")
        assert stored.decided_at == room.clock.now()
        closed = session.get_one(ApprovalRequest, request.id)
        assert (closed.status, closed.closed_at) == ("decided", room.clock.now())
        assert all(token.closed_at for token in session.scalars(select(ApprovalToken)))


def test_the_ledger_says_who_decided_what_about_which_digest_and_holds_no_words(room: Room) -> None:
    answer = "Amy Poppins's parents asked for it."
    made = room.decide(
        room.proved(room.ask(title="Amy Poppins")), answers={"f1": answer}, required_findings={"f1": "3.1d"}
    )
    last = entries(room)[-1]
    assert made.text_salt is not None
    assert last == {
        "kind": "decision.recorded",
        "decision": made.id,
        "request": made.request_id,
        "subject": "post:12",
        "version": "version:34",
        "digest": DIGEST,
        "verdict": "approve",
        "approver": HEAD,
        "proof": "pin",
        "policy": "2022-03",
        "appointment": None,
        "assertion": None,
        "typed_name": ledger.salted_hash(NAME, salt=made.text_salt).digest,
        "statement": ledger.salted_hash(STATEMENT, salt=made.text_salt).digest,
        "answers": [{"finding": "f1", "rule": "3.1d", "words": ledger.salted_hash(answer, salt=made.text_salt).digest}],
    }
    chain = str(entries(room))
    assert not any(hidden in chain for hidden in (STATEMENT, NAME, "Amy", "Poppins", made.text_salt))


def test_the_decision_and_its_entry_are_kept_together_or_not_at_all(room: Room) -> None:
    secret = room.proved(room.ask())
    before = room.everything()
    room.unguard()
    room.run("ALTER TABLE decision RENAME TO lost")  # the ledger entry is written first, then this fails
    with pytest.raises(DBAPIError):
        room.decide(secret)
    room.run("ALTER TABLE lost RENAME TO decision")
    assert room.everything() == before


# what is refused


def test_cannot_decide_without_a_known_secret(room: Room) -> None:
    room.proved(room.ask())
    for forged in ("", "A" * 43, "é" * 43):
        refuses(room, LinkUnknown, forged)


def test_cannot_decide_with_the_links_own_token(room: Room) -> None:
    request = room.ask()
    token = room.link(request)
    room.proved(request)
    refuses(room, LinkUnknown, token)


def test_cannot_decide_without_the_second_proof(room: Room) -> None:
    secret = room.opened(room.link(room.ask()))
    assert "ten minutes" in str(refuses(room, ProofMissing, secret))


def test_cannot_decide_after_a_wrong_pin(room: Room) -> None:
    room.give_pin()
    secret = room.opened(room.link(room.ask()))
    for _ in range(5):
        assert not room.enter(secret, WRONG_PIN).ok
        refuses(room, ProofMissing, secret)


def test_cannot_decide_on_a_proof_older_than_ten_minutes(room: Room) -> None:
    secret = room.proved(room.ask())
    room.clock.advance(minutes=10)
    refuses(room, ProofMissing, secret)
    fresh = room.enter(secret).view_secret
    assert fresh
    assert room.decide(fresh).decided_at == room.clock.now()


def test_cannot_decide_on_a_proof_of_another_request(room: Room) -> None:
    room.proved(room.ask(subject="post:1"))
    refuses(room, ProofMissing, room.opened(room.link(room.ask(subject="post:2"))))


def test_a_proof_of_another_request_decides_nothing_here_even_when_forced_together(room: Room) -> None:
    """The secret leads to its own request, so another request's page is refused by its digest."""
    mine = room.proved(room.ask(subject="post:1"))
    other = room.ask(subject="post:2", digest="cd" * 32)
    refuses(room, DigestMismatch, mine, digest_shown=other.digest)


def test_cannot_decide_in_a_browser_where_the_pin_was_not_given(room: Room) -> None:
    request = room.ask()
    scanner = room.opened(room.link(request))
    room.proved(request)
    refuses(room, ProofMissing, scanner)


@pytest.mark.parametrize("shown", ["", "cd" * 32, DIGEST.upper(), DIGEST[:-1], DIGEST + " ", "é", "\ud800"])
def test_cannot_decide_about_anything_but_what_was_shown(room: Room, shown: str) -> None:
    refuses(room, DigestMismatch, room.proved(room.ask()), digest_shown=shown)


def test_cannot_decide_once_the_right_is_gone(room: Room) -> None:
    asked: list[int] = []

    def no_longer(person: int) -> bool:
        asked.append(person)
        return False

    refuses(room, NotTheApprover, room.proved(room.ask()), may_decide=no_longer)
    assert asked == [HEAD]


def test_cannot_decide_with_a_link_that_became_somebody_elses(room: Room) -> None:
    """The second proof was another person's, so it proves nothing about this one."""
    secret = room.proved(room.ask())
    room.run("UPDATE approval_token SET person_id = :deputy", deputy=DEPUTY)
    refuses(room, ProofMissing, secret)


def test_cannot_decide_with_a_link_for_another_purpose(room: Room) -> None:
    secret = room.proved(room.ask())
    room.run("UPDATE approval_token SET purpose = 'read'")
    refuses(room, NotTheApprover, secret)


def test_cannot_decide_about_ones_own_post(room: Room) -> None:
    """Neither asking nor linking makes such a request; should one arise all the same, deciding refuses it."""
    secret = room.proved(room.ask())
    room.run("UPDATE approval_token SET person_id = :author", author=AUTHOR)
    assert "You wrote this post" in str(refuses(room, AuthorCannotDecide, secret))


def test_cannot_decide_after_the_time_is_over_even_before_anybody_closed_it(room: Room) -> None:
    secret = room.proved(room.ask(expires_at=room.clock.now() + timedelta(minutes=5)))
    room.clock.advance(minutes=5)
    assert "Nobody decided by Monday 23 November 2026 at 09:05" in str(refuses(room, RequestClosed, secret))


def test_cannot_decide_about_an_older_version(room: Room) -> None:
    secret = room.proved(room.ask())
    room.ask(version_ref="version:35", digest="cd" * 32)
    assert "A newer version took its place." in str(refuses(room, RequestClosed, secret))


def test_cannot_decide_about_what_was_taken_back(room: Room) -> None:
    secret = room.proved(room.ask())
    with room.db.begin() as session:
        void_requests(session, "post:12", reason="The author took it back.", now=room.clock.now())
    refused = refuses(room, RequestClosed, secret)
    assert isinstance(refused, RequestClosed)
    assert "took it back" in refused.reason


@pytest.mark.parametrize("verdict", list(Verdict))
def test_cannot_decide_twice_and_the_replay_is_shown_what_was_recorded(room: Room, verdict: Verdict) -> None:
    secret = room.proved(room.ask())
    made = room.decide(secret, verdict=verdict, statement=REASON)
    room.clock.advance(minutes=1)
    for second in Verdict:
        refused = refuses(room, AlreadyDecided, secret, verdict=second)
        assert isinstance(refused, AlreadyDecided)
        assert (refused.decision.id, refused.decision.verdict) == (made.id, verdict)
        assert "on Monday 23 November 2026 at 09:00." in str(refused)


def test_cannot_decide_when_the_request_was_closed_at_the_last_moment(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = room.proved(room.ask())
    monkeypatch.setattr(decisions, "close_if_open", lambda *_, **__: False)
    refuses(room, RequestClosed, secret)


def test_cannot_decide_without_words(room: Room) -> None:
    secret = room.proved(room.ask())
    refuses(room, StatementMissing, secret, statement=" ")
    refuses(room, StatementMissing, secret, typed_name="")
    refuses(room, StatementMissing, secret, verdict=Verdict.REFUSE, statement="No.")


def test_cannot_approve_while_a_blocked_finding_is_unanswered(room: Room) -> None:
    secret = room.proved(room.ask())
    needed = {"f1": "3.1d", "f2": "3.5"}
    refuses(room, FindingUnanswered, secret, required_findings=needed, answers={"f1": "His parents asked for it."})
    # a bare text instead of the enum must not slip past the rule for approvals
    refuses(room, FindingUnanswered, secret, required_findings=needed, verdict="approve")


def test_a_verdict_that_does_not_exist_is_refused(room: Room) -> None:
    secret = room.proved(room.ask())
    with pytest.raises(ValueError, match="maybe"):
        room.decide(secret, verdict="maybe")
    assert room.rows()["decision"] == 0


# the pair of rules


def unsaved(room: Room, **over: Any) -> View:
    now = room.clock.now()
    values = {"author_id": AUTHOR, "approver_id": HEAD, "status": "open", "expires_at": now + timedelta(hours=1)}
    request = ApprovalRequest(id="r", subject="post:1", closed_at=None, closed_reason=None, **(values | over))
    return View(request, HEAD, DECIDE, proved=True, proved_until=now + timedelta(minutes=10), proof_method="pin")


@pytest.mark.parametrize(
    ("over", "error"),
    [
        ({}, None),
        ({"approver_id": DEPUTY}, None),  # who was asked is no matter: the first entitled person decides
        ({"author_id": HEAD}, AuthorCannotDecide),
        ({"status": "void"}, RequestClosed),
        ({"status": "expired"}, RequestClosed),
    ],
)
def test_asking_and_checking_agree(room: Room, over: dict[str, Any], error: type[ApprovalError] | None) -> None:
    seen = unsaved(room, **over)
    allowed: Callable[[int], bool] = lambda _: True  # noqa: E731 - one line is enough to say yes
    with room.db.read() as session:
        assert can_decide(session, seen, may_decide=allowed, now=room.clock.now()) is (error is None)
        if error:
            with pytest.raises(error):
                check_can_decide(session, seen, may_decide=allowed, now=room.clock.now())


# whether it holds


def test_an_approval_holds_until_it_is_withdrawn(room: Room) -> None:
    approval = room.approved()
    assert in_force(room, approval)
    room.clock.advance(minutes=3)
    with room.db.begin() as session:
        withdrawal = withdraw(session, approval, by_person=AUTHOR, reason="Edited again.", now=room.clock.now())
    assert not in_force(room, approval)
    last = entries(room)[-1]
    assert last == {
        "kind": "approval.withdrawn",
        "withdrawal": withdrawal.id,
        "decision": approval.id,
        "by": AUTHOR,
        "reason": ledger.salted_hash("Edited again.", salt=withdrawal.reason_salt).digest,
    }


def test_a_second_withdrawal_changes_nothing(room: Room) -> None:
    approval = room.approved()
    with room.db.begin() as session:
        first = withdraw(session, approval, by_person=None, reason="A consent is gone.", now=room.clock.now())
    before = room.everything()
    with room.db.begin() as session:
        assert withdraw(session, approval, by_person=HEAD, reason="Again.", now=room.clock.now()).id == first.id
    assert room.everything() == before


@pytest.mark.parametrize("verdict", [Verdict.REFUSE, Verdict.CHANGES])
def test_a_refusal_holds_nothing_and_cannot_be_withdrawn(room: Room, verdict: Verdict) -> None:
    made = room.decide(room.proved(room.ask()), verdict=verdict, statement=REASON)
    assert not in_force(room, made)
    with room.db.begin() as session, pytest.raises(NothingToWithdraw):
        withdraw(session, made, by_person=HEAD, reason="No.", now=room.clock.now())
    assert room.rows()["withdrawal"] == 0


def test_a_withdrawn_approval_says_so_to_whoever_comes_back(room: Room) -> None:
    secret = room.proved(room.ask())
    approval = room.decide(secret)
    room.clock.advance(minutes=3)
    with room.db.begin() as session:
        withdraw(session, approval, by_person=AUTHOR, reason="Edited.", now=room.clock.now())
    with pytest.raises(AlreadyDecided, match=r"09:00\. The approval was withdrawn on Monday 23 November 2026 at 09:03"):
        room.decide(secret)


def test_a_newer_question_ends_an_older_approval_whatever_becomes_of_it(room: Room) -> None:
    approval = room.approved()
    newer = room.ask(version_ref="version:35", digest="cd" * 32)
    assert not in_force(room, approval)
    room.decide(room.proved(newer), digest_shown="cd" * 32, verdict=Verdict.REFUSE, statement=REASON)
    assert not in_force(room, approval)


def test_after_a_missed_window_only_the_fresh_yes_holds(room: Room) -> None:
    first = room.approved()
    room.clock.advance(hours=1)
    second = room.approved()
    assert (in_force(room, first), in_force(room, second)) == (False, True)
    with room.db.read() as session:
        found = decision_for(session, subject="post:12", version_ref="version:34", digest=DIGEST)
        assert found is not None
        assert found.id == second.id


def test_another_posts_question_does_not_touch_an_approval(room: Room) -> None:
    approval = room.approved()
    room.ask(subject="post:13")
    assert in_force(room, approval)


def test_a_decision_is_found_for_exactly_its_version_only(room: Room) -> None:
    made = room.approved()
    exact = {"subject": "post:12", "version_ref": "version:34", "digest": DIGEST}
    with room.db.read() as session:
        found = decision_for(session, **exact)
        assert found is not None
        assert found.id == made.id
        for other in ({"subject": "post:1"}, {"version_ref": "version:3"}, {"digest": "cd" * 32}):
            assert decision_for(session, **(exact | other)) is None
        assert not is_in_force(session, "no such decision")


# tampering and erasing


@pytest.mark.parametrize(
    "change",
    [
        "verdict = 'approve'", "digest = '" + "cd" * 32 + "'", "version_ref = 'version:35'", "subject = 'post:13'",
        "approver_id = 2", "policy_version = '2099'", "proof_method = 'none'", "statement = 'Yes, gladly.'",
        "typed_name = 'Somebody'", "answers = '[]'", "decided_at = '2026-11-22 09:00:00.000000'",
    ],
)  # fmt: skip
def test_a_decision_changed_behind_our_back_counts_for_nothing(room: Room, change: str) -> None:
    made = room.decide(
        room.proved(room.ask()),
        verdict=Verdict.REFUSE,
        statement=REASON,
        answers={"f1": "It was not agreed."},
        required_findings={"f1": "3.1d"},
    )
    with pytest.raises(DBAPIError, match="evidence"):
        room.run(f"UPDATE decision SET {change}")
    assert not in_force(room, made)
    room.unguard()
    room.run(f"UPDATE decision SET {change}")
    with pytest.raises(LedgerBroken, match="contradict each other"):
        in_force(room, made)
    with room.db.read() as session:
        stored = session.get_one(Decision, made.id)
        where = {"subject": stored.subject, "version_ref": stored.version_ref, "digest": stored.digest}
        with pytest.raises(LedgerBroken):
            decision_for(session, **where)


def test_a_decision_whose_ledger_entry_was_rewritten_counts_for_nothing(room: Room) -> None:
    made = room.decide(room.proved(room.ask()), verdict=Verdict.REFUSE, statement=REASON)
    room.unguard()
    room.run("UPDATE decision SET verdict = 'approve'")
    room.run("UPDATE ledger SET body = replace(body, 'refuse', 'approve') WHERE seq = :seq", seq=made.ledger_seq)
    with pytest.raises(LedgerBroken):
        in_force(room, made)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM decision",
        "DELETE FROM withdrawal",
        "UPDATE withdrawal SET at = '2026-01-01 00:00:00.000000'",
        "UPDATE withdrawal SET reason = 'Another.'",
        "UPDATE withdrawal SET by_person = NULL",
        "UPDATE decision SET statement = NULL, typed_name = 'x'",
        "UPDATE decision SET statement = NULL, verdict = 'refuse'",
    ],
)
def test_the_database_itself_refuses_to_change_a_decision(room: Room, statement: str) -> None:
    approval = room.approved()
    with room.db.begin() as session:
        withdraw(session, approval, by_person=AUTHOR, reason="Edited.", now=room.clock.now())
    before = room.everything()
    with pytest.raises(DBAPIError, match="evidence"):
        room.run(statement)
    assert room.everything() == before


@pytest.mark.parametrize("table", ["decision", "withdrawal", "approval_request"])
def test_sqlites_replace_does_not_get_around_the_guards(room: Room, table: str) -> None:
    if not room.db.is_sqlite:
        pytest.skip("PostgreSQL has no OR REPLACE")
    approval = room.approved()
    with room.db.begin() as session:
        withdraw(session, approval, by_person=AUTHOR, reason="Edited.", now=room.clock.now())
    before = room.everything()
    with pytest.raises(DBAPIError, match="evidence"):
        room.run(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    assert room.everything() == before


def test_erasing_the_words_keeps_the_approval_and_the_chain_whole(room: Room) -> None:
    approval = room.approved()
    with room.db.read() as session:
        chain = ledger_check.verify(session)
    room.run("UPDATE decision SET typed_name = NULL")  # one text first, the rest later
    assert in_force(room, approval)
    room.run("UPDATE decision SET statement = NULL, typed_name = NULL, answers = NULL, text_salt = NULL")
    assert in_force(room, approval)
    with room.db.read() as session:
        stored = session.get_one(Decision, approval.id)
        assert (stored.statement, stored.typed_name, stored.answers, stored.text_salt) == (None, None, None, None)
        assert ledger_check.verify(session) == chain
    assert STATEMENT not in str(room.everything())
    with pytest.raises(DBAPIError, match="evidence"):
        room.run("UPDATE decision SET statement = 'What I really said'")


def test_the_reason_of_a_withdrawal_can_be_erased(room: Room) -> None:
    approval = room.approved()
    with room.db.begin() as session:
        withdraw(session, approval, by_person=AUTHOR, reason="Amy's mother rang.", now=room.clock.now())
    room.run("UPDATE withdrawal SET reason = NULL, reason_salt = NULL")
    with room.db.read() as session:
        assert session.scalars(select(Withdrawal)).one().reason is None
        assert ledger_check.verify(session).ok


def test_a_salt_is_not_erased_before_its_words(room: Room) -> None:
    room.approved()
    with pytest.raises(DBAPIError, match="salt"):
        room.run("UPDATE decision SET text_salt = NULL")
