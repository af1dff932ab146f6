"""Limits are read from whatever headers a platform sends, and a header that says nothing says nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.channels.told import CREATE_DAY, EVERYTHING, RouteLimit, facebook_limits, no_limits, x_limits

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=15)
EPOCH = str(int(SOON.timestamp()))


def test_x_tells_what_is_left_of_this_kind_of_call() -> None:
    headers = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "3", "x-rate-limit-reset": EPOCH}
    assert list(x_limits("create_post", headers, NOW)) == [RouteLimit(route="create_post", remaining=3, resets_at=SOON)]


def test_x_tells_what_is_left_of_the_day_and_the_smaller_number_counts() -> None:
    late = str(int((NOW + timedelta(hours=9)).timestamp()))
    headers = {
        "x-app-limit-24hour-remaining": "40", "x-app-limit-24hour-reset": EPOCH,
        "x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": late,
    }  # fmt: skip
    assert list(x_limits("create_post", headers, NOW)) == [
        RouteLimit(route=CREATE_DAY, remaining=0, resets_at=NOW + timedelta(hours=9))
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-rate-limit-remaining": "-1", "x-rate-limit-reset": EPOCH},
        {"x-rate-limit-remaining": "many"},
        {"x-rate-limit-remaining": "٣"},
        {"x-rate-limit-remaining": "9" * 40},
    ],
    ids=["none", "negative", "words", "other-digits", "endless"],
)
def test_x_headers_that_cannot_be_read_say_nothing(headers: dict[str, str]) -> None:
    assert list(x_limits("create_post", headers, NOW)) == []


@pytest.mark.parametrize("reset", ["", "soon", "9" * 12, "-5"])
def test_x_without_a_moment_tells_the_number_alone(reset: str) -> None:
    (told,) = x_limits("list_posts", {"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}, NOW)
    assert (told.remaining, told.resets_at) == (0, None)


def usage(percent: int, minutes: int = 0) -> dict[str, str]:
    entry = f'{{"type":"pages","call_count":{percent},"total_time":2,"estimated_time_to_regain_access":{minutes}}}'
    return {"x-app-usage": '{"call_count":1,"total_time":1}', "x-business-use-case-usage": f'{{"111":[{entry}]}}'}


def test_facebook_tells_the_share_that_is_left_by_its_highest_figure() -> None:
    (told,) = facebook_limits("create_post", usage(40), NOW)
    assert told == RouteLimit(route=EVERYTHING, remaining=60, resets_at=None)


def test_facebook_used_up_waits_as_long_as_it_says_or_an_hour() -> None:
    (told,) = facebook_limits("create_post", usage(100, 7), NOW)
    assert told == RouteLimit(route=EVERYTHING, remaining=0, resets_at=NOW + timedelta(minutes=7))
    (told,) = facebook_limits("create_post", usage(130), NOW)
    assert told == RouteLimit(route=EVERYTHING, remaining=0, resets_at=NOW + timedelta(hours=1))


def test_facebook_nearly_used_up_slows_reading_and_nothing_else() -> None:
    assert [each.route for each in facebook_limits("create_post", usage(90), NOW)] == [EVERYTHING]
    everything, reading = facebook_limits("list_posts", usage(90), NOW)
    assert everything.remaining == 10
    assert (reading.route, reading.remaining) == ("list_posts", 0)
    assert reading.resets_at == NOW + timedelta(minutes=2)
    assert len(list(facebook_limits("list_posts", usage(89), NOW))) == 1


@pytest.mark.parametrize(
    "header",
    ["", "full", "[]", "7", '{"call_count":"many"}', '{"call_count":NaN}', '{"call_count":true}', "[" * 60_000],
    ids=["empty", "word", "list", "number", "words", "nan", "yes", "deep"],
)
def test_facebook_headers_that_cannot_be_read_say_nothing(header: str) -> None:
    headers = {"x-app-usage": header, "x-business-use-case-usage": header}
    assert list(facebook_limits("list_posts", headers, NOW)) == []


def test_linkedin_tells_nothing_beside_its_refusals() -> None:
    assert list(no_limits("create_post", {"x-rate-limit-remaining": "0"}, NOW)) == []
