"""Every state stands in every table."""

import pytest

from gatekeeper.posts.status import (
    BADGE,
    EDITABLE,
    ENDED,
    MOVES,
    PUBLICATION_MOVES,
    PUBLICATION_WORDS,
    TURN,
    VOIDED_BY_EDIT,
    PostState,
    PublicationState,
    Turn,
)


def test_every_state_of_a_post_stands_in_every_table() -> None:
    for table in (MOVES, TURN, BADGE):
        assert set(table) == set(PostState)


def test_every_state_of_a_publication_stands_in_every_table() -> None:
    for table in (PUBLICATION_MOVES, PUBLICATION_WORDS):
        assert set(table) == set(PublicationState)


def test_every_state_can_be_reached_from_a_draft() -> None:
    reached, frontier = {PostState.DRAFT}, {PostState.DRAFT}
    while frontier:
        frontier = set().union(*(MOVES[state] for state in frontier)) - reached
        reached |= frontier
    assert reached == set(PostState)


@pytest.mark.parametrize("state", sorted(VOIDED_BY_EDIT))
def test_an_edit_can_always_void_what_was_asked(state: PostState) -> None:
    assert state in EDITABLE
    assert PostState.DRAFT in MOVES[state]


def test_what_has_been_sent_can_never_be_sent_again_by_a_move() -> None:
    for state in ENDED - {PublicationState.CANCELLED}:  # cancelled: it never left, and may be approved anew
        assert PUBLICATION_MOVES[state] == frozenset()


def test_only_the_intent_leads_to_sending() -> None:
    assert [s for s, then in PUBLICATION_MOVES.items() if PublicationState.SENDING in then] == [
        PublicationState.CLAIMED
    ]


def test_somebody_has_the_next_move_wherever_a_post_is_not_at_its_end() -> None:
    for state, turn in TURN.items():
        assert (turn is Turn.NOBODY) == (state in {PostState.PUBLISHED, PostState.WITHDRAWN})
