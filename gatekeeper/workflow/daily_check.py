"""The daily look at every open channel's keys: orders the question, and sends the warning whose day has come.

Part of the sweep, so it runs every minute and in a process that holds no keys. The channel stays open while its
platform is asked.
"""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.workflow import key_ending, key_silence
from gatekeeper.workflow.services import Services


def run(services: Services) -> None:
    """Order what is due. Most times that is nothing, and then no writer's place is taken."""
    now = services.clock.now()
    with services.db.read() as session:
        if not (_to_ask(session, services) or _to_warn(session, services)):
            return
    with services.step() as session:
        for account_id in _to_ask(session, services):
            jobs.order(session, jobs.CONNECT, account_id, now=now)
        for account in _to_warn(session, services):
            key_ending.warn(session, account, now=now)
            key_silence.warn(session, account, now=now)


def _to_ask(session: Session, services: Services) -> Sequence[int]:
    """The open accounts whose look has come and for which no order stands."""
    ordered = select(jobs.Order.subject_id).where(jobs.Order.job == jobs.CONNECT.name)
    due = or_(ChannelAccount.next_check_at.is_(None), ChannelAccount.next_check_at <= services.clock.now())
    return session.scalars(
        select(ChannelAccount.id)
        .where(ChannelAccount.status == "open", ChannelAccount.sealed.is_not(None), due)
        .where(ChannelAccount.id.not_in(ordered))
        .order_by(ChannelAccount.id)
    ).all()


def _to_warn(session: Session, services: Services) -> list[ChannelAccount]:
    now = services.clock.now()
    ending = session.scalars(
        select(ChannelAccount)
        .where(ChannelAccount.status.in_(("open", "checked")), ChannelAccount.expires_at.is_not(None))
        .order_by(ChannelAccount.id)
    )
    due = [account for account in ending if key_ending.is_due(account, now=now)]
    opened = session.scalars(select(ChannelAccount).where(ChannelAccount.status == "open").order_by(ChannelAccount.id))
    return due + [one for one in opened if one not in due and key_silence.is_due(session, one, now=now)]
