"""A bundle checks itself where nothing of the project is; whatever is changed in it is found, and told in a sentence."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from approvals import bundle_verify
from gatekeeper.db.session import Database
from tests.conftest import ToldClock
from tests.factories.bundle import (
    STRANGER,
    changes_asked,
    edited,
    rechained,
    relined,
    repacked,
    taken_out,
    unpacked,
    whole,
)
from tests.factories.school import School, make_services
from tests.fixtures.signing import SIGNER

Files = dict[str, bytes]
Forge = Callable[[Files], Mapping[str, bytes]]


@pytest.fixture(scope="module")
def school(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("evidence")
    shutil.copyfile(_sqlite_template, folder / "gatekeeper.db")
    database = Database(f"sqlite:///{folder / 'gatekeeper.db'}", signer=SIGNER)
    yield School(make_services(database, folder, ToldClock()))
    database.engine.dispose()


@pytest.fixture(scope="module")
def bundle(school: School) -> bytes:
    return taken_out(school, whole(school))


@pytest.fixture(scope="module")
def changes(school: School, bundle: bytes) -> bytes:
    return taken_out(school, changes_asked(school))


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Verify a zip, or a folder of files, in this process."""

    def run(what: bytes | Mapping[str, bytes], *words: str) -> tuple[int, str]:
        target = tmp_path / "bundle"
        if isinstance(what, bytes):
            target.write_bytes(what)
        else:
            for name, data in what.items():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(data)
        code = bundle_verify.main([str(target), *words])
        return code, capsys.readouterr().out

    return run


def line_of(files: Mapping[str, bytes], kind: str) -> int:
    kinds = [json.loads(line)["kind"] for line in files["ledger.jsonl"].decode().splitlines()]
    return kinds.index(kind)


# --- on a computer that has nothing but cryptography -----------------------------------------------------------


