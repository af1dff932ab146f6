"""The word checker on the labelled drafts: what it finds, how often it cries wolf, and what it costs.

    GATEKEEPER_EVAL_DATA=... python tests/benchmarks/bench_text.py

Prints accuracy by group with 95 % intervals (Wilson), formulaic drafts (a) and drafts in other words (b) apart, time
per post, load time and memory, the cost for 240 and for 5,000 pupils, and, where they are installed, Presidio with
spaCy on the name part in the same run. A group counts as found when the checker names it anywhere in the post.
"""

import csv
import importlib.util
import json
import math
import os
import random
import statistics
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatekeeper.text.checker import Checker, Draft, Hit, Picture, Pupil, SchoolWords, StaffName

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
    data = os.environ.get("GATEKEEPER_EVAL_DATA")
    if not data:
        print("GATEKEEPER_EVAL_DATA does not name the folder of evaluation drafts.", file=sys.stderr)
        return 2
    folder = Path(data) / "text"
    pupils, staff, school = _pupils(folder), _staff(folder), _school(folder)
    posts = _posts(folder)
    checker, seconds, megabytes = _load(lambda: Checker(pupils, staff, school))
    found = [checker.check(post.draft) for post in posts]
    for batch in sorted({post.batch for post in posts}):
        _accuracy(batch, [(post, hits) for post, hits in zip(posts, found, strict=True) if post.batch == batch])
    _alarms([(post, hits) for post, hits in zip(posts, found, strict=True) if post.clean])
    print(f"\n{'pupils':>8} {'load s':>8} {'MB':>6} {'mean ms':>8} {'p95 ms':>8}")
    small = _times(checker, posts)
    print(f"{len(pupils):>8} {seconds:>8.2f} {megabytes:>6.1f} {statistics.fmean(small):>8.2f} {_p95(small):>8.2f}")
    many = _invented(5000, school)
    large_checker, seconds, megabytes = _load(lambda: Checker(many, staff, school))
    large = _times(large_checker, posts)
    print(f"{len(many):>8} {seconds:>8.2f} {megabytes:>6.1f} {statistics.fmean(large):>8.2f} {_p95(large):>8.2f}")
    print(f"ratio of means: {statistics.fmean(large) / statistics.fmean(small):.2f}")
    _presidio(checker, posts)
    return 0


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


def _load(build: Callable[[], Checker]) -> tuple[Checker, float, float]:
    """The checker, the seconds it took to build, and the memory it holds (measured in a second build)."""
    begun = time.perf_counter()
    build()
    seconds = time.perf_counter() - begun
    tracemalloc.start()
    checker = build()
    megabytes = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return checker, seconds, megabytes


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


def _presidio(checker: Checker, posts: Sequence[Labelled]) -> None:
    """The name part side by side, post by post, in this very run."""
    if not (importlib.util.find_spec("presidio_analyzer") and importlib.util.find_spec("spacy")):
        print("\nPresidio and spaCy are not installed, so there is no comparison (they are no part of the product).")
        return
    from presidio_analyzer import AnalyzerEngine  # type: ignore[import-not-found]

    try:
        engine: Any = AnalyzerEngine()
        engine.analyze(text="Hello", language="en", entities=["PERSON"])
    except (Exception, SystemExit) as err:  # noqa: BLE001 - a missing model ends in many ways
        print(f"\nPresidio is installed but cannot start without its model: {type(err).__name__}.")
        return
    spent = {"ours": 0.0, "theirs": 0.0}
    named: Counter[str] = Counter()
    for post in posts:
        begun = time.perf_counter()
        ours = any(hit.rule.startswith("pupil-name") for hit in checker.check(post.draft))
        middle = time.perf_counter()
        theirs = bool(engine.analyze(text=post.draft.text, language="en", entities=["PERSON"]))
        spent["ours"] += middle - begun
        spent["theirs"] += time.perf_counter() - middle
        kind = "clean" if post.clean else "named" if post.must & NAMES else ""
        named.update({f"{kind} all": 1, f"{kind} ours": ours, f"{kind} theirs": theirs})
    print("\nnames                found                        on clean posts                ms a post")
    for who, label in (("ours", "gatekeeper"), ("theirs", "Presidio + spaCy")):
        row = f"{wilson(named[f'named {who}'], named['named all']):28} {wilson(named[f'clean {who}'], named['clean all']):28}"
        print(f"{label:20} {row} {1000 * spent[who] / len(posts):8.2f}")


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
