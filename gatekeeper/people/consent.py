"""What may be shown of whom, where, and on what basis.

A permission is a row per pupil, channel kind and purpose with its basis, its dates and who recorded it. The newest row
counts; nothing is overwritten. No row, an expired row, a refusal, a withdrawal, a leaver or a never-publish mark all
answer "no": only a positive answer is a yes (POLICY: allow-list logic, L5 and L14).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from gatekeeper.db.base import Base
from gatekeeper.people.pupils import Pupil


class Purpose(StrEnum):
    """What a permission is for."""

    SOCIAL_MEDIA = "social_media"
    BIOMETRIC = "biometric"  # the automatic matching of faces; recorded per child, off until then (PoFA 2012 s26)


class Basis(StrEnum):
    """The lawful basis the school relies on (UK GDPR article 6)."""

    CONSENT = "consent"
    PUBLIC_TASK = "public_task"


class Consent(Base):
    """One recorded answer about one child, channel kind and purpose."""

    __tablename__ = "consent"
    __table_args__ = (
        Index("ix_consent_pupil", "pupil_id", "channel_kind", "purpose", "id"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawal_has_author"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupil.id"))
    channel_kind: Mapped[str] = mapped_column(
        String(20)
    )  # a channel kind such as "x"; "any" for a purpose without channels
    purpose: Mapped[str] = mapped_column(String(20))
    allowed: Mapped[bool]
    basis: Mapped[str] = mapped_column(String(20))
    given_on: Mapped[date]
    expires_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(Text, default="")
    recorded_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The register's answer for one child on one kind of channel, with the sentence for those who keep the register."""

    allowed: bool
    sentence: str
    consent_id: int | None = None
    short: str = ""  # where the sentence tells what a family decided, and when it changed its mind

    @property
    def for_authors(self) -> str:
        """The sentence for whoever writes a post: yes or no, and not that a family took its permission back."""
        return self.short or self.sentence


def answer_for(session: Session, pupil: Pupil, channel_kind: str, *, today: date, words: str) -> Answer:
    """Whether this child may be shown on this kind of channel today.

    Args:
        words: the channel's name as staff know it ("Facebook").
    """
    newest = session.scalars(
        select(Consent)
        .where(
            Consent.pupil_id == pupil.id,
            Consent.channel_kind == channel_kind,
            Consent.purpose == Purpose.SOCIAL_MEDIA,
        )
        .order_by(Consent.id.desc())
        .limit(1)
    ).first()
    return _answer(pupil, newest, today=today, words=words)


def answers_for(
    session: Session, pupils: Sequence[Pupil], kinds: Mapping[str, str], *, today: date
) -> dict[int, list[tuple[str, Answer]]]:
    """The same for many children and kinds of channel at once: by the child's id, (the kind's word, the answer) in order.

    Args:
        kinds: each kind of channel with its name as staff know it.
    """
    newest = newest_answers(session, [pupil.id for pupil in pupils], Purpose.SOCIAL_MEDIA)
    return {
        pupil.id: [
            (words, _answer(pupil, newest.get((pupil.id, kind)), today=today, words=words))
            for kind, words in kinds.items()
        ]
        for pupil in pupils
    }


def newest_answers(session: Session, pupil_ids: Sequence[int], purpose: Purpose) -> dict[tuple[int, str], Consent]:
    """The row that counts of each of these children for each kind of channel: the newest."""
    newest = (
        select(func.max(Consent.id))
        .where(Consent.pupil_id.in_(pupil_ids), Consent.purpose == purpose)
        .group_by(Consent.pupil_id, Consent.channel_kind)
    )
    rows = session.scalars(select(Consent).where(Consent.id.in_(newest)))
    return {(row.pupil_id, row.channel_kind): row for row in rows}


def _answer(  # noqa: PLR0911 - one sentence per reason reads better than a nest
    pupil: Pupil, newest: Consent | None, *, today: date, words: str
) -> Answer:
    if pupil.never_publish:
        return Answer(allowed=False, sentence="Must never be shown.")
    if pupil.left_on is not None and pupil.left_on < today:
        return Answer(allowed=False, sentence="Has left the school.")
    if newest is None:
        return Answer(allowed=False, sentence=f"No permission on record for {words}.")
    if newest.withdrawn_at is not None:
        return Answer(
            allowed=False,
            sentence=f"Permission for {words} was withdrawn.",
            consent_id=newest.id,
            short=f"May not be shown on {words}.",
        )
    if not newest.allowed:
        return Answer(allowed=False, sentence=f"May not be shown on {words}.", consent_id=newest.id)
    if newest.given_on > today:
        return Answer(
            allowed=False, sentence=f"Permission for {words} does not begin until {newest.given_on:%-d %B %Y}."
        )
    if newest.expires_on is not None and newest.expires_on < today:
        return Answer(allowed=False, sentence=f"Permission for {words} has run out.", consent_id=newest.id)
    return Answer(allowed=True, sentence=f"May be shown on {words}.", consent_id=newest.id)
