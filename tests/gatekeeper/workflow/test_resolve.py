"""Resolving: one box at a time, the register has the word, and what changes the picture is looked at again."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.jobs import Order
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role
from gatekeeper.posts.model import Face, FaceAnswer, Finding, Photo, Post
from gatekeeper.posts.status import FaceState, FindingState, PostState
from gatekeeper.workflow import resolve
from gatekeeper.workflow.ask_register import pupil_search
from tests.factories.school import School


@pytest.fixture
def post_id(school: School) -> int:
    """An open post with one photo and two faces nobody has answered; the second is a doubtful one."""
    post_id = school.post(photos=1, kinds=("x",))
    with school.services.db.begin() as session:
        (photo,) = session.get_one(Post, post_id).photos
        for x, score in ((20, 0.95), (200, 0.5)):
            photo.faces.append(Face(x1=x, y1=40, x2=x + 60, y2=110, score=score, source="detector"))
    return post_id


@pytest.fixture
def faces(school: School, post_id: int) -> list[int]:
    with school.services.db.read() as session:
        return [face.id for face in session.get_one(Post, post_id).photos[0].faces]


@pytest.fixture
def photo_id(school: School, post_id: int) -> int:
    with school.services.db.read() as session:
        return session.get_one(Post, post_id).photos[0].id


@pytest.fixture
def face(school: School) -> Callable[[int], Face]:
    def at(face_id: int) -> Face:
        with school.services.db.read() as session:
            return session.get_one(Face, face_id)

    return at


def add_finding(school: School, post_id: int, severity: str, rule: str = "pupil-name") -> int:
    with school.services.db.begin() as session:
        finding = Finding(
            version_id=session.get_one(Post, post_id).version_id,
            rule=rule,
            clause="3.1d",
            severity=severity,
            field="text",
            message="This names a pupil.",
        )
        session.add(finding)
        session.flush()
        return finding.id


def say_staff(school: School, face_id: int) -> None:
    resolve.clear_face(school.services, face_id, by=school.author, state=FaceState.STAFF, words="Mr Reid")


def test_a_pupil_whose_family_allows_it_is_cleared(
    school: School, faces: list[int], face: Callable[[int], Face], post_id: int
) -> None:
    wren = school.pupils["Wren"]
    resolve.clear_face(school.services, faces[0], by=school.author, state=FaceState.PUPIL, pupil_id=wren)
    cleared = face(faces[0])
    assert (cleared.state, cleared.pupil_id, cleared.resolved_by) == (FaceState.PUPIL, wren, school.author)
    assert school.state(post_id) == PostState.OPEN  # saying who somebody is changes no content


def test_cannot_clear_a_pupil_without_permission(school: School, faces: list[int], face: Callable[[int], Face]) -> None:
    with pytest.raises(BadInput, match="No permission on record for X"):
        resolve.clear_face(
            school.services, faces[0], by=school.author, state=FaceState.PUPIL, pupil_id=school.pupils["Isolde"]
        )
    assert face(faces[0]).state == FaceState.UNKNOWN
    with school.services.db.read() as session:  # the question is kept although the answer was no
        assert session.scalars(select(Audit.subject).where(Audit.action == "register.asked")).all() == [
            f"face:{faces[0]}"
        ]


def test_cannot_clear_a_pupil_who_must_never_be_shown(school: School, faces: list[int]) -> None:
    with school.services.db.begin() as session:
        wren = session.get_one(Pupil, school.pupils["Wren"])
        wren.never_publish, wren.never_by, wren.never_at = True, school.head, school.services.clock.now()
    with pytest.raises(BadInput, match="Must never be shown"):
        resolve.clear_face(
            school.services, faces[0], by=school.author, state=FaceState.PUPIL, pupil_id=school.pupils["Wren"]
        )


def test_a_yes_for_one_channel_is_no_yes_for_another(school: School) -> None:
    post_id = school.post(photos=1, kinds=("x", "facebook"))
    with school.services.db.begin() as session:
        school.permit(session, "Isolde", "x")
        photo = session.get_one(Post, post_id).photos[0]
        photo.faces.append(Face(x1=1, y1=1, x2=50, y2=50, source="detector"))
        session.flush()
        face_id = photo.faces[0].id
    with pytest.raises(BadInput, match="No permission on record for Facebook"):
        resolve.clear_face(
            school.services, face_id, by=school.author, state=FaceState.PUPIL, pupil_id=school.pupils["Isolde"]
        )


@pytest.mark.parametrize("state", [FaceState.STAFF, FaceState.ADULT])
@pytest.mark.parametrize("words", ["", " ", "x", "x" * 301])
def test_cannot_clear_an_adult_without_saying_who(
    school: School, faces: list[int], state: FaceState, words: str
) -> None:
    with pytest.raises(BadInput) as refused:
        resolve.clear_face(school.services, faces[0], by=school.author, state=state, words=words)
    assert set(refused.value.fields) == {"words"}


@pytest.mark.parametrize("state", [FaceState.UNKNOWN, FaceState.COVERED, FaceState.NOT_A_FACE])
def test_cannot_clear_a_face_as_anything_else(school: School, faces: list[int], state: FaceState) -> None:
    with pytest.raises(BadInput):
        resolve.clear_face(school.services, faces[0], by=school.author, state=state, words="Mr Reid")


def test_one_answer_clears_one_box(school: School, faces: list[int], face: Callable[[int], Face]) -> None:
    say_staff(school, faces[0])
    assert face(faces[1]).state == FaceState.UNKNOWN


def test_cannot_call_a_clear_face_no_face(
    school: School, faces: list[int], face: Callable[[int], Face], photo_id: int
) -> None:
    with pytest.raises(BadInput, match="clearly a face"):
        resolve.not_a_face(school.services, faces[0], by=school.author)
    resolve.not_a_face(school.services, faces[1], by=school.author)
    assert face(faces[1]).state == FaceState.NOT_A_FACE
    drawn = resolve.add_face(school.services, photo_id, by=school.author, box=(300, 10, 360, 80))
    with pytest.raises(BadInput):
        resolve.not_a_face(school.services, drawn, by=school.author)


def test_covering_has_the_photo_made_and_looked_at_again(
    school: School, faces: list[int], face: Callable[[int], Face], post_id: int, photo_id: int
) -> None:
    resolve.cover_face(school.services, faces[0], by=school.author)
    assert face(faces[0]).state == FaceState.COVERED
    with school.services.db.read() as session:
        post = session.get_one(Post, post_id)
        assert (post.state, post.revision, post.send_when_clear) == (PostState.SCANNING, 1, False)
        assert session.get_one(Photo, photo_id).rendition_sha256 is None
        assert session.scalars(select(Order.job)).all() == ["scan"]


def test_covering_everyone_leaves_the_cleared_alone(
    school: School, faces: list[int], face: Callable[[int], Face], post_id: int
) -> None:
    say_staff(school, faces[0])
    assert resolve.cover_all_uncleared(school.services, post_id, by=school.author) == 1
    assert [face(one).state for one in faces] == [FaceState.STAFF, FaceState.COVERED]


def test_covering_everyone_covers_a_pupil_whose_permission_was_withdrawn(
    school: School, faces: list[int], face: Callable[[int], Face], post_id: int
) -> None:
    resolve.clear_face(
        school.services, faces[0], by=school.author, state=FaceState.PUPIL, pupil_id=school.pupils["Wren"]
    )
    with school.services.db.begin() as session:
        school.permit(session, "Wren", "x", allowed=False)
    assert resolve.cover_all_uncleared(school.services, post_id, by=school.author) == 2
    assert face(faces[0]).state == FaceState.COVERED


def test_taking_an_answer_back_keeps_what_was_said(
    school: School, faces: list[int], face: Callable[[int], Face], post_id: int
) -> None:
    say_staff(school, faces[0])
    resolve.undo_face(school.services, faces[0], by=school.author)
    assert (face(faces[0]).state, face(faces[0]).words) == (FaceState.UNKNOWN, "")
    assert school.state(post_id) == PostState.OPEN
    with school.services.db.read() as session:
        answers = session.execute(select(FaceAnswer.state, FaceAnswer.words).order_by(FaceAnswer.id)).all()
    assert [tuple(answer) for answer in answers] == [("staff", "Mr Reid"), ("unknown", "")]


def test_taking_a_cover_off_has_the_photo_made_again(school: School, faces: list[int], photo_id: int) -> None:
    resolve.cover_face(school.services, faces[0], by=school.author)
    with school.services.db.begin() as session:
        session.get_one(Photo, photo_id).rendition_sha256 = "0" * 64
    with pytest.raises(Conflict, match="cover off first"):
        say_staff(school, faces[0])
    resolve.undo_face(school.services, faces[0], by=school.author)
    with school.services.db.read() as session:
        assert session.get_one(Photo, photo_id).rendition_sha256 is None


def test_a_drawn_box_blocks_until_it_is_answered(school: School, faces: list[int], post_id: int, photo_id: int) -> None:
    for one in faces:
        say_staff(school, one)
    drawn = resolve.add_face(school.services, photo_id, by=school.author, box=(380, 290, 300, 200))
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).due_wall = "2026-11-24 10:00"
    with pytest.raises(BadInput, match="Face 3 in photo 1"):
        resolve.send_to_head(school.services, post_id, by=school.author)
    resolve.remove_box(school.services, drawn, by=school.author)
    resolve.send_to_head(school.services, post_id, by=school.author)
    assert school.state(post_id) == PostState.REQUESTING


def test_cannot_take_away_a_box_that_was_found(school: School, faces: list[int]) -> None:
    with pytest.raises(BadInput, match="found by the check"):
        resolve.remove_box(school.services, faces[0], by=school.author)


@pytest.mark.parametrize("box", [(10, 10, 15, 100), (500, 400, 600, 500), (0, 0, 0, 0)])
def test_cannot_draw_a_box_that_holds_nothing(school: School, photo_id: int, box: resolve.Box) -> None:
    with pytest.raises(BadInput):
        resolve.add_face(school.services, photo_id, by=school.author, box=box)


def test_cropping_takes_a_face_out_of_the_question(
    school: School, faces: list[int], post_id: int, photo_id: int
) -> None:
    resolve.crop_photo(school.services, photo_id, by=school.author, box=(0, 0, 150, 300))
    with school.services.db.read() as session:
        photo = session.get_one(Photo, photo_id)
        assert (photo.crop, photo.rendition_sha256) == ([0, 0, 150, 300], None)
    assert school.state(post_id) == PostState.SCANNING
    with school.services.db.begin() as session:  # as if it had been looked at again
        session.get_one(Photo, photo_id).rendition_sha256 = session.scalars(select(Photo.original_sha256)).first()
        session.get_one(Post, post_id).state = PostState.OPEN
    assert resolve.cover_all_uncleared(school.services, post_id, by=school.author) == 1


@pytest.mark.parametrize("box", [(0, 0, 99, 300), (390, 0, 400, 300)])
def test_cannot_crop_to_a_sliver(school: School, photo_id: int, box: resolve.Box) -> None:
    with pytest.raises(BadInput, match="too small"):
        resolve.crop_photo(school.services, photo_id, by=school.author, box=box)


def test_cropping_to_the_whole_photo_changes_nothing(school: School, photo_id: int, post_id: int) -> None:
    resolve.crop_photo(school.services, photo_id, by=school.author, box=(-5, -5, 900, 900))
    assert school.state(post_id) == PostState.OPEN


def test_words_that_block_cannot_be_reasoned_away(school: School, post_id: int) -> None:
    blocked = add_finding(school, post_id, "block")
    with pytest.raises(BadInput, match="must be changed"):
        resolve.answer_finding(school.services, blocked, by=school.author, reason="I would like it to stay.")
    resolve.ask_override(school.services, blocked, by=school.author, reason="Her family asked us to name her.")
    with school.services.db.read() as session:
        assert session.get_one(Finding, blocked).state == FindingState.OVERRIDE


@pytest.mark.parametrize("severity", ["justify", "advice"])
def test_cannot_ask_the_headteacher_to_override_what_does_not_block(
    school: School, post_id: int, severity: str
) -> None:
    finding_id = add_finding(school, post_id, severity)
    with pytest.raises(BadInput):
        resolve.ask_override(school.services, finding_id, by=school.author, reason="A reason that is long enough.")


def test_cannot_ask_to_override_a_never_publish_mark(school: School, post_id: int) -> None:
    finding_id = add_finding(school, post_id, "block", rule="never-publish")
    with pytest.raises(BadInput, match="Nobody can allow this"):
        resolve.ask_override(school.services, finding_id, by=school.author, reason="A reason that is long enough.")


@pytest.mark.parametrize("reason", ["", "   ", "Because.", "a  " * 3, "x" * 1001])
def test_cannot_answer_without_a_sentence(school: School, post_id: int, reason: str) -> None:
    finding_id = add_finding(school, post_id, "justify")
    with pytest.raises(BadInput) as refused:
        resolve.answer_finding(school.services, finding_id, by=school.author, reason=reason)
    assert set(refused.value.fields) == {"reason"}


def test_cannot_send_with_a_finding_open(school: School) -> None:
    post_id = school.post(kinds=("x",))
    finding_id = add_finding(school, post_id, "justify")
    with pytest.raises(BadInput, match="Give a reason"):
        resolve.send_to_head(school.services, post_id, by=school.author)
    resolve.answer_finding(school.services, finding_id, by=school.author, reason="It is in the governors' report.")
    resolve.send_to_head(school.services, post_id, by=school.author)
    with school.services.db.read() as session:
        assert session.scalars(select(Order.job)).all() == ["request"]


def test_cannot_send_when_its_time_is_over(school: School, clock: object) -> None:
    post_id = school.post(kinds=("x",))
    clock.advance(hours=2)  # type: ignore[attr-defined]
    with pytest.raises(BadInput, match="has passed"):
        resolve.send_to_head(school.services, post_id, by=school.author)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUTHOR])
def test_nobody_but_the_author_can_resolve(
    school: School, faces: list[int], post_id: int, photo_id: int, role: Role
) -> None:
    by, services = school.staff[role], school.services
    finding_id = add_finding(school, post_id, "justify")
    steps: list[Callable[[], object]] = [
        lambda: resolve.clear_face(services, faces[0], by=by, state=FaceState.STAFF, words="Mr Reid"),
        lambda: resolve.cover_face(services, faces[0], by=by),
        lambda: resolve.undo_face(services, faces[0], by=by),
        lambda: resolve.not_a_face(services, faces[1], by=by),
        lambda: resolve.cover_all_uncleared(services, post_id, by=by),
        lambda: resolve.add_face(services, photo_id, by=by, box=(0, 0, 50, 50)),
        lambda: resolve.crop_photo(services, photo_id, by=by, box=None),
        lambda: resolve.answer_finding(services, finding_id, by=by, reason="A reason that is long enough."),
        lambda: resolve.ask_override(services, finding_id, by=by, reason="A reason that is long enough."),
        lambda: resolve.send_to_head(services, post_id, by=by),
        lambda: pupil_search(services, faces[0], by=by, query="Wren"),
    ]
    for step in steps:
        with pytest.raises(NotFound):
            step()


def test_cannot_resolve_while_the_headteacher_decides(school: School, faces: list[int], post_id: int) -> None:
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).state = PostState.WAITING
    with pytest.raises(Conflict):
        say_staff(school, faces[0])
    with pytest.raises(Conflict):
        resolve.cover_face(school.services, faces[0], by=school.author)


def test_the_register_answers_about_one_child_and_gives_no_list(school: School, faces: list[int]) -> None:
    one = pupil_search(school.services, faces[0], by=school.author, query="wren")
    assert [(match.name, match.allowed) for match in one.found] == [("Wren Applethwaite", True)]
    with school.services.db.begin() as session:
        for number in range(12):
            session.add(
                Pupil(
                    reference=f"Z{number}",
                    first_name=f"Zoë{number}",
                    last_name="Applethwaite",
                    class_name="Heron",
                    created_at=school.services.clock.now(),
                )
            )
    many = pupil_search(school.services, faces[0], by=school.author, query="heron")
    assert (len(many.found), many.more) == (12, True)
    assert {match.allowed for match in many.found} == {None}
    assert {match.sentence for match in many.found} == {""}
    assert len(pupil_search(school.services, faces[0], by=school.author, query="zoe1 apple").found) == 3


def test_a_question_to_the_register_is_written_down_without_a_name(school: School, faces: list[int]) -> None:
    pupil_search(school.services, faces[0], by=school.author, query="Wren")
    with school.services.db.read() as session:
        entry = session.scalars(select(Audit).where(Audit.action == "register.asked")).one()
    assert (entry.staff_id, entry.subject) == (school.author, f"face:{faces[0]}")
    assert entry.detail == {"post": 1, "matches": 1, "answered": 1}


@pytest.mark.parametrize("query", ["", " ", "a", "%", "_"])
def test_cannot_ask_the_register_for_everybody(school: School, faces: list[int], query: str) -> None:
    with pytest.raises(BadInput):
        pupil_search(school.services, faces[0], by=school.author, query=query)
    assert pupil_search(school.services, faces[0], by=school.author, query="%%").found == ()
