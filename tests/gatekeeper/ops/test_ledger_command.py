"""`gatekeeper ledger verify` with its arguments: what it prints, and how it ends."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from approvals import ledger
from approvals.signing import Ed25519Signer, make_key
from gatekeeper.cli import main
from gatekeeper.db.session import Database
from gatekeeper.ops.keys import ensure_keys
from gatekeeper.settings import load_settings
from tests.conftest import ToldClock

Said = pytest.CaptureFixture[str]


@pytest.fixture
def data(sqlite_url: str, clock: ToldClock) -> Path:
    """A data folder with its keys and a ledger of five entries, one a day from 24 November on."""
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    env = {"GATEKEEPER_DATA": str(folder)}
    ensure_keys(load_settings("web", env), env)
    database = Database(sqlite_url, signer=Ed25519Signer.read((folder / "keys" / "ledger_key").read_text()))
    for number in range(4):
        clock.advance(days=1)
        with database.begin() as session:
            ledger.append(session, at=clock.now(), kind="test.written", body={"number": number})
    database.engine.dispose()
    return folder


def verify(data: Path, said: Said, *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["ledger", "verify", "--data", str(data), *words])
    lines = said.readouterr().out.splitlines()
    assert len(lines) == 1
    return code, json.loads(lines[0])


def hashes(data: Path) -> list[str]:
    with sqlite3.connect(data / "gatekeeper.db") as connection:
        found = [row[0] for row in connection.execute("SELECT hash FROM ledger ORDER BY seq")]
    connection.close()
    return found


def test_a_whole_ledger_is_told_with_its_key(data: Path, capsys: Said) -> None:
    code, answer = verify(data, capsys)
    key = (data / "keys" / "ledger_key").read_text()
    assert (code, answer) == (
        0,
        {
            "entries": 5,
            "ok": True,
            "head": hashes(data)[-1],
            "unsigned": 0,
            "key": Ed25519Signer.read(key).key_id,
            "pinned": True,
        },
    )


def test_a_ledger_of_a_strangers_is_broken_also_when_it_is_whole(data: Path, capsys: Said, tmp_path: Path) -> None:
    listed = tmp_path / "copy-of-the-list"
    listed.write_text(Ed25519Signer.read(make_key()).public)
    code, answer = verify(data, capsys, "--key", str(listed))
    assert (code, answer["ok"], answer["broken_at"]) == (1, False, 1)
    assert "which this installation never used" in answer["reason"]
    listed.write_text((data / "keys" / "ledger.pub").read_text())
    assert verify(data, capsys, "--key", str(listed))[0] == 0


def test_without_a_list_it_says_whom_it_believed(data: Path, capsys: Said) -> None:
    (data / "keys" / "ledger.pub").unlink()
    assert main(["ledger", "verify", "--data", str(data)]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["pinned"] is False
    assert "Give the list with --key" in said.err


@pytest.mark.parametrize(
    ("since", "first"), [("1", 1), ("4", 4), ("5", 5), ("2026-11-25", 3), ("2026-01-01", 1), ("2027-01-01", 6)]
)
def test_it_says_from_where_it_read(data: Path, capsys: Said, since: str, first: int) -> None:
    code, answer = verify(data, capsys, "--since", since)
    assert (code, answer["since"], answer["entries"], answer["head"]) == (0, first, 5, hashes(data)[-1])


def test_a_hash_from_an_e_mail_is_found_as_it_was_copied_or_missed(data: Path, capsys: Said) -> None:
    third = hashes(data)[2]
    code, answer = verify(data, capsys, "--anchor", f" {third.upper()}\n")
    assert (code, answer["anchor_at"]) == (0, 3)
    code, answer = verify(data, capsys, "--anchor", "ab" * 32)
    assert (code, answer["ok"], answer["broken_at"]) == (1, False, 6)
    assert "the end of the ledger was cut off, or it was rewritten" in answer["reason"]


@pytest.mark.parametrize(
    "words",
    [
        ("--since", "0"), ("--since", "6"), ("--since", "9" * 6000), ("--since", "-1"), ("--since", "yesterday"),
        ("--since", "2026-13-01"), ("--since", ""), ("--since", "²"),
        ("--anchor", "abc"), ("--anchor", "g" * 64), ("--anchor", ""), ("--key", "nowhere"), ("--key", "."),
    ],
    ids=[
        "zero", "too-far", "huge", "negative", "word", "month-13", "empty", "squared", "short", "no-hex",
        "no-anchor", "no-file", "folder",
    ],
)  # fmt: skip
def test_wrong_arguments_end_with_2_and_one_line(data: Path, capsys: Said, words: tuple[str, str]) -> None:
    code = main(["ledger", "verify", "--data", str(data), f"{words[0]}={words[1]}"])
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith("gatekeeper: ")


@pytest.mark.parametrize("text", ["", "no key", "QUJD"])
def test_a_list_that_is_none_ends_with_2(data: Path, capsys: Said, tmp_path: Path, text: str) -> None:
    path = tmp_path / "list"
    path.write_text(text)
    assert main(["ledger", "verify", "--data", str(data), "--key", str(path)]) == 2
    assert "no list of public keys" in capsys.readouterr().err


def test_a_database_with_another_table_of_that_name_ends_in_one_line(data: Path, capsys: Said) -> None:
    with sqlite3.connect(data / "gatekeeper.db") as connection:
        connection.executescript("DROP TABLE withdrawal; DROP TABLE decision; DROP TABLE deputy_appointment;")
        connection.executescript("DROP TABLE ledger; CREATE TABLE ledger (seq);")
    connection.close()
    assert main(["ledger", "verify", "--data", str(data)]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "The ledger cannot be read" in said.err


def test_what_contradicts_the_ledger_is_listed(data: Path, capsys: Said) -> None:
    with sqlite3.connect(data / "gatekeeper.db") as connection:
        for name in ("change", "delete", "insert"):
            connection.execute(f"DROP TRIGGER decision_{name}")
        connection.execute(
            "INSERT INTO decision (id, request_id, subject, version_ref, digest, verdict, approver_id, proof_method, "
            "policy_version, decided_at, ledger_seq) VALUES ('forged', 'x', 'post:1', '1', ?, 'approve', 1, 'pin', "
            "'2022-03', '2026-11-24 09:00:00.000000', 3)",
            ("ab" * 32,),
        )
    connection.close()
    code, answer = verify(data, capsys)
    sentence = "The decision forged is in the records, but entry 3 of the ledger is not its."
    assert (code, answer["ok"], answer["broken_at"], answer["reason"]) == (1, False, 3, sentence)
    assert answer["records"] == [{"entry": 3, "problem": sentence}]
