"""Everything that stands in a case, in the order in which it is read: once for the PDF and once for the JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.columns import utc_text
from approvals.wall_clock import when
from gatekeeper.cases import breach
from gatekeeper.cases.model import Case, CaseKind, CaseReply, CaseState
from gatekeeper.cases.rules import RULES, Sight
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Staff
from gatekeeper.workflow.case_view import STATES, clocks_of, shown_story
from gatekeeper.workflow.case_work import OUTCOMES

Row = tuple[str, str, bool]  # label, words, whether they are somebody's own words

#: what a line of the story says by itself
LINES: Final[Mapping[str, str]] = {
    "opened": "opened it",
    "note": "wrote",
    "waiting": "noted that it waits for somebody",
    "going_on": "noted that it goes on",
    "routed": "handed it to",
    "attached": "added a picture",
    "clock": "wrote down that something due was done",
    "warned": "warned by e-mail that something is due",
    "changed": "wrote down what is known",
    "answer": "answered",
    "told": "told the reporter",
    "reply": "wrote a reply",
    "asked": "asked for the headteacher's approval of a reply",
    "decided": "decided about a reply",
    "withdrawn": "took a reply back",
    "reply_ended": "ended, with the case, what was asked or approved about a reply",
    "sent": "wrote down that a reply was sent",
    "holding": "gave the holding text",
    "closed": "closed it",
    "outcome": "wrote what came of it",
    "reopened": "opened it again",
    "held": "placed a legal hold",
    "hold_ended": "ended a legal hold",
}
#: what only an enquiry, a question or a complaint has: name of the field -> label
FACTS: Final[Mapping[str, str]] = {"asker": "Who asks", "outlet": "For whom", "contact": "How to reach them"}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A case as paper holds it."""

    number: int
    kind: CaseKind
    school: str
    heading: str
    opened_at: datetime
    made_at: datetime
    made_by: str
    sections: tuple[tuple[str, tuple[Row, ...]], ...]
    data: Mapping[str, Any]


def sheet_of(session: Session, case: Case, by: Staff, *, now: datetime) -> Sheet:
    """Read the whole case, for whoever sees it in full."""
    kind = CaseKind(case.kind)
    staff = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
    clocks = clocks_of(session, case, now=now)
    story = shown_story(session, case, Sight.FULL)
    replies = session.scalars(select(CaseReply).where(CaseReply.case_id == case.id).order_by(CaseReply.number)).all()
    head = _head(case, staff)
    sections: list[tuple[str, tuple[Row, ...]]] = [("What it is", head)]
    if kind is CaseKind.BREACH:
        sections.append(("What the ICO's report asks", _breach(case)))
    sections.append(("What is due", tuple(_clock(one) for one in clocks) or (("Nothing", "no deadline", False),)))
    if replies:
        sections.append(("Replies", tuple(row for one in replies for row in _reply(one, staff))))
    sections.append(("What happened", tuple(row for one in story for row in _line(one))))
    return Sheet(
        number=case.id,
        kind=kind,
        school=school_settings(session)["name"],
        heading=f"{RULES[kind].word}, case {case.id}: {case.title}",
        opened_at=case.opened_at,
        made_at=now,
        made_by=by.name,
        sections=tuple(sections),
        data={
            "case": case.id,
            "kind": str(kind),
            "state": case.state,
            "title": case.title,
            "words": case.words,
            "link": case.link,
            "facts": _facts_data(case, kind),
            "opened": {"by": staff.get(case.opened_by, ""), "at": utc_text(case.opened_at)},
            "owner": staff.get(case.owner_id or 0, ""),
            "about": staff.get(case.about_id or 0, ""),
            "post": case.post_id,
            "outcome": {"result": case.facts.get("result", ""), "words": case.outcome},
            "closed": {"by": staff.get(case.closed_by or 0, ""), "at": utc_text(case.closed_at)}
            if case.closed_at
            else None,
            "due": [
                {
                    "what": one.task,
                    "due_at": utc_text(one.due_at),
                    "met_at": utc_text(one.met_at) if one.met_at else None,
                    "by": one.met_by,
                    "how": one.words,
                }
                for one in clocks
            ],
            "replies": [
                {"number": one.number, "to": one.recipient, "words": one.words, "state": one.state,
                 "digest": one.digest, "decision": one.decision_id,
                 "sent_at": utc_text(one.sent_at) if one.sent_at else None, "how": one.sent_how}
                for one in replies
            ],
            "story": [
                {"at": utc_text(one.at), "by": one.by, "what": one.kind, "words": one.words,
                 "shown_to_the_reporter": one.shared}
                for one in story
            ],
        },
    )  # fmt: skip


