"""What a platform's answer means for the next step. Callers catch these, never a library's error.

ChannelError
├── ChannelBusy                try again later; nothing was posted
│   ├── NotSent                no connection came about, so not one byte left
│   ├── RateLimited            too many calls for now; `retry_at` says when
│   └── PlatformUnavailable    a call that cannot publish (reading, uploading, removing) got no proper answer
├── ChannelRefused             stop, a person must look; nothing was posted
│   ├── AuthenticationFailed   the keys are not, or no longer, valid
│   ├── PermissionDenied       the keys are valid but may not do this
│   ├── QuotaExhausted         the school's credit with the platform is used up
│   ├── ContentRejected        the text or a picture is not acceptable to the platform
│   ├── AccountRestricted      the platform has limited the account
│   ├── UnsupportedApiVersion  the platform no longer speaks this version
│   └── PostNotFound           there is no such post (any more)
└── ChannelUnclear             it may have happened: look before repeating
    ├── OutcomeUnknown         the posting call was sent and not properly answered
    └── DuplicateContent       the platform says it has this post already; `existing_id` where it names it

The text of an error is a sentence for a person. What the platform said stands in `detail`, with every secret taken out.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from gatekeeper.errors import GatekeeperError


class Applied(StrEnum):
    """What is known about the effect of the call that failed."""

    NOT_APPLIED = "not_applied"
    UNKNOWN = "unknown"


class ChannelError(GatekeeperError):
    """A platform did not do as asked; the class decides what follows."""

    applied: ClassVar[Applied] = Applied.UNKNOWN
    sentence: ClassVar[str] = "{platform} did not do as asked."

    def __init__(
        self,
        *,
        platform: str,
        operation: str,
        http_status: int | None = None,
        code: int | None = None,
        subcode: int | None = None,
        detail: str = "",
        request_id: str | None = None,
        retry_at: datetime | None = None,
        existing_id: str | None = None,
    ) -> None:
        self.platform = platform
        self.operation = operation
        self.http_status = http_status
        self.code = code
        self.subcode = subcode
        self.detail = detail
        self.request_id = request_id
        self.retry_at = retry_at
        self.existing_id = existing_id
        super().__init__(self.sentence.format(platform=platform))


class ChannelBusy(ChannelError):
    """Try again later: nothing was posted."""

    applied = Applied.NOT_APPLIED
    sentence = "{platform} is busy. Nothing was posted; it will be tried again."


class NotSent(ChannelBusy):
    """No connection came about, so not one byte of the call left this computer."""

    sentence = "{platform} could not be reached. Nothing was posted; it will be tried again."


class RateLimited(ChannelBusy):
    """The platform asks to wait until `retry_at`."""

    sentence = "{platform} asks to wait, because there were too many calls. Nothing was posted; it will be tried again."


class PlatformUnavailable(ChannelBusy):
    """A call that cannot publish anything got no proper answer, so it may simply be repeated."""

    sentence = "{platform} did not answer properly. Nothing was posted; it will be tried again."


class ChannelRefused(ChannelError):
    """Stop: nothing was posted, and repeating will not help until a person has looked."""

    applied = Applied.NOT_APPLIED
    sentence = "{platform} refused. Nothing was posted; somebody must look at it."


class AuthenticationFailed(ChannelRefused):
    """The keys are not, or no longer, valid for the account."""

    sentence = "{platform} does not accept the school's keys for this account. An administrator must connect it again."


class PermissionDenied(ChannelRefused):
    """The keys are valid but do not allow this."""

    sentence = "{platform} does not allow this with the school's keys. An administrator must check what they permit."


class QuotaExhausted(ChannelRefused):
    """The credit bought from the platform is used up."""

    sentence = "The school's credit with {platform} is used up. An administrator must top it up."


class ContentRejected(ChannelRefused):
    """The platform does not accept the text or a picture as it is."""

    sentence = "{platform} did not accept this text or one of its pictures. The author must change it."


class AccountRestricted(ChannelRefused):
    """The platform has limited what the account may do."""

    sentence = "{platform} has restricted the account. An administrator must sign in there and see why."


class UnsupportedApiVersion(ChannelRefused):
    """The platform no longer speaks the version we ask for."""

    sentence = (
        "{platform} no longer supports the way Gatekeeper speaks to it. An administrator must update the version."
    )


class PostNotFound(ChannelRefused):
    """There is no such post, or not any more."""

    sentence = "{platform} has no such post, or not any more."


class ChannelUnclear(ChannelError):
    """It may have happened: the timeline must be looked at before anything is repeated."""

    applied = Applied.UNKNOWN
    sentence = "It is not clear whether {platform} published this. Nothing is repeated until that is known."


class OutcomeUnknown(ChannelUnclear):
    """The posting call was sent, and what came back does not say whether it took effect."""


class DuplicateContent(ChannelUnclear):
    """The platform says it has this post already; that proves neither which post nor whose."""

    sentence = "{platform} says this was already posted. Nothing is repeated until somebody has looked."