@pytest.fixture(scope="module")
def only_cryptography(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that holds `cryptography` and what it loads, and nothing else."""
    folder = tmp_path_factory.mktemp("packages")
    installed = Path(sysconfig.get_paths()["platlib"])
    for pattern in ("cryptography", "cffi", "_cffi_backend*"):
        for found in installed.glob(pattern):
            (folder / found.name).symlink_to(found)
    return folder


_ALONE = """
import builtins, runpy, socket, sys
def forbidden(*words, **named): raise SystemExit('the network was asked')
socket.socket = socket.create_connection = forbidden
kept = builtins.open
def reading(file, mode='r', *words, **named):
    if set(mode) & set('wax+'): raise SystemExit('a file was written')
    return kept(file, mode, *words, **named)
builtins.open = reading
sys.path += sys.argv[1].split(':') if sys.argv[1] else []
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def alone(folder: Path, packages: str, *words: str) -> tuple[int, str]:
    """Run the bundle's own program in an interpreter that sees the standard library and these packages alone."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", _ALONE, packages, str(folder / "verify.py"), *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={},
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def elsewhere(bundle: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    with zipfile.ZipFile(io.BytesIO(bundle)) as packed:
        packed.extractall(folder)
    return folder


def test_a_bundle_is_verified_with_cryptography_alone(elsewhere: Path, only_cryptography: Path) -> None:
    before = sorted(path.relative_to(elsewhere) for path in elsewhere.rglob("*"))
    code, said = alone(elsewhere, str(only_cryptography))
    assert code == 0, said
    assert "VERDICT      VERIFIED: this content was approved on 2026-11-23T09:00:00" in said
    assert "WRONG" not in said
    assert sorted(path.relative_to(elsewhere) for path in elsewhere.rglob("*")) == before


def test_the_zip_itself_is_verified_with_the_program_beside_it(
    elsewhere: Path, only_cryptography: Path, bundle: bytes, tmp_path: Path
) -> None:
    (tmp_path / "e.zip").write_bytes(bundle)
    code, said = alone(elsewhere, str(only_cryptography), str(tmp_path / "e.zip"))
    assert code == 0, said


def test_without_cryptography_it_says_what_it_could_not_check_and_never_verified(elsewhere: Path) -> None:
    code, said = alone(elsewhere, "")
    assert code == 1
    assert "NOT CHECKED  The signatures of the ledger" in said
    assert "NOT CHECKED  The signature of the manifest." in said
    assert "INCOMPLETE" in said
    assert "VERIFIED:" not in said


def test_a_changed_picture_is_found_there_too(
    elsewhere: Path, only_cryptography: Path, tmp_path: Path, bundle: bytes
) -> None:
    files = unpacked(bundle)
    picture = next(name for name in files if name.startswith("images/"))
    files[picture] = files[picture][:-1] + b"\x00"
    (tmp_path / "e.zip").write_bytes(repacked(files))
    code, said = alone(elsewhere, str(only_cryptography), str(tmp_path / "e.zip"))
    assert code == 1
    assert "was changed: its bytes are not those that were decided about." in said
    assert "NOT VERIFIED" in said


# --- what is changed is found, also where the manifest was adapted ---------------------------------------------


def a_letter_of_the_content(files: Files) -> Files:
    return {**files, "content.json": files["content.json"].replace(b"Harvest", b"harvest")}


def a_byte_of_a_picture(files: Files) -> Files:
    name = next(name for name in files if name.startswith("images/"))
    return {**files, name: files[name][:-1] + b"\x00"}


def a_picture_taken_out(files: Files) -> Files:
    name = next(name for name in files if name.startswith("images/"))
    return {other: data for other, data in files.items() if other != name}


def a_picture_put_in(files: Files) -> Files:
    return {**files, f"images/{'0' * 64}.jpg": b"another"}


def the_rule_of_a_finding(files: Files) -> Files:
    return edited(files, "findings.json", lambda part: part["findings"][0].update(rule="nothing"))


def the_message_of_a_finding(files: Files) -> Files:
    return edited(files, "findings.json", lambda part: part["findings"][0].update(message="Nothing was found."))


def a_permission(files: Files) -> Files:
    def change(part: Any) -> None:
        part["photos"][0]["faces"][0]["permissions"][0]["answer"] = "no"

    return edited(files, "consents.json", change)


def the_statement(files: Files) -> Files:
    return edited(files, "decision.json", lambda part: part["words"].update(statement="I do not approve this."))


def the_typed_name(files: Files) -> Files:
    return edited(files, "decision.json", lambda part: part["words"].update(typed_name="Somebody Else"))


def the_salt(files: Files) -> Files:
    return edited(files, "decision.json", lambda part: part["words"].update(salt="ab" * 32))


def an_answer(files: Files) -> Files:
    return edited(files, "decision.json", lambda part: part["words"]["answers"][0].update(sentence="As you like it."))


def the_verdict(files: Files) -> Files:
    return edited(files, "decision.json", lambda part: part["decision"].update(verdict="refuse"))


def who_decided(files: Files) -> Files:
    return edited(files, "decision.json", lambda part: part["decision"].update(approver=1))


def when_it_was_decided(files: Files) -> Files:
    return edited(files, "decision.json", lambda part: part.update(decided_at="2026-11-22T09:00:00.000000+00:00"))


def the_digest_everywhere(files: Files) -> Files:
    def change(part: Any) -> None:
        part["digest"] = part["decision"]["digest"] = "ab" * 32

    return edited(files, "decision.json", change)


def where_it_was_published(files: Files) -> Files:
    return edited(files, "attempts.json", lambda part: part["publications"][0].update(remote_id="1"))


def a_publication_left_out(files: Files) -> Files:
    return edited(files, "attempts.json", lambda part: part["publications"].pop())


def an_entry_of_the_ledger(files: Files) -> Files:
    def change(entries: list[dict[str, Any]]) -> None:
        entry = entries[line_of(files, "decision.recorded")]
        entry["body"] = entry["body"].replace('"approve"', '"refuse"')

    return relined(files, change)


def an_entry_taken_out(files: Files) -> Files:
    return relined(files, lambda entries: entries.pop(line_of(files, "decision.recorded") + 1))


def the_decision_taken_out(files: Files) -> Files:
    return relined(files, lambda entries: entries.pop(line_of(files, "decision.recorded")))


def two_entries_exchanged(files: Files) -> Files:
    def change(entries: list[dict[str, Any]]) -> None:
        entries[-1], entries[-2] = entries[-2], entries[-1]

    return relined(files, change)


def an_entry_with_its_hash(files: Files) -> Files:
    """One entry is changed and hashed anew, but nobody can sign it."""

    def change(entries: list[dict[str, Any]]) -> None:
        place = line_of(files, "decision.recorded")
        entries[place]["body"] = entries[place]["body"].replace('"approve"', '"refuse"')
        kept = [(entry["key_id"], entry["signature"]) for entry in entries]
        rechained(entries, STRANGER)
        for entry, (key, signature) in list(zip(entries, kept, strict=True)):
            entry["key_id"], entry["signature"] = key, signature

    return relined(files, change)


def the_end_signed_by_a_stranger(files: Files) -> Files:
    def change(entries: list[dict[str, Any]]) -> None:
        rest = entries[line_of(files, "decision.recorded") :]
        rechained(rest, STRANGER)

    return relined(files, change)


def a_second_first_key(files: Files) -> Files:
    def change(entries: list[dict[str, Any]]) -> None:
        entries[-1]["kind"] = "ledger.key"
        entries[-1]["body"] = json.dumps({"key": STRANGER.key_id, "public": STRANGER.public})
        rechained(entries[-1:], STRANGER)

    return relined(files, change)


def a_key_changed_by_one_hand(files: Files) -> Files:
    def change(entries: list[dict[str, Any]]) -> None:
        entries[-1]["kind"] = "ledger.key_changed"
        body = {"key": STRANGER.key_id, "public": STRANGER.public, "accepted": entries[-1]["signature"]}
        entries[-1]["body"] = json.dumps(body)
        rechained(entries[-1:], SIGNER)

    return relined(files, change)


def an_entry_unsigned(files: Files) -> Files:
    return relined(files, lambda entries: entries[-1].update(key_id=None, signature=None))


def a_withdrawal_invented(files: Files) -> Files:
    end = {"at": "2026-11-23T09:00:00.000000+00:00", "by": 1, "reason": None, "salt": None, "ledger_seq": 99}
    return edited(files, "decision.json", lambda part: part.update(withdrawal=end))


TAMPERED: list[tuple[Forge, str]] = [
    (a_letter_of_the_content, "content.json is not what was decided about: its digest is another one."),
    (a_byte_of_a_picture, "Picture 1 was changed: its bytes are not those that were decided about."),
    (a_picture_taken_out, "Picture 1 is missing, so nobody can say here what it showed."),
    (a_picture_put_in, "The bundle holds a picture that does not belong to the content."),
    (the_rule_of_a_finding, "was changed or left out: the decision answers it."),
    (the_message_of_a_finding, "manifest.json was changed after the school made this bundle"),
    (a_permission, "manifest.json was changed after the school made this bundle"),
    (the_statement, "The statement is not what the ledger holds: the words or their salt were changed."),
    (the_typed_name, "The typed name is not what the ledger holds: the words or their salt were changed."),
    (the_salt, "The statement is not what the ledger holds: the words or their salt were changed."),
    (an_answer, "An answer is not what the ledger holds: the words or their salt were changed."),
    (the_verdict, "decision.json does not agree with ledger entry"),
    (who_decided, ": approver."),
    (when_it_was_decided, ": time."),
    (the_digest_everywhere, "content.json is not what was decided about"),
    (where_it_was_published, "in attempts.json is not the one that the ledger holds."),
    (a_publication_left_out, "in attempts.json is not the one that the ledger holds."),
    (an_entry_of_the_ledger, "was changed: its hash does not fit its content."),
    (an_entry_taken_out, "is missing."),
    (the_decision_taken_out, "should tell of “decision.recorded”, and does not."),
    (two_entries_exchanged, "the order was changed."),
    (an_entry_with_its_hash, "does not bear a true signature of key 56475aa75463474c."),
    (the_end_signed_by_a_stranger, "is signed with a key that the ledger never named."),
    (a_second_first_key, "names a second first key: somebody put in their own."),
    (a_key_changed_by_one_hand, "changes the key without the word of both."),
    (an_entry_unsigned, "is not signed, although entries before it are."),
    (a_withdrawal_invented, "do not agree whether the approval was withdrawn."),
]


@pytest.mark.parametrize(("forge", "sentence"), TAMPERED, ids=[forge.__name__ for forge, _ in TAMPERED])
def test_what_was_changed_is_found_although_the_manifest_was_adapted(
    bundle: bytes, forge: Forge, sentence: str, check: Callable[..., tuple[int, str]]
) -> None:
    code, said = check(repacked(forge(unpacked(bundle))))
    assert code == 1
    assert any(line.startswith("WRONG") and sentence in line for line in said.splitlines()), said
    assert "manifest.json was changed after the school made this bundle" in said
    assert said.splitlines()[-1].startswith("VERDICT      NOT VERIFIED")


@pytest.mark.parametrize("name", ["content.json", "findings.json", "verify.py", "README.txt", "evidence.pdf"])
def test_a_changed_file_is_named_where_the_manifest_was_not_adapted(
    bundle: bytes, name: str, check: Callable[..., tuple[int, str]]
) -> None:
    files = unpacked(bundle)
    code, said = check({**files, name: files[name] + b" "})
    assert code == 1
    assert f"WRONG        {name} was changed: its bytes are not those that the manifest names." in said


def test_a_missing_and_an_added_file_are_named(bundle: bytes, check: Callable[..., tuple[int, str]]) -> None:
    files = unpacked(bundle)
    code, said = check({name: data for name, data in {**files, "extra.txt": b"x"}.items() if name != "README.txt"})
    assert code == 1
    assert "README.txt is missing: the manifest names it." in said
    assert "extra.txt is not part of the bundle" in said


def test_a_changed_mark_is_found(changes: bytes, check: Callable[..., tuple[int, str]]) -> None:
    assert check(changes)[0] == 0
    files = edited(unpacked(changes), "decision.json", lambda part: part["words"]["marks"][0].update(where="time"))
    code, said = check(repacked(files))
    assert code == 1
    assert "A mark is not what the ledger holds: the words or their salt were changed." in said


def test_a_seal_of_a_stranger_counts_for_nothing(bundle: bytes, check: Callable[..., tuple[int, str]]) -> None:
    code, said = check(repacked(the_message_of_a_finding(unpacked(bundle)), resealed_by=STRANGER))
    assert code == 1
    assert "it does not bear the ledger's key." in said


def test_a_seal_that_was_taken_away_is_missed(bundle: bytes, check: Callable[..., tuple[int, str]]) -> None:
    files = unpacked(bundle)
    del files["manifest.sig"]
    code, said = check(files)
    assert code == 1
    assert "manifest.sig is missing." in said


# --- against somebody who rewrote everything, only what stands elsewhere helps -----------------------------------


def rewritten(files: Files) -> bytes:
    """The whole ledger made anew with a stranger's key, the first entry naming it, and the bundle sealed with it."""

    def change(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if entry["kind"] == "ledger.key":
                entry["body"] = json.dumps(
                    {"key": STRANGER.key_id, "public": STRANGER.public}, sort_keys=True, separators=(",", ":")
                )
            if entry["kind"] == "request.opened":  # nobody was ever asked to allow anything
                entry["body"] = entry["body"].replace('"override_asked":true', '"override_asked":false')
        rechained(entries, STRANGER)

    forged = relined(files, change)
    head = json.loads(forged["ledger.jsonl"].decode().splitlines()[-1])
    forged = edited(forged, "manifest.json", lambda part: part["ledger"]["head"].update(hash=head["hash"]))
    return repacked(forged, resealed_by=STRANGER)


def test_a_ledger_written_anew_is_known_by_the_key(bundle: bytes, check: Callable[..., tuple[int, str]]) -> None:
    forged = rewritten(unpacked(bundle))
    code, said = check(forged)
    assert code == 0, said
    assert "Ask the school for the name and give it with --key" in said
    code, said = check(forged, "--key", SIGNER.key_id)
    assert code == 1
    assert "The key you gave is none that this ledger was signed with: it is another ledger." in said


def test_a_ledger_written_anew_is_known_by_the_hash_of_a_mail(
    bundle: bytes, check: Callable[..., tuple[int, str]]
) -> None:
    mailed = json.loads(unpacked(bundle)["manifest.json"])["ledger"]["head"]["hash"]
    code, said = check(bundle, "--anchor", mailed, "--key", SIGNER.key_id)
    assert code == 0, said
    assert "it seals the decision and all before it." in said
    assert "The key you gave is one that signed this ledger." in said
    code, said = check(rewritten(unpacked(bundle)), "--anchor", mailed)
    assert code == 1
    assert "Either the ledger was rewritten, or that mail or receipt is from another time" in said


def test_a_hash_from_before_the_decision_does_not_vouch_for_it(
    bundle: bytes, check: Callable[..., tuple[int, str]]
) -> None:
    files = unpacked(bundle)
    opened = json.loads(files["ledger.jsonl"].decode().splitlines()[line_of(files, "request.opened")])
    code, said = check(bundle, "--anchor", opened["hash"])
    assert code == 1
    assert "which does not seal the decision." in said


def test_the_whole_fingerprint_serves_as_well_as_the_name(bundle: bytes, check: Callable[..., tuple[int, str]]) -> None:
    from base64 import b64decode

    fingerprint = hashlib.sha256(b64decode(SIGNER.public)).hexdigest()
    assert check(bundle, "--key", fingerprint.upper())[0] == 0


# --- hostile zips and folders --------------------------------------------------------------------------------------


def zipped(*members: tuple[str, bytes, int]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            bundle.writestr(info, data)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize(
    ("hostile", "sentence"),
    [
        pytest.param(lambda: zipped(("../up.txt", b"", 0)), "is no name of a file", id="traversal"),
        pytest.param(lambda: zipped(("/etc/passwd", b"", 0)), "is no name of a file", id="absolute"),
        pytest.param(lambda: zipped(("a\\b", b"", 0)), "is no name of a file", id="backslash"),
        pytest.param(lambda: zipped(("a\x1b[31m.txt", b"", 0)), "is no name of a file", id="control characters"),
        pytest.param(lambda: zipped(("link", b"/etc/passwd", 0o120777)), "is a link", id="symlink"),
        pytest.param(lambda: zipped(("a", b"1", 0), ("a", b"2", 0)), "twice", id="doubled"),
        pytest.param(lambda: zipped(("a", b"1", 0), ("A", b"2", 0)), "twice", id="doubled in capitals"),
        pytest.param(lambda: zipped(*((f"f{n}", b"", 0) for n in range(501))), "far larger", id="many files"),
        pytest.param(lambda: zipped(("a", b"\0" * (129 << 20), 0)), "far too large", id="bomb"),
        pytest.param(lambda: zipped(("manifest.json", b"[" * 200_000, 0)), "cannot be read", id="deep json"),
        pytest.param(lambda: zipped(("manifest.json", b'{"a":1,"a":2}', 0)), "cannot be read", id="doubled key"),
        pytest.param(lambda: zipped(("manifest.json", b"[]", 0)), "decision.json is missing", id="half"),
        pytest.param(lambda: b"no zip at all", "cannot be read", id="no zip"),
        pytest.param(lambda: b"", "cannot be read", id="empty"),
    ],
)
def test_a_hostile_zip_is_refused_in_a_sentence(
    hostile: Callable[[], bytes], sentence: str, check: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, said = check(hostile())
    assert code == 1
    assert sentence in said
    assert "\x1b" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_link_in_a_folder_is_not_followed(
    bundle: bytes, tmp_path: Path, check: Callable[..., tuple[int, str]]
) -> None:
    (tmp_path / "secret").write_text("private")
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "README.txt").symlink_to(tmp_path / "secret")
    code, said = check({name: data for name, data in unpacked(bundle).items() if name != "README.txt"})
    assert code == 1
    assert "is a link. It was not followed." in said


def test_every_part_of_every_file_may_be_nonsense(bundle: bytes, check: Callable[..., tuple[int, str]]) -> None:
    """Whatever stands in the JSON files, it ends in a verdict that is not “verified”, never in a traceback."""
    files = unpacked(bundle)
    for name in ("manifest.json", "manifest.sig", "decision.json", "attempts.json", "findings.json", "ledger.jsonl"):
        for nonsense in (b"null", b"{}", b"[1]", b"\xff\xfe", b'{"files": 3}', b""):
            code, said = check({**files, name: nonsense})
            assert code == 1, (name, nonsense)
            assert "NOT VERIFIED" in said
