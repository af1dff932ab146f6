"""What is stored is what is read back, or nothing is."""

import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatekeeper.posts.media import MediaDamaged, MediaStore


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def test_a_picture_is_kept_under_its_digest(store: MediaStore) -> None:
    digest = store.put(b"picture", ".jpg")
    assert digest == hashlib.sha256(b"picture").hexdigest()
    assert store.read(digest) == b"picture"
    assert store.path(digest).name == f"{digest}.jpg"


def test_putting_twice_keeps_one(store: MediaStore) -> None:
    assert store.put(b"picture", ".jpg") == store.put(b"picture", ".png")
    assert len([path for path in store.root.rglob("*") if path.is_file()]) == 1


def test_files_and_folders_are_private(store: MediaStore) -> None:
    store.put(b"picture", ".jpg")
    for path in [store.root, *store.root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_cannot_read_a_file_that_was_changed_on_the_disk(store: MediaStore) -> None:
    digest = store.put(b"picture", ".jpg")
    path = store.path(digest)
    path.write_bytes(b"pictura")
    with pytest.raises(MediaDamaged, match="missing or was changed"):
        store.read(digest)


def test_putting_the_true_bytes_mends_a_damaged_file(store: MediaStore) -> None:
    digest = store.put(b"picture", ".jpg")
    store.path(digest).write_bytes(b"")
    store.put(b"picture", ".jpg")
    assert store.read(digest) == b"picture"


def test_cannot_read_what_was_never_put(store: MediaStore) -> None:
    with pytest.raises(MediaDamaged):
        store.read("0" * 64)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "0" * 63, "G" * 64, "0" * 64 + "\n", "*"])
def test_cannot_leave_the_folder_by_a_made_up_digest(store: MediaStore, digest: str) -> None:
    with pytest.raises(MediaDamaged):
        store.path(digest)


@pytest.mark.parametrize("suffix", ["", "jpg", "../x", ".jpg/../../x", ".J"])
def test_cannot_choose_a_path_by_the_suffix(store: MediaStore, suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix"):
        store.put(b"picture", suffix)


def test_removing_leaves_nothing_and_may_be_repeated(store: MediaStore) -> None:
    digest = store.put(b"picture", ".jpg")
    store.remove(digest)
    store.remove(digest)
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_a_failed_write_leaves_nothing_behind(store: MediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    store.put(b"first", ".jpg")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.put(b"second", ".jpg")
    monkeypatch.undo()
    assert len([path for path in store.root.rglob("*") if path.is_file()]) == 1


def test_what_a_crash_left_half_written_is_discarded(store: MediaStore) -> None:
    digest = store.put(b"picture", ".jpg")
    leftover = store.root / "incoming" / "half"
    leftover.write_bytes(b"pic")
    now = datetime.now(UTC)
    assert store.discard_leftovers(before=now - timedelta(hours=1)) == 0
    assert store.discard_leftovers(before=now + timedelta(minutes=1)) == 1
    assert not leftover.exists()
    assert store.read(digest) == b"picture"
