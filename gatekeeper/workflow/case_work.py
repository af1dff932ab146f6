"""What is done in a case once it is open: notes, files, handing over, clocks, its end. Each function is one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.statements import tidy
from gatekeeper.cases import breach
from gatekeeper.cases.clocks import PEOPLE, due_in, reached
from gatekeeper.cases.model import Case, CaseAttachment, CaseClock, CaseKind, CaseState
from gatekeeper.cases.rules import RULES, Act, Sight, sight
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import Staff, record
from gatekeeper.posts import media
from gatekeeper.workflow import case_route
from gatekeeper.workflow.case_reply import check_nothing_unsent, void_all
from gatekeeper.workflow.case_right import case_for, standing, viewer
from gatekeeper.workflow.cases import needed, set_clock, subject_of, tell_given, write
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

MOST_FILES: Final = 20
ANSWERED: Final = "answered"
#: how a case of each kind can end; the words stand on its page and in its export
OUTCOMES: Final[Mapping[CaseKind, tuple[tuple[str, str], ...]]] = {
    CaseKind.ENQUIRY: ((ANSWERED, "Answered"), ("declined", "Not answered"), ("dropped", "No longer asked")),
    CaseKind.ADVICE: (),
    CaseKind.CONCERN: (
        ("settled", "Settled"), ("nothing", "Nothing to do"), ("elsewhere", "Taken to another process"),
    ),
    CaseKind.REMOVAL: (("removed", "Removed"), ("not_removed", "Not removed"), ("appeal", "Appealed against")),
    CaseKind.BREACH: (
        ("reported", "Reported to the ICO"), ("recorded", "Recorded, no report needed"), ("none", "It was no breach"),
    ),
    CaseKind.COMPLAINT: ((ANSWERED, "Answered"), ("withdrawn", "Withdrawn")),
}  # fmt: skip


def note(services: Services, case_id: int, words: str, *, by: Staff, shared: bool = False) -> None:
    """Add a note. Whoever sees only the progress writes to those who work on it, so theirs is always shared.

    Raises:
        BadInput: nothing is said.
    """
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.NOTE)
        words = needed(words, field="words", ask="Please write something first.")
        outside = sight(standing(case), viewer(by)) is Sight.PROGRESS
        write(session, case, "note", by=by.id, now=now, words=words, shared=shared or outside)
        if outside:
            _tell(session, case, {case.owner_id}, by=by, now=now)
        elif shared:
            _tell(session, case, _outside(case), by=by, now=now)


def wait(services: Services, case_id: int, *, waiting: bool, by: Staff) -> None:
    """Say that the case waits for somebody, or that it goes on."""
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.WAIT)
        state = CaseState.WAITING if waiting else CaseState.OPEN
        if case.state != state:
            case.state = state
            write(session, case, "waiting" if waiting else "going_on", by=by.id, now=now, shared=True)


def hand_over(services: Services, case_id: int, to: int, *, by: Staff, words: str = "") -> None:
    """Give the case to somebody else, who is told.

    Raises:
        BadInput: they may not look after such a case, or do so already.
    """
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.ROUTE)
        owners = case_route.possible_owners(session, CaseKind(case.kind), about_id=case.about_id, now=now)
        asks_themselves = case.kind == CaseKind.ADVICE and to == case.opened_by
        if to not in {one.id for one in owners} or asks_themselves:
            sentence = "Please choose somebody from the list."
            raise BadInput(sentence, fields={"to": sentence})
        if to == case.owner_id:
            sentence = "They look after it already. Please choose somebody else."
            raise BadInput(sentence, fields={"to": sentence})
        write(session, case, "routed", by=by.id, now=now, words=tidy(words), to=to, shared=False)
        case.owner_id = to
        record(
            session, at=now, staff_id=by.id, action="case.handed_over", subject=subject_of(case.id), detail={"to": to}
        )
        if to != by.id:
            tell_given(session, case, to, owner=True, now=now)


def attach(services: Services, case_id: int, data: bytes, file_name: str, *, by: Staff) -> int:
    """Put a screenshot to the case; it is made anew from bare pixels like every picture that comes in.

    Raises:
        BadInput: it is no picture, or there are too many.
    """
    with services.db.read() as session:
        case_for(session, case_id, by)
    try:
        _, rendition = media.publishable(data)
    except media.PictureRefused as refused:
        raise BadInput(str(refused), fields={"picture": str(refused)}) from refused
    stored = services.media.put(rendition.data, ".jpg")
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.ATTACH)
        there = session.scalars(select(CaseAttachment.sha256).where(CaseAttachment.case_id == case.id)).all()
        if stored in there:
            raise BadInput("This picture is here already.", fields={"picture": "This picture is here already."})
        if len(there) >= MOST_FILES:
            sentence = f"A case takes {MOST_FILES} pictures at most."
            raise BadInput(sentence, fields={"picture": sentence})
        attachment = CaseAttachment(
            case_id=case.id, sha256=stored, name=_plain_name(file_name), added_by=by.id, added_at=now
        )
        session.add(attachment)
        session.flush()
        outside = sight(standing(case), viewer(by)) is Sight.PROGRESS
        write(session, case, "attached", by=by.id, now=now, shared=outside, attachment=attachment.id)
        return attachment.id


def meet(services: Services, case_id: int, name: str, words: str, *, by: Staff) -> None:
    """Write down how something that was due was done, or why it was not needed. It is written once.

    Raises:
        NotFound, Conflict, BadInput: there is no such clock, it was stopped before, nothing is said.
    """
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.MEET)
        clock = session.scalars(
            select(CaseClock).where(CaseClock.case_id == case.id, CaseClock.name == name)
        ).one_or_none()
        if clock is None:
            raise NotFound("This case has no such deadline.")
        if clock.met_at is not None:
            raise Conflict("This was written down already.")
        words = needed(words, field=f"met-{name}", ask="Please write how, or why it is not needed.")
        clock.met_at, clock.met_by, clock.words = now, by.id, words
        write(session, case, "clock", by=by.id, now=now, name=name, late=now > clock.due_at, shared=True)
        record(
            session,
            at=now,
            staff_id=by.id,
            action="case.clock_met",
            subject=subject_of(case.id),
            detail={"clock": name},
        )


def change_breach(services: Services, case_id: int, facts: Mapping[str, str], *, by: Staff, high_risk: bool) -> None:
    """Keep what is known of a breach so far; a high risk begins the clock for telling the people concerned."""
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.CHANGE)
        known = {name: tidy(facts.get(name, ""))[: breach.LONGEST] for name, _, _ in breach.QUESTIONS}
        fresh = {**case.facts, **known, "high_risk": high_risk}
        if fresh == case.facts:
            return
        case.facts = fresh
        clocks = session.scalars(select(CaseClock).where(CaseClock.case_id == case.id)).all()
        if high_risk and PEOPLE not in {one.name for one in clocks}:
            began = datetime.fromisoformat(case.facts["began_at"]) if "began_at" in case.facts else case.opened_at
            due = due_in(CaseKind.BREACH, began_at=began, high_risk=True)
            set_clock(session, case, next(one for one in due if one.name == PEOPLE), now=now)
        write(session, case, "changed", by=by.id, now=now)


def close(services: Services, case_id: int, result: str, words: str, *, by: Staff, told: str = "") -> None:
    """End the case. `words` stay among those who work on it; `told` is what its reporter reads.

    Raises:
        BadInput: how it ended is not said, something that was due is neither done nor explained, or an enquiry is to
            end as answered with a reply that may still be sent.
    """
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.CLOSE)
        results = dict(OUTCOMES[CaseKind(case.kind)])
        if result not in results:
            raise BadInput("Please choose how it ended.", fields={"result": "Please choose how it ended."})
        words = needed(words, field="outcome", ask="Please write in a sentence what came of it.")
        if case.kind == CaseKind.ENQUIRY and result == ANSWERED:
            check_nothing_unsent(session, case)
        _settle_clocks(session, case, results[result], by=by, now=now)
        void_all(session, case, by=by.id, now=now)
        finish(session, case, result, words, by=by.id, now=now)
        if told := tidy(told):
            write(session, case, "told", by=by.id, now=now, words=told, shared=True)
        _tell(session, case, _outside(case) | {case.opened_by}, by=by, now=now)


def finish(session: Session, case: Case, result: str, words: str, *, by: int, now: datetime) -> None:
    """The end of a case in the caller's transaction, with its traces."""
    case.state, case.closed_at, case.closed_by, case.outcome = CaseState.CLOSED, now, by, words
    case.facts = {**case.facts, "result": result}
    write(session, case, "closed", by=by, now=now, result=result, shared=True)
    if words:
        write(session, case, "outcome", by=by, now=now, words=words)
    ledger.append(session, at=now, kind="case.closed", body={"case": case.id, "about": case.kind, "by": by})
    record(session, at=now, staff_id=by, action="case.closed", subject=subject_of(case.id))


