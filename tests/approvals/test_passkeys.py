import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from approvals import challenges, passkeys
from approvals.assertions import from_base64url, to_base64url
from approvals.challenges import Occasion
from approvals.errors import LinkUnknown, PasskeyFault, PasskeyRefused
from approvals.passkeys import PasskeyCheck
from approvals.proofs import ProvedView
from approvals.tables import ApproverPasskey, LedgerEntry, PasskeyChallenge
from approvals.tokens import view
from tests.approvals.room import DEPUTY, HEAD, Room
from tests.factories.authenticator import PLACE, PRESENT, VERIFIED, Authenticator

ENROL, DEED = Occasion(person_id=HEAD, purpose="enrol"), Occasion(person_id=HEAD, purpose="deputy")
ELSEWHERE = replace(PLACE, origin="https://quarrybank.example.evil", rp_id="quarrybank.example.evil")


def given(room: Room, occasion: Occasion, *, key: bytes = PLACE.key) -> bytes:
    return challenges.give(key, occasion, now=room.clock.now())


def enrolled(room: Room, passkey: Authenticator | None = None, *, person: int = HEAD) -> Authenticator:
    passkey = passkey or Authenticator()
    occasion = Occasion(person_id=person, purpose="enrol")
    with room.db.begin() as session:
        sent = passkey.enrol(given(room, occasion))
        passkeys.add(session, sent, occasion, label="Telephone", place=PLACE, now=room.clock.now())
    return passkey


def add(room: Room, sent: str) -> None:
    with room.db.begin() as session:
        passkeys.add(session, sent, ENROL, label="Telephone", place=PLACE, now=room.clock.now())


def tried(room: Room, sent: str, occasion: Occasion = DEED) -> PasskeyCheck:
    with room.db.begin() as session:
        return passkeys.check(session, sent, occasion, place=PLACE, now=room.clock.now())


def kinds(room: Room) -> list[str]:
    with room.db.read() as session:
        return list(session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq)))[1:]


def only(room: Room) -> ApproverPasskey:
    with room.db.read() as session:
        return session.scalars(select(ApproverPasskey)).one()


@pytest.mark.parametrize("kind", ["ES256", "RS256", "EdDSA"])
def test_a_passkey_of_each_kind_is_enrolled_and_answers(room: Room, kind: str) -> None:
    passkey = enrolled(room, Authenticator(kind))
    check = tried(room, passkey.answer(given(room, DEED)))
    check.demand()
    kept = only(room)
    assert check.ok
    assert check.passkey_id == kept.id
    assert (kept.label, kept.transports, kept.last_used_at) == ("Telephone", ["internal"], room.clock.now())
    assert kinds(room) == ["passkey.added"]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"origin": "https://quarrybank.example.evil"}, PasskeyFault.ELSEWHERE),
        ({"origin": "http://127.0.0.1:8000"}, PasskeyFault.ELSEWHERE),
        ({"crossOrigin": True}, PasskeyFault.ELSEWHERE),
        ({"rp_id": "quarrybank.example.evil"}, PasskeyFault.UNSIGNED),
        ({"flags": PRESENT}, PasskeyFault.UNVERIFIED),
    ],
    ids=["origin", "number", "frame", "rp", "unverified"],
)
def test_cannot_enrol_wrongly(room: Room, wrong: dict[str, Any], fault: PasskeyFault) -> None:
    with pytest.raises(PasskeyRefused) as refused:
        add(room, Authenticator().enrol(given(room, ENROL), **wrong))
    assert refused.value.fault is fault
    assert room.rows()["approver_passkey"] == 0


def test_cannot_enrol_on_a_challenge_for_something_or_somebody_else(room: Room) -> None:
    others = [DEED, Occasion(person_id=DEPUTY, purpose="enrol"), Occasion(person_id=HEAD, purpose="enrol", subject="x")]
    for other in others:
        with pytest.raises(PasskeyRefused, match="used already"):
            add(room, Authenticator().enrol(given(room, other)))
    with pytest.raises(PasskeyRefused, match="used already"):
        add(room, Authenticator().enrol(given(room, ENROL, key=b"another key of somebody else's..")))
    assert room.rows()["approver_passkey"] == 0


