"""Builds what each process works with. The one place that knows every part, and the only one that touches the keys."""

import logging
from collections.abc import Callable
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from approvals import ledger, ledger_entries
from approvals.errors import LedgerUnsigned
from approvals.signing import Ed25519Signer, Signer
from gatekeeper import jobs
from gatekeeper.cases import model as case_tables
from gatekeeper.channels import registry, seal
from gatekeeper.channels.base import Channel, Credentials
from gatekeeper.clock import Clock, SystemClock, steady
from gatekeeper.db.ledger_key import check_fits
from gatekeeper.db.schema import upgrade
from gatekeeper.db.server_clock import ServerClock
from gatekeeper.db.session import Database
from gatekeeper.errors import SettingsError
from gatekeeper.mail import model as mail_tables
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.mail.smtp import SmtpMailer
from gatekeeper.people import biometric as biometric_tables
from gatekeeper.people import consent as consent_tables
from gatekeeper.people import own_rules as rule_tables
from gatekeeper.people import policy_editions as edition_tables
from gatekeeper.people import pupils as pupil_tables
from gatekeeper.people import staff as staff_tables
from gatekeeper.people import templates as template_tables
from gatekeeper.people.school import school_settings
from gatekeeper.posts import public as public_tables
from gatekeeper.posts.media import MediaStore
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.settings import SECRETS, Settings
from gatekeeper.workflow.limits_seen import watcher
from gatekeeper.workflow.services import FaceEncoder, FaceFinder, PictureReader, Services

log = logging.getLogger(__name__)

#: every module that has tables: a process that did not know one of them could not tell what a row refers to
TABLES = (
    jobs, mail_tables, biometric_tables, case_tables, consent_tables, edition_tables, public_tables, pupil_tables,
    rule_tables, staff_tables, template_tables,
)  # fmt: skip
TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


def prepare(settings: Settings) -> None:
    """Make the data folder and bring the database to the newest schema."""
    for folder in (settings.data, settings.media, settings.keys):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        # SQLite would make it readable by everybody, and its journals copy its mode
        database = Path(url.database)
        database.touch(mode=0o600)
        database.chmod(0o600)
    upgrade(settings.database_url)


def build_services(
    settings: Settings,
    *,
    clock: Clock | None = None,
    faces: FaceFinder | None = None,
    encoder: FaceEncoder | None = None,
    reader: PictureReader | None = None,
) -> Services:
    """The services of one process, with the secrets that process may hold and no others."""
    held = SECRETS.get(settings.process, ())
    signer = _signer(settings) if "LEDGER_KEY" in held else None
    db = Database(settings.database_url, signer=signer)
    clock = clock or _clock(settings, db)
    if signer is not None:
        try:
            _check_ledger(db, signer, clock)
        except SettingsError:
            db.engine.dispose()
            raise
    return Services(
        settings=settings,
        db=db,
        clock=clock,
        media=MediaStore(settings.media),
        render=EmailRenderer(TEMPLATES, school_name=lambda: _school_name(db)),
        wake=waker(settings.redis_url),
        faces=faces,
        encoder=encoder,
        reader=reader,
        mailer=SmtpMailer(settings.secret("SMTP_URL"), bounce_to=settings.bounce_to) if "SMTP_URL" in held else None,
        channel_for=_channels(settings, clock, db) if "SEAL_KEY" in held else None,
    )


def check_ledger_key(settings: Settings, *, clock: Clock | None = None) -> None:
    """Refuse at the start, and not at the first decision, to work with another key than the ledger's.

    Raises:
        SettingsError: the key is missing, no key, or another one.
    """
    signer = _signer(settings)
    db = Database(settings.database_url, signer=signer)
    try:
        _check_ledger(db, signer, clock or SystemClock())
    finally:
        db.engine.dispose()


def _check_ledger(db: Database, signer: Signer, clock: Clock) -> None:
    try:
        with db.read() as session:
            present = ledger.present_key(session)
            unsigned = present is None and ledger_entries.last_number(session) > 0
        if unsigned:  # written by a release before there were signatures
            with db.begin() as session:
                ledger.name_key(session, at=clock.now())
    except SQLAlchemyError:
        return  # not there, or of another release: whoever asks it next says so, and nothing is appended unasked
    except LedgerUnsigned as err:
        raise SettingsError(f"{err} `gatekeeper ledger verify` says which entry it is.") from None
    check_fits(present, signer.key_id)


def connect(redis_url: str) -> redis.Redis:
    """A connection that gives up at once: news of work is never worth waiting for."""
    return redis.Redis.from_url(
        redis_url, socket_connect_timeout=0.2, socket_timeout=2.0, retry=Retry(NoBackoff(), 0), retry_on_error=[]
    )


def waker(redis_url: str) -> Callable[[list[tuple[str, int]]], None]:
    """What tells the queue of fresh orders. When it cannot, the worker's own timer finds them a moment later."""
    connection = connect(redis_url)

    def wake(orders: list[tuple[str, int]]) -> None:
        for name, subject_id in orders:
            job = jobs.JOBS[name]
            try:
                Queue(job.queue, connection=connection, serializer=JSONSerializer).enqueue(
                    job.function, subject_id, job_timeout=job.timeout, result_ttl=0, failure_ttl=3600
                )
            except redis.RedisError:
                log.debug("the queue cannot be reached; the worker's timer will find the work")
                return

    return wake


def _clock(settings: Settings, db: Database) -> Clock:
    """The computer's clock; for a publisher the one that all publishers share, where they may be on many computers."""
    if settings.process != "publisher" or db.is_sqlite:
        return SystemClock()
    return ServerClock(db.engine, local=SystemClock().now, steady=steady)


def _signer(settings: Settings) -> Signer:
    try:
        return Ed25519Signer.read(settings.secret("LEDGER_KEY"))
    except ValueError as err:
        raise SettingsError(f"GATEKEEPER_LEDGER_KEY cannot be used. {err}") from None


def _channels(settings: Settings, clock: Clock, db: Database) -> Callable[[ChannelAccount], Channel]:
    key = settings.secret("SEAL_KEY")
    versions = {"facebook": settings.graph_version, "linkedin": settings.linkedin_version}
    watched = watcher(db, clock)

    def channel_for(account: ChannelAccount) -> Channel:
        if not account.sealed:
            raise SettingsError("No keys are stored for this account.")
        plain = seal.unseal(key, account.sealed, context=seal.account_context(account.id))
        channel = registry.build_channel(
            Credentials.from_json(plain.decode()),
            clock=clock,
            base_url=settings.platform_url or None,
            api_version=versions.get(account.kind),
        )
        return watched(channel, account.id)

    return channel_for


def _school_name(db: Database) -> str:
    try:
        with db.read() as session:
            return str(school_settings(session)["name"])
    except SQLAlchemyError:
        return "Gatekeeper"
