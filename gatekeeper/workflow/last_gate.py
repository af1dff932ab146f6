"""Gathers the facts for the last gate, at this instant, and asks it. What holds the post without failing it is told apart."""

import logging
from datetime import datetime

from sqlalchemy.orm import Session

from approvals import decisions, ledger
from approvals.decisions import Standing
from approvals.errors import LedgerBroken
from gatekeeper.clock import london
from gatekeeper.errors import GatekeeperError
from gatekeeper.policy.gate import GateFacts, check_can_publish
from gatekeeper.posts.digest import digest_of
from gatekeeper.posts.model import Post
from gatekeeper.workflow.approver_right import had_the_right
from gatekeeper.workflow.case_freeze import why_frozen
from gatekeeper.workflow.consent_hold import held_words
from gatekeeper.workflow.facts import photos_against
from gatekeeper.workflow.in_hand import InHand
from gatekeeper.workflow.stopped import WAITS_FOR

log = logging.getLogger(__name__)

_ERASED = "Its words and pictures were erased."
_OTHER_PHOTOS = "What is known of the faces is not about the photos that the headteacher approved."


class NotNow(GatekeeperError):
    """Sending is stopped, the channel is held, or it is not its time: it keeps its place and is asked about again."""


def ask_gate(session: Session, wanted: InHand, *, hashes: tuple[str, ...], now: datetime, keep: bool = False) -> None:
    """Return where exactly these bytes may go to this account now.

    Args:
        session: the caller's transaction.
        wanted: what is to be sent where, read in this transaction.
        hashes: SHA-256 of the pictures in hand, in their order.
        now: the moment.
        keep: hold the approval room's lock, so that the answer stays true until the transaction ends.

    Raises:
        NotNow: everything is stopped, this channel is held, or it is not the time.
        GateClosed: it may not go out; says every reason.
    """
    if wanted.stopped:
        raise NotNow(wanted.stopped)
    if wanted.account_status in WAITS_FOR:
        raise NotNow(wanted.held_reason or WAITS_FOR[wanted.account_status])
    if not wanted.due_at <= now <= wanted.closes_at:  # a clock was set, or the claim took long: not its fault
        raise NotNow("Its time has not come, or its approved window is over.")
    if keep:
        ledger.hold(session)
    content = wanted.content
    standing = decisions.standing_of(session, wanted.decision_id)
    decision = standing.decision if standing else None
    decided_account = {channel.account_id: channel.remote_id for channel in content.channels}.get(wanted.account_id)
    check_can_publish(
        GateFacts(
            now=now,
            due=wanted.due_at,
            closes=wanted.closes_at,
            digest_stored=digest_of(wanted.canonical),
            digest_version=wanted.version_digest,
            digest_publication=wanted.digest,
            digest_decided=decision.digest if decision else None,
            verdict=decision.verdict if decision else None,
            decision_in_force=standing is not None and _in_force(session, standing, keep=keep),
            approver_is_author=decision is not None and decision.approver_id == wanted.author_id,
            approver_entitled=decision is not None and had_the_right(session, decision, author_id=wanted.author_id),
            is_current_version=(wanted.post_version_id, wanted.post_revision)
            == (wanted.version_id, wanted.version_revision),
            photos_decided=[photo.sha256 for photo in content.photos],
            photos_in_hand=hashes,
            account_decided=decided_account,
            account_now=wanted.account_remote_id,
            channel_declared_own=wanted.account_status == "open" and wanted.declared_own,
            post_against=_post_against(session, wanted, now=now),
            faces_against=_faces_against(session, wanted, now=now),
            takedown_stands=wanted.takedown_stands,
        )
    )


def _in_force(session: Session, standing: Standing, *, keep: bool) -> bool:
    """Whether the approval still holds and stands in the ledger as it was written."""
    try:
        return decisions.still_holds(session, standing, keep=keep)
    except LedgerBroken:
        log.critical("decision %s does not agree with the ledger", standing.decision.id)
        return False


def _post_against(session: Session, wanted: InHand, *, now: datetime) -> list[str]:
    """Each of these takes the approval back as well; were that forgotten, it would still not go out."""
    if not wanted.is_set_aside:
        return []
    post = session.get_one(Post, wanted.post_id)
    erased = _ERASED if post.erased_at is not None else ""
    found = [erased, why_frozen(session, post), held_words(session, post, today=london(now).date())]
    return [sentence for sentence in found if sentence]


def _faces_against(session: Session, wanted: InHand, *, now: datetime) -> list[str]:
    approved = [photo.sha256 for photo in wanted.content.photos]
    if not approved and not wanted.has_photos:
        return []
    post = session.get_one(Post, wanted.post_id)
    if [photo.rendition_sha256 for photo in post.photos] != approved:
        return [_OTHER_PHOTOS]
    return photos_against(session, post, kinds=[wanted.kind], today=london(now).date())
