"""What the page about one incident shows: what was read, beside what was approved where there is such a thing.

What somebody else wrote may hold a child's name or show a face. So it is shown to the headteacher, the deputy and the
administrators alone, each look leaves a trace, and the auditor reads when, where and how it ended.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.errors import NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Publication, Version
from gatekeeper.posts.public import Incident, IncidentKind, RemotePublicPost, Takedown, TakedownState
from gatekeeper.posts.word_difference import Passage, pieces
from gatekeeper.workflow.incident_close import MAY_CLOSE
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.watch_view import name_of

MAY_READ: Final = frozenset({Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR})
_NONE: Final = "There is no such incident, or it is not yours to see."


@dataclass(frozen=True, kw_only=True)
class Approved:
    """What was approved and published.

    Attributes:
        words: as they were sealed for this channel; None when they were erased in their time.
        alts: the descriptions of its pictures, in order.
        difference: from those words to the ones that were read; empty where they are the same.
    """

    post_id: int
    words: str | None
    alts: tuple[str, ...]
    difference: Passage


@dataclass(frozen=True, kw_only=True)
class IncidentPage:
    """Everything on the page.

    Attributes:
        contents: whether this reader may see the words and the pictures.
        pictures: how many copies are kept.
        unread: how many pictures could not be kept.
        gone_at: since when the post is known to be gone.
        missing: the last reading did not find it, and the next one decides.
        again: it reads as it was approved by now.
        removal: the state of its removal, if one was ordered.
        others: further incidents about the same post.
    """

    id: int
    kind: IncidentKind
    account_id: int
    channel: str
    remote_id: str
    publication_id: int | None
    contents: bool
    text: str
    permalink: str
    pictures: int
    unread: int
    seen_at: datetime
    posted_at: datetime | None
    gone_at: datetime | None
    missing: bool
    approved: Approved | None
    removal: str
    removal_id: int | None
    closed_at: datetime | None
    closed_by: str
    outcome: str
    may_close: bool
    others: tuple[int, ...]


def incident_page(services: Services, incident_id: int, by: Staff) -> IncidentPage:
    """One incident as this person sees it; a look at its contents is written down.

    Raises:
        NotFound: there is none.
    """
    role = Role(by.role)
    may_read = role in MAY_READ
    if may_read:
        with services.step() as session:
            _found(session, incident_id)
            subject = f"incident:{incident_id}"
            record(session, at=services.clock.now(), staff_id=by.id, action="incident.seen", subject=subject)
    with services.db.read() as session:
        found = _found(session, incident_id)
        account = session.get_one(ChannelAccount, found.account_id)
        row = session.scalars(
            select(RemotePublicPost).where(
                RemotePublicPost.account_id == found.account_id, RemotePublicPost.remote_id == found.remote_id
            )
        ).first()
        removal = _removal(session, found)
        more = select(Incident.id).where(
            Incident.account_id == found.account_id, Incident.remote_id == found.remote_id, Incident.id != found.id
        )
        return IncidentPage(
            id=found.id,
            kind=IncidentKind(found.kind),
            account_id=found.account_id,
            channel=f"{label_of(account.kind)} ({account.name})",
            remote_id=found.remote_id,
            publication_id=found.publication_id,
            contents=may_read,
            text=found.text if may_read else "",
            permalink=found.permalink if may_read else "",
            pictures=len(found.pictures) if may_read else 0,
            unread=max(0, (row.media_count if row else 0) - len(found.pictures)),
            seen_at=found.seen_at,
            posted_at=found.posted_at,
            gone_at=row.gone_at if row else None,
            missing=row is not None and row.missing_since is not None and row.gone_at is None,
            approved=_approved(session, found) if may_read else None,
            removal=removal.state if removal else "",
            removal_id=removal.id if removal else None,
            closed_at=found.closed_at,
            closed_by=name_of(session, found.closed_by),
            outcome=found.outcome if may_read else "",
            may_close=role in MAY_CLOSE and found.closed_at is None,
            others=tuple(session.scalars(more.order_by(Incident.id).limit(20))),
        )


def picture(services: Services, incident_id: int, number: int, by: Staff, *, approved: bool) -> bytes:
    """One kept copy of what was read, or one picture as it was approved.

    Raises:
        NotFound: there is none for this person.
    """
    with services.db.read() as session:
        found = _found(session, incident_id)
        digests = [str(each) for each in found.pictures]
        if approved:
            content = _content(session, found)
            digests = [photo.sha256 for photo in content.photos] if content else []
    if Role(by.role) not in MAY_READ or not 0 <= number < len(digests):
        raise NotFound(_NONE)
    return services.media.read(digests[number])


def _found(session: Session, incident_id: int) -> Incident:
    found = session.get(Incident, incident_id)
    if found is None:
        raise NotFound(_NONE)
    return found


def _removal(session: Session, found: Incident) -> Takedown | None:
    return session.scalars(
        select(Takedown)
        .where(
            Takedown.account_id == found.account_id,
            (Takedown.incident_id == found.id) | (Takedown.remote_id == found.remote_id),
            Takedown.state != TakedownState.NEVER_PUBLIC,
        )
        .order_by(Takedown.id.desc())
        .limit(1)
    ).first()


def _content(session: Session, found: Incident) -> Content | None:
    publication = session.get(Publication, found.publication_id) if found.publication_id else None
    version = session.get(Version, publication.version_id) if publication else None
    return Content.from_canonical(version.canonical) if version and version.canonical else None


def _approved(session: Session, found: Incident) -> Approved | None:
    publication = session.get(Publication, found.publication_id) if found.publication_id else None
    if publication is None:
        return None
    content = _content(session, found)
    words = content.text_for(found.account_id) if content else None
    differs = words is not None and found.kind == IncidentKind.EDITED
    return Approved(
        post_id=session.get_one(Version, publication.version_id).post_id,
        words=words,
        alts=tuple(photo.alt for photo in content.photos) if content else (),
        difference=pieces(words or "", found.text) if differs else Passage(),
    )
