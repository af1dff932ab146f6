"""A channel opens only by keys the platform confirmed, the headteacher's PIN, and the declaration."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from sqlalchemy import select

from approvals import challenges, proofs
from approvals.errors import ProofLocked, ProofMissing, ProofRefused, ProofWrong
from approvals.ledger import KEY_NAMED
from approvals.tables import LedgerEntry
from gatekeeper import jobs
from gatekeeper.channels import registry, seal
from gatekeeper.channels.base import AccountIdentity, Channel, Credentials
from gatekeeper.channels.errors import AuthenticationFailed, PlatformUnavailable
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound, SettingsError
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.limits import LIMITS
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.workflow import connect, key_check, second_proofs
from gatekeeper.workflow.passkey_place import place_of
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.step_up import Proof, occasion_of
from tests.conftest import ToldClock
from tests.factories.authenticator import Authenticator
from tests.factories.school import PIN, make_services, make_settings

KEYS = {"access_token": "EAAG-very-secret", "app_id": "1", "app_secret": "s3cr3t-of-the-app"}
ADMIN, HEAD, DEPUTY = 1, 2, 3
PUBLIC, PRIVATE = seal.make_keypair()

Answering = Callable[..., Services]


@pytest.fixture
def services(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Services:
    secrets = {"WEB_KEY": "only for tests, only for tests, only"}
    settings = make_settings(tmp_path, sqlite_database.url, seal_public=PUBLIC, secrets=secrets)
    services = make_services(sqlite_database, tmp_path, clock, settings=settings)
    with services.db.begin() as session:
        for number, role in ((ADMIN, Role.ADMINISTRATOR), (HEAD, Role.HEADTEACHER), (DEPUTY, Role.DEPUTY)):
            session.add(Staff(id=number, email=f"{role}@x.example", name="N", role=role, created_at=clock.now()))
        session.flush()
        proofs.set_pin(session, HEAD, PIN, now=clock.now())
    return services


@pytest.fixture
def account(services: Services) -> int:
    return connect.register(services, typed(), by=ADMIN)


def typed(**changes: object) -> connect.Registration:
    return replace(connect.Registration(kind="facebook", name="Page", remote_id="111", secrets=KEYS), **changes)  # type: ignore[arg-type]


def answering(services: Services, answer: AccountIdentity | Exception) -> Services:
    """The platform process, whose channel gives this answer."""
    channel = create_autospec(Channel, instance=True)
    channel.verify_credentials.side_effect = [answer]
    return replace(services, channel_for=lambda _account: channel)


def row(services: Services, account_id: int) -> ChannelAccount:
    with services.db.read() as session:
        return session.get_one(ChannelAccount, account_id)


def kinds(services: Services) -> list[str]:
    with services.db.read() as session:
        return list(
            session.scalars(select(LedgerEntry.kind).where(LedgerEntry.kind != KEY_NAMED).order_by(LedgerEntry.seq))
        )


def confirm(services: Services, account_id: int) -> None:
    key_check.check(answering(services, AccountIdentity("111", "Hillside Primary")), account_id)


def open_it(services: Services, account_id: int, *, by: int = HEAD, pin: str = PIN, declared: bool = True) -> None:
    connect.open_channel(services, account_id, by=by, proof=Proof(pin=pin), declared_own=declared)


def test_the_keys_asked_for_are_the_ones_each_channel_needs() -> None:
    for kind, known in registry.KINDS.items():
        assert list(connect.SECRETS[kind]) == [field.name for field in known.secrets]
    assert set(connect.SECRETS) == set(LIMITS)


def test_keys_are_sealed_and_only_the_platform_process_can_open_them(services: Services, account: int) -> None:
    stored = row(services, account).sealed or ""
    assert "secret" not in stored
    plain = seal.unseal(PRIVATE, stored, context=seal.account_context(account))
    assert Credentials.from_json(plain.decode()).secrets == KEYS
    with services.db.read() as session:
        assert jobs.due(session, "platform", now=services.clock.now()) == [("connect", account)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "tiktok"}, "kind"),
        ({"name": "  "}, "name"),
        ({"remote_id": "@hillside"}, "remote_id"),
        ({"remote_id": "9" * 41}, "remote_id"),
        ({"secrets": {**KEYS, "app_secret": " "}}, "app_secret"),
    ],
)
def test_cannot_register_with_a_wrong_field(services: Services, changes: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        connect.register(services, typed(**changes), by=ADMIN)
    assert field in caught.value.fields


def test_cannot_register_the_same_account_twice(services: Services, account: int) -> None:
    with pytest.raises(BadInput):
        connect.register(services, typed(name="Another name"), by=ADMIN)


def test_without_a_key_to_seal_with_nothing_is_stored(services: Services) -> None:
    bare = replace(services, settings=replace(services.settings, seal_public=""))
    with pytest.raises(SettingsError):
        connect.register(bare, typed(), by=ADMIN)
    with services.db.read() as session:
        assert session.scalars(select(ChannelAccount)).all() == []


def test_confirmed_keys_wait_for_the_headteacher(services: Services, account: int) -> None:
    confirm(services, account)
    found = row(services, account)
    assert (found.status, found.identity) == ("checked", "Hillside Primary")


@pytest.mark.parametrize(
    "answer",
    [
        AccountIdentity("222", "Somebody else's page"),
        AuthenticationFailed(platform="Facebook", operation="verify_credentials"),
        SettingsError("The stored keys of a channel cannot be opened."),
    ],
)
def test_keys_that_are_not_this_accounts_hold_it_and_the_head_cannot_open_it(
    services: Services, account: int, answer: AccountIdentity | Exception
) -> None:
    key_check.check(answering(services, answer), account)
    found = row(services, account)
    assert found.status == "held"
    assert found.check_result
    with pytest.raises(Conflict):
        open_it(services, account)


def test_a_platform_that_does_not_answer_is_asked_again_later(services: Services, account: int) -> None:
    with pytest.raises(PlatformUnavailable):
        key_check.check(answering(services, PlatformUnavailable(platform="Facebook", operation="verify")), account)
    assert row(services, account).status == "new"


def test_an_answer_about_keys_that_were_renewed_meanwhile_does_not_count(services: Services, account: int) -> None:
    channel = create_autospec(Channel, instance=True)

    def renewed_meanwhile(**_: object) -> AccountIdentity:
        connect.renew(services, account, {**KEYS, "app_id": "2"}, by=ADMIN)
        return AccountIdentity("111", "Hillside Primary")

    channel.verify_credentials.side_effect = renewed_meanwhile
    key_check.check(replace(services, channel_for=lambda _account: channel), account)
    assert row(services, account).status == "new"


def test_the_head_opens_with_pin_and_declaration_and_the_ledger_keeps_it(services: Services, account: int) -> None:
    confirm(services, account)
    open_it(services, account)
    found = row(services, account)
    assert (found.status, found.declared_own, found.opened_by) == ("open", True, HEAD)
    assert kinds(services)[-1] == "channel.opened"


def test_cannot_open_without_the_declaration_or_before_the_check(services: Services, account: int) -> None:
    with pytest.raises(Conflict):
        open_it(services, account)
    confirm(services, account)
    with pytest.raises(BadInput) as caught:
        open_it(services, account, declared=False)
    assert "declared_own" in caught.value.fields
    with pytest.raises(NotFound):
        open_it(services, 999)


@pytest.mark.parametrize("somebody", [ADMIN, DEPUTY, 999])
def test_nobody_but_the_headteacher_opens_a_channel(services: Services, account: int, somebody: int) -> None:
    confirm(services, account)
    with pytest.raises(NotAllowed):
        open_it(services, account, by=somebody)


def test_wrong_pins_are_counted_and_lock(services: Services, account: int) -> None:
    confirm(services, account)
    for _ in range(4):
        with pytest.raises(ProofWrong):
            open_it(services, account, pin="111222")
    with pytest.raises((ProofWrong, ProofLocked)):
        open_it(services, account, pin="111222")
    with pytest.raises(ProofLocked):
        open_it(services, account)
    assert row(services, account).status == "checked"
    with services.db.read() as session:
        assert [notice.staff_id for notice in session.scalars(select(Notice))] == [HEAD]


def test_cannot_open_without_having_set_a_pin(services: Services, account: int) -> None:
    confirm(services, account)
    with services.db.begin() as session:
        session.get_one(Staff, HEAD).role = Role.AUTHOR
        session.get_one(Staff, DEPUTY).role = Role.HEADTEACHER
    with pytest.raises(ProofMissing):
        open_it(services, account, by=DEPUTY)


def test_a_held_channel_needs_the_head_again(services: Services, account: int) -> None:
    confirm(services, account)
    open_it(services, account)
    with pytest.raises(BadInput):
        connect.hold_channel(services, account, reason=" ", by=ADMIN)
    connect.hold_channel(services, account, reason="A stranger posted there.", by=ADMIN)
    connect.check_again(services, account, by=ADMIN)
    confirm(services, account)
    assert row(services, account).status == "checked"


def test_what_a_platform_refused_is_not_opened_by_a_proof_but_by_a_fresh_check(
    services: Services, account: int
) -> None:
    confirm(services, account)
    open_it(services, account)
    with services.db.begin() as session:  # as publishing does when the keys or the credit are refused
        present = session.get_one(ChannelAccount, account)
        present.status, present.held_reason = "held", "The school's credit with X is used up."
    assert not connect.can_be_opened(row(services, account))
    with pytest.raises(Conflict):
        open_it(services, account)
    connect.check_again(services, account, by=ADMIN)
    confirm(services, account)
    assert row(services, account).status == "open"


def passkey_answer(services: Services, action: str) -> Proof:
    """The head's new passkey, and what it signs for this action."""
    with services.db.read() as session:
        place = place_of(services, session)
    passkey, now = Authenticator(place=place), services.clock.now()
    challenge = challenges.give(place.key, second_proofs.enrolment(HEAD), now=now)
    given = second_proofs.Given(proof=Proof(pin=PIN))
    second_proofs.add_passkey(services, HEAD, label="Telephone", response=passkey.enrol(challenge), given=given)
    return Proof(assertion=passkey.answer(challenges.give(place.key, occasion_of(HEAD, action), now=now)))


