"""Appointments in the approval room: kept whole, never overlapping, and no decision under one that does not stand."""

from datetime import timedelta
from typing import Any

import pytest

from approvals import deputies
from approvals.deputies import Ending
from approvals.errors import AppointmentRefused, NotTheApprover, StaysWithTheHead
from approvals.tables import ApprovalRequest, DeputyAppointment
from approvals.tokens import DECIDE, mint, open_link
from tests.approvals.room import AUTHOR, DEPUTY, HEAD, Room

WHY = "At the conference of headteachers."


def named(room: Room, **over: Any) -> DeputyAppointment:
    now = room.clock.now()
    values: dict[str, Any] = {
        "head_id": HEAD, "deputy_id": DEPUTY, "starts_at": now, "ends_at": now + timedelta(days=3), "reason": WHY,
        "proof_method": "pin", "now": now,
    }  # fmt: skip
    with room.db.begin() as session:
        return deputies.name(session, **(values | over))


def hand_of(room: Room, request: ApprovalRequest, person: int = DEPUTY) -> str:
    """A browser of this person with the proof given."""
    room.give_pin(person)
    with room.db.begin() as session:
        token = mint(session, request=request, person_id=person, purpose=DECIDE, now=room.clock.now())
        opened = open_link(session, token, purpose=DECIDE, now=room.clock.now())
    return room.enter(opened.view_secret).view_secret or ""


def test_a_decision_under_an_appointment_keeps_it_in_the_row_and_in_the_ledger(room: Room) -> None:
    appointment = named(room)
    decision = room.decide(hand_of(room, room.ask()), appointment_id=appointment.id)
    assert decision.appointment_id == appointment.id


@pytest.mark.parametrize("forged", ["", "0" * 32, "nobody-made-this"])
def test_cannot_decide_under_an_appointment_that_does_not_exist(room: Room, forged: str) -> None:
    named(room)
    with pytest.raises(NotTheApprover):
        room.decide(hand_of(room, room.ask()), appointment_id=forged)


def test_cannot_decide_under_somebody_elses_appointment(room: Room) -> None:
    appointment = named(room, deputy_id=9)
    with pytest.raises(NotTheApprover):
        room.decide(hand_of(room, room.ask()), appointment_id=appointment.id)


@pytest.mark.parametrize("moment", ["before", "after", "ended"])
def test_cannot_decide_under_an_appointment_out_of_its_time(room: Room, moment: str) -> None:
    now = room.clock.now()
    times = {
        "before": (now + timedelta(minutes=1), now + timedelta(days=1)),
        "after": (now, now + timedelta(minutes=5)),
        "ended": (now, now + timedelta(days=1)),
    }
    appointment = named(room, starts_at=times[moment][0], ends_at=times[moment][1])
    secret = hand_of(room, room.ask())
    if moment == "after":
        room.clock.advance(minutes=5)
    if moment == "ended":
        with room.db.begin() as session:
            row = session.get_one(DeputyAppointment, appointment.id)
            assert deputies.end(session, row, by_person=HEAD, how=Ending.BY_HAND, now=room.clock.now())
            assert not deputies.end(session, row, by_person=HEAD, how=Ending.BY_HAND, now=room.clock.now())
    with pytest.raises(NotTheApprover):
        room.decide(secret, appointment_id=appointment.id)


def test_cannot_decide_an_override_under_an_appointment_even_past_the_callers_own_rules(room: Room) -> None:
    appointment = named(room)
    secret = hand_of(room, room.ask(override_asked=True))
    with pytest.raises(StaysWithTheHead):
        room.decide(
            secret,
            appointment_id=appointment.id,
            required_findings={"7": "pupil-name"},
            answers={"7": "The family asked us in writing."},
        )
    assert room.rows()["decision"] == 0


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"deputy_id": HEAD}, "deputy"),
        ({"starts_at": timedelta(seconds=-1)}, "from"),
        ({"ends_at": timedelta(0)}, "to"),
        ({"ends_at": timedelta(days=90, hours=1, seconds=1)}, "to"),
        ({"reason": ". . . . . . . . . . . ."}, "reason"),
    ],
)
def test_cannot_be_named_like_this(room: Room, over: dict[str, Any], field: str) -> None:
    now = room.clock.now()
    values = {key: now + value if isinstance(value, timedelta) else value for key, value in over.items()}
    with pytest.raises(AppointmentRefused) as refused:
        named(room, **values)
    assert refused.value.field == field
    assert room.rows()["deputy_appointment"] == 0
    assert room.rows()["ledger"] == 0


def test_one_person_reads_no_others_appointment_as_their_own(room: Room) -> None:
    appointment = named(room)
    with room.db.read() as session:
        now = room.clock.now()
        deputies.check_in_force(session, appointment.id, person_id=DEPUTY, now=now)
        for other in (HEAD, AUTHOR):
            with pytest.raises(NotTheApprover):
                deputies.check_in_force(session, appointment.id, person_id=other, now=now)
