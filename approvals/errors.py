"""The errors of the approval room. Each carries one calm sentence that may be shown to the person who asked.

ApprovalError
├── LinkRefused              the e-mailed link opens nothing
│   ├── LinkUnknown          no such link, or not all of it
│   ├── LinkExpired          its time is over
│   └── LinkSpent            the question is settled; carries the outcome as a sentence
├── DeciderRefused           this person may not decide this
│   ├── NotTheApprover       not the person asked, or no longer entitled
│   ├── StaysWithTheHead     a deputy is not enough for this one; carries why
│   └── AuthorCannotDecide   nobody approves their own post
├── QuestionClosed           the request takes no decision any more
│   ├── AlreadyDecided       carries the decision on record
│   └── RequestClosed        void or expired; carries the reason
├── ProofRefused             the second proof is not there
│   ├── ProofMissing         none was given for this request in the last ten minutes
│   ├── ProofWrong           carries how many tries are left
│   ├── ProofLocked          too many wrong tries
│   ├── PasskeyRefused       what a passkey answered does not count; carries what was wrong
│   ├── SignatureMissing     an approval by passkey is not signed by it yet
│   └── PinUnusable          this PIN cannot be chosen
├── WordsMissing             the decision is not written out
│   ├── StatementMissing     the statement or the typed name is missing; carries the field
│   ├── FindingUnanswered    carries the findings without an answer
│   └── AnswersAlike         different findings got the same sentence; carries them
├── NobodyCanAllow           something in it can be allowed by nobody
├── AppointmentRefused       this deputy cannot be named like this; carries the field
├── DigestMismatch           what was shown is not what is asked about
├── NothingToWithdraw        only an approval can be withdrawn
├── RecoveryRefused          a second proof cannot be chosen anew like this, or not yet
├── LedgerBroken             the records contradict each other, so nothing may rest on them
└── LedgerUnsigned           this process may not write into the ledger
"""

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the tables import nothing from here, but errors must stay loadable without a database library
    from approvals.tables import Decision


class ApprovalError(Exception):
    """Something was refused. The text is a sentence that may be shown to the person who asked."""


class LinkRefused(ApprovalError):
    """The link opens nothing."""


class LinkUnknown(LinkRefused):
    """There is no such link, or a part of it was lost on the way."""

    def __init__(self) -> None:
        super().__init__(
            "This link is not one we know. Please open it from the e-mail again; if it was cut off, copy the whole line."
        )


class LinkExpired(LinkRefused):
    """The link's time is over; nothing was decided through it."""

    def __init__(self, when: str) -> None:
        super().__init__(f"This link ended on {when}. Nobody decided by then, so nothing was published.")


