import stat
from pathlib import Path

import pytest

from gatekeeper.errors import SettingsError
from gatekeeper.ops.sockets import socket_path


def test_a_socket_lies_in_the_data_folder(tmp_path: Path) -> None:
    path = socket_path(tmp_path, "valkey")
    assert path == tmp_path / "run" / "valkey.sock"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_path_too_long_for_a_socket_moves_to_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = Path("/srv") / ("school" * 20)
    path = socket_path(data, "valkey")
    assert not path.is_relative_to(data)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert socket_path(data, "valkey") == path
    assert socket_path(Path("/srv") / ("office" * 20), "valkey") != path


def test_cannot_use_a_temporary_folder_that_others_can_enter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = Path("/srv") / ("school" * 20)
    socket_path(data, "valkey").parent.chmod(0o755)
    with pytest.raises(SettingsError, match="not ours alone"):
        socket_path(data, "valkey")
