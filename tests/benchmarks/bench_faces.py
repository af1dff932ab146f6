"""How many faces our scan finds, beside `face_recognition`: its library, its command line and, on a few, its CNN.

    GATEKEEPER_EVAL_DATA=... python tests/benchmarks/bench_faces.py [--quick] [--picture PATH.svg]

One run, the same photos, one process per core for everybody. Prints one JSON object a line and a table at the end;
every share comes with its 95 % Wilson interval. What is counted how stands in `face_scores`, how the time of a single
photo is taken in `face_warm`. Whatever else the machine does makes all of them slower: read the ratios. `--quick`
takes a few photos of each kind. `--picture` draws the recall by size; there is no face in it.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import face_warm
from tests.benchmarks.chart import bars
from tests.benchmarks.face_programs import COMMAND, CORES, LIBRARY, OURS, Run, run
from tests.benchmarks.face_scores import Marked, scores
from tests.benchmarks.intervals import share

PROGRAMS = (OURS, LIBRARY, COMMAND)
KINDS = {"photo": "photos", "mask": "masks", "lowres": "low-res"}
_QUICK = 9  # every ninth photo
_LARGE = 12_000_000
_GROUP = range(20, 31)  # faces in the photo of 12 megapixels
_SMALL = (600_000, 1_000_000)
_CNN_PHOTOS = 5
_ORIENTATIONS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
_ROUNDS = 3

Row = dict[str, Any]


def main() -> int:
    """Measure, print, and draw if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="only a few photos of each kind")
    parser.add_argument("--picture", type=Path, help="draw the recall by size into this SVG")
    asked = parser.parse_args()
    data = os.environ.get("GATEKEEPER_EVAL_DATA")
    if not data:
        print("GATEKEEPER_EVAL_DATA does not name the folder of evaluation photos.", file=sys.stderr)
        return 2
    rows = []
    for row in _measure(Path(data) / "faces" / "detect", quick=asked.quick):
        rows.append(row)
        print(json.dumps(row), flush=True)
    print(_table(rows))
    if asked.picture:
        asked.picture.write_text(_drawing(rows), encoding="utf-8")
    return 0


def _measure(folder: Path, *, quick: bool) -> Iterator[Row]:
    entries: dict[str, Any] = json.loads((folder / "gt.json").read_text(encoding="utf-8"))
    sets = {kind: [name for name, entry in entries.items() if entry["kind"] == kind] for kind in KINDS}
    if quick:
        sets = {kind: names[::_QUICK] for kind, names in sets.items()}
    marked = {name: Marked.read(entries[name]) for names in sets.values() for name in names}
    yield {"set": "run", "cores": CORES, "load_before": os.getloadavg()}
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        for kind, names in sets.items():
            photos = _folder(work / kind)
            for name in names:
                (photos / name).symlink_to(folder / name)
            yield from _compared(KINDS[kind], photos, {name: marked[name] for name in names})
        yield from _turned(folder, _folder(work / "turned"), sets["photo"], marked)
        yield from _by_exif(folder, work, sets["photo"][:: 1 if quick else 3])
        rounds = 1 if quick else _ROUNDS
        # the group must be the same one however few photos are looked at
        every = {name: Marked.read(entry) for name, entry in entries.items() if entry["kind"] == "photo"}
        photo, faces = _twelve(folder, _folder(work / "large"), every)
        for program in PROGRAMS:
            yield _row("12 MP", program, run(program, photo.parent), {photo.name: faces})
        yield face_warm.large(photo, faces, rounds=rounds)
        copies = _copies(folder, _folder(work / "small"), every, 1 if quick else _CNN_PHOTOS)
        yield face_warm.small(copies, rounds=rounds)
    yield {"set": "run", "cores": CORES, "load_after": os.getloadavg()}


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _compared(label: str, folder: Path, marked: Mapping[str, Marked]) -> Iterator[Row]:
    for program in PROGRAMS:
        yield _row(label, program, run(program, folder), marked)


def _row(label: str, program: str, done: Run, marked: Mapping[str, Marked]) -> Row:
    return {
        "set": label, "program": program, **scores(marked, done.found),
        "seconds": round(done.seconds, 1), "megabytes": done.megabytes,
    }  # fmt: skip


def _turned(folder: Path, place: Path, names: list[str], marked: Mapping[str, Marked]) -> Iterator[Row]:
    """Photos lying on their side without an EXIF note."""
    turned = {}
    for name in names:
        with Image.open(folder / name) as image:
            image.convert("RGB").transpose(Image.Transpose.ROTATE_90).save(place / name, quality=95)
            turned[name] = marked[name].turned_left(image.width)
    yield from _compared("turned", place, turned)


