"""What people see of the policy: the edition that counts, who has confirmed it, and what is overdue."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.errors import NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.policy_editions import Acknowledgement, PolicyEdition, edition_in_force
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.workflow import notify
from gatekeeper.workflow.policy_editions import SECTION_TWO, UNDECIDED, is_overdue
from gatekeeper.workflow.services import Services

REMINDER: Final = "policy_unread"
BETWEEN: Final = timedelta(days=7)
_OFFICE: Final = frozenset({Role.HEADTEACHER, Role.ADMINISTRATOR})


@dataclass(frozen=True, kw_only=True)
class EditionView:
    """One edition. `adopted_by` is a name; `section_two` is the choice in words."""

    id: int
    label: str
    words: str
    link: str
    changes: str
    section_two: str
    decided: bool
    place: str
    review_on: date | None
    overdue: bool
    line: str
    adopted_by: str
    adopted_at: datetime
    counts: bool


@dataclass(frozen=True, kw_only=True)
class PolicyPage:
    """The page for one reader. `read_at` is empty while they have not confirmed the edition that counts."""

    edition: EditionView | None
    read_at: datetime | None
    earlier: tuple[EditionView, ...]
    esafety: str
    read: int
    readers: int


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whether one member of staff has confirmed. `since` is when they were first asked to."""

    id: int
    name: str
    role: str
    read_at: datetime | None
    since: datetime
    reminded_at: datetime | None
    may_remind: bool


@dataclass(frozen=True, kw_only=True)
class Banner:
    """What the first page says about the policy: to whoever has to read it, and to whoever has to look after it."""

    unread: str = ""  # the edition's label
    none: bool = False
    overdue_since: date | None = None


def page_for(session: Session, staff_id: int, *, today: date) -> PolicyPage:
    """Everything about the policy for one reader."""
    editions = session.scalars(select(PolicyEdition).order_by(PolicyEdition.id.desc())).all()
    present = editions[0] if editions else None
    mine = session.get(Acknowledgement, (staff_id, present.id)) if present else None
    readers = _open_accounts(session, today)
    done = set(confirmed(session, present.id)) if present else set()
    return PolicyPage(
        edition=_view(session, present, today=today, counts=True) if present else None,
        read_at=mine.at if mine else None,
        earlier=tuple(_view(session, one, today=today, counts=False) for one in editions[1:]),
        esafety=esafety_link(session),
        read=sum(one.id in done for one in readers),
        readers=len(readers),
    )


def edition_view(session: Session, edition_id: int, *, today: date) -> EditionView:
    """One edition, the present one or an earlier.

    Raises:
        NotFound: there is none of this number.
    """
    edition, present = session.get(PolicyEdition, edition_id), edition_in_force(session)
    if edition is None or present is None:
        raise NotFound("There is no such edition of the policy.")
    return _view(session, edition, today=today, counts=edition.id == present.id)


def readers_of(session: Session, *, now: datetime) -> list[Reader]:
    """Everybody with an open account, those first who have not confirmed the edition that counts."""
    edition = edition_in_force(session)
    if edition is None:
        return []
    done = confirmed(session, edition.id)
    last = select(Notice.staff_id, func.max(Notice.created_at).label("at")).where(Notice.kind == REMINDER)
    reminded = {row.staff_id: row.at for row in session.execute(last.group_by(Notice.staff_id))}
    found = [
        Reader(
            id=one.id,
            name=one.name,
            role=one.role,
            read_at=done.get(one.id),
            since=max(edition.adopted_at, one.created_at),
            reminded_at=reminded.get(one.id),
            may_remind=one.id not in done and (one.id not in reminded or now - reminded[one.id] >= BETWEEN),
        )
        for one in _open_accounts(session, london(now).date())
    ]
    return sorted(found, key=lambda one: (one.read_at is not None, one.since if one.read_at is None else one.read_at))


def remind(services: Services, *, by: int) -> int:
    """Write to everybody who has not confirmed, each at most once in seven days; says to how many."""
    now = services.clock.now()
    with services.step() as session:
        edition = edition_in_force(session)
        waiting = [one for one in readers_of(session, now=now) if one.may_remind]
        if edition is None or not waiting:
            return 0
        for one in waiting:
            subject = f"policy:{edition.id}:{london(now).date().isoformat()}"
            notify.tell(
                session, REMINDER, staff_id=one.id, subject=subject, context={"edition": edition.label}, now=now
            )
        detail = {"people": len(waiting)}
        record(session, at=now, staff_id=by, action="policy.reminded", subject=f"policy:{edition.id}", detail=detail)
        return len(waiting)


def banner_for(session: Session, member: Staff, *, today: date) -> Banner | None:
    """What stands on somebody's first page, if anything does."""
    edition = edition_in_force(session)
    office = Role(member.role) in _OFFICE
    if edition is None:
        return Banner(none=True) if office else None
    unread = "" if session.get(Acknowledgement, (member.id, edition.id)) else edition.label
    overdue = edition.review_on if office and is_overdue(edition, today=today) else None
    return Banner(unread=unread, overdue_since=overdue) if unread or overdue else None


def esafety_link(session: Session) -> str:
    """Where the eSafety and data security policy is found (clause 6.2); empty while nobody has said so."""
    return str(school_settings(session)["data_protection"].get("esafety_link", ""))


def _view(session: Session, edition: PolicyEdition, *, today: date, counts: bool) -> EditionView:
    by = session.scalar(select(Staff.name).where(Staff.id == edition.adopted_by)) if edition.adopted_by else None
    return EditionView(
        id=edition.id,
        label=edition.label,
        words=edition.words,
        link=edition.link,
        changes=edition.changes,
        section_two=SECTION_TWO.get(edition.section_two, UNDECIDED),
        decided=bool(edition.section_two),
        place=edition.place,
        review_on=edition.review_on,
        overdue=counts and is_overdue(edition, today=today),
        line=edition.line,
        adopted_by=by or "",
        adopted_at=edition.adopted_at,
        counts=counts,
    )


def confirmed(session: Session, edition_id: int) -> dict[int, datetime]:
    """Who confirmed an edition, and when."""
    wanted = select(Acknowledgement.staff_id, Acknowledgement.at).where(Acknowledgement.edition_id == edition_id)
    return {row.staff_id: row.at for row in session.execute(wanted)}


def _open_accounts(session: Session, today: date) -> list[Staff]:
    everybody = session.scalars(select(Staff).where(Staff.active).order_by(Staff.name, Staff.id))
    return [one for one in everybody if one.may_sign_in(today)]
