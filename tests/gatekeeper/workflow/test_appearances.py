"""Every post with a child in it is found, and not one with another child only."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select

from gatekeeper.db.session import Database
from gatekeeper.errors import NotFound
from gatekeeper.people.pupils import Pupil
from gatekeeper.posts.model import Face, Finding, Photo, Post, Version
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow.appearances import Appearance, appearances
from gatekeeper.workflow.face_answer import write_answer
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.factories.sending import run
from tests.fixtures.effort import effort


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return School(make_services(sqlite_database, tmp_path, clock, simulator=simulator))


def found(school: School, name: str = "Wren") -> dict[int, Appearance]:
    with school.services.db.read() as session:
        return {one.post_id: one for one in appearances(session, school.pupils[name])}


def test_a_draft_with_the_face_is_found_and_one_with_another_child_is_not(school: School) -> None:
    wrens, both, jontys = (school.post(pupils=names) for names in (("Wren",), ("Wren", "Jonty"), ("Jonty",)))
    assert list(found(school)) == [both, wrens]
    assert list(found(school, "Jonty")) == [jontys, both]
    assert found(school, "Isolde") == {}
    one = found(school)[wrens]
    assert (one.how, one.on_its_way, one.live, one.taken_down, one.working) == (
        frozenset({"cleared"}), True, False, False, "shown",
    )  # fmt: skip
    assert len(one.photo_ids) == 1


def test_both_databases_find_the_same(database: Database, tmp_path: Path, clock: ToldClock) -> None:
    school = School(make_services(database, tmp_path, clock))
    shown, named, worded = (
        school.post(pupils=("Wren",)),
        school.post(text="WREN APPLETHWAITE won."),
        school.post(wordings={"x": "Wren Applethwaite won"}),
    )
    school.post(text="Everybody won.")
    assert [(one.post_id, set(one.how)) for one in found(school).values()] == [
        (worded, {"named"}), (named, {"named"}), (shown, {"cleared"}),
    ]  # fmt: skip
    with database.read() as session:
        assert [one.post_id for one in appearances(session, school.pupils["Wren"], only=[named])] == [named]


def test_an_unknown_child_is_no_empty_list(school: School) -> None:
    with school.services.db.read() as session, pytest.raises(NotFound):
        appearances(session, 4711)


@pytest.mark.parametrize(
    ("words", "is_named"),
    [
        ("Well done Wren Applethwaite for the bird table!", True),
        ("WREN and Jonty planted the beans.", True),
        ("#WrenApplethwaite at the fair", True),
        ("Applethwaite, Wren came first.", True),
        ("A wren nests in the hedge, says Mrs Applethwaite.", False),
        ("Our harvest table is full.", False),
    ],
)
def test_a_name_counts_where_the_check_would_count_it(school: School, words: str, is_named: bool) -> None:
    number = school.post(text=words)
    assert (number in found(school)) is is_named
    if is_named:
        assert found(school)[number].how == frozenset({"named"})
        assert found(school)[number].working == "named"


def test_a_name_in_the_title_or_a_file_name_is_found_but_publishes_nobody(school: School) -> None:
    titled, filed = school.post(), school.post(photos=1)
    with school.services.db.begin() as session:
        session.get_one(Post, titled).title = "Wren Applethwaite's cup"
        session.scalars(select(Photo).where(Photo.post_id == filed)).one().file_name = "wren_applethwaite.jpg"
    assert {number: one.working for number, one in found(school).items()} == {titled: "", filed: ""}


def test_a_name_in_words_for_one_channel_is_of_that_channel_alone(school: School) -> None:
    number = school.post(wordings={"x": "Robin Featherstone won!"})
    school.approve(number)
    with school.services.db.begin() as session:  # came onto the roll since
        pupil = session.get_one(Pupil, school.pupils["Wren"])
        pupil.first_name, pupil.last_name = "Robin", "Featherstone"
    one = found(school)[number]
    assert [publication.account_id for publication in one.publications] == [school.accounts["x"]]
    assert one.working == "named"


def test_a_name_that_was_edited_away_is_still_found_in_the_version(school: School) -> None:
    number = school.post(text="Wren Applethwaite won the cup.")
    with school.services.db.begin() as session:
        session.get_one(Post, number).text = "We won the cup."
    one = found(school)[number]
    assert (one.how, one.working, one.on_its_way) == (frozenset({"named"}), "", False)


@pytest.mark.parametrize("text", ["Zoë Ångström won", "ZOE ANGSTROM won", "zoë ångström won"])
def test_letters_with_marks_hide_nobody(school: School, text: str) -> None:
    with school.services.db.begin() as session:
        pupil = session.get_one(Pupil, school.pupils["Wren"])
        pupil.first_name, pupil.last_name = "Zoë", "Ångström"
    numbers = {school.post(text=text), school.post(text="Everybody won", wordings={"x": text})}
    assert set(found(school)) == numbers


def test_a_disguised_name_is_found_where_the_check_found_it(school: School) -> None:
    number = school.post(text="W r e n A p p l e t h w a i t e won")
    assert number not in found(school)
    with school.services.db.begin() as session:
        version = session.scalars(select(Version).where(Version.post_id == number)).one()
        session.add(
            Finding(
                version_id=version.id, rule="pupil-name-disguised", clause="3.1d", severity="block", field="text",
                message="This names a pupil.",
            )
        )  # fmt: skip
    assert number in found(school)
    assert number not in found(school, "Isolde")


def test_who_was_covered_later_was_still_tagged(school: School, clock: ToldClock) -> None:
    number = school.post(pupils=("Wren",))
    with school.services.db.begin() as session:
        face = session.scalars(select(Face)).one()
        write_answer(session, face, FaceState.PUPIL, by=school.author, now=clock.now(), pupil_id=school.pupils["Wren"])
        write_answer(session, face, FaceState.COVERED, by=school.author, now=clock.now() + timedelta(seconds=1))
    one = found(school)[number]
    assert (one.how, one.working, one.on_its_way) == (frozenset({"tagged"}), "", False)


def test_a_face_that_was_cut_off_is_not_shown(school: School) -> None:
    number = school.post(pupils=("Wren",))
    with school.services.db.begin() as session:
        session.scalars(select(Photo).where(Photo.post_id == number)).one().crop = [200, 0, 400, 300]
    assert (found(school)[number].how, found(school)[number].working) == (frozenset({"tagged"}), "")


def test_what_is_live_and_what_was_taken_down_is_told_apart(school: School) -> None:
    number = school.post(pupils=("Wren",), due_in=timedelta(seconds=1))
    ids = school.approve(number)
    assert found(school)[number].on_its_way
    school.services.clock.advance(seconds=2)  # type: ignore[attr-defined]
    run(school)
    one = found(school)[number]
    assert (one.live, one.taken_down, one.on_its_way) == (True, False, False)
    assert [publication.id for publication in one.publications] == ids
    assert set(one.sent.values()) == {"shown"}
    now = school.services.clock.now()
    for left, publication_id in zip((True, False), ids, strict=True):
        with school.services.db.begin() as session:
            session.add(
                Takedown(
                    account_id=school.publication(publication_id).account_id, publication_id=publication_id,
                    why="consent", asked_at=now, next_at=now, state=TakedownState.GONE, confirmed_at=now,
                )
            )  # fmt: skip
        one = found(school)[number]
        assert (one.live, one.taken_down) == (left, True)
        assert publication_id in one.gone


def test_what_was_sent_with_the_child_stays_known_after_the_face_was_covered(school: School, clock: ToldClock) -> None:
    """A post that went out on one channel alone may be put right and sent to the other."""
    number = school.post(pupils=("Wren",), due_in=timedelta(seconds=1))
    with school.services.db.begin() as session:
        face = session.scalars(select(Face)).one()
        write_answer(session, face, FaceState.PUPIL, by=school.author, now=clock.now(), pupil_id=school.pupils["Wren"])
    school.approve(number)
    clock.advance(seconds=2)
    run(school)
    clock.advance(seconds=60)
    with school.services.db.begin() as session:
        face = session.scalars(select(Face)).one()
        write_answer(session, face, FaceState.COVERED, by=school.author, now=clock.now())
    one = found(school)[number]
    assert (one.live, set(one.sent.values()), one.working) == (True, {"shown"}, "")
    assert one.how == frozenset({"cleared"})


def test_a_post_that_was_withdrawn_is_not_on_its_way(school: School) -> None:
    number = school.post(pupils=("Wren",))
    with school.services.db.begin() as session:
        move(session.get_one(Post, number), PostState.WITHDRAWN)
    assert not found(school)[number].on_its_way


def test_twenty_thousand_posts_are_searched_with_little_work(sqlite_database: Database, tmp_path: Path) -> None:
    clock = ToldClock()
    with Simulator(config=SimulatorConfig(clock=clock)) as simulator:
        school = School(make_services(sqlite_database, tmp_path, clock, simulator=simulator))
    now, filler = clock.now(), "Year 4 measured the playground and drew a plan of it to scale. " * 4
    posts, versions = [], []
    for number in range(1, 20_001):
        text = f"{filler} {number}" + (" Wren Applethwaite led." if number % 4000 == 0 else "")
        posts.append({
            "id": number, "author_id": school.author, "text": text, "state": "published", "created_at": now,
            "changed_at": now, "title": f"Plan {number}",
        })  # fmt: skip
        canonical = {
            "text": text, "photos": [{"sha256": "0" * 64, "alt": "A plan"}] * 2, "due": "2026-11-23T09:00:00Z",
            "channels": [{"account_id": 1, "kind": "x", "remote_id": "42"}], "window_minutes": 120,
        }  # fmt: skip
        versions.append({
            "post_id": number, "number": 1, "revision": 0, "canonical": json.dumps(canonical), "digest": "0" * 64,
            "sealed_by": school.author, "sealed_at": now,
        })  # fmt: skip
    with sqlite_database.begin() as session:
        session.execute(insert(Post), posts)
        session.execute(insert(Version), versions)
    assert set(found(school)) == {4000, 8000, 12000, 16000, 20000}
    statements: list[str] = []
    event.listen(sqlite_database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert effort(lambda: found(school)) < 60
    assert len(statements) < 25
