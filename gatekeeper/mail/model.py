"""The table of messages that must reach somebody."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gatekeeper.db.base import Base


class Notice(Base):
    """One e-mail that has to reach somebody. The row makes sure that it is written once and never forgotten."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("kind", "staff_id", "subject"),
        Index("ix_notice_kind", "kind", "id"),  # the last of a kind
        Index("ix_notice_failed", "failed_at"),  # counted on every page of an administrator
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))  # names the folder under templates/email/
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    subject: Mapped[str] = mapped_column(String(120))  # what it is about: "request:<id>", "post:12:expired:3"
    # ids and plain facts for the template; no pupil, no token. What an author typed is `workflow/takedown_words.py` alone
    context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    message_id: Mapped[str] = mapped_column(String(120))
    problem: Mapped[str] = mapped_column(Text, default="")
    failed_at: Mapped[datetime | None]  # since when it could not be delivered: refused, or sent back later
    tries: Mapped[int] = mapped_column(default=0)
