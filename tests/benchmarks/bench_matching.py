"""How well faces are told apart: adults of LFW, and different people of three age bands, with intervals.

    GATEKEEPER_EVAL_DATA=... python tests/benchmarks/bench_matching.py [--picture PATH.svg]

Prints one JSON object a line; every share comes with its 95 % Wilson interval. `pairs` are photos compared two by two:
`same` the share of one person's pairs within a threshold, `other` that of two people's. `top` asks for each photo
whether the right person comes first among those enrolled with their other photos. `stranger` is somebody who is not
enrolled, held against G who are: is anybody suggested, and is anybody called likely, with the margin and without it?
Ages are those of the file names. The boxes come from one detector in one quick look:
which box feeds the encoder hardly matters here. `--picture` draws the result; there is no face in it.
"""

import argparse
import json
import os
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gatekeeper.faces.detectors import YuNet
from gatekeeper.faces.likeness import FARTHEST, LIKELY, LIKELY_CHILD, is_likely, rank
from gatekeeper.faces.match import Encoding, distances, encode
from tests.benchmarks.chart import bars
from tests.benchmarks.intervals import share

THRESHOLDS = (0.60, 0.55, 0.50, 0.45, 0.40, 0.35)
BANDS = {"4-11": (4, 11), "12-17": (12, 17), "25-45": (25, 45)}
CLASS, YEARS = 25, 100
_SAME_PHOTO = 0.2  # UTKFace holds some photos twice
_DRAWS = 20
_REPLACED_AFTER = 50  # photos
_LONG_SIDE = 320  # each of these photos is one face; one quick detector finds it


@dataclass(frozen=True)
class Look:
    """One photo's numbers."""

    person: str
    age: int | None
    encoding: Encoding