def test_cannot_enrol_the_same_passkey_twice_not_even_for_another_person(room: Room) -> None:
    passkey = enrolled(room)
    with pytest.raises(PasskeyRefused, match="known here already"):
        enrolled(room, passkey)
    with pytest.raises(PasskeyRefused, match="known here already"):
        enrolled(room, passkey, person=DEPUTY)


def test_cannot_enrol_an_eleventh(room: Room) -> None:
    for _ in range(passkeys.MOST):
        enrolled(room)
    with pytest.raises(PasskeyRefused, match="you have ten"):
        enrolled(room)


def test_cannot_enrol_twice_on_one_challenge(room: Room) -> None:
    challenge = given(room, ENROL)
    add(room, Authenticator().enrol(challenge))
    with pytest.raises(PasskeyRefused, match="used already"):
        add(room, Authenticator().enrol(challenge))


@pytest.mark.parametrize(
    "sent", ["", "{}", "null", "[]", '{"response": 7}', "x" * 30_000, '{"response": {"clientDataJSON": "é"}}']
)
def test_what_is_no_answer_at_all_is_refused_calmly(room: Room, sent: str) -> None:
    enrolled(room)
    assert tried(room, sent).fault is PasskeyFault.UNREADABLE
    with pytest.raises(PasskeyRefused, match="no passkey's answer"):
        add(room, sent)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"origin": "https://quarrybank.example.evil"}, PasskeyFault.ELSEWHERE),
        ({"rp_id": "quarrybank.example.evil"}, PasskeyFault.ELSEWHERE),
        ({"flags": PRESENT}, PasskeyFault.UNVERIFIED),
        ({"flags": VERIFIED}, PasskeyFault.UNSIGNED),
        ({"type": "webauthn.create"}, PasskeyFault.UNREADABLE),
        ({"crossOrigin": True}, PasskeyFault.UNREADABLE),
    ],
    ids=["origin", "rp", "unverified", "absent", "type", "frame"],
)
def test_cannot_answer_wrongly(room: Room, wrong: dict[str, Any], fault: PasskeyFault) -> None:
    passkey = enrolled(room)
    challenge = given(room, DEED)
    check = tried(room, passkey.answer(challenge, **wrong))
    assert check.fault is fault
    with pytest.raises(PasskeyRefused, match=r"^[A-Z].+\.$"):
        check.demand()
    assert tried(room, passkey.answer(challenge)).ok  # the challenge is not used up by what did not count


def test_cannot_answer_with_somebody_elses_signature(room: Room) -> None:
    passkey = enrolled(room)
    thief = Authenticator(credential_id=passkey.credential_id)
    assert tried(room, thief.answer(given(room, DEED))).fault is PasskeyFault.UNSIGNED
    sent = json.loads(passkey.answer(given(room, DEED)))
    for part in ("authenticatorData", "signature"):
        spoilt = json.loads(json.dumps(sent))
        data = bytearray(from_base64url(spoilt["response"][part]))
        data[-1] ^= 1
        spoilt["response"][part] = to_base64url(bytes(data))
        assert tried(room, json.dumps(spoilt)).fault is PasskeyFault.UNSIGNED


def test_cannot_answer_with_a_passkey_of_somebody_else_or_an_ended_one(room: Room) -> None:
    passkey, deputys = enrolled(room), enrolled(room, person=DEPUTY)
    assert tried(room, deputys.answer(given(room, DEED))).fault is PasskeyFault.UNKNOWN
    assert tried(room, Authenticator().answer(given(room, DEED))).fault is PasskeyFault.UNKNOWN
    with room.db.begin() as session:
        mine = passkeys.standing(session, HEAD)[0]
        passkeys.end(session, mine, by_person=HEAD, now=room.clock.now())
        passkeys.end(session, mine, by_person=HEAD, now=room.clock.now())
    assert tried(room, passkey.answer(given(room, DEED))).fault is PasskeyFault.UNKNOWN
    assert kinds(room) == ["passkey.added", "passkey.added", "passkey.ended"]


def test_cannot_answer_twice(room: Room) -> None:
    passkey = enrolled(room)
    challenge = given(room, DEED)
    assert tried(room, passkey.answer(challenge)).ok
    assert tried(room, passkey.answer(challenge)).fault is PasskeyFault.STALE


