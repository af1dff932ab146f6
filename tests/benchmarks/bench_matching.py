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
import math
import os
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gatekeeper.faces.detectors import YuNet
from gatekeeper.faces.likeness import FARTHEST, LIKELY, LIKELY_CHILD, is_likely, rank
from gatekeeper.faces.match import Encoding, distances, encode

THRESHOLDS = (0.60, 0.55, 0.50, 0.45, 0.40, 0.35)
BANDS = {"4-11": (4, 11), "12-17": (12, 17), "25-45": (25, 45)}
CLASS, YEARS = 25, 100
_SAME_PHOTO = 0.2  # UTKFace holds some photos twice
_DRAWS = 20
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
    finder, rows = YuNet(long_side=_LONG_SIDE, sure=0.5), []
    adults = list(_looks(finder, Path(data) / "faces" / "lfw"))
    aged = list(_looks(finder, Path(data) / "faces" / "utk"))
    for row in _measure(adults, aged):
        rows.append(row)
        print(json.dumps(row), flush=True)
    if asked.picture:
        asked.picture.write_text(_drawing(rows), encoding="utf-8")
    return 0


def _looks(finder: YuNet, folder: Path) -> Iterator[Look]:
    """Each photo with its largest face; the person is the name before the last underscore, and the age the first number."""
    missed = 0
    for path in sorted(folder.glob("*.jpg")):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        faces = sorted(finder.detect(pixels), key=lambda face: -face.box.area)
        (encoding,) = encode(pixels, [faces[0].box]) if faces else (None,)
        if encoding is None:
            missed += 1
            continue
        first = path.stem.split("_")[0]
        aged = first.isdigit()
        yield Look(path.stem if aged else path.stem.rpartition("_")[0], int(first) if aged else None, encoding)
    if missed:
        print(f"{folder.name}: no face in {missed} photos", file=sys.stderr)


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
    same, other = [], []
    for number, look in enumerate(looks):
        later = looks[number + 1 :]
        for one, far in zip(later, distances([one.encoding for one in later], look.encoding), strict=True):
            if one.person == look.person:
                same.append(far)
            elif look.age is None or far >= _SAME_PHOTO:
                other.append(far)
    for threshold in THRESHOLDS:
        row: dict[str, Any] = {"measure": "pairs", "who": name, "within": threshold}
        if same:
            row["same"] = _share(sum(far <= threshold for far in same), len(same))
        row["other"] = _share(sum(far <= threshold for far in other), len(other))
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
        "right": _share(right, asked), "wrong": _share(wrong, asked), "nobody": _share(nobody, asked),
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
        "suggested": _share(suggested, count), "likely_without_margin": _share(alone, count),
        "likely": _share(likely, count),
    }  # fmt: skip


def _share(hits: float, of: int, z: float = 1.96) -> dict[str, Any]:
    """A share with its Wilson interval."""
    if not of:
        return {"share": None, "of": 0}
    p = hits / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return {"share": round(p, 5), "low": round(low, 5), "high": round(high, 5), "of": of}


def _drawing(rows: Iterable[dict[str, Any]]) -> str:
    """Bars for a class of 25: a stranger is suggested as somebody, a stranger is called likely; with intervals."""
    shown = [row for row in rows if row["measure"] == "stranger" and row["enrolled"] == CLASS]
    names = {"LFW adults": "Adults (LFW)", "25-45": "Adults, 25–45", "12-17": "Aged 12–17", "4-11": "Aged 4–11"}
    kinds = (("suggested", "Somebody is suggested", "#b4530a"), ("likely", "Somebody is called likely", "#1f5f8b"))
    left, width, step, top = 130, 430, 62, 70
    height = top + step * len(shown) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" role="img" font-family="sans-serif">',
        "<title>How often somebody who is not enrolled is taken for one of 25 who are</title>",
        f'<rect width="640" height="{height}" fill="#fff"/>',
        '<text x="20" y="26" font-size="15" font-weight="bold" fill="#1d2430">A stranger and a class of 25 enrolled</text>',
    ]
    for number, (_, words, colour) in enumerate(kinds):
        x = 20 + 220 * number
        parts.append(f'<rect x="{x}" y="40" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="50" font-size="12" fill="#1d2430">{words}</text>')
    for tick in (0, 25, 50, 75, 100):
        x = left + width * tick / 100
        parts.append(f'<path d="M{x:.0f} {top - 6}V{height - 26}" stroke="#d5dae1"/>')
        parts.append(f'<text x="{x:.0f}" y="{height - 10}" font-size="11" text-anchor="middle" fill="#4a5463">{tick} %</text>')  # fmt: skip
    for number, row in enumerate(shown):
        y = top + step * number
        parts.append(f'<text x="{left - 10}" y="{y + 26}" font-size="12" text-anchor="end" fill="#1d2430">{names[row["who"]]}</text>')  # fmt: skip
        for line, (key, _, colour) in enumerate(kinds):
            share, at = row[key], y + 4 + 22 * line
            end, low, high = (left + width * share[part] for part in ("share", "low", "high"))
            parts.append(f'<rect x="{left}" y="{at}" width="{max(end - left, 1):.1f}" height="16" fill="{colour}"/>')
            parts.append(f'<path d="M{low:.1f} {at + 8}H{high:.1f}" stroke="#1d2430" stroke-width="1.5"/>')
            parts.append(f'<text x="{high + 6:.1f}" y="{at + 12}" font-size="11" fill="#1d2430">{100 * share["share"]:.1f} %</text>')  # fmt: skip
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    sys.exit(main())
