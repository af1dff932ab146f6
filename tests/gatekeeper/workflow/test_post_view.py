"""What a reader is shown of a post: its author everything, the office no pupil, and everybody else nothing."""

from contextlib import nullcontext

import pytest
from sqlalchemy import select

from gatekeeper.errors import NotFound
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Face, Finding, Post
from gatekeeper.posts.public import Takedown
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish, resolve, submit
from gatekeeper.workflow.draft_view import photo_bytes
from gatekeeper.workflow.photo_view import FACE_WORDS
from gatekeeper.workflow.post_list import lists_for
from gatekeeper.workflow.post_view import TURN_WORDS, PostView, post_view, progress_of
from tests.conftest import ToldClock
from tests.factories.school import School

READERS = {Role.HEADTEACHER, Role.CONSENT_LEAD}
WITHOUT_WORDS = {Role.DEPUTY, Role.ADMINISTRATOR}


def reader(school: School, role: Role) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[role])


def view(school: School, post_id: int, role: Role = Role.AUTHOR) -> PostView:
    return post_view(school.services, post_id, reader(school, role))


def test_every_state_has_its_words() -> None:
    assert set(TURN_WORDS) == set(PostState)
    assert set(FACE_WORDS) == set(FaceState)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUTHOR])
def test_nobody_sees_a_draft_that_was_never_sent(school: School, role: Role) -> None:
    post_id = submit.create_draft(school.services, school.author)
    with pytest.raises(NotFound):
        view(school, post_id, role)
    with pytest.raises(NotFound):
        progress_of(school.services, post_id, reader(school, role))


@pytest.mark.parametrize("role", list(Role))
def test_who_may_read_a_post_that_was_sent(school: School, role: Role) -> None:
    post_id = school.post(pupils=("Wren",), kinds=("x",), text="Well done, Wren Applethwaite!")
    with school.services.db.begin() as session:
        version_id = session.get_one(Post, post_id).version_id
        words = {"rule": "pupil-name", "clause": "3.1d", "severity": "block", "field": "text", "message": "A name."}
        session.add(Finding(version_id=version_id, start=11, end=28, quote="Wren Applethwaite", **words))
        photo_id = session.get_one(Post, post_id).photos[0].id
    if role in READERS | {Role.AUTHOR}:
        seen = view(school, post_id, role)
        assert [face.who for face in seen.photos[0].faces] == ["Wren Applethwaite, Heron"]
        assert [part.text for part in seen.passages[0].segments] == ["Well done, ", "Wren Applethwaite", "!"]
        assert photo_bytes(school.services, photo_id, reader(school, role), public=True).post_id == post_id
    elif role in WITHOUT_WORDS:
        seen = view(school, post_id, role)
        assert "Wren" not in repr(seen)
        assert (seen.photos, seen.findings, seen.passages, seen.text, seen.open_items) == ((), (), (), "", ())
    else:
        with pytest.raises(NotFound):
            view(school, post_id, role)
    if role not in READERS | {Role.AUTHOR}:
        with pytest.raises(NotFound):
            photo_bytes(school.services, photo_id, reader(school, role), public=True)


def test_only_the_author_is_offered_anything_to_do(school: School) -> None:
    post_id = school.post(kinds=("x",))
    for role in READERS | WITHOUT_WORDS:
        seen = view(school, post_id, role)
        assert not any(
            (seen.mine, seen.resolving, seen.can_edit, seen.can_take_back, seen.can_withdraw, seen.can_submit)
        )
    assert view(school, post_id).can_edit


def test_findings_about_words_that_were_edited_are_gone(school: School) -> None:
    post_id = school.post(kinds=("x",))
    with school.services.db.begin() as session:
        version_id = session.get_one(Post, post_id).version_id
        words = {"rule": "claim", "clause": "3.3c", "severity": "justify", "field": "text", "message": "A claim."}
        session.add(Finding(version_id=version_id, **words))
    assert len(view(school, post_id).findings) == len(view(school, post_id).open_items) == 1
    submit.save_draft(school.services, post_id, school.author, submit.DraftEdit(title="Harvest", text="New words"))
    assert view(school, post_id).findings == ()


def test_history_tells_who_asked_and_decided(school: School) -> None:
    post_id = school.post(kinds=("x",))
    school.approve(post_id)
    told = {line.words: line.statement for line in view(school, post_id).history}
    assert (
        told["Mx Headteacher Quarry approved the post, under the rules 2022-03/0."]
        == "I approve this post for both pages."
    )
    assert "Mx Headteacher Quarry was asked." in told
    assert "I approve this post for both pages." not in repr(view(school, post_id, Role.ADMINISTRATOR))


