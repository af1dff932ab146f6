"""The systemd units: whole, strict, and with each process's secrets kept apart."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from gatekeeper.cli import main
from gatekeeper.errors import BadInput
from gatekeeper.ops.units import units

DATA = Path("/var/lib/gatekeeper")


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_one_unit_runs_everything_and_comes_back_by_itself() -> None:
    files = units(data=DATA, user="gatekeeper", split=False)
    service = read(files["gatekeeper.service"])["Service"]
    assert list(files) == ["gatekeeper.service"]
    assert service["ExecStart"].endswith("/gatekeeper run")
    assert (service["Restart"], service["KillMode"], service["User"]) == ("always", "mixed", "gatekeeper")
    assert (service["ProtectSystem"], service["ReadWritePaths"]) == ("strict", str(DATA))


def test_split_there_is_one_for_each_process_of_the_procfile_with_settings_of_its_own() -> None:
    procfile = Path(__file__).parents[3] / "Procfile"
    listed = {line.partition(":")[0] for line in procfile.read_text().splitlines() if line}
    files = units(data=DATA, user="gatekeeper", split=True)
    named = {name.removeprefix("gatekeeper-").removesuffix(".service") for name in files}
    assert named == listed | {"nightly"}  # where nobody else makes the backups
    settings = {read(text)["Service"]["EnvironmentFile"] for text in files.values()}
    assert len(settings) == len(files)


@pytest.mark.parametrize("folder", ["/srv/the school", "/srv/100%", "/srv/quo'te"])
def test_cannot_name_a_folder_that_systemd_would_read_as_something_else(folder: str) -> None:
    with pytest.raises(BadInput, match="cannot stand in a unit"):
        units(data=Path(folder), user="gatekeeper", split=False)


def test_they_are_written_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["units", "--split", "--to", str(tmp_path)]) == 0
    assert (tmp_path / "gatekeeper-publisher.service").is_file()
    assert "systemctl daemon-reload" in capsys.readouterr().err
    assert main(["units", "--to", str(tmp_path / "nowhere")]) == 2


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
@pytest.mark.parametrize("split", [False, True])
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path, split: bool) -> None:
    for name, text in units(data=DATA, user="root", split=split).items():
        (tmp_path / name).write_text(text)
    paths = sorted(str(path) for path in tmp_path.iterdir())
    # without a running systemd it cannot know other units; what it says of ours names one of our files
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "/gatekeeper" in line and "is not executable" not in line]
    assert ours == []
