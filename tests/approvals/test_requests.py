import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError

from approvals import requests
from approvals.errors import AuthorCannotDecide, RequestClosed
from approvals.ledger import KEY_NAMED
from approvals.requests import Summary, close_if_open, expire_due, open_request, summary_of, void_requests
from approvals.tables import ApprovalRequest, LedgerEntry, RequestStatus
from tests.approvals.room import AUTHOR, DIGEST, HEAD, Room


def ledger_of(room: Room) -> list[tuple[str, dict[str, object]]]:
    with room.db.read() as session:
        query = (
            select(LedgerEntry.kind, LedgerEntry.body).where(LedgerEntry.kind != KEY_NAMED).order_by(LedgerEntry.seq)
        )
        return [(kind, json.loads(body)) for kind, body in session.execute(query)]


def status_of(room: Room, request: ApprovalRequest) -> str:
    with room.db.read() as session:
        return session.get_one(ApprovalRequest, request.id).status


def test_opening_a_request_stands_in_the_ledger_without_its_title(room: Room) -> None:
    request = room.ask(title="Well done, Amy Poppins!", override_asked=True)
    ((kind, body),) = ledger_of(room)
    assert (kind, request.opened_seq) == ("request.opened", 2)
    assert body == {
        "request": request.id,
        "subject": "post:12",
        "version": "version:34",
        "digest": DIGEST,
        "author": AUTHOR,
        "approver": HEAD,
        "override_asked": True,
        "expires_at": "2026-11-23T14:00:00.000000+00:00",
    }


def test_the_summary_comes_back_as_it_was_given(room: Room) -> None:
    now = room.clock.now()
    summary = Summary(
        ("Facebook Page", "X"), due_at=now, window_ends_at=now + timedelta(hours=2), counts={"photos": 2, "faces": 7}
    )
    request = room.ask(summary=summary)
    with room.db.read() as session:
        stored = summary_of(session.get_one(ApprovalRequest, request.id))
    assert stored == summary
    assert list(stored.counts) == ["photos", "faces"]


def test_cannot_ask_the_author_about_their_own_post(room: Room) -> None:
    with pytest.raises(AuthorCannotDecide, match="You wrote this post"):
        room.ask(approver_id=AUTHOR)
    assert not any(room.rows().values())


def test_the_database_knows_no_request_to_the_author(room: Room) -> None:
    request = room.ask()
    room.unguard()
    with pytest.raises(IntegrityError):
        room.run("UPDATE approval_request SET approver_id = author_id WHERE id = :id", id=request.id)


def test_cannot_ask_when_the_time_to_decide_is_over(room: Room) -> None:
    with pytest.raises(RequestClosed, match="already over"):
        room.ask(expires_at=room.clock.now())


def test_a_newer_request_voids_the_older_of_the_same_subject_only(room: Room) -> None:
    older, other = room.ask(), room.ask(subject="post:99")
    newer = room.ask(version_ref="version:35")
    assert [status_of(room, r) for r in (older, other, newer)] == ["void", "open", "open"]
    assert [kind for kind, _ in ledger_of(room)] == [
        "request.opened", "request.opened", "request.void", "request.opened",
    ]  # fmt: skip


def test_the_database_holds_one_open_request_per_subject(room: Room) -> None:
    room.ask()
    second = room.ask(subject="post:99")
    room.unguard()
    with pytest.raises(IntegrityError):
        room.run("UPDATE approval_request SET subject = 'post:12' WHERE id = :id", id=second.id)


def test_an_older_request_comes_back_unvoided_when_the_newer_fails(room: Room) -> None:
    older = room.ask()
    with pytest.raises(IntegrityError):
        room.ask(digest="short")
    assert status_of(room, older) == "open"
    assert len(ledger_of(room)) == 1


