"""Who may decide: the headteacher, never the author, and nobody by accident."""

import itertools

import pytest

from gatekeeper.people.staff import Role
from gatekeeper.policy.approvers import (
    DEPUTY,
    HEADTEACHER,
    Colleague,
    NobodyMayDecide,
    check_may_decide,
    choose_approver,
    may_decide,
)

AUTHOR = Colleague(id=1, role="author", active=True)
HEAD = Colleague(id=2, role="headteacher", active=True)
SECOND = Colleague(id=3, role="deputy", active=True)


def test_the_names_of_the_roles_are_those_of_the_staff_accounts() -> None:
    assert {HEADTEACHER, DEPUTY} == {Role.HEADTEACHER.value, Role.DEPUTY.value}


def test_the_headteacher_is_asked() -> None:
    assert choose_approver([AUTHOR, SECOND, HEAD], author_id=1) == HEAD


def test_the_deputy_is_asked_when_the_headteacher_wrote_it() -> None:
    assert choose_approver([AUTHOR, HEAD, SECOND], author_id=HEAD.id) == SECOND
    assert may_decide(SECOND.id, [HEAD, SECOND], author_id=HEAD.id)


def test_another_headteacher_comes_before_the_deputy_when_one_of_them_wrote_it() -> None:
    other = Colleague(id=9, role="headteacher", active=True)
    assert choose_approver([HEAD, SECOND, other], author_id=HEAD.id) == other
    assert not may_decide(SECOND.id, [HEAD, SECOND, other], author_id=HEAD.id)


def test_cannot_be_decided_by_a_deputy_while_there_is_a_headteacher() -> None:
    assert not may_decide(SECOND.id, [AUTHOR, HEAD, SECOND], author_id=AUTHOR.id)


def test_cannot_be_decided_by_a_deputy_because_the_head_has_left() -> None:
    """No headteacher is not the same as a deputy in charge: naming one is the headteacher's to do."""
    gone = Colleague(id=2, role="headteacher", active=False)
    with pytest.raises(NobodyMayDecide, match="no active account of the headteacher"):
        choose_approver([AUTHOR, gone, SECOND], author_id=AUTHOR.id)
    assert not may_decide(SECOND.id, [AUTHOR, gone, SECOND], author_id=AUTHOR.id)


def test_cannot_be_decided_by_a_deputy_about_the_post_of_a_head_who_has_left() -> None:
    gone = Colleague(id=2, role="headteacher", active=False)
    assert not may_decide(SECOND.id, [gone, SECOND], author_id=gone.id)


def test_says_that_a_deputy_is_missing_when_the_only_head_wrote_it() -> None:
    with pytest.raises(NobodyMayDecide, match="deputy headteacher has to decide"):
        choose_approver([AUTHOR, HEAD], author_id=HEAD.id)


def test_cannot_be_decided_by_somebody_whose_account_is_closed() -> None:
    gone = Colleague(id=2, role="headteacher", active=False)
    with pytest.raises(NobodyMayDecide):
        check_may_decide(gone.id, [AUTHOR, gone], author_id=AUTHOR.id)


def test_cannot_be_decided_by_the_author_whatever_their_role_and_whoever_else_there_is() -> None:
    for role, others in itertools.product(Role, [[], [HEAD], [SECOND], [HEAD, SECOND]]):
        author = Colleague(id=50, role=role, active=True)
        assert not may_decide(author.id, [author, *others], author_id=author.id)


def test_cannot_be_decided_by_any_other_role() -> None:
    for role in set(Role) - {Role.HEADTEACHER, Role.DEPUTY}:
        somebody = Colleague(id=60, role=role, active=True)
        for author in (AUTHOR, HEAD):
            assert not may_decide(somebody.id, [AUTHOR, HEAD, SECOND, somebody], author_id=author.id)
