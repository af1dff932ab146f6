"""The last gate: one true fact missing and nothing goes out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatekeeper.policy.gate import GateClosed, GateFacts, can_publish, check_can_publish

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
DIGEST = "d" * 64
GOOD = GateFacts(
    now=NOW,
    due=NOW,
    closes=NOW + timedelta(hours=2),
    digest_stored=DIGEST,
    digest_version=DIGEST,
    digest_publication=DIGEST,
    digest_decided=DIGEST,
    verdict="approve",
    decision_in_force=True,
    approver_is_author=False,
    approver_entitled=True,
    is_current_version=True,
    photos_decided=("a" * 64,),
    photos_in_hand=("a" * 64,),
    account_decided="42",
    account_now="42",
    channel_declared_own=True,
    post_against=(),
    faces_against=(),
    takedown_stands=False,
)


def test_what_was_approved_goes_out() -> None:
    check_can_publish(GOOD)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"digest_decided": None}, "no written approval"),
        ({"verdict": "refuse"}, "no written approval"),
        ({"verdict": None}, "no written approval"),
        ({"decision_in_force": False}, "taken back"),
        ({"digest_stored": "e" * 64}, "not what the headteacher approved"),
        ({"digest_version": "e" * 64}, "not what the headteacher approved"),
        ({"digest_publication": "e" * 64}, "not what the headteacher approved"),
        ({"digest_decided": "e" * 64}, "not what the headteacher approved"),
        ({"approver_is_author": True}, "author approved it"),
        ({"approver_entitled": False}, "no right to decide"),
        ({"is_current_version": False}, "edited after"),
        ({"photos_in_hand": ("b" * 64,)}, "photo's bytes"),
        ({"photos_in_hand": ()}, "photo's bytes"),
        ({"photos_in_hand": ("a" * 64, "b" * 64)}, "photo's bytes"),
        ({"account_now": "43"}, "account is not the one"),
        ({"account_decided": None}, "account is not the one"),
        ({"channel_declared_own": False}, "not opened this channel"),
        ({"post_against": ("Its words were erased.",)}, "Its words were erased"),
        ({"takedown_stands": True}, "ordered to be taken down"),
        ({"now": NOW - timedelta(seconds=1)}, "time has not come"),
        ({"now": NOW + timedelta(hours=2, seconds=1)}, "window is over"),
        ({"faces_against": ("Face 1 in photo 1: say who this is, or cover it.",)}, "say who this is"),
    ],
)
def test_one_missing_fact_closes_the_gate(change: dict[str, Any], sentence: str) -> None:
    facts = replace(GOOD, **change)
    assert not can_publish(facts)
    with pytest.raises(GateClosed, match=sentence):
        check_can_publish(facts)


def test_every_reason_is_told_at_once() -> None:
    with pytest.raises(GateClosed) as closed:
        check_can_publish(replace(GOOD, verdict="refuse", is_current_version=False, decision_in_force=False))
    assert len(closed.value.reasons) == 3


def test_the_last_moment_of_the_window_still_counts() -> None:
    assert can_publish(replace(GOOD, now=GOOD.closes))
