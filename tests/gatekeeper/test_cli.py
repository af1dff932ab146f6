"""The command line: exit codes, one line per error, nothing loaded that was not asked for."""

import io
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import ledger
from gatekeeper.cli import main
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Staff
from tests.conftest import ToldClock
from tests.fixtures.signing import SIGNER


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GATEKEEPER_DATA", str(tmp_path))


def _exit_code(*words: str) -> int:
    try:
        return main(words)
    except SystemExit as ended:
        return int(ended.code or 0)


def test_help_loads_no_web_no_database_and_no_pictures() -> None:
    program = "import sys, gatekeeper.cli; print([m for m in ('flask', 'sqlalchemy', 'PIL', 'numpy', 'rq') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fly",),
        ("worker",),
        ("worker", "lunch"),
        ("scan",),
        ("check", "posts.jsonl"),
        ("sanitise", "a.jpg"),
        ("ledger",),
    ],
)
def test_wrong_arguments_end_with_2_and_a_usage_line(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit_code(*words) == 2
    assert capsys.readouterr().err.startswith("usage: gatekeeper")


def test_cannot_run_on_an_open_address_without_https(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("GATEKEEPER_HOST", "0.0.0.0")
    assert main(["run"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "GATEKEEPER_TRUSTED_PROXIES=1" in said
    assert not list(tmp_path.iterdir())


def test_cannot_run_behind_https_without_counting_the_proxy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every visitor would have the proxy's address, and the limits against guessing would shut out the whole school."""
    monkeypatch.setenv("GATEKEEPER_URL", "https://posts.school.example")
    assert main(["run"]) == 1
    assert "GATEKEEPER_TRUSTED_PROXIES=1" in capsys.readouterr().err


def test_cannot_run_on_a_taken_port(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        assert main(["run"]) == 1
    assert "Set PORT to another number" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_cannot_run_without_a_mail_server(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("GATEKEEPER_SMTP_URL", raising=False)
    monkeypatch.setenv("PORT", "8799")
    assert main(["run"]) == 1
    assert "GATEKEEPER_SMTP_URL is missing" in capsys.readouterr().err


def _type(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))


def test_the_first_administrator_is_added_with_a_password_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _type(monkeypatch, "seven-quiet-otters")
    assert main(["users", "add", "--name", "Pat Lowe", "--email", "Pat@School.example"]) == 0
    assert "seven-quiet-otters" not in "".join(capsys.readouterr())
    database = Database(f"sqlite:///{tmp_path / 'gatekeeper.db'}", signer=SIGNER)
    with database.read() as session:
        staff = session.scalars(select(Staff)).one()
    database.engine.dispose()
    assert (staff.email, staff.role) == ("pat@school.example", "administrator")
    assert staff.password_hash
    assert staff.password_hash.startswith("$argon2id$")


def test_cannot_add_somebody_with_a_short_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _type(monkeypatch, "short")
    assert main(["users", "add", "--name", "Pat Lowe", "--email", "pat@school.example"]) == 2
    assert (
        capsys.readouterr().err
        == "gatekeeper: Please use at least 12 characters; three or four words in a row are good.\n"
    )


def test_cannot_add_the_same_person_twice(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        _type(monkeypatch, "seven-quiet-otters")
        code = main(["users", "add", "--name", "Pat Lowe", "--email", "pat@school.example"])
    assert code == 1
    assert "already an account" in capsys.readouterr().err


@pytest.fixture
def written(sqlite_url: str, clock: ToldClock) -> Path:
    """A data folder with a ledger of three entries."""
    database = Database(sqlite_url, signer=SIGNER)
    for number in range(3):
        with database.begin() as session:
            ledger.hold(session)
            ledger.append(session, at=clock.now(), kind="test.entry", body={"number": number})
    database.engine.dispose()
    return Path(sqlite_url.removeprefix("sqlite:///")).parent


def test_a_whole_ledger_is_ok(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "verify", "--data", str(written)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["entries"] == 4  # the first names the key
    assert answer["ok"] is True
    assert len(answer["head"]) == 64


def test_a_changed_entry_is_found_and_named(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(written / "gatekeeper.db") as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='ledger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE ledger SET body = replace(body, '1', '7') WHERE seq = 3")
    connection.close()
    assert main(["ledger", "verify", "--data", str(written)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["broken_at"]) == (False, 3)
    assert "Entry 3 was changed" in answer["reason"]


def test_cannot_verify_what_is_not_there_and_makes_nothing_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ledger", "verify", "--data", str(tmp_path / "nowhere")]) == 1
    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith("gatekeeper: There is no database at ")
    assert not (tmp_path / "nowhere").exists()


def test_a_ledger_that_cannot_be_read_ends_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gatekeeper.db").write_text("not a database at all")
    assert main(["ledger", "verify", "--data", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
