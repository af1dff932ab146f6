"""Finds contact details and unsafe links by their shape, and leaves the school's own alone."""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gatekeeper.text.draft import SchoolWords
from gatekeeper.text.fold import fold_word
from gatekeeper.text.links import Links
from gatekeeper.text.passage import Passage

_HELPLINES = ("03", "0800", "0808", "0845", "0844", "0870", "0116123")
_ROLES = frozenset(
    [
        "info",
        "office",
        "enquiries",
        "enquiry",
        "admin",
        "hello",
        "contact",
        "bookings",
        "booking",
        "tickets",
        "events",
        "support",
        "reception",
        "mail",
        "help",
        "membership",
        "boxoffice",
        "box-office",
        "sales",
        "team",
        "education",
        "learning",
        "schools",
        "visits",
    ]
)
_STREETS = frozenset(["street", "road", "lane", "avenue", "close", "drive", "crescent", "terrace"])
_NOT_STREETS = frozenset(
    [
        "about",
        "for",
        "to",
        "with",
        "on",
        "jan",
        "january",
        "feb",
        "february",
        "mar",
        "march",
        "apr",
        "april",
        "may",
        "june",
        "jun",
        "jul",
        "july",
        "aug",
        "august",
        "sep",
        "sept",
        "september",
        "oct",
        "october",
        "nov",
        "november",
        "dec",
        "december",
        "mile",
        "miles",
        "minute",
        "minutes",
        "min",
        "mins",
        "metre",
        "metres",
        "meter",
        "km",
        "year",
        "years",
        "week",
        "weeks",
        "day",
        "days",
        "hour",
        "hours",
        "of",
        "per",
        "pupils",
        "children",
        "people",
        "am",
        "pm",
        "and",
        "for",
        "to",
        "in",
        "on",
        "at",
        "from",
        "with",
        "steps",
        "times",
        "laps",
        "points",
        "pence",
        "pound",
        "pounds",
    ]
)
_PERSONAL = frozenset(
    [
        "me",
        "my",
        "mine",
        "i",
        "him",
        "her",
        "his",
        "add",
        "dm",
        "pm",
        "message",
        "snap",
        "insta",
        "snapchat",
        "instagram",
        "tiktok",
        "private",
        "personal",
        "myself",
        "tutor",
        "mate",
    ]
)
_PUBLIC_HANDLE = re.compile(
    r"bbc|itv|sky|news|official|school|primary|academy|museum|zoo|trust|theatre|council|police|fire|nhs|gov|charity|library|books|club|fc|radio|uk$|herald|times|gazette"
)
_BIRTH = re.compile(r"\b(?:birthdays?|born|birth|d\.?o\.?b|turn(?:s|ed|ing)?|aged?|years? old)\b")
_DATE = re.compile(
    r"(?<![\w./-])(?:(\d{1,2})[./\- ](\d{1,2})[./\- ](\d{4}|\d{2})|(\d{4})-(\d{2})-(\d{2})|"
    r"(\d{1,2})(?:st|nd|rd|th)? (?:of )?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6},? (\d{4}))(?![\w/])"
)
_BIRTHS = (2005, 2026)  # when no pupil's date of birth is known
_SPAN = 30  # a roll that says more has a mistyped year in it
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIGITS = str.maketrans("oil", "011")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One shape: its rule, its expression, the check that knows the exceptions, and two texts that prove it."""

    id: str
    rule: str
    regex: re.Pattern[str]
    check: str
    hit: str
    miss: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A contact detail found, in folded offsets; `severity` only where it differs from the rule's."""

    rule: str
    start: int
    end: int
    severity: str | None = None


@cache
def patterns() -> tuple[Pattern, ...]:
    """All shapes, in the order of the file."""
    data = tomllib.loads(files("gatekeeper.text").joinpath("data/contacts.toml").read_text(encoding="utf-8"))
    return tuple(
        Pattern(
            entry["id"], entry["rule"], re.compile(entry["regex"]), entry.get("check", ""), entry["hit"], entry["miss"]
        )
        for entry in data["pattern"]
    )


