"""The school's checker: kept between checks, and never older than what the database says."""

import os
import threading
from pathlib import Path

import pytest

from gatekeeper.db.session import Database
from gatekeeper.people.own_rules import PolicyVersion, TaughtPhrase
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Staff
from gatekeeper.text.checker import Checker, Draft
from gatekeeper.text.lexicon import LexiconError
from gatekeeper.workflow import school_checker
from gatekeeper.workflow.school_checker import checker_as_shipped, checker_for
from tests.conftest import ToldClock
from tests.factories.school import School, make_services


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def _rules_in(checker: Checker, text: str) -> set[str]:
    return {hit.rule for hit in checker.check(Draft(text, (), "x", "school"))}


def _for(school: School) -> Checker:
    with school.services.db.read() as session:
        return checker_for(session)


def test_the_same_checker_serves_until_something_changes(school: School) -> None:
    assert _for(school) is _for(school)


@pytest.mark.parametrize("what", ["pupil", "renamed", "staff", "setting", "taught", "rules"])
def test_every_change_to_what_the_checker_is_told_makes_a_new_one(school: School, what: str) -> None:
    before = _for(school)
    now = school.services.clock.now()
    with school.services.db.begin() as session:
        if what == "pupil":
            session.add(Pupil(reference="Q77", first_name="Tamsin", last_name="Oke", created_at=now))
        elif what == "renamed":
            session.get_one(Pupil, school.pupils["Wren"]).known_as = "Birdie"
        elif what == "staff":
            session.get_one(Staff, school.author).name = "Mr Tobias Fell"
        elif what == "setting":
            change_setting(session, "phones", ["01632 960111"], by=school.head, now=now)
        elif what == "taught":
            session.add(TaughtPhrase(phrase="Wren Day", why="A day in December.", taught_by=school.head, taught_at=now))
        else:
            session.add(PolicyVersion(number=1, softened={"profanity": "advice"}, why="Why not.", made_by=school.head, made_at=now))  # fmt: skip
    assert _for(school) is not before


def test_a_child_who_came_in_this_very_transaction_is_looked_for(school: School) -> None:
    with school.services.db.begin() as session:
        assert _rules_in(checker_for(session), "Well done Tamsin Oke!") == set()
        session.add(
            Pupil(reference="Q77", first_name="Tamsin", last_name="Oke", created_at=school.services.clock.now())
        )
        assert _rules_in(checker_for(session), "Well done Tamsin Oke!") == {"pupil-name-full"}


def test_a_child_who_left_is_still_no_name_for_the_public(school: School) -> None:
    with school.services.db.begin() as session:
        session.get_one(Pupil, school.pupils["Wren"]).left_on = school.services.clock.now().date()
    assert "pupil-name-full" in _rules_in(_for(school), "Well done Wren Applethwaite!")


def test_threads_wait_for_one_checker_instead_of_building_four(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []
    build = school_checker._build

    def counted(told: school_checker._Told) -> Checker:
        built.append(told)
        return build(told)

    monkeypatch.setattr(school_checker, "_build", counted)
    monkeypatch.setattr(school_checker, "_kept", school_checker._Kept())
    threads = [threading.Thread(target=_for, args=(school,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this computer forks no processes")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_process_does_not_wait_for_a_lock_of_its_parent(school: School) -> None:
    told = _told(school)
    with school_checker._kept._lock, school_checker._kept._building:
        child = os.fork()
        if child == 0:
            school_checker._kept.get(told)
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def _told(school: School) -> school_checker._Told:
    with school.services.db.read() as session:
        return school_checker._told(session, rules="", soft={})


def test_rules_that_cannot_be_read_any_more_stop_every_check(school: School) -> None:
    with school.services.db.begin() as session:
        session.add(
            PolicyVersion(
                number=1, rules="[[rule]", why="Broken.", made_by=school.head, made_at=school.services.clock.now()
            )
        )
        session.flush()
        with pytest.raises(LexiconError, match="Line 1"):
            checker_for(session)
        assert _rules_in(checker_as_shipped(session), "Well done Wren Applethwaite!") == {"pupil-name-full"}


OWN_WORDS = [
    ("phones", ["01632 960111"], "Ring the office on 01632 960111."),
    ("emails", ["jo.pike@quarrybank.example"], "Write to jo.pike@quarrybank.example please."),
    ("postcodes", ["ZZ4 9QT"], "Find us at ZZ4 9QT."),
    ("domains", ["quarrybank.zip"], "It is all on https://quarrybank.zip/clubs today."),
    ("trusted_domains", ["archive.zip"], "It is all on https://archive.zip/books today."),
    ("handles", ["QuarryBankPri"], "Say hello to us: DM @QuarryBankPri please."),
    ("houses", ["Isolde"], "Kestrel and Isolde tied in the house points."),
    ("classes", {"Isolde": "Year 3"}, "Kestrel and Isolde tied at skipping."),
]


@pytest.mark.parametrize(("setting", "value", "words"), OWN_WORDS, ids=[setting for setting, _, _ in OWN_WORDS])
def test_what_the_school_says_of_itself_is_no_finding(school: School, setting: str, value: object, words: str) -> None:
    before = _rules_in(_for(school), words)
    with school.services.db.begin() as session:
        change_setting(session, setting, value, by=school.head, now=school.services.clock.now())
    after = _rules_in(_for(school), words)
    assert after < before, (before, after)


def test_staff_are_no_finding_even_where_a_child_bears_the_same_name(school: School) -> None:
    with school.services.db.begin() as session:
        session.get_one(Staff, school.author).name = "Mrs Wren Hartnoll"
    assert _rules_in(_for(school), "Mrs Hartnoll read to us, and Wren Hartnoll sang.") == set()
    assert "pupil-name-full" in _rules_in(_for(school), "Wren Applethwaite sang.")
