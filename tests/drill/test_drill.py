"""The publish machine against real kills, on both databases; and three cut-down machines, which the drill must fail.

The three are the test of the test: a drill that passes a machine without its look-up, its waiting or its gate would
pass anything.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.cli import main

ROOT = Path(__file__).resolve().parents[2]


def drill(*words: str, url: str = "") -> tuple[int, dict[str, Any], str]:
    """The command as a script runs it: exit code, its last line, and what it said beside it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GATEKEEPER_")}
    ran = subprocess.run(
        [sys.executable, "-m", "gatekeeper", "drill", *words],
        cwd=ROOT,
        env={**env, "DATABASE_URL": url},
        check=False,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert ran.stdout, ran.stderr
    line = json.loads(ran.stdout.splitlines()[-1])
    assert isinstance(line, dict)
    return ran.returncode, line, ran.stderr


@pytest.mark.parametrize(("db", "schedules"), [("sqlite", 30), ("postgresql", 15)], ids=["sqlite", "postgresql"])
def test_killed_anywhere_no_post_is_lost_doubled_or_unapproved(
    db: str, schedules: int, request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue("postgres_url")) if db == "postgresql" else ""
    code, line, said = drill("--schedules", str(schedules), "--seed", "20261123", "--db", db, url=url)
    broken = ("duplicates", "unapproved", "lost", "unfinished", "misrecorded", "needless_person", "ended_by_themselves")
    assert {name: line[name] for name in broken} == dict.fromkeys(broken, 0), said
    assert all(line["kills_at"][f"C{n}"] for n in range(7)), said
    assert line["published"] > 2 * schedules
    restored = line["restored"]  # from a backup taken while posts were on their way
    assert restored["looked_up"] > 0
    assert (restored["sent_again"], restored["finished"]) == (0, True), said
    assert code == 0, said


@pytest.mark.parametrize("part", ["lookup", "settle", "gate"])
def test_a_machine_without_one_of_its_parts_fails_and_the_drill_stops_there(part: str) -> None:
    code, line, said = drill("--schedules", "40", "--seed", "5", "--without", part)
    assert code == 1
    assert line["unapproved" if part == "gate" else "duplicates"] > 0, said  # for the right reason, not for any other
    assert line["posts"] < 160, "it went on after the first violation"


def test_cannot_ask_for_no_schedule_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "--schedules", "0", "--seed", "1"]) == 2
    assert "at least one" in capsys.readouterr().err
