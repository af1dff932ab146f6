"""A disk that is really full: a file system of a few megabytes, where the computer lets one be mounted without rights."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekeeper.simulator.server import Simulator
from tests.workers.full_disk import POSTS
from tests.workers.sending import ROOT

MOUNT = 'mount -t tmpfs -o size=24m tmpfs "$1" && shift && exec "$@"'


def inside_a_small_disk(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run it where `folder` is a disk of its own; nobody else sees that disk, and it goes with the command."""
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", str(folder), *command],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("unshare") is None:
        pytest.skip("there is no `unshare` on this computer, so no small disk can be made")
    tried = inside_a_small_disk(folder, "true")
    if tried.returncode:
        pytest.skip(f"this computer lets nobody mount a small disk: {tried.stderr.strip()}")
    return folder


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


def test_on_a_disk_that_is_really_full_nothing_is_lost_or_doubled_and_it_goes_on_when_there_is_room(
    small_disk: Path, simulator: Simulator
) -> None:
    ran = inside_a_small_disk(
        small_disk, sys.executable, "-m", "tests.workers.full_disk", str(small_disk), simulator.base_url
    )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout.splitlines()[-1])
    assert seen["full"] == "ENOSPC"
    assert seen["told"], seen
    assert set(seen["states"]) <= {"scheduled", "claimed", "sending", "published"}
    assert seen["states"].count("published") < POSTS, "the disk was never full, so this shows nothing"
    assert seen["sent"], seen
    assert sorted(post.text for post in simulator.posts("x")) == sorted({post.text for post in simulator.posts("x")})
    assert len(simulator.posts("x")) == POSTS
