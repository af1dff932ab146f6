"""The word checker on the labelled drafts: what it finds, how often it cries wolf, and what it costs.

    GATEKEEPER_EVAL_DATA=... python tests/benchmarks/bench_text.py [--presidio PYTHON] [--model NAME] [--no-hostile]

Prints accuracy by group with 95 % intervals (Wilson), formulaic drafts (a) and drafts in other words (b) apart, time
per post, load time and memory (each in a process of its own), the cost for the evaluation roll and for 5,000 pupils,
and the slowest expression and phrase on hostile texts of 50,000 characters; one over its bound ends the run with 1.
A group counts as found when the checker names it anywhere in the post.

Presidio with spaCy stays out of the product's environment. Given the Python of an environment that has both and an
English model (--presidio, or GATEKEEPER_PRESIDIO_PYTHON; the model's name by --model or GATEKEEPER_PRESIDIO_MODEL),
the name part is compared post by post in this run; without it the run says that this part was left out.
"""

import argparse
import csv
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from gatekeeper.text.checker import Checker, Draft, Hit, Picture, Pupil, SchoolWords, StaffName
from gatekeeper.text.lexicon import Lexicon
from tests.benchmarks import hostile_text
from tests.benchmarks.presidio_names import Presidio, PresidioError

GROUPS = {
    "pupil-comment": "pupil-comment", "pupil-dm-invite": "personal-contact", "pupil-friend-request": "personal-contact",
    "pupil-live-location": "live-location", "pupil-planned-location": "live-location", "confidential-info": "confidential",
    "disparagement": "disparagement", "harassment-discrimination": "harassment", "profanity": "profanity",
    "misleading-claim": "misleading", "impersonation": "impersonation", "political-party": "opinion", "school-opinion": "opinion",
    "logo-trademark": "logo", "staff-reference": "reference", "media-enquiry": "media", "alt-text-missing": "alt-text",
    "copyright-material": "copyright", "pupil-photo-offsite": "offsite-photo", "unprofessional-image": "unprofessional",
    "pupil-singled-out": "prompt", "own-account-about-school": "prompt",
}  # fmt: skip
STEMS = (("pupil-name", "pupil-name"), ("contact-", "contact-details"), ("link-", "link"), ("topic-", "sensitive"))
NAMES, STRUCTURED = {"pupil-name"}, {"contact-details", "link", "profanity", "alt-text"}
_ROUNDS = 3


@dataclass(frozen=True)
class Labelled:
    """One draft with the groups that must and those that may be found."""

    draft: Draft
    batch: str
    clean: bool
    must: frozenset[str]
    may: frozenset[str]


def main() -> int:
    """Run everything and print the tables."""
    wanted = _arguments()
    data = os.environ.get("GATEKEEPER_EVAL_DATA")
    if not data:
        print("GATEKEEPER_EVAL_DATA does not name the folder of evaluation drafts.", file=sys.stderr)
        return 2
    folder = Path(data) / "text"
    if wanted.load is not None:
        return _load(folder, wanted.load)
    staff, school = _staff(folder), _school(folder)
    posts = _posts(folder)
    checker = Checker(_pupils(folder), staff, school)
    found = [checker.check(post.draft) for post in posts]
    for batch in sorted({post.batch for post in posts}):
        _accuracy(batch, [(post, hits) for post, hits in zip(posts, found, strict=True) if post.batch == batch])
    _alarms([(post, hits) for post, hits in zip(posts, found, strict=True) if post.clean])
    _costs(checker, Checker(_invented(5000, school), staff, school), posts)
    names_only = Checker(_pupils(folder), staff, school, lexicon=Lexicon({}, ()))
    _presidio(checker, names_only, posts, wanted.presidio, wanted.model)
    return 0 if wanted.no_hostile else _hostile()


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description="Measure the word checker on the labelled drafts.")
    asked.add_argument(
        "--presidio", default=os.environ.get("GATEKEEPER_PRESIDIO_PYTHON"), help="Python with Presidio and spaCy"
    )
    asked.add_argument("--model", default=os.environ.get("GATEKEEPER_PRESIDIO_MODEL", "en_core_web_sm"))
    asked.add_argument("--no-hostile", action="store_true", help="leave out the hostile texts")
    asked.add_argument("--load", type=int, help=argparse.SUPPRESS)  # a child: build for so many pupils, 0 for the roll
    return asked.parse_args()


# -- accuracy --------------------------------------------------------------------------------------------------------


def _group(rule: str) -> str:
    for stem, group in STEMS:
        if rule.startswith(stem):
            return group
    return GROUPS.get(rule, rule)


def wilson(hits: int, total: int) -> str:
    """A share with its 95 % interval."""
    if not total:
        return "-"
    share, z = hits / total, 1.96
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return f"{hits:>3}/{total:<3} {100 * share:5.1f} % ({100 * max(0, middle - half):.0f}-{100 * min(1, middle + half):.0f})"


