"""The tables of posts: the working copy, the sealed versions, the pictures with their faces, and the publications.

A post's working copy may change at any time; a version never does. Whatever was shown, decided or sent is a version.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gatekeeper.db.base import Base
from gatekeeper.posts.status import FaceState, FindingState, PostState, PublicationState


class ChannelAccount(Base):
    """One official account. It opens only when the headteacher declares it the school's own, with the second proof."""

    __tablename__ = "channel_account"
    __table_args__ = (
        UniqueConstraint("kind", "remote_id"),
        CheckConstraint("status <> 'open' OR (opened_by IS NOT NULL AND opened_at IS NOT NULL)", name="open_has_head"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))  # "x", "facebook" or "linkedin"
    name: Mapped[str] = mapped_column(String(120))
    remote_id: Mapped[str] = mapped_column(String(40))  # the platform's own number for the account
    status: Mapped[str] = mapped_column(String(20), default="new")  # new, checked, open, held, closed
    sealed: Mapped[str | None] = mapped_column(Text)  # the tokens, sealed to the publisher's key
    checked_at: Mapped[datetime | None]
    check_result: Mapped[str] = mapped_column(Text, default="")  # a sentence for the administrator
    identity: Mapped[str] = mapped_column(String(200), default="")  # the name the platform gave
    declared_own: Mapped[bool] = mapped_column(default=False)  # policy 3.1c: the page is the school's own
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    opened_at: Mapped[datetime | None]
    held_reason: Mapped[str] = mapped_column(Text, default="")
    scopes: Mapped[list[Any]] = mapped_column(default=list)  # what the keys allow, as the platform names it
    expires_at: Mapped[datetime | None]  # when the keys end, where the platform says
    next_check_at: Mapped[datetime | None]  # the daily look at the keys
    told_expiry: Mapped[int | None]  # the last warning that went out: so many days before the end
    created_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]


class ChannelLimit(Base):
    """What a platform said of its limits for one route of one account: every process heeds it."""

    __tablename__ = "channel_limit"

    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"), primary_key=True)
    route: Mapped[str] = mapped_column(String(40), primary_key=True)
    remaining: Mapped[int | None]
    resets_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]


class ChannelCost(Base):
    """What one account's calls cost on one day (UTC), counted by kind."""

    __tablename__ = "channel_cost"

    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)  # post, link_post, read
    count: Mapped[int] = mapped_column(default=0)


