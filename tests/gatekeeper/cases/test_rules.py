"""Who sees a case and who may do what in it: the whole table, kind by kind, person by person."""

import pytest

from gatekeeper.cases.model import CaseKind, CaseState
from gatekeeper.cases.rules import (
    ADMIN,
    AUDITOR,
    AUTHOR,
    CONSENT,
    DEPUTY,
    HEAD,
    MANAGER,
    RULES,
    Act,
    Sight,
    Standing,
    Viewer,
    may,
    may_open,
    may_own,
    sight,
)

K = CaseKind
OPENER, OWNER, ABOUT = Viewer(id=1, role=AUTHOR), Viewer(id=2, role=MANAGER), Viewer(id=3, role=AUTHOR)
ROLES = {
    role: Viewer(id=10 + number, role=role)
    for number, role in enumerate((AUTHOR, MANAGER, HEAD, DEPUTY, CONSENT, ADMIN, AUDITOR))
}

#: kind -> what the opener, the owner, the one it is about, and then somebody of each role is shown
N, P, F = Sight.NOTHING, Sight.PROGRESS, Sight.FULL
SEEN = {
    #            opener owner about  author manager head deputy consent admin auditor
    K.ENQUIRY:   (F,    F,    N,     N,     N,      F,   F,     N,      N,    N),
    K.ADVICE:    (P,    F,    N,     N,     N,      F,   N,     N,      N,    N),
    K.CONCERN:   (P,    F,    N,     N,     N,      F,   N,     N,      N,    N),
    K.REMOVAL:   (F,    F,    P,     N,     N,      F,   N,     N,      N,    N),
    K.BREACH:    (P,    F,    N,     N,     N,      F,   N,     F,      F,    N),
    K.COMPLAINT: (P,    F,    N,     N,     N,      F,   N,     F,      F,    N),
}  # fmt: skip
PEOPLE = (OPENER, OWNER, ABOUT, *ROLES.values())
TEAM = {
    K.ENQUIRY: {HEAD, DEPUTY}, K.ADVICE: {HEAD}, K.CONCERN: {HEAD}, K.REMOVAL: {HEAD},
    K.BREACH: {HEAD, CONSENT, ADMIN}, K.COMPLAINT: {HEAD, CONSENT, ADMIN},
}  # fmt: skip


def case(kind: CaseKind, state: CaseState = CaseState.OPEN, *, erased: bool = False) -> Standing:
    return Standing(kind=kind, state=state, opened_by=1, owner_id=2, about_id=3, erased=erased)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_everybody_is_shown_exactly_what_the_table_says(kind: CaseKind) -> None:
    assert tuple(sight(case(kind), one) for one in PEOPLE) == SEEN[kind]
    assert RULES[kind].team == TEAM[kind]


@pytest.mark.parametrize("role", [HEAD, DEPUTY, CONSENT, ADMIN])
@pytest.mark.parametrize("kind", [kind for kind in CaseKind if kind is not K.REMOVAL])
def test_no_role_and_no_office_shows_a_case_to_the_person_it_is_about(kind: CaseKind, role: str) -> None:
    about = Viewer(id=3, role=role)
    assert sight(case(kind), about) is N
    assert not [act for act in Act if may(act, case(kind), about)]
    owning = Standing(kind=kind, state=CaseState.OPEN, opened_by=1, owner_id=3, about_id=3)
    assert sight(owning, about) is N, "not even when it was handed to them"


@pytest.mark.parametrize("kind", list(CaseKind))
def test_no_role_alone_opens_a_concern_of_which_nobody_knows_any_more_whom_it_was_about(kind: CaseKind) -> None:
    erased = Standing(kind=kind, state=CaseState.CLOSED, opened_by=1, owner_id=2, about_id=None, erased=True)
    team = frozenset() if kind is K.CONCERN else TEAM[kind]
    assert {role for role, one in ROLES.items() if sight(erased, one) is F} == team
    assert (sight(erased, OPENER), sight(erased, OWNER)) == SEEN[kind][:2]


@pytest.mark.parametrize("kind", list(CaseKind))
@pytest.mark.parametrize("act", list(Act))
def test_whoever_sees_nothing_does_nothing(kind: CaseKind, act: Act) -> None:
    for one in PEOPLE:
        if sight(case(kind), one) is N:
            assert not may(act, case(kind), one)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_whoever_sees_the_progress_adds_to_it_and_does_nothing_else(kind: CaseKind) -> None:
    for one in PEOPLE:
        if sight(case(kind), one) is P:
            done = {act for act in Act if may(act, case(kind), one)}
            extra = {Act.TAKE_BACK} if kind is K.ADVICE else set()
            assert done == {Act.NOTE, Act.ATTACH} | extra


def test_nobody_answers_their_own_question_even_as_headteacher() -> None:
    head = Viewer(id=1, role=HEAD)
    assert not may(Act.ANSWER, case(K.ADVICE), head)
    assert may(Act.ANSWER, case(K.ADVICE), OWNER)
    assert not may(Act.CLOSE, case(K.ADVICE), OWNER), "a question ends with an answer"


def test_the_one_who_logged_an_enquiry_writes_replies_and_cannot_end_it_or_take_it_out() -> None:
    assert may(Act.REPLY, case(K.ENQUIRY), OPENER)
    for act in (Act.CLOSE, Act.EXPORT, Act.ROUTE, Act.REOPEN):
        assert not may(act, case(K.ENQUIRY), OPENER)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_a_closed_case_takes_nothing_but_opening_again_and_taking_out(kind: CaseKind) -> None:
    closed = case(kind, CaseState.CLOSED)
    for one in PEOPLE:
        assert {act for act in Act if may(act, closed, one)} <= {Act.REOPEN, Act.EXPORT}
    assert not [act for act in Act if may(act, case(kind, CaseState.CLOSED, erased=True), ROLES[HEAD])]


def test_only_the_headteacher_asks_somebody_to_remove_something() -> None:
    assert {role for role in ROLES if may_open(K.REMOVAL, role)} == {HEAD}
    assert all(may_open(K.CONCERN, role) and may_open(K.BREACH, role) for role in ROLES)
    assert not may_open(K.ADVICE, AUDITOR)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_no_case_can_be_handed_to_the_one_it_is_about(kind: CaseKind) -> None:
    for role in ROLES:
        assert not may_own(kind, role, person_id=3, about_id=3)
    assert may_own(kind, HEAD, person_id=4, about_id=3)
