"""The main menu. An entry shows only where the page's own access statement lets this person in."""

from dataclasses import dataclass

from flask import current_app, request, url_for

from gatekeeper.web.access import can_open, person, services
from gatekeeper.workflow.inbox import count_waiting
from gatekeeper.workflow.mail_view import undelivered
from gatekeeper.workflow.second_look import waiting_for
from gatekeeper.workflow.sending_view import banner


@dataclass(frozen=True)
class Entry:
    """One line of the menu. `section` is the blueprint whose pages it stands for."""

    word: str
    endpoint: str

    @property
    def section(self) -> str:
        """The blueprint the entry leads to."""
        return self.endpoint.partition(".")[0]


#: in the order of a working day; each entry needs one line
ENTRIES = (
    Entry("Posts", "posts.index"),
    Entry("Schedule", "schedule.index"),
    Entry("Decisions", "decide.inbox"),
    Entry("Our accounts", "watch.index"),
    Entry("Cases", "cases.index"),
    Entry("Deputies", "deputies.index"),
    Entry("Second looks", "second_looks.index"),
    Entry("Pupils and permissions", "pupils.index"),
    Entry("Consent reviews", "reviews.index"),
    Entry("Channels", "channels.index"),
    Entry("Sending", "sending.index"),
    Entry("Staff", "staff.index"),
    Entry("Mail", "mail.index"),
    Entry("School", "school.form"),
    Entry("Rules", "rules.index"),
    Entry("Policy", "policy.index"),
    Entry("Retention", "retention.index"),
    Entry("Statement", "statement.index"),
    Entry("Audit", "audit.index"),
    Entry("Help", "help_pages.index"),
)
#: blueprints without an entry of their own stand under this one
UNDER = {
    "consent_import": "pupils",
    "enrolment": "pupils",
    "pupil_form": "pupils",
    "photos": "posts",
    "findings": "posts",
    "marks": "school",
    "teach": "rules",
    "evidence": "audit",
    "takedowns": "watch",
    "appearances": "pupils",
    "subject_access": "pupils",
}


def menu() -> list[tuple[str, str, bool]]:
    """(word, address, whether it is the present page) for the person at this browser."""
    blueprint = request.blueprint or ""
    here = UNDER.get(blueprint, blueprint)
    return [
        (_word(entry), url_for(entry.endpoint), entry.section == here)
        for entry in ENTRIES
        if entry.endpoint in current_app.view_functions and can_open(entry.endpoint)
    ]


def _word(entry: Entry) -> str:
    """The entry's word, with the number of questions that wait for this person."""
    if entry.section == "second_looks":
        waiting = len(waiting_for(services(), person()))
    elif entry.section == "decide":
        with services().db.read() as session:
            waiting = count_waiting(session, person().id, now=services().clock.now())
    elif entry.section == "sending":
        with services().db.read() as session:
            return f"{entry.word} (stopped)" if banner(session) else entry.word
    elif entry.section == "mail":
        waiting = undelivered(services())
    else:
        return entry.word
    return f"{entry.word} ({waiting})" if waiting else entry.word
