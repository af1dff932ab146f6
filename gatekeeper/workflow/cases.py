"""Opens cases, and writes down what happens in them. The words stand in the case alone: no log, e-mail or ledger has them.

The ledger learns that a case of some kind was opened and closed, by whom and when, so that none can quietly vanish.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from approvals import ledger
from approvals.statements import tidy
from gatekeeper.cases.clocks import Due, due_in, reached
from gatekeeper.cases.model import Case, CaseClock, CaseEntry, CaseKind, CaseState
from gatekeeper.cases.rules import may_open
from gatekeeper.errors import BadInput, NotAllowed
from gatekeeper.people.staff import Staff, record
from gatekeeper.workflow import case_route
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

LONGEST_TITLE: Final = 160
LONGEST_WORDS: Final = 10_000
LONGEST_LINK: Final = 2_000
SHORTEST: Final = 3  # letters and digits
SHARED: Final = "shared"  # in an entry's facts: whoever sees only the progress is shown it, too


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a form for a new case sent.

    Attributes:
        about_id: the colleague it is about; who is asked, where it is a request to remove something.
        facts: what only this kind has, such as who asks, or what happened to which data.
        began_at: when the school became aware, or the complaint arrived.
        deadline: until when an answer or a removal is asked for.
        high_risk: of a breach: whether the risk to the people concerned is high.
    """

    kind: CaseKind
    title: str
    words: str = ""
    link: str = ""
    about_id: int | None = None
    post_id: int | None = None
    parent_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    began_at: datetime | None = None
    deadline: datetime | None = None
    high_risk: bool = False


def begin(services: Services, opening: Opening, *, by: Staff) -> int:
    """Open a case as a transaction of its own; its number is given back.

    Raises:
        BadInput, NotAllowed: as `open_as`.
    """
    with services.step() as session:
        return open_as(session, opening, by=by, now=services.clock.now())


def open_case(session: Session, *, kind: CaseKind, title: str, words: str, by: int, now: datetime, **more: Any) -> int:
    """Open a case in the caller's transaction, for steps that find something out; its number is given back."""
    opening = Opening(kind=kind, title=title, words=words, **more)
    return open_as(session, opening, by=session.get_one(Staff, by), now=now)


def open_as(session: Session, opening: Opening, *, by: Staff, now: datetime) -> int:
    """Open a case, set its clocks, and tell whoever is to look after it.

    Raises:
        NotAllowed: this person opens no such case.
        BadInput: something is missing, or a moment cannot be right; tied to its field.
    """
    kind = opening.kind
    if not may_open(kind, by.role):
        raise NotAllowed("Cases of this kind are opened by somebody else here.")
    if kind in (CaseKind.BREACH, CaseKind.COMPLAINT) and opening.began_at is None:
        opening = replace(opening, began_at=now)
    _check(session, opening, by=by, now=now)
    owner_id = case_route.first_owner(session, kind, by, about_id=opening.about_id, now=now)
    case = Case(
        kind=kind,
        state=CaseState.OPEN,
        title=one_line(opening.title),
        words=tidy(opening.words),
        link=one_line(opening.link),
        facts=dict(opening.facts) | ({"began_at": opening.began_at.isoformat()} if opening.began_at else {}),
        opened_by=by.id,
        opened_at=now,
        owner_id=owner_id,
        about_id=opening.about_id,
        post_id=opening.post_id,
        parent_id=opening.parent_id,
    )
    session.add(case)
    session.flush()
    write(session, case, "opened", by=by.id, now=now, shared=True)
    due = due_in(kind, began_at=opening.began_at or now, deadline=opening.deadline, high_risk=opening.high_risk)
    for one in due:
        set_clock(session, case, one, now=now)
    body = {"case": case.id, "about": str(kind), "by": by.id}
    ledger.append(session, at=now, kind="case.opened", body=body)
    record(session, at=now, staff_id=by.id, action="case.opened", subject=subject_of(case.id), detail={"kind": kind})
    everybody = case_route.team(session, kind, about_id=opening.about_id, now=now)
    if kind is CaseKind.REMOVAL and opening.about_id is not None:
        everybody.append(opening.about_id)
    for staff_id in sorted({owner_id, *everybody} - {by.id}):
        tell_given(session, case, staff_id, owner=staff_id == owner_id, now=now)
    return case.id