class EmergencyStop(Base):
    """While one is pressed and not lifted, nothing is sent on any channel."""

    __tablename__ = "emergency_stop"
    __table_args__ = (
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifting"),
        CheckConstraint("(lifted_at IS NULL) = (standing IS NOT NULL)", name="standing"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pressed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    pressed_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text, default="")
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    lifted_at: Mapped[datetime | None]
    standing: Mapped[int | None] = mapped_column(unique=True)  # 1 until it is lifted: one at a time
    proof_method: Mapped[str] = mapped_column(String(16), default="")


class Restoration(Base):
    """A database put back from a backup. Until it is finished, what was due since is matched before anything is sent."""

    __tablename__ = "restoration"

    id: Mapped[int] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime]  # the backup
    restored_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Post(Base):
    """A post and its working copy."""

    __tablename__ = "post"
    __table_args__ = (Index("ix_post_state_due", "state", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    title: Mapped[str] = mapped_column(String(120), default="")  # for the school's eyes, never published
    text: Mapped[str] = mapped_column(Text, default="")
    channels: Mapped[list[Any]] = mapped_column(default=list)  # ids of channel accounts
    wordings: Mapped[dict[str, Any]] = mapped_column(default=dict)  # account id -> its own text, where it has one
    due_at: Mapped[datetime | None]
    due_wall: Mapped[str] = mapped_column(String(40), default="")  # as typed, Europe/London, kept beside UTC
    window_minutes: Mapped[int] = mapped_column(default=120)
    state: Mapped[str] = mapped_column(String(20), default=PostState.DRAFT, index=True)
    revision: Mapped[int] = mapped_column(default=0)  # grows with every change to the working copy
    version_id: Mapped[int | None] = mapped_column(ForeignKey("version.id", use_alter=True))
    send_when_clear: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(Text, default="")  # the last sentence to the author: why it came back
    progress: Mapped[str] = mapped_column(String(80), default="")  # what the check is doing at this moment
    asked_first: Mapped[int | None] = mapped_column(  # the question to the line manager that freezes it (policy 5.5)
        ForeignKey("case_file.id", use_alter=True)
    )
    held_for_consent: Mapped[bool] = mapped_column(default=False)  # a child in it may not be shown any more
    erased_at: Mapped[datetime | None]  # its words and pictures were erased when their time was over
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    photos: Mapped[list["Photo"]] = relationship(
        back_populates="post", order_by="Photo.position", cascade="all, delete-orphan"
    )


class Photo(Base):
    """One picture of a post: the private original, what is done to it, and the rendition that may become public."""

    __tablename__ = "photo"
    __table_args__ = (UniqueConstraint("post_id", "original_sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    file_name: Mapped[str] = mapped_column(String(200), default="")  # as uploaded; checked like words, never a path
    original_sha256: Mapped[str] = mapped_column(String(64))
    preview_sha256: Mapped[str | None] = mapped_column(String(64))  # the whole photo, uncovered: private, for resolving
    width: Mapped[int]  # of the upright original, in pixels
    height: Mapped[int]
    crop: Mapped[list[Any] | None]  # [x1, y1, x2, y2] in pixels of the upright original
    rendition_sha256: Mapped[str | None] = mapped_column(String(64))  # None while it has to be made again
    rendition_width: Mapped[int] = mapped_column(default=0)
    rendition_height: Mapped[int] = mapped_column(default=0)
    alt: Mapped[str] = mapped_column(Text, default="")
    people: Mapped[str] = mapped_column(
        String(20), default=""
    )  # the author's declaration: "", none, pupils, adults, both
    basis: Mapped[str] = mapped_column(Text, default="")  # ... and on what basis they may be shown
    classes: Mapped[list[Any]] = mapped_column(default=list)  # the classes in it: nobody else is suggested for a face
    full_size: Mapped[bool] = mapped_column(default=False)  # asked for: as sharp as may be, although people are in it
    full_size_reason: Mapped[str] = mapped_column(Text, default="")  # ... and why, for the head's eyes
    problem: Mapped[str] = mapped_column(Text, default="")  # why it could not be scanned
    scanned_sha256: Mapped[str] = mapped_column(String(64), default="")  # the original that `faces` were found in
    added_at: Mapped[datetime]
    original_gone_at: Mapped[datetime | None]  # the photo as it was taken, and its preview, were deleted in their time

    post: Mapped[Post] = relationship(back_populates="photos")
    faces: Mapped[list["Face"]] = relationship(back_populates="photo", order_by="Face.id", cascade="all, delete-orphan")
    patches: Mapped[list["Patch"]] = relationship(order_by="Patch.id", cascade="all, delete-orphan")


class Face(Base):
    """One box that may be a face, in pixels of the upright original, and what a person said about it."""

    __tablename__ = "face"
    __table_args__ = (
        CheckConstraint(
            "state = 'unknown' OR (resolved_by IS NOT NULL AND resolved_at IS NOT NULL)", name="has_resolver"
        ),
        CheckConstraint("state <> 'pupil' OR pupil_id IS NOT NULL", name="pupil_is_named"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), index=True)
    x1: Mapped[float]
    y1: Mapped[float]
    x2: Mapped[float]
    y2: Mapped[float]
    score: Mapped[float] = mapped_column(default=1.0)
    source: Mapped[str] = mapped_column(String(20))  # "detector", "rendition" (found only after rendering) or "hand"
    state: Mapped[str] = mapped_column(String(20), default=FaceState.UNKNOWN)
    pupil_id: Mapped[int | None] = mapped_column(ForeignKey("pupil.id"), index=True)
    words: Mapped[str] = mapped_column(Text, default="")  # for staff and other adults: who, and that they were asked
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    resolved_at: Mapped[datetime | None]

    photo: Mapped[Photo] = relationship(back_populates="faces")


class FaceAnswer(Base):
    """Every answer ever given about a face, in order: for the head's eyes, for undo, and kept when the answer changes."""

    __tablename__ = "face_answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    face_id: Mapped[int] = mapped_column(ForeignKey("face.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(20))
    pupil_id: Mapped[int | None] = mapped_column(ForeignKey("pupil.id"))
    words: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]


class FaceSuggestion(Base):
    """Who the matching thinks one face might be. It clears nothing; a person says who it is."""

    __tablename__ = "face_suggestion"

    face_id: Mapped[int] = mapped_column(ForeignKey("face.id", ondelete="CASCADE"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)  # 1 is the nearest
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupil.id"), index=True)
    distance: Mapped[float]


class SecondLook(Base):
    """A second person asked whether a box, in which a detector is sure of a face, really holds none."""

    __tablename__ = "second_look"
    __table_args__ = (
        CheckConstraint("(answered_by IS NULL) = (answered_at IS NULL)", name="answer_has_author"),
        CheckConstraint("answered_by IS NULL OR answered_by <> asked_by", name="second_person"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    face_id: Mapped[int] = mapped_column(ForeignKey("face.id", ondelete="CASCADE"), index=True)
    asked_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    no_face: Mapped[bool | None]  # None while nobody has looked, or it was taken back
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]  # answered, or no longer asked


class Patch(Base):
    """A part of a photo that is covered in what will be published and is no face: a name badge, a screen, a code."""

    __tablename__ = "patch"

    id: Mapped[int] = mapped_column(primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), index=True)
    x1: Mapped[float]  # in pixels of the upright original, like a face
    y1: Mapped[float]
    x2: Mapped[float]
    y2: Mapped[float]
    placed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    placed_at: Mapped[datetime]


class PictureReading(Base):
    """What can be read in one rendition, by the digest of its bytes: letters, and codes that a camera would follow."""

    __tablename__ = "picture_reading"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    engine: Mapped[str] = mapped_column(String(60), primary_key=True)
    words: Mapped[list[Any]]  # [[x1, y1, x2, y2, text, score], ...] in pixels of that picture, a line of letters each
    codes: Mapped[list[Any]]  # [[x1, y1, x2, y2, text, kind], ...]
    read_at: Mapped[datetime]


class Mark(Base):
    """A logo or trade mark that may be shown only when somebody authorised it (policy 3.6)."""

    __tablename__ = "mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    owner: Mapped[str] = mapped_column(String(20))  # "school" or "other"
    sha256: Mapped[str] = mapped_column(String(64))  # the stored picture of it
    registered_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    registered_at: Mapped[datetime]
    retired_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    retired_at: Mapped[datetime | None]


class PhotoScan(Base):
    """What the detectors found in one picture, by the digest of its bytes: a changed text scans no photo again."""

    __tablename__ = "photo_scan"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    engine: Mapped[str] = mapped_column(String(60), primary_key=True)  # a new engine looks again
    faces: Mapped[list[Any]]  # [[x1, y1, x2, y2, score], ...] in pixels of that picture, upright
    width: Mapped[int]
    height: Mapped[int]
    scanned_at: Mapped[datetime]


class Version(Base):
    """One sealed content. Rows are never changed; a trigger forbids it."""

    __tablename__ = "version"
    __table_args__ = (UniqueConstraint("post_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"))
    number: Mapped[int]
    revision: Mapped[int]  # of the working copy it was sealed from
    canonical: Mapped[str] = mapped_column(Text)
    # digests of the originals its pictures were made from, in order: what is covered anew is still the same photo
    originals: Mapped[list[Any] | None]
    digest: Mapped[str] = mapped_column(String(64), index=True)
    sealed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    sealed_at: Mapped[datetime]


class ChangeReply(Base):
    """What the author answers to one of the marks with which changes were asked for."""

    __tablename__ = "change_reply"
    __table_args__ = (UniqueConstraint("decision_id", "mark"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"), index=True)
    decision_id: Mapped[str] = mapped_column(String(32))
    mark: Mapped[int]  # its place among the decision's marks
    words: Mapped[str] = mapped_column(Text)
    by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]


class Finding(Base):
    """One thing a check has to say about a version, and what became of it."""

    __tablename__ = "finding"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("version.id", ondelete="CASCADE"), index=True)
    rule: Mapped[str] = mapped_column(String(60))
    clause: Mapped[str] = mapped_column(String(20))
    severity: Mapped[str] = mapped_column(String(10))  # block, justify, advice
    field: Mapped[str] = mapped_column(String(40))
    start: Mapped[int | None]
    end: Mapped[int | None]
    quote: Mapped[str] = mapped_column(Text, default="")
    box: Mapped[list[Any] | None]  # where in the photo, in pixels of the upright original
    about: Mapped[str] = mapped_column(String(64), default="")  # which photo, and which child: a reason is for no other
    message: Mapped[str] = mapped_column(Text)
    alone: Mapped[list[Any] | None]  # [severity, message] it had before a face in a photo made one matter of both
    state: Mapped[str] = mapped_column(String(20), default=FindingState.OPEN)
    reason: Mapped[str] = mapped_column(Text, default="")
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    resolved_at: Mapped[datetime | None]


class Publication(Base):
    """One version on one channel: the outbox. The database itself refuses what must never be."""

    __tablename__ = "publication"
    __table_args__ = (
        UniqueConstraint("version_id", "account_id"),
        CheckConstraint("state <> 'published' OR remote_id IS NOT NULL", name="published_has_remote_id"),
        UniqueConstraint("account_id", "remote_id"),  # one remote post proves one publication, never two
        Index("ix_publication_due", "state", "due_at"),
        Index("ix_publication_lease", "state", "lease_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("version.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    decision_id: Mapped[str] = mapped_column(String(40))  # never null: nothing is scheduled without a decision
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20), default=PublicationState.SCHEDULED)
    due_at: Mapped[datetime]
    closes_at: Mapped[datetime]  # the end of the approved window
    next_at: Mapped[datetime]
    fence: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str] = mapped_column(String(80), default="")
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    reads: Mapped[int] = mapped_column(default=0)  # how often the platform was looked at since the unclear answer
    remote_id: Mapped[str | None] = mapped_column(String(80))
    permalink: Mapped[str] = mapped_column(Text, default="")
    published_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(Text, default="")  # a sentence for a person


class Attempt(Base):
    """One possible send, written down before a byte leaves."""

    __tablename__ = "attempt"

    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"), primary_key=True)
    fence: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[str] = mapped_column(Text, default="")
