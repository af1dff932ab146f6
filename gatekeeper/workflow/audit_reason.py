"""A reason that somebody typed for the audit, without the names of pupils: the audit is read by people who see none.

Why somebody looked, took something out or changed a period has to stand there. So the words stay, and "[name withheld]"
stands wherever they name anybody on the roll, or may. It takes out more than it must rather than less.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.pupils import Pupil
from gatekeeper.workflow.school_checker import checker_for
from gatekeeper.workflow.withheld import Withholder


def nameless(session: Session, reason: str) -> str:
    """The reason as it may stand in the audit."""
    pupils = session.scalars(select(Pupil).order_by(Pupil.id)).all()
    return Withholder(checker_for(session), None, pupils).clean(reason)