def _by_exif(folder: Path, place: Path, names: list[str]) -> Iterator[Row]:
    """JPEGs that lie on their side and say so, beside the same pixels stored upright: the boxes must be the same.

    There are faces in each of them, so twice no box does not count as the same.
    """
    noted, upright = _folder(place / "noted"), _folder(place / "upright")
    for number, name in enumerate(names):
        orientation = sorted(_ORIENTATIONS)[number % len(_ORIENTATIONS)]
        path = noted / f"{Path(name).stem}.jpg"
        exif = Image.Exif()
        exif[0x0112] = orientation
        with Image.open(folder / name) as image:
            image.convert("RGB").transpose(_ORIENTATIONS[orientation]).save(path, quality=95, exif=exif)
        back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}
        with Image.open(path) as image:
            image.transpose(back[orientation]).save(upright / f"{Path(name).stem}.png")
    for program in PROGRAMS:
        lying, standing = run(program, noted).found, run(program, upright).found
        same = 0
        for name in names:
            boxes = [found.get(Path(name).stem + end, []) for found, end in ((lying, ".jpg"), (standing, ".png"))]
            same += bool(boxes[0]) and _sides(boxes[0]) == _sides(boxes[1])
        yield {"set": "EXIF-turned", "program": program, "same_boxes": share(same, len(names))}


def _sides(boxes: list[Any]) -> list[list[float]]:
    return sorted(box.as_list() for box in boxes)


def _twelve(folder: Path, place: Path, marked: Mapping[str, Marked]) -> tuple[Path, Marked]:
    """The group of two to three dozen whose photo is nearest to what a phone takes, as large as a phone takes it."""
    shapes = {}
    for name, one in marked.items():
        if len(one.faces) in _GROUP and one.posed:
            with Image.open(folder / name) as image:
                shapes[name] = abs(image.width / image.height - 4 / 3)
    name = min(shapes, key=lambda name: shapes[name])
    return _sized(folder / name, place / name, marked[name], _LARGE)


def _copies(folder: Path, place: Path, marked: Mapping[str, Marked], count: int) -> dict[Path, Marked]:
    """A few photos, evenly out of all, of one megapixel at most and not much less."""
    names = []
    for name in marked:
        with Image.open(folder / name) as image:
            if image.width * image.height >= _SMALL[0]:
                names.append(name)
    chosen = names[:: max(1, len(names) // count)][:count]
    return dict(_sized(folder / name, place / name, marked[name], _SMALL[1], only_down=True) for name in chosen)


def _sized(
    source: Path, target: Path, marked: Marked, pixels: int, *, only_down: bool = False
) -> tuple[Path, Marked]:  # fmt: skip
    with Image.open(source) as image:
        scale = (pixels / (image.width * image.height)) ** 0.5
        if only_down:
            scale = min(scale, 1.0)
        size = (round(image.width * scale), round(image.height * scale))
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(target, quality=92)
        return target, marked.scaled(size[0] / image.width, size[1] / image.height)


def _table(rows: list[Row]) -> str:
    heads = ["<20", "20-40", "40-80", ">80"]
    lines = [
        "",
        f"{'':12} {'':21} {'recall by height in pixels':27} {'covered from 20 px':>22} {'whole':>7} {'false':>6} {'posed':>6} {'s':>7} {'MB':>6}",
        f"{'photos':12} {'program':21} " + " ".join(f"{head:>6}" for head in heads),
    ]
    for row in rows:
        if "recall" in row and "program" in row:
            sizes = " ".join(f"{_short(row['recall'][head]):>6}" for head in heads)
            covered = row["covered"]
            range_ = f"{covered['share']:.3f} ({covered['low']:.3f}-{covered['high']:.3f})"
            posed = "" if row["false_a_posed_photo"] is None else f"{row['false_a_posed_photo']:.2f}"
            lines.append(
                f"{row['set']:12} {row['program']:21} {sizes} {range_:>22} {_short(row['whole']):>7} {row['false_a_photo']:6.2f} {posed:>6} {row['seconds']:7.1f} {row['megabytes']:6}"
            )
        elif "same_boxes" in row:
            same = row["same_boxes"]
            lines.append(f"{row['set']:12} {row['program']:21} same boxes {same['share']:.2f} of {same['of']}")
        elif "ours_to_hog" in row:
            lines.append(
                f"{row['set']:12} ours to HOG {row['ours_to_hog']}, to CNN {row.get('ours_to_cnn', 'not run')}"
            )
    return "\n".join(lines)


def _short(one: Mapping[str, Any]) -> str:
    return "-" if one["share"] is None else f"{one['share']:.3f}"


def _drawing(rows: list[Row]) -> str:
    """Recall by size in the photos, ours and the library's."""
    ours, theirs = (
        next(row["recall"] for row in rows if row["set"] == KINDS["photo"] and row["program"] == program)
        for program in (OURS, LIBRARY)
    )
    labels = {"<20": "under 20 pixels", "20-40": "20 to 40", "40-80": "40 to 80", ">80": "over 80"}
    sizes = [size for size in ours if ours[size]["of"]]
    words = [
        f"{labels[size]}: {100 * ours[size]['share']:.0f} and {100 * theirs[size]['share']:.0f} per cent of {ours[size]['of']}"
        for size in sizes
    ]
    return bars(
        "How many faces Gatekeeper and face_recognition find, by the height of the face",
        f"Gatekeeper and face_recognition find of faces {'; '.join(words)}. Thin lines are the 95 per cent ranges.",
        heading="Faces found, by the height of the face",
        kinds=("Gatekeeper", "face_recognition (HOG, as it comes)"),
        rows={labels[size]: (ours[size], theirs[size]) for size in sizes},
    )


if __name__ == "__main__":
    sys.exit(main())
