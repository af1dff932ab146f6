"""What no deputy decides: a post that reads as a reference (policy 3.7), and one for which an override is asked.

A logo is not among them: it needs leave, and whoever decides says whose.
"""

from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.posts.repository import findings_of
from gatekeeper.posts.status import FindingState

LOGO_RULE: Final = "photo-mark"  # policy 3.6: it goes out only when the approval says who authorised it
REFERENCE_CLAUSE: Final = "3.7"
OVERRIDE: Final = "Only the headteacher may decide about this post, because it asks to allow what breaks a rule."
REFERENCE: Final = (
    "Only the headteacher may decide about this post, because it reads as a reference for a person (policy 3.7)."
)


def head_only(session: Session, version_id: int) -> str:
    """Why only the headteacher may decide about this version, in one sentence; empty where a deputy may."""
    findings = [finding for finding in findings_of(session, version_id) if finding.rule != LOGO_RULE]
    if any(finding.severity == "block" or finding.state == FindingState.OVERRIDE for finding in findings):
        return OVERRIDE
    return REFERENCE if any(finding.clause == REFERENCE_CLAUSE for finding in findings) else ""
