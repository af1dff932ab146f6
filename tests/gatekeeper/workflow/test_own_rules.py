"""Changing the rules: whole or not at all, never what protects a pupil, numbered one by one, each decision naming its own."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from approvals import ledger_check
from approvals.tables import Decision, LedgerEntry, Verdict
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.own_rules import PolicyVersion, softened, version_label
from gatekeeper.people.staff import Audit
from gatekeeper.posts.model import Post, Version
from gatekeeper.posts.repository import accounts_of, findings_of
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import decide, own_rules, recheck
from gatekeeper.workflow.own_rules import difference
from gatekeeper.workflow.rule_book import book, rules_view
from gatekeeper.workflow.words import check_words
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

WHY = "Governors agreed on 3 November."
WEIR = """
[[rule]]
id = "our-weir"
clause = "3.8"
severity = "block"
sentence = "⟨q⟩ tells where our children play. Leave the place out."
patterns = ["weir & children/pupils"]
unless = ["picture of"]
hit = "The children met at the weir."
miss = "The children drew a picture of the weir."
"""


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def save(
    school: School, *, rules: str = "", soft: dict[str, str] | None = None, why: str = WHY, based_on: int = 0
) -> PolicyVersion:
    return own_rules.save(school.services, rules=rules, softened=soft or {}, why=why, based_on=based_on, by=school.head)


def label(school: School) -> str:
    with school.services.db.read() as session:
        return version_label(session)


def found_in(school: School, words: str) -> dict[str, str]:
    """Rule -> severity of what the check writes down of a post."""
    post_id = school.post(text=words)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        version = session.get_one(Version, post.version_id)
        check_words(session, post, version, accounts_of(session, post))
        return {finding.rule: finding.severity for finding in findings_of(session, version.id)}


def test_a_change_is_a_version_with_who_when_and_why_in_audit_and_ledger(school: School) -> None:
    assert label(school) == "2022-03/0"
    version = save(school, rules=WEIR, soft={"profanity": "justify"})
    assert (version.number, version.why, version.made_by) == (1, WHY, school.head)
    assert version.made_at == school.services.clock.now()
    assert label(school) == "2022-03/1"
    with school.services.db.read() as session:
        assert session.scalars(select(Audit.subject).where(Audit.action == "rules.changed")).all() == ["rules:1"]
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "rules.changed")).one()
        assert own_rules._digest(version) in entry.body
        assert ledger_check.verify(session).ok


def test_a_softened_rule_changes_what_a_check_demands_and_an_own_rule_is_found(school: School) -> None:
    words = "What a load of crap weather. The children met at the weir."
    assert found_in(school, words) == {"profanity": "block"}
    save(school, rules=WEIR, soft={"profanity": "justify"})
    assert found_in(school, words) == {"profanity": "justify", "our-weir": "block"}
    save(school, soft={"profanity": "off"}, based_on=1)
    assert found_in(school, words) == {}


def test_rules_for_photos_are_softened_in_the_same_place(school: School) -> None:
    save(school, soft={"photo-close-up": "advice"})
    with school.services.db.read() as session:
        assert softened(session) == {"photo-close-up": "advice"}


HARD = sorted(rule.id for rule in book("").values() if rule.hard)


def test_everything_that_names_a_pupil_or_gives_a_contact_away_is_hard() -> None:
    assert {rule for rule in book("") if rule.startswith(("pupil-name", "photo-name", "name-"))} <= set(HARD)
    assert {"contact-phone", "contact-dob", "contact-address", "photo-letters"} <= set(HARD)


@pytest.mark.parametrize("rule", HARD)
def test_cannot_soften_a_hard_rule_by_a_forged_form(rule: str) -> None:
    with pytest.raises(BadInput, match="cannot be softened") as refused:
        own_rules._checked({rule: "off"})
    assert set(refused.value.fields) == {f"soft-{rule}"}


def test_a_hard_rule_stays_hard_even_if_the_database_says_otherwise(school: School) -> None:
    with school.services.db.begin() as session:
        session.add(
            PolicyVersion(
                number=1, softened={"pupil-name-full": "off"}, why=WHY, made_by=school.head,
                made_at=school.services.clock.now(),
            )
        )  # fmt: skip
    assert found_in(school, "Well done Wren Applethwaite!") == {"pupil-name-full": "block"}


@pytest.mark.parametrize(
    ("soft", "says"),
    [
        ({"link-shortener": "block"}, "only ever softened"),
        ({"profanity": "nothing"}, "only ever softened"),
        ({"profanity": ""}, "only ever softened"),
        ({"no-such-rule": "off"}, "no rule called"),
    ],
)
def test_cannot_change_a_rule_to_anything_but_something_milder(school: School, soft: dict[str, str], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        save(school, soft=soft)
    assert label(school) == "2022-03/0"


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (WEIR.replace('"block"', '"block'), "Line 4, column"),
        (WEIR.replace('"3.8"', '"9.9"'), "9.9"),
        (WEIR.replace("The children met at the weir.", "Nobody was there."), "Line 2: our-weir does not find"),
        (WEIR.replace('unless = ["picture of"]', ""), "our-weir finds its “miss”"),
        (WEIR.replace('"weir & children/pupils"', '"' + "a ... " * 33 + 'a"'), "Line 2"),
        (WEIR.replace('"weir & children/pupils"', '"{no-family}"'), "no family"),
    ],
)  # fmt: skip
def test_cannot_save_rules_that_cannot_be_used_and_the_version_in_force_stays(
    school: School, rules: str, says: str
) -> None:
    save(school, soft={"profanity": "advice"})
    with pytest.raises(BadInput, match=says) as refused:
        save(school, rules=rules, based_on=1)
    assert set(refused.value.fields) == {"rules"}
    assert label(school) == "2022-03/1"


@pytest.mark.parametrize("why", ["", "   ", "because", "x" * 1_001])
def test_cannot_save_without_saying_why(school: School, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        save(school, soft={"profanity": "advice"}, why=why)
    assert set(refused.value.fields) == {"why"}


def test_signs_that_nobody_sees_are_not_kept(school: School) -> None:
    made = save(school, soft={"profanity": "advice"}, why="Agreed\x00 by the\nGovernors.\u200b")
    assert made.why == "Agreed by the\nGovernors."


def test_cannot_save_nothing(school: School) -> None:
    with pytest.raises(BadInput, match="Nothing was changed"):
        save(school, soft={"profanity": "block"})
    save(school, rules=WEIR)
    with pytest.raises(BadInput, match="Nothing was changed"):
        save(school, rules=WEIR.replace("\n", "\r\n"), based_on=1)


def test_cannot_save_over_a_version_that_was_not_seen(school: School) -> None:
    save(school, soft={"profanity": "advice"})
    with pytest.raises(Conflict, match="Somebody changed the rules"):
        save(school, soft={"profanity": "off"})
    assert label(school) == "2022-03/1"


def test_of_two_saves_at_once_one_is_kept_and_the_other_told(
    database: Database, tmp_path: Path, clock: ToldClock
) -> None:
    school = School(make_services(database, tmp_path, clock))
    start, told = threading.Barrier(2), []

    def one(to: str) -> None:
        start.wait(10)
        try:
            told.append(save(school, soft={"profanity": to}).number)
        except Conflict:
            told.append("conflict")

    threads = [threading.Thread(target=one, args=(to,)) for to in ("advice", "off")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, told)) == ["1", "conflict"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE policy_version SET why = 'another'",
        "DELETE FROM policy_version",
        "INSERT INTO policy_version (number, rules, softened, why, made_by, made_at) SELECT 7, rules, softened, why, made_by, made_at FROM policy_version",
        "INSERT INTO policy_version (number, rules, softened, why, made_by, made_at) SELECT 1, '', softened, why, made_by, made_at FROM policy_version",
    ],
    ids=["changed", "removed", "skipped", "doubled"],
)  # fmt: skip
def test_the_database_itself_keeps_every_version_and_its_number(
    database: Database, tmp_path: Path, clock: ToldClock, statement: str
) -> None:
    school = School(make_services(database, tmp_path, clock))
    save(school, soft={"profanity": "advice"})
    with pytest.raises(DBAPIError), database.begin() as session:
        session.execute(text(statement))


def test_restoring_makes_a_new_version(school: School) -> None:
    save(school, rules=WEIR, soft={"profanity": "advice"})
    save(school, based_on=1)
    third = own_rules.restore(school.services, 1, why=WHY, based_on=2, by=school.head)
    assert (third.number, third.rules, third.softened) == (3, WEIR.strip("\n"), {"profanity": "advice"})
    fourth = own_rules.restore(school.services, 0, why=WHY, based_on=3, by=school.head)
    assert (fourth.number, fourth.rules, fourth.softened) == (4, "", {})
    with pytest.raises(NotFound):
        own_rules.restore(school.services, 99, why=WHY, based_on=4, by=school.head)


def test_the_difference_between_versions_can_be_read(school: School) -> None:
    first = save(school, rules=WEIR, soft={"profanity": "justify"})
    second = save(school, rules=WEIR.replace('"block"', '"advice"'), soft={"profanity": "off"}, based_on=1)
    told = [(change.sign, change.words) for change in difference(first, second)]
    assert ("-", "profanity: Give a reason") in told
    assert ("+", "profanity: Off") in told
    assert ("-", 'severity = "block"') in told
    assert ("+", 'severity = "advice"') in told
    assert ("-", "profanity: Must be changed, as it came") in [(c.sign, c.words) for c in difference(None, first)]


def test_a_decision_names_the_version_it_was_made_under(school: School) -> None:
    save(school, soft={"profanity": "justify"})
    school.approve(school.post())
    save(school, based_on=1)
    with school.services.db.read() as session:
        assert session.scalars(select(Decision.policy_version)).one() == "2022-03/1"


def test_a_rule_added_since_the_check_stops_a_yes_and_one_softened_since_does_not(school: School) -> None:
    stopped, goes = school.post(text="The children met at the weir."), school.post()
    secret = school.ask(stopped)
    save(school, rules=WEIR, soft={"profanity": "off"})
    secret = decide.prove(school.services, secret, PIN).view_secret or secret
    form = decide.DecisionForm(
        verdict=Verdict.APPROVE, digest_shown=school.digest(stopped), typed_name="Head Teacher",
        statement="I approve this post.", answers={},
    )  # fmt: skip
    assert decide.decide(school.services, secret, form).decision is None
    assert school.state(stopped) == PostState.SCANNING
    with school.services.db.read() as session:
        assert session.get_one(Post, stopped).note == recheck.STRICTER
    assert school.approve(goes)


def test_the_book_lists_every_rule_under_its_clause_and_says_what_was_softened(school: School) -> None:
    save(school, rules=WEIR, soft={"profanity": "justify"})
    with school.services.db.read() as session:
        view = rules_view(session)
    lines = {line.rule.id: line for group in view.groups for line in group.lines}
    assert set(lines) == set(book(WEIR))
    assert (lines["profanity"].now, lines["profanity"].softened) == ("justify", True)
    assert lines["our-weir"].rule.kind == "own"
    assert not lines["pupil-name-full"].softened


def test_the_book_says_so_where_the_rules_kept_cannot_be_read_any_more(school: School) -> None:
    with school.services.db.begin() as session:
        session.add(
            PolicyVersion(number=1, rules="[[rule", why=WHY, made_by=school.head, made_at=school.services.clock.now())
        )
    with school.services.db.read() as session:
        assert rules_view(session).problem.startswith("Line 1")
    save(school, rules=WEIR, based_on=1)
    assert label(school) == "2022-03/2"
