"""What the check of words says of a reply to an enquiry. It stops nothing: whoever writes and whoever decides reads it.

A reply goes to one person, who may well be the parent of the child it names. So what would block a post is told here,
beside the words, and the headteacher decides.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from gatekeeper.text.draft import Draft
from gatekeeper.workflow.school_checker import checker_for


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One thing to look at: the words, why, and the clause of the policy."""

    quote: str
    sentence: str
    clause: str


def remarks(session: Session, words: str) -> tuple[Remark, ...]:
    """What a post with these words would be stopped or asked about for, in the order of the words."""
    draft = Draft(text=words, pictures=(), platform="", account="school")
    found = [hit for hit in checker_for(session).check(draft) if hit.severity != "advice"]
    return tuple(
        Remark(quote=hit.quote or "", sentence=hit.message, clause=hit.clause)
        for hit in sorted(found, key=lambda hit: hit.start or 0)
    )