class LinkSpent(LinkRefused):
    """The question behind the link is settled. `outcome` says how, in one sentence."""

    def __init__(self, outcome: str, *, request_id: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.request_id = request_id


class DeciderRefused(ApprovalError):
    """This person may not decide this."""


class NotTheApprover(DeciderRefused):
    """The person is not the one asked, or may not decide any longer."""

    def __init__(self) -> None:
        super().__init__("This decision was asked of somebody else, or you no longer have the right to make it.")


class StaysWithTheHead(DeciderRefused):
    """A deputy may not decide this one. The sentence says why."""

    def __init__(self, sentence: str = "Only the headteacher may decide about this post.") -> None:
        super().__init__(sentence)


class AuthorCannotDecide(DeciderRefused):
    """Nobody approves their own post."""

    def __init__(self) -> None:
        super().__init__("You wrote this post, so somebody else has to decide about it.")


class QuestionClosed(ApprovalError):
    """The request takes no decision any more."""


class AlreadyDecided(QuestionClosed):
    """There is a decision on record. `decision` is that record; the sentence says what it was."""

    def __init__(self, outcome: str, *, decision: "Decision") -> None:
        super().__init__(outcome)
        self.decision = decision


class RequestClosed(QuestionClosed):
    """The request was closed without a decision. `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProofRefused(ApprovalError):
    """The second proof is not there."""


class ProofMissing(ProofRefused):
    """No valid proof stands for this view of this request."""

    def __init__(self, sentence: str = "Please enter your PIN. It counts for ten minutes, for this post only.") -> None:
        super().__init__(sentence)


class ProofWrong(ProofRefused):
    """The PIN was wrong. `tries_left` says how often it may still be tried."""

    def __init__(self, tries_left: int, *, malformed: bool = False) -> None:
        tries = "1 try" if tries_left == 1 else f"{tries_left} tries"
        what = "A PIN has six digits." if malformed else "That PIN is not right."
        super().__init__(f"{what} You have {tries} left.")
        self.tries_left = tries_left


class ProofLocked(ProofRefused):
    """The PIN was wrong too often and takes no more tries."""

    def __init__(self) -> None:
        super().__init__(
            "Your PIN is locked after five wrong tries. A passkey of yours still works. Or sign in: there you have five "
            "more tries with the same PIN."
        )


class PasskeyFault(Enum):
    """What can be wrong with what a passkey answered, each with its sentence."""

    UNREADABLE = "What your browser sent is no passkey's answer. Reload the page and try again, or use your PIN."
    UNKNOWN = "This passkey is not one of yours here, or it was ended. Use another one, or your PIN."
    ELSEWHERE = (
        "The passkey answered at another address than this site's own. Open the site at its own address, and tell the "
        "school office if a link brought you here."
    )
    UNSIGNED = "What the passkey signed does not check out. Nothing was accepted; try again, or use your PIN."
    UNVERIFIED = (
        "The passkey did not check that it is you, by your fingerprint, your face or its own PIN. Switch that on in "
        "your device, or use another passkey."
    )
    STALE = "That answer of your passkey was used already, or took longer than five minutes. Please press once more."
    COPIED = (
        "This passkey counted backwards, which happens when somebody made a copy of it. For safety it is ended and "
        "takes no more answers. Use another passkey or your PIN, and tell your administrator."
    )
    TAKEN = "This passkey is known here already, or you have ten. End one first, or take another device."


class PasskeyRefused(ProofRefused):
    """What a passkey answered does not count. `fault` says what was wrong."""

    def __init__(self, fault: PasskeyFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class SignatureMissing(ProofRefused):
    """The person proved themselves by a passkey, and it has not signed exactly this approval."""

    def __init__(self) -> None:
        super().__init__("To approve, your passkey has to sign exactly this version. Press Approve and confirm it.")


class PinUnusable(ProofRefused):
    """This PIN cannot be chosen; the sentence says why."""


class WordsMissing(ApprovalError):
    """The decision is not written out."""


class StatementMissing(WordsMissing):
    """The statement or the typed name is missing or too short. `field` names which."""

    def __init__(self, sentence: str, *, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class FindingUnanswered(WordsMissing):
    """Blocked findings have no answer. `finding_ids` names them in the order they were asked."""

    def __init__(self, finding_ids: Sequence[str]) -> None:
        many = len(finding_ids)
        what = "One blocked finding has" if many == 1 else f"{many} blocked findings have"
        super().__init__(f"{what} no answer yet. To approve, please answer each in a sentence of your own.")
        self.finding_ids = tuple(finding_ids)


class AnswersAlike(WordsMissing):
    """Different findings were answered with the same sentence. `finding_ids` names those, in the order of the page."""

    def __init__(self, finding_ids: Sequence[str]) -> None:
        super().__init__(
            "These are different points, and the same words stand under each. Please say about each one why it may stand."
        )
        self.finding_ids = tuple(finding_ids)


class NobodyCanAllow(ApprovalError):
    """Something in it can be allowed by nobody, so a yes is not recorded whatever is written."""

    def __init__(self) -> None:
        super().__init__(
            "Something in this post can be allowed by nobody, so it cannot be approved. Please ask for changes."
        )


class AppointmentRefused(ApprovalError):
    """A deputy cannot be named like this. `field` names what has to be different."""

    def __init__(self, sentence: str, *, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class DigestMismatch(ApprovalError):
    """What was shown is not what is asked about."""

    def __init__(self) -> None:
        super().__init__("The post is not the one your page showed. Nothing was decided; please read it again.")


class NothingToWithdraw(ApprovalError):
    """Only an approval can be withdrawn."""

    def __init__(self) -> None:
        super().__init__("Only an approval can be withdrawn, and this decision is not one.")


class RecoveryRefused(ApprovalError):
    """A second proof cannot be chosen anew like this, or not yet. The sentence says why."""


class LedgerBroken(ApprovalError):
    """The records contradict each other. Nothing may be published on them."""


class LedgerUnsigned(ApprovalError):
    """This process holds no key of the ledger, or another one than the ledger's. Nothing is written."""
