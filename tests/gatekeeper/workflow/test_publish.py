"""Publishing: what was approved goes out once, and nothing else goes out at all.

The platforms are the simulator's, reached by the real tweepy and facebook-sdk over HTTP; the oracle is what the
simulator's public can see, not our tables.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from approvals import decisions, ledger_check
from approvals.tables import Decision
from gatekeeper.channels.base import Channel
from gatekeeper.errors import BadInput, SettingsError
from gatekeeper.people.consent import Consent
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Attempt, ChannelAccount, Face, Photo, Post, Publication
from gatekeeper.posts.status import FaceState, PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import answer, publish, reconcile
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow.change import touch
from tests.conftest import ToldClock
from tests.factories.school import School

HOUR = timedelta(hours=1)


@contextmanager
def no_guard(seconds: float) -> Iterator[None]:
    assert seconds > 0
    yield


def run(school: School) -> int:
    """One publisher taking everything that is due; returns how many it took."""
    claims = claiming.claim_due(school.services, owner="test", limit=50)
    for claim in claims:
        publish.publish(school.services, claim, guard=no_guard)
    return len(claims)


def live(simulator: Simulator) -> dict[str, int]:
    return {kind: len(simulator.posts(kind)) for kind in ("x", "facebook")}


def test_an_approved_post_goes_out_once_on_each_channel_at_its_time(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(photos=2)
    school.approve(post)
    clock.advance(minutes=59, seconds=59)
    assert run(school) == 0
    assert live(simulator) == {"x": 0, "facebook": 0}
    clock.advance(seconds=1)
    assert run(school) == 2
    assert run(school) == 0
    assert live(simulator) == {"x": 1, "facebook": 1}
    assert school.state(post) == PostState.PUBLISHED
    with school.services.db.read() as session:
        for publication in session.scalars(select(Publication)):
            assert publication.remote_id
            assert publication.permalink.startswith(simulator.base_url)
        assert ledger_check.verify(session).ok


def test_the_bytes_received_are_the_bytes_decided_on(school: School, simulator: Simulator, clock: ToldClock) -> None:
    post = school.post(photos=1)
    school.approve(post)
    with school.services.db.read() as session:
        photo = session.scalars(select(Photo)).one()
    clock.advance(hours=1)
    run(school)
    for kind in ("x", "facebook"):
        (seen,) = simulator.posts(kind)
        pictures = [simulator.state.pictures[picture] for picture in seen.picture_ids]
        assert [picture.sha256 for picture in pictures] == [photo.rendition_sha256]
        assert [picture.alt for picture in pictures] == [photo.alt]
    stored = school.services.media.read(photo.rendition_sha256 or "")
    assert hashlib.sha256(stored).hexdigest() == photo.rendition_sha256


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
        "UPDATE publication SET digest = 'e' || substr(digest, 2)",
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


def test_a_sealed_version_and_a_decision_cannot_be_changed_at_all(school: School) -> None:
    post = school.post()
    school.approve(post)
    for statement in (
        "UPDATE version SET canonical = replace(canonical, 'harvest', 'revenge')",
        "DELETE FROM version",
        "UPDATE decision SET digest = 'e' || substr(digest, 2)",
        "UPDATE decision SET verdict = 'refuse'",
        "DELETE FROM decision",
        "UPDATE ledger SET body = '{}'",
        "DELETE FROM ledger",
    ):
        with (
            pytest.raises(Exception, match=r"never|evidence|ledger"),
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


def test_a_post_past_its_window_is_missed_and_not_sent_late(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post()
    school.approve(post)
    clock.advance(hours=3, seconds=1)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 0}
    assert school.state(post) == PostState.MISSED


def test_two_publishers_share_the_work_and_send_nothing_twice(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    school.approve(school.post())
    clock.advance(hours=1)
    first = claiming.claim_due(school.services, owner="one", limit=1)
    second = claiming.claim_due(school.services, owner="two", limit=5)
    assert {c.publication_id for c in first}.isdisjoint({c.publication_id for c in second})
    for claim in (*first, *second, *first):
        publish.publish(school.services, claim, guard=no_guard)
    assert live(simulator) == {"x": 1, "facebook": 1}


def test_a_publisher_that_lost_its_lease_cannot_send(school: School, simulator: Simulator, clock: ToldClock) -> None:
    school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    (stalled,) = claiming.claim_due(school.services, owner="stalled")
    clock.advance(seconds=61)
    reconcile.recover(school.services)
    publish.publish(school.services, stalled, guard=no_guard)
    assert live(simulator)["x"] == 0
    run(school)
    assert live(simulator)["x"] == 1


def test_a_publisher_frozen_before_its_timer_runs_cannot_send_late(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    (frozen,) = claiming.claim_due(school.services, owner="frozen")

    @contextmanager
    def armed_long_after(_seconds: float) -> Iterator[None]:
        clock.advance(minutes=4)  # SIGSTOP between reading the clock and arming the timer
        yield

    publish.publish(school.services, frozen, guard=armed_long_after)
    assert live(simulator)["x"] == 0
    clock.advance(minutes=1)
    run(school)
    assert live(simulator)["x"] == 1


@pytest.mark.parametrize("mode", ["accept_then_drop", "accept_then_5xx", "accept_then_garbage"])
@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_an_unclear_answer_is_looked_up_and_found(
    school: School, simulator: Simulator, clock: ToldClock, kind: str, mode: str
) -> None:
    post = school.post(kinds=(kind,))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    _fault_on_create(simulator, kind, mode)
    run(school)
    assert school.publication(publication).state == PublicationState.UNKNOWN
    clock.advance(seconds=5)
    assert reconcile.reconcile(school.services) == 1
    assert school.publication(publication).state == PublicationState.PUBLISHED
    assert live(simulator)[kind] == 1
    assert school.state(post) == PostState.PUBLISHED


@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_absence_in_a_timeline_never_allows_a_resend(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    """Dropped before it took effect looks the same as dropped after: four looks, then a person is asked."""
    post = school.post(kinds=(kind,))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    _fault_on_create(simulator, kind, "drop_before")
    run(school)
    for seconds in (5, 25, 90, 480):
        clock.advance(seconds=seconds)
        assert reconcile.reconcile(school.services) == 1
        assert run(school) == 0
    assert school.publication(publication).state == PublicationState.NEEDS_PERSON
    assert school.state(post) == PostState.NEEDS_PERSON
    clock.advance(minutes=20)
    assert reconcile.reconcile(school.services) == 0
    assert run(school) == 0
    assert live(simulator)[kind] == 0


def test_a_person_who_says_not_there_lets_it_be_sent_once_more(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    _to_a_person(school, simulator, clock, "x")
    answer.answer(school.services, publication, by=school.author, there=False)
    run(school)
    assert live(simulator)["x"] == 1
    assert school.state(post) == PostState.PUBLISHED
    with school.services.db.read() as session:
        assert [a.outcome for a in session.scalars(select(Attempt).order_by(Attempt.fence))] == [
            "absent_by_person",
            "published",
        ]


def test_a_person_who_says_it_is_there_settles_it_without_a_send(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    _to_a_person(school, simulator, clock, "x")
    answer.answer(school.services, publication, by=school.head, there=True, link="https://x.com/school/status/190012")
    assert school.publication(publication).remote_id == "190012"
    assert run(school) == 0


def test_a_publication_that_cannot_be_looked_up_stops_no_other_and_goes_to_a_person(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (riddle,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    _fault_on_create(simulator, "x", "drop_before")
    run(school)
    working = school.services.channel_for
    assert working is not None

    def closed_for_x(account: ChannelAccount) -> Channel:
        if account.kind == "x":
            raise SettingsError("No keys are stored for this account.")
        return working(account)

    services = replace(school.services, channel_for=closed_for_x)
    for _ in range(50):
        clock.advance(seconds=30)
        reconcile.reconcile(services)
    assert school.publication(riddle).state == PublicationState.NEEDS_PERSON


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/status/190012",
        "https://x.com.evil.example/status/190012",
        "https://x.com@evil.example/190012",
        "https://facebook.com/111/posts/190012",
        "javascript:alert(1)//190012",
        "javascript://x.com/%0aalert(1)//190012",
        "https://[evil/190012",
    ],
)
def test_cannot_have_the_headteacher_mailed_an_address_elsewhere(link: str) -> None:
    with pytest.raises(BadInput, match="no address on X"):
        answer.permalink_in(link, kind="x")


def test_a_bare_number_names_a_post_and_is_no_address() -> None:
    assert answer.permalink_in("190012", kind="x") == ""
    assert answer.permalink_in("x.com/school/status/1", kind="x") == "https://x.com/school/status/1"
    local = "http://127.0.0.1:9/i/web/status/1"
    assert answer.permalink_in(local, kind="x", also=("", "http://127.0.0.1:9")) == local


def test_only_the_author_and_the_office_can_answer(school: School, simulator: Simulator, clock: ToldClock) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    _to_a_person(school, simulator, clock, "x")
    with pytest.raises(Exception, match="Only the author"):
        answer.answer(school.services, publication, by=school.staff[Role.AUDITOR], there=False)
    with pytest.raises(Exception, match="address"):
        answer.answer(school.services, publication, by=school.head, there=True, link="I saw it")


def test_a_busy_platform_is_tried_again_later(school: School, simulator: Simulator, clock: ToldClock) -> None:
    school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    simulator.fault("status", host="api.twitter.com", method="POST", path="/2/tweets", times=1, canned="x.429")
    run(school)
    assert live(simulator)["x"] == 0
    clock.advance(minutes=20)
    run(school)
    assert live(simulator)["x"] == 1


def test_refused_keys_hold_the_channel_and_keep_the_post(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    simulator.fault("status", host="api.twitter.com", method="POST", path="/2/tweets", times=1, canned="x.401")
    run(school)
    clock.advance(minutes=5)
    run(school)
    assert live(simulator)["x"] == 0
    assert school.publication(publication).state == PublicationState.SCHEDULED
    with school.services.db.begin() as session:
        account = session.get_one(ChannelAccount, school.accounts["x"])
        assert account.status == "held"
        account.status = "open"
    clock.advance(minutes=5)
    run(school)
    assert live(simulator)["x"] == 1


def test_a_check_of_the_keys_delays_an_approved_post_and_does_not_end_it(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, school.accounts["x"]).status = "new"
    run(school)
    assert live(simulator)["x"] == 0
    assert school.publication(publication).state == PublicationState.SCHEDULED
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, school.accounts["x"]).status = "open"
    clock.advance(minutes=2)
    run(school)
    assert live(simulator)["x"] == 1


def test_a_fault_before_sending_is_logged_without_its_words(
    school: School, clock: ToldClock, caplog: pytest.LogCaptureFixture
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)

    def broken(_account: ChannelAccount) -> Channel:
        raise RuntimeError("Wren Applethwaite, and a token: s3cret")

    services = replace(school.services, channel_for=broken)
    (claim,) = claiming.claim_due(services, owner="test")
    publish.publish(services, claim, guard=no_guard)
    assert school.publication(publication).state == PublicationState.SCHEDULED
    assert "RuntimeError" in caplog.text
    assert "Wren" not in caplog.text
    assert "s3cret" not in caplog.text


def test_a_crash_between_sending_and_recording_is_found_and_not_repeated(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="dies")

    @contextmanager
    def killed_after(_seconds: float) -> Iterator[None]:
        yield
        raise KeyboardInterrupt  # not an Exception: nothing in the program catches it, as nothing catches SIGKILL

    with pytest.raises(KeyboardInterrupt):
        publish.publish(school.services, claim, guard=killed_after)
    assert school.publication(publication).state == PublicationState.SENDING
    assert run(school) == 0
    clock.advance(seconds=60 + 121)
    reconcile.recover(school.services)
    reconcile.reconcile(school.services)
    assert school.publication(publication).state == PublicationState.PUBLISHED
    assert live(simulator)["x"] == 1


def _fault_on_create(simulator: Simulator, kind: str, mode: str) -> None:
    if kind == "x":
        simulator.fault(mode, host="api.twitter.com", method="POST", path="/2/tweets", times=1)
    else:
        simulator.fault(mode, host="graph.facebook.com", method="POST", path="/v26.0/111/feed", times=1)


def _to_a_person(school: School, simulator: Simulator, clock: ToldClock, kind: str) -> None:
    _fault_on_create(simulator, kind, "drop_before")
    run(school)
    for seconds in (5, 25, 90, 480):
        clock.advance(seconds=seconds)
        reconcile.reconcile(school.services)
