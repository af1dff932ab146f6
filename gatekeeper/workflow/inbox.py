"""Everything one person was or is asked to decide: what waits, what of it ends today, and what they decided.

Looking makes no link and counts nothing. Each question is opened by itself: there is no way to answer several at once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from approvals.requests import Summary, summary_of
from approvals.tables import ApprovalRequest, Decision, Verdict
from gatekeeper.cases.model import CaseReply
from gatekeeper.clock import london
from gatekeeper.people.staff import Staff
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import Post, Version
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import cost
from gatekeeper.workflow.asked_about import post_in, reply_in
from gatekeeper.workflow.capacity import capacity_of
from gatekeeper.workflow.decide import waiting_for
from gatekeeper.workflow.decision_receipt import VERDICT_WORDS
from gatekeeper.workflow.decision_view import SHORT
from gatekeeper.workflow.gone import GONE_BADGE, gone

PAGE: Final = 20
#: "1 photos", "1 faces in them": where the first word says many of what there is one
_ONE: Final = re.compile(r"(?<=\w)s\b")


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One question that waits. `ends_today` says that it is decided today or not at all."""

    request_id: str
    title: str
    author: str
    summary: Summary
    override_asked: bool
    ends: datetime
    ends_today: bool
    is_short: bool
    price: str  # what publishing it costs; empty where nothing is charged
    capacity: str  # empty for the headteacher; for a deputy, for whom and until when

    @property
    def counts(self) -> tuple[str, ...]:
        """How much there is of what, such as "2 photos"; what there is none of is left out."""
        return tuple(
            f"{number} {_ONE.sub('', what, count=1) if number == 1 else what}"
            for what, number in self.summary.counts.items()
            if number and what != "overrides asked"  # it has a sign of its own
        )


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One decision, and what became of the post. `state` is empty where the post is gone."""

    post_id: int | None  # None: it was about a reply to an enquiry
    title: str
    verdict: Verdict
    at: datetime
    state: PostState | None
    badge: tuple[str, str, str] | None = None  # where its state alone would say too much
    reply: tuple[int, str] | None = None  # the enquiry it belongs to, and where the reply stands

    @property
    def words(self) -> tuple[str, str, str]:
        """(word, colour, sign) of the verdict."""
        return VERDICT_WORDS[self.verdict]


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which decisions are looked for: with this verdict (None: any), these words in the title, on this page."""

    verdict: Verdict | None = None
    words: str = ""
    page: int = 1

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return self.verdict is not None or bool(self.words)


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """One person's page. `number`, `pages` and `total` are about the decisions that were looked for."""

    now: datetime
    waiting: tuple[Waiting, ...]
    decided: tuple[Decided, ...]
    search: Search
    number: int
    pages: int
    total: int

    @property
    def today(self) -> int:
        """How many end today."""
        return sum(one.ends_today for one in self.waiting)


def inbox_for(session: Session, person_id: int, search: Search, *, now: datetime) -> Inbox:
    """What waits for this person, the most urgent first, and what they decided, the newest first."""
    names = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
    waiting = tuple(
        Waiting(
            request_id=asked.id,
            title=asked.title,
            author=names.get(asked.author_id, ""),
            summary=summary_of(asked),
            override_asked=asked.override_asked,
            ends=asked.expires_at,
            ends_today=london(asked.expires_at).date() == london(now).date(),
            is_short=asked.expires_at - now <= SHORT,
            price=_price(session, asked),
            capacity=capacity_of(session, asked, person_id, now=now),
        )
        for asked in waiting_for(session, person_id, now=now)
    )
    wanted = _wanted(person_id, search)
    of_request = ApprovalRequest.id == Decision.request_id
    total = session.scalar(select(func.count(Decision.id)).join(ApprovalRequest, of_request).where(*wanted)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(search.page, 1), pages)
    found = select(Decision, ApprovalRequest.title).join(ApprovalRequest, of_request).where(*wanted)
    newest = found.order_by(Decision.ledger_seq.desc()).limit(PAGE).offset((number - 1) * PAGE)
    rows = session.execute(newest).all()
    return Inbox(
        now=now,
        waiting=waiting,
        decided=_decided(session, [(row[0], row[1]) for row in rows]),
        search=search,
        number=number,
        pages=pages,
        total=total,
    )


def count_waiting(session: Session, person_id: int, *, now: datetime) -> int:
    """How many questions wait for this person."""
    return len(waiting_for(session, person_id, now=now))


def _price(session: Session, asked: ApprovalRequest) -> str:
    """What publishing it costs; a reply costs nothing."""
    if post_in(asked.subject) is None:
        return ""
    return cost.price_of(Content.from_canonical(session.get_one(Version, int(asked.version_ref)).canonical))


def _wanted(person_id: int, search: Search) -> list[ColumnElement[bool]]:
    wanted = [Decision.approver_id == person_id]
    if search.verdict is not None:
        wanted.append(Decision.verdict == search.verdict)
    return wanted + [
        func.lower(ApprovalRequest.title).contains(word, autoescape=True) for word in search.words.casefold().split()
    ]


def _decided(session: Session, rows: Sequence[tuple[Decision, str]]) -> tuple[Decided, ...]:
    numbers = {number for decision, _ in rows if (number := post_in(decision.subject)) is not None}
    replies = {
        reply.id: (reply.case_id, reply.state)
        for reply in session.scalars(
            select(CaseReply).where(CaseReply.id.in_([reply_in(decision.subject) or 0 for decision, _ in rows]))
        )
    }
    states = {row.id: row.state for row in session.execute(select(Post.id, Post.state).where(Post.id.in_(numbers)))}
    away = gone(session, numbers)
    return tuple(
        Decided(
            post_id=(number := post_in(decision.subject)),
            title=title,
            verdict=Verdict(decision.verdict),
            at=decision.decided_at,
            state=PostState(states[number]) if number in states else None,
            badge=GONE_BADGE[away[number]] if number is not None and number in away else None,
            reply=replies.get(reply_in(decision.subject) or 0),
        )
        for decision, title in rows
    )