def test_voiding_closes_with_a_reason_and_again_does_nothing(room: Room) -> None:
    request = room.ask()
    room.link(request)
    for closed in (1, 0):
        with room.db.begin() as session:
            found = void_requests(session, "post:12", reason="The author took it back.", now=room.clock.now())
            assert len(found) == closed
    with room.db.read() as session:
        row = session.get_one(ApprovalRequest, request.id)
        assert (row.status, row.closed_at, row.closed_reason) == ("void", room.clock.now(), "The author took it back.")
    assert [kind for kind, _ in ledger_of(room)] == ["request.opened", "request.void"]
    assert "took it back" not in str(ledger_of(room))


def test_only_overdue_requests_expire_and_only_once(room: Room) -> None:
    now = room.clock.now()
    soon = room.ask(subject="post:1", expires_at=now + timedelta(hours=1))
    sooner = room.ask(subject="post:2", expires_at=now + timedelta(minutes=30))
    later = room.ask(subject="post:3", expires_at=now + timedelta(hours=1, seconds=1))
    room.clock.advance(hours=1)
    with room.db.begin() as session:
        assert [r.id for r in expire_due(session, room.clock.now())] == [soon.id, sooner.id]
        assert expire_due(session, room.clock.now()) == []
    assert status_of(room, later) == "open"
    assert [kind for kind, _ in ledger_of(room)][3:] == ["request.expired", "request.expired"]


def test_what_somebody_else_settled_is_not_told_as_expired(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.ask()
    room.clock.advance(hours=5)
    monkeypatch.setattr(requests, "close_if_open", lambda *_, **__: False)
    with room.db.begin() as session:
        assert expire_due(session, room.clock.now()) == []
    assert len(ledger_of(room)) == 1


def test_a_settled_request_is_settled_for_good(room: Room) -> None:
    request = room.ask()
    with room.db.begin() as session:
        row = session.get_one(ApprovalRequest, request.id)
        now = room.clock.now()
        assert close_if_open(session, row, status=RequestStatus.EXPIRED, reason="Too late.", now=now)
        assert not close_if_open(session, row, status=RequestStatus.DECIDED, reason="Now.", now=now)
        assert row.status == "expired"
    for again in ("open", "decided"):
        with pytest.raises(DBAPIError):
            room.run("UPDATE approval_request SET status = :s, closed_at = NULL, closed_reason = NULL", s=again)


@pytest.mark.parametrize(
    "change",
    [
        "digest = 'ef'", "version_ref = 'version:99'", "subject = 'post:1'", "author_id = 8", "approver_id = 9",
        "expires_at = '2027-01-01 00:00:00'", "override_asked = NOT override_asked", "opened_seq = 7",
    ],
)  # fmt: skip
def test_the_question_never_changes(room: Room, change: str) -> None:
    room.ask()
    with pytest.raises(DBAPIError, match="evidence"):
        room.run(f"UPDATE approval_request SET {change}")
    with pytest.raises(DBAPIError, match="evidence"):
        room.run("DELETE FROM approval_request")


def test_the_title_and_summary_of_a_request_can_be_erased(room: Room) -> None:
    """A title may hold a name, so a later purge must be able to empty it."""
    room.ask(title="Well done, Amy Poppins!")
    room.run("UPDATE approval_request SET title = '', summary = '{}'")
    assert "Poppins" not in str(room.everything())


def test_a_closed_request_says_when_and_why(room: Room) -> None:
    room.ask()
    with pytest.raises(IntegrityError):
        room.run("UPDATE approval_request SET status = 'void'")


def test_a_naive_time_is_refused(room: Room) -> None:
    with room.db.read() as session, pytest.raises(ValueError, match="naive"):
        open_request(
            session,
            subject="post:1",
            version_ref="version:1",
            digest=DIGEST,
            title="",
            summary=Summary((), due_at=room.clock.now()),
            override_asked=False,
            author_id=AUTHOR,
            approver_id=HEAD,
            now=room.clock.now().replace(tzinfo=None),
            expires_at=room.clock.now().replace(tzinfo=None) + timedelta(hours=1),
        )
