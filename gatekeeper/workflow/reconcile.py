"""Looking up what is not known: after a crash or an unclear answer the platform is read, never written.

Absence proves nothing on X and Facebook (their listings are eventual or ranked), so after the last look a person is
asked. Only a channel that declares its listing complete may, after two looks, send again under a new fence. A platform
that refuses to be read says nothing at all: the look waits for the moment that it names (see reading_refused).
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.channels.base import Ambiguous, Deadline, Found, NotFound, RenderedPost, TimeWindow
from gatekeeper.channels.errors import ChannelBusy
from gatekeeper.log import place_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import Attempt, ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import move_publication, publication_for_update
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow import takedown
from gatekeeper.workflow.change import settle
from gatekeeper.workflow.crash_points import reached
from gatekeeper.workflow.outcome import ended, record_published
from gatekeeper.workflow.reading_refused import LONGEST, Refused, last_refusal_ended, refusal, wait
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

_LOOK_BACK = timedelta(seconds=60)
#: ... where the clock was set back since: more than it is ever set by, in summer and winter
_LOOK_BACK_FAR = timedelta(hours=2)
_READ_AGAIN = timedelta(seconds=30)
_ABSENT_READS_NEEDED = 2
_QUESTION = "Is this post on the page? Nobody could find out by reading; please look yourself and answer."


_Answer = Found | NotFound | Ambiguous | Refused | None  # None: reading failed


@dataclass(frozen=True, kw_only=True)
class _Case:
    publication_id: int
    fence: int
    reads: int
    since: datetime
    canonical: str
    claimed: frozenset[str]
    account: ChannelAccount


def recover(services: Services) -> None:
    """Take over what dead processes left: claims go back in line, possible sends become *unknown*."""
    now = services.clock.now()
    timings = services.settings.timings
    _heed_clock_set_back(services, now=now)
    left = select(Publication.id).where(Publication.state.in_((S.CLAIMED, S.SENDING)), Publication.lease_until < now)
    with services.db.read() as session:
        if session.scalars(left.limit(1)).first() is None:  # most times; a look takes no writer's place
            return
    reached("R0")
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
            elif publication.lease_until is not None and publication.lease_until + timings.settle < now:
                move_publication(publication, S.UNKNOWN)
                publication.problem = "The sending was interrupted; it is being looked up."
                publication.next_at, publication.lease_until = now, None


def _heed_clock_set_back(services: Services, *, now: datetime) -> None:
    """Shorten what waits for a moment that the clock will only show again much later, because it was set back.

    A lease can end no later than a whole lease from now, and a send can have begun no later than now.
    """
    with services.db.read() as session:
        if session.scalars(select(Publication.id).where(_is_ahead(services, now)).limit(1)).first() is None:
            return
    with services.step() as session:
        now = (
            services.clock.now()
        )  # another publisher may have begun to send since the first look: that is no setting back
        latest = now + services.settings.timings.lease
        ahead = select(Publication).where(_is_ahead(services, now)).with_for_update(skip_locked=True)
        for publication in session.scalars(ahead):
            log.warning("publication %d: the clock was set back while it was being sent", publication.id)
            if publication.lease_until is not None:
                publication.lease_until = min(publication.lease_until, latest)
            if publication.sent_at is not None and publication.sent_at > now:
                publication.sent_at = now  # the attempt keeps what the clock showed then
                publication.next_at = now + services.settings.timings.reads[publication.reads]


def _is_ahead(services: Services, now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(
            Publication.state.in_((S.CLAIMED, S.SENDING)),
            Publication.lease_until > now + services.settings.timings.lease,
        ),
        and_(Publication.state.in_((S.SENDING, S.UNKNOWN)), Publication.sent_at > now),
    )


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
    sent_at = publication.sent_at or publication.due_at
    attempt = session.get(Attempt, (publication.id, publication.fence))
    set_back = attempt is not None and attempt.started_at > sent_at
    claimed = session.scalars(
        select(Publication.remote_id).where(
            Publication.account_id == publication.account_id, Publication.remote_id.is_not(None)
        )
    )
    return _Case(
        publication_id=publication.id,
        fence=publication.fence,
        reads=publication.reads,
        since=sent_at - (_LOOK_BACK_FAR if set_back else _LOOK_BACK),
        canonical=session.get_one(Version, publication.version_id).canonical,
        claimed=frozenset(str(remote_id) for remote_id in claimed),
        account=session.get_one(ChannelAccount, publication.account_id),
    )


def _look(services: Services, case: _Case) -> None:
    if services.channel_for is None:
        return
    now = services.clock.now()
    answer: _Answer
    try:
        content = Content.from_canonical(case.canonical)
        answer = services.channel_for(case.account).find_post(
            RenderedPost(content.text_for(case.account.id)),
            media_count=len(content.photos),
            window=TimeWindow(case.since, now),
            claimed=case.claimed,
            deadline=Deadline.after(now, services.settings.timings.wire),
        )
    except ChannelBusy as busy:
        log.info("publication %d: could not be looked up now (%s)", case.publication_id, type(busy).__name__)
        answer = refusal(busy, now=now)
    except Exception as error:  # noqa: BLE001 - keys gone, a text nobody can read: one riddle must not stop every other post
        log.warning("publication %d: could not be looked up (%s)", case.publication_id, place_of(error))
        answer = None
    reached("R1", case.publication_id)
    with services.step() as session:
        publication = publication_for_update(session, case.publication_id)
        if publication is None or (publication.state, publication.fence, publication.reads) != (
            S.UNKNOWN,
            case.fence,
            case.reads,
        ):  # another publisher was quicker
            return
        _conclude(services, session, publication, answer)
        session.flush()
        reached("R2", case.publication_id)


def _conclude(services: Services, session: Session, publication: Publication, answer: _Answer) -> None:
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
    if answer is None or isinstance(answer, Refused):
        _not_read(session, publication, answer, reads=reads, now=now)
        return
    publication.reads += 1
    # after a crash the first moments are long past: two looks at once would be one look
    pause = min(_READ_AGAIN, reads[1] - reads[0])
    if answer.complete:
        pause = max(pause, reads[2] / 2)
        timings = services.settings.timings
        over = sent_at + timings.lease + timings.settle  # until then the platform may still be at it
        if now < over:
            publication.next_at = max(now + pause, over)
            return
    if answer.complete and publication.reads >= _ABSENT_READS_NEEDED:
        move_publication(publication, S.SCHEDULED)
        publication.next_at, publication.problem = now, "It was certainly not published and is sent again."
        takedown.follow(session, publication, now=now)  # unless it is to be removed: then it is not
        return
    if publication.reads >= len(reads):
        hand_over(session, publication, sentence=_QUESTION, now=now)
        return
    publication.next_at = max(now + pause, sent_at + reads[publication.reads])


def _not_read(
    session: Session, publication: Publication, refused: Refused | None, *, reads: tuple[timedelta, ...], now: datetime
) -> None:
    """Nothing could be read. That proves nothing, but it must not go on for ever."""
    sent_at, patience = publication.sent_at or now, 2 * reads[-1]
    if refused is not None and refused.until - sent_at <= LONGEST:
        wait(session, publication, refused, after=patience, now=now)
        return
    publication.next_at = now + min(_READ_AGAIN, reads[1])
    waited = last_refusal_ended(session, publication.account_id, now=now) or sent_at
    if now - max(sent_at, waited) > patience:
        hand_over(session, publication, sentence=_QUESTION, now=now)


def hand_over(session: Session, publication: Publication, *, sentence: str, now: datetime) -> None:
    """Give the question to a person: the program will not send this again by itself."""
    move_publication(publication, S.NEEDS_PERSON)
    publication.problem = sentence
    ledger.append(
        session, at=now, kind="needs_person", body={"publication": publication.id, "version": publication.version_id}
    )
    settle(session, session.get_one(Post, session.get_one(Version, publication.version_id).post_id))
    ended(session, publication, kind="needs_person", sentence=sentence, now=now)
