"""Runs the three programs over a folder of photos, each from the start, each with one process per core."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from gatekeeper.faces.boxes import Box

OURS, LIBRARY, COMMAND = "gatekeeper scan", "face_recognition HOG", "face_detection"
CORES = len(os.sched_getaffinity(0))
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Run:
    """What one program found in a folder, in how many seconds, and the peak memory of its largest process."""

    found: dict[str, list[Box]]
    seconds: float
    megabytes: int


def run(program: str, folder: Path) -> Run:
    """One of the three on every photo of the folder."""
    photos = sorted(folder.iterdir())
    return {OURS: _ours, LIBRARY: _library, COMMAND: _command}[program](photos)


def peak_megabytes(process: psutil.Process) -> int:
    """The most memory this process ever held at once."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
    return next((int(line.split()[1]) // 1000 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _ours(photos: Sequence[Path]) -> Run:
    (output,), seconds, megabytes = _timed([[sys.executable, "-m", "gatekeeper", "scan", "--json", *map(str, photos)]])
    found = {}
    for line in map(json.loads, output.splitlines()):
        if line["status"] != "scanned":
            raise SystemExit(f"{Path(line['file']).name} was not scanned: {line['reason']}")
        found[Path(line["file"]).name] = [Box(*face["box"]) for face in line["faces"]]
    return Run(found, seconds, megabytes)


def _library(photos: Sequence[Path]) -> Run:
    command = [sys.executable, str(_HERE / "face_library.py"), "--processes", str(CORES), *map(str, photos)]
    (output,), seconds, megabytes = _timed([command])
    lines = map(json.loads, output.splitlines())
    return Run({Path(line["file"]).name: [Box(*box) for box in line["boxes"]] for line in lines}, seconds, megabytes)


def _command(photos: Sequence[Path]) -> Run:
    """Its own `--cpus` loses what it prints into a pipe, so each core gets a folder with a share of the photos."""
    folders = [photos[0].parent / f"share-{number}" for number in range(CORES)]
    for number, folder in enumerate(folders):
        folder.mkdir()
        for photo in photos[number::CORES]:
            (folder / photo.name).symlink_to(photo.resolve())
    program = str(Path(sys.executable).parent / "face_detection")
    outputs, seconds, megabytes = _timed([[program, str(folder)] for folder in folders])
    found: dict[str, list[Box]] = {}
    for line in "".join(outputs).splitlines():
        path, top, right, bottom, left = line.rsplit(",", 4)
        found.setdefault(Path(path).name, []).append(Box(float(left), float(top), float(right), float(bottom)))
    for folder in folders:
        for link in folder.iterdir():
            link.unlink()
        folder.rmdir()
    return Run(found, seconds, megabytes)


def _timed(commands: Sequence[Sequence[str]]) -> tuple[list[str], float, int]:
    """The outputs of commands started together, the seconds until the last is done, and the largest peak."""
    began, peak, done = time.monotonic(), 0, threading.Event()
    environment = os.environ | {"PYTHONPATH": str(_HERE.parents[1])}

    def watch(parents: Sequence[psutil.Process]) -> None:
        nonlocal peak
        while not done.wait(0.1):
            for parent in parents:
                peak = max(peak, _largest(parent))

    with ExitStack() as running:
        started: list[Any] = [
            running.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
            for command in commands
        ]
        watcher = threading.Thread(target=watch, args=([psutil.Process(one.pid) for one in started],))
        watcher.start()
        outputs: list[str] = [one.communicate()[0] for one in started]
        done.set()
        watcher.join()
    if any(one.returncode for one in started):
        raise SystemExit(f"{commands[0][0]} ended with {[one.returncode for one in started]}.")
    return outputs, time.monotonic() - began, peak


def _largest(parent: psutil.Process) -> int:
    try:
        return max(peak_megabytes(one) for one in (parent, *parent.children(recursive=True)))
    except (psutil.Error, OSError):
        return 0
