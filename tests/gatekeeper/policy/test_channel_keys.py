"""Keys that allow too little are told with what is missing and where it is given."""

import pytest

from gatekeeper.policy.channel_keys import NEEDED, missing, missing_sentence
from gatekeeper.policy.limits import LIMITS

ENOUGH = {
    "x": {"read", "write"},
    "facebook": {"pages_manage_posts", "pages_read_engagement", "pages_show_list"},
    "linkedin": {"w_organization_social", "r_organization_social", "rw_organization_admin"},
}


def test_every_kind_of_channel_says_what_it_needs() -> None:
    assert set(NEEDED) == set(LIMITS) == set(ENOUGH)


@pytest.mark.parametrize("kind", sorted(NEEDED))
def test_keys_that_allow_everything_needed_are_enough(kind: str) -> None:
    assert missing_sentence(kind, ENOUGH[kind]) == ""


@pytest.mark.parametrize("kind", sorted(NEEDED))
def test_each_permission_that_is_missing_is_named_with_what_to_do(kind: str) -> None:
    for one in NEEDED[kind]:
        allowed = ENOUGH[kind] - {one.name}
        assert missing(kind, allowed) == (one,)
        said = missing_sentence(kind, allowed)
        assert one.name in said
        assert said.endswith(one.where)


def test_a_platform_that_tells_nothing_proves_nothing() -> None:
    assert missing("x", frozenset()) == ()
