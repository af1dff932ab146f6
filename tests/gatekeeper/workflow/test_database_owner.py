"""Whoever can write into the database, and nothing else, gets no proof by it: the ledger knows every passkey and PIN."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from sqlalchemy import text

from approvals import challenges, passkeys, proofs
from approvals.assertions import canonical_assertion, check_assertion, from_base64url, to_base64url
from approvals.challenges import Occasion
from approvals.errors import PasskeyFault, PasskeyRefused, ProofMissing, ProofWrong
from approvals.proofs import PinOutcome
from approvals.tables import Verdict
from approvals.tokens import secret_hash, view
from approvals.triggers import drop_triggers
from gatekeeper.db.session import Database
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import decide as step
from gatekeeper.workflow import sign
from gatekeeper.workflow.decide import DecisionForm
from gatekeeper.workflow.passkey_place import place_of
from gatekeeper.workflow.second_proofs import enrolment
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.authenticator import Authenticator
from tests.factories.school import PIN, School, make_services, make_settings

THEIRS = "905177"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve P-256


@pytest.fixture
def services(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Services:
    settings = replace(
        make_settings(tmp_path, sqlite_database.url), secrets={"WEB_KEY": "only for tests, only for tests"}
    )
    return make_services(sqlite_database, tmp_path, clock, settings=settings)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


def enrolled(school: School, person_id: int) -> Authenticator:
    services = school.services
    with services.db.begin() as session:
        place = place_of(services, session)
        made = Authenticator(place=place)
        occasion, now = enrolment(person_id), services.clock.now()
        sent = made.enrol(challenges.give(place.key, occasion, now=now))
        passkeys.add(session, sent, occasion, label="Telephone", place=place, now=now)
    return made


def opened(school: School, passkey: Authenticator, post_id: int) -> str:
    services, secret, now = school.services, school.ask(post_id), school.services.clock.now()
    with services.db.read() as session:
        asked = view(session, secret, now=now).request.id
    occasion = Occasion(person_id=school.head, purpose=passkeys.VIEW, subject=asked)
    challenge = challenges.give(passkey.place.key, occasion, now=now)
    return sign.prove(services, secret, passkey.answer(challenge)).view_secret or ""


def approve(school: School, secret: str, post_id: int, assertion: str = "") -> step.Outcome:
    form = DecisionForm(
        verdict=Verdict.APPROVE,
        digest_shown=school.digest(post_id),
        typed_name="Head Quarry",
        statement="I approve this as shown.",
        answers={},
        assertion=assertion,
    )
    return step.decide(school.services, secret, form)


def by_hand(school: School, *statements: str) -> None:
    """What the owner of the database does, who can drop triggers as well."""
    with school.services.db.engine.begin() as connection:
        for statement in (*drop_triggers("sqlite"), *statements):
            connection.execute(text(statement))


def test_cannot_become_the_head_by_writing_a_passkey_into_the_table(school: School) -> None:
    theirs = Authenticator(place=enrolled(school, school.author).place)
    post_id = school.post()
    by_hand(
        school,
        "INSERT INTO approver_passkey SELECT 'f00d', "
        f"{school.head}, '{to_base64url(theirs.credential_id)}', '{to_base64url(theirs._cose())}', 0, 'Mine', "
        "transports, added_at, NULL, NULL, NULL FROM approver_passkey LIMIT 1",
    )
    with pytest.raises(PasskeyRefused) as refused:
        opened(school, theirs, post_id)
    assert refused.value.fault is PasskeyFault.UNKNOWN
    assert school.state(post_id) == PostState.WAITING


@pytest.mark.parametrize("column", ["person_id", "public_key"])
def test_cannot_become_the_head_by_changing_the_row_of_a_passkey(school: School, column: str) -> None:
    mine, theirs = enrolled(school, school.head), enrolled(school, school.author)
    changed = f"'{to_base64url(theirs._cose())}'" if column == "public_key" else str(school.head)
    whose = mine if column == "public_key" else theirs
    theirs.credential_id = whose.credential_id
    named = to_base64url(whose.credential_id)
    by_hand(school, f"UPDATE approver_passkey SET {column} = {changed} WHERE credential_id = '{named}'")
    with pytest.raises(PasskeyRefused) as refused:
        opened(school, theirs, school.post())
    assert refused.value.fault is PasskeyFault.UNKNOWN


def test_cannot_bring_an_ended_passkey_back_to_life(school: School) -> None:
    passkey = enrolled(school, school.head)
    with school.services.db.begin() as session:
        standing = passkeys.standing(session, school.head)[0]
        passkeys.end(session, standing, by_person=school.head, now=school.services.clock.now())
    by_hand(school, "UPDATE approver_passkey SET ended_at = NULL, ended_by = NULL")
    with pytest.raises(PasskeyRefused) as refused:
        opened(school, passkey, school.post())
    assert refused.value.fault is PasskeyFault.UNKNOWN


def test_a_passkey_that_stands_in_the_ledger_opens_and_signs(school: School) -> None:
    passkey, post_id = enrolled(school, school.head), school.post()
    secret = opened(school, passkey, post_id)
    assert approve(school, secret, post_id, passkey.answer(bytes.fromhex(school.digest(post_id)))).decision


def test_cannot_become_the_head_by_writing_a_pin_into_the_table(school: School) -> None:
    secret = school.ask(school.post())
    hashed = proofs._HASHER.hash(THEIRS)
    by_hand(school, f"UPDATE approver_pin SET pin_hash = '{hashed}' WHERE person_id = {school.head}")
    with pytest.raises(ProofWrong):
        step.prove(school.services, secret, THEIRS).demand()


def test_cannot_give_a_pin_to_a_head_who_has_none(school: School) -> None:
    with school.services.db.begin() as session:
        now = school.services.clock.now()
        proofs.set_pin(session, school.author, THEIRS, now=now)
        proofs.remove_pin(session, school.head, by_person=school.head, now=now)
    secret = school.ask(school.post())
    by_hand(school, f"UPDATE approver_pin SET person_id = {school.head}")
    assert step.prove(school.services, secret, THEIRS).outcome is PinOutcome.WRONG
    assert not step.prove(school.services, secret, PIN).ok


def test_the_ledger_gives_no_help_in_guessing_a_pin(school: School) -> None:
    """What it holds is a hash of a salted hash, and the salt is not in it."""
    with school.services.db.read() as session:
        bodies = session.scalars(text("SELECT body FROM ledger WHERE kind = 'pin.set'")).all()
    assert [sorted(json.loads(body)) for body in bodies] == [["hash", "person"]]
    with pytest.raises(ProofMissing):
        proofs.PinCheck(PinOutcome.UNSET).demand()


def test_cannot_use_a_signature_twice_by_spelling_it_differently(school: School) -> None:
    """Of each ECDSA signature anybody can make a second one, without the key."""
    passkey, post_id = enrolled(school, school.head), school.post()
    made = approve(
        school, opened(school, passkey, post_id), post_id, passkey.answer(bytes.fromhex(school.digest(post_id)))
    ).decision
    assert made is not None
    assert made.assertion is not None
    parts = json.loads(made.assertion)
    r, s = decode_dss_signature(from_base64url(parts["signature"]))
    twin = canonical_assertion(parts | {"signature": to_base64url(encode_dss_signature(r, _ORDER - s))})
    assert check_assertion(twin, made.digest)
    with school.services.db.read() as session, pytest.raises(PasskeyRefused) as refused:
        passkeys.check_signature(session, school.head, digest=made.digest, assertion=twin)
    assert refused.value.fault is PasskeyFault.STALE


VIEWED = "token_id, request_id, person_id, created_at, expires_at, proved_at, proved_until, proof_method"


def test_cannot_prove_a_browser_by_writing_its_row(school: School, clock: ToldClock) -> None:
    """Whoever makes a row up knows its secret, but cannot seal it."""
    post_id = school.post()
    shown = school.ask(post_id)
    secret = "s" * 43
    by_hand(
        school,
        f"INSERT INTO approval_view (id_hash, {VIEWED}) SELECT '{secret_hash(secret)}', id, request_id, person_id, "
        "created_at, expires_at, created_at, expires_at, 'pin' FROM approval_token",
    )
    with school.services.db.begin() as session:
        assert view(session, shown, now=clock.now()).person_id == school.head
        assert not view(session, secret, now=clock.now()).proved
    with pytest.raises(ProofMissing):
        approve(school, secret, post_id)
    assert school.state(post_id) == PostState.WAITING


@pytest.mark.parametrize(
    "change", ["proved_until = expires_at", "proof_method = 'passkey'", "proved_at = '2026-11-23 08:59:00.000000'"]
)
def test_cannot_change_what_was_proved(school: School, clock: ToldClock, change: str) -> None:
    secret = step.prove(school.services, school.ask(school.post()), PIN).view_secret or ""
    with school.services.db.begin() as session:
        assert view(session, secret, now=clock.now()).proved
    by_hand(school, f"UPDATE approval_view SET {change}")
    with school.services.db.begin() as session:
        assert not view(session, secret, now=clock.now()).proved


def test_cannot_move_a_proof_to_another_question(school: School, clock: ToldClock) -> None:
    """A deputy's or an old proof, put under the token of another request."""
    secret = step.prove(school.services, school.ask(school.post()), PIN).view_secret or ""
    school.ask(school.post(text="Another one."))
    by_hand(
        school,
        "UPDATE approval_view SET (token_id, request_id) = "
        "(SELECT id, request_id FROM approval_token ORDER BY rowid DESC LIMIT 1)",
    )
    with school.services.db.begin() as session:
        assert not view(session, secret, now=clock.now()).proved
