"""What the office does about an incident: have the post taken down, or open a case from it."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.cases.model import CaseKind
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Publication, Version
from gatekeeper.posts.public import Incident, IncidentKind, RemotePublicPost
from gatekeeper.posts.repository import publication_for_update
from gatekeeper.workflow import takedown
from gatekeeper.workflow.cases import open_case
from gatekeeper.workflow.incident_view import MAY_READ
from gatekeeper.workflow.services import Services

MOST_WORDS: Final = 1_000
#: the kinds of case that can begin here
CASES: Final = {CaseKind.CONCERN: "A concern", CaseKind.BREACH: "A data breach"}


def take_down(services: Services, incident_id: int, *, by: int, words: str) -> int:
    """Order the removal of what was found; the incident ends when the platform shows that it is gone.

    One that was ended as all right can still be taken down: a family may ask for it a week later.

    Raises:
        NotFound: there is no such incident.
        NotAllowed: nobody of the office.
        Conflict: there is nothing to remove.
        BadInput: far too many words.
    """
    if len(words) > MOST_WORDS:
        sentence = f"Please say it in {MOST_WORDS:,} characters at most."
        raise BadInput(sentence, fields={"reason": sentence})
    with services.step() as session:
        _lock(session, incident_id)
        found = _found(session, incident_id, by)
        if found.kind == IncidentKind.VANISHED or _is_gone(session, found):
            raise Conflict("It is gone already: there is nothing to take down.")
        return takedown.order(
            session,
            account_id=found.account_id,
            publication_id=found.publication_id,
            remote_id=found.remote_id,
            why="incident",
            words=words,
            by=by,
            now=services.clock.now(),
            incident_id=found.id,
        )


def _lock(session: Session, incident_id: int) -> None:
    """Lock its post and then the ledger, as everybody does; what is none of our posts has the ledger alone."""
    row = session.execute(
        select(Incident.account_id, Incident.remote_id, Incident.publication_id).where(Incident.id == incident_id)
    ).first()
    if row is not None:
        by_number = select(Publication.id).where(
            Publication.account_id == row.account_id, Publication.remote_id == row.remote_id
        )
        publication_id = row.publication_id or session.scalars(by_number).first()
        if publication_id is not None:
            publication_for_update(session, publication_id)
    ledger.hold(session)


def open_case_from(services: Services, incident_id: int, *, by: int, kind: str) -> int:
    """Open a case about what was found; its number is given back. What was read is not copied: the case names its place.

    Raises:
        NotFound, NotAllowed: as `take_down`.
        Conflict: it has ended.
        BadInput: no such kind of case.
    """
    if kind not in CASES:
        sentence = "Choose what kind of case it is."
        raise BadInput(sentence, fields={"kind": sentence})
    now = services.clock.now()
    with services.step() as session:
        ledger.hold(session)
        found = _found(session, incident_id, by)
        if found.closed_at is not None:
            raise Conflict("This has ended already.")
        account = session.get_one(ChannelAccount, found.account_id)
        where = f"{label_of(account.kind)} ({account.name})"
        return open_case(
            session,
            kind=CaseKind(kind),
            title=f"Found on our account, no. {found.id}",
            words=f"Gatekeeper found this on {where}. What was read is kept under Our accounts, number {found.id}.",
            by=by,
            now=now,
            link=found.permalink,
            post_id=_post_id(session, found),
            **({"began_at": found.seen_at} if kind == CaseKind.BREACH else {}),
        )


def _found(session: Session, incident_id: int, by: int) -> Incident:
    found = session.get(Incident, incident_id, with_for_update=True)
    if found is None:
        raise NotFound("There is no such incident.")
    if Role(session.get_one(Staff, by).role) not in MAY_READ:
        raise NotAllowed("Only the headteacher, the deputy or an administrator can do this.")
    return found


def _is_gone(session: Session, found: Incident) -> bool:
    """Whether the platform has shown it."""
    of_it = RemotePublicPost.account_id == found.account_id, RemotePublicPost.remote_id == found.remote_id
    return session.scalars(select(RemotePublicPost.gone_at).where(*of_it)).first() is not None


def _post_id(session: Session, found: Incident) -> int | None:
    publication = session.get(Publication, found.publication_id) if found.publication_id else None
    return session.get_one(Version, publication.version_id).post_id if publication else None