def reopen(services: Services, case_id: int, words: str, *, by: Staff) -> None:
    """Go on with a case that was closed. What was due and ended with nothing but the closing is due again.

    Raises:
        BadInput: it is not said why.
    """
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.REOPEN)
        words = needed(words, field="why", ask="Please write why it is opened again.")
        _run_again(session, case, now=now)
        case.state, case.closed_at, case.closed_by, case.outcome = CaseState.OPEN, None, None, ""
        write(session, case, "reopened", by=by.id, now=now, words=words)
        record(session, at=now, staff_id=by.id, action="case.reopened", subject=subject_of(case.id))


def _settle_clocks(session: Session, case: Case, result: str, *, by: Staff, now: datetime) -> None:
    """What the law asks for must have been written down; what somebody asked for ends with the case."""
    running = session.scalars(
        select(CaseClock).where(CaseClock.case_id == case.id, CaseClock.met_at.is_(None)).order_by(CaseClock.id)
    ).all()
    if running and case.kind in (CaseKind.BREACH, CaseKind.COMPLAINT):
        sentence = "Something is still due. Write down above how it was done, or why it was not needed."
        raise BadInput(sentence, fields={"result": sentence})
    for clock in running:
        clock.met_at, clock.met_by, clock.words = now, by.id, result


