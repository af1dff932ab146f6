"""Adopting an edition of the policy, and confirming to have read it."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.policy_editions import Acknowledgement, PolicyEdition, edition_in_force
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import record
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.web_address import is_web_address

#: the three texts of section 2, of which the policy says "delete or amend as required"
SECTION_TWO: Final = {
    "2A": "Never in working hours, and never on school equipment",
    "2B": "Now and then, in a designated place",
    "2C": "On one's own device, in breaks only, and never in front of pupils",
}
UNDECIDED: Final = "Not decided"
ADOPTED: Final = "policy.adopted"
_LABEL: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])([.-][A-Za-z0-9]{1,10})?")
_SHORTEST_LINE, _LONGEST_LINE, _LONGEST_TEXT = 10, 1_000, 100_000


@dataclass(frozen=True, kw_only=True)
class TypedEdition:
    """An edition as the headteacher typed it. `based_on` is the edition they saw, 0 where there was none."""

    label: str
    words: str = ""
    link: str = ""
    changes: str = ""
    section_two: str = ""
    place: str = ""
    review_on: date | None = None
    line: str = ""
    based_on: int = 0


def adopt(services: Services, typed: TypedEdition, *, by: int) -> int:
    """Put a new edition in force; its id is given back. Everybody is asked to confirm it, and nobody can change it.

    Raises:
        BadInput: something is missing; `fields` holds a sentence for each field.
        Conflict: another edition was adopted meanwhile.
    """
    words = typed.words.replace("\r\n", "\n").strip()
    now = services.clock.now()
    with services.step() as session:
        ledger.hold(session)  # two at once: the second reads what the first made
        present = edition_in_force(session)
        if (present.id if present else 0) != typed.based_on:
            raise Conflict("Another edition was adopted while you were writing. Look at it before you adopt yours.")
        if fields := _missing(session, typed, words, first=present is None):
            raise BadInput("Nothing was adopted yet.", fields=fields)
        edition = PolicyEdition(
            label=typed.label.strip(),
            words=words,
            link=typed.link.strip(),
            changes=typed.changes.strip(),
            section_two=typed.section_two,
            place=typed.place.strip() if typed.section_two == "2B" else "",
            review_on=typed.review_on,
            line=typed.line.strip(),
            adopted_by=by,
            adopted_at=now,
        )
        session.add(edition)
        session.flush()
        session.add(Acknowledgement(staff_id=by, edition_id=edition.id, at=now))  # who adopts it has read it
        change_setting(session, "policy_version", edition.label, by=by, now=now)  # stands on each decision from now on
        body = {
            "by": by,
            "edition": edition.id,
            "label": edition.label,
            "section_two": edition.section_two or None,
            "sha256": _digest(edition),
        }
        ledger.append(session, at=now, kind=ADOPTED, body=body)
        record(session, at=now, staff_id=by, action=ADOPTED, subject=f"policy:{edition.id}")
        return edition.id


def acknowledge(services: Services, edition_id: int, *, by: int) -> None:
    """Write down that this person has read the edition in force. Said twice, the first time counts.

    Raises:
        Conflict: a newer edition counts by now.
    """
    now = services.clock.now()
    with services.step() as session:
        edition = edition_in_force(session)
        if edition is None or edition.id != edition_id:
            raise Conflict("A newer edition of the policy counts by now. Please read that one.")
        if session.get(Acknowledgement, (by, edition.id)) is None:
            session.add(Acknowledgement(staff_id=by, edition_id=edition.id, at=now))
            record(session, at=now, staff_id=by, action="policy.acknowledged", subject=f"policy:{edition.id}")


def is_overdue(edition: PolicyEdition, *, today: date) -> bool:
    """Whether the day has passed by which the school wanted to look at its policy again."""
    return edition.review_on is not None and edition.review_on < today


def _missing(session: Session, typed: TypedEdition, words: str, *, first: bool) -> dict[str, str]:
    fields = {}
    label, link, line = typed.label.strip(), typed.link.strip(), typed.line.strip()
    if not _LABEL.fullmatch(label):
        fields["label"] = (
            "Please write the year and the month, such as 2022-03; a second one of that month is 2022-03.2."
        )
    elif session.scalar(select(PolicyEdition.id).where(PolicyEdition.label == label)):
        fields["label"] = f"There is an edition {label} already. Please give this one a name of its own."
    if link and not is_web_address(link):
        fields["link"] = "This is not a web address. Please copy it whole, with https:// in front."
    if not (words or link):
        fields["words"] = "Please give the text, or the address where staff find it."
    if len(words) > _LONGEST_TEXT:
        fields["words"] = f"The text may have {_LONGEST_TEXT:,} characters at most."
    if not first and not typed.changes.strip():
        fields["changes"] = "Please say in a sentence or two what is new, so that nobody has to search for it."
    if typed.section_two not in ("", *SECTION_TWO):
        fields["section_two"] = "Please choose one of the texts, or leave it undecided."
    if typed.section_two == "2B" and not typed.place.strip():
        fields["place"] = "Please name the designated place."
    if not _SHORTEST_LINE <= len(line) <= _LONGEST_LINE:
        fields["line"] = "Please write in a sentence that you adopt this edition for your school."
    return fields


def _digest(edition: PolicyEdition) -> str:
    """Seals in the ledger what was adopted; the text itself stands in its own table."""
    told = (
        edition.label,
        edition.words,
        edition.link,
        edition.changes,
        edition.section_two,
        edition.place,
        edition.review_on.isoformat() if edition.review_on else "",
        edition.line,
    )
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
