"""`gatekeeper doctor` on a real installation: what is well, what is wrong, and what to do about it."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from approvals import ledger
from gatekeeper.cli import main
from gatekeeper.clock import SystemClock
from gatekeeper.db.session import Database
from gatekeeper.jobs import SCAN, order
from gatekeeper.ops import doctor_outside
from gatekeeper.ops.doctor import doctor
from gatekeeper.ops.keys import ensure_keys
from gatekeeper.ops.release import release
from gatekeeper.people.staff import Staff, record
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.posts.public import AccountWatch, Incident
from gatekeeper.settings import load_settings
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import purge
from tests.conftest import ToldClock
from tests.fixtures.mail import KeptMail
from tests.fixtures.signing import LEDGER_KEY, SIGNER

Found = dict[str, list[dict[str, str]]]
Look = Callable[..., Found]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    release(load_settings("release", {"GATEKEEPER_DATA": str(folder)}), clock=SystemClock(), tell=lambda _: None)
    folder.chmod(0o700)
    return folder


@pytest.fixture
def look(data: Path, smtp_sink: KeptMail, clock: ToldClock, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Look at an installation whose mail server and site are there; what is given is what it is told besides."""
    monkeypatch.setattr(doctor_outside, "answers", lambda *_: True)

    def looked(**env: str) -> Found:
        told = {
            "GATEKEEPER_DATA": str(data),
            "GATEKEEPER_SMTP_URL": smtp_sink.url,
            "GATEKEEPER_LEDGER_KEY": LEDGER_KEY,
            "GATEKEEPER_PLATFORM_URL": "http://127.0.0.1:9",
        }
        ensure_keys(load_settings("web", told), told)
        told |= env
        lines: list[str] = []
        code = doctor(told, clock=clock, as_json=True, tell=lines.append)
        found: Found = {}
        for line in lines:
            check = json.loads(line)
            found.setdefault(check["name"], []).append(check)
        assert code == int(any(check["state"] == "wrong" for checks in found.values() for check in checks))
        return found

    return looked


@pytest.fixture
def database(data: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{data / 'gatekeeper.db'}", signer=SIGNER)
    yield opened
    opened.engine.dispose()


def states(found: Found, name: str) -> set[str]:
    return {check["state"] for check in found[name]}


def test_on_a_sound_installation_nothing_is_wrong(look: Look) -> None:
    found = look()
    wrong = [check for checks in found.values() for check in checks if check["state"] == "wrong"]
    assert wrong == []
    assert states(found, "keys") == states(found, "mail") == states(found, "database") == {"ok"}


def test_a_missing_secret_and_one_that_others_can_read_are_named(look: Look, data: Path) -> None:
    look()
    (data / "keys" / "seal_key").chmod(0o644)
    found = look(GATEKEEPER_SMTP_URL="")
    said = " ".join(check["sentence"] for check in found["keys"])
    assert "can be read by others" in said
    assert "GATEKEEPER_SMTP_URL" in said
    assert states(found, "mail") == {"wrong"}


def test_a_mail_server_that_is_away_is_told_without_its_password(look: Look) -> None:
    found = look(GATEKEEPER_SMTP_URL="smtp://office:s3cret@127.0.0.1:9")
    assert states(found, "mail") == {"wrong"}
    assert "s3cret" not in json.dumps(found)


def test_a_folder_that_others_can_read_is_wrong(look: Look, data: Path) -> None:
    data.chmod(0o755)
    assert "chmod 700" in look()["disk"][0]["do"]


def test_too_little_room_is_wrong(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 50_000_000})
    monkeypatch.setattr("gatekeeper.ops.doctor.shutil.disk_usage", lambda _path: usage)
    assert states(look(), "disk") == {"wrong"}


def test_a_changed_ledger_is_named(look: Look, database: Database, clock: ToldClock) -> None:
    with database.begin() as session:
        ledger.append(session, at=clock.now(), kind="test.entry", body={"number": 1})
    assert states(look(), "ledger") == {"ok"}
    with sqlite3.connect(database.url.removeprefix("sqlite:///")) as raw:
        for (name,) in raw.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='ledger'"
        ).fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE ledger SET body = replace(body, '1', '7') WHERE seq = 2")
    raw.close()
    assert states(look(), "ledger") == {"wrong"}


def test_a_clock_that_was_set_back_is_seen_by_the_ledger(look: Look, database: Database, clock: ToldClock) -> None:
    with database.begin() as session:
        ledger.append(session, at=clock.now() + timedelta(hours=1), kind="test.entry", body={})
    assert "still to come" in " ".join(check["sentence"] for check in look()["clock"])


def test_the_clock_is_held_against_a_platforms(look: Look, clock: ToldClock) -> None:
    with Simulator() as platform:
        clock.moment = SystemClock().now()
        assert states(look(GATEKEEPER_PLATFORM_URL=platform.base_url), "clock") == {"ok"}
        clock.advance(minutes=-10)
        [told] = look(GATEKEEPER_PLATFORM_URL=platform.base_url)["clock"]
    assert (told["state"], "behind" in told["sentence"]) == ("wrong", True)


