"""The second verdict and the joint one follow the answers about faces, and a written reason stays with its finding."""

from sqlalchemy import delete, select

from gatekeeper.people.own_rules import PolicyVersion
from gatekeeper.posts.model import Face, Finding, Photo, PictureReading, Post
from gatekeeper.posts.status import FaceState, FindingState
from gatekeeper.workflow.wise import sync_wise
from tests.factories.school import School


def synced(school: School, post_id: int) -> dict[str, Finding]:
    with school.services.step() as session:
        post = session.get_one(Post, post_id)
        sync_wise(school.services, session, post)
        sync_wise(school.services, session, post)  # twice is as once
        found = session.scalars(select(Finding).where(Finding.version_id == post.version_id)).all()
        assert len({(f.rule, f.field, str(f.box)) for f in found}) == len(found)
        return {finding.rule: finding for finding in found}


def named(school: School, post_id: int, *, severity: str = "block", rule: str = "pupil-name-full") -> None:
    with school.services.step() as session:
        version = session.get_one(Post, post_id).version_id
        session.add(
            Finding(
                version_id=version, rule=rule, clause="3.1d", severity=severity, field="text", start=0, end=4,
                quote="Wren", message="“Wren” is a pupil's name.",
            )
        )  # fmt: skip


def set_state(school: School, state: FaceState, *, score: float = 0.9) -> None:
    with school.services.step() as session:
        for face in session.scalars(select(Face)):
            face.state, face.words, face.score = state, "Mrs Quarry", score


def close_up(school: School, *pupils: str) -> int:
    post_id = school.post(pupils=pupils)
    with school.services.step() as session:
        for face in session.scalars(select(Face)):
            face.y2 = 110
    return post_id


def test_a_close_up_of_a_pupil_asks_for_a_reason_and_the_reason_stays(school: School) -> None:
    post = close_up(school, "Wren")
    found = synced(school, post)
    assert set(found) == {"photo-close-up", "photo-lone-child"}
    assert found["photo-close-up"].severity == "justify"
    assert found["photo-close-up"].box == [20, 40, 70, 110]
    with school.services.step() as session:
        row = session.get_one(Finding, found["photo-close-up"].id)
        row.state, row.reason = FindingState.ANSWERED, "The family asked for this portrait."
    again = synced(school, post)["photo-close-up"]
    assert (again.id, again.reason) == (row.id, "The family asked for this portrait.")


def test_what_was_said_of_a_pupil_goes_when_the_face_is_covered(school: School) -> None:
    post = school.post(pupils=("Wren",))
    synced(school, post)
    set_state(school, FaceState.COVERED)
    assert synced(school, post) == {}


def test_a_school_may_soften_and_switch_off_what_is_guidance(school: School) -> None:
    post = close_up(school, "Wren")
    with school.services.step() as session:
        session.add(
            PolicyVersion(
                number=1, softened={"photo-close-up": "advice", "photo-lone-child": "off"}, why="We talked it over.",
                made_by=school.head, made_at=school.services.clock.now(),
            )
        )  # fmt: skip
    found = synced(school, post)
    assert {rule: finding.severity for rule, finding in found.items()} == {"photo-close-up": "advice"}


def test_a_name_beside_a_recognisable_pupil_is_one_finding_that_says_both(school: School) -> None:
    post = school.post(pupils=("Wren", "Jonty"))
    named(school, post)
    joint = synced(school, post)["pupil-name-full"]
    assert joint.severity == "block"
    assert "photo 1 shows a pupil who can be recognised" in joint.message
    assert "Wren" in joint.message


def test_a_name_that_asks_for_a_reason_blocks_beside_a_face_and_asks_again_once_it_is_covered(school: School) -> None:
    post = school.post(pupils=("Wren", "Jonty"))
    named(school, post, severity="justify", rule="pupil-name-first")
    assert synced(school, post)["pupil-name-first"].severity == "block"
    set_state(school, FaceState.COVERED)
    alone = synced(school, post)["pupil-name-first"]
    assert (alone.severity, alone.message) == ("justify", "“Wren” is a pupil's name.")


def test_a_name_that_nobody_can_allow_says_so_beside_a_face_as_well(school: School) -> None:
    post = school.post(pupils=("Wren", "Jonty"))
    named(school, post, rule="never-pupil-name-full")
    joint = synced(school, post)["never-pupil-name-full"]
    assert "can be recognised" in joint.message
    assert joint.message.endswith("Nobody can allow this.")


def test_a_name_without_a_pupils_face_stays_as_it_was(school: School) -> None:
    post = school.post(pupils=("Wren",))
    named(school, post)
    set_state(school, FaceState.STAFF)
    assert synced(school, post)["pupil-name-full"].message == "“Wren” is a pupil's name."


def test_the_schools_name_in_the_letters_beside_a_pupil_is_advised_against(school: School) -> None:
    post = school.post(pupils=("Wren", "Jonty"))
    with school.services.step() as session:
        photo = session.scalars(select(Photo)).one()
        session.execute(delete(PictureReading))
        session.add(
            PictureReading(
                sha256=photo.rendition_sha256 or "", engine="test", codes=[], read_at=school.services.clock.now(),
                words=[[10.0, 10.0, 90.0, 30.0, "Welcome to OUR SCHOOL!", 0.9]],
            )
        )  # fmt: skip
    finding = synced(school, post)["photo-school-name"]
    assert finding.severity == "advice"
    assert finding.box == [10.0, 10.0, 90.0, 30.0]


def test_nothing_is_said_while_a_photo_waits_to_be_made_again(school: School) -> None:
    post = school.post(pupils=("Wren",))
    with school.services.step() as session:
        session.scalars(select(Photo)).one().rendition_sha256 = None
    assert synced(school, post) == {}
