"""The second proof in a form: what was typed, and what a page offers to type. `templates/web/second_proof.html` draws it.

offer = offered(person().id, "deputy")
{% from "web/second_proof.html" import second_proof with context %}   {{ second_proof(offer) }}
step_up.confirm(services(), person().id, typed_proof(), action="deputy")
"""

from dataclasses import dataclass
from typing import Final

from flask import request

from approvals import proofs
from gatekeeper.web.access import services
from gatekeeper.workflow.step_up import Proof

_LONGEST: Final = 20_000  # characters; what a passkey signs has about two thousand


@dataclass(frozen=True, kw_only=True)
class ProofOffer:
    """How a person can prove on this page that it is them.

    Attributes:
        action: what it is for.
        passkey: whether a passkey can be used on this page.
        pin: whether a PIN is accepted.
        sentence: why neither or only the second can be used; empty where there is nothing to say.
        error: what was wrong with the last try, for the page that is shown again.
    """

    action: str
    passkey: bool
    pin: bool
    sentence: str = ""
    error: str = ""

    @property
    def possible(self) -> bool:
        """Whether this person can prove anything here."""
        return self.passkey or self.pin


def typed_proof() -> Proof:
    """What the form's proof fields hold."""
    return Proof(pin=request.form.get("pin", "")[:20], assertion=request.form.get("assertion", "")[:_LONGEST])


def offered(person_id: int, action: str, *, error: str = "") -> ProofOffer:
    """What this person can prove themselves with; asking changes nothing."""
    with services().db.read() as session:
        has_pin = proofs.has_pin(session, person_id)
    sentence = "" if has_pin else "You have no PIN yet. Choose one on your account page first."
    return ProofOffer(action=action, passkey=False, pin=has_pin, sentence=sentence, error=error)
