"""A written reason is for the words it was given to: the same name somewhere else in the post is asked about anew."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.posts.model import Finding, Post
from gatekeeper.posts.repository import findings_of
from gatekeeper.posts.status import FindingState, PostState
from gatekeeper.workflow import own_rules, recheck, request, resolve, scan
from tests.conftest import ToldClock
from tests.factories.looking import check_again
from tests.factories.school import School, make_services

BOOK = "We read a poem called Wren in the library."
REASON = "Wren is the bird in the poem."
MEETING = """
[[rule]]
id = "our-weir"
clause = "3.8"
severity = "justify"
sentence = "{sentence}"
patterns = ["weir"]
hit = "We met at the weir."
miss = "We met at the mill."
"""


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def checked(school: School, text: str) -> int:
    post_id = school.post(text=text)
    with school.services.step() as session:
        session.get_one(Post, post_id).state = PostState.SCANNING
    scan.scan(school.services, post_id)
    return post_id


def found(school: School, post_id: int) -> list[Finding]:
    with school.services.db.read() as session:
        version = session.get_one(Post, post_id).version_id
        assert version is not None
        return sorted(findings_of(session, version), key=lambda one: one.start or 0)


def answer(school: School, post_id: int) -> None:
    (finding,) = found(school, post_id)
    resolve.answer_finding(school.services, finding.id, by=school.author, reason=REASON)


def again(school: School, post_id: int, text: str) -> list[FindingState]:
    def change(post: Post) -> None:
        post.text, post.revision = text, post.revision + 1

    check_again(school, post_id, change=change)
    scan.scan(school.services, post_id)
    return [FindingState(one.state) for one in found(school, post_id)]


KEPT, ASKED = FindingState.ANSWERED, FindingState.OPEN


@pytest.mark.parametrize(
    ("text", "states"),
    [
        (f"{BOOK} It was fun.", [KEPT]),
        (f"It was fun. {BOOK}", [KEPT]),
        (f"{BOOK} Well done Wren!", [KEPT, ASKED]),
        (f"Well done Wren! {BOOK}", [ASKED, KEPT]),
        ("Well done Wren!", [ASKED]),
    ],
    ids=["more after it", "more before it", "once more", "once more before it", "elsewhere"],
)
def test_a_reason_for_a_name_counts_in_its_own_sentence_alone(
    school: School, text: str, states: list[FindingState]
) -> None:
    post_id = checked(school, BOOK)
    answer(school, post_id)
    assert again(school, post_id, text) == states


def test_a_reason_given_to_a_rule_counts_no_more_once_the_rule_says_something_else(school: School) -> None:
    def save(sentence: str, *, based_on: int) -> None:
        own_rules.save(
            school.services, rules=MEETING.format(sentence=sentence), softened={}, why="The governors agreed on this.",
            based_on=based_on, by=school.head,
        )  # fmt: skip

    save("Say who looked after the children at the water.", based_on=0)
    text = "We saw a heron at the weir."
    post_id = checked(school, text)
    answer(school, post_id)
    assert again(school, post_id, text) == [KEPT]
    save("The owner of this place has forbidden pictures of it. Say who allowed it.", based_on=1)
    assert again(school, post_id, text) == [ASKED]


def test_a_rule_that_blocks_again_stops_a_post_checked_while_it_was_softened(school: School) -> None:
    def save(soft: dict[str, str], *, based_on: int) -> None:
        own_rules.save(
            school.services, rules="", softened=soft, why="The governors agreed on this.", based_on=based_on, by=school.head
        )  # fmt: skip

    save({"profanity": "advice"}, based_on=0)
    post_id = checked(school, "What a bloody shambles of a parents' evening.")
    assert [(one.rule, one.severity) for one in found(school, post_id)] == [("profanity", "advice")]
    save({}, based_on=1)
    with school.services.step() as session:
        session.get_one(Post, post_id).state = PostState.REQUESTING
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.SCANNING
    with school.services.db.read() as session:
        assert session.scalars(select(Post.note).where(Post.id == post_id)).one() == recheck.STRICTER
