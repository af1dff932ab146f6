"""The nightly process: a backup each night, and a word to the administrators when there was none.

It wakes each minute and looks what the folder of backups holds; so a computer that was asleep at night makes its
backup when it wakes, and a restart makes no second one.
"""

import logging
import signal
import threading
from datetime import date, datetime, time
from types import FrameType
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from gatekeeper.bootstrap import build_services
from gatekeeper.clock import london
from gatekeeper.errors import GatekeeperError
from gatekeeper.log import place_of
from gatekeeper.ops.backup import Manifest, backup, backups
from gatekeeper.people.staff import Role, Staff
from gatekeeper.settings import Settings
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

NIGHT: Final = time(2, 30)  # Europe/London: after the clocks have changed, in the nights in which they do
_LOOK_EVERY = 60.0


def last_backup(settings: Settings) -> datetime | None:
    """When the newest whole backup was taken."""
    for folder in reversed(backups(settings.backups)):
        try:
            return Manifest.read(folder).moment
        except GatekeeperError:
            continue
    return None


def is_due(settings: Settings, *, now: datetime) -> bool:
    """Whether tonight's backup is still to be made."""
    here, last = london(now), last_backup(settings)
    return here.time() >= NIGHT and (last is None or london(last).date() < here.date())


def look(services: Services, *, tried: date | None = None) -> date | None:
    """Make tonight's backup if it is due; a night whose backup failed is told once and tried again the next night.

    Returns the day for which nothing more has to be tried.
    """
    now = services.clock.now()
    today = london(now).date()
    if tried == today or not is_due(services.settings, now=now):
        return tried
    try:
        made = backup(services.settings, services.settings.backups, clock=services.clock)
        log.info("backup %s made", made.name)
    except (GatekeeperError, SQLAlchemyError, OSError) as err:
        log.error("no backup: %s", place_of(err))  # noqa: TRY400 - the text may name a path of the school's
        sentence = str(err) if isinstance(err, GatekeeperError) else "The disk or the database could not be used."
        _tell_administrators(services, sentence, today=today, now=now)
    return today


def _tell_administrators(services: Services, sentence: str, *, today: date, now: datetime) -> None:
    try:
        with services.step() as session:
            for staff_id in session.scalars(
                select(Staff.id).where(Staff.role == Role.ADMINISTRATOR, Staff.active).order_by(Staff.id)
            ).all():
                context = {"sentence": sentence}
                tell(session, "backup_failed", staff_id=staff_id, subject=f"backup:{today}", context=context, now=now)
    except SQLAlchemyError as err:
        log.error("nobody could be told: %s", place_of(err))  # noqa: TRY400


def run(settings: Settings) -> int:
    """Look each minute until asked to stop."""
    stop = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    services = build_services(settings)
    tried: date | None = None
    log.info("ready")
    while not stop.is_set():
        tried = look(services, tried=tried)
        services.db.engine.dispose()
        stop.wait(_LOOK_EVERY)
    return 0
