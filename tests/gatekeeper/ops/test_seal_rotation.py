"""The channels' keys are handed to a new pair without being lost, wherever the change is cut short."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from gatekeeper.channels import seal
from gatekeeper.db.session import Database
from gatekeeper.errors import SettingsError
from gatekeeper.ops import seal_rotation
from gatekeeper.ops.key_files import write_key
from gatekeeper.people.staff import Staff
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.settings import Settings
from tests.factories.school import make_settings

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PLAIN = {1: b"the keys of one", 2: b"the keys of two"}


@pytest.fixture
def settings(sqlite_database: Database, tmp_path: Path) -> Settings:
    settings = make_settings(tmp_path, sqlite_database.url, process="keys")
    settings.keys.mkdir(mode=0o700)
    public, private = seal.make_keypair()
    write_key(settings.keys / "seal_key", private)
    write_key(settings.keys / "seal.pub", public)
    with sqlite_database.begin() as session:
        session.add(Staff(id=1, email="a@x.example", name="A", role="administrator", created_at=NOW))
        session.flush()
        for number, plain in PLAIN.items():
            sealed = seal.seal(public, plain, context=seal.account_context(number))
            session.add(
                ChannelAccount(
                    id=number, kind="x", name=f"Account {number}", remote_id=str(number), created_by=1,
                    created_at=NOW, sealed=sealed,
                )
            )  # fmt: skip
        session.add(ChannelAccount(id=3, kind="x", name="Closed", remote_id="3", created_by=1, created_at=NOW))
    return settings


def opened(settings: Settings, database: Database, keys: str = "") -> dict[int, bytes]:
    """What the publisher reads with the key file as it stands, or with other keys."""
    keys = keys or (settings.keys / "seal_key").read_text()
    with database.read() as session:
        rows = session.scalars(select(ChannelAccount).where(ChannelAccount.sealed.is_not(None))).all()
    return {row.id: seal.unseal(keys, row.sealed or "", context=seal.account_context(row.id)) for row in rows}


def test_every_account_opens_with_the_new_key_and_none_with_the_old(
    settings: Settings, sqlite_database: Database
) -> None:
    old = (settings.keys / "seal_key").read_text()
    assert seal_rotation.rotate_seal(settings, {}) == 2
    assert opened(settings, sqlite_database) == PLAIN
    assert len((settings.keys / "seal_key").read_text().split()) == 1
    with pytest.raises(SettingsError):
        opened(settings, sqlite_database, old)
    fresh = seal.seal((settings.keys / "seal.pub").read_text().strip(), b"typed today", context="here")
    assert seal.unseal((settings.keys / "seal_key").read_text(), fresh, context="here") == b"typed today"


@pytest.mark.parametrize("cut_at", range(4))
def test_cut_short_anywhere_nothing_is_lost_and_it_is_finished_by_running_it_again(
    settings: Settings, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, cut_at: int
) -> None:
    """The steps that change something: both keys, the public half, the accounts, the new key alone."""
    done = []

    def count_down(step: object) -> None:
        if len(done) == cut_at:
            raise KeyboardInterrupt
        done.append(step)

    def write(path: Path, text: str) -> None:
        count_down(path)
        write_key(path, text)

    seal_anew = seal_rotation._seal_anew

    def anew(*words: object, **names: object) -> int:
        if not names:
            count_down("accounts")
        return seal_anew(*words, **names)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(seal_rotation, "write_key", write)
        patch.setattr(seal_rotation, "_seal_anew", anew)
        with pytest.raises(KeyboardInterrupt):
            seal_rotation.rotate_seal(settings, {})
    assert opened(settings, sqlite_database) == PLAIN
    typed = seal.seal((settings.keys / "seal.pub").read_text().strip(), b"typed since", context="here")
    assert seal.unseal((settings.keys / "seal_key").read_text(), typed, context="here") == b"typed since"
    assert seal_rotation.rotate_seal(settings, {}) == 2
    assert opened(settings, sqlite_database) == PLAIN
    assert len((settings.keys / "seal_key").read_text().split()) == 1


def test_an_account_that_cannot_be_opened_stops_it_before_anything_changes(
    settings: Settings, sqlite_database: Database
) -> None:
    before = (settings.keys / "seal_key").read_text(), (settings.keys / "seal.pub").read_text()
    with sqlite_database.begin() as session:
        rows = [session.get_one(ChannelAccount, number) for number in PLAIN]
        rows[0].sealed = rows[1].sealed  # a row's keys open in no other row
    with pytest.raises(SettingsError, match="Account 1"):
        seal_rotation.rotate_seal(settings, {})
    assert ((settings.keys / "seal_key").read_text(), (settings.keys / "seal.pub").read_text()) == before


@pytest.mark.parametrize("name", ["GATEKEEPER_SEAL_KEY", "GATEKEEPER_SEAL_KEY_FILE", "GATEKEEPER_SEAL_PUBLIC"])
def test_keys_from_the_environment_are_not_ours_to_replace(settings: Settings, name: str) -> None:
    with pytest.raises(SettingsError, match="not ours to replace"):
        seal_rotation.rotate_seal(settings, {name: "something"})


def test_a_database_that_does_not_answer_changes_no_key(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (settings.keys / "seal_key").read_text()

    def away(*_words: object, **_names: object) -> int:
        raise OperationalError("no", None, Exception())

    monkeypatch.setattr(seal_rotation, "_seal_anew", away)
    with pytest.raises(SettingsError, match="did not answer"):
        seal_rotation.rotate_seal(settings, {})
    assert (settings.keys / "seal_key").read_text() == before
