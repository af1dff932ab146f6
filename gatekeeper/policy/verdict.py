"""What still stands between a post and the headteacher.

Allow-list logic: every face must be positively cleared and every photo scanned; what is not known blocks. A finding
about the words may go to the headteacher with the author's reason, a face never may: nobody can approve a child whose
family was not asked, and a mark "never publish" beats everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from gatekeeper.errors import GatekeeperError

SURE_SCORE: Final = 0.8  # a detector this sure is overruled by two people, never by the author alone

#: the rule of a finding that nobody may allow begins like this: it names a pupil with a mark "never publish"
NEVER: Final = "never-"
NOBODY_CAN: Final = "Nobody can allow this."

ItemKind = Literal["face", "photo", "channel", "finding", "held"]


class NotClear(GatekeeperError):
    """Something is still open, so it cannot go to the headteacher. `reasons` holds every sentence."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, kw_only=True)
class FaceFacts:
    """One box and what is known of it.

    Attributes:
        number: its number on its photo, as the page shows it.
        answers: for a pupil, the register's answer per chosen kind of channel as (allowed, sentence).
        inside: whether any of it lies in what will be published.
        by_hand: a person drew it, so it is a face whatever a detector says.
        second_look: a second person has looked at it and saw no face.
    """

    id: int
    photo: int
    number: int
    state: str
    words: str = ""
    answers: tuple[tuple[bool, str], ...] = ()
    score: float = 1.0
    inside: bool = True
    by_hand: bool = False
    second_look: bool = False


@dataclass(frozen=True, kw_only=True)
class PhotoFacts:
    """One photo: scanned in full or not, and who its author says is in it."""

    id: int
    number: int
    scanned: bool
    rendered: bool
    problem: str = ""
    declared_pupils: bool = False
    faces: tuple[FaceFacts, ...] = ()

    @property
    def shows_pupils(self) -> bool:
        """Whether a pupil is, or may be, recognisable in it."""
        return self.declared_pupils or any(face.inside and face.state == "pupil" for face in self.faces)


@dataclass(frozen=True, kw_only=True)
class FindingFacts:
    """One finding about the words."""

    id: int
    severity: str
    state: str
    rule: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ChannelFacts:
    """One chosen channel: whether it is open, and declared the school's own."""

    id: int
    kind: str
    name: str
    open: bool
    declared_own: bool


@dataclass(frozen=True, kw_only=True)
class PostFacts:
    """Everything the verdict is drawn from."""

    photos: tuple[PhotoFacts, ...] = ()
    findings: tuple[FindingFacts, ...] = ()
    channels: tuple[ChannelFacts, ...] = field(default=())
    held: str = ""  # a child in it may be named no more: the sentence that says so, to its author


@dataclass(frozen=True, kw_only=True)
class OpenItem:
    """One thing still to be done, in a sentence; `can_override` where the headteacher may be asked to allow it."""

    kind: ItemKind
    id: int
    sentence: str
    can_override: bool = False


def face_against(face: FaceFacts) -> str | None:
    """Why this face blocks, or None when it is cleared."""
    if not face.inside or face.state == "covered":
        return None
    why = _face_reason(face)
    return f"Face {face.number} in photo {face.photo}: {why}" if why else None


def _face_reason(face: FaceFacts) -> str:
    who = "say who this is, or cover it."
    if face.state in {"staff", "adult"}:
        return "" if face.words.strip() else who
    if face.state == "not_a_face":
        sure = face.by_hand or (face.score >= SURE_SCORE and not face.second_look)
        return "this is a face; say who it is, or cover it." if sure else ""
    if face.state != "pupil":
        return who
    if not face.answers:
        return "the register has no answer for this pupil here. Cover it or crop it away."
    against = dict.fromkeys(sentence for allowed, sentence in face.answers if not allowed)
    return f"{' '.join(against)} Cover it or crop it away." if against else ""


def finding_against(finding: FindingFacts) -> str | None:
    """Why this finding about the words is still open, or None."""
    if finding.severity == "advice":
        return None
    if finding.severity == "justify":
        return None if finding.state in {"answered", "override"} else f"Give a reason: {finding.message}"
    if finding.state == "override" and can_ask_override(finding):
        return None
    return finding.message


def can_ask_override(finding: FindingFacts) -> bool:
    """Whether the headteacher may be asked to allow this."""
    return is_overridable(finding.severity, finding.rule)


def is_overridable(severity: str, rule: str) -> bool:
    """Findings that block may be put to the headteacher, but none that stands for a mark "never publish"."""
    return severity == "block" and not rule.startswith(NEVER)


def is_pupil_name(rule: str) -> bool:
    """Whether a finding under this rule says that a pupil is named."""
    return rule.removeprefix(NEVER).startswith("pupil-name")


def open_items(facts: PostFacts) -> list[OpenItem]:
    """Everything that is still open, in the order a person works through it."""
    items: list[OpenItem] = []
    for photo in facts.photos:
        items += _of_photo(photo)
    if any(photo.shows_pupils for photo in facts.photos):
        items += [
            OpenItem(
                kind="channel",
                id=channel.id,
                sentence=f"The headteacher has not opened {channel.name} as the school's own page, "
                "so no photo with pupils may go there.",
            )
            for channel in facts.channels
            if not (channel.open and channel.declared_own)
        ]
    for finding in facts.findings:
        if sentence := finding_against(finding):
            items.append(
                OpenItem(kind="finding", id=finding.id, sentence=sentence, can_override=can_ask_override(finding))
            )
    if facts.held:
        items.append(OpenItem(kind="held", id=0, sentence=facts.held))
    return items


def _of_photo(photo: PhotoFacts) -> list[OpenItem]:
    if not photo.scanned or photo.problem:
        why = photo.problem or "It has not been looked at yet."
        return [OpenItem(kind="photo", id=photo.id, sentence=f"Photo {photo.number} could not be checked. {why}")]
    if not photo.rendered:
        return [
            OpenItem(kind="photo", id=photo.id, sentence=f"Photo {photo.number} was changed and is not checked again.")
        ]
    return [
        OpenItem(kind="face", id=face.id, sentence=sentence)
        for face in photo.faces
        if (sentence := face_against(face)) is not None
    ]


def check_can_send(facts: PostFacts) -> None:
    """Raise NotClear with every reason against sending it to the headteacher, or return."""
    if items := open_items(facts):
        raise NotClear([item.sentence for item in items])


def can_send(facts: PostFacts) -> bool:
    """Whether nothing is open, so that it may go to the headteacher."""
    return not open_items(facts)