def test_history_tells_where_it_went_out_and_that_it_was_taken_down(school: School, clock: ToldClock) -> None:
    post_id = school.post(kinds=("x",))
    school.approve(post_id)
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test")
    publish.publish(school.services, claim, guard=lambda _seconds: nullcontext())
    out = clock.now()
    clock.advance(hours=1)
    now = clock.now()
    with school.services.db.begin() as session:
        removal = Takedown(
            account_id=school.accounts["x"], publication_id=claim.publication_id, why="mistake", words="Wren is in it.",
            asked_by=school.staff[Role.HEADTEACHER], asked_at=now, next_at=now, state="gone", confirmed_at=now,
        )  # fmt: skip
        session.add(removal)
    seen = view(school, post_id)
    assert (seen.badge[0], seen.turn) == ("Taken down", "Taken down: it is gone from every channel it was on.")
    assert progress_of(school.services, post_id, reader(school, Role.AUTHOR)).word == "Taken down"
    assert [(one.words, one.published_at, one.gone_at, one.permalink) for one in seen.publications] == [
        ("Published", out, now, "")
    ]
    with school.services.db.read() as session:
        (line,) = lists_for(session, reader(school, Role.AUTHOR)).published
    assert line.badge == seen.badge
    told = {line.words: (line.at, line.statement) for line in seen.history}
    assert told["It went out on X."][0] == out
    assert told["Mx Headteacher Quarry asked to take it down from X."] == (now, "")
    assert told["It is gone from X."][0] == now
    for role in (Role.AUTHOR, Role.HEADTEACHER, Role.ADMINISTRATOR):
        assert "Wren is in it." not in repr(view(school, post_id, role))  # it is read where it can be acted on


def test_a_post_that_is_gone_from_one_of_two_channels_says_so(school: School, clock: ToldClock) -> None:
    post_id = school.post(kinds=("x", "facebook"))
    school.approve(post_id)
    clock.advance(hours=1)
    for claim in claiming.claim_due(school.services, owner="test"):
        publish.publish(school.services, claim, guard=lambda _seconds: nullcontext())
    with school.services.db.begin() as session:
        removal = {"account_id": school.accounts["x"], "publication_id": claim.publication_id, "why": "mistake"}
        moments = {"asked_at": clock.now(), "next_at": clock.now(), "confirmed_at": clock.now()}
        session.add(Takedown(**removal, **moments, state="ordered"))
    assert view(school, post_id).badge[0] == "Published"
    with school.services.db.begin() as session:
        session.scalars(select(Takedown)).one().state = "gone"
    assert view(school, post_id).badge[0] == "Taken down in part"


def test_an_administrator_does_not_read_why_a_child_may_not_be_shown(school: School, clock: ToldClock) -> None:
    post_id = school.post(pupils=("Wren",), kinds=("x",))
    school.approve(post_id)
    with school.services.db.begin() as session:
        school.permit(session, "Wren", "x", allowed=False)
        session.get_one(Post, post_id).note = "Wren's family said no, so please choose another picture."
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test")
    publish.publish(school.services, claim, guard=lambda _seconds: nullcontext())
    assert "May not be shown" in repr(view(school, post_id))
    office = repr(view(school, post_id, Role.ADMINISTRATOR))
    assert "May not be shown" not in office
    assert "family" not in office


def test_cannot_read_in_a_list_what_was_said_to_the_author_of_anothers_post(school: School) -> None:
    post_id = school.post(kinds=("x",))
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.state, post.note = PostState.NEEDS_PERSON, "Wren's family said no."
    with school.services.db.read() as session:
        for role in (Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR):
            (line,) = lists_for(session, reader(school, role)).stuck
            assert (line.id, line.note) == (post_id, "")
        (own,) = lists_for(session, reader(school, Role.AUTHOR)).yours
        assert own.note == "Wren's family said no."


def test_an_answer_and_its_taking_back_stay_on_record(school: School) -> None:
    post_id = school.post(photos=1, kinds=("x",))
    with school.services.db.begin() as session:
        (photo,) = session.get_one(Post, post_id).photos
        photo.faces.append(Face(x1=5, y1=5, x2=60, y2=60, source="detector"))
    with school.services.db.read() as session:
        face_id = session.scalars(select(Face.id)).one()
    resolve.clear_face(school.services, face_id, by=school.author, state=FaceState.ADULT, words="A visitor, asked")
    resolve.undo_face(school.services, face_id, by=school.author)
    (face,) = view(school, post_id, Role.HEADTEACHER).photos[0].faces
    assert face.history == (
        "Another adult: A visitor, asked – Mx Author Quarry",
        "Answer taken back – Mx Author Quarry",
    )


def test_lists_put_what_waits_for_the_reader_first(school: School) -> None:
    waiting, asked = school.post(kinds=("x",)), school.post(kinds=("x",))
    school.ask(asked)
    with school.services.db.read() as session:
        mine = lists_for(session, reader(school, Role.AUTHOR))
        heads = lists_for(session, reader(school, Role.HEADTEACHER))
        nobodys = lists_for(session, reader(school, Role.LINE_MANAGER))
    assert [line.id for line in mine.yours] == [waiting]
    assert [line.id for line in mine.under_way] == [asked]
    assert [line.id for line in heads.decisions] == [asked]
    assert heads.yours == ()
    assert nobodys.is_empty


def test_a_post_nobody_is_sure_of_is_shown_to_the_office(school: School) -> None:
    post_id = school.post(kinds=("x",))
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).state = PostState.NEEDS_PERSON
    with school.services.db.read() as session:
        for role in Role:
            stuck = [line.id for line in lists_for(session, reader(school, role)).stuck]
            expected = role in {Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR}
            assert stuck == ([post_id] if expected else []), role
