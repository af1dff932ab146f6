"""The roll: the children of the school, and the marks that beat every consent."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gatekeeper.db.base import Base


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
    reference: Mapped[str] = mapped_column(String(40), unique=True)  # the school's own number for the child
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    known_as: Mapped[str] = mapped_column(String(80), default="")
    year: Mapped[str] = mapped_column(String(40), default="")
    class_name: Mapped[str] = mapped_column(String(40), default="")
    born_on: Mapped[date | None]
    left_on: Mapped[date | None]
    never_publish: Mapped[bool] = mapped_column(default=False)
    never_reason: Mapped[str | None] = mapped_column(Text)
    never_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    never_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def full_name(self) -> str:
        """The name as the register shows it."""
        known = f" ({self.known_as})" if self.known_as and self.known_as != self.first_name else ""
        return f"{self.first_name}{known} {self.last_name}"
