"""What a passkey does behind an e-mailed link: it opens the decision page, and it signs an approval.

What is found is committed before anybody is refused, so that a passkey that may have been copied stays ended.
"""

from approvals import passkeys, tokens
from approvals.passkeys import PASSKEY, PasskeyCheck
from approvals.proofs import ProvedView
from gatekeeper.people.staff import record
from gatekeeper.workflow.passkey_place import place_of
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.step_up import tell_if_ended


def prove(services: Services, view_secret: str, response: str) -> ProvedView:
    """Open the decision page by a passkey's answer to a random challenge.

    Raises:
        LinkRefused: the link opens nothing (any more).
        PasskeyRefused: the answer does not count.
    """
    now = services.clock.now()
    with services.step() as session:
        seen = tokens.view(session, view_secret, now=now)
        place = place_of(services, session)
        proof = passkeys.prove_view(session, view_secret, response, place=place, now=now)
        if isinstance(proof, PasskeyCheck):
            tell_if_ended(session, seen.person_id, proof, now=now)
        else:
            # from here on this browser is shown who is in the photos
            record(session, at=now, staff_id=seen.person_id, action="decide.proved", subject=seen.request.subject)
    proof.demand()
    assert isinstance(proof, ProvedView)
    return proof


def checked(services: Services, view_secret: str, response: str) -> str | None:
    """What is kept of the passkey's signature over the version; None where there is none, or none is needed.

    Raises:
        LinkRefused: the link opens nothing (any more).
        PasskeyRefused: the signature does not count.
    """
    if not response:
        return None
    now = services.clock.now()
    with services.step() as session:
        view = tokens.view(session, view_secret, now=now)
        if view.proof_method != PASSKEY:
            return None
        check = passkeys.check_signed(
            session,
            response,
            person_id=view.person_id,
            digest=view.request.digest,
            place=place_of(services, session),
            now=now,
        )
        tell_if_ended(session, view.person_id, check, now=now)
    check.demand()
    return check.assertion
