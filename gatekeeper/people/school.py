"""The school's own settings, kept in the database with who changed them and when."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import JSON

from gatekeeper.db.base import Base


class SchoolSetting(Base):
    """One setting as it stands. The audit keeps who changed it before."""

    __tablename__ = "school_setting"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    changed_at: Mapped[datetime]


#: every key that may be set, with what counts until somebody sets it
DEFAULTS: dict[str, Any] = {
    "name": "Our school",
    "short_names": [],
    "town": "",
    "address": "",
    "postcodes": [],
    "phones": [],
    "emails": [],
    "domains": [],
    "trusted_domains": ["gov.uk", "nhs.uk", "bbc.co.uk"],
    "handles": [],
    "houses": [],
    "classes": {},
    "colour": "#1f5f8b",
    "crest": "",  # SHA-256 of a stored picture, or empty
    "policy_version": "2022-03",
    "governor": None,  # the member of staff who, beside the head, gets the ledger's daily head hash
    "school_day": {"start": "08:00", "end": "17:00"},  # Europe/London, Monday to Friday: reminders go out in it
    "terms": [],  # [["2026-09-03", "2026-12-18"], ...]: first and last day of each term
    "watch": {},  # how often the school's own accounts are read, and what reading X may cost
    "retention": {},  # class of data -> days; what is not in it counts as policy/retention.toml has it
    "data_protection": {},  # the officer, the register number, the DPIA and the policies beside this one, as recorded
    "holding_text": {},  # what anybody may answer an enquiry at once, as the headteacher approved it, and when
    "recognition": {},  # {"dpia_reference", "dpo", "date", "recorded_by"}: empty means face matching is off
}


def school_settings(session: Session) -> dict[str, Any]:
    """All settings, defaults filled in."""
    stored = {row.key: row.value for row in session.scalars(select(SchoolSetting))}
    return {key: stored.get(key, default) for key, default in DEFAULTS.items()}


def change_setting(session: Session, key: str, value: Any, *, by: int | None, now: datetime) -> None:
    """Set one of the known keys in the caller's transaction."""
    if key not in DEFAULTS:
        raise KeyError(key)
    row = session.get(SchoolSetting, key)
    if row is None:
        session.add(SchoolSetting(key=key, value=value, changed_by=by, changed_at=now))
    else:
        row.value, row.changed_by, row.changed_at = value, by, now
