"""Words that are no pupil: asked by the author, said by another person, never a child's own name."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.jobs import SCAN, Order
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.own_rules import TaughtPhrase, WordQuestion
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import Post, Version
from gatekeeper.posts.repository import accounts_of, findings_of
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import submit, teach
from gatekeeper.workflow.scan import scan
from gatekeeper.workflow.words import check_words
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

TEXT = "We read Isolde the Invincible and cheered. Later Isolde and Jonty Applethwaite fed the hens."
WHY = "The heroine of a picture book."


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def checked(school: School, text: str = TEXT) -> tuple[int, list[int]]:
    """A post whose words were checked, and its findings about first names."""
    post_id = school.post(text=text)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        version = session.get_one(Version, post.version_id)
        check_words(session, post, version, accounts_of(session, post))
        return post_id, [f.id for f in findings_of(session, version.id) if f.rule == "pupil-name-first"]


def lead(school: School) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[Role.CONSENT_LEAD])


def ask(school: School, post_id: int, finding_id: int) -> None:
    teach.ask_lead(school.services, post_id, finding_id, by=school.author)


def say(school: School, post_id: int, finding_id: int, phrase: str = "Isolde the Invincible", why: str = WHY) -> None:
    teach.teach(school.services, post_id, finding_id, phrase=phrase, why=why, by=lead(school))


def questions(school: School) -> list[teach.Question]:
    with school.services.db.read() as session:
        return teach.questions(session)


def taught(school: School) -> list[teach.Taught]:
    with school.services.db.read() as session:
        return teach.taught_phrases(session)


def test_a_question_shows_the_sentence_and_no_other_childs_name(school: School) -> None:
    post_id, found = checked(school)
    ask(school, post_id, found[1])
    [question] = questions(school)
    assert (question.quote, question.sentence) == ("Isolde", "Later Isolde and […] fed the hens.")
    with school.services.db.read() as session:
        line = session.scalars(select(Audit).where(Audit.action == "words.asked")).one()
        assert (line.staff_id, line.subject, line.detail) == (school.author, f"post:{post_id}", {})
        notice = session.scalars(select(Notice).where(Notice.kind == "words_asked")).one()
        assert (notice.staff_id, notice.context) == (school.staff[Role.CONSENT_LEAD], {"post_id": post_id})


def test_cannot_ask_twice_about_the_same_words(school: School) -> None:
    post_id, found = checked(school)
    ask(school, post_id, found[0])
    with pytest.raises(Conflict, match="already"):
        ask(school, post_id, found[1])


def test_the_phrase_offered_takes_in_the_words_that_belong_to_it(school: School) -> None:
    post_id, found = checked(school)
    assert teach.words_to_teach(school.services, post_id, found[0], lead(school)).phrase == "Isolde the Invincible"
    assert teach.words_to_teach(school.services, post_id, found[1], lead(school)).phrase == "Isolde"


def test_what_was_taught_is_gone_at_the_next_check_and_the_name_alone_is_not(school: School) -> None:
    post_id, found = checked(school)
    ask(school, post_id, found[0])
    say(school, post_id, found[0])
    assert school.state(post_id) == PostState.SCANNING
    with school.services.db.read() as session:
        assert session.scalars(select(Order).where(Order.job == SCAN.name)).all() != []
        assert session.scalars(select(Audit.action).where(Audit.subject == "phrase:1")).all() == ["words.taught"]
        row = session.scalars(select(WordQuestion)).one()
        assert (row.answer, row.quote, row.sentence) == ("taught", "", "")
    scan(school.services, post_id)
    with school.services.db.read() as session:
        post = session.get_one(Post, post_id)
        left = [(f.rule, f.start) for f in findings_of(session, post.version_id or 0)]
    assert set(left) == {("pupil-name-full", TEXT.index("Jonty")), ("pupil-name-first", TEXT.rindex("Isolde"))}
    assert checked(school, "Isolde the Invincible came back.")[1] == []
    assert len(checked(school, "Isolde came back.")[1]) == 1


def test_a_phrase_taken_back_is_found_again(school: School) -> None:
    post_id, found = checked(school)
    say(school, post_id, found[0])
    teach.retire(school.services, 1, by=school.staff[Role.CONSENT_LEAD])
    assert len(checked(school, "Isolde the Invincible came back.")[1]) == 1
    [one] = taught(school)
    assert (one.in_force, one.retired_by) == (False, "Mx Consent_Lead Quarry")
    with pytest.raises(NotFound):
        teach.retire(school.services, 1, by=school.staff[Role.CONSENT_LEAD])


def test_a_phrase_rests_once_a_child_bears_that_name(school: School) -> None:
    post_id, found = checked(school)
    say(school, post_id, found[0])
    assert taught(school)[0].in_force
    with school.services.db.begin() as session:
        session.add(
            Pupil(reference="Q9", first_name="Isolde", last_name="Invincible", created_at=school.services.clock.now())
        )
    assert not taught(school)[0].in_force


@pytest.mark.parametrize(
    ("phrase", "why", "field"),
    [
        ("Isolde", WHY, "phrase"),
        ("Well done Isolde", WHY, "phrase"),
        ("Isolde Applethwaite", WHY, "phrase"),
        ("Isolde and Jonty Applethwaite", WHY, "phrase"),
        ("The Invincible", WHY, "phrase"),
        ("", WHY, "phrase"),
        ("Isolde the Invincible" + " x" * 60, WHY, "phrase"),
        ("Isolde the Invincible", "", "why"),
        ("Isolde the Invincible", "a book", "why"),
    ],
)
def test_cannot_teach_a_name_or_without_saying_what_it_is(school: School, phrase: str, why: str, field: str) -> None:
    post_id, found = checked(school)
    with pytest.raises(BadInput) as refused:
        say(school, post_id, found[0], phrase, why)
    assert set(refused.value.fields) == {field}
    assert taught(school) == []
    assert school.state(post_id) == PostState.OPEN


def test_signs_that_nobody_sees_are_not_taught(school: School) -> None:
    post_id, found = checked(school)
    say(school, post_id, found[0], "Isolde\x00 the\u200b Invincible", f"\x00{WHY}")
    assert [(one.phrase, one.why) for one in taught(school)] == [("Isolde the Invincible", WHY)]


def test_cannot_clear_the_words_of_ones_own_post(school: School) -> None:
    post_id, found = checked(school)
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).author_id = school.staff[Role.CONSENT_LEAD]
    with pytest.raises(NotAllowed, match="your own post"):
        say(school, post_id, found[0])
    with pytest.raises(NotAllowed, match="your own post"):
        teach.words_to_teach(school.services, post_id, found[0], lead(school))


def test_cannot_ask_about_another_authors_post_or_a_finding_of_another_kind(school: School) -> None:
    post_id, found = checked(school)
    with pytest.raises(NotFound):
        teach.ask_lead(school.services, post_id, found[0], by=school.head)
    other, _ = checked(school)
    with pytest.raises(NotFound):
        ask(school, other, found[0])
    with school.services.db.read() as session:
        version = session.get_one(Post, post_id).version_id or 0
        full = next(f.id for f in findings_of(session, version) if f.rule == "pupil-name-full")
    with pytest.raises(NotFound):
        ask(school, post_id, full)
    with pytest.raises(NotFound):
        say(school, post_id, full, "Jonty Applethwaite the Brave")


def test_cannot_teach_from_words_that_were_changed_since(school: School) -> None:
    post_id, found = checked(school)
    ask(school, post_id, found[0])
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).revision += 1
    with pytest.raises(Conflict, match="changed since"):
        say(school, post_id, found[0])
    assert questions(school)[0].finding_id is None


def test_the_answer_that_it_is_a_pupil_closes_the_question_and_forgets_the_words(school: School) -> None:
    post_id, found = checked(school)
    ask(school, post_id, found[0])
    teach.is_pupil(school.services, questions(school)[0].id, by=lead(school))
    assert questions(school) == []
    with school.services.db.read() as session:
        assert (session.scalars(select(WordQuestion)).one().quote, session.scalars(select(TaughtPhrase)).all()) == (
            "",
            [],
        )
    with pytest.raises(NotFound):
        teach.is_pupil(school.services, 1, by=lead(school))


def test_a_question_about_a_withdrawn_post_waits_for_nobody(school: School) -> None:
    post_id, found = checked(school)
    ask(school, post_id, found[0])
    submit.withdraw(school.services, post_id, school.author)
    assert questions(school) == []


def test_the_letter_to_the_consent_lead_says_neither_words_nor_names() -> None:
    render = EmailRenderer(Path(__file__).resolve().parents[3] / "templates", school_name=lambda: "Quarry Bank").render
    about = {"name": "Mx Lead", "address": "https://school.example", "school_name": "Quarry Bank", "channel": ""}
    for part in ("subject.txt", "body.txt", "body.html"):
        words = render(f"email/words_asked/{part}", post=None, link="", permalink="", sentence="", **about)
        assert "pupil" in words
        assert part == "subject.txt" or "https://school.example/words" in words