def main() -> int:
    """Measure, print, and draw if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--picture", type=Path, help="draw the result into this SVG")
    asked = parser.parse_args()
    data = os.environ.get("GATEKEEPER_EVAL_DATA")
    if not data:
        print("GATEKEEPER_EVAL_DATA does not name the folder of evaluation photos.", file=sys.stderr)
        return 2
    rows = []
    adults = list(_looks(Path(data) / "faces" / "lfw"))
    aged = list(_looks(Path(data) / "faces" / "utk"))
    for row in _measure(adults, aged):
        rows.append(row)
        print(json.dumps(row), flush=True)
    if asked.picture:
        asked.picture.write_text(_drawing(rows), encoding="utf-8")
    return 0


def _looks(folder: Path) -> Iterator[Look]:
    """Each photo with its largest face; the person is the name before the last underscore, and the age the first number.

    The finder loses some memory with every photo, so the looking is done in processes that are replaced now and then.
    """
    paths = sorted(folder.glob("*.jpg"))
    missed = 0
    with get_context("spawn").Pool(len(os.sched_getaffinity(0)), maxtasksperchild=_REPLACED_AFTER) as pool:
        for path, encoding in zip(paths, pool.imap(_encoded, paths), strict=True):
            if encoding is None:
                missed += 1
                continue
            first = path.stem.split("_")[0]
            aged = first.isdigit()
            yield Look(path.stem if aged else path.stem.rpartition("_")[0], int(first) if aged else None, encoding)
    if missed:
        print(f"{folder.name}: no face in {missed} photos", file=sys.stderr)


@cache
def _finder() -> YuNet:
    return YuNet(long_side=_LONG_SIDE, sure=0.5)


def _encoded(path: Path) -> Encoding | None:
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    faces = sorted(_finder().detect(pixels), key=lambda face: -face.box.area)
    (encoding,) = encode(pixels, [faces[0].box]) if faces else (None,)
    return encoding


def _measure(adults: Sequence[Look], aged: Sequence[Look]) -> Iterator[dict[str, Any]]:
    yield from _pairs("LFW adults", adults)
    bands = {
        name: [look for look in aged if look.age is not None and low <= look.age <= high]
        for name, (low, high) in BANDS.items()
    }
    for name, looks in bands.items():
        yield from _pairs(name, looks)
    for size in (CLASS, len({look.person for look in adults})):
        yield from _top(adults, size)
    one_each = list({look.person: look for look in adults}.values())
    for name, looks, years in (
        ("LFW adults", one_each, 30), *((name, bands[name], low) for name, (low, _) in BANDS.items())
    ):  # fmt: skip
        for size in (CLASS, YEARS):
            yield _stranger(name, looks, size, years=years)


def _pairs(name: str, looks: Sequence[Look]) -> Iterator[dict[str, Any]]:
    """Every two photos once, one photo against all later ones at a time: what is kept are counts, not distances."""
    encodings = [look.encoding for look in looks]
    people = np.array([look.person for look in looks])
    thresholds = np.array(THRESHOLDS)
    within = {True: np.zeros(len(THRESHOLDS), np.int64), False: np.zeros(len(THRESHOLDS), np.int64)}
    pairs = {True: 0, False: 0}
    for number, look in enumerate(looks[:-1]):
        far = distances(encodings[number + 1 :], look.encoding)
        one_person = people[number + 1 :] == look.person
        other_photo = True if look.age is None else far >= _SAME_PHOTO
        for same, chosen in ((True, far[one_person]), (False, far[~one_person & other_photo])):
            within[same] += (chosen[:, None] <= thresholds).sum(axis=0)
            pairs[same] += len(chosen)
    for place, threshold in enumerate(THRESHOLDS):
        row: dict[str, Any] = {"measure": "pairs", "who": name, "within": threshold}
        if pairs[True]:
            row["same"] = share(int(within[True][place]), pairs[True])
        row["other"] = share(int(within[False][place]), pairs[False])
        yield row


def _top(looks: Sequence[Look], size: int) -> Iterator[dict[str, Any]]:
    """Each photo against rosters of this size that hold its person by their other photos."""
    photos = defaultdict(list)
    for look in looks:
        photos[look.person].append(look)
    numbers = {person: number for number, person in enumerate(sorted(photos))}
    rng, right, wrong, nobody, asked = random.Random(7), 0, 0, 0, 0
    for look in looks:
        known = [one.encoding for one in photos[look.person] if one is not look]
        if not known:
            continue
        others = [person for person in sorted(photos) if person != look.person]
        roster = {numbers[p]: [one.encoding for one in photos[p]] for p in rng.sample(others, size - 1)}
        roster[numbers[look.person]] = known
        found = rank(roster, look.encoding)
        asked += 1
        right += bool(found) and found[0].person == numbers[look.person]
        wrong += bool(found) and found[0].person != numbers[look.person]
        nobody += not found
    yield {
        "measure": "top", "who": "LFW adults", "enrolled": size, "within": FARTHEST,
        "right": share(right, asked), "wrong": share(wrong, asked), "nobody": share(nobody, asked),
    }  # fmt: skip


def _stranger(name: str, looks: Sequence[Look], size: int, *, years: int) -> dict[str, Any]:
    """Each of them, a stranger to several rosters of others of the same band with one template each.

    The interval counts strangers and not draws, which are not independent.
    """
    rng = random.Random(11)
    suggested = alone = likely = 0.0
    bound = LIKELY_CHILD if years < 12 else LIKELY
    for look in looks:
        far = distances([one.encoding for one in looks], look.encoding)
        others = [n for n, one in enumerate(looks) if one is not look and far[n] >= _SAME_PHOTO]
        for _ in range(_DRAWS):
            roster = {n: [looks[n].encoding] for n in rng.sample(others, min(size, len(others)))}
            found = rank(roster, look.encoding)
            if not found:
                continue
            following = found[1].distance if len(found) > 1 else None
            suggested += 1 / _DRAWS
            alone += (found[0].distance <= bound) / _DRAWS
            likely += is_likely(found[0].distance, following, years=years) / _DRAWS
    count = len(looks)
    return {
        "measure": "stranger", "who": name, "enrolled": size, "likely_within": bound,
        "suggested": share(suggested, count), "likely_without_margin": share(alone, count),
        "likely": share(likely, count),
    }  # fmt: skip


def _drawing(rows: Iterable[dict[str, Any]]) -> str:
    """Bars for a class of 25: a stranger is suggested as somebody, a stranger is called likely; with intervals."""
    names = {"LFW adults": "Adults (LFW)", "25-45": "Adults, 25–45", "12-17": "Aged 12–17", "4-11": "Aged 4–11"}
    shown = {
        names[row["who"]]: (row["suggested"], row["likely"])
        for row in rows
        if row["measure"] == "stranger" and row["enrolled"] == CLASS
    }
    words = [
        f"{who}: {100 * suggested['share']:.1f} and {100 * likely['share']:.1f} per cent"
        for who, (suggested, likely) in shown.items()
    ]
    return bars(
        f"How often somebody who is not enrolled is taken for one of {CLASS} who are",
        f"Somebody is suggested, and somebody is called likely. {'; '.join(words)}. Thin lines are the 95 per cent ranges.",
        heading=f"A stranger and a class of {CLASS} enrolled",
        kinds=("Somebody is suggested", "Somebody is called likely"),
        rows=shown,
    )


if __name__ == "__main__":
    sys.exit(main())
