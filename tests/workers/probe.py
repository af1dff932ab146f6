"""A worker whose only work is to leave traces. The tests of the worker loop start it as a real process.

What the subject's id tells it to do: 1xx leave a trace, 2xx fail, 3xx take two seconds, 4xx end its own process,
5xx never come to an end.
"""

import os
import signal
import sys
import time
from pathlib import Path

from rq import get_current_job

from gatekeeper import jobs
from gatekeeper.log import configure_logging
from gatekeeper.settings import load_settings
from gatekeeper.workflow.services import Services
from workers.perform import perform
from workers.process import WorkerProcess

PROBE = jobs.Job(name="probe", function="tests.workers.probe.run", queue="scan", timeout=2, tries=2)
SLOW = jobs.Job(name="slow", function="tests.workers.probe.run_slowly", queue="scan", timeout=30, tries=2)
JOBS = {job.name: job for job in (PROBE, SLOW)}
SECRET_WORDS = "Amelia Featherstone"


def leave(folder: Path, *words: object) -> None:
    with (folder / "traces").open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def step(services: Services, subject_id: int) -> None:
    kind = subject_id // 100
    way = "queue" if get_current_job() else "timer"
    leave(services.settings.data, "began", subject_id, way, os.getpid())
    if kind == 2:
        raise ValueError(SECRET_WORDS)
    if kind == 3:
        time.sleep(2)
    if kind == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == 5:
        while True:
            try:
                time.sleep(60)
            except Exception:  # noqa: S112, BLE001 - this is what swallows a time limit that is an exception
                continue
    leave(services.settings.data, "done", subject_id, way)


def give_up(services: Services, subject_id: int, _reason: str) -> None:
    leave(services.settings.data, "gave_up", subject_id)


def run(subject_id: int) -> None:
    perform(PROBE, subject_id, step=step, give_up=give_up)


def run_slowly(subject_id: int) -> None:
    perform(SLOW, subject_id, step=step, give_up=give_up)


if __name__ == "__main__":
    # the functions above must be those of the importable module, not of this script
    from tests.workers import probe

    jobs.JOBS.clear()
    jobs.JOBS.update(probe.JOBS)
    configure_logging("scan", level="DEBUG")
    sys.exit(WorkerProcess("scan", load_settings("scan")).run())
