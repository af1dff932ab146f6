"""Templates for the matching of faces: 128 numbers a photo, sealed, and only of children whose family agreed in writing.

A template is a child's biometric data (PoFA 2012 s26, UK GDPR article 9). It hangs on one recorded consent and goes
with it; it serves one school year; and it can be opened by the scanning process alone.
"""

from datetime import date, datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gatekeeper.db.base import Base

MOST_TEMPLATES: Final = 5  # of one pupil
ENOUGH_TEMPLATES: Final = 3  # from here on a face is found again well
_END_OF_YEAR: Final = (8, 31)  # month and day


def end_of_school_year(day: date) -> date:
    """The last day of the school year that this day lies in."""
    end = day.replace(month=_END_OF_YEAR[0], day=_END_OF_YEAR[1])
    return end if day <= end else end.replace(year=day.year + 1)


class FaceTemplate(Base):
    """One enrolled photo of one child as sealed numbers. The photo itself is not kept."""

    __tablename__ = "face_template"

    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupil.id"), index=True)
    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"))
    engine: Mapped[str] = mapped_column(String(60))
    sealed: Mapped[str] = mapped_column(Text)  # AES-GCM, bound to the pupil and the engine
    key_id: Mapped[str] = mapped_column(String(16), index=True)
    made_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime]
    expires_on: Mapped[date]  # a child's face changes: enrolled again each school year


class Enrolment(Base):
    """One photo waiting to become a template, or what became of it."""

    __tablename__ = "enrolment"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'refused')", name="state"),
        CheckConstraint("state = 'waiting' OR media_sha256 = ''", name="photo_is_gone"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupil.id"), index=True)
    media_sha256: Mapped[str] = mapped_column(String(64))  # emptied, and the stored photo deleted, once it is done
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    sentence: Mapped[str] = mapped_column(Text, default="")  # why it could not be used, for the person at the page
    asked_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
