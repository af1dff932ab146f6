"""The key of the ledger: never a second one behind anybody's back, and none lost while it is changed."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from approvals import ledger, ledger_check, ledger_entries
from approvals.signing import Ed25519Signer, make_key
from gatekeeper.bootstrap import build_services, check_ledger_key
from gatekeeper.cli import main
from gatekeeper.clock import SystemClock
from gatekeeper.db.schema import upgrade
from gatekeeper.db.session import Database
from gatekeeper.errors import SettingsError
from gatekeeper.ops import key_files, ledger_keys
from gatekeeper.ops.keys import ensure_keys
from gatekeeper.ops.ledger_keys import rotate_ledger
from gatekeeper.ops.release import release
from gatekeeper.ops.run import only_one, run
from gatekeeper.settings import Settings, load_settings
from tests.conftest import ToldClock


class Crash(BaseException):
    """The power goes."""


@pytest.fixture
def env(tmp_path: Path, database_url: str) -> dict[str, str]:
    """A fresh installation on either database."""
    return {"GATEKEEPER_DATA": str(tmp_path), "DATABASE_URL": database_url}


@pytest.fixture
def settings(env: dict[str, str]) -> Settings:
    ensure_keys(load_settings("web", env), env)
    return load_settings("web", env)


@pytest.fixture
def lite(tmp_path: Path, sqlite_url: str) -> dict[str, str]:
    """A fresh installation, where the kind of database does not matter."""
    env = {"GATEKEEPER_DATA": str(tmp_path), "DATABASE_URL": sqlite_url}
    ensure_keys(load_settings("web", env), env)
    return env


def held(settings: Settings) -> Ed25519Signer:
    return Ed25519Signer.read((settings.keys / "ledger_key").read_text())


def write(settings: Settings) -> None:
    database = Database(settings.database_url, signer=held(settings))
    with database.begin() as session:
        ledger.append(session, at=SystemClock().now(), kind="test.written", body={})
    database.engine.dispose()


def verified(settings: Settings) -> ledger_check.Verification:
    listed = (settings.keys / "ledger.pub").read_text().split()
    database = Database(settings.database_url)
    with database.read() as session:
        found = ledger_check.verify(session, keys=listed)
    database.engine.dispose()
    return found


def test_the_list_holds_the_public_half_of_the_key(settings: Settings) -> None:
    assert (settings.keys / "ledger.pub").read_text().split() == [held(settings).public]
    assert load_settings("ledger", {"GATEKEEPER_DATA": str(settings.data)}).ledger_public == (held(settings).public,)


def test_a_lost_list_is_made_again_from_the_right_key_alone(lite: dict[str, str]) -> None:
    settings = load_settings("web", lite)
    write(settings)
    (settings.keys / "ledger.pub").unlink()
    ensure_keys(settings, lite)
    assert verified(settings).ok
    (settings.keys / "ledger.pub").unlink()
    (settings.keys / "ledger_key").write_text(make_key())
    with pytest.raises(SettingsError, match="is signed with the key"):
        ensure_keys(settings, lite)


# a key that is missing, another, open to others, or none


@pytest.mark.parametrize("list_too", [False, True], ids=["key-lost", "key-and-list-lost"])
def test_cannot_start_without_the_key_of_a_signed_ledger(
    settings: Settings, env: dict[str, str], list_too: bool
) -> None:
    """A new key would be made silently, and nobody could tell its entries from a forger's."""
    write(settings)
    name = held(settings).key_id
    (settings.keys / "ledger_key").unlink()
    if list_too:
        (settings.keys / "ledger.pub").unlink()
    with pytest.raises(SettingsError) as refused:
        ensure_keys(settings, env)
    assert f"signed with the key {name}, and that key is missing" in str(refused.value)
    assert "chmod 600" in str(refused.value)
    assert not (settings.keys / "ledger_key").exists()


