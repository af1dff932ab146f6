"""Gathers the facts for the last gate, at this instant, and asks it. What holds the post without failing it is told apart."""

import logging
from datetime import datetime

from sqlalchemy.orm import Session

from approvals import decisions
from approvals.errors import LedgerBroken
from approvals.tables import Decision
from gatekeeper.clock import london
from gatekeeper.errors import GatekeeperError
from gatekeeper.policy.gate import GateFacts, check_can_publish
from gatekeeper.posts.digest import Content, digest_of
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.workflow import takedown
from gatekeeper.workflow.approver_right import had_the_right
from gatekeeper.workflow.facts import photos_against
from gatekeeper.workflow.stopped import sending_stopped

log = logging.getLogger(__name__)


class NotNow(GatekeeperError):
    """Sending is stopped, the channel is held, or it is not its time: it keeps its place and is asked about again."""


def ask_gate(
    session: Session,
    publication: Publication,
    version: Version,
    account: ChannelAccount,
    *,
    hashes: tuple[str, ...],
    now: datetime,
    keep: bool = False,
) -> None:
    """Return where exactly these bytes may go to this account now.

    Args:
        session: the caller's transaction.
        publication, version, account: what is to be sent where, read in this transaction.
        hashes: SHA-256 of the pictures in hand, in their order.
        now: the moment.
        keep: hold the approval room's lock, so that the answer stays true until the transaction ends.

    Raises:
        NotNow: everything is stopped, this channel is held, or it is not the time.
        GateClosed: it may not go out; says every reason.
    """
    if stopped := sending_stopped(session):
        raise NotNow(stopped)
    if account.status == "held" or (
        account.status == "new" and account.declared_own
    ):  # new: its keys are being checked
        raise NotNow(account.held_reason or "The channel's keys are being checked.")
    if not publication.due_at <= now <= publication.closes_at:  # a clock was set, or the claim took long: not its fault
        raise NotNow("Its time has not come, or its approved window is over.")
    content = Content.from_canonical(version.canonical)
    post = session.get_one(Post, version.post_id)
    decision = session.get(Decision, publication.decision_id)
    decided_account = {channel.account_id: channel.remote_id for channel in content.channels}.get(account.id)
    check_can_publish(
        GateFacts(
            now=now,
            due=publication.due_at,
            closes=publication.closes_at,
            digest_stored=digest_of(version.canonical),
            digest_version=version.digest,
            digest_publication=publication.digest,
            digest_decided=decision.digest if decision else None,
            verdict=decision.verdict if decision else None,
            decision_in_force=decision is not None and _in_force(session, decision, keep=keep),
            approver_is_author=decision is not None and decision.approver_id == post.author_id,
            approver_entitled=decision is not None and had_the_right(session, decision, author_id=post.author_id),
            is_current_version=post.version_id == version.id and post.revision == version.revision,
            photos_decided=[photo.sha256 for photo in content.photos],
            photos_in_hand=hashes,
            account_decided=decided_account,
            account_now=account.remote_id,
            channel_declared_own=account.status == "open" and account.declared_own,
            faces_against=photos_against(session, post, kinds=[account.kind], today=london(now).date()),
            takedown_stands=takedown.stands(session, publication.id),
        )
    )


def _in_force(session: Session, decision: Decision, *, keep: bool) -> bool:
    """Whether the approval still holds and stands in the ledger as it was written."""
    try:
        return decisions.is_in_force(session, decision.id, keep=keep)
    except LedgerBroken:
        log.critical("decision %s does not agree with the ledger", decision.id)
        return False