@pytest.mark.parametrize("seconds", [-2, 300, 86_400 * 3])
def test_cannot_answer_late_or_before_the_question(room: Room, seconds: int) -> None:
    passkey = enrolled(room)
    challenge = given(room, DEED)
    room.clock.advance(seconds=seconds)
    assert tried(room, passkey.answer(challenge)).fault is PasskeyFault.STALE


def test_cannot_answer_for_another_deed_or_another_person(room: Room) -> None:
    passkey = enrolled(room)
    for other in (ENROL, Occasion(person_id=DEPUTY, purpose="deputy"), Occasion(person_id=HEAD, purpose="view")):
        assert tried(room, passkey.answer(given(room, other))).fault is PasskeyFault.STALE
    assert tried(room, passkey.answer(b"\0" * 32)).fault is PasskeyFault.STALE
    assert tried(room, passkey.answer(b"")).fault is PasskeyFault.STALE


def test_a_counter_that_goes_back_ends_the_passkey(room: Room) -> None:
    passkey = enrolled(room, Authenticator(counts=True, counter=7))
    assert tried(room, passkey.answer(given(room, DEED))).ok
    passkey.counter = 3  # a copy that was made earlier
    check = tried(room, passkey.answer(given(room, DEED)))
    assert check.fault is PasskeyFault.COPIED
    assert check.ended_now
    passkey.counter = 99
    assert tried(room, passkey.answer(given(room, DEED))).fault is PasskeyFault.UNKNOWN
    assert kinds(room) == ["passkey.added", "passkey.ended"]


def test_a_forged_counter_ends_nothing(room: Room) -> None:
    passkey = enrolled(room, Authenticator(counts=True, counter=7))
    thief = Authenticator(credential_id=passkey.credential_id, counter=1)
    check = tried(room, thief.answer(given(room, DEED)))
    assert (check.fault, check.ended_now) == (PasskeyFault.UNSIGNED, False)
    assert only(room).ended_at is None


def test_giving_challenges_out_writes_nothing_and_old_answers_are_forgotten_late(room: Room) -> None:
    passkey = enrolled(room)
    before = room.everything()
    for _ in range(100):
        given(room, DEED)
    assert room.everything() == before
    challenge = given(room, DEED)
    assert tried(room, passkey.answer(challenge)).ok
    room.clock.advance(hours=1)
    with room.db.begin() as session:
        assert challenges.drop_old(session, room.clock.now()) == 0
    room.clock.advance(days=1)
    with room.db.begin() as session:
        assert challenges.drop_old(session, room.clock.now()) == 2
        assert session.scalar(select(PasskeyChallenge.id)) is None


def test_a_view_is_proved_for_ten_minutes_and_for_this_request_only(room: Room) -> None:
    passkey, request = enrolled(room), room.ask()
    secret = room.opened(room.link(request))
    occasion = Occasion(person_id=HEAD, purpose="view", subject=request.id)
    other = Occasion(person_id=HEAD, purpose="view", subject="another request")

    def prove(challenge: bytes) -> ProvedView | PasskeyCheck:
        with room.db.begin() as session:
            sent = passkey.answer(challenge)
            return passkeys.prove_view(session, secret, sent, place=PLACE, now=room.clock.now())

    refused = prove(given(room, other))
    assert isinstance(refused, PasskeyCheck)
    assert refused.fault is PasskeyFault.STALE
    proof = prove(given(room, occasion))
    assert isinstance(proof, ProvedView)
    assert proof.view_secret is not None
    with room.db.read() as session:
        seen = view(session, proof.view_secret, now=room.clock.now())
        assert (seen.proved, seen.proof_method) == (True, "passkey")
        assert not view(session, secret, now=room.clock.now()).proved
        late = room.clock.now() + timedelta(minutes=10)
        assert not view(session, proof.view_secret, now=late).proved
    with room.db.begin() as session:
        passkeys.end(session, passkeys.standing(session, HEAD)[0], by_person=HEAD, now=room.clock.now())
    with room.db.read() as session, pytest.raises(LinkUnknown):
        view(session, proof.view_secret, now=room.clock.now())
