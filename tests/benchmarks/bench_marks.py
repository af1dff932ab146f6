"""Registered logos in photos: how many are found by size, how often something else is taken for one, and what it costs.

    GATEKEEPER_EVAL_DATA=... python tests/benchmarks/bench_marks.py [--times N]

Five drawn logos are put into drawn pictures of 2048 pixels: turned by up to 20 degrees, slanted, blurred, darkened,
with noise, saved as JPEG. False marks are counted in photos that hold none of them (the evaluation photos of faces;
without them this part is left out). Found means: the right mark, overlapping its true place by half.
"""

import argparse
import math
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from gatekeeper.lettering.marks import KnownMark, find_marks, learn
from gatekeeper.lettering.reading import Region
from gatekeeper.ops.demo_pictures import draw_flower_bed, draw_poster
from tests.factories.logos import LOGOS, Pixels, as_registered, put_in

SIZES = (40, 60, 80, 120, 200, 400)
LONG_SIDE = 2048


def pictures() -> list[Pixels]:
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for name, draw in (("bed.jpg", draw_flower_bed), ("poster.png", draw_poster)):
            draw(Path(folder) / name)
            found.append(sized(Image.open(Path(folder) / name)))
        return found


def sized(picture: Image.Image) -> Pixels:
    share = LONG_SIDE / max(picture.size)
    return np.asarray(picture.convert("RGB").resize((round(picture.width * share), round(picture.height * share))))


def overlap(one: Region, other: Region) -> float:
    across, down = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    both = max(across, 0.0) * max(down, 0.0)
    return both / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - both)


def as_photo(picture: Pixels, dice: np.random.Generator) -> Pixels:
    noisy = np.clip(picture + dice.normal(0, 2.5, picture.shape), 0, 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, int(dice.integers(65, 92))])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def recall(known: list[KnownMark], times: int) -> None:
    dice, grounds = np.random.default_rng(11), pictures()
    found: dict[tuple[str, int], list[bool]] = defaultdict(list)
    wrong, seconds = 0, []
    for mark in known:
        for size in SIZES:
            for number in range(times):
                ground = grounds[number % len(grounds)]
                at = tuple(dice.uniform(0.7 * size, side - 0.7 * size) for side in ground.shape[1::-1])
                picture, box = put_in(
                    ground, LOGOS[mark.name](), size=size, at=(at[0], at[1]), turn=float(dice.uniform(-20, 20)),
                    slant=float(dice.uniform(-0.05, 0.05)), blur=float(dice.uniform(0.5, 1.5)),
                    light=float(dice.uniform(0.65, 1.0)),
                )  # fmt: skip
                photo = as_photo(picture, dice)
                started = time.process_time()
                seen = find_marks(photo, known)
                seconds.append(time.process_time() - started)
                right = [one for one in seen if one.mark_id == mark.id and overlap(one.box, box) > 0.5]
                found[mark.name, size].append(bool(right))
                wrong += len(seen) - len(right)
    print(f"found, of {times} each:" + "".join(f"{size:>7}" for size in SIZES))
    for mark in known:
        print(f"  {mark.name:<18}" + "".join(f"{np.mean(found[mark.name, size]):>7.2f}" for size in SIZES))
    every = [np.mean([hit for mark in known for hit in found[mark.name, size]]) for size in SIZES]
    print(f"  {'all':<18}" + "".join(f"{share:>7.2f}" for share in every))
    print(f"wrong places beside them: {wrong} in {len(seconds)} pictures")
    print(
        f"processor time for {len(known)} marks, 2048 pixels: median {np.median(seconds):.2f} s, worst {max(seconds):.2f} s"
    )


def false_marks(known: list[KnownMark], folder: Path) -> None:
    photos = sorted(folder.glob("*.jpg"))
    wrong = sum(len(find_marks(sized(Image.open(path)), known)) for path in photos)
    bound = 3 / len(photos) if wrong == 0 else math.nan  # the rule of three
    print(
        f"false marks: {wrong} in {len(photos)} photos, {len(known)} marks each; upper bound (95 %) {bound:.3f} a photo"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=6)
    options = parser.parse_args()
    known = [
        KnownMark(number, name, "school", learn(as_registered(draw())))
        for number, (name, draw) in enumerate(LOGOS.items(), start=1)
    ]
    recall(known, options.times)
    data = os.environ.get("GATEKEEPER_EVAL_DATA")
    if data:
        false_marks(known, Path(data) / "faces" / "detect")
    else:
        print("false marks: left out, GATEKEEPER_EVAL_DATA names no evaluation photos")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