def test_held_channels_and_keys_that_end_soon_are_told(look: Look, database: Database, clock: ToldClock) -> None:
    now = clock.now()
    with database.begin() as session:
        staff = Staff(email="a@school.example", name="A", role="administrator", created_at=now)
        session.add(staff)
        session.flush()
        opened = {"status": "open", "opened_by": staff.id, "opened_at": now, "checked_at": now}
        for number, parts in enumerate(
            (
                {"status": "held", "held_reason": "The credit is used up."},
                opened | {"expires_at": now + timedelta(days=5)},
                opened,
            )
        ):
            made = {"kind": "x", "name": f"Account {number}", "remote_id": str(number), "created_by": staff.id}
            session.add(ChannelAccount(**made, **parts, created_at=now))
    found = look()["channels"]
    assert [check["state"] for check in found] == ["wrong", "advice", "ok"]
    assert "The credit is used up." in found[0]["sentence"]


def test_an_account_that_nobody_can_read_and_what_was_found_are_told(
    look: Look, database: Database, clock: ToldClock
) -> None:
    assert states(look(), "watch") == {"ok"}
    with database.begin() as session:
        head = Staff(email="h@school.example", name="H", role="headteacher", created_at=clock.now())
        session.add(head)
        session.flush()
        for kind, failures, late in (("x", 3, 0), ("facebook", 0, 60), ("linkedin", 2, 0)):
            account = ChannelAccount(
                kind=kind, name="School", remote_id="1", status="open", opened_by=head.id, opened_at=clock.now(),
                created_by=head.id, created_at=clock.now(), sealed="keys",
            )  # fmt: skip
            session.add(account)
            session.flush()
            due = clock.now() - timedelta(minutes=late)
            watch = AccountWatch(account_id=account.id, began_at=due, next_at=due, failures=failures)
            watch.problem = "X does not accept the school's keys." if failures else ""
            session.add(watch)
        found = Incident(account_id=1, kind="ungated", remote_id="9", seen_at=clock.now())
        session.add(found)
    told = look()["watch"]
    assert [check["state"] for check in told] == ["wrong", "wrong", "advice"]
    assert "keys" in told[0]["sentence"]
    assert "Facebook" in told[1]["sentence"]


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [("v26.0", "ok", "not been named"), ("v25.0", "ok", "until 29 July 2028"), ("v19.0", "advice", "has ended")],
)
def test_a_version_that_a_platform_stops_speaking_is_told(
    *, look: Look, database: Database, clock: ToldClock, version: str, state: str, words: str
) -> None:
    now = clock.now()
    with database.begin() as session:
        session.add(Staff(id=1, email="a@school.example", name="A", role="administrator", created_at=now))
        session.flush()
        session.add(ChannelAccount(kind="facebook", name="Page", remote_id="1", created_by=1, created_at=now))
    (found,) = look(GATEKEEPER_GRAPH_VERSION=version)["versions"]
    assert found["state"] == state
    assert words in found["sentence"]


def test_work_that_nobody_does_names_its_worker(look: Look, database: Database, clock: ToldClock) -> None:
    with database.begin() as session:
        order(session, SCAN, 1, now=clock.now() - timedelta(minutes=30))
    [told] = look()["workers"]
    assert told["state"] == "wrong"
    assert "logs/scan.log" in told["do"]


def test_the_last_purge_is_told_and_is_wrong_when_it_is_long_ago_or_did_not_end_well(
    look: Look, database: Database, clock: ToldClock
) -> None:
    assert states(look(), "retention") == {"advice"}
    with database.begin() as session:
        record(session, at=clock.now(), staff_id=None, action=purge.FINISHED, subject="retention")
    [told] = look()["retention"]
    assert (told["state"], told["sentence"]) == ("ok", "The last purge ended on 23.11.2026 at 09:00 UTC.")
    clock.advance(days=3)
    assert states(look(), "retention") == {"wrong"}
    with database.begin() as session:
        failed = {"counts": {}, "failed": ["drafts"]}
        record(session, at=clock.now(), staff_id=None, action=purge.FINISHED, subject="retention", detail=failed)
    [told] = look()["retention"]
    assert "Not everything could be erased" in told["sentence"]


def test_a_database_without_this_releases_schema_says_what_to_run(look: Look, data: Path) -> None:
    with sqlite3.connect(data / "gatekeeper.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0001'")
    raw.close()
    assert look()["database"][0]["do"] == "Run: gatekeeper release"


def test_a_database_that_cannot_be_reached_hides_no_other_look_and_no_password_shows(look: Look) -> None:
    found = look(DATABASE_URL="postgresql://school:s3cret@127.0.0.1:9/none")
    assert states(found, "database") == {"wrong"}
    assert {"mail", "disk", "photos"} <= set(found)
    assert "s3cret" not in json.dumps(found)


def test_the_command_speaks_in_lines_and_ends_with_one(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEKEEPER_PLATFORM_URL", "http://127.0.0.1:9")
    assert main(["doctor", "--data", str(data)]) == 1
    said = capsys.readouterr().out
    assert "✕ mail" in said
    assert "something wrong" in said.splitlines()[-1]
    assert main(["doctor", "--data", str(data / "nowhere")]) == 1
