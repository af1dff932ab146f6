"""What each kind of channel takes, and what a post needs before it may be sent for checking.

The numbers are the smallest that every platform keeps to; a test holds them against the channels' own. Each refusal is
a sentence that names the field it is about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal


@dataclass(frozen=True, kw_only=True)
class ChannelLimits:
    """What one kind of channel takes. `weighted` means that X's own way of counting applies."""

    label: str
    text: int
    weighted: bool = False
    escaped: bool = False  # signs with a meaning of their own there count twice, and a hashtag as what it is written as
    cashtags: int | None = None  # how many "$ABC" it takes
    asks_no_mentions: bool = False  # whether it may refuse a post by a program that names another account
    price: str = ""  # what one post costs, and what one with a link costs
    price_with_link: str = ""


#: what a platform charges, in thousandths of a US dollar: a post, one with a link, and each post that is read back
PRICES: Final[Mapping[str, Mapping[str, int]]] = {
    "x": {"post": 15, "link_post": 200, "read": 1},  # pay per use, as X has charged since February 2026
}


def dollars(thousandths: int) -> str:
    """A price as people write it: cents, and the tenths of a cent only where there are any."""
    whole, part = divmod(thousandths, 1000)
    return f"${whole:,}.{part:03}".removesuffix("0")


LIMITS: Final[Mapping[str, ChannelLimits]] = {
    "x": ChannelLimits(
        label="X",
        text=280,
        weighted=True,
        cashtags=1,
        asks_no_mentions=True,
        price=dollars(PRICES["x"]["post"]),
        price_with_link=dollars(PRICES["x"]["link_post"]),
    ),
    "facebook": ChannelLimits(label="Facebook", text=5_000),
    "linkedin": ChannelLimits(label="LinkedIn", text=3_000, escaped=True),
}
MAX_PHOTOS: Final = 4
MAX_ALT: Final = 1_000
MAX_BASIS: Final = 300
MAX_TITLE: Final = 120
MAX_TYPED: Final = 20_000  # more than any channel takes, so that a text that is too long can still be kept and cut
WINDOWS: Final[Mapping[int, str]] = {
    30: "30 minutes",
    60: "1 hour",
    120: "2 hours",
    240: "4 hours",
    720: "12 hours",
}
USUAL_WINDOW: Final = 120
NOTICE: Final = timedelta(minutes=5)  # less leaves the headteacher no time to read
FURTHEST: Final = timedelta(days=366)
_NO_SIGNS: Final = (
    "\ufffe\ufeff\uffff\u202d\u202e"  # the last two turn words round, so that people read what no check does
)
PEOPLE: Final[Mapping[str, str]] = {
    "none": "Nobody",
    "pupils": "Pupils",
    "adults": "Adults only",
    "both": "Pupils and adults",
}


