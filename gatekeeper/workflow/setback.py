"""What becomes of a publication that did not go out, or of which nobody knows: put back, held, failed, or looked up."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.channels.errors import ChannelError, ChannelRefused, ContentRejected
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import move_publication
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow import attempt
from gatekeeper.workflow.change import settle
from gatekeeper.workflow.claim import Claim, held_row
from gatekeeper.workflow.outcome import ended
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

_DOUBLED_AT_MOST = 5  # times: from ten seconds to five minutes


def unclear(services: Services, claim: Claim, error: Exception) -> None:
    """It may be public: the platform is read, and nothing is sent again before that."""
    now = services.clock.now()
    log.warning("publication %d: unclear answer (%s)", claim.publication_id, type(error).__name__)
    with services.step() as session:
        publication = held_row(session, claim)
        if publication is None:
            return
        detail = error.detail if isinstance(error, ChannelError) else type(error).__name__
        attempt.end(session, claim, outcome="unknown", detail=detail, now=now)
        move_publication(publication, S.UNKNOWN)
        publication.problem = str(error) if isinstance(error, ChannelError) else "The platform's answer is not clear."
        publication.next_at = (publication.sent_at or now) + services.settings.timings.reads[0]
        publication.lease_until = None


def not_sent(services: Services, claim: Claim, error: ChannelError) -> None:
    """The platform certainly did not take it: later again, hold the channel, or back to a person."""
    if isinstance(error, ContentRejected):
        failed(services, claim, sentence=str(error), kind="rejected")
        return
    now = services.clock.now()
    with services.step() as session:
        publication = held_row(session, claim)
        if publication is None:
            return
        attempt.end(session, claim, outcome="not_sent", detail=error.detail, now=now)
        move_publication(publication, S.SCHEDULED)
        publication.problem = str(error)
        publication.lease_until = None
        pause = services.settings.timings.again * 2 ** min(publication.fence - 1, _DOUBLED_AT_MOST)
        publication.next_at = max(now + pause, error.retry_at or now)
        if isinstance(error, ChannelRefused):
            _hold(session, publication, error, now=now)


def _hold(session: Session, publication: Publication, error: ChannelRefused, *, now: datetime) -> None:
    account = session.get_one(ChannelAccount, publication.account_id)
    account.status, account.held_reason = "held", str(error)
    ledger.append(session, at=now, kind="channel_held", body={"account": account.id, "why": type(error).__name__})
    ended(session, publication, kind="channel_held", sentence=str(error), now=now)


def put_back(services: Services, claim: Claim, *, pause: timedelta, problem: str) -> None:
    """Nothing was sent and no intent was written: back in line."""
    now = services.clock.now()
    with services.step() as session:
        publication = held_row(session, claim)
        if publication is not None and publication.state == S.CLAIMED:
            move_publication(publication, S.SCHEDULED)
            publication.problem, publication.next_at, publication.lease_until = problem, now + pause, None


def failed(services: Services, claim: Claim, *, sentence: str, kind: str) -> None:
    """It will not go out: a person reads why."""
    now = services.clock.now()
    with services.step() as session:
        publication = held_row(session, claim)
        if publication is None:
            return
        attempt.end(session, claim, outcome=kind, now=now)
        move_publication(publication, S.FAILED)
        publication.problem, publication.lease_until = sentence, None
        ledger.append(
            session,
            at=now,
            kind="publication_failed",
            body={"publication": publication.id, "version": publication.version_id, "why": kind},
        )
        settle(session, session.get_one(Post, session.get_one(Version, publication.version_id).post_id))
        ended(session, publication, kind="not_sent", sentence=sentence, now=now)
