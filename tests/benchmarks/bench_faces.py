"""Our photo scan against the command line of face_recognition, on the same photos, in one run, on all cores each.

    GATEKEEPER_EVAL_DATA=... python tests/benchmarks/bench_faces.py

Prints what each finds and how long it takes. `covered` counts a face of 20 pixels and more when at least half of it
lies in a found box of at most six times its area; `whole` the photos in which that holds for every face.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from gatekeeper.faces.boxes import Box, mean_the_same, overlap

_TURNED = 12
_LARGE = (4000, 3000)


@dataclass(frozen=True)
class Run:
    """What one program found in a folder, in how many seconds, and the peak memory of its largest process."""

    found: dict[str, list[Box]]
    seconds: float
    megabytes: float


def main() -> int:
    """Run everything and print the tables."""
    data = os.environ.get("GATEKEEPER_EVAL_DATA")
    if not data:
        print("GATEKEEPER_EVAL_DATA does not name the folder of evaluation photos.", file=sys.stderr)
        return 2
    folder = Path(data) / "faces" / "detect"
    truth: dict[str, Any] = json.loads((folder / "gt.json").read_text())
    print(f"{'photos':10} {'program':16} {'faces':>6} {'covered':>8} {'whole':>6} {'false':>6} {'s':>7} {'MB':>6}")
    for kind in ("photo", "mask", "lowres"):
        files = {name: entry for name, entry in truth.items() if entry["kind"] == kind}
        with tempfile.TemporaryDirectory() as place:
            for name in files:
                (Path(place) / name).symlink_to(folder / name)
            _compare(kind, Path(place), files)
    _turned(folder, truth)
    _large(folder, truth)
    return 0


def _compare(kind: str, folder: Path, files: dict[str, Any]) -> None:
    ours, theirs = _ours(folder), _theirs(folder)
    _row(kind, "gatekeeper scan", ours, files)
    _row(kind, "face_detection", theirs, files)
    print(f"{'':10} time ratio {ours.seconds / theirs.seconds:.2f}")


def _turned(folder: Path, truth: dict[str, Any]) -> None:
    """Photos lying on their side without an EXIF note: the faces found must be those of the upright photo."""
    names = [name for name, entry in truth.items() if entry["kind"] == "photo"][:_TURNED]
    with tempfile.TemporaryDirectory() as place:
        turned: dict[str, Any] = {}
        for name in names:
            with Image.open(folder / name) as image:
                image.convert("RGB").transpose(Image.Transpose.ROTATE_90).save(Path(place) / name, quality=95)
            width = truth[name]["w"]
            boxes = [[y1, width - x2, y2, width - x1] for x1, y1, x2, y2 in truth[name]["boxes"]]
            ignore = [[y1, width - x2, y2, width - x1] for x1, y1, x2, y2 in truth[name]["ignore"]]
            turned[name] = {"boxes": boxes, "ignore": ignore}
        _compare("turned", Path(place), turned)


def _large(folder: Path, truth: dict[str, Any]) -> None:
    """One photo of 12 megapixels, alone: what a phone sends."""
    name = max(truth, key=lambda name: truth[name]["w"] * truth[name]["h"])
    with tempfile.TemporaryDirectory() as place:
        across, down = _LARGE[0] / truth[name]["w"], _LARGE[1] / truth[name]["h"]
        with Image.open(folder / name) as image:
            image.convert("RGB").resize(_LARGE, Image.Resampling.LANCZOS).save(Path(place) / name, quality=92)
        scaled = [[x1 * across, y1 * down, x2 * across, y2 * down] for x1, y1, x2, y2 in truth[name]["boxes"]]
        _compare("12 MP", Path(place), {name: {"boxes": scaled, "ignore": []}})


def _ours(folder: Path) -> Run:
    command = [sys.executable, "-m", "gatekeeper", "scan", "--json", *map(str, sorted(folder.iterdir()))]
    output, seconds, megabytes = _timed(command)
    lines = [json.loads(line) for line in output.splitlines()]
    return Run(
        {Path(line["file"]).name: [Box(*face["box"]) for face in line["faces"]] for line in lines}, seconds, megabytes
    )


def _theirs(folder: Path) -> Run:
    program = Path(sys.executable).parent / "face_detection"
    output, seconds, megabytes = _timed([str(program), "--cpus", str(len(os.sched_getaffinity(0))), str(folder)])
    found: dict[str, list[Box]] = {}
    for line in output.splitlines():
        path, top, right, bottom, left = line.rsplit(",", 4)
        found.setdefault(Path(path).name, []).append(Box(float(left), float(top), float(right), float(bottom)))
    return Run(found, seconds, megabytes)


def _timed(command: list[str]) -> tuple[str, float, float]:
    began, peak, done = time.monotonic(), 0.0, threading.Event()

    def watch(parent: psutil.Process) -> None:
        nonlocal peak
        while not done.wait(0.05):
            try:
                peak = max(peak, *(one.memory_info().rss / 1e6 for one in (parent, *parent.children(recursive=True))))
            except psutil.Error:
                continue

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        watcher = threading.Thread(target=watch, args=(psutil.Process(process.pid),))
        watcher.start()
        output, _ = process.communicate()
        done.set()
        watcher.join()
    return output, time.monotonic() - began, peak


def _row(kind: str, program: str, run: Run, files: dict[str, Any]) -> None:
    large = covered = false = whole = photos = 0
    for name, entry in files.items():
        truth = [Box(*box) for box in entry["boxes"]]
        found = run.found.get(name, [])
        ignored = [Box(*box) for box in entry["ignore"]]
        wanted = [box for box in truth if box.height >= 20]
        hits = [any(_covers(box, other) or overlap(box, other) >= 0.4 for other in found) for box in wanted]
        large, covered = large + len(wanted), covered + sum(hits)
        photos, whole = photos + bool(wanted), whole + (bool(wanted) and all(hits))
        false += sum(not _touches(box, truth, ignored) for box in found)
    rates = f"{covered / large:8.3f} {whole / photos:6.2f} {false / len(files):6.2f}"
    print(f"{kind:10} {program:16} {large:6} {rates} {run.seconds:7.1f} {run.megabytes:6.0f}")


def _covers(face: Box, found: Box) -> bool:
    return face.shared(found) >= 0.5 * face.area and found.area <= 6 * face.area


def _touches(found: Box, truth: list[Box], ignored: list[Box]) -> bool:
    faces = any(mean_the_same(found, box) or found.shared(box) >= 0.3 * min(found.area, box.area) for box in truth)
    return faces or any(found.shared(box) >= 0.3 * found.area for box in ignored)


if __name__ == "__main__":
    sys.exit(main())
