"""`gatekeeper evidence export`: one file, readable by its owner alone, and one line for what cannot be done."""

import shutil
import stat
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import bundle_verify
from gatekeeper.cli import main
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Audit
from tests.conftest import ToldClock
from tests.factories.bundle import whole
from tests.factories.school import School, make_services
from tests.fixtures.signing import LEDGER_KEY, SIGNER


@pytest.fixture
def data(sqlite_url: str, tmp_path: Path, clock: ToldClock, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder as an installation has it, with one post in it that was decided and published."""
    for name in ("DATABASE_URL", "REDIS_URL", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GATEKEEPER_DATA", str(tmp_path / "not-this-one"))
    monkeypatch.setenv("GATEKEEPER_LEDGER_KEY", LEDGER_KEY)
    database = Database(sqlite_url, signer=SIGNER)
    whole(School(make_services(database, tmp_path, clock)))
    database.engine.dispose()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def audited(data: Path) -> list[Audit]:
    database = Database(f"sqlite:///{data / 'gatekeeper.db'}")
    with database.read() as session:
        rows = list(session.scalars(select(Audit).where(Audit.action == "evidence.exported")))
    database.engine.dispose()
    return rows


def test_the_bundle_is_written_and_verified(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evidence", "export", "1", "--data", str(data)]) == 0
    target = data / capsys.readouterr().out.strip()
    assert target.name == "evidence-post-1-version-1.zip"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert bundle_verify.main([str(target)]) == 0
    row = audited(data)[0]
    assert row.staff_id is None
    assert row.detail["names"] is False
    assert row.detail["by_command"]


def test_names_need_a_reason_here_too(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["evidence", "export", "1", "--data", str(data), "--out", "named.zip", "--names"]
    assert main(asked) == 2
    assert capsys.readouterr().err == "gatekeeper: Please say in a sentence why the names of pupils are needed.\n"
    assert not (data / "named.zip").exists()
    assert main([*asked, "--reason", "The governors asked for it in writing."]) == 0
    assert (data / "named.zip").is_file()
    assert [row.detail["names"] for row in audited(data)] == [True]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["99"], 1, "There is no such post."),
        (["1", "--version", "4"], 1, "This post has no version 4."),
        (["1", "--out", "there.txt"], 2, "there.txt is there already. Choose another name with --out."),
        (["1", "--out", "no/such/folder.zip"], 1, "no/such/folder.zip cannot be written: No such file or directory."),
    ],
    ids=["no post", "no version", "taken", "no folder"],
)
def test_what_cannot_be_done_is_one_line(
    data: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, sentence: str
) -> None:
    (data / "there.txt").write_text("kept")
    assert main(["evidence", "export", *words, "--data", str(data)]) == code
    assert capsys.readouterr().err == f"gatekeeper: {sentence}\n"
    assert (data / "there.txt").read_text() == "kept"


def test_without_a_key_or_a_database_it_says_so(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["evidence", "export", "1", "--data", str(data / "empty")]) == 1
    assert "There is no database at" in capsys.readouterr().err
    monkeypatch.delenv("GATEKEEPER_LEDGER_KEY")
    shutil.rmtree(data / "keys", ignore_errors=True)
    assert main(["evidence", "export", "1", "--data", str(data)]) == 1
    assert "GATEKEEPER_LEDGER_KEY is missing" in capsys.readouterr().err
