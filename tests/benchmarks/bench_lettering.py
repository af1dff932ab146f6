"""How many printed names the reader of letters reads, how fast and with how much memory, on pictures drawn here.

    python tests/benchmarks/bench_lettering.py [photos per row]

Prints one line of JSON per row: names read of names drawn with the 95 % interval (Wilson), seconds and peak memory.
`capitals` is the height of a capital letter in pixels. With GATEKEEPER_EVAL_DATA it adds real photos: there only the
time is known, since nobody wrote down what stands in them. Where a `tesseract` program is installed it reads the same
pictures for comparison.
"""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gatekeeper.lettering.client import ReaderClient
from gatekeeper.lettering.reading import Line, Reading
from gatekeeper.lettering.service import reading_service
from tests.gatekeeper.lettering.drawn import drawn, read_names

ANGLES = (0, 15, -15, 30, -30, 90, 180)
ROWS = (
    *(((1600, 1200), 20, angle) for angle in ANGLES),
    *(((1600, 1200), 14, angle) for angle in (0, -30)),
    *(((2048, 1536), 20, angle) for angle in (0, 30)),
    *(((4000, 3000), 20, angle) for angle in (0, 15)),
)
REAL_PHOTOS = 12
LARGE = 2048


def main() -> int:
    """Run everything and print the lines."""
    photos = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder, reading_service(Path(folder)) as client:
        client.wait_until_ready()
        keeper = psutil.Process().children()[0]
        for size, capitals, angle in ROWS:
            _row("gatekeeper", client.read, size, capitals, angle, photos, keeper)
        _real(client, keeper)
    if shutil.which("tesseract"):
        for size, capitals, angle in ROWS[: len(ANGLES)]:
            _row("tesseract", _tesseract, size, capitals, angle, photos, None)
    return 0


def _row(  # noqa: PLR0917
    program: str,
    read: Callable[[np.ndarray], Reading],
    size: tuple[int, int],
    capitals: int,
    angle: int,
    photos: int,
    keeper: psutil.Process | None,
) -> None:
    names = hits = 0
    seconds: list[float] = []
    for seed in range(photos):
        picture = drawn(seed, angle=angle, capitals=capitals, size=size)
        began = time.perf_counter()
        reading = read(picture.pixels)
        seconds.append(time.perf_counter() - began)
        names += len(picture.names)
        hits += len(read_names(picture, reading))
    low, high = _wilson(hits, names)
    line = {
        "program": program, "size": list(size), "capitals": capitals, "angle": angle, "names": names, "read": hits,
        "share": round(hits / names, 3), "interval": [low, high],
        "seconds_median": round(statistics.median(seconds), 2), "seconds_most": round(max(seconds), 2),
    }  # fmt: skip
    print(json.dumps(line | _memory(keeper)), flush=True)


def _real(client: ReaderClient, keeper: psutil.Process) -> None:
    data = os.environ.get("GATEKEEPER_EVAL_DATA")
    if not data:
        return
    seconds, lines = [], 0
    for path in sorted((Path(data) / "faces" / "detect").glob("*.jpg"))[::20][:REAL_PHOTOS]:
        with Image.open(path) as image:
            scale = LARGE / max(image.size)
            pixels = np.asarray(image.convert("RGB").resize([round(side * scale) for side in image.size]))
        began = time.perf_counter()
        lines += len(client.read(pixels).lines)
        seconds.append(time.perf_counter() - began)
    line = {"program": "gatekeeper", "real_photos": len(seconds), "long_side": LARGE, "lines": lines}
    times = {"seconds_median": round(statistics.median(seconds), 2), "seconds_most": round(max(seconds), 2)}
    print(json.dumps(line | times | _memory(keeper)), flush=True)


def _tesseract(pixels: np.ndarray) -> Reading:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Image.fromarray(pixels).save(file.name)
        command = ["tesseract", file.name, "-", "--psm", "11"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Reading(tuple(Line((0, 0, 1, 1), text, 1.0) for text in done.stdout.splitlines() if text.strip()))


def _memory(keeper: psutil.Process | None) -> dict[str, int]:
    if keeper is None:
        return {}
    peaks = [_peak(child.pid) for child in keeper.children()]
    return {"peak_megabytes": max(peaks, default=0)}


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1000


def _wilson(hits: int, count: int) -> Sequence[float]:
    z, share = 1.96, hits / count
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return tuple(round((middle + sign * spread) / (1 + z * z / count), 3) for sign in (-1, 1))


if __name__ == "__main__":
    sys.exit(main())
