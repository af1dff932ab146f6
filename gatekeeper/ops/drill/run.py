"""The command: so many schedules from this seed, on this kind of database, and one line of JSON with what was seen."""

import json
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from approvals import ledger_check
from gatekeeper.bootstrap import prepare
from gatekeeper.clock import SystemClock
from gatekeeper.log import configure_logging
from gatekeeper.ops.backup import backup, backups
from gatekeeper.ops.drill.board import Board
from gatekeeper.ops.drill.group import Findings, Group
from gatekeeper.ops.drill.oracle import Oracle
from gatekeeper.ops.drill.pace import FASTEST, factor_for, pace
from gatekeeper.ops.drill.postgresql import fresh_database
from gatekeeper.ops.drill.processes import Processes
from gatekeeper.ops.drill.restored import AfterRestore, database_beside, put_back
from gatekeeper.ops.drill.schedule import COMPLETE, KINDS, Ordeal, draw, warming
from gatekeeper.ops.drill.school import DrillSchool, Sent, folder_of, read_keys
from gatekeeper.ops.keys import ensure_keys
from gatekeeper.settings import Settings, load_settings

POINTS: Final = ("C0", "C1", "C2", "C3", "C4", "C5", "C6")
#: schedules in one group: each waits at its end for the last look, and a machine that has to fail fails sooner in few
_AT_ONCE: Final = 50
_AT_ONCE_WITHOUT: Final = 12
_PUBLISHERS: Final = 2
_KILL_EACH: Final = 0.3
_SLOWER: Final = 0.7
#: kept by the kernel while processes die, and quicker than a disk; where it is small, or missing, the disk does as well
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it, as in any other place
_ROOM: Final = 2 << 30


@dataclass(frozen=True, kw_only=True)
class Drill:
    """What was asked for."""

    schedules: int
    seed: int
    db: str = "sqlite"
    without: str | None = None
    keep: bool = False


def drill(asked: Drill, *, tell: Any = None) -> tuple[dict[str, object], bool]:
    """Run it; what was seen, and whether every promise was kept."""
    say = tell or (lambda _line: None)
    configure_logging("drill", level="WARNING")
    began = time.monotonic()
    with _own_folder(keep=asked.keep) as folder, _database(asked.db, folder) as url:
        findings, board = _run(asked, folder, url, say)
    counted = board.counted()
    kills_at = Counter(dict.fromkeys(POINTS, 0))
    for point, number in counted.items():
        if point[:2] in POINTS or point[0] == "R":
            kills_at[point[:2] if point[0] == "C" else "R"] += number
    line: dict[str, object] = {
        "db": asked.db,
        "schedules": asked.schedules,
        "kills": sum(kills_at.values()),
        "kills_at": dict(sorted(kills_at.items())),
        "published": findings.published,
        "duplicates": findings.duplicates,
        "unapproved": findings.unapproved,
        "lost": findings.lost,
        "needs_person": findings.needs_person,
        "unfinished": findings.unfinished,
        "seconds": (took := round(time.monotonic() - began, 1)),
        "seconds_each": round(took / asked.schedules, 2),
        "seed": asked.seed,
        "without": asked.without,
        "posts": findings.sent,
        "needless_person": findings.needless_person,
        "misrecorded": findings.misrecorded,
        "ended_by_timer": counted["guard"],
        "ended_by_themselves": counted["crashed"],
        "restored": asdict(findings.restored) if findings.restored else None,
        "queue_killed_or_flushed": findings.queue_upsets,
        "times_faster": findings.factor,
    }
    for wrong in findings.wrong[:20]:
        say(wrong)
    missed = [point for point in POINTS if not kills_at[point]]
    if missed:
        say(f"Nothing was killed at {', '.join(missed)}: more schedules are needed to say anything.")
    return line, not findings.violated and not missed and not counted["crashed"]


def as_json(line: Mapping[str, object]) -> str:
    """The one line that a script reads."""
    return json.dumps(line)