def _run_again(session: Session, case: Case, *, now: datetime) -> None:
    """Start the clocks again that only the closing stopped. A warning whose moment passed meanwhile is not sent late."""
    ended = dict(OUTCOMES[CaseKind(case.kind)]).get(case.facts.get("result", ""), "")
    stopped = select(CaseClock).where(
        CaseClock.case_id == case.id, CaseClock.met_at == case.closed_at, CaseClock.words == ended
    )
    for clock in session.scalars(stopped):
        clock.met_at, clock.met_by, clock.words = None, None, ""
        clock.told = max(clock.told, reached(clock.due_at, now) - (now >= clock.due_at))


def _outside(case: Case) -> set[int | None]:
    """Whoever sees only the progress: the reporter, or the one who was asked."""
    if RULES[CaseKind(case.kind)].about is Sight.PROGRESS:
        return {case.about_id}
    return {case.opened_by} if RULES[CaseKind(case.kind)].opener is Sight.PROGRESS else set()


def _tell(session: Session, case: Case, people: set[int | None], *, by: Staff, now: datetime) -> None:
    for staff_id in sorted(one for one in people if one is not None and one != by.id):
        tell(
            session,
            "case_news",
            staff_id=staff_id,
            subject=f"{subject_of(case.id)}:news:{now:%Y%m%dT%H%M%S}",
            context={"case_id": case.id, "kind": case.kind},
            now=now,
        )


def _plain_name(file_name: str) -> str:
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in name if sign.isprintable())[:200]
