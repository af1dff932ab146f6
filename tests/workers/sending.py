"""A school on a database of its own, posts whose time has come, and real publishers that send them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select, update

from gatekeeper.bootstrap import prepare
from gatekeeper.ops.drill.schedule import Ordeal
from gatekeeper.ops.drill.school import DrillSchool, Sent
from gatekeeper.ops.keys import ensure_keys, environment_for
from gatekeeper.ops.kinship import bound_to_me
from gatekeeper.posts.model import Attempt, Publication
from gatekeeper.settings import load_settings
from gatekeeper.simulator.config import SimulatorConfig

ROOT: Final = Path(__file__).resolve().parents[2]
KINDS: Final = ("x", "facebook", "linkedin")


class Sending:
    """The school, and the publishers that were started for it."""

    def __init__(self, data: Path, platform: str, *, log: Path | None = None) -> None:
        told = {name: value for name, value in os.environ.items() if not name.startswith("GATEKEEPER_")}
        told |= {"GATEKEEPER_DATA": str(data), "DATABASE_URL": f"sqlite:///{data / 'gatekeeper.db'}"}
        told |= {"REDIS_URL": "unix:///nowhere/valkey.sock", "GATEKEEPER_PLATFORM_URL": platform}
        self._env: Mapping[str, str] = {**told, "PYTHONPATH": str(ROOT)}
        self._log = log or data / "publisher.log"
        ensure_keys(load_settings("web", self._env), self._env)
        settings = load_settings("web", self._env)
        prepare(settings)
        keys = [SimulatorConfig().credentials(kind) for kind in KINDS]
        self.school = DrillSchool(settings, keys, platform=platform)
        self.school.due_in = timedelta(hours=1)  # or until a test makes it due
        self.services = self.school.services
        self._running: list[subprocess.Popen[bytes]] = []

    def approve(self, number: int, kind: str, *, picture: bool = False) -> int:
        """One approved post with this number in its words; its publication."""
        ordeal = Ordeal(number=number, kind=kind, fault={}, change="consent" if picture else "")
        if picture:
            self.school.enrol([ordeal])
        sent = self.school.send(ordeal)
        assert isinstance(sent, Sent)
        return sent.publication

    def make_due(self, *publications: int) -> None:
        """Their time has come, one after the other."""
        with self.services.db.begin() as session:
            for publication in publications:
                now = datetime.now(UTC)
                session.execute(
                    update(Publication).where(Publication.id == publication).values(due_at=now, next_at=now)
                )

    def start(self, number: int = 1) -> None:
        """Start so many publishers, as the supervisor does."""
        for _ in range(number):
            with self._log.open("ab") as log:
                self._running.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "workers.publish"],
                        env=environment_for("publisher", self._env),
                        stdout=log,
                        stderr=log,
                        preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, its library loaded before
                    )
                )

    @property
    def log(self) -> str:
        """What the publishers said."""
        return self._log.read_text() if self._log.exists() else ""

    def states(self) -> dict[int, str]:
        """Where each publication stands."""
        with self.services.db.read() as session:
            return {row.id: str(row.state) for row in session.execute(select(Publication.id, Publication.state))}

    def begun(self) -> list[datetime]:
        """When each attempt to send began."""
        with self.services.db.read() as session:
            return sorted(session.scalars(select(Attempt.started_at)))

    def end(self) -> None:
        """End the publishers."""
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait()
        self.services.db.engine.dispose()
