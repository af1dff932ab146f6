import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatekeeper.clock import Clock
from gatekeeper.errors import SettingsError
from gatekeeper.ops import release as releasing
from gatekeeper.ops.release import release
from gatekeeper.settings import load_settings
from tests.conftest import ToldClock


def _release(data: Path, clock: Clock, **env: str) -> list[str]:
    told: list[str] = []
    release(load_settings("release", {"GATEKEEPER_DATA": str(data), **env}), clock=clock, tell=told.append)
    return told


def _tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    finally:
        connection.close()


def test_makes_the_database_and_changes_nothing_the_second_time(tmp_path: Path, clock: ToldClock) -> None:
    assert _release(tmp_path, clock) == []
    assert "post" in _tables(tmp_path / "gatekeeper.db")
    assert _release(tmp_path, clock) == []
    assert not (tmp_path / "backups").exists()


def test_nobody_else_on_the_machine_can_read_the_database(tmp_path: Path, clock: ToldClock) -> None:
    data = tmp_path / "shared"
    data.mkdir(mode=0o755)
    _release(data, clock)
    held = sqlite3.connect(data / "gatekeeper.db")
    held.execute("SELECT count(*) FROM post").fetchall()
    modes = {path.name: path.stat().st_mode & 0o077 for path in data.glob("gatekeeper.db*")}
    held.close()
    assert "gatekeeper.db" in modes
    assert set(modes.values()) == {0}


def test_the_old_database_is_copied_before_an_upgrade(
    tmp_path: Path, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _release(tmp_path, clock)
    monkeypatch.setattr(releasing, "newest_revision", lambda: "a-later-one")
    told = _release(tmp_path, clock)
    copy = tmp_path / "backups" / "before-upgrade-20261123-090000.db"
    assert str(copy) in told[0]
    assert _tables(copy) == _tables(tmp_path / "gatekeeper.db")
    assert copy.stat().st_mode & 0o077 == 0


def test_only_the_last_five_copies_are_kept(tmp_path: Path, clock: ToldClock, monkeypatch: pytest.MonkeyPatch) -> None:
    _release(tmp_path, clock)
    monkeypatch.setattr(releasing, "newest_revision", lambda: "a-later-one")
    for _ in range(7):
        clock.advance(days=1)
        _release(tmp_path, clock)
    copies = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert len(copies) == 5
    assert copies[-1] == "before-upgrade-20261130-090000.db"


def test_cannot_quote_the_password_of_a_database_that_is_away(tmp_path: Path, clock: ToldClock) -> None:
    with pytest.raises(SettingsError) as refused:
        _release(tmp_path, clock, DATABASE_URL="postgresql://office:topsecret@127.0.0.1:1/school")
    assert "topsecret" not in str(refused.value)
    assert "127.0.0.1:1" in str(refused.value)


def test_cannot_start_on_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "gatekeeper.db").write_text("this is a letter to the governors")
    with pytest.raises(SettingsError, match="cannot be used"):
        _release(tmp_path, ToldClock(datetime(2026, 1, 1, tzinfo=UTC)))
    assert (tmp_path / "gatekeeper.db").read_text().startswith("this is a letter")
