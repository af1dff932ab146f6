"""Backups: made while others write, whole when made, and restored without anything going out a second time."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from approvals import ledger_check
from approvals.tables import LedgerEntry
from gatekeeper.cli import main
from gatekeeper.db.session import Database
from gatekeeper.errors import GatekeeperError
from gatekeeper.mail.model import Notice
from gatekeeper.ops import nightly
from gatekeeper.ops.backup import MANIFEST, MEDIA, BackupFailed, Manifest, backup, backups
from gatekeeper.ops.restore import restore
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import StaffSession
from gatekeeper.posts.model import Publication, Restoration
from gatekeeper.posts.status import PublicationState
from gatekeeper.workflow import restoration
from gatekeeper.workflow.stopped import sending_stopped
from tests.conftest import ToldClock
from tests.factories.school import School, make_services, make_settings
from tests.fixtures.signing import LEDGER_KEY, SIGNER


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(
        make_services(database, tmp_path / "data", clock, settings=make_settings(tmp_path / "data", database.url))
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def scheduled(school: School, *, photos: int = 0) -> list[int]:
    return school.approve(school.post(photos=photos, kinds=("x",)))


def environment(folder: Path, url: str) -> dict[str, str]:
    return {"GATEKEEPER_DATA": str(folder), "DATABASE_URL": url, "GATEKEEPER_LEDGER_KEY": LEDGER_KEY}


@pytest.fixture
def elsewhere(tmp_path: Path, database: Database, make_postgresql_url: Callable[[], str]) -> dict[str, str]:
    """An empty data folder, and an empty database of the same kind."""
    folder = tmp_path / "elsewhere"
    if database.is_sqlite:
        return environment(folder, f"sqlite:///{folder / 'gatekeeper.db'}")
    url = make_postgresql_url()
    emptied = Database(url)
    with emptied.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    emptied.engine.dispose()
    return environment(folder, url)


def opened(environ: dict[str, str]) -> Database:
    return Database(environ["DATABASE_URL"], signer=SIGNER)


def test_a_backup_holds_everything_and_comes_back_the_same(
    school: School, target: Path, clock: ToldClock, elsewhere: dict[str, str]
) -> None:
    scheduled(school, photos=1)
    made = backup(school.services.settings, target, clock=clock)
    manifest = Manifest.read(made)
    assert len(manifest.media) >= 1
    assert all((target / MEDIA / name).is_file() for name in manifest.media)
    clock.advance(minutes=1)
    assert restore(made, elsewhere, clock=clock, tell=lambda _: None) == 0
    there = opened(elsewhere)
    with there.read() as session:
        chain = ledger_check.verify(session)
        assert chain.ok
        assert chain.entries == manifest.entries + 1  # and one that says what was done
        assert session.scalars(select(Publication.state)).all() == [PublicationState.SCHEDULED]
        assert sending_stopped(session)
    there.engine.dispose()
    for name in manifest.media:
        restored = Path(elsewhere["GATEKEEPER_DATA"]) / "media" / name
        assert restored.read_bytes() == (school.services.settings.media / name).read_bytes()
        assert restored.stat().st_mode & 0o077 == 0


def test_what_was_due_since_is_looked_up_and_never_sent_again_unasked(
    school: School, target: Path, clock: ToldClock, elsewhere: dict[str, str]
) -> None:
    scheduled(school)
    with school.services.db.begin() as session:
        begin_session(session, school.head, now=clock.now())
    made = backup(school.services.settings, target, clock=clock)
    clock.advance(days=1)
    assert restore(made, elsewhere, clock=clock, tell=lambda _: None) == 1
    there = opened(elsewhere)
    with there.read() as session:
        publication = session.scalars(select(Publication)).one()
        assert (publication.state, publication.fence) == (PublicationState.UNKNOWN, 1)
        assert session.scalar(select(func.count()).select_from(StaffSession)) == 0
        found = restoration.standing(session)
        assert found is not None
        assert (found.looked_up, found.ready) == (1, False)
        kinds = session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq.desc()).limit(1)).one()
        assert kinds == "restore.begun"
    there.engine.dispose()


def test_a_backup_is_taken_while_somebody_writes(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> None:
    settings = make_settings(tmp_path / "data", sqlite_database.url)
    with sqlite_database.begin() as session:
        session.add(Restoration(taken_at=clock.now(), restored_at=clock.now()))
        session.flush()
        made = backup(settings, tmp_path / "backups", clock=clock)
    with sqlite3.connect(made / "gatekeeper.db") as copy:
        assert copy.execute("SELECT count(*) FROM restoration").fetchone() == (0,)
    copy.close()
    assert {path.name for path in made.iterdir()} == {MANIFEST, "gatekeeper.db"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (made, *made.iterdir()))


@pytest.fixture
def sqlite_made(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Path:
    school = School(
        make_services(
            sqlite_database, tmp_path / "data", clock, settings=make_settings(tmp_path / "data", sqlite_database.url)
        )
    )
    scheduled(school, photos=1)
    return backup(school.services.settings, tmp_path / "backups", clock=clock)


def empty(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "elsewhere"
    return environment(folder, f"sqlite:///{folder / 'gatekeeper.db'}")


def _spoil_database(made: Path) -> None:
    data = bytearray((made / "gatekeeper.db").read_bytes())
    data[5000] ^= 1
    (made / "gatekeeper.db").write_bytes(data)


def _spoil_picture(made: Path) -> None:
    picture = made.parent / MEDIA / Manifest.read(made).media[0]
    picture.write_bytes(picture.read_bytes() + b"x")


def _climb_out(made: Path) -> None:
    told = json.loads((made / MANIFEST).read_text())
    (made / MANIFEST).write_text(json.dumps({**told, "media": ["../../../etc/passwd"]}))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_spoil_database, "not as it was written"),
        (_spoil_picture, "missing or not as it was written"),
        (_climb_out, "cannot be understood"),
        (lambda made: (made / MANIFEST).unlink(), "no whole backup"),
        (lambda made: (made / MANIFEST).write_text("{}"), "cannot be understood"),
        (lambda made: shutil.rmtree(made.parent / MEDIA), "missing or not as it was written"),
    ],
    ids=["database", "picture", "outside", "no-manifest", "bad-manifest", "no-pictures"],
)
def test_cannot_restore_what_is_not_whole_and_nothing_is_written(
    sqlite_made: Path, tmp_path: Path, clock: ToldClock, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(sqlite_made)
    with pytest.raises(GatekeeperError, match=says):
        restore(sqlite_made, empty(tmp_path), clock=clock, tell=lambda _: None)
    assert not (tmp_path / "elsewhere" / "gatekeeper.db").exists()


def test_cannot_restore_over_a_school_or_without_the_ledgers_key(
    sqlite_made: Path, tmp_path: Path, clock: ToldClock
) -> None:
    environ = empty(tmp_path)
    with pytest.raises(GatekeeperError, match="ledger's key is not there"):
        restore(sqlite_made, {**environ, "GATEKEEPER_LEDGER_KEY": ""}, clock=clock, tell=lambda _: None)
    restore(sqlite_made, environ, clock=clock, tell=lambda _: None)
    with pytest.raises(GatekeeperError, match="empty data folder"):
        restore(sqlite_made, environ, clock=clock, tell=lambda _: None)


def test_cannot_restore_with_another_key_than_the_ledgers(sqlite_made: Path, tmp_path: Path, clock: ToldClock) -> None:
    from approvals.signing import make_key

    with pytest.raises(GatekeeperError, match="key"):
        restore(sqlite_made, {**empty(tmp_path), "GATEKEEPER_LEDGER_KEY": make_key()}, clock=clock, tell=lambda _: None)
    assert not (tmp_path / "elsewhere" / "gatekeeper.db").exists()


def test_a_changed_picture_or_ledger_stops_the_backup_and_leaves_the_older_ones(
    sqlite_database: Database, tmp_path: Path, clock: ToldClock
) -> None:
    settings = make_settings(tmp_path / "data", sqlite_database.url)
    school = School(make_services(sqlite_database, tmp_path / "data", clock, settings=settings))
    first = backup(settings, tmp_path / "backups", clock=clock)
    scheduled(school, photos=1)
    picture = next(settings.media.glob("??/??/*.*"))
    picture.write_bytes(b"changed")
    clock.advance(minutes=1)
    with pytest.raises(BackupFailed, match="was changed on the disk"):
        backup(settings, tmp_path / "backups", clock=clock)
    assert backups(tmp_path / "backups") == [first]
    assert not list((tmp_path / "backups").glob("*.part"))


def test_only_the_newest_are_kept_and_pictures_that_none_of_them_holds_go(
    sqlite_database: Database, tmp_path: Path, clock: ToldClock
) -> None:
    settings = make_settings(tmp_path / "data", sqlite_database.url)
    school = School(make_services(sqlite_database, tmp_path / "data", clock, settings=settings))
    scheduled(school, photos=1)
    backup(settings, tmp_path / "backups", clock=clock, keep=2)
    shutil.rmtree(settings.media)
    for _ in range(2):
        clock.advance(minutes=1)
        backup(settings, tmp_path / "backups", clock=clock, keep=2)
    assert len(backups(tmp_path / "backups")) == 2
    assert not [path for path in (tmp_path / "backups" / MEDIA).rglob("*") if path.is_file()]


def test_a_disk_that_takes_nothing_is_one_sentence(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BackupFailed, match="could not be written"):
        backup(make_settings(tmp_path / "data", sqlite_database.url), tmp_path / "file" / "in", clock=clock)


def test_each_night_has_one_backup(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> None:
    settings = make_settings(tmp_path / "data", sqlite_database.url)
    services = make_services(sqlite_database, tmp_path / "data", clock, settings=settings)
    clock.moment = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    assert nightly.look(services) is None  # before the night's time
    clock.advance(hours=2)
    nightly.look(services)
    nightly.look(services)  # after a restart, too, it sees that it is done
    clock.advance(hours=20)
    nightly.look(services)
    assert len(backups(settings.backups)) == 1
    clock.advance(hours=4)
    nightly.look(services)
    assert len(backups(settings.backups)) == 2


def test_a_night_without_a_backup_is_told_to_the_administrators_once(
    sqlite_database: Database, tmp_path: Path, clock: ToldClock
) -> None:
    (tmp_path / "in-the-way").write_text("")
    settings = replace(
        make_settings(tmp_path / "data", sqlite_database.url), backup_folder=tmp_path / "in-the-way" / "backups"
    )
    school = School(make_services(sqlite_database, tmp_path / "data", clock, settings=settings))
    done = nightly.look(school.services)
    assert nightly.look(school.services, tried=done) == done
    nightly.look(school.services)
    with sqlite_database.read() as session:
        told = session.scalars(select(Notice).where(Notice.kind == "backup_failed")).all()
    assert len(told) == 1
    clock.advance(days=1)
    nightly.look(school.services, tried=done)
    with sqlite_database.read() as session:
        assert session.scalar(select(func.count()).where(Notice.kind == "backup_failed")) == 2


def test_the_commands_say_what_they_did(
    sqlite_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in empty(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert main(["restore", str(sqlite_made)]) == 0
    said = capsys.readouterr().out
    assert "Nothing is sent until the headteacher" in said
    assert main(["backup", "--to", str(tmp_path / "more")]) == 0
    assert "opened and is whole" in capsys.readouterr().out
    assert main(["backup", "--keep", "0"]) == 2
    assert main(["restore", str(tmp_path / "nowhere")]) == 1


def test_the_night_is_after_the_hour_that_comes_twice(sqlite_database: Database, tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "data", sqlite_database.url)
    clock = ToldClock(datetime(2026, 10, 25, 0, 0, tzinfo=UTC))
    services = make_services(sqlite_database, tmp_path / "data", clock, settings=settings)
    for _ in range(24):
        nightly.look(services)
        clock.advance(hours=1)
    assert len(backups(settings.backups)) == 1
    assert timedelta(0) < clock.now() - Manifest.read(backups(settings.backups)[0]).moment
