"""The targets on the labelled drafts kept outside the repository (GATEKEEPER_EVAL_DATA); skipped without them."""

import csv
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from gatekeeper.text.checker import Checker, Draft, Hit, Picture, Pupil, SchoolWords, StaffName

FOLDER = Path(os.environ.get("GATEKEEPER_EVAL_DATA", "")) / "text"
pytestmark = pytest.mark.skipif(
    not os.environ.get("GATEKEEPER_EVAL_DATA"), reason="GATEKEEPER_EVAL_DATA does not name the evaluation data"
)
STRUCTURED = {"contact-details", "link", "profanity", "alt-text"}
_GROUPS = {"alt-text-missing": "alt-text", "profanity": "profanity"}

Scored = list[tuple[dict[str, object], list[Hit]]]


def _group(rule: str) -> str:
    for stem, group in (("pupil-name", "pupil-name"), ("contact-", "contact-details"), ("link-", "link")):
        if rule.startswith(stem):
            return group
    return _GROUPS.get(rule, rule)


@pytest.fixture(scope="module")
def scored() -> Scored:
    with (FOLDER / "roster.csv").open(encoding="utf-8", newline="") as lines:
        columns = ("pupil_id", "first_name", "last_name", "known_as", "year", "class", "dob")
        pupils = [Pupil(*(row[name] for name in columns)) for row in csv.DictReader(lines)]
    with (FOLDER / "staff.csv").open(encoding="utf-8", newline="") as lines:
        staff = [StaffName(row["title"], row["first_name"], row["last_name"]) for row in csv.DictReader(lines)]
    data = json.loads((FOLDER / "school.json").read_text(encoding="utf-8"))
    school = SchoolWords(**{key: value if isinstance(value, str) else tuple(value) for key, value in data.items()})
    checker = Checker(pupils, staff, school)
    done: Scored = []
    for line in (FOLDER / "posts.jsonl").read_text(encoding="utf-8").splitlines():
        post = json.loads(line)
        pictures = tuple(Picture(image["file"], image["alt"]) for image in post["images"])
        done.append((post, checker.check(Draft(post["text"], pictures, post["platform"], post["account"]))))
    return done


def _labels(post: dict[str, object], groups: set[str]) -> list[dict[str, object]]:
    labels = post["labels"]
    assert isinstance(labels, list)
    return [label for label in labels if label["group"] in groups and not label.get("optional")]


def _recall(scored: Scored, groups: set[str]) -> float:
    found = total = 0
    for post, hits in scored:
        for group in {str(label["group"]) for label in _labels(post, groups)}:
            total += 1
            found += group in {_group(hit.rule) for hit in hits}
    assert total > 0
    return found / total


def test_pupils_names_are_found(scored: Scored) -> None:
    assert _recall(scored, {"pupil-name"}) >= 0.97


def test_contact_details_links_swearing_and_missing_alt_texts_are_found(scored: Scored) -> None:
    assert _recall(scored, STRUCTURED) >= 0.97


def test_clean_posts_pass(scored: Scored) -> None:
    clean = [hits for post, hits in scored if post["kind"] == "clean"]
    gating = sum(any(hit.severity != "advice" for hit in hits) for hits in clean)
    named = sum(any(hit.rule.startswith("pupil-name") for hit in hits) for hits in clean)
    assert gating <= 0.025 * len(clean)
    assert sum(bool(hits) for hits in clean) <= 0.05 * len(clean)
    assert named <= 1


def test_breaching_posts_are_stopped(scored: Scored) -> None:
    stopped: Counter[str] = Counter()
    for post, hits in scored:
        if post["kind"] == "breach":
            stopped[f"{post['batch']} all"] += 1
            stopped[f"{post['batch']} found"] += bool(hits)
    assert stopped["a found"] >= 0.7 * stopped["a all"]
    assert stopped["b found"] >= 0.4 * stopped["b all"]


def test_no_draft_of_the_evaluation_data_stands_in_the_repository(scored: Scored) -> None:
    repository = Path(__file__).parents[3]
    kept = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("gatekeeper/text", "tests/gatekeeper/text", "tests/gatekeeper/scanners", "tests/benchmarks")
        for path in sorted((repository / folder).rglob("*"))
        if path.suffix in {".py", ".toml"}
    )
    for post, _ in scored:
        text = str(post["text"])
        for sentence in re.split(r"(?<=[.!?])\s", text):
            assert len(sentence) < 40 or sentence not in kept, sentence
