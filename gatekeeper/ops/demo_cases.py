"""The demo school's open cases: a newspaper asks, a teacher asks first, and a letter went to the wrong parent."""

from datetime import timedelta

from gatekeeper.cases.model import CaseKind
from gatekeeper.people.staff import Staff
from gatekeeper.workflow import cases
from gatekeeper.workflow.cases import Opening
from gatekeeper.workflow.services import Services


def open_all(services: Services, staff: dict[str, int]) -> None:
    """Open them, each by the person who would."""
    now = services.clock.now()
    enquiry = Opening(
        kind=CaseKind.ENQUIRY,
        title="The Merrowfold Gazette asks about the new crossing",
        words="What does the school think of the crossing on Weir Lane, and has anybody been hurt there? "
        "She would like a sentence or two for Thursday's paper.",
        facts={"asker": "Sally Thornbury", "outlet": "Merrowfold Gazette", "contact": "01632 960458"},
        deadline=now + timedelta(days=2),
    )
    advice = Opening(
        kind=CaseKind.ADVICE,
        title="May I say on my own page that I work here?",
        words="My running club wants to introduce its members with their jobs. I would write: Tom, teacher at Merrowfold.",
    )
    breach = Opening(
        kind=CaseKind.BREACH,
        title="A letter about one family was handed to another",
        words="Two envelopes were swapped at the school gate. The other family brought it back at once, opened.",
        began_at=now - timedelta(hours=20),
        facts={"high_risk": False},
    )
    for role, opening in (("administrator", enquiry), ("author", advice), ("consent_lead", breach)):
        with services.db.read() as session:
            person = session.get_one(Staff, staff[role])
        cases.begin(services, opening, by=person)
