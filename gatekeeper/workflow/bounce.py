"""Takes in what mail servers say later about an e-mail: that it came back, or that it is late.

A report is matched by the random id of our own e-mail, which only its recipient and the servers on its way have seen.
A forged one can do no more than show an e-mail as undelivered: nothing is decided, stopped or published by it. The
same report taken in twice changes nothing.
"""

import hashlib
from typing import Final

from sqlalchemy import select

from gatekeeper.errors import BadInput
from gatekeeper.mail.model import Notice
from gatekeeper.mail.report import Fate, NotAReport, Report, read_report
from gatekeeper.people.staff import Audit, record
from gatekeeper.workflow.services import Services

DELAYED: Final = "A mail server on the way is late with it and goes on trying."
CAME_BACK: Final = "The e-mail came back."
_WHY: Final = {
    "5.1.1": "There is no such mailbox.",
    "5.1.2": "There is no such mail domain.",
    "5.1.10": "There is no such mailbox.",
    "5.2.1": "The mailbox is closed.",
    "5.2.2": "The mailbox is full.",
    "5.2.3": "The mailbox takes no e-mail of this size.",
    "5.4.1": "The recipient's mail server does not answer.",
    "5.4.4": "There is no way to the recipient's mail server.",
    "5.4.7": "The recipient's mail server did not take it for days.",
    "5.7.1": "The recipient's mail server does not let it in.",
}


def take_in(services: Services, data: bytes, *, by: int | None = None) -> str:
    """Note what a report says of one of our e-mails, and say in one line what was done.

    Raises:
        BadInput: it is no report that can be read, or none about an e-mail of ours. Nothing was changed.
    """
    try:
        report = read_report(data)
    except NotAReport as refused:
        raise BadInput(str(refused), fields={"report": str(refused)}) from refused
    mark = hashlib.sha256(data).hexdigest()[:32]
    with services.step() as session:
        ours = session.scalars(select(Notice).where(Notice.message_id.in_(report.message_ids)).with_for_update()).all()
        if not ours:
            sentence = "This report is about no e-mail of ours."
            raise BadInput(sentence, fields={"report": sentence})
        notice = min(ours, key=lambda one: report.message_ids.index(one.message_id))  # the original's own id first
        subject = f"notice:{notice.id}"
        known = session.scalars(select(Audit).where(Audit.subject == subject, Audit.action == "mail.reported"))
        if any(line.detail.get("report") == mark for line in known):
            return f"This report was taken in before; e-mail {notice.id} stays as it is."
        now = services.clock.now()
        detail = {"report": mark, "fate": str(report.fate), "status": report.status}
        record(session, at=now, staff_id=by, action="mail.reported", subject=subject, detail=detail)
        if report.fate is Fate.FAILED:
            notice.problem = sentence_of(report)
            notice.failed_at = notice.failed_at or now
            return f"E-mail {notice.id} is noted as undelivered."
        if report.fate is Fate.DELAYED and notice.failed_at is None and notice.sent_at is not None:
            notice.problem = notice.problem or DELAYED
            return f"E-mail {notice.id} is noted as late; its mail server goes on trying."
    return f"E-mail {notice.id} was delivered; there is nothing to note."


def sentence_of(report: Report) -> str:
    """Why it came back, in our own words: what a mail server writes may be a stranger's."""
    why = _WHY.get(report.status, "")
    if not why and report.status:
        why = f"The mail server's reason has the number {report.status}."
    return f"{CAME_BACK} {why}".strip()
