"""Approving by a passkey: its signature is over exactly this version, is needed, serves once, and is checked again later."""

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from approvals import challenges, decisions, passkeys
from approvals.assertions import canonical_assertion, check_assertion, from_base64url, to_base64url
from approvals.challenges import Occasion
from approvals.errors import LedgerBroken, PasskeyFault, PasskeyRefused, SignatureMissing, StatementMissing
from approvals.tables import ApproverPasskey, Decision, Verdict
from approvals.tokens import view
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import decide as step
from gatekeeper.workflow import sign
from gatekeeper.workflow.decide import DecisionForm
from gatekeeper.workflow.passkey_place import place_of
from gatekeeper.workflow.second_proofs import enrolment
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.authenticator import PRESENT, Authenticator
from tests.factories.school import PIN, School, make_services, make_settings


@pytest.fixture
def services(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Services:
    settings = replace(
        make_settings(tmp_path, sqlite_database.url), secrets={"WEB_KEY": "only for tests, only for tests"}
    )
    return make_services(sqlite_database, tmp_path, clock, settings=settings)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def passkey(school: School) -> Authenticator:
    """The head's, enrolled."""
    services = school.services
    with services.db.begin() as session:
        place = place_of(services, session)
        made = Authenticator(place=place, counts=True)
        occasion, now = enrolment(school.head), services.clock.now()
        sent = made.enrol(challenges.give(place.key, occasion, now=now))
        passkeys.add(session, sent, occasion, label="Telephone", place=place, now=now)
    return made


def opened(school: School, passkey: Authenticator, post_id: int) -> str:
    """The head has opened the post with the passkey."""
    secret, now = school.ask(post_id), school.services.clock.now()
    with school.services.db.read() as session:
        asked = view(session, secret, now=now).request.id
    occasion = Occasion(person_id=school.head, purpose=passkeys.VIEW, subject=asked)
    proof = sign.prove(school.services, secret, passkey.answer(challenges.give(passkey.place.key, occasion, now=now)))
    assert proof.view_secret is not None
    return proof.view_secret


def approve(school: School, secret: str, post_id: int, assertion: str = "", **other: object) -> Decision:
    words = {"typed_name": "Head Quarry", "statement": "I approve this as shown.", "verdict": Verdict.APPROVE} | other
    form = DecisionForm(digest_shown=school.digest(post_id), answers={}, assertion=assertion, **words)  # type: ignore[arg-type]
    outcome = step.decide(school.services, secret, form)
    assert outcome.decision is not None, outcome.sentence
    return outcome.decision


def signed(school: School, passkey: Authenticator, post_id: int) -> str:
    return passkey.answer(bytes.fromhex(school.digest(post_id)))


def test_the_signature_stands_with_the_decision_and_can_be_checked(school: School, passkey: Authenticator) -> None:
    post_id = school.post()
    made = approve(school, opened(school, passkey, post_id), post_id, signed(school, passkey, post_id))
    assert made.assertion is not None
    assert check_assertion(made.assertion, made.digest)
    assert (made.proof_method, school.state(post_id)) == ("passkey", PostState.SCHEDULED)
    with school.services.db.read() as session:
        decisions.check_on_record(session, session.get_one(Decision, made.id))


def test_cannot_approve_without_a_signature_and_missing_words_are_told_first(
    school: School, passkey: Authenticator
) -> None:
    post_id = school.post()
    secret = opened(school, passkey, post_id)
    with pytest.raises(StatementMissing):
        approve(school, secret, post_id, statement="")
    with pytest.raises(SignatureMissing):
        approve(school, secret, post_id)
    assert school.state(post_id) == PostState.WAITING
    approve(school, secret, post_id, signed(school, passkey, post_id))


@pytest.mark.parametrize("verdict", [Verdict.REFUSE, Verdict.CHANGES])
def test_another_answer_needs_no_signature_and_keeps_none(
    school: School, passkey: Authenticator, verdict: Verdict
) -> None:
    post_id = school.post()
    secret = opened(school, passkey, post_id)
    made = approve(school, secret, post_id, signed(school, passkey, post_id), verdict=verdict)
    assert (made.assertion, made.assertion_hash) == (None, None)


def test_a_page_opened_by_the_pin_keeps_no_signature(school: School, passkey: Authenticator) -> None:
    post_id = school.post()
    proof = step.prove(school.services, school.ask(post_id), PIN)
    made = approve(school, proof.view_secret or "", post_id, signed(school, passkey, post_id))
    assert (made.proof_method, made.assertion) == ("pin", None)


def test_cannot_approve_by_a_signature_over_something_else(school: School, passkey: Authenticator) -> None:
    post_id = school.post()
    secret = opened(school, passkey, post_id)
    digest = bytes.fromhex(school.digest(post_id))
    stranger = Authenticator(place=passkey.place, credential_id=passkey.credential_id)
    for assertion, fault in (
        (passkey.answer(b"\0" * 32), PasskeyFault.STALE),
        (passkey.answer(digest[:-1]), PasskeyFault.STALE),
        (passkey.answer(digest, flags=PRESENT), PasskeyFault.UNVERIFIED),
        (passkey.answer(digest, origin="https://evil.example"), PasskeyFault.ELSEWHERE),
        (stranger.answer(digest), PasskeyFault.UNSIGNED),
        (Authenticator(place=passkey.place).answer(digest), PasskeyFault.UNKNOWN),
        ("{}", PasskeyFault.UNREADABLE),
    ):
        with pytest.raises(PasskeyRefused) as refused:
            approve(school, secret, post_id, assertion)
        assert refused.value.fault is fault
    assert school.state(post_id) == PostState.WAITING


def test_a_copied_passkey_approves_nothing_stays_ended_and_its_owner_is_told(
    school: School, passkey: Authenticator
) -> None:
    post_id = school.post()
    secret = opened(school, passkey, post_id)
    passkey.counter = -1
    with pytest.raises(PasskeyRefused, match="counted backwards"):
        approve(school, secret, post_id, signed(school, passkey, post_id))
    assert school.state(post_id) == PostState.WAITING
    with school.services.db.read() as session:
        assert session.scalars(select(ApproverPasskey)).one().ended_at is not None
        assert session.scalar(select(Notice.staff_id).where(Notice.kind == "proof_changed")) == school.head


def test_what_was_signed_serves_one_decision(school: School, passkey: Authenticator) -> None:
    post_id = school.post()
    made = approve(school, opened(school, passkey, post_id), post_id, signed(school, passkey, post_id))
    with school.services.db.read() as session, pytest.raises(PasskeyRefused, match="used already"):
        passkeys.check_signature(session, school.head, digest=made.digest, assertion=made.assertion)


def test_a_passkey_ended_in_between_signs_nothing(school: School, passkey: Authenticator) -> None:
    digest = "ab" * 32
    with school.services.db.begin() as session:
        now, place = school.services.clock.now(), passkey.place
        check = passkeys.check_signed(
            session,
            passkey.answer(bytes.fromhex(digest)),
            person_id=school.head,
            digest=digest,
            place=place,
            now=now,
        )
        check.demand()
        assert passkeys.check_signature(session, school.head, digest=digest, assertion=check.assertion)
        for other in (school.author, 999):
            with pytest.raises(PasskeyRefused, match="not one of yours"):
                passkeys.check_signature(session, other, digest=digest, assertion=check.assertion)
        with pytest.raises(PasskeyRefused, match="does not check out"):
            passkeys.check_signature(session, school.head, digest="cd" * 32, assertion=check.assertion)
        passkeys.end(session, passkeys.standing(session, school.head)[0], by_person=None, now=now)
        with pytest.raises(PasskeyRefused, match="not one of yours"):
            passkeys.check_signature(session, school.head, digest=digest, assertion=check.assertion)


@pytest.mark.parametrize("kind", ["ES256", "RS256", "EdDSA"])
def test_whatever_is_changed_in_what_was_signed_is_seen(kind: str) -> None:
    """The checker knows nothing but the JSON and the digest."""
    made, digest = Authenticator(kind), "5a" * 32
    whole = kept_of(made, digest)
    assert check_assertion(canonical_assertion(whole), digest)
    for part in ("authenticator_data", "client_data", "signature"):
        data = bytearray(from_base64url(whole[part]))
        data[len(data) // 2] ^= 1
        assert not check_assertion(canonical_assertion(whole | {part: to_base64url(bytes(data))}), digest)
    other = kept_of(Authenticator(kind if kind != "RS256" else "ES256"), digest)
    for wrong in (
        json.dumps(whole),  # not spelt canonically
        canonical_assertion(whole | {"public_key_spki": other["public_key_spki"]}),
        canonical_assertion(whole | {"rp_id": "evil.example"}),
        "", "{}", "null", "7", "[" * 5000,
    ):  # fmt: skip
        assert not check_assertion(wrong, digest)
    for wrong in ("5b" * 32, "5a" * 31, "", "zz" * 32):
        assert not check_assertion(canonical_assertion(whole), wrong)
    for broken in (kept_of(made, digest, flags=PRESENT), kept_of(made, digest, type="webauthn.create"),
                   kept_of(made, digest, crossOrigin=True), kept_of(made, digest, rp_id="evil.example")):  # fmt: skip
        assert not check_assertion(canonical_assertion(broken), digest)


def kept_of(made: Authenticator, digest: str, **wrong: object) -> dict[str, str]:
    """What would be kept of an answer, put together by hand."""
    inner = json.loads(made.answer(bytes.fromhex(digest), **wrong))["response"]  # type: ignore[arg-type]
    spki = made.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "credential_id": to_base64url(made.credential_id),
        "public_key_cose": to_base64url(made._cose()),
        "public_key_spki": b64encode(spki).decode(),
        "rp_id": made.place.rp_id,
        "authenticator_data": inner["authenticatorData"],
        "client_data": inner["clientDataJSON"],
        "signature": inner["signature"],
    }


def test_a_record_whose_signature_was_changed_carries_no_post(school: School, passkey: Authenticator) -> None:
    post_id = school.post()
    made = approve(school, opened(school, passkey, post_id), post_id, signed(school, passkey, post_id))
    with school.services.db.read() as session:
        for spoilt in ("{}", None, (made.assertion or "").replace("localhost", "elsewhere")):
            kept = session.get_one(Decision, made.id, populate_existing=True)
            session.expunge(kept)
            kept.assertion = spoilt
            with pytest.raises(LedgerBroken):
                decisions.check_on_record(session, kept)
