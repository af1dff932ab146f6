"""Editions of the policy: adopted by one written line, never changed, confirmed by each person before they begin or send."""

import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from approvals.ledger_entries import latest
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.mail.model import Notice
from gatekeeper.people.own_rules import version_label
from gatekeeper.people.policy_editions import Acknowledgement, PolicyEdition, PutAwayCard
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import move_post, policy_cards, policy_editions, policy_view, resolve, submit
from gatekeeper.workflow.due import TypedDue
from gatekeeper.workflow.policy_editions import TypedEdition
from gatekeeper.workflow.policy_gate import PolicyUnread
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

TYPED = TypedEdition(
    label="2022-03",
    words="# Social media\n\nBe kind.",
    review_on=date(2025, 3, 1),
    line="I adopt this policy for our school.",
)


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def adopt(school: School, **changes: object) -> int:
    return policy_editions.adopt(school.services, replace(TYPED, **changes), by=school.head)


def read(school: School, edition: int, *people: Role) -> None:
    for role in people:
        policy_editions.acknowledge(school.services, edition, by=school.staff[role])


def test_an_adopted_edition_stands_in_the_ledger_without_its_words(school: School) -> None:
    edition = adopt(school, section_two="2C")
    with school.services.db.read() as session:
        (entry,) = latest(session, limit=1)
        assert entry.kind == "policy.adopted"
        said = entry.said()
        assert said | {"sha256": ""} == {
            "by": school.head, "edition": edition, "label": "2022-03", "section_two": "2C", "sha256": "",
        }  # fmt: skip
        assert "kind" not in entry.body
        assert session.get(Acknowledgement, (school.head, edition)), "who adopts it has read it"
        assert session.scalars(select(Audit.action)).all() == ["policy.adopted"]


def test_decisions_name_the_edition_from_then_on(school: School) -> None:
    adopt(school, label="2026-11")
    with school.services.db.read() as session:
        assert version_label(session) == "2026-11/0"


