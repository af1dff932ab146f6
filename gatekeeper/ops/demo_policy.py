"""The demo school's policy: an edition whose review is overdue and whose section 2 nobody has chosen, as schools have it."""

from datetime import date
from typing import Final

from gatekeeper.workflow import data_protection, policy_editions
from gatekeeper.workflow.policy_editions import TypedEdition
from gatekeeper.workflow.services import Services

TEXT: Final = """\
# What this policy is for

It keeps pupils, staff and the school safe when something is posted. It is for everybody who works here: employees,
consultants, volunteers and agency staff.

# At work

Section 2 of our policy holds three texts about personal use in working hours. The one that counts stands above,
with the edition.

# Always

- Never name a pupil, show one without permission, or write about one. Photographs of pupils stay on the school's own pages.
- Do not befriend pupils, or former pupils under 18, and do not write to pupils privately.
- Say nothing that damages the school, and nothing that is false or hurtful about anybody.
- **Speak for the school only when you are allowed to, and only through its own accounts.**
- No confidential matters, no logos of others, and no references without the headteacher.

# When the press or the public ask

Pass the question to your line manager or the headteacher. Nobody answers before the headteacher has agreed in writing.

# On your own account

Say that you speak for yourself. Be respectful, look at your privacy settings, and ask first when you are not sure.

# When something goes wrong

Tell the headteacher. You may be asked to remove what you posted. A breach of this policy can have consequences under
the disciplinary procedure.
"""
_LINE: Final = "I adopt this policy for Merrowfold Primary School, as the governors agreed in March 2022."
#: who has not confirmed it, so that the list of who is missing has somebody on it
MISSING: Final = "auditor"


def adopt(services: Services, staff: dict[str, int]) -> None:
    """Adopt it, and let everybody but one confirm it; and record what the statement needs."""
    typed = TypedEdition(label="2022-03", words=TEXT, review_on=date(2025, 3, 31), line=_LINE)
    edition = policy_editions.adopt(services, typed, by=staff["headteacher"])
    for role, person in staff.items():
        if role != MISSING:
            policy_editions.acknowledge(services, edition, by=person)
    contacts = {
        "officer": "Elin Prosser",
        "email": "dpo@merrowfold.example",
        "withdraw": "by e-mail to office@merrowfold.example, by telephone, or in person at the school office",
        "complain": "the school office, office@merrowfold.example",
    }
    data_protection.change(services, contacts, by=staff["administrator"])