def _run(asked: Drill, folder: Path, url: str, say: Any) -> tuple[Findings, Board]:
    env = _environment(folder, url)
    ensure_keys(load_settings("web", env), env)
    settings = load_settings("web", env)
    prepare(settings)
    board_path = folder / "board"
    board = Board(board_path, make=True)
    processes = Processes(folder, env, board=board, board_path=board_path)
    env |= {"GATEKEEPER_PLATFORM_URL": processes.platform, "REDIS_URL": processes.queue}
    findings = Findings()
    school: DrillSchool | None = None
    try:
        processes.start_platforms()
        processes.start_queue()
        school = DrillSchool(load_settings("web", env), read_keys(processes.keys), platform=processes.platform)
        school.enrol(ordeals(asked, range(asked.schedules), factor=1))
        known: dict[int, Sent] = {}
        for ordeal in warming():
            if sent := school.send(ordeal):
                known[ordeal.number] = sent
        forbidden: set[int] = set()
        findings.factor = factor_for(school.took)
        processes.start_publishers(number=_PUBLISHERS, without=asked.without, factor=findings.factor, warm=len(known))
        oracle = Oracle(folder_of(settings))
        size = _AT_ONCE_WITHOUT if asked.without else _AT_ONCE
        for first in range(0, asked.schedules, size):
            here = range(first, min(first + size, asked.schedules))
            if factor_for(school.took) < _SLOWER * findings.factor:  # the computer has become busier since
                findings.factor = factor_for(school.took)
                processes.stop_publishers()
                processes.start_publishers(number=_PUBLISHERS, without=asked.without, factor=findings.factor, warm=0)
            group = Group(
                school=school,
                processes=processes,
                board=board,
                oracle=oracle,
                known=known,
                forbidden=forbidden,
                chance=random.Random(f"{asked.seed}/{first}/moments"),  # noqa: S311 - to come out the same again
                pace=pace(findings.factor),
                kill_each=_KILL_EACH * FASTEST / findings.factor,
                amid=partial(_back_up, settings) if _restores(asked) and here.stop == asked.schedules else lambda: None,
            )
            group.run(ordeals(asked, here, factor=findings.factor), findings)
            say(f"{here.stop} of {asked.schedules} schedules; {sum(board.counted().values())} kills and starts")
            if findings.violated:
                break
        with school.services.db.begin() as session:
            if not ledger_check.verify(session).ok:
                findings.misrecorded += 1
                findings.wrong.append("the ledger does not verify")
        if _restores(asked) and not findings.violated:
            processes.stop_publishers()
            findings.restored = _put_back(
                settings, env, school=school, known=known, forbidden=forbidden, oracle=oracle, factor=findings.factor
            )
            _judge_restored(findings, oracle, known, forbidden)
    finally:
        processes.stop()
        if school is not None:
            school.services.db.engine.dispose()
    return findings, board


def ordeals(asked: Drill, schedules: Iterable[int], *, factor: float) -> list[Ordeal]:
    """What these schedules do to their posts.

    A machine that does not wait shows it where absence allows a second try: elsewhere it would only ask a person.
    """
    kinds = (COMPLETE,) if asked.without == "settle" else KINDS
    return [one for schedule in schedules for one in draw(asked.seed, schedule, factor=factor, kinds=kinds)]


def _restores(asked: Drill) -> bool:
    """Whether the drill ends with a restore: not where a machine lacks a part, nor without PostgreSQL's own tools."""
    return not asked.without and (asked.db == "sqlite" or bool(shutil.which("pg_dump") and shutil.which("pg_restore")))


def _back_up(settings: Settings) -> None:
    backup(settings, settings.backups, clock=SystemClock())


def _put_back(
    settings: Settings,
    env: Mapping[str, str],
    *,
    school: DrillSchool,
    known: Mapping[int, Sent],
    forbidden: set[int],
    oracle: Oracle,
    factor: float,
) -> AfterRestore:
    folder = settings.data / "restored"
    folder.mkdir()
    with database_beside(folder, settings.database_url) as url:
        return put_back(
            backups(settings.backups)[-1],
            {**env, "GATEKEEPER_DATA": str(folder), "DATABASE_URL": url},
            keys=settings.keys,
            school=school,
            known=known,
            forbidden=forbidden,
            oracle=oracle,
            factor=factor,
        )


def _judge_restored(findings: Findings, oracle: Oracle, known: dict[int, Sent], forbidden: set[int]) -> None:
    verdict = oracle.judge(known, forbidden)
    findings.duplicates, findings.unapproved = len(verdict.duplicates), len(verdict.unapproved)
    findings.wrong += [f"after the restore, twice: {known.get(number)}" for number in verdict.duplicates]
    findings.wrong += [f"after the restore, unapproved: {known.get(number)}" for number in verdict.unapproved]
    if findings.restored and not findings.restored.finished:
        findings.wrong.append("the restore could not be finished")


def _environment(folder: Path, url: str) -> dict[str, str]:
    """Nothing of a real installation: every setting of Gatekeeper is dropped first."""
    dropped = ("DATABASE_URL", "REDIS_URL", "PORT")
    env = {n: v for n, v in os.environ.items() if n not in dropped and not n.startswith("GATEKEEPER_")}
    return env | {"GATEKEEPER_DATA": str(folder), "DATABASE_URL": url}


@contextmanager
def _own_folder(*, keep: bool) -> Iterator[Path]:
    roomy = not keep and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    folder = Path(tempfile.mkdtemp(prefix="gk-drill-", dir=_MEMORY if roomy else None))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'gatekeeper.db'}"
        return
    with fresh_database(folder, os.environ.get("DATABASE_URL", "")) as url:
        yield url