def label_of(kind: str) -> str:
    """The channel kind's name as staff know it."""
    return LIMITS[kind].label if kind in LIMITS else kind


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A text as channels measure it.

    Attributes:
        counts: its length as each chosen kind of channel counts it.
        empty: whether there are no words at all.
        links: how many addresses of pages are in it.
        mentions: the accounts it names, as typed.
        repeated: whether the very same words were published before.
        cashtags: the share symbols it names, as typed.
        unprintable: whether it holds a sign that nobody sees and platforms refuse or drop.
    """

    counts: Mapping[str, int]
    empty: bool = False
    links: int = 0
    mentions: tuple[str, ...] = ()
    cashtags: tuple[str, ...] = ()
    unprintable: bool = False
    repeated: bool = False


@dataclass(frozen=True, kw_only=True)
class LimitFinding:
    """One thing a channel has to say about a post, before anybody is asked to approve it.

    Attributes:
        severity: "todo" for what is only not written yet, "block" for what cannot be sent, "advice" for what may stand.
        field: "text", "images" or "images[0].alt".
    """

    rule: str
    severity: Literal["todo", "block", "advice"]
    field: str
    sentence: str


def text_findings(measure: Measure, *, photos: int) -> tuple[LimitFinding, ...]:
    """Everything the chosen channels have to say about a text that goes out with so many photos."""
    found = []
    for kind, count in measure.counts.items():
        limit = LIMITS[kind]
        if measure.empty and not photos:
            found.append(_of_text("todo", "limit-empty", f"A post on {limit.label} needs words or a photo."))
        if count > limit.text:
            found.append(_of_text("block", "limit-length", _too_long(limit, count - limit.text)))
        if limit.cashtags is not None and len(measure.cashtags) > limit.cashtags:
            said = f"{limit.label} takes one “$” tag at most; this has {len(measure.cashtags)}."
            found.append(_of_text("block", "limit-cashtags", said))
        if limit.asks_no_mentions and measure.mentions:
            said = f"{limit.label} may refuse a post that names another account: {', '.join(measure.mentions)}."
            found.append(_of_text("advice", "limit-mentions", said))
        if limit.price_with_link and measure.links:
            many = "a link" if measure.links == 1 else f"{measure.links} links"
            said = f"With {many} this costs about {limit.price_with_link} on {limit.label}; without, {limit.price}."
            found.append(_of_text("advice", "limit-link-price", said))
    if measure.repeated and measure.counts and not measure.empty:
        said = "These very words were published before. A platform may refuse them a second time."
        found.append(_of_text("advice", "limit-repeated", said))
    if measure.unprintable:
        said = "The text holds an invisible sign that channels do not accept. Please type it again."
        found.append(_of_text("block", "limit-unprintable", said))
    return tuple(found)


def text_sentence(measure: Measure, *, photos: int) -> str | None:
    """Why a text cannot be sent, or None."""
    if measure.empty and not photos:
        return "Write the text of the post, or add a photo."
    blocking = [found.sentence for found in text_findings(measure, photos=photos) if found.severity == "block"]
    return " ".join(blocking) or None


def photos_sentence(photos: int) -> str | None:
    """Why so many photos cannot be sent, or None."""
    return f"A post takes {MAX_PHOTOS} photos at most." if photos > MAX_PHOTOS else None


def photo_findings(alts: Sequence[str]) -> tuple[LimitFinding, ...]:
    """Everything the channels have to say about the photos and what is written about them."""
    found = []
    if said := photos_sentence(len(alts)):
        found.append(LimitFinding(rule="limit-photos", severity="block", field="images", sentence=said))
    for index, alt in enumerate(alts):
        if said := alt_sentence(alt, index + 1):
            severity: Literal["todo", "block"] = "block" if alt.strip() else "todo"
            field = f"images[{index}].alt"
            found.append(LimitFinding(rule="limit-alt", severity=severity, field=field, sentence=said))
    return tuple(found)


def alt_sentence(alt: str, number: int) -> str | None:
    """Why an alternative text cannot stand, or None."""
    if not alt.strip():
        return f"Describe photo {number} in words for people who cannot see it."
    length = alt_length(alt)
    if length > MAX_ALT:
        return f"The description of photo {number} has {length:,} characters; {MAX_ALT:,} is the most."
    if has_unprintable(alt):
        return f"The description of photo {number} holds an invisible sign. Please type it again."
    return None


def alt_length(alt: str) -> int:
    """A description's length as browsers and platforms count it: most emoji are two."""
    return len(alt.encode("utf-16-le", "surrogatepass")) // 2


def has_unprintable(text: str) -> bool:
    """Whether a text holds a sign without meaning, which platforms refuse or silently drop."""
    return any(_is_unprintable(sign) for sign in text)


def _is_unprintable(sign: str) -> bool:
    return (sign < " " and sign not in "\n\r\t") or sign in _NO_SIGNS or "\ud800" <= sign <= "\udfff"


def _of_text(severity: Literal["todo", "block", "advice"], rule: str, sentence: str) -> LimitFinding:
    return LimitFinding(rule=rule, severity=severity, field="text", sentence=sentence)


def _too_long(limit: ChannelLimits, over: int) -> str:
    many = f"{over:,} character{'s' if over != 1 else ''}"
    return f"The text is {many} too long for {limit.label}, which takes {limit.text:,}."


def declaration_sentences(people: str, basis: str, number: int) -> dict[str, str]:
    """What is missing in the author's declaration about one photo, by `people` and `basis`."""
    if people not in PEOPLE:
        return {"people": f"Say who is in photo {number}."}
    if people != "none" and not basis.strip():
        return {"basis": f"Say on what basis the people in photo {number} may be shown."}
    if len(basis) > MAX_BASIS:
        return {"basis": f"The basis given for photo {number} is longer than {MAX_BASIS} characters."}
    return {}


def due_sentence(due: datetime, *, now: datetime, notice: timedelta = NOTICE) -> str | None:
    """Why this moment cannot be chosen, or None."""
    if due <= now:
        return "This time has passed. Choose a time that is still to come."
    if due < now + notice:
        minutes = int(notice.total_seconds() // 60)
        return f"Choose a time at least {minutes} minutes from now, so that the headteacher can read it."
    if due > now + FURTHEST:
        return "This time is more than a year away. Check the year."
    return None


def channel_sentence(statuses: Sequence[tuple[str, str]]) -> str | None:
    """Why these channels, as (name, status), cannot be chosen, or None."""
    if not statuses:
        return "Choose at least one channel."
    closed = [name for name, status in statuses if status != "open"]
    if closed:
        return f"{' and '.join(closed)} cannot be used now: the headteacher has not opened it, or it was closed again."
    return None
