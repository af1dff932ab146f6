"""Who is suggested, and who may be called likely: at the thresholds, and by age."""

import pytest

from gatekeeper.faces.likeness import Likeness, is_likely, rank
from tests.factories.enrolled import numbers


def test_the_best_photo_of_each_person_counts_and_the_nearest_comes_first() -> None:
    roster = {1: [numbers(0.9), numbers(0.3)], 2: [numbers(0.2)], 3: []}
    assert [one.person for one in rank(roster, numbers(0.0))] == [2, 1]
    assert rank(roster, numbers(0.0))[1].distance == pytest.approx(0.3)


def test_nobody_beyond_the_farthest_and_never_more_than_three() -> None:
    roster = {person: [numbers(0.1 * person)] for person in range(1, 9)}
    assert [one.person for one in rank(roster, numbers(0.0))] == [1, 2, 3]
    assert rank({1: [numbers(0.6)]}, numbers(0.0)) == [Likeness(1, 0.6)]
    assert rank({1: [numbers(0.601)]}, numbers(0.0)) == []
    assert rank({}, numbers(0.0)) == []


@pytest.mark.parametrize(
    ("nearest", "following", "years", "likely"),
    [
        pytest.param(0.45, None, 12, True, id="at-the-bound-from-twelve"),
        pytest.param(0.451, None, 12, False, id="beyond-the-bound-from-twelve"),
        pytest.param(0.45, None, 11, False, id="a-child-needs-more"),
        pytest.param(0.35, None, 11, True, id="at-the-bound-of-a-child"),
        pytest.param(0.351, None, 4, False, id="beyond-the-bound-of-a-child"),
        pytest.param(0.36, None, None, False, id="unknown-age-counts-as-a-child"),
        pytest.param(0.20, 0.29, 8, True, id="the-next-is-far-enough"),
        pytest.param(0.20, 0.27, 8, False, id="the-next-is-too-near"),
        pytest.param(0.40, 0.45, 15, False, id="the-margin-holds-from-twelve-too"),
    ],
)
def test_likely_needs_the_bound_of_the_age_and_the_margin(
    nearest: float, following: float | None, years: int | None, likely: bool
) -> None:
    assert is_likely(nearest, following, years=years) is likely
