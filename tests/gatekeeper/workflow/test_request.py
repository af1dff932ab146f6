"""Asking: the right person, about the sealed version, once; or nobody, and whoever can mend it is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals.requests import summary_of
from approvals.tables import ApprovalRequest, RequestStatus
from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.people.consent import Consent
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import ChannelAccount, Face, Finding, Post, Version
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import FindingState, PostState
from gatekeeper.workflow import request
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services


@pytest.fixture
def services(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Services:
    return make_services(sqlite_database, tmp_path, clock)


@pytest.fixture
def school(services: Services) -> Iterator[School]:
    return School(services)


def send(school: School, post_id: int) -> None:
    """The author presses Send."""
    with school.services.step() as session:
        move(session.get_one(Post, post_id), PostState.REQUESTING)


def requests_of(school: School) -> list[ApprovalRequest]:
    with school.services.db.read() as session:
        return list(session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.opened_seq)))


def notices_of(school: School, kind: str) -> list[Notice]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.staff_id)))


def note_of(school: School, post_id: int) -> str:
    with school.services.db.read() as session:
        return session.get_one(Post, post_id).note


def give_role(school: School, role: Role, **changes: object) -> None:
    with school.services.db.begin() as session:
        for name, value in changes.items():
            setattr(session.get_one(Staff, school.staff[role]), name, value)


def test_asks_the_headteacher_about_the_sealed_version(school: School, clock: ToldClock) -> None:
    post_id = school.post(photos=2)
    send(school, post_id)
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.WAITING
    (asked,) = requests_of(school)
    assert (asked.approver_id, asked.author_id) == (school.head, school.author)
    assert asked.digest == school.digest(post_id)
    assert asked.expires_at == clock.now() + timedelta(hours=1)
    assert not asked.override_asked
    summary = summary_of(asked)
    assert summary.channels == ("X (Quarry Bank on x)", "Facebook (Quarry Bank on facebook)")
    assert dict(summary.counts) == {"photos": 2}
    assert summary.window_ends_at == asked.expires_at + timedelta(hours=2)


def test_orders_one_e_mail_to_the_headteacher(school: School, clock: ToldClock) -> None:
    post_id = school.post()
    send(school, post_id)
    request.run(school.services, post_id)
    (notice,) = notices_of(school, "approval_request")
    (asked,) = requests_of(school)
    assert (notice.staff_id, notice.subject, notice.context) == (
        school.head,
        f"request:{asked.id}",
        {"request_id": asked.id},
    )
    with school.services.db.read() as session:
        assert ("notify", notice.id) in jobs.due(session, "mail", now=clock.now())


def test_run_twice_asks_once(school: School) -> None:
    post_id = school.post()
    send(school, post_id)
    request.run(school.services, post_id)
    request.run(school.services, post_id)
    assert len(requests_of(school)) == 1
    assert len(notices_of(school, "approval_request")) == 1


def test_leaves_alone_a_post_that_was_not_sent_and_one_that_does_not_exist(school: School) -> None:
    post_id = school.post()
    request.run(school.services, post_id)
    request.run(school.services, 999)
    assert school.state(post_id) == PostState.OPEN
    assert requests_of(school) == []


def test_says_so_where_an_override_is_asked_for(school: School, clock: ToldClock) -> None:
    post_id = school.post()
    with school.services.db.begin() as session:
        version_id = session.get_one(Post, post_id).version_id
        for state, severity in ((FindingState.OVERRIDE, "block"), (FindingState.ANSWERED, "justify")):
            session.add(
                Finding(
                    version_id=version_id, rule="naming.pupil", clause="3.1d", severity=severity, field="text",
                    message="A name.", state=state, reason="Her family asked for it in writing.",
                    resolved_by=school.author, resolved_at=clock.now(),
                )
            )  # fmt: skip
    send(school, post_id)
    request.run(school.services, post_id)
    (asked,) = requests_of(school)
    assert asked.override_asked
    assert dict(summary_of(asked).counts) == {"photos": 0, "points with a reason": 1, "overrides asked": 1}


@pytest.mark.parametrize(
    "title",
    [
        "Wren wins the cup", "The APPLETHWAITE prize", "jonty’s table", "Wre\u0301n wins", "Well done, Wrèn!",
        "W\u200bren wins", "cup_of_wren_2026", "#WrenWins", "#wrenapplethwaite", "wren7", "Ｗｒｅｎ wins",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_title_with_a_pupils_name_is_not_shown_before_the_pin(school: School, title: str) -> None:
    post_id = school.post()
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).title = title
    send(school, post_id)
    request.run(school.services, post_id)
    (asked,) = requests_of(school)
    assert asked.title == f"Post {post_id}"


@pytest.mark.parametrize("title", ["Harvest", "The wrens in our hedge", "A table of Jontys", "Year 3: #WeWonIt"])
def test_a_title_that_names_nobody_is_shown(school: School, title: str) -> None:
    post_id = school.post()
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).title = title
    send(school, post_id)
    request.run(school.services, post_id)
    (asked,) = requests_of(school)
    assert asked.title == title


def test_the_deputy_is_asked_about_the_headteachers_own_post(school: School) -> None:
    post_id = school.post()
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).author_id = school.head
    send(school, post_id)
    request.run(school.services, post_id)
    (asked,) = requests_of(school)
    assert asked.approver_id == school.staff[Role.DEPUTY]


def test_cannot_ask_anybody_when_there_is_no_headteacher(school: School) -> None:
    """The deputy is not asked instead; author and administrator read what is missing, once."""
    give_role(school, Role.HEADTEACHER, active=False)
    post_id = school.post()
    send(school, post_id)
    request.run(school.services, post_id)
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.REQUESTING
    assert requests_of(school) == []
    assert "no active account of the headteacher" in note_of(school, post_id)
    told = notices_of(school, "cannot_request")
    assert [notice.staff_id for notice in told] == sorted([school.author, school.staff[Role.ADMINISTRATOR]])


def test_asks_once_there_is_a_headteacher_again(school: School) -> None:
    give_role(school, Role.HEADTEACHER, active=False)
    post_id = school.post()
    send(school, post_id)
    request.run(school.services, post_id)
    give_role(school, Role.HEADTEACHER, active=True)
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.WAITING
    assert note_of(school, post_id) == ""


def test_cannot_ask_a_head_whose_last_day_is_over(school: School) -> None:
    give_role(school, Role.HEADTEACHER, ends_on=datetime(2026, 11, 22, tzinfo=UTC).date())
    post_id = school.post()
    send(school, post_id)
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.REQUESTING
    assert requests_of(school) == []


def test_cannot_ask_about_a_post_whose_time_has_come(school: School, clock: ToldClock) -> None:
    post_id = school.post()
    send(school, post_id)
    clock.advance(hours=1)
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.EXPIRED
    assert note_of(school, post_id) == request.TOO_LATE
    assert [notice.staff_id for notice in notices_of(school, "expired")] == [school.author]
    assert requests_of(school) == []


def test_cannot_ask_when_a_permission_was_withdrawn_since_the_check(school: School, clock: ToldClock) -> None:
    post_id = school.post(pupils=("Wren",))
    send(school, post_id)
    with school.services.db.begin() as session:
        for consent in session.scalars(select(Consent).where(Consent.pupil_id == school.pupils["Wren"])):
            consent.withdrawn_at, consent.withdrawn_by = clock.now(), school.staff[Role.CONSENT_LEAD]
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.OPEN
    assert requests_of(school) == []
    assert "May not be shown on X" in note_of(school, post_id)
    assert "withdrawn" not in note_of(school, post_id)


def test_cannot_ask_about_a_face_nobody_has_cleared(school: School) -> None:
    post_id = school.post(photos=1)
    send(school, post_id)
    with school.services.db.begin() as session:
        photo = session.get_one(Post, post_id).photos[0]
        photo.faces.append(Face(x1=1, y1=1, x2=50, y2=50, source="hand"))
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.OPEN
    assert requests_of(school) == []


def test_cannot_ask_about_a_picture_whose_bytes_changed(school: School) -> None:
    """It is made and looked at again from the original; nobody is asked about what nobody checked."""
    post_id = school.post(photos=1)
    send(school, post_id)
    with school.services.db.read() as session:
        sha = session.get_one(Post, post_id).photos[0].rendition_sha256 or ""
    path = school.services.media.path(sha)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.SCANNING
    assert requests_of(school) == []
    told = {notice.staff_id for notice in notices_of(school, "cannot_request")}
    assert told == {school.author, school.staff[Role.ADMINISTRATOR]}


@pytest.mark.parametrize("what", ["alt", "text", "account"])
def test_cannot_ask_about_a_working_copy_that_is_not_the_sealed_version(school: School, what: str) -> None:
    post_id = school.post(photos=1)
    send(school, post_id)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        if what == "alt":
            post.photos[0].alt = "Something else"
        elif what == "text":
            post.text = "Something else"
        else:
            session.get_one(ChannelAccount, school.accounts["x"]).remote_id = "666"
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.OPEN
    assert requests_of(school) == []


def test_an_edit_while_it_waits_voids_the_question(school: School, clock: ToldClock) -> None:
    post_id = school.post()
    send(school, post_id)
    request.run(school.services, post_id)
    with school.services.step() as session:
        touch(session, session.get_one(Post, post_id), by=school.author, now=clock.now())
    (asked,) = requests_of(school)
    assert asked.status == RequestStatus.VOID
    assert school.state(post_id) == PostState.DRAFT


def test_the_version_that_is_asked_about_is_the_posts_own(school: School) -> None:
    post_id = school.post()
    send(school, post_id)
    request.run(school.services, post_id)
    (asked,) = requests_of(school)
    with school.services.db.read() as session:
        version = session.get_one(Version, int(asked.version_ref))
        assert (version.post_id, version.digest) == (post_id, asked.digest)
