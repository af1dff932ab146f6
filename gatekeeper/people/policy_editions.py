"""The school's social media policy as staff have to know it: its editions, and who confirmed to have read which."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from gatekeeper.db.base import Base


class PolicyEdition(Base):
    """One edition of the policy in the school's own words. A new one replaces it; none is changed."""

    __tablename__ = "policy_edition"
    __table_args__ = (CheckConstraint("section_two IN ('', '2A', '2B', '2C')", name="section_two"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(String(40), unique=True)  # "2022-03": stands on each decision
    words: Mapped[str] = mapped_column(Text, default="")  # the text staff read, in Markdown; empty: kept elsewhere
    link: Mapped[str] = mapped_column(Text, default="")
    changes: Mapped[str] = mapped_column(Text, default="")  # what is new in it
    section_two: Mapped[str] = mapped_column(String(2), default="")  # which of the three texts counts; empty: undecided
    place: Mapped[str] = mapped_column(Text, default="")  # 2B: the designated place
    review_on: Mapped[date | None]
    line: Mapped[str] = mapped_column(Text, default="")  # what the headteacher wrote when adopting it
    adopted_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    adopted_at: Mapped[datetime]


class Acknowledgement(Base):
    """That one person confirmed to have read one edition."""

    __tablename__ = "acknowledgement"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("policy_edition.id"), primary_key=True)
    at: Mapped[datetime]


class PutAwayCard(Base):
    """That one person put a card of guidance away while one edition counts. With the next edition it is back."""

    __tablename__ = "put_away_card"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("policy_edition.id"), primary_key=True)
    card: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]


def edition_in_force(session: Session) -> PolicyEdition | None:
    """The edition that counts now: the newest."""
    return session.scalars(select(PolicyEdition).order_by(PolicyEdition.id.desc()).limit(1)).first()


def has_acknowledged(session: Session, staff_id: int, edition: PolicyEdition | None) -> bool:
    """Whether this person confirmed to have read the edition. Where there is none, there is nothing to confirm."""
    return edition is None or session.get(Acknowledgement, (staff_id, edition.id)) is not None
