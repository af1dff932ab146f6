"""A channel's own words: sealed with the rest, sent to that channel alone, and looked for where they were sent."""

import pytest
from sqlalchemy import text

from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.posts.wordings import field_of, place_in, wordings_of
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import reconcile
from gatekeeper.workflow.compare import NOW, compare
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import fault_on_create, live, run

COMMON = "Our harvest table is full. Thank you to every family!"
SHORT = "A full harvest table. Thank you!"


def test_each_channel_is_sent_exactly_its_own_words(school: School, simulator: Simulator, clock: ToldClock) -> None:
    post = school.post(wordings={"x": SHORT})
    school.approve(post)
    clock.advance(hours=1)
    run(school)
    assert [one.text for one in simulator.posts("x")] == [SHORT]
    assert [one.text for one in simulator.posts("facebook")] == [COMMON]
    assert school.state(post) == PostState.PUBLISHED


@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_an_unclear_answer_is_looked_up_by_the_words_of_that_channel(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    post = school.post(kinds=(kind,), wordings={"x": SHORT, "facebook": "Thank you for a full table on Facebook!"})
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    fault_on_create(simulator, kind, "accept_then_drop")
    run(school)
    assert school.publication(publication).state == PublicationState.UNKNOWN
    clock.advance(seconds=5)
    assert reconcile.reconcile(school.services) == 1
    assert school.publication(publication).state == PublicationState.PUBLISHED
    assert live(simulator)[kind] == 1


def test_words_changed_behind_the_programs_back_are_not_sent(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    school.approve(school.post(kinds=("x",), wordings={"x": SHORT}))
    with school.services.db.begin() as session:
        session.execute(text("UPDATE post SET wordings = '{}'"))
    clock.advance(hours=1)
    run(school)
    assert [one.text for one in simulator.posts("x")] == [SHORT], "what goes out is the sealed version"


def test_a_sealed_version_whose_own_words_were_changed_does_not_go_out(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    """The database forbids it; were it got round, the digest would not be the one that was decided about."""
    school.approve(school.post(kinds=("x",), wordings={"x": SHORT}))
    with school.services.db.begin() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ALTER TABLE version DISABLE TRIGGER USER"))
        else:
            triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'version'")
            for name in session.scalars(triggers).all():
                session.execute(text(f'DROP TRIGGER "{name}"'))
        session.execute(text("UPDATE version SET canonical = replace(canonical, 'A full harvest', 'An empty')"))
    clock.advance(hours=1)
    run(school)
    assert live(simulator)["x"] == 0


def test_only_words_of_chosen_channels_that_say_something_else_count() -> None:
    post = Post(text=COMMON, channels=[1, 2, 3], wordings={"10": "Not chosen", "3": "Own", "2": "  \n", "1": COMMON})
    assert wordings_of(post) == {3: "Own"}
    assert wordings_of(Post(text="", channels=[1], wordings=None)) == {}


def test_the_field_of_own_words_names_the_channel() -> None:
    assert place_in(field_of("x", 7)) == ("x", 7)
    assert [place_in(field) for field in ("text", "images[0].alt", "wording:x:", "wording:x:7:8")] == [None] * 4


def test_a_comparison_tells_which_channels_words_changed(school: School) -> None:
    post_id = school.post(wordings={"x": SHORT})
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.wordings, post.revision = {str(school.accounts["x"]): "A full table. Thank you!"}, post.revision + 1
    with school.services.db.read() as session:
        found = compare(session, session.get_one(Post, post_id), "1", NOW).difference
    assert [account for account, _ in found.wordings] == [school.accounts["x"]]
