"""An attempt to send is ended once. Whoever holds the connection, nothing else about it changes, and none is removed."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from gatekeeper.db.session import Database
from gatekeeper.posts.model import Attempt, Post
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

SENTENCE = "an attempt to send is ended once and never changes"


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(database, tmp_path, clock))


@pytest.fixture
def attempt(school: School, clock: ToldClock) -> Attempt:
    """One that was begun and has not ended."""
    (publication,) = school.approve(school.post(kinds=("x",)))
    begun = Attempt(publication_id=publication, fence=1, started_at=clock.now(), digest="d" * 64)
    with school.services.db.begin() as session:
        session.add(begun)
    return begun


def change(school: School, **values: object) -> None:
    with school.services.db.begin() as session:
        session.execute(update(Attempt).values(**values))


def ending(clock: ToldClock, outcome: str = "published", **more: object) -> dict[str, object]:
    return {"ended_at": clock.now(), "outcome": outcome, "detail": "", **more}


def test_an_attempt_is_ended_once(school: School, clock: ToldClock, attempt: Attempt) -> None:
    change(school, **ending(clock, "unknown", detail="no answer"))
    with school.services.db.read() as session:
        (kept,) = session.scalars(select(Attempt))
        assert (kept.outcome, kept.detail, kept.ended_at) == ("unknown", "no answer", clock.now())


@pytest.mark.parametrize(
    "more",
    [
        {"outcome": "published"},
        {"detail": "nothing"},
        {"ended_at": None},
        {"ended_at": None, "outcome": "", "detail": ""},
    ],
    ids=["outcome", "detail", "open again", "as if never ended"],
)
def test_cannot_change_how_it_ended(
    school: School, clock: ToldClock, attempt: Attempt, more: dict[str, object]
) -> None:
    change(school, **ending(clock, "unknown", detail="no answer"))
    with pytest.raises(DBAPIError, match=SENTENCE):
        change(school, **more)


def test_cannot_end_it_twice_even_with_the_same_words(school: School, clock: ToldClock, attempt: Attempt) -> None:
    change(school, **ending(clock))
    with pytest.raises(DBAPIError, match=SENTENCE):
        change(school, **ending(clock))


@pytest.mark.parametrize(
    "more",
    [{"fence": 2}, {"digest": "e" * 64}, {"started_at": None}],
    ids=["fence", "digest", "beginning"],
)
def test_cannot_change_what_was_begun_while_ending_it(
    school: School, clock: ToldClock, attempt: Attempt, more: dict[str, object]
) -> None:
    if "started_at" in more:
        more = {"started_at": clock.now() - timedelta(minutes=1)}
    with pytest.raises(DBAPIError, match=SENTENCE):
        change(school, **ending(clock, **more))


@pytest.mark.parametrize(
    "values",
    [{"outcome": "published"}, {"detail": "only this"}, {"outcome": ""}],
    ids=["no moment", "only words", "nothing"],
)
def test_cannot_end_it_by_halves(school: School, attempt: Attempt, values: dict[str, object]) -> None:
    with pytest.raises(DBAPIError, match=SENTENCE):
        change(school, **values)


def test_cannot_end_it_without_saying_how(school: School, clock: ToldClock, attempt: Attempt) -> None:
    with pytest.raises(DBAPIError, match=SENTENCE):
        change(school, **ending(clock, ""))


def test_cannot_remove_it(school: School, attempt: Attempt) -> None:
    with pytest.raises(DBAPIError, match="never removed"), school.services.db.begin() as session:
        session.execute(delete(Attempt))


def erase(school: School, clock: ToldClock) -> None:
    with school.services.db.begin() as session:
        session.execute(update(Post).values(erased_at=clock.now()))


def test_what_the_platform_said_is_emptied_only_where_the_post_is_erased(
    school: School, clock: ToldClock, attempt: Attempt
) -> None:
    change(school, **ending(clock, "unknown", detail="no answer"))
    with pytest.raises(DBAPIError, match=SENTENCE):
        change(school, detail="")
    erase(school, clock)
    change(school, detail="")
    change(school, detail="")


@pytest.mark.parametrize(
    "values", [{"outcome": "published", "detail": ""}, {"detail": "another"}, {"ended_at": None, "detail": ""}],
    ids=["outcome", "other words", "open again"],
)  # fmt: skip
def test_cannot_change_anything_else_of_an_erased_post(
    school: School, clock: ToldClock, attempt: Attempt, values: dict[str, object]
) -> None:
    change(school, **ending(clock, "unknown", detail="no answer"))
    erase(school, clock)
    with pytest.raises(DBAPIError, match=SENTENCE):
        change(school, **values)
