"""A channel's own words: sealed with the rest, sent to that channel alone, and looked for where they were sent."""

import pytest
from sqlalchemy import select, text

from approvals.tables import Verdict
from gatekeeper.errors import Conflict
from gatekeeper.posts.model import Post, Publication
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.posts.wordings import field_of, place_in, wordings_of
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import decide, reconcile, submit
from gatekeeper.workflow.compare import NOW, compare
from gatekeeper.workflow.due import TypedDue, resolve
from gatekeeper.workflow.submit import DraftEdit
from tests.conftest import ToldClock
from tests.factories.crowd import Crowd
from tests.factories.school import PIN, School
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


# ---- a change takes the post back ----


def edited(school: School, post_id: int, wordings: dict[int, str], *, take_back: bool) -> int:
    """Save the form of the post as it stands, with these own words."""
    with school.services.db.read() as session:
        post = session.get_one(Post, post_id)
        edit = DraftEdit(
            title=post.title,
            text=post.text,
            channels=tuple(post.channels),
            wordings=wordings,
            due=TypedDue.read(post.due_wall),
            window=post.window_minutes,
            take_back=take_back,
        )
    return submit.save_draft(school.services, post_id, school.author, edit)


@pytest.fixture
def approved(school: School) -> int:
    """A post with words of its own for X, whose approved time is one that a form can hold."""
    post_id = school.post(kinds=("x",), wordings={"x": SHORT})
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.due_wall = "2026-11-23 10:00"
        assert post.due_at == resolve(TypedDue.read(post.due_wall))
    school.approve(post_id)
    return post_id


def test_a_changed_letter_in_own_words_voids_the_approval(
    school: School, simulator: Simulator, clock: ToldClock, approved: int
) -> None:
    account = school.accounts["x"]
    edited(school, approved, {account: SHORT}, take_back=False)  # the same words are no change
    assert school.state(approved) == PostState.SCHEDULED
    for wordings in ({account: SHORT.replace("!", ".")}, {account: ""}):
        with pytest.raises(Conflict, match="has been sent"):
            edited(school, approved, wordings, take_back=False)
    edited(school, approved, {account: SHORT.replace("!", ".")}, take_back=True)
    assert school.state(approved) == PostState.DRAFT
    clock.advance(hours=1)
    assert run(school) == 0
    assert live(simulator)["x"] == 0


def test_own_words_changed_while_the_headteacher_approves_never_leave_an_approval_of_the_old_ones(
    school: School,
) -> None:
    """Whichever is first, the post ends as a draft without a publication that could still go out."""
    account = school.accounts["x"]
    with Crowd(2) as crowd:
        for number in range(4):
            post_id = school.post(kinds=("x",), wordings={"x": SHORT})
            secret = school.ask(post_id)
            secret = decide.prove(school.services, secret, PIN).view_secret or secret
            form = decide.DecisionForm(
                verdict=Verdict.APPROVE,
                digest_shown=school.digest(post_id),
                typed_name="Head Teacher",
                statement="I approve this post for this page.",
                answers={},
            )

            def approve(secret: str = secret, form: decide.DecisionForm = form) -> object:
                return decide.decide(school.services, secret, form)

            def change(post_id: int = post_id, number: int = number) -> object:
                return edited(school, post_id, {account: f"{SHORT} {number}"}, take_back=True)

            results = crowd.together([approve, change])
            assert not isinstance(results[1], Exception), results
            assert school.state(post_id) == PostState.DRAFT
    with school.services.db.read() as session:
        assert set(session.scalars(select(Publication.state))) <= {PublicationState.CANCELLED}


def test_using_a_post_again_copies_its_own_words(school: School) -> None:
    copy = submit.use_again(school.services, school.post(wordings={"x": SHORT}), school.author)
    with school.services.db.read() as session:
        assert session.get_one(Post, copy).wordings == {str(school.accounts["x"]): SHORT}
