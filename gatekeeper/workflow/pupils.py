"""Puts one child on the roll, or corrects what stands there. No permission comes with it: the answer stays no."""

import unicodedata
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.errors import BadInput, NotFound
from gatekeeper.people.pupils import LONGEST, Pupil, may_be_birthday
from gatekeeper.people.staff import record
from gatekeeper.workflow.services import Services

_NEEDED: Final = {
    "reference": "Please give the school's own number for the pupil.",
    "first_name": "Please give the first name.",
    "last_name": "Please give the last name.",
}
#: attribute -> the word for it in the audit
_WORDS: Final = {
    "reference": "number",
    "first_name": "first name",
    "last_name": "last name",
    "known_as": "known as",
    "year": "year",
    "class_name": "class",
    "born_on": "date of birth",
}
_NUMBER_TAKEN: Final = "This number belongs to another pupil already. Look for it on the roll, those who left included."
_SAME_CHILD: Final = (
    "A pupil of this name and date of birth is on the roll already, with another number. Look for the name on the "
    "roll, those who left included."
)
_SAME_NAME: Final = (
    "A pupil of this name is in this class already. If these are two children, give both their date of birth, "
    "so that nobody takes one for the other."
)


@dataclass(frozen=True, kw_only=True)
class PupilDetails:
    """What the office types about a child."""

    reference: str
    first_name: str
    last_name: str
    known_as: str = ""
    year: str = ""
    class_name: str = ""
    born_on: date | None = None


def add_pupil(services: Services, details: PupilDetails, *, by: int) -> int:
    """Put a child on the roll; the new id is given back.

    Raises:
        BadInput: a field cannot be used, or the child is there already.
    """
    clean = _cleaned(details)
    try:
        with services.step() as session:
            now = services.clock.now()
            _check(session, clean, known=None, today=london(now).date())
            pupil = Pupil(**asdict(clean), created_at=now)
            session.add(pupil)
            session.flush()
            record(session, at=now, staff_id=by, action="pupil.added", subject=f"pupil:{pupil.id}")
            return pupil.id
    except IntegrityError:  # somebody added the same number in the same instant
        raise _taken() from None


def edit_pupil(services: Services, pupil_id: int, details: PupilDetails, *, by: int) -> bool:
    """Correct what stands on the roll; says whether anything changed.

    Raises:
        BadInput: a field cannot be used, or it would make two children one.
        NotFound: there is no such child.
    """
    clean = _cleaned(details)
    try:
        with services.step() as session:
            now = services.clock.now()
            pupil = session.get(Pupil, pupil_id)
            if pupil is None:
                raise NotFound("There is no such pupil on the roll.")
            changed = [name for name, value in asdict(clean).items() if getattr(pupil, name) != value]
            if not changed:
                return False
            _check(session, clean, known=pupil, today=london(now).date())
            for name in changed:
                setattr(pupil, name, getattr(clean, name))
            session.flush()
            what = {"changed": [_WORDS[name] for name in changed]}
            record(session, at=now, staff_id=by, action="pupil.edited", subject=f"pupil:{pupil_id}", detail=what)
            return True
    except IntegrityError:
        raise _taken() from None


def _cleaned(details: PupilDetails) -> PupilDetails:
    """In one spelling: no spaces around or doubled, and each accent one character with its letter."""
    texts = {
        name: " ".join(unicodedata.normalize("NFC", getattr(details, name)).split()) for name in LONGEST
    }  # as an import would store it
    return PupilDetails(**texts, born_on=details.born_on)


def _check(session: Session, details: PupilDetails, *, known: Pupil | None, today: date) -> None:
    fields = {name: sentence for name, sentence in _NEEDED.items() if not getattr(details, name)}
    for name, longest in LONGEST.items():
        text = getattr(details, name)
        if len(text) > longest:
            fields[name] = f"This may have at most {longest} characters."
        elif not text.isprintable():
            fields[name] = "This holds a sign that cannot be shown. Please type it anew."
    for name in ("first_name", "last_name", "known_as"):
        text = getattr(details, name)
        if text and name not in fields and not any(sign.isalpha() for sign in text):
            fields[name] = "A name has letters in it."
    if details.born_on is not None and not may_be_birthday(details.born_on, today=today):
        fields["born_on"] = "This cannot be the birthday of a pupil. Please look at the year."
    if not fields:
        fields = _doubled(session, details, known=known)
    if fields:
        raise BadInput("Please look at the marked fields.", fields=fields)


def _doubled(session: Session, details: PupilDetails, *, known: Pupil | None) -> dict[str, str]:
    """What another child on the roll stands in the way of. Only what is typed anew is compared."""
    others = [pupil for pupil in session.scalars(select(Pupil)) if known is None or pupil.id != known.id]
    if (known is None or known.reference != details.reference) and any(
        pupil.reference.casefold() == details.reference.casefold() for pupil in others
    ):
        return {"reference": _NUMBER_TAKEN}
    if known is not None and _who(known) == _who(details):
        return {}
    for pupil in others:
        if _name(pupil) != _name(details):
            continue
        if pupil.born_on is not None and details.born_on is not None:
            if pupil.born_on == details.born_on:
                return {"last_name": _SAME_CHILD}
        elif pupil.class_name.casefold() == details.class_name.casefold():
            return {"last_name": _SAME_NAME}
    return {}


def _who(child: Pupil | PupilDetails) -> tuple[object, ...]:
    return (*_name(child), child.born_on, child.class_name.casefold())


def _name(child: Pupil | PupilDetails) -> tuple[str, str]:
    return child.first_name.casefold(), child.last_name.casefold()


def _taken() -> BadInput:
    return BadInput("Please look at the marked fields.", fields={"reference": _NUMBER_TAKEN})
