"""The tables of cases: one model for everything that has an owner, a deadline and an outcome.

What people write into a case stands here and nowhere else: no log, no e-mail and no ledger entry repeats it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gatekeeper.db.base import Base


class CaseKind(StrEnum):
    """What a case is about. The clause of the policy, or the law, that asks for it stands behind each."""

    ENQUIRY = "enquiry"  # 4.1, 4.2: somebody asks the school for comment
    ADVICE = "advice"  # 5.5: ask first, refrain until answered
    CONCERN = "concern"  # 5.6: something reflects poorly on the school
    REMOVAL = "removal"  # 7.2, 7.3: somebody is asked to remove something of their own
    BREACH = "breach"  # UK GDPR article 33: 72 hours
    COMPLAINT = "complaint"  # Data (Use and Access) Act 2025: acknowledged within 30 days


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    WAITING = "waiting"  # for somebody outside the case, who was asked
    CLOSED = "closed"


class Case(Base):
    """One matter: who looks after it, until when, and what came of it."""

    __tablename__ = "case_file"
    __table_args__ = (
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closing"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_by"),
        Index("ix_case_file_state", "state", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20), default=CaseState.OPEN)
    title: Mapped[str] = mapped_column(String(160))
    words: Mapped[str] = mapped_column(Text, default="")
    link: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what only this kind has, by the names of its form
    opened_by: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    opened_at: Mapped[datetime]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    about_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # who was asked to remove something
    post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"))  # the case that led to this one
    outcome: Mapped[str] = mapped_column(Text, default="")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    erased_at: Mapped[datetime | None]  # its words were erased when their time was over


class CaseEntry(Base):
    """One thing that happened in a case, in order. Rows are never changed, except that their words are erased in time."""

    __tablename__ = "case_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # None: Gatekeeper itself
    kind: Mapped[str] = mapped_column(String(20))  # opened, note, routed, answer, clock, reply, told, closed, reopened
    words: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class CaseAttachment(Base):
    """One file put to a case: a screenshot, cleaned like every picture that comes in."""

    __tablename__ = "case_attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200), default="")
    added_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    added_at: Mapped[datetime]


class CaseClock(Base):
    """One thing that is due in a case at a moment, and when it was done."""

    __tablename__ = "case_clock"
    __table_args__ = (
        UniqueConstraint("case_id", "name"),
        CheckConstraint("(met_at IS NULL) = (met_by IS NULL)", name="meeting"),
        Index(
            "ix_case_clock_due", "due_at", sqlite_where=text("met_at IS NULL"), postgresql_where=text("met_at IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"))
    name: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[datetime]
    met_at: Mapped[datetime | None]
    met_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    words: Mapped[str] = mapped_column(Text, default="")  # how it was met, or why it was not needed
    told: Mapped[int] = mapped_column(default=0)  # how many warnings went out


class CaseReply(Base):
    """One answer drafted to an enquiry. It can be marked sent only with the written decision on exactly these words."""

    __tablename__ = "case_reply"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        CheckConstraint("(sent_at IS NULL) = (sent_by IS NULL)", name="sending"),
        CheckConstraint("sent_at IS NULL OR decision_id IS NOT NULL", name="sent_needs_decision"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"))
    number: Mapped[int]
    recipient: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))  # over case, number, recipient and words
    state: Mapped[str] = mapped_column(
        String(20), default="draft"
    )  # draft, asked, approved, refused, changes, expired, withdrawn, sent, old
    written_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    written_at: Mapped[datetime]
    request_id: Mapped[str | None] = mapped_column(String(32))
    decision_id: Mapped[str | None] = mapped_column(String(32))
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    sent_how: Mapped[str] = mapped_column(Text, default="")


class LegalHold(Base):
    """While one stands, nothing of its subject is purged: a case, a post or a pupil's data."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ending"),
        Index("ix_legal_hold_subject", "subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    subject: Mapped[str] = mapped_column(String(40))  # "case:3", "post:12", "pupil:7"
    reason: Mapped[str] = mapped_column(Text)
    placed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    placed_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    ended_at: Mapped[datetime | None]