def set_clock(session: Session, case: Case, due: Due, *, now: datetime) -> None:
    """Start a clock. A warning whose moment has passed already is not sent late; that it is over is said all the same."""
    over = now >= due.at
    passed = reached(due.at, now) - over
    session.add(CaseClock(case_id=case.id, name=due.name, due_at=due.at, told=passed))


def write(
    session: Session,
    case: Case,
    kind: str,
    *,
    by: int | None,
    now: datetime,
    words: str = "",
    shared: bool = False,
    **facts: Any,
) -> CaseEntry:
    """Write the next line of the case's story."""
    entry = CaseEntry(case_id=case.id, at=now, by=by, kind=kind, words=words, facts={**facts, SHARED: shared})
    session.add(entry)
    session.flush()
    return entry


def tell_given(session: Session, case: Case, staff_id: int, *, owner: bool, now: datetime) -> None:
    """An e-mail that a case waits for somebody: its kind and its number, nothing of what is in it."""
    tell(
        session,
        "case_given",
        staff_id=staff_id,
        subject=f"{subject_of(case.id)}:given:{staff_id}:{now:%Y%m%dT%H%M%S}",
        context={"case_id": case.id, "kind": case.kind, "owner": owner, "asked": staff_id == case.about_id},
        now=now,
    )


def subject_of(case_id: int) -> str:
    """The case's name in the audit, and where something is held for it."""
    return f"case:{case_id}"


def one_line(words: str) -> str:
    """The words on one line, without invisible signs."""
    return " ".join("".join(sign for sign in words if sign.isprintable() or sign.isspace()).split())


def needed(words: str, *, field: str, ask: str, most: int = LONGEST_WORDS, least: int = SHORTEST) -> str:
    """What somebody wrote, if it says something and is not far too long.

    Raises:
        BadInput: at the field, asking for it.
    """
    words = tidy(words)
    if sum(sign.isalnum() for sign in words) < least:
        raise BadInput(ask, fields={field: ask})
    if len(words) > most:
        sentence = f"This may have at most {most:,} characters."
        raise BadInput(sentence, fields={field: sentence})
    return words


def _check(session: Session, opening: Opening, *, by: Staff, now: datetime) -> None:
    fields: dict[str, str] = {}
    if sum(sign.isalnum() for sign in opening.title) < SHORTEST:
        fields["title"] = "Please say in a few words what it is."
    elif len(one_line(opening.title)) > LONGEST_TITLE:
        fields["title"] = f"This may have at most {LONGEST_TITLE} characters."
    if len(opening.words) > LONGEST_WORDS:
        fields["words"] = f"This may have at most {LONGEST_WORDS:,} characters."
    if len(opening.link) > LONGEST_LINK:
        fields["link"] = f"This may have at most {LONGEST_LINK:,} characters."
    if opening.began_at is not None and opening.began_at > now:
        fields["began_time"] = "This is still to come. When was it?"
    if opening.deadline is not None and opening.deadline <= now:
        fields["deadline_time"] = "This is over already. Choose a later time."
    if opening.about_id is not None and session.get(Staff, opening.about_id) is None:
        fields["about"] = "Please choose somebody from the list."
    if opening.kind is CaseKind.REMOVAL:
        fields |= _about_removal(opening, by=by)
    if fields:
        raise BadInput("Please look at this again.", fields=fields)


def _about_removal(opening: Opening, *, by: Staff) -> dict[str, str]:
    fields = {}
    if opening.about_id is None:
        fields["about"] = "Please choose who is asked."
    elif opening.about_id == by.id:
        fields["about"] = "You cannot ask yourself."
    if opening.deadline is None:
        fields["deadline_date"] = "Please give them a day and a time."
    if not tidy(opening.link):
        fields["link"] = "Please say where it is: its address, or the name of the account."
    if sum(sign.isalnum() for sign in opening.words) < SHORTEST:
        fields["words"] = "Please write why it is to be removed. They read it."
    return fields