def _head(case: Case, staff: Mapping[int, str]) -> tuple[Row, ...]:
    kind = CaseKind(case.kind)
    rows: list[Row] = [
        ("Where it stands", STATES[CaseState(case.state)][0], False),
        ("Asked for by", RULES[kind].clause, False),
        ("Opened by", f"{staff.get(case.opened_by, '')}, {when(case.opened_at)}", False),
        ("Looked after by", staff.get(case.owner_id or 0, "nobody"), False),
    ]
    if case.about_id:
        rows.append(("About", staff.get(case.about_id, ""), False))
    if "began_at" in case.facts:
        label = "Aware since" if kind is CaseKind.BREACH else "Arrived"
        rows.append((label, when(datetime.fromisoformat(case.facts["began_at"])), False))
    rows += [(label, str(case.facts[name]), False) for name, label in FACTS.items() if case.facts.get(name)]
    if case.link:
        rows.append(("Where it is", case.link, False))
    if case.post_id:
        rows.append(("Post", str(case.post_id), False))
    rows.append(("In the words of whoever opened it", case.words, True))
    if "post_words" in case.facts:
        rows.append(("The post, as it was when it was asked about", str(case.facts["post_words"]), True))
    if case.closed_at:
        result = dict(OUTCOMES[kind]).get(case.facts.get("result", ""), case.facts.get("result", ""))
        rows += [
            ("Ended", f"{result.replace('_', ' ')}, {when(case.closed_at)}", False),
            ("What came of it", case.outcome, True),
        ]
    return tuple(rows)


def _breach(case: Case) -> tuple[Row, ...]:
    rows: list[Row] = [(question, str(case.facts.get(name, "")) or "–", True) for name, question, _ in breach.QUESTIONS]
    high = "Yes" if case.facts.get("high_risk") else "No, as far as is known"
    rows.append(("Is the risk to the people concerned high?", high, False))
    return tuple(rows)


def _facts_data(case: Case, kind: CaseKind) -> dict[str, Any]:
    if kind is not CaseKind.BREACH:
        return dict(case.facts)
    ordered = {name: case.facts.get(name, "") for name, _, _ in breach.QUESTIONS}
    return ordered | {name: value for name, value in case.facts.items() if name not in ordered}


def _clock(one: Any) -> Row:
    done = f"done {when(one.met_at)} by {one.met_by}: {one.words}" if one.met_at else "not done yet"
    return (one.task, f"due {when(one.due_at)}; {done}", False)


def _reply(one: CaseReply, staff: Mapping[int, str]) -> tuple[Row, ...]:
    sent = f"; sent {when(one.sent_at)} by {staff.get(one.sent_by or 0, '')}: {one.sent_how}" if one.sent_at else ""
    return (
        (f"Reply {one.number} to {one.recipient}", f"{one.state}{sent}. Digest {one.digest}", False),
        ("Its words", one.words, True),
    )


def _line(one: Any) -> tuple[Row, ...]:
    what = LINES.get(one.kind, one.kind)
    to = f" {one.facts['to_name']}" if one.facts.get("to_name") else ""
    shared = " (the reporter sees this)" if one.shared and one.words else ""
    return (
        (when(one.at), f"{one.by} {what}{to}{shared}", False),
        *((("Words", one.words, True),) if one.words else ()),
    )
