"""The last gate: may exactly these bytes go to exactly this account at this instant?

It is asked in the transaction that writes the attempt down, right before the one call that publishes. Facts are
gathered afresh each time; nothing is remembered from the approval but the decision itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gatekeeper.errors import GatekeeperError


class GateClosed(GatekeeperError):
    """It may not go out. `reasons` holds every sentence against it."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, kw_only=True)
class GateFacts:
    """What is true at the instant of publishing.

    Attributes:
        digest_stored: computed now from the stored canonical content.
        digest_version, digest_publication, digest_decided: as recorded when sealed, scheduled and decided.
        approver_entitled: whoever decided had the right to, at the moment of deciding.
        photos_decided, photos_in_hand: SHA-256 of each picture as approved, and of the buffers about to be sent.
        post_against: a sentence for each thing that holds the post itself, whatever its version says.
        faces_against: a sentence for each face that is not positively cleared for this channel today.
        takedown_stands: its removal from this channel is ordered and not over.
    """

    now: datetime
    due: datetime
    closes: datetime
    digest_stored: str
    digest_version: str
    digest_publication: str
    digest_decided: str | None
    verdict: str | None
    decision_in_force: bool
    approver_is_author: bool
    approver_entitled: bool
    is_current_version: bool
    photos_decided: Sequence[str]
    photos_in_hand: Sequence[str]
    account_decided: str | None
    account_now: str
    channel_declared_own: bool
    post_against: Sequence[str]
    faces_against: Sequence[str]
    takedown_stands: bool


def reasons_against(facts: GateFacts) -> list[str]:
    """Every sentence against publishing; empty means it may go out."""
    digests = {facts.digest_stored, facts.digest_version, facts.digest_publication, facts.digest_decided}
    checks = [
        (facts.digest_decided is None or facts.verdict != "approve", "There is no written approval of this version."),
        (not facts.decision_in_force, "The approval was taken back."),
        (len(digests) != 1, "The content is not what the headteacher approved."),
        (facts.approver_is_author, "The author approved it, which nobody may do for their own post."),
        (not facts.approver_entitled, "Whoever approved it had no right to decide at that moment."),
        (not facts.is_current_version, "The post was edited after it was approved."),
        (
            list(facts.photos_decided) != list(facts.photos_in_hand),
            "A photo's bytes are not those the headteacher approved.",
        ),
        (facts.account_decided != facts.account_now, "The account is not the one the headteacher approved."),
        (not facts.channel_declared_own, "The headteacher has not opened this channel as the school's own."),
        (facts.takedown_stands, "It was ordered to be taken down from this channel."),
        (facts.now < facts.due, "Its time has not come."),
        (facts.now > facts.closes, "Its approved window is over."),
    ]
    return [sentence for against, sentence in checks if against] + [*facts.post_against, *facts.faces_against]


def check_can_publish(facts: GateFacts) -> None:
    """Raise GateClosed with every reason against, or return."""
    if reasons := reasons_against(facts):
        raise GateClosed(reasons)


def can_publish(facts: GateFacts) -> bool:
    """Whether nothing stands against publishing."""
    return not reasons_against(facts)
