"""The tables of what is public: what was read on the school's own accounts, what was wrong with it, and its removal."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gatekeeper.db.base import Base


class IncidentKind(StrEnum):
    """What can be wrong with something on the school's own account."""

    UNGATED = "ungated"  # published, and not through the gate
    EDITED = "edited"  # not what was approved any more
    VANISHED = "vanished"  # published by us, and not there
    QUEUED = "queued"  # scheduled on the platform itself by somebody else


class AccountWatch(Base):
    """How the reading of one account's own timeline stands."""

    __tablename__ = "account_watch"

    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"), primary_key=True)
    began_at: Mapped[datetime]  # what is older was there before anybody watched
    next_at: Mapped[datetime]
    read_at: Mapped[datetime | None]  # the last reading that came through
    failures: Mapped[int] = mapped_column(default=0)  # readings in a row that did not
    problem: Mapped[str] = mapped_column(Text, default="")
    reads_day: Mapped[date | None]
    reads: Mapped[int] = mapped_column(default=0)  # posts read on that day


class RemotePublicPost(Base):
    """One post as it stands on one of the school's own accounts, as last read."""

    __tablename__ = "remote_post"
    __table_args__ = (
        UniqueConstraint("account_id", "remote_id"),
        Index("ix_remote_post_created", "account_id", "posted_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    remote_id: Mapped[str] = mapped_column(String(80))
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"), index=True)
    text: Mapped[str] = mapped_column(Text, default="")
    media_count: Mapped[int] = mapped_column(default=0)
    permalink: Mapped[str] = mapped_column(Text, default="")
    posted_at: Mapped[datetime]
    first_seen_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    missing_since: Mapped[datetime | None]  # not listed, or read by its id and not there
    gone_at: Mapped[datetime | None]  # certainly gone


class Incident(Base):
    """Something on an official account that did not come through the gate as it stands there."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("account_id", "kind", "remote_id", "about"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closing"),
        Index("ix_incident_open", "closed_at", "seen_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    kind: Mapped[str] = mapped_column(String(20))
    remote_id: Mapped[str] = mapped_column(String(80))
    about: Mapped[str] = mapped_column(String(64), default="")  # which of several edits: a digest of what was read
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"), index=True)
    text: Mapped[str] = mapped_column(Text, default="")  # as read
    permalink: Mapped[str] = mapped_column(Text, default="")
    pictures: Mapped[list[Any]] = mapped_column(default=list)  # SHA-256 of the stored copies
    seen_at: Mapped[datetime]
    posted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    outcome: Mapped[str] = mapped_column(Text, default="")


class TakedownState(StrEnum):
    """Where a removal stands. `waiting`: the publication is on its way, and nobody knows yet what there is to remove."""

    WAITING = "waiting"
    ORDERED = "ordered"
    GONE = "gone"
    NEVER_PUBLIC = "never_public"  # the publication lost the race: it was cancelled, refused or missed
    BY_HAND = "by_hand"  # the platform cannot do it for us: a person must, and say so


class Takedown(Base):
    """One removal of one post from one channel. It stays open until the platform showed that the post is gone."""

    __tablename__ = "takedown"
    __table_args__ = (
        CheckConstraint("publication_id IS NOT NULL OR remote_id IS NOT NULL", name="names_a_post"),
        CheckConstraint("state <> 'gone' OR confirmed_at IS NOT NULL", name="gone_is_confirmed"),
        # one open removal for one post: a second wish joins it
        Index(
            "uq_takedown_open_publication", "publication_id", unique=True,
            sqlite_where=text("state IN ('waiting', 'ordered', 'by_hand')"),
            postgresql_where=text("state IN ('waiting', 'ordered', 'by_hand')"),
        ),
        Index(
            "uq_takedown_open_remote", "account_id", "remote_id", unique=True,
            sqlite_where=text("state IN ('waiting', 'ordered', 'by_hand')"),
            postgresql_where=text("state IN ('waiting', 'ordered', 'by_hand')"),
        ),
        Index("ix_takedown_state", "state", "next_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"), index=True)
    remote_id: Mapped[str | None] = mapped_column(String(80))  # None while the publication has no answer yet
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"))
    why: Mapped[str] = mapped_column(String(20))  # consent, request, incident, mistake
    words: Mapped[str] = mapped_column(Text, default="")
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(20), default=TakedownState.ORDERED)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    problem: Mapped[str] = mapped_column(Text, default="")
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # None: the platform itself said so
    # what still has to go, by the platform's numbers: the post and what would outlive it. None: not read yet
    remaining: Mapped[list[Any] | None]


class ConsentReview(Base):
    """What has to be looked at because one child may not be shown any more. It is done when every item has an end."""

    __tablename__ = "consent_review"
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closing"),
        Index("ix_consent_review_open", "closed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupil.id"), index=True)
    cause: Mapped[str] = mapped_column(String(20))  # withdrawn, refused, never, left, expired
    kinds: Mapped[list[Any]] = mapped_column(default=list)  # the kinds of channel that are no longer allowed
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # None: a date did it
    opened_at: Mapped[datetime]
    letter: Mapped[str] = mapped_column(Text, default="")  # to the parent, as the consent lead left it
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class ReviewItem(Base):
    """One post that shows or names the child: on its way, or public."""

    __tablename__ = "review_item"
    __table_args__ = (
        UniqueConstraint("review_id", "post_id", "publication_id"),
        CheckConstraint("(ended_at IS NULL) = (state = 'open')", name="ending"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("consent_review.id"), index=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"), index=True)
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"))  # None: not sent yet
    takedown_id: Mapped[int | None] = mapped_column(ForeignKey("takedown.id"))
    how: Mapped[str] = mapped_column(String(20), default="shown")  # shown, named
    state: Mapped[str] = mapped_column(String(20), default="open")  # open, held, gone, kept
    words: Mapped[str] = mapped_column(Text, default="")  # why it was kept
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    ended_at: Mapped[datetime | None]
