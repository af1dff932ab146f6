"""Questions, appointments and passkeys that were changed, put in, taken away or brought back are told by the checker."""

from datetime import timedelta

import pytest

from approvals import challenges, deputies, ledger_records, passkeys
from approvals.challenges import Occasion
from approvals.deputies import Ending
from approvals.ledger_check import Verification
from approvals.tables import ApproverPasskey, DeputyAppointment
from tests.approvals.room import DEPUTY, HEAD, Room
from tests.approvals.test_ledger_records import put_in
from tests.factories.authenticator import PLACE, Authenticator
from tests.fixtures.signing import SIGNER


def verified(room: Room) -> Verification:
    with room.db.read() as session:
        return ledger_records.verify(session, keys=[SIGNER.public])


@pytest.fixture
def filled(room: Room) -> Room:
    """A question, an appointment that was ended, and a passkey that was; nothing guards the rows any more."""
    room.ask()
    with room.db.begin() as session:
        now = room.clock.now()
        appointment = deputies.name(
            session,
            head_id=HEAD,
            deputy_id=DEPUTY,
            starts_at=now,
            ends_at=now + timedelta(days=3),
            reason="At a conference in Leeds.",
            proof_method="pin",
            now=now,
        )
        occasion = Occasion(person_id=HEAD, purpose="enrol")
        sent = Authenticator().enrol(challenges.give(PLACE.key, occasion, now=now))
        passkey = passkeys.add(session, sent, occasion, label="Telephone", place=PLACE, now=now)
        room.clock.advance(minutes=1)
        deputies.end(
            session,
            session.get_one(DeputyAppointment, appointment.id),
            by_person=HEAD,
            how=Ending.BY_HAND,
            now=room.clock.now(),
        )
        passkeys.end(session, session.get_one(ApproverPasskey, passkey.id), by_person=HEAD, now=room.clock.now())
    assert verified(room).ok
    room.unguard()
    return room


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE approval_request SET author_id = 9", "the question in entry"),
        ("UPDATE approval_request SET override_asked = NOT override_asked", "the question in entry"),
        ("UPDATE approval_request SET expires_at = '2027-01-01 09:00:00.000000'", "the question in entry"),
        ("DELETE FROM approval_request", "a question whose record is gone"),
        ("UPDATE deputy_appointment SET deputy_id = 9", "the appointment of a deputy in entry"),
        ("UPDATE deputy_appointment SET reason = 'Because I said so.'", "the appointment of a deputy in entry"),
        ("UPDATE deputy_appointment SET ends_at = '2027-01-01 09:00:00.000000'", "the appointment of a deputy in"),
        ("UPDATE deputy_appointment SET ended_at = NULL, ended_by = NULL", "hold as not ended"),
        ("DELETE FROM deputy_appointment", "an appointment of a deputy whose record is gone"),
        ("UPDATE approver_passkey SET person_id = 9", "the passkey in entry"),
        ("UPDATE approver_passkey SET public_key = 'AAAA'", "the passkey in entry"),
        ("UPDATE approver_passkey SET ended_at = NULL, ended_by = NULL", "hold as not ended"),
        ("UPDATE approver_passkey SET id = 'f00d'", "but the ledger knows none"),
        ("DELETE FROM approver_passkey", "a passkey whose record is gone"),
    ],
    ids=lambda value: value.replace(" ", "-")[:60],
)
def test_every_change_behind_the_programs_back_is_told(filled: Room, change: str, told: str) -> None:
    put_in(filled, change)
    found = verified(filled)
    assert not found.ok
    assert any(told in problem.problem for problem in found.records), [one.problem for one in found.records]


def test_an_erased_reason_is_not_missed(filled: Room) -> None:
    put_in(filled, "UPDATE deputy_appointment SET reason = NULL, reason_salt = NULL")
    assert verified(filled).ok