def _accuracy(batch: str, scored: Sequence[tuple[Labelled, list[Hit]]]) -> None:
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    sets: Counter[str] = Counter()
    for post, hits in scored:
        groups = {_group(hit.rule) for hit in hits}
        for group in post.must:
            total[group] += 1
            right[group] += group in groups
        wrong.update(groups - post.may - {"prompt"})
        open_ended = post.must - NAMES - STRUCTURED
        if open_ended:
            sets["open"] += 1
            sets["open any"] += bool(hits)
    print(f"\nbatch {batch}\n{'group':20} found {'':22} wrongly")
    for group in sorted(total):
        print(f"{group:20} {wilson(right[group], total[group]):28} {wrong[group]}")
    for name, members in (
        ("names", NAMES),
        ("structured", STRUCTURED),
        ("open-ended", set(total) - NAMES - STRUCTURED),
    ):
        print(f"{name:20} {wilson(sum(right[group] for group in members), sum(total[group] for group in members))}")
    print(f"{'open-ended, any':20} {wilson(sets['open any'], sets['open'])}")


def _alarms(clean: Sequence[tuple[Labelled, list[Hit]]]) -> None:
    gating = sum(any(hit.severity != "advice" for hit in hits) for _, hits in clean)
    names = sum(any(hit.rule.startswith("pupil-name") for hit in hits) for _, hits in clean)
    print(f"\nclean posts stopped  {wilson(gating, len(clean))}")
    print(f"with any finding     {wilson(sum(bool(hits) for _, hits in clean), len(clean))}")
    print(f"with a false name    {wilson(names, len(clean))}")


# -- cost ------------------------------------------------------------------------------------------------------------


def _costs(small: Checker, large: Checker, posts: Sequence[Labelled]) -> None:
    """Load time and memory in a process of its own, and time per post, for the roll and for 5,000 pupils."""
    print(f"\n{'pupils':>8} {'load s':>8} {'RSS MB':>8} {'mean ms':>8} {'p95 ms':>8}")
    means = []
    for pupils, checker in ((0, small), (5000, large)):
        times = _times(checker, posts)
        means.append(statistics.fmean(times))
        child = subprocess.run(
            [sys.executable, __file__, "--load", str(pupils)], capture_output=True, text=True, check=True
        )
        number, seconds, megabytes = child.stdout.split()
        print(f"{number:>8} {seconds:>8} {megabytes:>8} {means[-1]:>8.2f} {_p95(times):>8.2f}")
    print(f"ratio of means: {means[1] / means[0]:.2f}")


def _load(folder: Path, number: int) -> int:
    """As a child process: build one checker and print for how many pupils, in what time and memory."""
    school = _school(folder)
    pupils, staff = _invented(number, school) if number else _pupils(folder), _staff(folder)
    before = psutil.Process().memory_info().rss
    begun = time.perf_counter()
    Checker(pupils, staff, school).check(Draft("A first post.", (), "x", "school"))
    seconds = time.perf_counter() - begun
    print(len(pupils), f"{seconds:.2f}", f"{(psutil.Process().memory_info().rss - before) / 2**20:.1f}")
    return 0


def _times(checker: Checker, posts: Sequence[Labelled]) -> list[float]:
    """Milliseconds per post, the best of a few rounds each, so that other work on the machine counts less."""
    best = [math.inf] * len(posts)
    for _ in range(_ROUNDS):
        for at, post in enumerate(posts):
            begun = time.perf_counter()
            checker.check(post.draft)
            best[at] = min(best[at], (time.perf_counter() - begun) * 1000)
    return best


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


def _invented(number: int, school: SchoolWords) -> list[Pupil]:
    """Pupils with names out of syllables, as many as asked for, always the same."""
    dice = random.Random(5)
    heads, middles, tails = (
        [
            "Bar",
            "Cor",
            "Dal",
            "Fen",
            "Gil",
            "Har",
            "Jor",
            "Kel",
            "Lor",
            "Mar",
            "Nor",
            "Per",
            "Quil",
            "Ros",
            "Sel",
            "Tam",
            "Ver",
            "Wil",
            "Yar",
            "Zen",
        ],
        ["a", "e", "i", "o", "u", "an", "el", "in", "or"],
        ["na", "ric", "ton", "ley", "mund", "wick", "ford", "by", "sen", "dra"],
    )
    word = lambda: dice.choice(heads) + dice.choice(middles) + dice.choice(tails)  # noqa: E731
    rooms = school.classes or ("Red", "Blue")
    return [
        Pupil(
            f"n{at}",
            word(),
            word() + dice.choice(tails),
            "",
            f"Year {at % 6 + 1}",
            rooms[at % len(rooms)],
            "2018-01-01",
        )
        for at in range(number)
    ]


