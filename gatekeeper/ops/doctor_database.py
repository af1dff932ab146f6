"""What `gatekeeper doctor` finds in the database: its schema, the ledger, the channels, and work that nobody does."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from approvals import ledger_check
from approvals.tables import LedgerEntry
from gatekeeper.bootstrap import check_ledger_key
from gatekeeper.clock import Clock, london
from gatekeeper.db.session import Database
from gatekeeper.errors import SettingsError
from gatekeeper.jobs import Order
from gatekeeper.ops.doctor_report import Check, advice, ok, wrong
from gatekeeper.ops.release import newest_revision
from gatekeeper.policy import api_versions
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Post, Publication
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.settings import Settings
from gatekeeper.workflow import key_silence, purge, watch_view

_LATE_WORK, _LATE_POST = timedelta(minutes=10), timedelta(minutes=2)
_AHEAD = timedelta(minutes=2)
_SOON = timedelta(days=14)
_PURGE_AGE = timedelta(hours=50)


def look(
    settings: Settings, database: Database, of_process: Mapping[str, Settings], *, clock: Clock
) -> Iterator[Check]:
    """Everything that the database tells."""
    present = _revision(database)
    if present != newest_revision():
        yield wrong("database", "It has not this release's schema.", "Run: gatekeeper release")
        return
    now = clock.now()
    with database.read() as session:
        yield _soundness(session, is_sqlite=database.is_sqlite)
        yield from _ledger(session, settings, of_process, now=now)
        yield from _channels(session, now=now)
        yield from _watch(session, now=now)
        yield from _versions(session, settings, now=now)
        yield from _work(session, now=now)
        yield _purge(session, now=now)


def _revision(database: Database) -> str | None:
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _soundness(session: Session, *, is_sqlite: bool) -> Check:
    if not is_sqlite:
        version = session.execute(text("SHOW server_version")).scalar_one()
        return ok("database", f"PostgreSQL {version} answers and has this release's schema.")
    found = [str(row[0]) for row in session.execute(text("PRAGMA quick_check(3)"))]
    if found != ["ok"]:
        do = "Stop Gatekeeper, keep the file as it is, and restore the newest backup: gatekeeper restore"
        return wrong("database", f"The SQLite file is damaged: {found[0]}.", do)
    return ok("database", "The SQLite file is sound and has this release's schema.")


def _ledger(
    session: Session, settings: Settings, of_process: Mapping[str, Settings], *, now: datetime
) -> Iterator[Check]:
    found = ledger_check.verify(session, keys=settings.ledger_public or None)
    if not found.ok:
        do = "Keep the database as it is, and call the data protection lead. gatekeeper ledger verify says more."
        yield wrong("ledger", found.reason or "It is not as it was written.", do)
    else:
        yield ok("ledger", f"All {found.entries:,} entries are as they were written and signed.")
    try:
        if "web" in of_process and of_process["web"].secrets.get("LEDGER_KEY"):
            check_ledger_key(of_process["web"])
    except SettingsError as err:
        yield wrong("ledger", str(err))
    last = session.scalar(select(func.max(LedgerEntry.at)))
    if last is not None and last > now + _AHEAD:
        do = "Set the clock right (is the time service running?) before anything is approved."
        yield wrong("clock", f"The ledger's last entry is from {last:%d.%m.%Y %H:%M} UTC, which is still to come.", do)


def _channels(session: Session, *, now: datetime) -> Iterator[Check]:
    accounts = session.scalars(select(ChannelAccount).where(ChannelAccount.status != "closed")).all()
    if not accounts:
        yield advice("channels", "No account is connected.", "An administrator adds one on the Channels page.")
    for account in accounts:
        name = f"{label_of(account.kind)} ({account.name})"
        if account.status == "held":
            yield wrong("channels", f"{name} is held: {account.held_reason or account.check_result}", _ON_PAGE)
        elif account.status != "open":
            yield advice("channels", f"{name} is not open yet.", "The headteacher opens it on the Channels page.")
        elif account.expires_at is not None and account.expires_at <= now + _SOON:
            yield advice("channels", f"The keys of {name} end on {account.expires_at:%d.%m.%Y}.", _ON_PAGE)
        elif key_silence.is_silent(account, now=now):
            yield advice("channels", key_silence.sentence(name), key_silence.ADVICE)
        else:
            yield ok("channels", f"{name} is open.")


def _watch(session: Session, *, now: datetime) -> Iterator[Check]:
    """Whether the school's own accounts are being read for what goes round the gate."""
    failing = watch_view.failing(session, now=now)
    for name, problem in failing:
        yield wrong("watch", f"Nobody watches over {name}: {problem}", "The page Our accounts says more.")
    waiting = watch_view.open_incidents(session)
    if waiting:
        yield advice(
            "watch", f"{waiting} things found on the school's accounts are open.", "See the page Our accounts."
        )
    if not failing and not waiting:
        yield ok("watch", "Nothing that went round Gatekeeper is known.")


def _versions(session: Session, settings: Settings, *, now: datetime) -> Iterator[Check]:
    """Whether a platform will soon stop speaking the version that is set."""
    kinds = session.scalars(select(ChannelAccount.kind).where(ChannelAccount.status != "closed").distinct()).all()
    for kind, version in (("facebook", settings.graph_version), ("linkedin", settings.linkedin_version)):
        if kind not in kinds:
            continue
        if said := api_versions.alarm(kind, version, today=london(now).date()):
            yield advice("versions", said)
        else:
            yield ok("versions", api_versions.version_sentence(kind, version))


def _purge(session: Session, *, now: datetime) -> Check:
    """Whether what had its time was erased in the last nights."""
    last = purge.last_runs(session, most=1)
    if not last:
        return advice("retention", "Nothing was purged yet.", "It runs in the night, while the mail worker is on.")
    told = f"The last purge ended on {last[0].at:%d.%m.%Y at %H:%M} UTC."
    if now - last[0].at > _PURGE_AGE:
        return wrong("retention", told, "Is the mail worker running, and a restore finished? Look at logs/mail.log")
    if last[0].failed:
        return wrong("retention", f"{told} Not everything could be erased.", "Look at logs/mail.log")
    return ok("retention", told)


_ON_PAGE = "Its page among the channels says what to do."


def _work(session: Session, *, now: datetime) -> Iterator[Check]:
    late = session.execute(
        select(Order.queue, func.count()).where(Order.next_at < now - _LATE_WORK).group_by(Order.queue)
    ).all()
    for queue, count in late:
        do = f"Is the {queue} worker running? Look at logs/{queue}.log"
        yield wrong("workers", f"{count} pieces of work wait for the {queue} worker for over ten minutes.", do)
    waiting = (PublicationState.SCHEDULED, PublicationState.CLAIMED)
    overdue = session.scalar(
        select(func.count())
        .select_from(Publication)
        .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
        .where(
            Publication.state.in_(waiting),
            Publication.due_at < now - _LATE_POST,
            Publication.next_at < now - _LATE_POST,
            ChannelAccount.status == "open",
        )
    )
    if overdue:
        do = "Is the publisher running? Look at logs/publisher.log"
        yield wrong("publisher", f"{overdue} posts should have gone out over two minutes ago.", do)
    if not late and not overdue:
        yield ok("workers", "Nothing that is due is left lying.")
    asks = session.scalar(select(func.count()).where(Post.state == PostState.NEEDS_PERSON))
    if asks:
        yield advice("posts", f"{asks} posts wait for a person to say whether they went out.", "Answer on their pages.")
