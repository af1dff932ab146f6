"""A person's answer about a publication whose fate could not be read: it is there, or it is not."""

from sqlalchemy import select

from approvals import ledger
from gatekeeper.errors import BadInput, Conflict, NotAllowed
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.model import Attempt, ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import move_publication, publication_for_update
from gatekeeper.posts.status import PublicationState
from gatekeeper.settings import Timings
from gatekeeper.workflow import takedown
from gatekeeper.workflow.change import settle
from gatekeeper.workflow.named_post import permalink_in, remote_id_in
from gatekeeper.workflow.outcome import record_published
from gatekeeper.workflow.published_mail import tell_if_all_ended
from gatekeeper.workflow.reading_refused import waits_long
from gatekeeper.workflow.services import Services

_OFFICE = {Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR}


def is_asked(publication: Publication, timings: Timings) -> bool:
    """Whether a person may answer: the question was handed over, or its platform refuses to be read for long."""
    return publication.state == PublicationState.NEEDS_PERSON or waits_long(publication, after=2 * timings.reads[-1])


def answer(services: Services, publication_id: int, *, by: int, there: bool, link: str = "") -> None:
    """Write down what the person saw. "Not there" lets it be sent again while its approved window is open.

    Raises:
        NotAllowed: neither the author nor somebody of the office.
        Conflict: nobody is asked (any more).
        BadInput: "there" without an address on the platform that names the post.
    """
    now, timings = services.clock.now(), services.settings.timings
    with services.step() as session:
        publication = publication_for_update(session, publication_id)
        if publication is None or not is_asked(publication, timings):
            raise Conflict("This question has been answered already.")
        version = session.get_one(Version, publication.version_id)
        post = session.get_one(Post, version.post_id)
        person = session.get_one(Staff, by)
        if by != post.author_id and person.role not in _OFFICE:
            raise NotAllowed("Only the author, the headteacher or an administrator can answer this.")
        if publication.state == PublicationState.UNKNOWN:  # the platform refuses to be read, and may still be at it
            if now < (publication.sent_at or publication.due_at) + timings.reads[-1]:
                raise Conflict("It was sent a moment ago and may still appear. Please look again in ten minutes.")
            move_publication(publication, PublicationState.NEEDS_PERSON)
        body = {"publication": publication.id, "by": by, "there": there}
        ledger.append(session, at=now, kind="person_answered", body=body)
        record(
            session,
            at=now,
            staff_id=by,
            action="publication.answered",
            subject=f"publication:{publication.id}",
            detail=body,
        )
        if there:
            account = session.get_one(ChannelAccount, publication.account_id)
            kind = account.kind
            remote_id = remote_id_in(link, kind=kind, account=account.remote_id)
            taken = session.scalars(
                select(Publication.id).where(
                    Publication.account_id == publication.account_id, Publication.remote_id == remote_id
                )
            ).first()
            if taken is not None:
                sentence = "This address belongs to another post that Gatekeeper published. Please check it."
                raise BadInput(sentence, fields={"link": sentence})
            stand_in = (services.settings.platform_url, services.settings.simulator_page)
            permalink = permalink_in(link.strip(), kind=kind, also=stand_in)
            record_published(session, publication, remote_id=remote_id, permalink=permalink, how="person", now=now)
            return
        attempt = session.get(Attempt, (publication.id, publication.fence))
        if attempt is not None and attempt.ended_at is None:  # whoever made it died before it could say how it ended
            attempt.ended_at, attempt.outcome = now, "absent_by_person"
        if takedown.stands(session, publication.id):  # it is to be removed, so it is never sent again
            move_publication(publication, PublicationState.FAILED)
            publication.problem = "It was not published, and it was ordered to be taken down."
            takedown.follow(session, publication, now=now)
        elif now <= publication.closes_at:
            move_publication(publication, PublicationState.SCHEDULED)
            publication.next_at, publication.problem = now, ""
        else:
            move_publication(publication, PublicationState.FAILED)
            publication.problem = (
                "It was not published, and its approved window is over. Ask for a new approval to send it."
            )
        settle(session, post)
        tell_if_all_ended(session, version.id, now=now)
