"""Who may have a post taken down: whoever answers for the school's accounts; its author may ask the headteacher."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.public import Takedown
from gatekeeper.posts.status import PublicationState
from gatekeeper.workflow import takedown
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.takedown_words import ASKED, subject_of_wish, with_wish

MAY_ORDER: Final = frozenset({Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR})
#: what a role may order beyond that: the consent lead, for a family
FOR_CONSENT: Final = Role.CONSENT_LEAD
_SHORTEST: Final = 5
MOST_WORDS: Final = 1_000
#: what may be public, or may become so without anybody's further word
REMOVABLE: Final = frozenset({
    PublicationState.PUBLISHED, PublicationState.SENDING, PublicationState.UNKNOWN, PublicationState.NEEDS_PERSON,
})  # fmt: skip


def reasons_for(role: Role) -> dict[str, str]:
    """The reasons this role may order a removal for; none where it may not."""
    if role in MAY_ORDER:
        return dict(takedown.WHY)
    return {"consent": takedown.WHY["consent"]} if role is FOR_CONSENT else {}


def order(services: Services, publication_id: int, *, why: str, words: str, by: int) -> int:
    """Have one publication removed from its channel; returns the removal's id.

    Raises:
        BadInput: no reason.
        NotAllowed: this person may not order it, or not for this reason.
        NotFound: there is no such publication.
        Conflict: it is not public, and nothing of it is on its way.
    """
    words, now = _words(words), services.clock.now()
    with services.step() as session:
        role = Role(session.get_one(Staff, by).role)
        if not reasons_for(role):
            raise NotAllowed("Only the headteacher, the deputy or an administrator can have a post taken down.")
        if why not in takedown.WHY:
            raise BadInput("Please say why.", fields={"why": "Please choose what it is about."})
        if why not in reasons_for(role):
            raise NotAllowed("You can have a post taken down for consent. Ask the headteacher for anything else.")
        publication = session.get(Publication, publication_id)
        if publication is None:
            raise NotFound("There is no such post on this channel.")
        if publication.state not in REMOVABLE:
            raise Conflict("Nothing of it is public on this channel, and nothing is on its way.")
        return takedown.order(
            session, account_id=publication.account_id, publication_id=publication_id, why=why, words=words, by=by,
            now=now,
        )  # fmt: skip


def ask(services: Services, publication_id: int, *, words: str, by: int) -> None:
    """An author asks the headteacher to have their post taken down; the words are read on the post's page alone.

    Raises:
        BadInput: no reason.
        NotFound: it is not their post.
        Conflict: it is being taken down already.
    """
    words, now = _words(words), services.clock.now()
    with services.step() as session:
        publication = session.get(Publication, publication_id)
        version = session.get(Version, publication.version_id) if publication else None
        post = session.get(Post, version.post_id) if version else None
        if publication is None or post is None or post.author_id != by:
            raise NotFound("There is no such post, or it is not yours.")
        if takedown.stands(session, publication_id):
            raise Conflict("It is being taken down already.")
        account = session.get_one(ChannelAccount, publication.account_id)
        detail = {"publication": publication_id}
        record(session, at=now, staff_id=by, action="takedown.asked", subject=f"post:{post.id}", detail=detail)
        told = {"post_id": post.id, "channel": f"{label_of(account.kind)} ({account.name})"}
        for staff_id in _asked(session):
            tell(
                session, ASKED, staff_id=staff_id, subject=subject_of_wish(publication_id, at=now),
                context=with_wish(told, words=words, by=by), now=now,
            )  # fmt: skip


def again(services: Services, takedown_id: int, *, by: int) -> None:
    """Try an ordered removal now instead of at its next moment, or let a program try again what was given to a person.

    Raises:
        NotFound: there is none.
        Conflict: it is not waiting for a try.
    """
    with services.step() as session:
        one = session.get(Takedown, takedown_id, with_for_update=True)
        if one is None:
            raise NotFound("There is no such removal.")
        takedown.try_now(session, one, now=services.clock.now())
        record(
            session, at=services.clock.now(), staff_id=by, action="takedown.again", subject=f"takedown:{takedown_id}"
        )


def _asked(session: Session) -> Sequence[int]:
    """The headteacher; where there is none at the moment, everybody else who may order it."""
    able = session.execute(
        select(Staff.id, Staff.role).where(Staff.role.in_(MAY_ORDER), Staff.active).order_by(Staff.id)
    ).all()
    return [one.id for one in able if one.role == Role.HEADTEACHER] or [one.id for one in able]


def _words(words: str) -> str:
    words = words.strip()
    if len(words) < _SHORTEST or len(words) > MOST_WORDS:
        sentence = "Please give the reason in a few words." if len(words) < _SHORTEST else "Please say it more briefly."
        raise BadInput(sentence, fields={"words": sentence})
    return words
