"""Finds one child in everything that was posted, and hands out what is held about that child and nobody else.

Each look and each export needs a reason, which the audit keeps. The export is one zip that is made, handed over and
kept nowhere. A person reads it before it leaves the school: a program knows names, and not who is meant by "her
brother".
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from approvals.columns import utc_text
from approvals.wall_clock import when
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.accounts import names_of_staff
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.workflow.appearances import Appearance, appearances
from gatekeeper.workflow.audit_reason import nameless
from gatekeeper.workflow.evidence import plain
from gatekeeper.workflow.evidence_zip import packed
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.subject_page import page
from gatekeeper.workflow.subject_pictures import LOST, Plan, picture
from gatekeeper.workflow.subject_posts import post_part
from gatekeeper.workflow.subject_register import audit_part, matching_part, permissions_part, reviews_part, roll_part
from gatekeeper.workflow.withheld import withholder

MAY_FIND: Final = frozenset({Role.CONSENT_LEAD, Role.HEADTEACHER, Role.AUDITOR})
MAY_EXPORT: Final = frozenset({Role.CONSENT_LEAD, Role.HEADTEACHER})
LONGEST_REASON: Final = 500
MOST_PICTURES: Final = 60
"""A page makes this many covered pictures while somebody waits; for more there is the command."""

_SHORTEST_REASON: Final = 10
_NONE: Final = "There is no such pupil on the roll."


@dataclass(frozen=True, kw_only=True)
class Export:
    """The finished zip, and how much is in it."""

    file_name: str
    data: bytes
    posts: int
    pictures: int


def find(services: Services, pupil_id: int, *, reason: str, by: Staff) -> None:
    """Note that this person looks where a child is, and why; from here on they may be shown.

    Raises:
        NotAllowed: this person may not.
        NotFound: there is no such child.
        BadInput: no reason was given.
    """
    if Role(by.role) not in MAY_FIND:
        raise NotAllowed("Only the consent lead, the headteacher and an auditor may look where a child is.")
    words = _reason(reason)
    with services.step() as session:
        _pupil(session, pupil_id)
        detail = {"reason": nameless(session, words)}
        at = services.clock.now()
        record(session, at=at, staff_id=by.id, action="pupil.found", subject=f"pupil:{pupil_id}", detail=detail)


def export(
    services: Services,
    pupil_id: int,
    *,
    reason: str,
    by: Staff | None,
    account: str = "",
    most_pictures: int | None = MOST_PICTURES,
) -> Export:
    """Everything that is held about one child as a zip; that it was made, and why, stands in the audit.

    Args:
        services: what the step is handed.
        pupil_id: the child.
        reason: why, for the audit.
        by: who asks; None where it is done by command on the computer itself.
        account: then, the account there.
        most_pictures: refuse more than so many; None: any number.

    Raises:
        NotAllowed: this person may not.
        NotFound: there is no such child.
        BadInput: no reason was given.
        Conflict: there are more pictures than are made while somebody waits.
    """
    if by is not None and Role(by.role) not in MAY_EXPORT:
        raise NotAllowed("Only the consent lead and the headteacher may export what is held about a child.")
    words = _reason(reason)
    now = services.clock.now()
    with services.db.read() as session:
        pupil = _pupil(session, pupil_id)
        found = appearances(session, pupil_id)
        parts, plans = _collect(session, pupil, found, now=now)
        school = str(school_settings(session)["name"])
    wanted = [one for one in plans if not one.why_not]
    if most_pictures is not None and len(wanted) > most_pictures:
        raise Conflict(
            f"This child is in {len(wanted)} pictures, and each has to be covered. Please ask whoever looks after the "
            f"computer to run: gatekeeper subject-access {pupil_id} --reason …"
        )
    files = {f"pictures/{name}": data for name, data in _pictures(services, parts, wanted).items()}
    count = len(files)
    files["data.json"] = plain(parts)
    files["read-first.html"] = page(school, when(now), parts).encode()
    with services.step() as session:
        detail: dict[str, Any] = {"reason": nameless(session, words), "posts": len(found), "pictures": count}
        detail |= {"by_command": account} if by is None else {}
        record(
            session,
            at=now,
            staff_id=by.id if by else None,
            action="subject_access.exported",
            subject=f"pupil:{pupil_id}",
            detail=detail,
        )
    return Export(file_name=f"subject-access-{pupil_id}.zip", data=packed(files), posts=len(found), pictures=count)


def _collect(
    session: Session, pupil: Pupil, found: list[Appearance], *, now: datetime
) -> tuple[dict[str, Any], list[Plan]]:
    """Everything that comes out of the database, at one moment."""
    names, words = names_of_staff(session), withholder(session, pupil)
    posts, plans = [], []
    for one in found:
        told, planned = post_part(session, one, pupil.id, names, words)
        posts.append(told)
        plans += planned
    parts = {
        "format": "gatekeeper subject access 1",
        "made_at": utc_text(now),
        "roll": roll_part(pupil, names, words),
        "permissions": permissions_part(session, pupil, names, words),
        "matching": matching_part(session, pupil, names, words),
        "posts": posts,
        "reviews": reviews_part(session, pupil, names, words),
        "audit": audit_part(session, pupil, names, words),
    }
    return parts, plans


def _pictures(services: Services, parts: dict[str, Any], plans: list[Plan]) -> dict[str, bytes]:
    """The covered pictures by their names; each is told at its post, or why there is none."""
    entries = {entry["photo"]: (post["post"], entry) for post in parts["posts"] for entry in post.get("pictures", ())}
    made = {}
    for one in plans:
        post_id, entry = entries[one.photo_id]
        data = picture(services, one)
        if data is None:
            entry["why_not"] = LOST
            continue
        name = f"post-{post_id}-photo-{one.photo_id}.jpg"
        entry["file"], made[name] = f"pictures/{name}", data
    return made


def _pupil(session: Session, pupil_id: int) -> Pupil:
    pupil = session.get(Pupil, pupil_id)
    if pupil is None:
        raise NotFound(_NONE)
    return pupil


def _reason(typed: str) -> str:
    words = " ".join(typed.split())
    if sum(sign.isalnum() for sign in words) < _SHORTEST_REASON or len(words) > LONGEST_REASON:
        sentence = "Please say in a sentence why, such as “Request of the mother of 20 November”."
        raise BadInput(sentence, fields={"reason": sentence})
    return words
