"""How long one photo takes when all models are loaded: ours and the library's in turns, so that both meet the same load.

Ours looks with one child, which has all cores, and makes numbers with all children. The library's finder knows one
core only; its encoder is given the faces over one process per core too. `cpu` are the seconds that all processes of
one side together computed.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from gatekeeper.faces.boxes import Box
from gatekeeper.faces.client import FaceClient
from gatekeeper.faces.match import can_be_compared
from gatekeeper.faces.service import face_service
from tests.benchmarks.face_library import encode, locate, pool
from tests.benchmarks.face_programs import CORES, peak_megabytes
from tests.benchmarks.face_scores import Marked, scores


def large(photo: Path, marked: Marked, *, rounds: int) -> dict[str, Any]:
    """Detection, and detection with the numbers of every found face, in one photo of 12 megapixels."""
    path = str(photo)
    pixels = _pixels(photo)
    with tempfile.TemporaryDirectory() as folder, face_service(Path(folder), children=CORES) as client:
        client.wait_until_ready(children=CORES)
        with pool(CORES, [path]) as workers:
            # every process has loaded its models before the clock starts
            some = list(marked.faces[: 4 * CORES])
            client.encode(pixels, some)
            workers.starmap(encode, [(path, [round(side) for side in box.as_list()]) for box in some], 1)
            times: dict[str, list[float]] = {}
            ours: list[Box] = []
            theirs: list[list[int]] = []
            for _ in range(rounds):
                ours = [face.box for face in _timed(times, "ours_detect", partial(client.detect, pixels))]
                _timed(times, "ours_encode", partial(client.encode, pixels, ours))
                theirs, _ = _timed(times, "hog_detect", partial(workers.apply, locate, (path,)))
                _timed(times, "hog_encode", partial(workers.starmap, encode, [(path, box) for box in theirs], 1))
            ours_peak, hog_peak = _peaks()
    seconds = {key: statistics.median(values) for key, values in times.items()}
    for who in ("ours", "hog"):
        for what in ("", "_cpu"):
            seconds[f"{who}_total{what}"] = seconds[f"{who}_detect{what}"] + seconds[f"{who}_encode{what}"]
    ratios = {
        what: round(seconds[f"ours_{what}"] / seconds[f"hog_{what}"], 3)
        for what in ("detect", "total", "detect_cpu", "total_cpu")
    }
    found = {"ours": ours, "hog": [Box(*map(float, box)) for box in theirs]}
    return {
        "set": "12 MP, warm",
        "size": [pixels.shape[1], pixels.shape[0]],
        "faces": len(marked.faces),
        "found": {who: scores({"": marked}, {"": boxes})["covered"] for who, boxes in found.items()},
        "encoded": {"ours": sum(map(can_be_compared, ours)), "hog": len(theirs)},
        "rounds": rounds,
        "seconds": {key: round(value, 2) for key, value in seconds.items()},
        "ours_to_hog": ratios,
        "megabytes": {"ours": ours_peak, "hog": hog_peak},
    }


def small(photos: Mapping[Path, Marked], *, rounds: int) -> dict[str, Any]:
    """Detection in photos of about one megapixel, one by one; the CNN looks at each once because it takes so long."""
    times: dict[str, list[float]] = {}
    found: dict[str, dict[str, list[Box]]] = {"ours": {}, "hog": {}, "cnn": {}}
    with tempfile.TemporaryDirectory() as folder, face_service(Path(folder), children=1) as client:
        client.wait_until_ready()
        with pool(1, [str(photo) for photo in photos]) as workers:
            for photo in photos:
                each: dict[str, list[float]] = {}
                _look(photo, client, workers.apply, rounds=rounds, times=each, found=found)
                for key, values in each.items():
                    times.setdefault(key, []).append(statistics.median(values))
    marked = {photo.name: one for photo, one in photos.items()}
    sums = {key: sum(values) for key, values in times.items()}
    rows = {who: scores(marked, boxes) for who, boxes in found.items()}
    return {
        "set": "1 MP, warm",
        "photos": len(photos),
        "megapixels": round(sum(_megapixels(photo) for photo in photos), 1),
        "rounds": rounds,
        "seconds_a_photo": {key: round(value / len(photos), 2) for key, value in sums.items()},
        "ours_to_hog": {"detect": round(sums["ours"] / sums["hog"], 2), "cpu": round(sums["ours_cpu"] / sums["hog_cpu"], 2)},
        "ours_to_cnn": {"detect": round(sums["ours"] / sums["cnn"], 3), "cpu": round(sums["ours_cpu"] / sums["cnn_cpu"], 3)},
        "covered": {who: row["covered"] for who, row in rows.items()},
        "recall": {who: row["recall"] for who, row in rows.items()},
        "whole": {who: row["whole"] for who, row in rows.items()},
    }  # fmt: skip


def _look(
    photo: Path,
    client: FaceClient,
    ask: Callable[..., Any],
    *,
    rounds: int,
    times: dict[str, list[float]],
    found: dict[str, dict[str, list[Box]]],
) -> None:
    pixels = _pixels(photo)
    for _ in range(rounds):
        found["ours"][photo.name] = [face.box for face in _timed(times, "ours", partial(client.detect, pixels))]
        boxes, _ = _timed(times, "hog", partial(ask, locate, (str(photo),)))
        found["hog"][photo.name] = [Box(*map(float, box)) for box in boxes]
    boxes, _ = _timed(times, "cnn", partial(ask, locate, (str(photo),), {"model": "cnn", "upsample": 0}))
    found["cnn"][photo.name] = [Box(*map(float, box)) for box in boxes]


def _timed(times: dict[str, list[float]], key: str, what: Callable[[], Any]) -> Any:
    before, began = _computed(), time.perf_counter()
    answer = what()
    times.setdefault(key, []).append(time.perf_counter() - began)
    times.setdefault(f"{key}_cpu", []).append(_computed() - before)
    return answer


def _computed() -> float:
    """The seconds that the processes started here have computed so far, those that ended included."""
    return sum(sum(one.cpu_times()[:4]) for one in psutil.Process().children(recursive=True))


def _peaks() -> Sequence[int]:
    """The largest peak of our service's processes, and of all others, which are the library's."""
    ours, theirs = [0], [0]
    for one in psutil.Process().children(recursive=True):
        (ours if any("gatekeeper.faces.service" in word for word in one.cmdline()) else theirs).append(
            peak_megabytes(one)
        )
    return max(ours), max(theirs)


def _pixels(photo: Path) -> np.ndarray:
    with Image.open(photo) as image:
        return np.asarray(image.convert("RGB"))


def _megapixels(photo: Path) -> float:
    with Image.open(photo) as image:
        return image.width * image.height / 1e6
