"""Before a yes counts it is looked again: a child who came since, a mark set since, a picture changed on the disk."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals.tables import Verdict
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role
from gatekeeper.posts.model import Face, Finding, Photo, PictureReading, Post
from gatekeeper.posts.status import FindingState, PostState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import decide, incident, recheck, request, resolve
from gatekeeper.workflow import publish as publishing
from gatekeeper.workflow import scan as checking
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

TEXT = "Well done Tamsin Merrowby for the best scarecrow!"


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return School(make_services(sqlite_database, tmp_path, clock, simulator=simulator))


def arrives(school: School, *, never: bool = False) -> None:
    now = school.services.clock.now()
    with school.services.step() as session:
        session.add(
            Pupil(
                reference="Q9001", first_name="Tamsin", last_name="Merrowby", year="Year 3", class_name="Heron",
                never_publish=never, never_by=school.head if never else None, never_at=now if never else None,
                created_at=now,
            )
        )  # fmt: skip


def decided(school: School, secret: str, post_id: int) -> decide.Outcome:
    proof = decide.prove(school.services, secret, PIN)
    form = decide.DecisionForm(
        verdict=Verdict.APPROVE, digest_shown=school.digest(post_id), typed_name="Head Teacher",
        statement="I approve this post for both pages.", answers={},
    )  # fmt: skip
    return decide.decide(school.services, proof.view_secret or secret, form)


def test_a_child_who_came_since_the_check_takes_the_post_back_and_has_it_checked_again(school: School) -> None:
    post = school.post(text=TEXT)
    secret = school.ask(post)
    arrives(school)
    assert decided(school, secret, post).decision is None
    assert school.state(post) == PostState.SCANNING
    checking.scan(school.services, post)
    assert school.state(post) == PostState.OPEN
    with school.services.db.read() as session:
        version = session.get_one(Post, post).version_id
        (found,) = session.scalars(select(Finding).where(Finding.version_id == version))
    assert (found.quote, found.severity) == ("Tamsin Merrowby", "block")


def test_a_child_who_came_since_is_found_before_the_headteacher_is_asked(school: School) -> None:
    post = school.post(text=TEXT)
    with school.services.step() as session:
        session.get_one(Post, post).state = PostState.REQUESTING
    arrives(school)
    request.run(school.services, post)
    assert school.state(post) == PostState.SCANNING
    with school.services.db.read() as session:
        assert session.get_one(Post, post).note == recheck.NAMED_SINCE


def allowed_by_the_head(school: School) -> int:
    """A post whose author asked the headteacher to allow a name."""
    post = school.post(text=TEXT)
    with school.services.step() as session:
        session.get_one(Post, post).state = PostState.SCANNING
    checking.scan(school.services, post)
    with school.services.db.read() as session:
        version = session.get_one(Post, post).version_id
        (found,) = session.scalars(select(Finding).where(Finding.version_id == version))
    resolve.ask_override(school.services, found.id, by=school.author, reason="The family asked for it in writing.")
    return post


def test_a_name_that_the_author_asked_for_goes_to_the_headteacher(school: School) -> None:
    arrives(school)
    post = allowed_by_the_head(school)
    resolve.send_to_head(school.services, post, by=school.author)
    request.run(school.services, post)
    assert school.state(post) == PostState.WAITING


def test_cannot_have_a_name_allowed_once_its_child_must_never_be_published(school: School) -> None:
    arrives(school)
    post = allowed_by_the_head(school)
    resolve.send_to_head(school.services, post, by=school.author)
    with school.services.step() as session:
        tamsin = session.scalars(select(Pupil).where(Pupil.first_name == "Tamsin")).one()
        tamsin.never_publish, tamsin.never_by, tamsin.never_at = True, school.head, school.services.clock.now()
    request.run(school.services, post)
    assert school.state(post) == PostState.SCANNING
    checking.scan(school.services, post)
    with school.services.db.read() as session:
        version = session.get_one(Post, post).version_id
        (found,) = session.scalars(select(Finding).where(Finding.version_id == version))
    assert found.rule.startswith("never-")
    assert found.state == FindingState.OPEN, "what was asked before does not count for it"
    with pytest.raises(Exception, match="Nobody can allow this"):
        resolve.ask_override(school.services, found.id, by=school.author, reason="We would all like it.")


def test_a_face_answered_behind_the_back_of_the_second_verdict_is_caught(school: School) -> None:
    post = school.post(pupils=("Wren",))
    with school.services.step() as session:
        face = session.scalars(select(Face)).one()
        face.y2 = 290  # a close-up, and nobody asked for the reason
    secret = school.ask(post)
    assert decided(school, secret, post).decision is None
    assert school.state(post) == PostState.OPEN


def test_cannot_put_somebody_before_the_headteacher_sharper_than_allowed(school: School) -> None:
    post = school.post(pupils=("Wren", "Jonty"))
    with school.services.step() as session:
        photo = session.scalars(select(Photo)).one()
        photo.rendition_width = 2048
        session.get_one(Post, post).state = PostState.REQUESTING
    request.run(school.services, post)
    assert school.state(post) == PostState.SCANNING


def test_letters_that_another_engine_read_are_read_again_before_a_yes_counts(school: School) -> None:
    """What an earlier reader missed, or spelt otherwise, must not be taken for silence beside the roll of today."""
    post = school.post(photos=1)
    secret = school.ask(post)
    with school.services.db.begin() as session:
        session.scalars(select(PictureReading)).one().engine = "the reader of last year"
    assert decided(school, secret, post).decision is None
    assert school.state(post) == PostState.SCANNING


def spoil(school: School) -> str:
    with school.services.db.read() as session:
        digest = session.scalars(select(Photo)).one().rendition_sha256 or ""
    path = school.services.media.path(digest)
    path.chmod(0o600)
    path.write_bytes(b"another picture")
    return digest


def told(school: School, digest: str, found_at: str) -> set[int]:
    with school.services.db.read() as session:
        (row,) = session.scalars(select(Audit).where(Audit.action == incident.ACTION))
        assert (row.detail["sha256"], row.detail["found_at"]) == (digest, found_at)
        return set(session.scalars(select(Notice.staff_id).where(Notice.kind == "photo_changed")))


def test_a_picture_changed_on_the_disk_is_an_incident_at_the_decision(school: School) -> None:
    post = school.post(photos=1)
    secret = school.ask(post)
    digest = spoil(school)
    assert decided(school, secret, post).decision is None
    assert told(school, digest, "decision") == {school.staff[Role.ADMINISTRATOR], school.head}


def test_a_picture_changed_on_the_disk_is_an_incident_at_the_last_gate(school: School, clock: ToldClock) -> None:
    post = school.post(photos=1, due_in=timedelta(minutes=30))
    school.approve(post)
    digest = spoil(school)
    clock.advance(minutes=31)
    claims = claiming.claim_due(school.services, owner="test", limit=1)
    publishing.publish(school.services, claims[0], guard=lambda _seconds: pytest.fail("nothing may be sent"))
    assert school.publication(claims[0].publication_id).state == "failed"
    assert told(school, digest, "publication") == {school.staff[Role.ADMINISTRATOR], school.head}
