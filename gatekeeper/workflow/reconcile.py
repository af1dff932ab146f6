"""Looking up what is not known: after a crash or an unclear answer the platform is read, never written.

Absence proves nothing on X and Facebook (their listings are eventual or ranked), so after the last look a person is
asked. Only a channel that declares its listing complete may, after two looks, send again under a new fence.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.channels.base import Ambiguous, Deadline, Found, NotFound, RenderedPost, TimeWindow
from gatekeeper.log import place_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import move_publication, publication_for_update
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow.change import settle
from gatekeeper.workflow.outcome import ended, record_published
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

_LOOK_BACK = timedelta(seconds=60)
_READ_AGAIN = timedelta(seconds=30)
_ABSENT_READS_NEEDED = 2
_QUESTION = "Is this post on the page? Nobody could find out by reading; please look yourself and answer."


@dataclass(frozen=True, kw_only=True)
class _Case:
    publication_id: int
    fence: int
    reads: int
    sent_at: datetime
    text: str
    media_count: int
    claimed: frozenset[str]
    account: ChannelAccount


def recover(services: Services) -> None:
    """Take over what dead processes left: claims go back in line, possible sends become *unknown*."""
    now = services.clock.now()
    settle_time = services.settings.timings.settle
    with services.step() as session:
        stale = session.scalars(
            select(Publication)
            .where(Publication.state.in_((S.CLAIMED, S.SENDING)), Publication.lease_until < now)
            .with_for_update(skip_locked=True)
        ).all()
        for publication in stale:
            if publication.state == S.CLAIMED:  # nothing was sent: the intent would have moved it on
                move_publication(publication, S.SCHEDULED)
                publication.lease_until = None
            elif publication.lease_until is not None and publication.lease_until + settle_time < now:
                move_publication(publication, S.UNKNOWN)
                publication.problem = "The sending was interrupted; it is being looked up."
                publication.next_at, publication.lease_until = now, None


def reconcile(services: Services) -> int:
    """Look up every unknown publication whose next look is due; returns how many were looked at."""
    now = services.clock.now()
    with services.db.read() as session:
        cases = [
            _case(session, p)
            for p in session.scalars(
                select(Publication)
                .where(Publication.state == S.UNKNOWN, Publication.next_at <= now)
                .order_by(Publication.id)
            )
        ]
    for case in cases:
        _look(services, case)
    return len(cases)


def _case(session: Session, publication: Publication) -> _Case:
    version = session.get_one(Version, publication.version_id)
    content = Content.from_canonical(version.canonical)
    claimed = session.scalars(
        select(Publication.remote_id).where(
            Publication.account_id == publication.account_id, Publication.remote_id.is_not(None)
        )
    )
    return _Case(
        publication_id=publication.id,
        fence=publication.fence,
        reads=publication.reads,
        sent_at=publication.sent_at or publication.due_at,
        text=content.text,
        media_count=len(content.photos),
        claimed=frozenset(str(remote_id) for remote_id in claimed),
        account=session.get_one(ChannelAccount, publication.account_id),
    )


def _look(services: Services, case: _Case) -> None:
    if services.channel_for is None:
        return
    now = services.clock.now()
    answer: Found | NotFound | Ambiguous | None
    try:
        answer = services.channel_for(case.account).find_post(
            RenderedPost(case.text),
            media_count=case.media_count,
            window=TimeWindow(case.sent_at - _LOOK_BACK, now),
            claimed=case.claimed,
            deadline=Deadline.after(now, services.settings.timings.wire),
        )
    except Exception as error:  # noqa: BLE001 - keys gone, a shape nobody knows: one riddle must not stop every other post
        log.warning("publication %d: could not be looked up (%s)", case.publication_id, place_of(error))
        answer = None
    with services.step() as session:
        publication = publication_for_update(session, case.publication_id)
        if publication is None or (publication.state, publication.fence, publication.reads) != (
            S.UNKNOWN,
            case.fence,
            case.reads,
        ):  # another publisher was quicker
            return
        _conclude(services, session, publication, answer)


def _conclude(
    services: Services, session: Session, publication: Publication, answer: Found | NotFound | Ambiguous | None
) -> None:
    now = services.clock.now()
    reads = services.settings.timings.reads
    sent_at = publication.sent_at or now
    if isinstance(answer, Found):
        record_published(
            session, publication, remote_id=answer.post.id, permalink=answer.post.permalink, how="found", now=now
        )
        return
    if isinstance(answer, Ambiguous):
        hand_over(session, publication, sentence=f"Two posts on the page could be this one. {_QUESTION}", now=now)
        return
    if answer is None:  # reading failed: it proves nothing, but it must not go on for ever
        publication.next_at = now + min(_READ_AGAIN, reads[1])
        if now - sent_at > 2 * reads[-1]:
            hand_over(session, publication, sentence=_QUESTION, now=now)
        return
    publication.reads += 1
    if answer.complete and publication.reads >= _ABSENT_READS_NEEDED:
        move_publication(publication, S.SCHEDULED)
        publication.next_at, publication.problem = now, "It was certainly not published and is sent again."
        return
    if publication.reads >= len(reads):
        hand_over(session, publication, sentence=_QUESTION, now=now)
        return
    publication.next_at = max(now, sent_at + reads[publication.reads])


def hand_over(session: Session, publication: Publication, *, sentence: str, now: datetime) -> None:
    """Give the question to a person: the program will not send this again by itself."""
    move_publication(publication, S.NEEDS_PERSON)
    publication.problem = sentence
    ledger.append(
        session, at=now, kind="needs_person", body={"publication": publication.id, "version": publication.version_id}
    )
    settle(session, session.get_one(Post, session.get_one(Version, publication.version_id).post_id))
    ended(session, publication, kind="needs_person", sentence=sentence, now=now)