def test_cannot_run_or_add_anybody_without_the_key_of_a_signed_ledger(
    lite: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings("web", lite)
    write(settings)
    (settings.keys / "ledger_key").unlink()
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    for name, value in {**lite, "PORT": "8793"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="that key is missing"):
        run()
    monkeypatch.setattr("gatekeeper.cli._read_password", lambda: "seven-quiet-otters")
    assert main(["users", "add", "--name", "Pat", "--email", "pat@school.example"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "that key is missing" in said


def test_cannot_start_with_another_key_than_the_ledgers(settings: Settings, env: dict[str, str]) -> None:
    write(settings)
    right = held(settings).key_id
    other = make_key()
    told = {**env, "GATEKEEPER_LEDGER_KEY": other}
    with pytest.raises(SettingsError, match="Put the right key back"):
        ensure_keys(load_settings("web", told), told)
    for process in ("web", "platform", "publisher", "users"):
        given = {**told, "GATEKEEPER_WEB_KEY": "x" * 40, "GATEKEEPER_SEAL_KEY": "x"}
        with pytest.raises(SettingsError) as refused:
            build_services(load_settings(process, given))
        assert right in str(refused.value)
        assert Ed25519Signer.read(other).key_id in str(refused.value)
        assert str(refused.value).count(". ") == 1
    with pytest.raises(SettingsError, match=right):
        check_ledger_key(load_settings("mail", told))
    assert verified(settings).entries == 2


def test_cannot_start_on_an_unsigned_entry_that_somebody_put_at_the_end(settings: Settings) -> None:
    """It is not taken for a ledger from before there were signatures, and sealed."""
    write(settings)
    database = Database(settings.database_url, signer=held(settings))
    with database.begin() as session:
        last = list(ledger_entries.entries(session))[-1]
        forged = ledger.entry_hash(last.hash, seq=last.seq + 1, at=last.at, kind="role.changed", body="{}")
        session.execute(
            text(
                "INSERT INTO ledger (seq, at, kind, body, prev_hash, hash) "
                "SELECT seq + 1, at, 'role.changed', '{}', hash, :forged FROM ledger ORDER BY seq DESC LIMIT 1"
            ),
            {"forged": forged},
        )
    database.engine.dispose()
    with pytest.raises(SettingsError, match="ledger verify"):
        check_ledger_key(settings)
    assert verified(settings).broken_at == last.seq + 1


@pytest.mark.parametrize(
    "wrong", ["", "no key", "QUJD", "é" * 44, "A" * 44], ids=["empty", "words", "short", "accents", "long"]
)
def test_cannot_start_with_what_is_no_key(lite: dict[str, str], wrong: str) -> None:
    path = load_settings("web", lite).keys / "ledger_key"
    path.write_text(wrong)
    with pytest.raises(SettingsError) as refused:
        ensure_keys(load_settings("web", lite), lite)
    if wrong:
        assert "GATEKEEPER_LEDGER_KEY cannot be used. A ledger key is 32 bytes in base64." in str(refused.value)
        with pytest.raises(SettingsError, match="32 bytes"):
            build_services(load_settings("web", lite))
    else:
        assert "that key is missing" in str(refused.value)


def test_cannot_start_with_bytes_that_are_no_text(lite: dict[str, str]) -> None:
    (load_settings("web", lite).keys / "ledger_key").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings("web", lite)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_cannot_start_with_a_key_that_others_can_read(lite: dict[str, str], mode: int) -> None:
    path = load_settings("web", lite).keys / "ledger_key"
    path.chmod(mode)
    for process in ("web", "mail", "platform", "publisher", "users"):
        with pytest.raises(SettingsError, match="can be read by others: run chmod 600"):
            load_settings(process, lite)


def test_a_ledger_from_before_the_signatures_is_signed_from_the_first_start_on(lite: dict[str, str]) -> None:
    settings = load_settings("web", lite)
    write(settings)
    database = Database(settings.database_url)
    with database.begin() as session:
        for name in ("change", "delete", "insert"):
            session.execute(text(f"DROP TRIGGER ledger_{name}"))
        session.execute(text("DELETE FROM ledger WHERE seq = 2"))
        hashed = ledger.entry_hash("0" * 64, seq=1, at="2026-01-01T00:00:00.000000+00:00", kind="test.old", body="{}")
        session.execute(
            text(
                "UPDATE ledger SET at = '2026-01-01T00:00:00.000000+00:00', kind = 'test.old', body = '{}', "
                "hash = :hash, key_id = NULL, signature = NULL"
            ),
            {"hash": hashed},
        )
    database.engine.dispose()
    assert not verified(settings).ok
    for _ in range(2):
        build_services(settings).db.engine.dispose()
    found = verified(settings)
    assert (found.ok, found.entries, found.unsigned) == (True, 2, 1)


def test_a_first_start_needs_no_database_yet(tmp_path: Path) -> None:
    env = {"GATEKEEPER_DATA": str(tmp_path)}
    ensure_keys(load_settings("web", env), env)
    assert not (tmp_path / "gatekeeper.db").exists()
    settings = load_settings("web", env)
    build_services(settings).db.engine.dispose()  # no table yet: said by whoever needs one
    upgrade(settings.database_url)
    build_services(settings).db.engine.dispose()


# changing it


def test_a_key_is_changed_and_everything_before_and_after_still_verifies(
    settings: Settings, env: dict[str, str], clock: ToldClock
) -> None:
    write(settings)
    old = held(settings)
    done = rotate_ledger(settings, env, clock=clock)
    write(settings)
    assert (done.old, done.new) == (old.key_id, held(settings).key_id)
    assert done.old != done.new
    assert Ed25519Signer.read(done.retired.read_text()).key_id == old.key_id
    found = verified(settings)
    assert (found.ok, found.key, found.entries) == (True, done.new, 4)
    assert {stat.S_IMODE(path.stat().st_mode) for path in settings.keys.iterdir()} == {0o600}
    rotate_ledger(settings, env, clock=clock)
    ensure_keys(load_settings("web", env), env)
    assert len((settings.keys / "ledger.pub").read_text().split()) == 3
    assert verified(settings).ok


def test_cannot_change_the_key_while_gatekeeper_runs(lite: dict[str, str], clock: ToldClock) -> None:
    settings = load_settings("web", lite)
    write(settings)
    before = {path.name: path.read_text() for path in settings.keys.iterdir()}
    with only_one(settings.data), pytest.raises(SettingsError, match=r"already running on .* Stop it first"):
        rotate_ledger(settings, lite, clock=clock)
    assert {path.name: path.read_text() for path in settings.keys.iterdir()} == before


def test_cannot_change_a_key_that_comes_from_elsewhere(lite: dict[str, str], clock: ToldClock) -> None:
    settings = load_settings("web", lite)
    told = {**lite, "GATEKEEPER_LEDGER_KEY": make_key()}
    with pytest.raises(SettingsError, match="put the key into that file"):
        rotate_ledger(settings, told, clock=clock)
    (settings.keys / "ledger_key").unlink()
    with pytest.raises(SettingsError, match="not ours to replace"):
        rotate_ledger(settings, lite, clock=clock)


def test_cannot_change_the_key_of_an_empty_ledger_or_of_anothers(lite: dict[str, str], clock: ToldClock) -> None:
    settings = load_settings("web", lite)
    with pytest.raises(SettingsError, match="has no key yet"):
        rotate_ledger(settings, lite, clock=clock)
    write(settings)
    (settings.keys / "ledger_key").write_text(make_key())
    with pytest.raises(SettingsError, match="another key"):
        rotate_ledger(settings, lite, clock=clock)
    assert not (settings.keys / "ledger_key.next").exists()


def _crash(*_args: object, **_more: object) -> None:
    raise Crash


def _crash_at(point: str) -> Callable[..., None]:
    def write_key(path: Path, content: str) -> None:
        if path.name.startswith(point):
            raise Crash
        key_files.write_key(path, content)

    return write_key


POINTS = {
    "the new key beside the old": ("write_key", _crash_at("ledger_key.next"), False),
    "the entry": ("ledger.change_key", _crash, False),
    "the list": ("write_key", _crash_at("ledger.pub"), True),
    "the old key put away": ("write_key", _crash_at("ledger_key.retired"), True),
    "the new key in its place": ("put_in_place", _crash, True),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_change_cut_short_is_undone_or_finished_at_the_next_start(
    settings: Settings, env: dict[str, str], clock: ToldClock, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """The power goes right before each of the writes."""
    write(settings)
    old = held(settings)
    where, crash, changed = POINTS[point]
    with monkeypatch.context() as patch:
        patch.setattr(ledger if where.startswith("ledger.") else ledger_keys, where.rpartition(".")[2], crash)
        with pytest.raises(Crash):
            rotate_ledger(settings, env, clock=clock)
    ensure_keys(load_settings("web", env), env)
    assert not (settings.keys / "ledger_key.next").exists()
    assert (held(settings).key_id != old.key_id) is changed
    check_ledger_key(load_settings("web", env))
    write(settings)
    found = verified(settings)
    assert (found.ok, found.key, found.entries) == (True, held(settings).key_id, 4 if changed else 3)


def test_a_change_cut_short_is_finished_by_the_release_too_and_refused_before(
    lite: dict[str, str], clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings("web", lite)
    write(settings)
    with monkeypatch.context() as patch:
        patch.setattr(ledger_keys, "put_in_place", _crash)
        with pytest.raises(Crash):
            rotate_ledger(settings, lite, clock=clock)
    with pytest.raises(SettingsError, match="is signed with the key"):
        build_services(load_settings("web", lite))
    release(load_settings("release", lite), clock=clock, tell=lambda _line: None)
    build_services(load_settings("web", lite)).db.engine.dispose()


def test_a_change_cut_short_is_left_alone_beside_another_database(
    lite: dict[str, str], clock: ToldClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = load_settings("web", lite)
    write(settings)
    with monkeypatch.context() as patch:
        patch.setattr(ledger_keys, "put_in_place", _crash)
        with pytest.raises(Crash):
            rotate_ledger(settings, lite, clock=clock)
    (tmp_path / "other").mkdir()
    other = {**lite, "DATABASE_URL": f"sqlite:///{tmp_path / 'other' / 'school.db'}"}
    upgrade(other["DATABASE_URL"])
    with pytest.raises(SettingsError, match="Is it the right database"):
        ensure_keys(load_settings("web", other), other)
    assert (settings.keys / "ledger_key.next").exists()
    ensure_keys(load_settings("web", lite), lite)
    assert verified(settings).ok


def test_the_command_says_what_to_do_next(
    lite: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings("web", lite)
    write(settings)
    for name, value in lite.items():
        monkeypatch.setenv(name, value)
    assert main(["keys", "rotate-ledger"]) == 0
    said = capsys.readouterr().err
    assert held(settings).key_id in said
    assert str(settings.keys / "ledger.pub") in said
    assert "make a backup" in said
    assert main(["ledger", "verify"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["pinned"], answer["key"]) == (True, True, held(settings).key_id)
    assert os.environ["GATEKEEPER_DATA"] == str(settings.data)
