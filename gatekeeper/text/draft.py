"""What the checker is given and what it gives back: plain values without behaviour."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pupil:
    """One child on the roll, as far as words can name it."""

    id: str
    first_name: str
    last_name: str
    known_as: str
    year: str
    class_name: str
    dob: str


@dataclass(frozen=True)
class StaffName:
    """One adult of the school. Naming staff politely is fine, so these words are not taken for pupils."""

    title: str
    first_name: str
    last_name: str


@dataclass(frozen=True)
class SchoolWords:
    """What belongs to the school itself and is therefore never a finding."""

    name: str
    short_names: tuple[str, ...]
    town: str
    address: str
    postcodes: tuple[str, ...]
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    domains: tuple[str, ...]
    trusted_domains: tuple[str, ...]
    handles: tuple[str, ...]
    houses: tuple[str, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """The words that travel with a picture."""

    file: str
    alt: str | None


@dataclass(frozen=True)
class Draft:
    """One post before it is sent. `account` is "school" or "staff"; `wordings` are further texts of it, by field."""

    text: str
    pictures: tuple[Picture, ...]
    platform: str
    account: str
    wordings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Hit:
    """One thing found: where, under which rule, and one sentence saying why."""

    rule: str
    clause: str
    severity: str
    field: str
    start: int | None
    end: int | None
    quote: str | None
    message: str
    pupil_ids: tuple[str, ...] = ()
