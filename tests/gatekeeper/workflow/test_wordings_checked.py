"""A channel's own words are checked like the common ones: no name, no phrase and no length gets past by standing there."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Staff
from gatekeeper.posts.model import Finding, Post, Version
from gatekeeper.posts.status import FindingState, PostState
from gatekeeper.workflow import request, resolve
from gatekeeper.workflow import scan as step
from gatekeeper.workflow.live_check import LiveFinding, Typed, TypedWording, live_check
from gatekeeper.workflow.post_view import post_view
from gatekeeper.workflow.readiness import problems_with
from gatekeeper.workflow.words_view import place_of
from tests.conftest import ToldClock
from tests.factories.looking import check_again, submitted
from tests.factories.school import School, make_services

COMMON = "Our harvest table is full. Thank you to every family!"
NAMED = "Well done Wren Applethwaite, what a full table!"


@pytest.fixture
def school(sqlite_database: Database, tmp_path: object, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))  # type: ignore[arg-type]


def checked(school: School, *, send: bool = True, **wordings: str) -> int:
    """A post with the common text and these own words, checked."""
    post_id = submitted(school, text=COMMON, send=send)
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).wordings = {
            str(school.accounts[kind]): words for kind, words in wordings.items()
        }
    step.scan(school.services, post_id)
    return post_id


def findings(school: School, post_id: int) -> list[Finding]:
    with school.services.db.read() as session:
        version = session.get_one(Post, post_id).version_id
        return list(session.scalars(select(Finding).where(Finding.version_id == version)))


def field(school: School, kind: str) -> str:
    return f"wording:{kind}:{school.accounts[kind]}"


def test_a_pupils_name_in_the_words_of_one_channel_alone_blocks_the_post(school: School) -> None:
    post_id = checked(school, x=NAMED)
    assert school.state(post_id) == PostState.OPEN, "it does not go to the headteacher by itself"
    (found,) = (one for one in findings(school, post_id) if one.severity == "block")
    assert (found.field, found.quote) == (field(school, "x"), "Wren Applethwaite")
    with pytest.raises(BadInput):
        resolve.send_to_head(school.services, post_id, by=school.author)


def test_clean_own_words_go_to_the_headteacher_by_themselves(school: School) -> None:
    post_id = checked(school, x="A full table. Thank you!")
    assert school.state(post_id) == PostState.REQUESTING
    assert findings(school, post_id) == []


@pytest.mark.parametrize(
    "words",
    ["Call us on 07700 900123 tonight!", "What a shit table!", "Write to jonty.applethwaite@mail.example today."],
    ids=["telephone", "swearing", "address"],
)
def test_whatever_the_text_is_checked_for_is_found_in_own_words_too(school: School, words: str) -> None:
    """The very same findings as in the common text, but for where they stand."""
    alone = submitted(school, text=words)
    step.scan(school.services, alone)
    said = {(one.rule, one.severity, one.start, one.quote) for one in findings(school, alone)}
    own = {
        (one.rule, one.severity, one.start, one.quote): one.field for one in findings(school, checked(school, x=words))
    }
    assert said
    assert own == dict.fromkeys(said, field(school, "x"))


def test_own_words_of_a_channel_that_is_not_chosen_are_neither_checked_nor_sealed(school: School) -> None:
    post_id = submitted(school, text=COMMON, send=True)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.channels, post.wordings = [school.accounts["facebook"]], {str(school.accounts["x"]): NAMED}
    step.scan(school.services, post_id)
    with school.services.db.read() as session:
        version = session.get_one(Version, session.get_one(Post, post_id).version_id)
    assert "Wren" not in version.canonical
    assert findings(school, post_id) == []


def test_a_pupil_who_comes_onto_the_roll_is_found_in_own_words_before_the_headteacher_is_asked(school: School) -> None:
    post_id = checked(school, x="Well done Wren Penhaligon-Quill, what a table!")
    with school.services.db.begin() as session:
        for finding in session.scalars(select(Finding)):
            finding.state, finding.reason = FindingState.ANSWERED, "She is an author who came to read to us."
            finding.resolved_by, finding.resolved_at = school.author, school.services.clock.now()
        session.get_one(Pupil, school.pupils["Wren"]).last_name = "Penhaligon-Quill"
        session.get_one(Post, post_id).state = PostState.REQUESTING
    request.run(school.services, post_id)
    assert school.state(post_id) != PostState.WAITING


def test_a_reason_for_words_in_one_channel_does_not_answer_the_same_words_in_another(school: School) -> None:
    post_id = checked(school, x=NAMED)
    with school.services.step() as session:
        for finding in session.scalars(select(Finding)):
            finding.state, finding.reason = FindingState.OVERRIDE, "The family asked for it in writing."
            finding.resolved_by, finding.resolved_at = school.author, school.services.clock.now()

    def elsewhere(post: Post) -> None:
        post.revision += 1
        post.wordings = {str(account): NAMED for account in school.accounts.values()}

    check_again(school, post_id, change=elsewhere)
    step.scan(school.services, post_id)
    states = {one.field: one.state for one in findings(school, post_id) if one.severity == "block"}
    assert states == {field(school, "x"): FindingState.OVERRIDE, field(school, "facebook"): FindingState.OPEN}


def test_the_posts_page_marks_the_place_in_the_words_of_that_channel(school: School) -> None:
    post_id = checked(school, x=NAMED)
    with school.services.db.read() as session:
        author = session.get_one(Staff, school.author)
    view = post_view(school.services, post_id, author)
    assert [(passage.label, passage.field) for passage in view.passages] == [
        ("Text", "text"),
        ("Words for X", field(school, "x")),
    ]
    marked = [part.text for part in view.passages[1].segments if part.numbers]
    assert marked == ["Wren Applethwaite"]
    assert [words for _, _, words in view.channel_sketches] == [NAMED, COMMON]
    assert view.findings[0].place == place_of(field(school, "x")) == "Words for X"


# ---- what a channel takes ----


def problems(
    school: School, text: str, *, kinds: tuple[str, ...] = ("x", "facebook"), **wordings: str
) -> dict[str, str]:
    post_id = school.post(text=text, kinds=kinds, wordings=wordings, due_in=timedelta(hours=2))
    with school.services.db.read() as session:
        return problems_with(session, session.get_one(Post, post_id), now=school.services.clock.now())


def test_each_channel_is_measured_by_the_words_it_gets(school: School) -> None:
    long, x = "Apples. " * 60, f"wording_{school.accounts['x']}"
    assert "too long for X" in problems(school, long)["text"]
    assert problems(school, long, x="Apples!") == {}
    over = problems(school, COMMON, x=long)
    assert set(over) == {x}
    assert "too long for X" in over[x]
    assert problems(school, COMMON, facebook=long) == {}


def test_the_common_text_may_stay_empty_only_where_every_channel_has_its_own_words(school: School) -> None:
    assert problems(school, "", x="Apples!", facebook="Pears!") == {}
    assert "text" in problems(school, "", x="Apples!")
    assert "text" in problems(school, "", facebook="Pears!", kinds=("x",))


def test_an_invisible_sign_in_own_words_is_refused(school: School) -> None:
    assert "invisible sign" in problems(school, COMMON, x="App\u202eles!")[f"wording_{school.accounts['x']}"]


# ---- while typing ----


def found_live(school: School, text: str, **wordings: str) -> tuple[LiveFinding, ...]:
    typed = Typed(
        text=text,
        channels=tuple(school.accounts.values()),
        wordings=tuple(TypedWording(school.accounts[kind], words) for kind, words in wordings.items()),
    )
    return live_check(school.services, school.author, typed)


def test_the_check_while_typing_says_the_same_of_own_words(school: School) -> None:
    (found,) = (one for one in found_live(school, COMMON, x=NAMED) if one.severity == "block")
    assert (found.field, found.place, found.quote) == (field(school, "x"), "Words for X", "Wren Applethwaite")
    assert {
        one.field for one in found_live(school, "Apples. " * 60, facebook="Pears!") if one.rule == "limit-length"
    } == {"text"}
    assert {one.field for one in found_live(school, COMMON, x="Apples. " * 60) if one.rule == "limit-length"} == {
        field(school, "x")
    }
    assert not any(one.rule == "limit-length" for one in found_live(school, "Apples. " * 60, x="Apples!"))


def test_the_check_while_typing_refuses_more_words_than_any_post_has(school: School) -> None:
    typed = Typed(text="", wordings=tuple(TypedWording(number, "a") for number in range(1, 60)))
    with pytest.raises(BadInput, match="far too long"):
        live_check(school.services, school.author, typed)
    with pytest.raises(BadInput, match="far too long"):
        live_check(school.services, school.author, replace(typed, wordings=(TypedWording(1, "a" * 20_001),)))