@pytest.mark.parametrize("statement", ["UPDATE policy_edition SET words = ''", "DELETE FROM policy_edition"])
def test_nobody_changes_an_edition_afterwards(database: Database, statement: str) -> None:
    with database.begin() as session:
        session.add(PolicyEdition(label="2022-03", adopted_at=ToldClock().now()))
    with pytest.raises(DBAPIError, match="an edition of the policy"), database.begin() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"label": "March 2022"}, "label"),
        ({"label": "2022-13"}, "label"),
        ({"words": "  \n"}, "words"),
        ({"words": "x" * 100_001}, "words"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"link": "https:///nowhere"}, "link"),
        ({"section_two": "2D"}, "section_two"),
        ({"section_two": "2B"}, "place"),
        ({"line": "ok"}, "line"),
    ],
    ids=["words-as-label", "no-such-month", "no-text", "endless", "script", "no-host", "no-such-text", "no-place", "no-line"],
)  # fmt: skip
def test_cannot_adopt_an_edition_that_lacks_something(school: School, changes: dict[str, str], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        adopt(school, **changes)
    assert list(refused.value.fields) == [field]
    with school.services.db.read() as session:
        assert session.scalar(select(func.count(PolicyEdition.id))) == 0


def test_a_second_edition_needs_a_name_of_its_own_and_says_what_is_new(school: School) -> None:
    first = adopt(school)
    with pytest.raises(BadInput) as refused:
        adopt(school, based_on=first)
    assert set(refused.value.fields) == {"label", "changes"}
    adopt(school, label="2022-03.2", changes="Section 2 is chosen.", section_two="2A", based_on=first)


def test_two_who_adopt_at_once_adopt_one(school: School) -> None:
    done: list[object] = []

    def one(label: str) -> None:
        try:
            done.append(adopt(school, label=label))
        except Conflict as refused:
            done.append(refused)

    threads = [threading.Thread(target=one, args=(label,)) for label in ("2026-10", "2026-11")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(isinstance(result, Conflict) for result in done) == [False, True]


# the gate


def test_a_school_without_an_edition_blocks_nobody(school: School) -> None:
    assert submit.create_draft(school.services, school.author)


def test_cannot_begin_a_post_before_the_policy_is_confirmed(school: School) -> None:
    post = school.post()
    edition = adopt(school)
    with pytest.raises(PolicyUnread):
        submit.create_draft(school.services, school.author)
    with pytest.raises(PolicyUnread):
        submit.use_again(school.services, post, school.author)
    read(school, edition, Role.AUTHOR)
    assert submit.create_draft(school.services, school.author)


def test_a_draft_begun_earlier_is_saved_but_not_sent(school: School) -> None:
    draft, checked = submit.create_draft(school.services, school.author), school.post()
    edition = adopt(school)
    submit.save_draft(school.services, draft, school.author, submit.DraftEdit(text="Still here."))
    with pytest.raises(PolicyUnread):
        submit.submit(school.services, draft, school.author)
    with pytest.raises(PolicyUnread):
        resolve.send_to_head(school.services, checked, by=school.author)
    assert (school.state(draft), school.state(checked)) == ("draft", "open")
    with school.services.db.read() as session:
        assert session.get_one(Post, draft).text == "Still here."
    read(school, edition, Role.AUTHOR)
    resolve.send_to_head(school.services, checked, by=school.author)
    assert school.state(checked) == "requesting"


def test_cannot_send_a_post_again_by_moving_it(school: School) -> None:
    post = school.post()
    school.ask(post)
    edition = adopt(school)
    with school.services.db.read() as session:
        before = session.get_one(Post, post)
    moving = move_post.Moving(
        due=TypedDue(date="2026-11-23", time="15:00"), revision=before.revision, seen=PostState.WAITING
    )
    with pytest.raises(PolicyUnread):
        move_post.move_post(school.services, post, school.author, moving)
    with school.services.db.read() as session:
        after = session.get_one(Post, post)
    assert (after.state, after.due_at) == ("waiting", before.due_at)
    read(school, edition, Role.AUTHOR)
    assert move_post.move_post(school.services, post, school.author, moving).state == "scanning"


def test_a_new_edition_asks_again(school: School) -> None:
    first = adopt(school)
    read(school, first, Role.AUTHOR)
    second = adopt(school, label="2026-11", changes="Breaks.", based_on=first)
    with pytest.raises(PolicyUnread):
        submit.create_draft(school.services, school.author)
    with pytest.raises(Conflict):
        read(school, first, Role.AUTHOR)  # a page that was open since yesterday
    read(school, second, Role.AUTHOR)
    submit.create_draft(school.services, school.author)


def test_confirmed_twice_the_first_time_counts(school: School, clock: ToldClock) -> None:
    edition = adopt(school)
    read(school, edition, Role.AUTHOR)
    first = clock.now()
    clock.advance(hours=1)
    read(school, edition, Role.AUTHOR)
    with school.services.db.read() as session:
        assert session.get_one(Acknowledgement, (school.author, edition)).at == first
        assert session.scalar(select(func.count(Audit.id)).where(Audit.action == "policy.acknowledged")) == 1


# who has not


def test_whoever_is_missing_gets_at_most_one_e_mail_a_week(school: School, clock: ToldClock) -> None:
    edition = adopt(school)
    read(school, edition, Role.AUDITOR)
    administrator = school.staff[Role.ADMINISTRATOR]
    missing = len(Role) - 2  # the headteacher adopted it, the auditor has read it
    assert policy_view.remind(school.services, by=administrator) == missing
    clock.advance(days=6, hours=23)
    assert policy_view.remind(school.services, by=administrator) == 0
    read(school, edition, Role.AUTHOR)
    clock.advance(hours=1)
    assert policy_view.remind(school.services, by=administrator) == missing - 1
    with school.services.db.read() as session:
        notices = session.scalars(select(Notice).where(Notice.kind == policy_view.REMINDER)).all()
        assert [notice.staff_id for notice in notices].count(school.author) == 1
        found = policy_view.readers_of(session, now=clock.now())
    assert [one.read_at is not None for one in found] == [False] * (missing - 1) + [True] * 3


def test_a_closed_account_is_not_asked(school: School, clock: ToldClock) -> None:
    adopt(school)
    with school.services.db.begin() as session:
        session.get_one(Staff, school.author).active = False
        session.get_one(Staff, school.staff[Role.DEPUTY]).ends_on = date(2026, 11, 22)
    with school.services.db.read() as session:
        asked = {one.id for one in policy_view.readers_of(session, now=clock.now())}
    assert not asked & {school.author, school.staff[Role.DEPUTY]}


# the banner


@pytest.mark.parametrize(
    ("role", "expected"),
    [(Role.HEADTEACHER, (True, "")), (Role.ADMINISTRATOR, (True, "2022-03")), (Role.AUTHOR, (False, "2022-03"))],
    ids=["head", "administrator", "author"],
)
def test_the_banner_tells_the_office_what_is_overdue_and_the_others_what_to_read(
    school: School, clock: ToldClock, role: Role, expected: tuple[bool, str]
) -> None:
    today = clock.now().date()
    with school.services.db.read() as session:
        member = session.get_one(Staff, school.staff[role])
        before = policy_view.banner_for(session, member, today=today)
    assert (before is not None and before.none) is (role is not Role.AUTHOR)
    adopt(school)
    with school.services.db.read() as session:
        after = policy_view.banner_for(session, session.get_one(Staff, school.staff[role]), today=today)
    assert after is not None
    assert (after.overdue_since is not None, after.unread) == expected


def test_the_banner_goes_with_a_review_still_to_come(school: School, clock: ToldClock) -> None:
    adopt(school, review_on=date(2027, 3, 1))
    with school.services.db.read() as session:
        assert policy_view.banner_for(session, session.get_one(Staff, school.head), today=clock.now().date()) is None


# the cards


def test_a_card_put_away_comes_back_with_the_next_edition(school: School) -> None:
    def shown(place: policy_cards.Place | None = policy_cards.Place.POST) -> list[str]:
        with school.services.db.read() as session:
            return [card.key for card in policy_cards.cards_for(session, school.author, place) if not card.away]

    assert shown() == []
    assert len(shown(None)) == 5
    first = adopt(school)
    assert shown() == ["photographs", "own_behalf", "ask_first"]
    for _ in range(2):
        policy_cards.put_away(school.services, "ask_first", by=school.author)
    assert shown() == ["photographs", "own_behalf"]
    policy_cards.bring_back(school.services, "ask_first", by=school.author)
    assert "ask_first" in shown()
    policy_cards.put_away(school.services, "photographs", by=school.author)
    adopt(school, label="2026-11", changes="New.", based_on=first)
    assert "photographs" in shown()


def test_cannot_put_away_a_card_that_is_none(school: School) -> None:
    with pytest.raises(BadInput):
        policy_cards.put_away(school.services, "photographs", by=school.author)  # no edition yet
    adopt(school)
    with pytest.raises(BadInput):
        policy_cards.put_away(school.services, "consent", by=school.author)
    with school.services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(PutAwayCard)) == 0


@pytest.mark.parametrize("choice", ["", "2A", "2B", "2C"])
def test_the_card_about_photographs_follows_the_choice_in_section_two(choice: str) -> None:
    told = {
        one: policy_cards.cards_of(PolicyEdition(section_two=one, place="the staff room" if one == "2B" else ""))[
            0
        ].words
        for one in ("", "2A", "2B", "2C")
    }
    assert len(set(told.values())) == 4
    assert ("the staff room" in told[choice]) is (choice == "2B")