class Contacts:
    """The shapes, with the exceptions of one school."""

    def __init__(self, school: SchoolWords, births: frozenset[str], staff_words: frozenset[str]) -> None:
        self._phones = {self._national(phone) for phone in school.phones}
        self._emails = {fold_word(email) for email in school.emails}
        self._domains = tuple(fold_word(domain) for domain in (*school.domains, *school.trusted_domains))
        self._postcodes = {fold_word(code).replace(" ", "") for code in school.postcodes}
        self._address = fold_word(school.address)
        self._handles = {fold_word(handle).lstrip("@") for handle in school.handles}
        self._births = births
        known = [int(birth[:4]) for birth in births if birth[:4].isdigit()]
        first, last = (min(known), max(known)) if known else _BIRTHS
        self._birth_years = (
            {str(year) for year in range(first, last + 1)} if last - first < _SPAN else set(map(str, known))
        )
        self._staff_words = frozenset(word for word in staff_words if len(word) > 4)  # noqa: PLR2004
        self._links = Links(school)
        self._checks: dict[str, Callable[[Passage, re.Match[str]], bool]] = {
            "": lambda _passage, _match: True,
            "phone": self._is_phone,
            "email": self._is_email,
            "postcode": self._is_postcode,
            "address": self._is_address,
            "capital-address": self._is_capital_address,
            "child-birth": self._is_child_birth,
            "handle": self._is_handle,
            "named-handle": self._is_named_handle,
        }

    def find(self, passage: Passage, named: list[tuple[int, int]]) -> Iterator[Detail]:
        """Every contact detail and unsafe link. `named` are the spans where pupils are named."""
        text = passage.text
        for pattern in patterns():
            for match in pattern.regex.finditer(text):
                if pattern.check == "link":
                    verdict = self._links.judge(passage.folded, match.start(), match.end())
                    if verdict is not None:
                        yield Detail(verdict.rule, match.start(), verdict.end, verdict.severity)
                elif self._checks[pattern.check](passage, match):
                    yield Detail(pattern.rule, match.start(), match.end())
        yield from self._dates(passage, named)

    def own_spans(self, passage: Passage) -> Iterator[tuple[int, int]]:
        """The school's own address, so that no other rule stumbles over it."""
        if self._address:
            at = passage.text.find(self._address)
            if at >= 0:
                yield at, at + len(self._address)

    # -- one check per shape -----------------------------------------------------------------------------------

    @staticmethod
    def _national(phone: str) -> str:
        digits = re.sub(r"\D", "", fold_word(phone).translate(_DIGITS).replace("(0)", ""))
        digits = digits.removeprefix("00")
        return "0" + digits[2:].lstrip("0") if digits.startswith("44") else digits

    def _is_phone(self, _passage: Passage, match: re.Match[str]) -> bool:
        found = match[0]
        if sum(char.isdigit() for char in found) < 6 or re.match(r"\D?\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b", found):  # noqa: PLR2004
            return False
        if len(re.findall(r"(?<!\d)\d{1,2}[.:]\d{2}(?!\d)", found)) > 1:
            return False
        number = self._national(found)
        return number not in self._phones and not number.startswith(_HELPLINES) and len(number) >= 10  # noqa: PLR2004

    def _is_email(self, _passage: Passage, match: re.Match[str]) -> bool:
        plain = re.sub(r"\s?[(\[{]\s?at\s?[)\]}]\s?| at ", "@", match[0])
        plain = re.sub(r"\s?[(\[]\s?dot\s?[)\]]\s?| dot ", ".", plain).replace(" ", "")
        local, _, domain = plain.partition("@")
        if plain in self._emails or any(domain == own or domain.endswith("." + own) for own in self._domains):
            return False
        return local not in _ROLES

    def _is_postcode(self, passage: Passage, match: re.Match[str]) -> bool:
        code = match[0].replace(" ", "")
        if code in self._postcodes or code[-2:] in {"st", "nd", "rd", "th"} or code.startswith("ks"):
            return False
        raised = [passage.folded.is_upper(at) for at in range(match.start(), match.end()) if passage.text[at].isalpha()]
        if all(raised):
            return not re.match(r"y\d", code)
        return code[1].isalpha() and " " in match[0] and not any(raised)

    def _own_address(self, found: str) -> bool:
        return bool(self._address) and found in self._address

    def _is_address(self, passage: Passage, match: re.Match[str]) -> bool:
        if self._own_address(match[0]) or re.search(
            r"\b(?:year|y|class|age|aged|route|bus|page|chapter|unit|stage|ks) ?$",
            passage.text[max(0, match.start() - 8) : match.start()],
        ):
            return False
        words = [word for word in passage.words_in(match.start(), match.end()) if passage.words[word][0].isalpha()]
        if len(words) < 2:  # noqa: PLR2004
            return False
        names = [passage.words[word] for word in words]
        if any(name in _NOT_STREETS for name in names):
            return False
        if all(passage.capital[word] or passage.words[word] in {"the", "s"} for word in words):
            return True
        return not any(passage.capital[word] for word in words) and len(words) == 2 and names[-1] in _STREETS  # noqa: PLR2004

    def _is_capital_address(self, passage: Passage, match: re.Match[str]) -> bool:
        if self._own_address(match[0]):
            return False
        words = passage.words_in(match.start(), match.end())
        return passage.capital[words.stop - 1] and any(passage.words[word] not in _NOT_STREETS for word in words)

    def _is_child_birth(self, _passage: Passage, match: re.Match[str]) -> bool:
        year = re.search(r"(\d{4}|\d{2})$", match[0])
        return bool(year) and any(birth.endswith(year[1]) for birth in self._birth_years) if year else False

    def _is_handle(self, passage: Passage, match: re.Match[str]) -> bool:
        handle = match[0][1:].rstrip(".")
        if handle in self._handles or _PUBLIC_HANDLE.search(handle):
            return False
        if any(word in handle for word in self._staff_words):
            return True
        words = passage.words_in(match.start(), match.end())
        first, last = passage.sentences[passage.sentence[words.start]] if len(words) else (0, 0)
        return any(passage.words[word] in _PERSONAL for word in range(first, min(last, first + 60)))

    @staticmethod
    def _is_named_handle(_passage: Passage, match: re.Match[str]) -> bool:
        tail = re.split(r"[\s:=]", match[0])[-1]
        return bool(re.search(r"[\d_@]|\w\.\w", tail))

    def _dates(self, passage: Passage, named: list[tuple[int, int]]) -> Iterator[Detail]:
        """A date that is some pupil's date of birth, where birth is spoken of or a pupil is named."""
        text = passage.text
        for match in _DATE.finditer(text):
            day, month, year = match[1] or match[6] or match[7], match[2] or match[5], match[3] or match[4] or match[9]
            number = _MONTHS.index(match[8]) + 1 if match[8] else int(month)
            full = year if len(year) == 4 else f"20{year}"  # noqa: PLR2004
            born = f"{full}-{number:02d}-{int(day):02d}"
            if full not in self._birth_years:
                continue
            around = text[max(0, match.start() - 80) : match.end() + 60]
            close = any(start < match.end() + 80 and match.start() - 80 < end for start, end in named)
            if (born in self._births and (close or _BIRTH.search(around))) or (close and _BIRTH.search(around)):
                yield Detail("contact-dob", match.start(), match.end())
