"""The school's own version of the policy's rules, and the phrases it taught the check. Kept whole, with who and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from gatekeeper.db.base import Base
from gatekeeper.people.school import school_settings


class PolicyVersion(Base):
    """One version of the rules: what the school added and what it softened. A new one replaces it, nothing is changed."""

    __tablename__ = "policy_version"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rules: Mapped[str] = mapped_column(Text, default="")  # the school's own rules, TOML as written
    softened: Mapped[dict[str, Any]] = mapped_column(default=dict)  # rule id -> "justify", "advice" or "off"
    why: Mapped[str] = mapped_column(Text)
    made_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime]


class TaughtPhrase(Base):
    """Words that name no pupil here, as the consent lead said of a finding: a book, a place, somebody well known."""

    __tablename__ = "taught_phrase"

    id: Mapped[int] = mapped_column(primary_key=True)
    phrase: Mapped[str] = mapped_column(String(120))
    why: Mapped[str] = mapped_column(Text)
    taught_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    taught_at: Mapped[datetime]
    retired_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    retired_at: Mapped[datetime | None]


class WordQuestion(Base):
    """An author's question to the consent lead: are these words a pupil? Once answered, the words are gone from it."""

    __tablename__ = "word_question"
    __table_args__ = (
        CheckConstraint("answer IN ('', 'taught', 'pupil')", name="answer"),
        CheckConstraint(
            "(answer = '') = (answered_at IS NULL) AND (answered_by IS NULL) = (answered_at IS NULL)",
            name="answer_has_author",
        ),
        CheckConstraint("answer = '' OR (quote = '' AND sentence = '')", name="words_are_gone"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"), index=True)
    quote: Mapped[str] = mapped_column(String(120))
    sentence: Mapped[str] = mapped_column(Text)  # around the quote, other pupils' names left out
    asked_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(String(20), default="")
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    answered_at: Mapped[datetime | None]


def policy_in_force(session: Session) -> PolicyVersion | None:
    """The newest version; None while the school has changed nothing, and the rules are those that came with it."""
    return session.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(1)).first()


def softened(session: Session) -> Mapping[str, str]:
    """What the school softened: rule id -> "justify", "advice" or "off"."""
    policy = policy_in_force(session)
    return {str(rule): str(to) for rule, to in policy.softened.items()} if policy else {}


def version_label(session: Session) -> str:
    """The rules in force, as a decision records them: the policy's own date and the number of the school's version.

    "2022-03/7" is the seventh set of rules under the policy of March 2022; "/0" is the rules as they came.
    """
    policy = policy_in_force(session)
    return f"{school_settings(session)['policy_version']}/{policy.number if policy else 0}"
