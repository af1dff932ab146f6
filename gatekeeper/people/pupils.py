"""The roll: the children of the school, and the marks that beat every consent."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gatekeeper.db.base import Base

#: attribute -> how many characters it may have, however it comes onto the roll
LONGEST: Final = {"reference": 40, "first_name": 80, "last_name": 80, "known_as": 80, "year": 40, "class_name": 40}
_OLDEST: Final = 20  # years


def may_be_birthday(born: date, *, today: date) -> bool:
    """Whether a pupil could have been born that day: not in the future, and not a generation ago."""
    return born <= today and born.year >= today.year - _OLDEST


class Pupil(Base):
    """One child on the roll, or one who has left."""

    __tablename__ = "pupil"
    __table_args__ = (
        Index("ix_pupil_class", "class_name"),
        # a mark says who set it and when, or it is no mark
        CheckConstraint(
            "never_publish = false OR (never_by IS NOT NULL AND never_at IS NOT NULL)", name="never_has_author"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(
        String(LONGEST["reference"]), unique=True
    )  # the school's own number for the child
    first_name: Mapped[str] = mapped_column(String(LONGEST["first_name"]))
    last_name: Mapped[str] = mapped_column(String(LONGEST["last_name"]))
    known_as: Mapped[str] = mapped_column(String(LONGEST["known_as"]), default="")
    year: Mapped[str] = mapped_column(String(LONGEST["year"]), default="")
    class_name: Mapped[str] = mapped_column(String(LONGEST["class_name"]), default="")
    born_on: Mapped[date | None]
    left_on: Mapped[date | None]
    never_publish: Mapped[bool] = mapped_column(default=False)
    never_reason: Mapped[str | None] = mapped_column(Text)
    never_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    never_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def full_name(self) -> str:
        """The name as the register shows it; a number where the name was erased when its time was over."""
        if not self.first_name and not self.last_name:
            return f"Former pupil {self.id}"
        known = f" ({self.known_as})" if self.known_as and self.known_as != self.first_name else ""
        return f"{self.first_name}{known} {self.last_name}"
