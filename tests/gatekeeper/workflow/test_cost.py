"""What publishing costs is told before it is approved, and counted by the day."""

from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.db.session import Database
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.limits import PRICES, dollars
from gatekeeper.posts.digest import ChannelContent, Content, WordingContent
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.workflow import cost

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
X, PAGE, SECOND_X = (
    ChannelContent(account_id=number, kind=kind, remote_id=str(number))
    for number, kind in ((1, "x"), (2, "facebook"), (3, "x"))
)


def content(text: str, *channels: ChannelContent, own: str = "") -> Content:
    wordings = (WordingContent(account_id=1, text=own),) if own else ()
    return Content(text=text, photos=(), channels=channels, due=NOW, window_minutes=120, wordings=wordings)


@pytest.mark.parametrize(
    ("thousandths", "said"), [(15, "$0.015"), (200, "$0.20"), (0, "$0.00"), (1_234_560, "$1,234.56")]
)
def test_prices_are_written_as_people_write_them(thousandths: int, said: str) -> None:
    assert dollars(thousandths) == said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (content("Words", PAGE), ""),
        (content("Words", X, PAGE), "Publishing this costs the school about $0.015 on X."),
        (content("See a.example/b", X), "Publishing this costs the school about $0.20 on X, because it has a link."),
        (content("Words", X, SECOND_X), "Publishing this costs the school about $0.03 on X."),
        (content("https://a.example", X, own="Words"), "Publishing this costs the school about $0.015 on X."),
    ],
    ids=["free", "words", "link", "two", "own-words"],
)
def test_the_price_of_exactly_this_post(asked: Content, said: str) -> None:
    assert cost.sentence_for(asked) == said


def test_a_month_adds_up_its_days_and_no_other(sqlite_database: Database) -> None:
    with sqlite_database.begin() as session:
        session.add(Staff(id=1, email="a@x.example", name="A", role=Role.ADMINISTRATOR, created_at=NOW))
        session.flush()
        accounts = [
            ChannelAccount(kind=kind, name=kind, remote_id=str(number), created_by=1, created_at=NOW)
            for number, kind in enumerate(("x", "x", "facebook"))
        ]
        session.add_all(accounts)
        session.flush()
        own, other, page = accounts
        for days, kind, many in (
            (0, cost.POST, 2),
            (1, cost.POST, 1),
            (0, cost.LINK_POST, 1),
            (0, cost.READ, 40),
            (23, cost.POST, 9),
        ):
            cost.count(session, own.id, kind, many, now=NOW - timedelta(days=days))
        cost.count(session, other.id, cost.POST, 5, now=NOW)
        cost.count(session, own.id, cost.POST, 0, now=NOW)
        month = cost.month_of(session, own, now=NOW)
        assert month == cost.Month(posts=3, link_posts=1, reads=40, price=dollars(3 * 15 + 200 + 40))
        assert cost.month_of(session, page, now=NOW) is None


def test_the_priced_kinds_are_those_that_are_counted() -> None:
    assert {frozenset(prices) for prices in PRICES.values()} == {frozenset({cost.POST, cost.LINK_POST, cost.READ})}
