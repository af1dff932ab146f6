"""Writing and sending: nothing typed is lost, nothing incomplete is sent, nothing is anybody else's."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from gatekeeper.clock import AmbiguousTime
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.jobs import Order
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelAccount, Patch, Photo, Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import due, submit
from gatekeeper.workflow.due import TypedDue
from gatekeeper.workflow.submit import DraftEdit
from tests.factories.pictures import saved, scene
from tests.factories.school import School

JPEG = saved(scene(), "JPEG")


@pytest.fixture
def edit(school: School) -> DraftEdit:
    return DraftEdit(
        title="Harvest",
        text="Our harvest table is full.",
        channels=(school.accounts["x"],),
        due=TypedDue(date="2026-11-24", time="15:30"),
    )


@pytest.fixture
def look(school: School) -> Callable[[int], Post]:
    def at(post_id: int) -> Post:
        with school.services.db.read() as session:
            post = session.get_one(Post, post_id)
            assert post.photos is not None  # loaded while the session is open
            return post

    return at


def changed(edit: DraftEdit, **parts: object) -> DraftEdit:
    return DraftEdit(**{**edit.__dict__, **parts})  # type: ignore[arg-type]


def problems(school: School, post_id: int) -> dict[str, str]:
    with pytest.raises(BadInput) as refused:
        submit.submit(school.services, post_id, school.author)
    return refused.value.fields


def test_a_complete_post_is_sent_to_be_checked(school: School, edit: DraftEdit, look: Callable[[int], Post]) -> None:
    post_id = submit.create_draft(school.services, school.author, edit)
    submit.submit(school.services, post_id, school.author)
    post = look(post_id)
    assert (post.state, post.send_when_clear) == (PostState.SCANNING, True)
    assert post.due_at == datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    with school.services.db.read() as session:
        assert [(order.job, order.subject_id) for order in session.scalars(select(Order))] == [("scan", post_id)]


def test_an_empty_draft_says_everything_that_is_missing(school: School) -> None:
    post_id = submit.create_draft(school.services, school.author)
    assert set(problems(school, post_id)) == {"title", "text", "channels", "due_date"}


def test_a_draft_keeps_what_makes_no_sense(school: School, edit: DraftEdit, look: Callable[[int], Post]) -> None:
    odd = changed(edit, text="x" * 400, due=TypedDue(date="31/02/2027", time="half three"))
    post_id = submit.create_draft(school.services, school.author, odd)
    post = look(post_id)
    assert post.text == "x" * 400
    assert TypedDue.read(post.due_wall) == TypedDue(date="31/02/2027", time="halfthree")
    assert post.due_at is None
    fields = problems(school, post_id)
    assert fields["text"] == "The text is 120 characters too long for X, which takes 280."
    assert fields["due_date"].startswith("This is not a date")


def test_what_browsers_do_to_line_ends_is_undone(school: School, edit: DraftEdit, look: Callable[[int], Post]) -> None:
    post_id = submit.create_draft(school.services, school.author, changed(edit, text="One\r\nTwo\x00\x07"))
    assert look(post_id).text == "One\nTwo"


def test_saving_nothing_new_leaves_everything_standing(school: School, look: Callable[[int], Post]) -> None:
    """A form that is saved unchanged must not take an approval back."""
    post_id = school.post(kinds=("x",))
    publications = school.approve(post_id)
    before = look(post_id)
    same = DraftEdit(title=before.title, text=before.text, channels=tuple(before.channels), due=TypedDue())
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).due_wall = "2026-11-23 10:00"
    same = changed(same, due=TypedDue(date="2026-11-23", time="10:00"))
    submit.save_draft(school.services, post_id, school.author, same)
    assert school.state(post_id) == PostState.SCHEDULED
    assert school.publication(publications[0]).state == "scheduled"


def test_cannot_edit_what_the_headteacher_approved_without_taking_it_back(school: School) -> None:
    post_id = school.post(kinds=("x",))
    publications = school.approve(post_id)
    other = DraftEdit(title="Harvest", text="Something else", channels=(school.accounts["x"],))
    with pytest.raises(Conflict):
        submit.save_draft(school.services, post_id, school.author, other)
    assert school.state(post_id) == PostState.SCHEDULED
    submit.save_draft(school.services, post_id, school.author, changed(other, take_back=True))
    assert school.state(post_id) == PostState.DRAFT
    assert school.publication(publications[0]).state == "cancelled"


def test_two_windows_cannot_overwrite_each_other(school: School, edit: DraftEdit) -> None:
    post_id = submit.create_draft(school.services, school.author, edit)
    first = submit.save_draft(school.services, post_id, school.author, changed(edit, text="From one", revision=0))
    with pytest.raises(Conflict, match="another window"):
        submit.save_draft(school.services, post_id, school.author, changed(edit, text="From two", revision=0))
    submit.save_draft(school.services, post_id, school.author, changed(edit, text="From two", revision=first))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUTHOR])
def test_nobody_else_can_touch_a_post(school: School, edit: DraftEdit, role: Role) -> None:
    post_id = submit.create_draft(school.services, school.author, edit)
    other = school.staff[role]
    for step in (submit.submit, submit.withdraw, submit.reopen, submit.use_again):
        with pytest.raises(NotFound):
            step(school.services, post_id, other)
    with pytest.raises(NotFound):
        submit.save_draft(school.services, post_id, other, edit)
    with pytest.raises(NotFound):
        submit.add_photo(school.services, post_id, other, data=JPEG, file_name="a.jpg")


def test_cannot_send_to_a_channel_that_is_not_open(school: School, edit: DraftEdit) -> None:
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, school.accounts["x"]).status = "held"
    post_id = submit.create_draft(school.services, school.author, edit)
    assert "cannot be used now" in problems(school, post_id)["channels"]


@pytest.mark.parametrize(
    ("date", "time", "said"),
    [
        ("2026-11-23", "08:59", "has passed"),
        ("2026-11-23", "09:04", "at least 5 minutes"),
        ("2028-01-01", "09:00", "more than a year"),
        ("2027-03-28", "01:30", "does not exist that night"),
        ("2027-10-31", "01:30", "comes twice"),
    ],
)
def test_cannot_choose_a_time_that_cannot_be(school: School, edit: DraftEdit, date: str, time: str, said: str) -> None:
    post_id = submit.create_draft(school.services, school.author, changed(edit, due=TypedDue(date=date, time=time)))
    assert said in problems(school, post_id)["due_time"]


@pytest.mark.parametrize(("fold", "hour"), [(0, 0), (1, 1)])
def test_the_doubled_hour_is_the_one_that_was_meant(fold: int, hour: int) -> None:
    typed = TypedDue(date="2026-10-25", time="01:30", fold=fold)
    assert due.resolve(TypedDue.read(typed.stored)) == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    with pytest.raises(AmbiguousTime):
        due.resolve(TypedDue(date="2026-10-25", time="01:30"))


@pytest.mark.parametrize(("date", "time"), [("24/11/2026", "15.30"), ("2026-11-24", "15:30")])
def test_a_typed_time_is_read_the_way_it_is_written_here(date: str, time: str) -> None:
    assert due.resolve(TypedDue(date=date, time=time)) == datetime(2026, 11, 24, 15, 30, tzinfo=UTC)


def test_a_photo_is_kept_privately_and_made_publishable(
    school: School, edit: DraftEdit, look: Callable[[int], Post]
) -> None:
    post_id = submit.create_draft(school.services, school.author, edit)
    submit.add_photo(school.services, post_id, school.author, data=JPEG, file_name="C:\\pictures\\Wren.jpg")
    (photo,) = look(post_id).photos
    assert school.services.media.read(photo.original_sha256) == JPEG
    assert photo.rendition_sha256 == photo.preview_sha256
    assert (photo.width, photo.height, photo.file_name) == (320, 240, "Wren.jpg")
    fields = problems(school, post_id)
    assert set(fields) == {f"alt_{photo.id}", f"people_{photo.id}"}


def test_cannot_add_what_is_no_picture(school: School, edit: DraftEdit, look: Callable[[int], Post]) -> None:
    post_id = submit.create_draft(school.services, school.author, edit)
    for data in (b"", b"<svg></svg>", JPEG[:200]):
        with pytest.raises(BadInput) as refused:
            submit.add_photo(school.services, post_id, school.author, data=data, file_name="a.jpg")
        assert set(refused.value.fields) == {"photo"}
    assert look(post_id).photos == []


def test_cannot_add_a_photo_twice_or_a_fifth(school: School, edit: DraftEdit) -> None:
    post_id = submit.create_draft(school.services, school.author, edit)
    for number in range(4):
        data = saved(scene(200 + 20 * number, 200), "JPEG")
        submit.add_photo(school.services, post_id, school.author, data=data, file_name="a.jpg")
        if not number:
            with pytest.raises(BadInput, match="already"):
                submit.add_photo(school.services, post_id, school.author, data=data, file_name="b.jpg")
    with pytest.raises(BadInput, match="4 photos at most"):
        submit.add_photo(school.services, post_id, school.author, data=JPEG, file_name="e.jpg")


def test_photos_change_places_and_go(school: School, edit: DraftEdit, look: Callable[[int], Post]) -> None:
    post_id = submit.create_draft(school.services, school.author, edit)
    ids = [
        submit.add_photo(
            school.services, post_id, school.author, data=saved(scene(200 + n, 200), "PNG"), file_name="a.png"
        )
        for n in (1, 2, 3)
    ]
    submit.move_photo(school.services, ids[2], school.author, later=False)
    submit.move_photo(school.services, ids[0], school.author, later=False)  # at the front already
    assert [photo.id for photo in look(post_id).photos] == [ids[0], ids[2], ids[1]]
    submit.remove_photo(school.services, ids[2], school.author)
    assert [(photo.id, photo.position) for photo in look(post_id).photos] == [(ids[0], 0), (ids[1], 1)]


def test_cannot_change_photos_while_the_headteacher_decides(school: School) -> None:
    post_id = school.post(photos=1, kinds=("x",))
    school.ask(post_id)
    with school.services.db.read() as session:
        photo_id = session.scalars(select(Photo.id).where(Photo.post_id == post_id)).one()
    with pytest.raises(Conflict):
        submit.remove_photo(school.services, photo_id, school.author)
    with pytest.raises(Conflict):
        submit.add_photo(school.services, post_id, school.author, data=JPEG, file_name="a.jpg")


def test_withdrawing_voids_the_approval_and_reopening_does_not_bring_it_back(school: School) -> None:
    post_id = school.post(kinds=("x",))
    publications = school.approve(post_id)
    submit.withdraw(school.services, post_id, school.author)
    assert school.state(post_id) == PostState.WITHDRAWN
    submit.reopen(school.services, post_id, school.author)
    assert school.state(post_id) == PostState.DRAFT
    assert school.publication(publications[0]).state == "cancelled"


def test_cannot_send_twice(school: School, edit: DraftEdit) -> None:
    post_id = submit.create_draft(school.services, school.author, edit)
    submit.submit(school.services, post_id, school.author)
    with pytest.raises(Conflict):
        submit.submit(school.services, post_id, school.author)


def test_sending_again_after_a_refusal_is_a_new_revision(school: School, look: Callable[[int], Post]) -> None:
    """A version that failed or was refused is never sent again: a fresh yes needs a fresh version."""
    post_id = school.post(kinds=("x",))
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).state = PostState.REFUSED
    before = look(post_id).revision
    submit.submit(school.services, post_id, school.author)
    assert look(post_id).revision > before


def test_using_a_post_again_copies_words_and_photos_but_no_answer(school: School, look: Callable[[int], Post]) -> None:
    post_id = school.post(pupils=("Wren",), kinds=("x",))
    copy = look(submit.use_again(school.services, post_id, school.author))
    assert (copy.state, copy.due_at, copy.text) == (PostState.DRAFT, None, look(post_id).text)
    with school.services.db.read() as session:
        (photo,) = session.get_one(Post, copy.id).photos
        assert (photo.faces, photo.scanned_sha256, photo.basis) == ([], "", "")


def test_what_is_used_again_is_no_picture_with_a_part_covered(school: School, look: Callable[[int], Post]) -> None:
    """The cover is not copied, so the picture that shows it must not be: the page would show another photo."""
    post_id = school.post(photos=1, kinds=("x",))
    with school.services.db.begin() as session:
        (photo,) = session.get_one(Post, post_id).photos
        now = school.services.clock.now()
        photo.patches.append(Patch(x1=1, y1=1, x2=50, y2=50, placed_by=school.author, placed_at=now))
    copy = look(submit.use_again(school.services, post_id, school.author))
    with school.services.db.read() as session:
        (photo,) = session.get_one(Post, copy.id).photos
        assert photo.rendition_sha256 is None
