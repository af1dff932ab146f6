"""What an evidence bundle holds, for whom, and what every kind of post's past becomes in it."""

import ast
import hashlib
import io
import json
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pypdf import PdfReader
from sqlalchemy import select, text, update

from approvals import bundle_verify, decisions, deputies, ledger, proofs, tokens
from approvals.assertions import canonical_assertion, key_hash, to_base64url
from approvals.bundle_program import PARTS, program
from approvals.tables import ApprovalRequest, Decision, Verdict
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.consent import Consent
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import Photo, Post
from gatekeeper.posts.repository import move, seal
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import decide, evidence_ledger
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.evidence import Bundle, Wish, export
from tests.conftest import ToldClock
from tests.factories.bundle import (
    NAMED,
    STRANGER,
    changes_asked,
    decided,
    edited,
    repacked,
    taken_out,
    unpacked,
    whole,
    with_findings,
)
from tests.factories.school import PIN, School, make_services


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


@pytest.fixture
def verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What the program says of a bundle; it must find everything right, unless told otherwise."""

    def run(data: bytes, *words: str, code: int = 0) -> str:
        (tmp_path / "e.zip").write_bytes(data)
        found = bundle_verify.main([str(tmp_path / "e.zip"), *words])
        said = capsys.readouterr().out
        assert found == code, said
        return said

    return run


def part(data: bytes, name: str) -> Any:
    return json.loads(unpacked(data)[name])


def read_pdf(data: bytes) -> str:
    reader = PdfReader(io.BytesIO(unpacked(data)["evidence.pdf"]))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def by_role(school: School, post_id: int, role: Role, **wish: Any) -> Bundle:
    with school.services.db.read() as session:
        member = session.get_one(Staff, school.staff[role])
    return export(school.services, post_id, Wish(**wish), by=member)


def audits(school: School) -> list[Audit]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Audit).where(Audit.action == "evidence.exported").order_by(Audit.id)))


# --- what is in it ----------------------------------------------------------------------------------------------


def test_the_same_state_gives_the_same_bytes(school: School) -> None:
    post_id = whole(school)
    assert taken_out(school, post_id) == taken_out(school, post_id)


def test_it_is_the_same_on_either_database(
    database: Database, tmp_path: Path, clock: ToldClock, verified: Callable[..., str]
) -> None:
    school = School(make_services(database, tmp_path, clock))
    data = taken_out(school, whole(school))
    assert verified(data).count("WRONG") == 0
    assert taken_out(school, 1) == data


def test_it_holds_what_was_decided_and_what_became_of_it(school: School) -> None:
    data = taken_out(school, whole(school))
    files = unpacked(data)
    assert sorted(name for name in files if not name.startswith("images/")) == [
        "README.txt", "attempts.json", "consents.json", "content.json", "decision.json", "evidence.pdf",
        "findings.json", "ledger.jsonl", "manifest.json", "manifest.sig", "public_key.json", "verify.py",
    ]  # fmt: skip
    digest = part(data, "decision.json")["digest"]
    assert hashlib.sha256(b"gatekeeper version 1\n" + files["content.json"]).hexdigest() == digest
    outcome = part(data, "attempts.json")["publications"]
    assert [(one["state"], one["remote_id"], len(one["attempts"])) for one in outcome] == [
        ("published", "911", 1),
        ("published", "912", 1),
    ]
    assert [finding["rule"] for finding in part(data, "findings.json")["findings"]] == ["ranking-claim", "number-claim"]


def test_permissions_are_told_by_row_and_as_they_stood_then(school: School, clock: ToldClock) -> None:
    post_id = whole(school)
    clock.advance(days=30)
    with school.services.db.begin() as session:  # the family takes it back a month later
        rows = session.scalars(select(Consent).where(Consent.pupil_id == school.pupils["Wren"])).all()
        for row in rows:
            row.withdrawn_at, row.withdrawn_by = clock.now(), school.staff[Role.CONSENT_LEAD]
        known = {row.channel_kind: row.id for row in rows}
        school.permit(session, "Wren", "x", allowed=False)
    told = part(taken_out(school, post_id), "consents.json")["photos"][0]["faces"][0]["permissions"]
    assert {(one["channel"], one["at"], one["row"], one["answer"]) for one in told} == {
        (kind, at, known[kind], "yes")
        for kind, publication in (("x", "publication 1"), ("facebook", "publication 2"))
        for at in ("decision", publication)
    }


def test_no_pupil_is_named_anywhere_unless_asked_for(school: School) -> None:
    post_id = school.post(text="Our harvest table is full.", photos=1)
    with_findings(school, post_id, NAMED)
    decided(school, post_id)
    data = taken_out(school, post_id)
    assert all("Applethwaite" not in told.decode(errors="ignore") for told in unpacked(data).values())
    assert "Applethwaite" not in read_pdf(data)
    named = taken_out(school, post_id, names=True, reason="A parent complained to the governors.")
    assert part(named, "names.json")["findings"][0]["quote"] == "Wren Applethwaite"


def test_names_are_told_in_a_file_of_their_own_and_in_the_pdf(school: School, verified: Callable[..., str]) -> None:
    post_id = whole(school)
    plain = taken_out(school, post_id)
    assert all("Applethwaite" not in told.decode(errors="ignore") for told in unpacked(plain).values())
    assert "Applethwaite" not in read_pdf(plain)
    named = taken_out(school, post_id, names=True, reason="A parent complained to the governors.")
    people = part(named, "names.json")["people"]
    assert [(one["photo"], one["face"], one["pupil"]) for one in people] == [
        (1, 1, "Wren Applethwaite"),
        (1, 2, "Jonty Applethwaite"),
    ]
    assert "Wren Applethwaite" in read_pdf(named)
    verified(named)


def test_the_pdf_tells_the_words_the_pictures_and_how_to_check(school: School) -> None:
    data = taken_out(school, whole(school))
    told = read_pdf(data)
    for words in (
        "Evidence: post 1, version 1",
        "Approved, Monday 23 November 2026 at 09:00",
        "Mx Headteacher Quarry",
        "Harvest [party popper] at the best school — thank you!",
        "I have read this and decide so, since it shows our harvest.",
        "The governors know of it and agreed in writing.",
        "A table full of vegetables, picture 2",
        "https://platform.example/1/1",
        "register row",
        "python3 verify.py",
        part(data, "decision.json")["digest"],
    ):
        assert words in told, words
    reader = PdfReader(io.BytesIO(unpacked(data)["evidence.pdf"]))
    assert sum(len(page.images) for page in reader.pages) == 2


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("word " * 4000, id="long"),
        pytest.param("x" * 6000, id="without a space"),
        pytest.param("<b>bold & <font size=90>", id="markup"),
        pytest.param("👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 ﷽ \u202e tail \u0000\u0007 \ufffe", id="signs"),
        pytest.param("\n" * 200, id="empty lines"),
        pytest.param("שלום مرحبا 東京 ไทย", id="scripts"),
    ],
)
def test_any_words_can_be_printed(school: School, words: str, verified: Callable[..., str]) -> None:
    post_id = school.post(text=words)
    decided(school, post_id, Verdict.REFUSE)
    data = taken_out(school, post_id)
    assert len(PdfReader(io.BytesIO(unpacked(data)["evidence.pdf"])).pages) >= 1
    verified(data)


# --- every kind of past ----------------------------------------------------------------------------------------


def test_a_refusal_is_proved_and_called_one(school: School, verified: Callable[..., str]) -> None:
    post_id = school.post()
    decided(school, post_id, Verdict.REFUSE)
    data = taken_out(school, post_id)
    assert "VERIFIED: this content was refused on 2026-11-23" in verified(data)
    assert "Nothing of this version was published." in read_pdf(data)


def test_a_wish_for_changes_is_proved_with_its_marks(school: School, verified: Callable[..., str]) -> None:
    data = taken_out(school, changes_asked(school))
    said = verified(data)
    assert "sent back with changes asked for" in said
    assert "The marks are, letter by letter, what was written." in said
    assert "Please name the feast by its name." in read_pdf(data)


def test_a_withdrawn_approval_is_told_as_withdrawn(school: School, verified: Callable[..., str]) -> None:
    post_id = school.post()
    decided(school, post_id)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        touch(session, post, by=school.author, now=school.services.clock.now(), reason="A word was wrong.")
    data = taken_out(school, post_id)
    assert "note         The approval was withdrawn, ledger entry" in verified(data)
    assert "A word was wrong." in read_pdf(data)
    files = edited(unpacked(data), "decision.json", lambda told: told["withdrawal"].update(reason="No reason."))
    assert "The reason of the withdrawal is not what the ledger holds." in verified(repacked(files), code=1)


def test_the_version_decided_last_is_taken_and_an_earlier_one_on_demand(
    school: School, clock: ToldClock, verified: Callable[..., str]
) -> None:
    post_id = changes_asked(school)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        touch(session, post, by=school.author, now=clock.now())
        post.text = "Our harvest festival table is full."
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        move(post, PostState.SCANNING)
        seal(session, post, now=clock.now())
        move(post, PostState.OPEN)
    clock.advance(minutes=1)
    decided(school, post_id)
    assert part(taken_out(school, post_id), "decision.json")["version"] == 2
    first = taken_out(school, post_id, version=1)
    assert part(first, "decision.json")["decision"]["verdict"] == "changes"
    verified(first)
    with pytest.raises(NotFound, match="no version 3"):
        taken_out(school, post_id, version=3)


def test_words_for_one_channel_alone_stand_in_the_evidence_and_under_its_digest(
    school: School, verified: Callable[..., str]
) -> None:
    post_id = school.post(wordings={"x": "A full table. Thank you!"})
    decided(school, post_id)
    data = taken_out(school, post_id)
    verified(data)
    assert part(data, "content.json")["wordings"] == {str(school.accounts["x"]): "A full table. Thank you!"}
    told = " ".join(read_pdf(data).split())
    assert "The words for X (Quarry Bank on x) alone: A full table. Thank you!" in told
    assert "The words for Facebook" not in told
    files = edited(unpacked(data), "content.json", lambda told: told.update(wordings={}))
    assert "its digest is another one" in verified(repacked(files), code=1)


def test_nothing_is_handed_out_where_nothing_was_decided(school: School) -> None:
    post_id = school.post()
    with pytest.raises(Conflict, match="Nothing was decided about this post yet"):
        taken_out(school, post_id)
    school.ask(post_id)
    with pytest.raises(Conflict, match="Nothing was decided about version 1"):
        taken_out(school, post_id, version=1)
    with pytest.raises(NotFound, match="There is no such post"):
        taken_out(school, 999)
    assert not audits(school)


def test_erased_words_are_told_and_everything_else_still_holds(school: School, verified: Callable[..., str]) -> None:
    post_id = whole(school)
    with school.services.db.begin() as session:
        session.execute(update(Decision).values(typed_name=None, statement=None, answers=None, text_salt=None))
    data = taken_out(school, post_id)
    said = verified(data)
    assert "note         The statement: the words were erased." in said
    assert "note         The answers: the words were erased." in said
    assert "the words were erased" in read_pdf(data)


def test_a_lost_picture_is_told_and_the_bundle_is_not_verified(school: School, verified: Callable[..., str]) -> None:
    post_id = whole(school)
    with school.services.db.read() as session:
        lost = session.scalars(select(Photo.rendition_sha256)).first()
    school.services.media.remove(lost or "")
    data = taken_out(school, post_id)
    assert part(data, "manifest.json")["missing"] == [lost]
    assert "Picture 1 is missing" in verified(data, code=1)


def test_a_damaged_picture_is_left_out_like_a_lost_one(school: School) -> None:
    post_id = whole(school)
    with school.services.db.read() as session:
        lost = session.scalars(select(Photo.rendition_sha256)).first() or ""
    school.services.media.path(lost).write_bytes(b"another picture")
    assert f"images/{lost}.jpg" not in unpacked(taken_out(school, post_id))


def test_a_record_that_was_changed_in_the_database_is_not_verified(
    school: School, verified: Callable[..., str]
) -> None:
    post_id = whole(school)
    with school.services.db.begin() as session:
        session.execute(text("DROP TRIGGER decision_change"))
        session.execute(update(Decision).values(statement="I approve of everything."))
    assert "The statement is not what the ledger holds" in verified(taken_out(school, post_id), code=1)


# --- the ledger ------------------------------------------------------------------------------------------------


def test_a_long_ledger_is_cut_after_the_last_news_and_its_head_stands_alone(
    school: School, verified: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_ledger, "MOST_AFTER", 2)
    post_id = whole(school)
    with school.services.db.begin() as session:
        for number in range(5):
            ledger.append(session, at=school.services.clock.now(), kind="test", body={"number": number})
    data = taken_out(school, post_id)
    bounds = part(data, "manifest.json")["ledger"]
    seqs = [json.loads(line)["seq"] for line in unpacked(data)["ledger.jsonl"].decode().splitlines()]
    assert seqs[-2:] == [bounds["to"], bounds["head"]["seq"]]
    assert bounds["head"]["seq"] == bounds["to"] + 5
    verified(data)
    assert "which does not seal the decision" in verified(data, "--anchor", bounds["head"]["hash"], code=1)


def test_a_bundle_stays_whole_across_a_change_of_the_key(
    sqlite_database: Database, school: School, verified: Callable[..., str]
) -> None:
    post_id = whole(school)
    with sqlite_database.begin() as session:
        old = session.info[ledger.SIGNER]
        ledger.change_key(session, STRANGER, at=school.services.clock.now())
    successor = Database(sqlite_database.url, signer=STRANGER)
    with successor.begin() as session:
        ledger.append(session, at=school.services.clock.now(), kind="test", body={})
    services = make_services(successor, school.services.settings.data, school.services.clock)
    data = export(services, post_id, Wish(), by=None).data
    successor.engine.dispose()
    assert [key["key"] for key in part(data, "public_key.json")["keys"]] == [old.key_id, STRANGER.key_id]
    verified(data, "--key", old.key_id)
    verified(data, "--key", STRANGER.key_id)
    with pytest.raises(Conflict, match="this process does not hold it"):
        taken_out(school, post_id)


def test_without_the_key_no_bundle_is_made(sqlite_database: Database, school: School) -> None:
    post_id = whole(school)
    keyless = Database(sqlite_database.url)
    services = make_services(keyless, school.services.settings.data, school.services.clock)
    with pytest.raises(Conflict, match="signed with the key of the ledger"):
        export(services, post_id, Wish(), by=None)
    keyless.engine.dispose()
    assert not audits(school)


def unsigned(school: School) -> None:
    """The ledger as it was before there were signatures."""
    with school.services.db.begin() as session:
        session.execute(text("DROP TRIGGER ledger_change"))
        session.execute(text("UPDATE ledger SET key_id = NULL, signature = NULL"))
        rows = session.execute(text("SELECT seq, at, kind, body FROM ledger ORDER BY seq")).all()
        before = "0" * 64
        for row in rows:
            kind, body = (row.kind, row.body) if row.kind != "ledger.key" else ("before", "{}")
            hashed = ledger.entry_hash(before, seq=row.seq, at=row.at, kind=kind, body=body)
            session.execute(
                text("UPDATE ledger SET kind=:kind, body=:body, prev_hash=:before, hash=:hashed WHERE seq=:seq"),
                {"kind": kind, "body": body, "before": before, "hashed": hashed, "seq": row.seq},
            )
            before = hashed


def test_entries_from_before_the_signatures_are_told_as_such(school: School, verified: Callable[..., str]) -> None:
    post_id = whole(school)
    unsigned(school)
    said = verified(taken_out(school, post_id))
    assert "were written before this school's ledger was signed. They are chained, and signed by nothing." in said
    assert "No signature seals the decision: the school's ledger was not signed yet." in said
    with school.services.db.begin() as session:
        ledger.append(session, at=school.services.clock.now(), kind="test", body={})
    said = verified(taken_out(school, post_id))
    assert "They are chained, and sealed by the signed entry that follows." in said
    assert "No signature seals" not in said


# --- passkeys and deputies -------------------------------------------------------------------------------------


def es256() -> tuple[bytes, Callable[[bytes], bytes]]:
    key = ec.generate_private_key(ec.SECP256R1())
    return _spki(key), lambda data: key.sign(data, ec.ECDSA(SHA256()))


def rs256() -> tuple[bytes, Callable[[bytes], bytes]]:
    key = rsa.generate_private_key(65537, 2048)
    return _spki(key), lambda data: key.sign(data, padding.PKCS1v15(), SHA256())


def eddsa() -> tuple[bytes, Callable[[bytes], bytes]]:
    key = ed25519.Ed25519PrivateKey.generate()
    return _spki(key), key.sign


def _spki(key: Any) -> bytes:
    found: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found


def asserted(key: tuple[bytes, Callable[[bytes], bytes]], digest: str, **wrong: Any) -> str:
    """What a passkey signs for this digest, with something wrong where it is asked for."""
    said = {"type": "webauthn.get", "challenge": to_base64url(bytes.fromhex(digest)), "origin": "http://localhost"}
    client = json.dumps({**said, **wrong.get("client", {})}).encode()
    authenticator = hashlib.sha256(wrong.get("rp_id", "localhost").encode()).digest() + bytes(
        [wrong.get("flags", 5), 0, 0, 0, 1]
    )
    return canonical_assertion(
        {
            "credential_id": to_base64url(b"credential"),
            "public_key_cose": "",
            "public_key_spki": b64encode(key[0]).decode(),
            "rp_id": "localhost",
            "authenticator_data": to_base64url(authenticator),
            "client_data": to_base64url(client),
            "signature": to_base64url(key[1](authenticator + hashlib.sha256(client).digest())),
        }
    )


def signed(
    school: School, key: tuple[bytes, Callable[[bytes], bytes]], *, enrolled: bool = True, **wrong: Any
) -> bytes:
    """A bundle of an approval that a passkey signed."""
    post_id = school.post()
    now = school.services.clock.now()
    with school.services.db.begin() as session:
        if enrolled:
            body = {"person": school.head, "passkey": "p1", "key": key_hash(key[0])}
            ledger.append(session, at=now, kind="passkey.added", body=body)
        if wrong.get("ended"):
            ledger.append(session, at=now, kind="passkey.ended", body={"person": school.head, "passkey": "p1", "by": 1})
    secret = school.ask(post_id)
    digest = school.digest(post_id)
    with school.services.db.begin() as session, pytest.MonkeyPatch.context() as patch:
        # as if it had been written past the program, which itself takes none that is wrong
        patch.setattr(decisions, "check_signature", lambda *_, assertion, **__: assertion)
        proof = proofs.prove_browser(session, secret, method="passkey", now=now)
        decisions.decide(
            session,
            view_secret=proof.view_secret or "",
            verdict=Verdict.APPROVE,
            digest_shown=digest,
            typed_name="Head Quarry",
            statement="I approve this post.",
            answers={},
            required_findings={},
            policy_version="2022-03/0",
            now=now,
            may_decide=lambda _: True,
            assertion=asserted(key, wrong.pop("digest", digest), **wrong),
        )
    return taken_out(school, post_id)


@pytest.mark.parametrize("make", [es256, rs256, eddsa], ids=["ES256", "RS256", "EdDSA"])
def test_what_a_passkey_signed_is_checked(
    school: School, verified: Callable[..., str], make: Callable[[], tuple[bytes, Callable[[bytes], bytes]]]
) -> None:
    said = verified(signed(school, make()))
    assert "A passkey bound to localhost signed exactly this digest." in said
    assert f"That passkey was enrolled by person {school.head} in ledger entry" in said


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        pytest.param({"digest": "ab" * 32}, "signed something else than the digest", id="another digest"),
        pytest.param({"client": {"type": "webauthn.create"}}, "signed something else", id="another ceremony"),
        pytest.param({"rp_id": "elsewhere.example"}, "answered at another address", id="another address"),
        pytest.param({"flags": 1}, "did not check who was using it", id="nobody checked"),
        pytest.param({"enrolled": False}, "The ledger knows no passkey of this person", id="not enrolled"),
        pytest.param({"ended": True}, "had been ended before the decision", id="ended"),
    ],
)
def test_a_passkey_that_signed_something_else_is_found(
    school: School, verified: Callable[..., str], wrong: dict[str, Any], sentence: str
) -> None:
    """The ledger holds it, and still it proves nothing."""
    assert sentence in verified(signed(school, es256(), **wrong), code=1)


def test_a_replaced_or_removed_assertion_is_found(school: School, verified: Callable[..., str]) -> None:
    key = es256()
    data = signed(school, key)
    other = asserted(es256(), part(data, "decision.json")["digest"])
    files = edited(unpacked(data), "decision.json", lambda told: told.update(assertion=other))
    assert "What the passkey signed is not what the ledger holds: it was replaced." in verified(repacked(files), code=1)
    files = edited(unpacked(data), "decision.json", lambda told: told.update(assertion=None))
    assert "What the passkey signed was taken out of decision.json" in verified(repacked(files), code=1)


def test_a_signature_that_is_not_the_passkeys_is_found(school: School, verified: Callable[..., str]) -> None:
    key, stranger = es256(), es256()
    assert "signature over the digest is not true" in verified(signed(school, (key[0], stranger[1])), code=1)


def by_deputy(school: School) -> int:
    """A post that the deputy decided about under an appointment."""
    now, clock = school.services.clock.now(), school.services.clock
    with school.services.db.begin() as session:
        appointment = deputies.name(
            session, head_id=school.head, deputy_id=school.staff[Role.DEPUTY], starts_at=now,
            ends_at=now.replace(hour=20), reason="I am at a conference in Leeds.", proof_method="pin", now=now,
        ).id  # fmt: skip
    clock.advance(minutes=5)  # type: ignore[attr-defined]
    post_id = school.post()
    school.ask(post_id)
    deputy, now = school.staff[Role.DEPUTY], clock.now()
    with school.services.db.begin() as session:
        proofs.set_pin(session, deputy, PIN, now=now)
        request = session.scalars(select(ApprovalRequest)).one()
        token = tokens.mint(session, request=request, person_id=deputy, purpose=tokens.DECIDE, now=now)
        secret = tokens.open_link(session, token, purpose=tokens.DECIDE, now=now).view_secret
    proof = decide.prove(school.services, secret, PIN)
    with school.services.db.begin() as session:
        decisions.decide(
            session,
            view_secret=proof.view_secret or secret,
            verdict=Verdict.APPROVE,
            digest_shown=school.digest(post_id),
            typed_name="Deputy Quarry",
            statement="I approve this post for the head.",
            answers={},
            required_findings={},
            policy_version="2022-03/0",
            now=clock.now(),
            may_decide=lambda _: True,
            appointment_id=appointment,
        )
    return post_id


def test_a_deputys_decision_is_proved_with_the_appointment(school: School, verified: Callable[..., str]) -> None:
    data = taken_out(school, by_deputy(school))
    assert "decided as a deputy, named in ledger entry" in verified(data)
    assert "I am at a conference in Leeds" in read_pdf(data)


def test_a_deputys_decision_without_its_appointment_is_not_verified(
    school: School, verified: Callable[..., str]
) -> None:
    files = unpacked(taken_out(school, by_deputy(school)))
    lines = [line for line in files["ledger.jsonl"].decode().splitlines() if "deputy.named" not in line]
    said = verified(repacked({**files, "ledger.jsonl": "\n".join(lines).encode()}), code=1)
    assert "The ledger holds no appointment under which this person could decide as a deputy" in said


def roles(school: School, *changes: tuple[Role, str, str]) -> None:
    """The ledger tells of these changes of role."""
    with school.services.db.begin() as session:
        for role, before, after in changes:
            body = {"person": school.staff[role], "by": 1, "from": before, "to": after}
            ledger.append(session, at=school.services.clock.now(), kind="role.changed", body=body)


def test_the_ledger_tells_that_it_was_the_headteacher(school: School, verified: Callable[..., str]) -> None:
    roles(school, (Role.HEADTEACHER, "", "headteacher"))
    post_id = whole(school)
    assert f"The ledger held person {school.head} as the headteacher at that moment." in verified(
        taken_out(school, post_id)
    )
    roles(school, (Role.DEPUTY, "deputy", "headteacher"))  # what comes later changes nothing
    verified(taken_out(school, post_id))


def test_a_decision_of_somebody_who_was_not_the_headteacher_is_found(
    school: School, verified: Callable[..., str]
) -> None:
    """As if somebody had made themselves the head in the table of staff for a minute."""
    roles(school, (Role.HEADTEACHER, "", "headteacher"), (Role.DEPUTY, "deputy", "headteacher"))
    post_id = school.post()
    decided(school, post_id, Verdict.REFUSE)
    said = verified(taken_out(school, post_id), code=1)
    assert f"The ledger did not hold person {school.head} as the headteacher at that moment." in said


def test_where_the_ledger_tells_of_no_headteacher_it_says_so(school: School, verified: Callable[..., str]) -> None:
    assert "The ledger does not tell who was the headteacher then" in verified(taken_out(school, whole(school)))


def test_an_appointment_by_somebody_who_was_not_the_headteacher_is_found(
    school: School, verified: Callable[..., str]
) -> None:
    roles(school, (Role.HEADTEACHER, "", "headteacher"), (Role.ADMINISTRATOR, "", "headteacher"))
    assert "Whoever named the deputy was not the headteacher" in verified(taken_out(school, by_deputy(school)), code=1)


# --- who may have it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.HEADTEACHER, Role.ADMINISTRATOR, Role.AUDITOR])
def test_the_office_gets_all_but_names_and_it_is_written_down(school: School, role: Role) -> None:
    data = by_role(school, whole(school), role).data
    assert "consents.json" in unpacked(data)
    assert "names.json" not in unpacked(data)
    taken = audits(school)
    assert [(one.staff_id, one.subject, one.detail) for one in taken] == [
        (school.staff[role], "post:1", {"version": 1, "names": False})
    ]


def test_the_author_gets_their_own_without_the_consents(school: School, verified: Callable[..., str]) -> None:
    data = by_role(school, whole(school), Role.AUTHOR).data
    assert "consents.json" not in unpacked(data)
    assert part(data, "manifest.json")["left_out"] == ["consents.json"]
    assert "register row" not in read_pdf(data)
    verified(data)


@pytest.mark.parametrize("role", [Role.LINE_MANAGER, Role.CONSENT_LEAD, Role.DEPUTY])
def test_nobody_else_gets_anything(school: School, role: Role) -> None:
    post_id = whole(school)
    with pytest.raises(NotFound, match="not yours to take"):
        by_role(school, post_id, role)
    assert not audits(school)


def test_a_deputy_gets_it_while_appointed(school: School, clock: ToldClock) -> None:
    post_id = by_deputy(school)
    assert by_role(school, post_id, Role.DEPUTY).data
    clock.advance(days=1)
    with pytest.raises(NotFound):
        by_role(school, post_id, Role.DEPUTY)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUTHOR])
def test_names_are_refused_to_whoever_is_neither_head_nor_auditor(school: School, role: Role) -> None:
    post_id = whole(school)
    with pytest.raises(NotAllowed):
        by_role(school, post_id, role, names=True, reason="A parent complained to the governors.")
    assert not audits(school)


@pytest.mark.parametrize("verdict", [Verdict.REFUSE, Verdict.APPROVE])
def test_what_never_went_out_is_not_shown_to_whoever_sees_no_pictures(school: School, verdict: Verdict) -> None:
    """A refused photo may show the very child who must not be shown; an administrator sees no photo elsewhere either."""
    post_id = school.post(photos=1, pupils=("Wren",))
    decided(school, post_id, verdict)
    with pytest.raises(NotAllowed, match="never went out"):
        by_role(school, post_id, Role.ADMINISTRATOR)
    with pytest.raises(BadInput, match="never went out"):
        by_role(school, post_id, Role.AUDITOR)
    assert not audits(school)
    assert by_role(school, post_id, Role.HEADTEACHER).data
    assert by_role(school, post_id, Role.AUTHOR).data
    assert by_role(school, post_id, Role.AUDITOR, reason="The governors ask about refusals.").data
    assert audits(school)[-1].detail["reason"] == "The governors ask about refusals."


@pytest.mark.parametrize("reason", ["", "   ", "because", "………………………………"])
def test_names_are_refused_without_a_reason(school: School, reason: str) -> None:
    post_id = whole(school)
    with pytest.raises(BadInput, match="why the names of pupils are needed"):
        by_role(school, post_id, Role.AUDITOR, names=True, reason=reason)
    assert not audits(school)


def test_names_go_out_with_their_reason_in_the_audit(school: School) -> None:
    post_id = whole(school)
    data = by_role(school, post_id, Role.AUDITOR, names=True, reason="A parent\n complained formally.").data
    assert part(data, "names.json")["people"]
    assert audits(school)[0].detail == {"version": 1, "names": True, "reason": "A parent complained formally."}


# --- the program -----------------------------------------------------------------------------------------------


def test_the_program_is_the_very_modules_that_are_tested_here() -> None:
    root = Path(bundle_verify.__file__).parent
    tree = ast.parse(program(), feature_version=(3, 9))
    shipped = {node.name: ast.dump(node) for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for name in PARTS:
        for node in ast.parse((root / f"{name}.py").read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                assert shipped.pop(node.name) == ast.dump(node), node.name
    assert not shipped
    imported = {
        alias.name.partition(".")[0] if isinstance(node, ast.Import) else (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert "approvals" not in imported
    assert {name for name in imported if name not in sys.stdlib_module_names} == {"cryptography"}
