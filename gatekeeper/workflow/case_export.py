"""Takes a case out as a zip: one page to read, one file for programs, and its pictures. Each time is written down."""

import json
from dataclasses import dataclass

from gatekeeper.cases.clocks import REMOVE
from gatekeeper.cases.model import CaseKind
from gatekeeper.cases.rules import Act
from gatekeeper.errors import NotFound
from gatekeeper.people.staff import Staff, record
from gatekeeper.posts.media import MediaDamaged
from gatekeeper.workflow.case_paper import sheet_of
from gatekeeper.workflow.case_pdf import case_pdf, removal_letter
from gatekeeper.workflow.case_right import case_for
from gatekeeper.workflow.case_view import attachments_of, clocks_of
from gatekeeper.workflow.cases import subject_of
from gatekeeper.workflow.evidence_zip import packed
from gatekeeper.workflow.services import Services


@dataclass(frozen=True)
class Package:
    """A file to be saved."""

    file_name: str
    data: bytes


def export(services: Services, case_id: int, *, by: Staff) -> Package:
    """The whole case. Who took it out, and when, stands in the audit.

    Raises:
        NotFound, NotAllowed: it is not theirs to take out.
    """
    now = services.clock.now()
    with services.step() as session:
        case = case_for(session, case_id, by, Act.EXPORT)
        sheet = sheet_of(session, case, by, now=now)
        stored = [
            (f"picture-{number}.jpg", one.sha256, one.name)
            for number, one in enumerate(attachments_of(session, case, by), 1)
        ]
        record(session, at=now, staff_id=by.id, action="case.exported", subject=subject_of(case.id))
    pictures: dict[str, bytes] = {}
    for name, sha256, _ in stored:
        try:
            pictures[name] = services.media.read(sha256)
        except MediaDamaged:
            continue  # the JSON names it; what is there is not kept back for what is lost
    data = {
        **sheet.data,
        "taken_out": {"by": by.name, "at": now.isoformat()},
        "pictures": [
            {"file": name, "sha256": sha256, "named": named, "lost": name not in pictures}
            for name, sha256, named in stored
        ],
    }
    files = {
        "case.pdf": case_pdf(sheet, pictures.items()),
        "case.json": json.dumps(data, ensure_ascii=False, indent=1).encode() + b"\n",
        **pictures,
    }
    return Package(f"case-{case_id}.zip", packed(files))


def letter(services: Services, case_id: int, *, by: Staff) -> Package:
    """The request to remove something, as it is handed over on paper: for the headteacher and for whoever is asked.

    Raises:
        NotFound: there is none, or it is not theirs.
    """
    now = services.clock.now()
    with services.db.read() as session:
        case = case_for(session, case_id, by)
        if case.kind != CaseKind.REMOVAL or case.about_id is None:
            raise NotFound("This case has no letter.")
        sheet = sheet_of(session, case, by, now=now)
        due = next((one.due_at for one in clocks_of(session, case, now=now) if one.name == REMOVE), None)
        asked, asker = session.get_one(Staff, case.about_id).name, session.get_one(Staff, case.opened_by).name
        words, link = case.words, case.link
    return Package(f"request-{case_id}.pdf", removal_letter(sheet, to=asked, by=asker, words=words, link=link, due=due))
