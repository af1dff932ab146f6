"""What the school records about its data protection: the officer, the register number, where people turn to."""

import re
from collections.abc import Mapping
from typing import Final

from gatekeeper.errors import BadInput
from gatekeeper.people.accounts import clean_email
from gatekeeper.people.school import school_settings
from gatekeeper.workflow import school
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.statement_facts import Contacts
from gatekeeper.workflow.web_address import is_web_address

_REGISTER: Final = re.compile(r"[A-Z]{1,2}[0-9A-Z]{6,8}")
_LINKS: Final = ("privacy_link", "esafety_link")
_LONGEST: Final = 300


def contacts_of(services: Services) -> Contacts:
    """What is recorded."""
    with services.db.read() as session:
        return Contacts.of(school_settings(session)["data_protection"])


def change(services: Services, typed: Mapping[str, str], *, by: int) -> None:
    """Record what differs. What is not named in `typed` stays as it is.

    Raises:
        BadInput: something is not what its field is for; nothing is changed.
    """
    given = {name: " ".join(typed[name].split()) for name in Contacts.__dataclass_fields__ if name in typed}
    fields = {
        name: f"This may have at most {_LONGEST} characters." for name, words in given.items() if len(words) > _LONGEST
    }
    if given.get("email"):
        try:
            given["email"] = clean_email(given["email"])
        except BadInput as refused:
            fields |= refused.fields
    given["register_number"] = given.get("register_number", "").upper()
    if given["register_number"] and not _REGISTER.fullmatch(given["register_number"]):
        fields["register_number"] = "This is not a number of the register, such as Z1234567 or ZA123456."
    for name in _LINKS:
        if given.get(name) and not is_web_address(given[name]):
            fields[name] = "This is not a web address. Please copy it whole, with https:// in front."
    if fields:
        raise BadInput("Nothing was changed.", fields=fields)
    with services.db.read() as session:
        stored = dict(school_settings(session)["data_protection"])
    if "register_number" not in typed:
        given.pop("register_number")
    school.change_school(services, {"data_protection": {**stored, **given}}, by=by)
