"""The main menu. An entry shows only where the page's own access statement lets this person in."""

from dataclasses import dataclass
from typing import cast

from flask import current_app, g, request, url_for

from gatekeeper.web.access import can_open, person, services
from gatekeeper.workflow.case_view import count_mine
from gatekeeper.workflow.inbox import count_waiting
from gatekeeper.workflow.mail_view import undelivered
from gatekeeper.workflow.second_look import waiting_for
from gatekeeper.workflow.sending_view import Banner, banner
from gatekeeper.workflow.watch_view import open_incidents


@dataclass(frozen=True)
class Entry:
    """One line of the menu. `section` is the blueprint whose pages it stands for."""

    word: str
    endpoint: str
    instead_of: str = ""  # shown only to whoever cannot open that page

    @property
    def section(self) -> str:
        """The blueprint the entry leads to."""
        return self.endpoint.partition(".")[0]


#: what belongs together stands together, in the order of a working day; each entry needs one line
GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Posts",
        (
            Entry("Posts", "posts.index"),
            Entry("Schedule", "schedule.index"),
            Entry("Decisions", "decide.inbox"),
            Entry("Second looks", "second_looks.index"),
        ),
    ),
    (
        "Public",
        (
            Entry("Our accounts", "watch.index"),
            Entry("Sending", "sending.index"),
            Entry("Cases", "cases.index"),
        ),
    ),
    (
        "Children",
        (
            Entry("Pupils and permissions", "pupils.index"),
            Entry("Consent reviews", "reviews.index"),
        ),
    ),
    (
        "School",
        (
            Entry("Policy", "policy.index"),
            Entry("Rules", "rules.index"),
            Entry("Channels", "channels.index"),
            Entry("Staff", "staff.index"),
            Entry("Deputies", "deputies.index"),
            Entry("Mail", "mail.index"),
            Entry("School", "school.form"),
        ),
    ),
    (
        "Records",
        (
            Entry("Audit", "audit.index"),
            Entry("Retention", "retention.index"),
            Entry("Legal holds", "retention.holds", instead_of="retention.index"),
            Entry("Statement", "statement.index"),
            Entry("Help", "help_pages.index"),
        ),
    ),
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
    "enquiries": "cases",
    "case_holds": "cases",
    "takedowns": "watch",
    "appearances": "pupils",
    "subject_access": "pupils",
}


@dataclass(frozen=True)
class Line:
    """One line as this person sees it."""

    word: str
    address: str
    here: bool


def menu() -> list[tuple[str, list[Line]]]:
    """What the person at this browser may open, in its groups. A group of which nothing is left is left out."""
    if "menu" not in g:  # drawn twice on each page, for wide and for narrow screens
        groups = [(group, [_line(entry) for entry in entries if _is_open(entry)]) for group, entries in GROUPS]
        g.menu = [(group, lines) for group, lines in groups if lines]
    return cast("list[tuple[str, list[Line]]]", g.menu)


def stopped() -> Banner | None:
    """Why nothing goes out at this moment, read once for a page."""
    if "stopped" not in g:
        with services().db.read() as session:
            g.stopped = banner(session)
    return cast("Banner | None", g.stopped)


def _is_open(entry: Entry) -> bool:
    if entry.endpoint not in current_app.view_functions or not can_open(entry.endpoint):
        return False
    return not entry.instead_of or not can_open(entry.instead_of)


def _line(entry: Entry) -> Line:
    blueprint = request.blueprint or ""
    return Line(_word(entry), url_for(entry.endpoint), entry.section == UNDER.get(blueprint, blueprint))


def _word(entry: Entry) -> str:
    """The entry's word, with the number of questions that wait for this person."""
    if entry.section == "second_looks":
        waiting = len(waiting_for(services(), person()))
    elif entry.section == "decide":
        with services().db.read() as session:
            waiting = count_waiting(session, person().id, now=services().clock.now())
    elif entry.section == "sending":
        return f"{entry.word} (stopped)" if stopped() else entry.word
    elif entry.section == "watch":
        with services().db.read() as session:
            waiting = open_incidents(session)
    elif entry.section == "cases":
        with services().db.read() as session:
            waiting = count_mine(session, person())
    elif entry.section == "mail":
        waiting = undelivered(services())
    else:
        return entry.word
    return f"{entry.word} ({waiting})" if waiting else entry.word
