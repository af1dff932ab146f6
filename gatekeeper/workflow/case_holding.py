"""The holding text: what anybody may answer at once, because the headteacher approved these very words beforehand.

It is one wording for every enquiry, approved once by the headteacher's second proof. Another wording is another
approval, and from then on the former one is shown to nobody any more. That it was given is written into the case.
"""

import hashlib
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.cases.rules import Act
from gatekeeper.errors import Conflict, NotAllowed
from gatekeeper.people.school import change_setting, school_settings
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.workflow.case_right import case_for
from gatekeeper.workflow.cases import needed, write
from gatekeeper.workflow.services import Services

KEY: Final = "holding_text"
LONGEST: Final = 1_000
PROPOSED: Final = (
    "Thank you for getting in touch. We have received your enquiry and passed it to the headteacher. We will reply "
    "as soon as we can. Until then the school has no comment."
)


def wording(session: Session) -> str:
    """The approved holding text; empty where there is none."""
    kept = school_settings(session)[KEY]
    return str(kept.get("words", ""))


def approve(services: Services, words: str, *, by: Staff, proof_method: str) -> None:
    """Approve a wording, which takes the place of the former one. Give the second proof before (`step_up.confirm`).

    Raises:
        NotAllowed: only the headteacher does.
        BadInput: there are no words, or too many.
    """
    now = services.clock.now()
    if by.role != Role.HEADTEACHER:
        raise NotAllowed("Only the headteacher approves the holding text.")
    words = needed(words, field="holding", ask="Please write the holding text.", most=LONGEST)
    digest = hashlib.sha256(words.encode()).hexdigest()
    with services.step() as session:
        if wording(session) == words:
            return
        value = {"words": words, "digest": digest, "by": by.id, "at": now.isoformat(), "proof": proof_method}
        body = {"digest": digest, "by": by.id, "proof": proof_method}
        ledger.append(session, at=now, kind="holding.approved", body=body)
        change_setting(session, KEY, value, by=by.id, now=now)
        record(session, at=now, staff_id=by.id, action="holding.approved", subject="school")


def give(services: Services, case_id: int, how: str, shown: str, *, by: Staff) -> None:
    """Write down that somebody gave the holding text, and how.

    Raises:
        Conflict: no holding text is approved, or not the one that the page showed.
        BadInput: it is not said how.
    """
    now: datetime = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.REPLY)
        kept = school_settings(session)[KEY]
        if not kept.get("words") or kept["digest"] != shown:
            raise Conflict("The holding text was changed since this page was opened. Reload it and read it again.")
        how = needed(how, field="held", ask="Please write how and when it was given.", most=LONGEST)
        write(session, case, "holding", by=by.id, now=now, words=how, digest=kept["digest"])