def _presidio(checker: Checker, names_only: Checker, posts: Sequence[Labelled], python: str | None, model: str) -> None:
    """The name part side by side, post by post, in this very run."""
    if not python:
        print(
            "\nPresidio + spaCy: not run. Name a Python that has both with --presidio (they are no part of the product)."
        )
        return
    spent: dict[str, list[float]] = {"ours": [], "names": [], "theirs": []}
    named: Counter[str] = Counter()
    try:
        with Presidio(python, model) as other:
            for post in posts:
                best = dict.fromkeys(spent, math.inf)
                for _ in range(_ROUNDS):  # in turn, the best of a few each, so that other work counts less
                    begun = time.perf_counter()
                    hits = checker.check(post.draft)
                    best["ours"] = min(best["ours"], 1000 * (time.perf_counter() - begun))
                    begun = time.perf_counter()
                    names_only.check(post.draft)
                    best["names"] = min(best["names"], 1000 * (time.perf_counter() - begun))
                    persons, milliseconds = other.persons(post.draft.text)
                    best["theirs"] = min(best["theirs"], milliseconds)
                for who, milliseconds in best.items():
                    spent[who].append(milliseconds)
                kind = "clean" if post.clean else "named" if post.must & NAMES else ""
                ours = any(hit.rule.startswith("pupil-name") for hit in hits)
                named.update({f"{kind} all": 1, f"{kind} ours": ours, f"{kind} theirs": bool(persons)})
            print(
                f"\nPresidio {other.version} with {model}: started in {other.seconds:.1f} s, {other.megabytes:.0f} MB"
            )
    except PresidioError as err:
        print(f"\nPresidio + spaCy: not run. {err}")
        return
    print(f"{'names':20} {'posts found':28} {'clean posts flagged':28} {'mean ms':>8} {'median':>8}")
    for who, label in (("ours", "gatekeeper"), ("theirs", "Presidio + spaCy")):
        row = f"{wilson(named[f'named {who}'], named['named all']):28} {wilson(named[f'clean {who}'], named['clean all']):28}"
        print(f"{label:20} {row} {statistics.fmean(spent[who]):8.2f} {statistics.median(spent[who]):8.2f}")
    ahead = 100 * (named["named ours"] - named["named theirs"]) / max(1, named["named all"])
    theirs, whole, part = (statistics.fmean(spent[who]) for who in ("theirs", "ours", "names"))
    print(f"names ahead: {ahead:+.1f} points")
    print(
        f"their time : ours (means): {theirs / part:.1f} without the clauses ({part:.2f} ms), {theirs / whole:.1f} the whole check"
    )


def _hostile() -> int:
    """The slowest expressions and phrases; 1 when one is over its bound."""
    slow = 0
    for label, run in (("expressions", hostile_text.slowest_expressions), ("phrases", hostile_text.slowest_phrases)):
        every = sorted(run(), key=lambda one: -one.seconds)
        print(f"\n{len(every)} {label} on hostile texts of {hostile_text.SIZE:,} characters, the slowest:")
        for one in every[:3]:
            print(f"  {one.seconds:6.3f} s  {one.name}  on {one.seed!r}")
        slow += sum(one.seconds > hostile_text.BOUND for one in every)
    print(f"over the bound of {hostile_text.BOUND} s: {slow}")
    return 1 if slow else 0


# -- reading ---------------------------------------------------------------------------------------------------------


def _rows(path: Path, columns: Sequence[str]) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [[row[name] for name in columns] for row in csv.DictReader(lines)]


def _pupils(folder: Path) -> list[Pupil]:
    columns = ("pupil_id", "first_name", "last_name", "known_as", "year", "class", "dob")
    return [Pupil(*row) for row in _rows(folder / "roster.csv", columns)]


def _staff(folder: Path) -> list[StaffName]:
    return [StaffName(*row) for row in _rows(folder / "staff.csv", ("title", "first_name", "last_name"))]


def _school(folder: Path) -> SchoolWords:
    data: dict[str, Any] = json.loads((folder / "school.json").read_text(encoding="utf-8"))
    return SchoolWords(**{key: value if isinstance(value, str) else tuple(value) for key, value in data.items()})


def _posts(folder: Path) -> list[Labelled]:
    posts = []
    for line in (folder / "posts.jsonl").read_text(encoding="utf-8").splitlines():
        post = json.loads(line)
        pictures = tuple(Picture(image["file"], image["alt"]) for image in post["images"])
        posts.append(
            Labelled(
                Draft(post["text"], pictures, post["platform"], post["account"]),
                post["batch"],
                post["kind"] == "clean",
                frozenset(label["group"] for label in post["labels"] if not label.get("optional")),
                frozenset(label["group"] for label in post["labels"]),
            )
        )
    return posts


if __name__ == "__main__":
    sys.exit(main())
