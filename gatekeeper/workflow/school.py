"""Changing what the school says of itself, and the record without which faces are never matched."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from approvals import ledger
from gatekeeper.clock import london
from gatekeeper.errors import BadInput
from gatekeeper.people.school import change_setting, school_settings
from gatekeeper.people.staff import record
from gatekeeper.posts.media import PictureRefused, publishable
from gatekeeper.workflow.recognition import forget_unfounded
from gatekeeper.workflow.services import Services

LISTS: Final = ("short_names", "postcodes", "phones", "emails", "domains", "trusted_domains", "handles", "houses")
_MOST: Final = 200
_LONGEST: Final = 120
_SHAPES: Final = {
    "emails": (re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), "an e-mail address"),
    "domains": (re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE), "a web address such as school.example"),
    "trusted_domains": (re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE), "a web address such as gov.uk"),
    "handles": (re.compile(r"@?\w{1,30}"), "an account name such as @OurSchool"),
    "phones": (re.compile(r"[+0-9 ()-]{6,20}"), "a telephone number"),
    "postcodes": (re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.IGNORECASE), "a postcode"),
}


def list_of(typed: str, *, field: str) -> list[str]:
    """One entry a line, in order, none twice.

    Raises:
        BadInput: a line is not what the field is for.
    """
    entries = list(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
    shape, what = _SHAPES.get(field, (None, ""))
    wrong = [entry for entry in entries if len(entry) > _LONGEST or (shape and not shape.fullmatch(entry))]
    if wrong:
        sentence = f"“{wrong[0][:40]}” is not {what or 'short enough'}. Please write one on each line."
        raise BadInput(sentence, fields={field: sentence})
    if len(entries) > _MOST:
        sentence = f"Please list at most {_MOST}."
        raise BadInput(sentence, fields={field: sentence})
    return [entry.lstrip("@") for entry in entries] if field == "handles" else entries


def classes_of(typed: str) -> dict[str, str]:
    """Lines such as "Oak: Year 6" as class name -> year.

    Raises:
        BadInput: a line has no colon.
    """
    found = {}
    for line in list_of(typed, field="classes"):
        name, colon, year = (part.strip() for part in line.partition(":"))
        if not (name and colon and year):
            sentence = f"“{line[:40]}” needs a class and its year, such as “Oak: Year 6”."
            raise BadInput(sentence, fields={"classes": sentence})
        found[name] = year
    return found


def change_school(services: Services, values: Mapping[str, Any], *, by: int) -> list[str]:
    """Set what differs; says which settings did."""
    with services.step() as session:
        now = services.clock.now()
        present = school_settings(session)
        changed = [key for key, value in values.items() if present[key] != value]
        for key in changed:
            change_setting(session, key, values[key], by=by, now=now)
        if "governor" in changed:  # whoever takes it away from somebody leaves a trace where it is missed
            body = {"by": by, "person": values["governor"]}
            ledger.append(session, at=now, kind="school.governor_named", body=body)
        if changed:
            record(session, at=now, staff_id=by, action="school.changed", subject="school", detail={"changed": changed})
    return changed


def set_crest(services: Services, data: bytes, *, by: int) -> None:
    """Keep a picture of the school's crest, re-encoded like every picture.

    Raises:
        BadInput: it is no picture that can be used.
    """
    try:
        _, rendition = publishable(data)
    except PictureRefused as refused:
        raise BadInput(str(refused), fields={"crest": str(refused)}) from refused
    digest = services.media.put(rendition.data, ".jpg")
    change_school(services, {"crest": digest}, by=by)


def record_dpia(services: Services, *, reference: str, dpo: str, day: date | None, by: int) -> None:
    """Record the impact assessment without which the matching of faces cannot be switched on (POLICY L3).

    Raises:
        BadInput: one of the three is missing.
    """
    fields = {}
    if not reference.strip():
        fields["dpia_reference"] = "Please give the reference of your data protection impact assessment."
    if not dpo.strip():
        fields["dpo"] = "Please name the data protection officer who was asked."
    if day is None or day > london(services.clock.now()).date():
        fields["date"] = "Please give the day it was signed off."
    if fields or day is None:
        raise BadInput("All three are needed.", fields=fields)
    value = {"dpia_reference": reference.strip(), "dpo": dpo.strip(), "date": day.isoformat(), "recorded_by": by}
    _set_recognition(services, value, kind="recognition.dpia_recorded", by=by)


def remove_dpia(services: Services, *, by: int) -> None:
    """Take the record back: the matching of faces is off from this moment, and every template is deleted with it."""
    _set_recognition(services, {}, kind="recognition.dpia_removed", by=by)


def _set_recognition(services: Services, value: dict[str, Any], *, kind: str, by: int) -> None:
    with services.step() as session:
        now = services.clock.now()
        change_setting(session, "recognition", value, by=by, now=now)
        ledger.append(session, at=now, kind=kind, body={"by": by})
        record(session, at=now, staff_id=by, action=kind, subject="school")
        forget_unfounded(session, now=now)
