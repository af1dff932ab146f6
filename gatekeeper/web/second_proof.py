"""The second proof in a form: what was typed, and what a page offers to type. `templates/web/second_proof.html` draws it.

offer = offered(person().id, "deputy")
{% from "web/second_proof.html" import second_proof with context %}   {{ second_proof(offer) }}
step_up.confirm(services(), person().id, typed_proof(), action="deputy")
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask import request, url_for

from approvals import passkeys, proofs
from approvals.proofs import PinState
from gatekeeper.web.access import services
from gatekeeper.workflow.passkey_place import why_not_here
from gatekeeper.workflow.step_up import Proof

_LONGEST: Final = 20_000  # characters; what a passkey signs has about two thousand


@dataclass(frozen=True, kw_only=True)
class ProofOffer:
    """How a person can prove on this page that it is them.

    Attributes:
        action: what it is for.
        passkey: whether a passkey can be used on this page.
        pin: whether a PIN is accepted.
        options: where the script asks what to ask the passkey.
        sentence: why neither or only the second can be used; empty where there is nothing to say.
        error: what was wrong with the last try, for the page that is shown again.
        nag: whether the person has only a PIN, so that one quiet line tells of passkeys.
    """

    action: str
    passkey: bool
    pin: bool
    options: str = ""
    sentence: str = ""
    error: str = ""
    nag: bool = False

    @property
    def possible(self) -> bool:
        """Whether this person can prove anything here."""
        return self.passkey or self.pin


def typed_proof() -> Proof:
    """What the form's proof fields hold."""
    return Proof(pin=request.form.get("pin", "")[:20], assertion=request.form.get("assertion", "")[:_LONGEST])


def offered(person_id: int, action: str, *, error: str = "") -> ProofOffer:
    """What this person can prove themselves with; asking changes nothing."""
    return offer_of(person_id, action, options=url_for("proofs.challenge", action=action), error=error)


def offer_of(person_id: int, action: str, *, options: str, error: str = "") -> ProofOffer:
    """As `offered`, for a page that asks its passkey something of its own."""
    with services().db.read() as session:
        pin = proofs.pin_state(session, person_id)
        has_passkey = bool(passkeys.standing(session, person_id))
    elsewhere = why_not_here(services().settings, host=urlsplit(request.host_url).hostname or "")
    return ProofOffer(
        action=action,
        passkey=has_passkey and not elsewhere,
        pin=pin.is_set and not pin.is_locked,
        options=options,
        sentence=_sentence(pin, has_passkey=has_passkey, elsewhere=elsewhere),
        error=error,
        nag=pin.is_set and not has_passkey,
    )


def _sentence(pin: PinState, *, has_passkey: bool, elsewhere: str) -> str:
    if has_passkey and elsewhere:
        return elsewhere
    if pin.is_locked:
        return "Your PIN is locked after five wrong tries." + (" Your passkey still works." if has_passkey else "")
    return "" if pin.is_set or has_passkey else "You have neither a passkey nor a PIN yet. Choose one first."
