"""Who may open, see, work on and close a case of each kind, as data. What no line here allows is refused.

A case is seen in full, in its progress, or not at all. Progress is what its reporter is shown: their own words, what
was said to them, and how it ends, never what others wrote among themselves. The person a case is about is shown
nothing, except where the case is a request to them.

Roles are written as words here: this room does not know the register of staff.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from gatekeeper.cases.model import CaseKind, CaseState

AUTHOR, MANAGER, HEAD, DEPUTY, CONSENT, ADMIN, AUDITOR = (
    "author", "line_manager", "headteacher", "deputy", "consent_lead", "administrator", "auditor",
)  # fmt: skip
EVERYBODY: Final = frozenset({AUTHOR, MANAGER, HEAD, DEPUTY, CONSENT, ADMIN, AUDITOR})
_WRITERS: Final = EVERYBODY - {AUDITOR}
_LEADERS: Final = frozenset({MANAGER, HEAD, DEPUTY})
_OFFICE: Final = frozenset({HEAD, ADMIN, CONSENT})


class Sight(IntEnum):
    """How much of a case somebody is shown."""

    NOTHING = 0
    PROGRESS = 1
    FULL = 2


class Way(StrEnum):
    """Whom a fresh case goes to."""

    MANAGER = "manager"  # the line manager of whoever opens it; the headteacher where there is none
    HEAD = "head"
    OPENER = "opener"


class Act(StrEnum):
    """What somebody does in a case."""

    NOTE = "note"
    ATTACH = "attach"
    WAIT = "wait"
    ROUTE = "route"
    MEET = "meet"
    CHANGE = "change"
    CLOSE = "close"
    REOPEN = "reopen"
    EXPORT = "export"
    ANSWER = "answer"
    TAKE_BACK = "take_back"
    REPLY = "reply"


@dataclass(frozen=True, kw_only=True)
class KindRules:
    """One kind of case.

    Attributes:
        word: what it is called; `begin` is the button that opens one.
        clause: where the policy or the law asks for it.
        openers: the roles that may open one.
        team: the roles that see all of every such case and work on it.
        owners: the roles it can be handed to.
        way: whom it goes to at first.
        opener: what whoever opened it is shown.
        about: what the person it is about is shown.
        closers: the roles that end it; its owner always may, where `owner_closes`.
    """

    word: str
    begin: str
    lead: str
    clause: str
    openers: frozenset[str]
    team: frozenset[str]
    owners: frozenset[str]
    way: Way
    opener: Sight
    about: Sight = Sight.NOTHING
    closers: frozenset[str]
    owner_closes: bool = True


RULES: Final[Mapping[CaseKind, KindRules]] = {
    CaseKind.ENQUIRY: KindRules(
        word="Enquiry",
        begin="Somebody asks the school for comment",
        lead="The press, a company or a member of the public asks. Nobody answers before the headteacher approved the words.",
        clause="Policy 4.1 and 4.2",
        openers=_WRITERS,
        team=frozenset({HEAD, DEPUTY}),
        owners=_WRITERS,
        way=Way.MANAGER,
        opener=Sight.FULL,
        closers=frozenset({HEAD, DEPUTY}),
    ),
    CaseKind.ADVICE: KindRules(
        word="Question",
        begin="Ask first",
        lead="You are not sure whether something may be said or shown. Ask, and wait for the answer in writing.",
        clause="Policy 5.5",
        openers=_WRITERS,
        team=frozenset({HEAD}),
        owners=_LEADERS,
        way=Way.MANAGER,
        opener=Sight.PROGRESS,
        closers=frozenset(),
        owner_closes=False,  # it ends with an answer, or when it is taken back
    ),
    CaseKind.CONCERN: KindRules(
        word="Concern",
        begin="Report a concern",
        lead="You saw something online that reflects poorly on the school. You see how it goes on, not what others write.",
        clause="Policy 5.6",
        openers=EVERYBODY,
        team=frozenset({HEAD}),
        owners=_LEADERS,
        way=Way.MANAGER,
        opener=Sight.PROGRESS,
        closers=frozenset({HEAD}),
    ),
    CaseKind.REMOVAL: KindRules(
        word="Removal request",
        begin="Ask somebody to remove something",
        lead="A dated written request to a member of staff about a post of their own, and what came of it.",
        clause="Policy 7.2 and 7.3",
        openers=frozenset({HEAD}),
        team=frozenset({HEAD}),
        owners=frozenset({HEAD}),
        way=Way.OPENER,
        opener=Sight.FULL,
        about=Sight.PROGRESS,
        closers=frozenset({HEAD}),
    ),
    CaseKind.BREACH: KindRules(
        word="Data breach",
        begin="Personal data went where it should not",
        lead="Say it at once: the 72 hours begin when anybody here becomes aware. It need not be certain.",
        clause="UK GDPR, articles 33 and 34",
        openers=EVERYBODY,
        team=_OFFICE,
        owners=_OFFICE,
        way=Way.HEAD,
        opener=Sight.PROGRESS,
        closers=_OFFICE,
    ),
    CaseKind.COMPLAINT: KindRules(
        word="Data protection complaint",
        begin="Somebody complains about how we use their data",
        lead="It must be acknowledged within 30 days and answered without undue delay.",
        clause="Data (Use and Access) Act 2025",
        openers=EVERYBODY,
        team=_OFFICE,
        owners=_OFFICE,
        way=Way.HEAD,
        opener=Sight.PROGRESS,
        closers=_OFFICE,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who looks."""

    id: int
    role: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What of a case decides who may do what in it."""

    kind: CaseKind
    state: CaseState
    opened_by: int
    owner_id: int | None
    about_id: int | None
    erased: bool = False


def may_open(kind: CaseKind, role: str) -> bool:
    """Whether somebody of this role may open such a case."""
    return role in RULES[kind].openers


def sight(case: Standing, viewer: Viewer) -> Sight:
    """How much of the case this person is shown. Being the one it is about outweighs every role.

    Of an erased concern nobody knows any more whom it was about, so no role alone opens it.
    """
    rules = RULES[case.kind]
    if viewer.id == case.about_id:
        return rules.about
    by_role = viewer.role in rules.team and not (case.erased and case.kind is CaseKind.CONCERN)
    if viewer.id == case.owner_id or by_role:
        return Sight.FULL
    return rules.opener if viewer.id == case.opened_by else Sight.NOTHING


def may(act: Act, case: Standing, viewer: Viewer) -> bool:
    """Whether this person may do this in the case as it stands."""
    seen = sight(case, viewer)
    if seen is Sight.NOTHING or case.erased:
        return False
    is_open = case.state != CaseState.CLOSED
    return _WHEN[act](is_open) and _is_entitled(act, case, viewer, seen)


def _is_entitled(act: Act, case: Standing, viewer: Viewer, seen: Sight) -> bool:
    if act in (Act.NOTE, Act.ATTACH):
        return True
    if viewer.id == case.about_id:
        return False
    rules = RULES[case.kind]
    owns, opened = viewer.id == case.owner_id, viewer.id == case.opened_by
    works = owns or viewer.role in rules.team
    ends = (owns and rules.owner_closes) or viewer.role in rules.closers
    return {
        Act.WAIT: works and case.kind is not CaseKind.ADVICE,
        Act.ROUTE: works,
        Act.MEET: works and case.kind in (CaseKind.BREACH, CaseKind.COMPLAINT),
        Act.CHANGE: works and case.kind is CaseKind.BREACH,
        Act.CLOSE: ends,
        Act.REOPEN: ends,
        Act.EXPORT: works,
        Act.ANSWER: works and not opened and case.kind is CaseKind.ADVICE,
        Act.TAKE_BACK: opened and case.kind is CaseKind.ADVICE,
        Act.REPLY: seen is Sight.FULL and case.kind is CaseKind.ENQUIRY,
    }[act]


def may_own(kind: CaseKind, role: str, *, person_id: int, about_id: int | None) -> bool:
    """Whether a case can be handed to this person: never to the one it is about."""
    return role in RULES[kind].owners and person_id != about_id


def _open(is_open: bool) -> bool:  # noqa: FBT001 - the one thing it is asked
    return is_open


_WHEN: Final = dict.fromkeys(Act, _open) | {Act.REOPEN: lambda is_open: not is_open, Act.EXPORT: lambda _: True}
