"""What follows where a platform refuses to be read until a moment that it names: LinkedIn's limit lasts until midnight.

A refusal says nothing about the post. It is neither taken for absence nor handed to a person at once: the look waits
for that moment, the office reads why, and nothing is sent again before it is known.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gatekeeper.channels.errors import ChannelBusy
from gatekeeper.clock import london
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, ChannelLimit, Publication
from gatekeeper.posts.status import PublicationState
from gatekeeper.workflow.outcome import ended

#: nobody waits for an answer longer than a day and a little: then a person looks at the page
LONGEST: Final = timedelta(hours=26)
_SENTENCE: Final = (
    "{platform} does not let its posts be read before {until}. It is looked up then, and not sent again before that is "
    "known. You need not wait: look at the page yourself and answer."
)


@dataclass(frozen=True)
class Refused:
    """The platform is not to be read before this moment."""

    until: datetime


def refusal(error: ChannelBusy, *, now: datetime) -> Refused | None:
    """The moment that the platform names, or None where it names none that is still to come."""
    return Refused(error.retry_at) if error.retry_at is not None and error.retry_at > now else None


def wait(session: Session, publication: Publication, refused: Refused, *, after: timedelta, now: datetime) -> None:
    """Look again at that moment. Where that is later than `after` the sending, people are asked by e-mail; once for each try."""
    account = session.get_one(ChannelAccount, publication.account_id)
    sentence = _SENTENCE.format(platform=label_of(account.kind), until=_told(refused.until))
    publication.next_at, publication.problem = refused.until, sentence
    if refused.until - (publication.sent_at or now) > after:
        ended(session, publication, kind="needs_person", sentence=sentence, now=now)


def last_refusal_ended(session: Session, account_id: int, *, now: datetime) -> datetime | None:
    """When the last refusal to be read that is over by now ended."""
    return session.scalar(
        select(func.max(ChannelLimit.resets_at)).where(
            ChannelLimit.account_id == account_id,
            ChannelLimit.route == "list_posts",
            ChannelLimit.remaining == 0,
            ChannelLimit.resets_at <= now,
        )
    )


def waits_long(publication: Publication, *, after: timedelta) -> bool:
    """Whether its next look is so far off that a person may answer meanwhile."""
    sent_at = publication.sent_at or publication.due_at
    return publication.state == PublicationState.UNKNOWN and publication.next_at - sent_at > after


def _told(moment: datetime) -> str:
    end = london(moment)
    return f"{end:%H:%M} on {end:%A} {end.day} {end:%B}"
