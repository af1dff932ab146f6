"""`gatekeeper subject-access`: one file about one child, readable by its owner alone, and a line in the audit."""

import json
import stat
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.cli import main
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Audit
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.fixtures.signing import SIGNER

REASON = ["--reason", "Request of the mother of 20 November"]


@pytest.fixture
def data(sqlite_url: str, tmp_path: Path, clock: ToldClock, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATABASE_URL", "REDIS_URL", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GATEKEEPER_DATA", str(tmp_path / "not-this-one"))
    database = Database(sqlite_url, signer=SIGNER)
    School(make_services(database, tmp_path, clock)).post(text="Wren Applethwaite and Jonty sang")
    database.engine.dispose()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_is_written_for_its_owner_alone(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["subject-access", "1", "--data", str(data), *REASON]) == 0
    target = data / capsys.readouterr().out.strip()
    assert target.name == "subject-access-1.zip"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(target) as bundle:
        held = json.loads(bundle.read("data.json"))
    assert [post["words"] for post in held["posts"]] == ["Wren Applethwaite and [name withheld] sang"]
    database = Database(f"sqlite:///{data / 'gatekeeper.db'}")
    with database.read() as session:
        row = session.scalars(select(Audit).where(Audit.action == "subject_access.exported")).one()
    database.engine.dispose()
    assert (row.staff_id, row.subject, row.detail["reason"]) == (None, "pupil:1", REASON[1])
    assert row.detail["by_command"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["99", *REASON], 1, "There is no such pupil on the roll."),
        (["1", "--reason", "because"], 2, "say in a sentence why"),
        (["1", *REASON, "--out", "there.zip"], 2, "there.zip is there already"),
        (["1", *REASON, "--data", "nowhere"], 1, "There is no database at"),
    ],
    ids=["nobody", "no-reason", "there-already", "no-database"],
)
def test_what_cannot_be_done_is_one_line_and_leaves_no_file(
    data: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, sentence: str
) -> None:
    (data / "there.zip").write_text("mine")
    asked = words if "--data" in words else [*words, "--data", str(data)]
    assert main(["subject-access", *asked]) == code
    assert sentence in capsys.readouterr().err
    assert (data / "there.zip").read_text() == "mine"
    assert list(data.glob("subject-access-*")) == []
