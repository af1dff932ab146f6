"""Passkeys and PIN of staff: the first by the password, every other by a proof, and none by whoever reads the e-mails."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import challenges, passkeys, proofs, recovery
from approvals.errors import PasskeyRefused, ProofLocked, ProofMissing, ProofRefused, ProofWrong
from approvals.tables import ApproverPin, LedgerEntry
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.accounts import mint_invitation
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.workflow import accounts, recover, roles, second_proofs, step_up
from gatekeeper.workflow import staff as staff_steps
from gatekeeper.workflow.passkey_place import place_of, why_not_here
from gatekeeper.workflow.second_proofs import CHANGE, Basis, Given
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.step_up import Proof, confirm, occasion_of
from tests.conftest import ToldClock
from tests.factories.authenticator import Authenticator
from tests.factories.school import make_services, make_settings

WORD = "three quiet green hills"
PIN, OTHER, WRONG = "482915", "739164", "905177"
BY_WORD, BY_PIN = Given(password=WORD), Given(proof=Proof(pin=PIN))


@dataclass
class Office:
    """A head, a deputy, an author and two administrators, and what they do with their proofs."""

    services: Services
    head: int
    deputy: int
    author: int
    admin: int
    other_admin: int

    def standing(self, who: int = 0) -> second_proofs.Standing:
        with self.services.db.read() as session:
            return second_proofs.standing(session, who or self.head, now=self.services.clock.now())

    def enrolled(self, given: Given = BY_WORD, *, label: str = "Telephone") -> Authenticator:
        services = self.services
        with services.db.read() as session:
            place = place_of(services, session)
        passkey = Authenticator(place=place)
        challenge = challenges.give(place.key, second_proofs.enrolment(self.head), now=services.clock.now())
        second_proofs.add_passkey(services, self.head, label=label, response=passkey.enrol(challenge), given=given)
        return passkey

    def answer(self, passkey: Authenticator, action: str = CHANGE) -> Proof:
        occasion, now = occasion_of(self.head, action), self.services.clock.now()
        return Proof(assertion=passkey.answer(challenges.give(passkey.place.key, occasion, now=now)))

    def told(self, kind: str) -> list[int]:
        with self.services.db.read() as session:
            return list(session.scalars(select(Notice.staff_id).where(Notice.kind == kind).order_by(Notice.staff_id)))

    def ledger(self) -> list[str]:
        with self.services.db.read() as session:
            kinds = session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq))
            return [kind for kind in kinds if kind.split(".")[0] in ("pin", "passkey", "recovery")]

    def recovery(self) -> str:
        asked = recover.ask(self.services, self.head, reason="Lost the telephone on a trip.", by=self.admin).id
        self.delivered()
        return asked

    def delivered(self) -> None:
        with self.services.step() as session:
            for notice in session.scalars(select(Notice).where(Notice.kind == "recovery_asked")):
                notice.sent_at, notice.failed_at, notice.problem = self.services.clock.now(), None, ""


@pytest.fixture
def office(database: Database, tmp_path: Path, clock: ToldClock) -> Office:
    settings = replace(make_settings(tmp_path, database.url), secrets={"WEB_KEY": "only for tests, only for tests"})
    services = make_services(database, tmp_path, clock, settings=settings)
    roles_of = (Role.HEADTEACHER, Role.DEPUTY, Role.AUTHOR, Role.ADMINISTRATOR, Role.ADMINISTRATOR)
    ids = [
        accounts.add_user(services, name=f"P {n}", email=f"p{n}@hillside.example", role=role, password=WORD)
        for n, role in enumerate(roles_of)
    ]
    return Office(services, *ids)


def test_the_first_proof_needs_the_password_and_every_other_a_proof(office: Office) -> None:
    assert office.standing().basis is Basis.PASSWORD
    with pytest.raises(BadInput) as refused:
        second_proofs.set_pin(office.services, office.head, PIN, Given(password="not it, not it"))
    assert "password" in refused.value.fields
    second_proofs.set_pin(office.services, office.head, PIN, BY_WORD)
    assert office.standing().basis is Basis.PROOF
    with pytest.raises(ProofMissing):
        second_proofs.set_pin(office.services, office.head, OTHER, BY_WORD)
    with pytest.raises(ProofMissing):
        office.enrolled(BY_WORD)
    with pytest.raises(ProofWrong):
        second_proofs.set_pin(office.services, office.head, OTHER, Given(proof=Proof(pin=WRONG)))
    second_proofs.set_pin(office.services, office.head, OTHER, BY_PIN)
    office.enrolled(Given(proof=Proof(pin=OTHER)))
    assert office.ledger() == ["pin.set", "pin.set", "passkey.added"]
    assert office.told("proof_changed") == [office.head] * 3


def test_whoever_reads_the_e_mails_and_sets_a_new_password_gets_no_proof_by_it(
    office: Office, clock: ToldClock
) -> None:
    second_proofs.set_pin(office.services, office.head, PIN, BY_WORD)
    with office.services.step() as session:
        link = mint_invitation(session, office.head, clock.now())
    accounts.set_password_by_link(office.services, link, password="four loud purple rivers")
    thief = Given(password="four loud purple rivers")
    clock.advance(days=30)
    for attempt in (
        lambda: second_proofs.set_pin(office.services, office.head, OTHER, thief),
        lambda: office.enrolled(thief),
        lambda: second_proofs.remove_pin(office.services, office.head, thief),
    ):
        with pytest.raises((ProofRefused, Conflict)):
            attempt()
    assert confirm(office.services, office.head, Proof(pin=PIN), action="x") == "pin"


def test_only_who_decides_gets_a_proof(office: Office) -> None:
    with pytest.raises(NotAllowed):
        second_proofs.set_pin(office.services, office.author, PIN, BY_WORD)


@pytest.mark.parametrize("pin", ["123456", "12", ""])
def test_an_unusable_pin_costs_no_try_of_the_present_one(office: Office, pin: str) -> None:
    second_proofs.set_pin(office.services, office.head, PIN, BY_WORD)
    with pytest.raises(BadInput) as refused:
        second_proofs.set_pin(office.services, office.head, pin, Given(proof=Proof(pin=WRONG)))
    assert "pin" in refused.value.fields
    with office.services.db.read() as session:
        assert session.get_one(ApproverPin, office.head).failures == 0


def test_a_passkey_steps_up_for_its_own_action_and_once(office: Office) -> None:
    passkey = office.enrolled()
    proof = office.answer(passkey, "deputy")
    with pytest.raises(PasskeyRefused, match="used already"):
        confirm(office.services, office.head, proof, action="other")
    assert confirm(office.services, office.head, proof, action="deputy") == "passkey"
    with pytest.raises(PasskeyRefused, match="used already"):
        confirm(office.services, office.head, proof, action="deputy")
    with pytest.raises(PasskeyRefused, match="not one of yours"):
        confirm(office.services, office.deputy, proof, action="deputy")


def test_a_passkey_that_was_copied_is_ended_and_its_owner_told(office: Office) -> None:
    passkey = office.enrolled()
    passkey.counter = 9
    confirm(office.services, office.head, office.answer(passkey), action=CHANGE)
    passkey.counter = 2
    with pytest.raises(PasskeyRefused, match="counted backwards"):
        confirm(office.services, office.head, office.answer(passkey), action=CHANGE)
    assert office.standing().passkeys == ()
    assert office.standing().basis is Basis.PROOF  # not the first proof again: only a recovery helps
    assert office.told("proof_changed") == [office.head] * 2
    assert office.ledger() == ["passkey.added", "passkey.ended"]


def test_the_last_proof_cannot_be_taken_away(office: Office) -> None:
    passkey = office.enrolled()
    only = office.standing().passkeys[0].id
    with pytest.raises(Conflict, match="only proof"):
        second_proofs.end_passkey(office.services, office.head, only, Given(proof=office.answer(passkey)))
    second_proofs.set_pin(office.services, office.head, PIN, Given(proof=office.answer(passkey)))
    second_proofs.remove_pin(office.services, office.head, Given(proof=office.answer(passkey)))
    with pytest.raises(Conflict, match="only proof"):
        second_proofs.remove_pin(office.services, office.head, Given(proof=office.answer(passkey)))
    second_proofs.set_pin(office.services, office.head, PIN, Given(proof=office.answer(passkey)))
    second_proofs.end_passkey(office.services, office.head, only, BY_PIN)
    with pytest.raises(NotFound):
        second_proofs.end_passkey(office.services, office.head, only, BY_PIN)


def test_a_passkey_is_renamed_by_its_owner_only(office: Office) -> None:
    office.enrolled()
    mine = office.standing().passkeys[0].id
    second_proofs.rename_passkey(office.services, office.head, mine, label="  My   new telephone ")
    assert office.standing().passkeys[0].label == "My new telephone"
    with pytest.raises(NotFound):
        second_proofs.rename_passkey(office.services, office.deputy, mine, label="Mine now")
    for label in ("", "   ", "x" * 61):
        with pytest.raises(BadInput):
            second_proofs.rename_passkey(office.services, office.head, mine, label=label)


def test_a_locked_pin_is_unlocked_behind_the_password_and_a_passkey_needs_no_unlocking(office: Office) -> None:
    passkey = office.enrolled()
    second_proofs.set_pin(office.services, office.head, PIN, Given(proof=office.answer(passkey)))
    for _ in range(5):
        with pytest.raises(ProofRefused):
            confirm(office.services, office.head, Proof(pin=WRONG), action="x")
    with pytest.raises(ProofLocked):
        confirm(office.services, office.head, Proof(pin=PIN), action="x")
    assert office.told("pin_locked") == [office.head]
    assert confirm(office.services, office.head, office.answer(passkey, "x"), action="x") == "passkey"
    with pytest.raises(ProofWrong, match="4 tries left"):
        second_proofs.unlock_pin(office.services, office.head, WRONG)
    second_proofs.unlock_pin(office.services, office.head, PIN)
    assert confirm(office.services, office.head, Proof(pin=PIN), action="x") == "pin"


def test_the_pin_raced_by_fifty_threads_is_tried_five_times(office: Office) -> None:
    second_proofs.set_pin(office.services, office.head, PIN, BY_WORD)
    looked: list[str] = []
    verified = proofs._verified

    def counted(pin_hash: str, pin: str) -> bool:
        looked.append(pin)
        return verified(pin_hash, pin)

    def attempt(number: int) -> bool:
        try:
            confirm(office.services, office.head, Proof(pin=f"{200_000 + number * 7}"), action="x")
        except ProofRefused:
            return False
        return True

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(50) as pool:
        patch.setattr(proofs, "_verified", counted)
        assert not any(pool.map(attempt, range(50)))
    assert len(looked) == 5
    assert office.told("pin_locked") == [office.head]


def test_one_answer_of_a_passkey_raced_by_threads_counts_once(office: Office) -> None:
    proof = office.answer(office.enrolled(), "x")

    def attempt(_: int) -> bool:
        try:
            confirm(office.services, office.head, proof, action="x")
        except PasskeyRefused:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(attempt, range(12))) == 1


def test_a_recovery_is_told_to_all_and_lets_choose_anew_after_a_day(office: Office, clock: ToldClock) -> None:
    old = office.enrolled()
    second_proofs.set_pin(office.services, office.head, PIN, Given(proof=office.answer(old)))
    office.recovery()
    assert office.told("recovery_asked") == sorted([office.head, office.other_admin])
    with pytest.raises(ProofRefused):
        second_proofs.set_pin(office.services, office.head, OTHER, BY_WORD)
    clock.advance(hours=24)
    assert office.standing().basis is Basis.RECOVERY
    with pytest.raises(BadInput):
        second_proofs.set_pin(office.services, office.head, OTHER, Given(password="not it, not it"))
    second_proofs.set_pin(office.services, office.head, OTHER, BY_WORD)
    assert (office.standing().passkeys, office.standing().pin) == ((), True)
    assert confirm(office.services, office.head, Proof(pin=OTHER), action="x") == "pin"
    with pytest.raises(ProofRefused):
        second_proofs.set_pin(office.services, office.head, WRONG, BY_WORD)
    assert office.ledger()[-4:] == ["recovery.used", "pin.removed", "passkey.ended", "pin.set"]


def test_a_recovery_may_bring_a_passkey_and_a_refused_one_ends_nothing(office: Office, clock: ToldClock) -> None:
    second_proofs.set_pin(office.services, office.head, PIN, BY_WORD)
    office.recovery()
    clock.advance(hours=25)
    with pytest.raises(BadInput):
        second_proofs.add_passkey(office.services, office.head, label="New", response="{}", given=BY_WORD)
    assert office.standing().pin
    assert office.standing().basis is Basis.RECOVERY
    office.enrolled(BY_WORD)
    assert (len(office.standing().passkeys), office.standing().pin) == (1, False)


@pytest.mark.parametrize("who", ["head", "deputy", "author", "admin", "other_admin"])
def test_the_person_the_head_and_who_asked_can_stop_it(office: Office, clock: ToldClock, who: str) -> None:
    second_proofs.set_pin(office.services, office.head, PIN, BY_WORD)
    asked = office.recovery()
    with office.services.db.read() as session:
        by = session.get_one(Staff, getattr(office, who))
    if who not in ("head", "admin"):
        with pytest.raises(NotAllowed):
            recover.stop(office.services, asked, by=by)
        return
    recover.stop(office.services, asked, by=by)
    with pytest.raises(Conflict):
        recover.stop(office.services, asked, by=by)
    clock.advance(hours=25)
    assert office.standing().basis is Basis.PROOF
    assert office.head in office.told("recovery_stopped") or who == "head"


def _deactivate(office: Office) -> None:
    staff_steps.deactivate(office.services, office.deputy, by=office.admin)


def _change_role(office: Office) -> None:
    with office.services.step() as session:
        deputy = session.get_one(Staff, office.deputy)
        roles.appoint(session, deputy, Role.AUTHOR, by=office.admin, now=office.services.clock.now())


@pytest.mark.parametrize("change", [_deactivate, _change_role], ids=["closed", "role"])
def test_a_change_of_the_account_ends_a_recovery(office: Office, change: Callable[[Office], None]) -> None:
    second_proofs.set_pin(office.services, office.deputy, PIN, BY_WORD)
    recover.ask(office.services, office.deputy, reason="Forgot it over the summer.", by=office.admin)
    change(office)
    with office.services.db.read() as session:
        assert recovery.waiting(session, office.deputy) is None
    assert office.ledger()[-1] == "recovery.stopped"


def test_a_recovery_cannot_be_asked_without_need_or_reason_or_for_oneself(office: Office) -> None:
    for who, reason in ((office.head, "Lost the telephone."), (office.admin, "Lost my telephone."), (office.head, "x")):
        with pytest.raises(BadInput) as refused:
            recover.ask(office.services, who, reason=reason, by=office.admin)
        assert "recovery_reason" in refused.value.fields
    with pytest.raises(NotFound):
        recover.ask(office.services, 999, reason="Lost the telephone.", by=office.admin)


def test_a_lapsed_recovery_is_closed_by_the_timer(office: Office, clock: ToldClock) -> None:
    second_proofs.set_pin(office.services, office.head, PIN, BY_WORD)
    office.recovery()
    assert recover.close_lapsed(office.services) == 0
    clock.advance(days=9)
    assert recover.close_lapsed(office.services) == 1
    assert recover.close_lapsed(office.services) == 0
    with office.services.db.read() as session:
        head = session.get_one(Staff, office.head)
        assert recover.waiting_for_eyes_of(session, head, now=clock.now()) == []


def test_every_change_stands_in_the_audit_without_any_secret(office: Office) -> None:
    passkey = office.enrolled()
    second_proofs.set_pin(office.services, office.head, PIN, Given(proof=office.answer(passkey)))
    second_proofs.remove_pin(office.services, office.head, Given(proof=office.answer(passkey)))
    with office.services.db.read() as session:
        lines = session.scalars(select(Audit).where(Audit.staff_id == office.head).order_by(Audit.id)).all()
        assert [line.action for line in lines if "pin" in line.action or "passkey" in line.action] == [
            "passkey.added", "pin.set", "pin.removed",
        ]  # fmt: skip
        bodies = " ".join(session.scalars(select(LedgerEntry.body)))
        assert PIN not in bodies
        assert passkeys.had_one(session, office.head)


@pytest.mark.parametrize(
    ("url", "host", "sentence"),
    [
        ("http://localhost:8000", "localhost", ""),
        ("http://localhost:8000", "127.0.0.1", "only at http://localhost:8000"),
        ("https://posts.school.example", "posts.school.example", ""),
        ("https://posts.school.example", "10.0.0.7", "only at https://posts.school.example,"),
        ("https://10.0.0.7", "10.0.0.7", "reached by a number"),
    ],
    ids=["demo", "number", "school", "inside", "nameless"],
)
def test_says_where_a_passkey_cannot_work(tmp_path: Path, url: str, host: str, sentence: str) -> None:
    settings = replace(make_settings(tmp_path, ""), public_url=url)
    found = why_not_here(settings, host=host)
    assert sentence in found
    assert bool(sentence) == bool(found)


def test_the_words_of_a_missing_proof_are_plain(office: Office) -> None:
    second_proofs.set_pin(office.services, office.head, PIN, BY_WORD)
    with pytest.raises(ProofMissing, match="your passkey, or your PIN"):
        confirm(office.services, office.head, Proof(), action="x")
    assert step_up.NOT_GIVEN.endswith(".")


@pytest.mark.parametrize("spoilt", ["never sent", "came back", "put away"])
def test_a_recovery_serves_nobody_until_its_person_could_read_of_it_for_a_day(
    office: Office, clock: ToldClock, spoilt: str
) -> None:
    """Whoever runs the mail server, or puts the e-mail away, must not become the headteacher unseen."""
    second_proofs.set_pin(office.services, office.head, PIN, BY_WORD)
    office.recovery()
    mine = select(Notice).where(Notice.kind == "recovery_asked", Notice.staff_id == office.head)
    with office.services.step() as session:
        notice = session.scalars(mine).one()
        notice.sent_at = None if spoilt == "never sent" else notice.sent_at
        notice.failed_at = clock.now() if spoilt == "came back" else None
        notice.problem = "" if spoilt == "never sent" else "It was not delivered."
    clock.advance(days=3)
    assert office.standing().basis is Basis.PROOF
    with pytest.raises(ProofRefused):
        second_proofs.set_pin(office.services, office.head, OTHER, BY_WORD)
    office.delivered()
    clock.advance(hours=23)
    assert office.standing().basis is Basis.PROOF
    clock.advance(hours=1)
    second_proofs.set_pin(office.services, office.head, OTHER, BY_WORD)
