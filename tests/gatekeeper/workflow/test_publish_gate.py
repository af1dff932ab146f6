"""The last gate, asked with real rows: what was changed after the approval, by whatever way, does not go out."""

from datetime import date

import pytest
from sqlalchemy import select, text

from approvals import decisions
from approvals.tables import Decision
from gatekeeper.people.consent import Consent
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Face, Photo, Post
from gatekeeper.posts.status import FaceState, PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow.change import touch
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import live, run


def test_cannot_publish_a_photo_whose_stored_byte_was_flipped_after_approval(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(photos=1)
    school.approve(post)
    with school.services.db.read() as session:
        sha = session.scalars(select(Photo.rendition_sha256)).one()
    path = school.services.media.path(sha or "")
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    clock.advance(hours=1)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 0}
    assert school.state(post) == PostState.FAILED


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE photo SET alt = 'Something else'",
        "UPDATE post SET text = 'Something else'",
        "UPDATE channel_account SET remote_id = '4' || remote_id",
        "UPDATE channel_account SET status = 'closed'",
        "UPDATE channel_account SET declared_own = false",
        "UPDATE post SET revision = revision + 1",
    ],
)
def test_cannot_publish_what_was_changed_behind_the_programs_back(
    school: School, simulator: Simulator, clock: ToldClock, tampering: str
) -> None:
    """A changed working copy is caught by the version in force; a changed record by the digests."""
    post = school.post(photos=1, kinds=("x",))
    school.approve(post)
    with school.services.db.begin() as session:
        session.execute(text(tampering))
    clock.advance(hours=1)
    run(school)
    if "photo SET alt" in tampering or "post SET text" in tampering:
        (seen,) = simulator.posts("x")  # what goes out is the sealed version, never the working copy
        assert seen.text == "Our harvest table is full. Thank you to every family!"
        assert simulator.state.pictures[seen.picture_ids[0]].alt == "A table full of vegetables, picture 1"
    else:
        assert live(simulator)["x"] == 0
        assert school.state(post) == PostState.FAILED


_A_SECOND_ONE = """
    INSERT INTO publication SELECT 99, version_id, account_id, decision_id, digest, state, due_at, closes_at, next_at,
    fence, owner, lease_until, sent_at, reads, remote_id, permalink, published_at, problem FROM publication LIMIT 1
"""


def test_the_database_refuses_what_must_never_be(school: School) -> None:
    post = school.post()
    school.approve(post)
    for statement in (
        "UPDATE version SET canonical = replace(canonical, 'harvest', 'revenge')",
        "DELETE FROM version",
        "UPDATE publication SET digest = 'z' || substr(digest, 2)",
        "UPDATE publication SET decision_id = 'z' || substr(decision_id, 2)",
        "UPDATE publication SET state = 'published', remote_id = NULL",
        _A_SECOND_ONE,
        "UPDATE decision SET digest = 'z' || substr(digest, 2)",
        "UPDATE decision SET verdict = 'refuse'",
        "DELETE FROM decision",
        "UPDATE ledger SET body = '{}'",
        "DELETE FROM ledger",
    ):
        with (
            pytest.raises(
                Exception, match=r"never|evidence|ledger|without an approval|published_has_remote_id|(?i:unique)"
            ),
            school.services.db.begin() as s,
        ):
            s.execute(text(statement))


def test_an_edit_after_approval_voids_it(school: School, simulator: Simulator, clock: ToldClock) -> None:
    post_id = school.post()
    publications = school.approve(post_id)
    with school.services.step() as session:
        post = session.get_one(Post, post_id)
        touch(session, post, by=school.author, now=clock.now())
        post.text = "Edited"
    assert school.state(post_id) == PostState.DRAFT
    assert {school.publication(p).state for p in publications} == {PublicationState.CANCELLED}
    clock.advance(hours=1)
    assert run(school) == 0
    assert live(simulator) == {"x": 0, "facebook": 0}


def test_consent_withdrawn_after_approval_stops_the_post(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(pupils=("Wren",))
    school.approve(post)
    with school.services.db.begin() as session:
        for consent in session.scalars(select(Consent).where(Consent.pupil_id == school.pupils["Wren"])):
            consent.withdrawn_at, consent.withdrawn_by = clock.now(), school.staff[Role.CONSENT_LEAD]
    clock.advance(hours=1)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 0}
    assert school.state(post) == PostState.FAILED
    assert not simulator.requests("POST"), "not even a picture may leave the school"


def test_consent_withdrawn_for_one_channel_stops_that_channel_alone(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(pupils=("Wren",))
    school.approve(post)
    with school.services.db.begin() as session:
        school.permit(session, "Wren", "x", allowed=False)
    clock.advance(hours=1)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 1}
    assert school.state(post) == PostState.PARTLY


@pytest.mark.parametrize("change", ["never", "left", "expired", "unknown face", "not scanned"])
def test_whatever_is_no_longer_cleared_at_the_instant_of_publishing_stops_it(
    school: School, simulator: Simulator, clock: ToldClock, change: str
) -> None:
    post = school.post(pupils=("Wren",))
    school.approve(post)
    lead, pupil = school.staff[Role.CONSENT_LEAD], school.pupils["Wren"]
    with school.services.db.begin() as session:
        if change == "never":
            session.execute(
                text("UPDATE pupil SET never_publish = true, never_by = :by, never_at = :at WHERE id = :id"),
                {"by": lead, "at": "2026-11-23 09:00:00", "id": pupil},
            )
        elif change == "left":
            session.execute(text("UPDATE pupil SET left_on = :day WHERE id = :id"), {"day": "2026-11-01", "id": pupil})
        elif change == "expired":
            for consent in session.scalars(select(Consent)):
                consent.expires_on = date(2026, 11, 22)
        elif change == "unknown face":
            photo = session.scalars(select(Photo)).one()
            session.add(
                Face(photo_id=photo.id, x1=1, y1=1, x2=30, y2=30, score=0.9, source="detector", state=FaceState.UNKNOWN)
            )
        else:
            session.execute(text("UPDATE photo SET scanned_sha256 = ''"))
    clock.advance(hours=1)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 0}


def test_an_approval_taken_back_stops_the_post(school: School, simulator: Simulator, clock: ToldClock) -> None:
    post = school.post()
    school.approve(post)
    with school.services.db.begin() as session:
        decision = session.scalars(select(Decision)).one()
        decisions.withdraw(session, decision, by_person=school.head, reason="Second thoughts.", now=clock.now())
    clock.advance(hours=1)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 0}


def test_cannot_put_in_line_what_was_refused_or_never_decided(school: School) -> None:
    post = school.post(kinds=("x",))
    school.approve(post)
    named = "version_id, account_id, digest, state, due_at, closes_at, next_at, fence, owner, reads, permalink, problem"
    for decision in ("''", "'nobody'", "(SELECT request_id FROM decision)"):
        with (
            pytest.raises(Exception, match="without an approval"),
            school.services.db.begin() as session,
        ):
            session.execute(
                text(
                    f"INSERT INTO publication (id, decision_id, {named}) SELECT 99, {decision}, {named} FROM publication"
                )
            )