def test_a_passkey_opens_a_channel_and_the_ledger_says_which_proof_it_was(services: Services, account: int) -> None:
    confirm(services, account)
    proof = passkey_answer(services, connect.ACTION)
    connect.open_channel(services, account, by=HEAD, proof=proof, declared_own=True)
    with services.db.read() as session:
        last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(1)).one()
    assert (last.kind, json.loads(last.body)["proof"]) == ("channel.opened", "passkey")


def test_what_a_passkey_signed_for_something_else_opens_no_channel(services: Services, account: int) -> None:
    confirm(services, account)
    proof = passkey_answer(services, "deputy")
    with pytest.raises(ProofRefused):
        connect.open_channel(services, account, by=HEAD, proof=proof, declared_own=True)
    assert row(services, account).status == "checked"


def test_cannot_open_without_any_proof(services: Services, account: int) -> None:
    confirm(services, account)
    with pytest.raises(ProofMissing):
        open_it(services, account, pin=" ")
    assert row(services, account).status == "checked"


def test_new_keys_for_the_same_page_keep_what_the_head_declared_of_it(services: Services, account: int) -> None:
    confirm(services, account)
    open_it(services, account)
    connect.renew(services, account, KEYS, by=ADMIN)
    assert row(services, account).status == "new"  # nothing goes out until the platform has answered
    confirm(services, account)
    assert row(services, account).status == "open"


def test_closing_destroys_the_keys(services: Services, account: int) -> None:
    connect.close_channel(services, account, by=ADMIN)
    found = row(services, account)
    assert (found.status, found.sealed) == ("closed", None)
    with pytest.raises(Conflict):
        connect.check_again(services, account, by=ADMIN)
    assert kinds(services)[-1] == "channel.closed"
