"""More posts wait: nobody is sent a flood, nothing urgent is held back, and nothing that was held back is lost."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import proofs, tokens
from approvals.tables import ApprovalRequest
from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import digest, notify, request, submit
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services
from tests.gatekeeper.workflow.test_notify import Outbox, parts

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, outbox: Outbox) -> School:
    renderer = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary")
    return School(make_services(sqlite_database, tmp_path, clock, mailer=outbox, render=renderer))


def work(school: School) -> None:
    """What the mail worker does in one round."""
    digest.run(school.services)
    with school.services.db.read() as session:
        due = jobs.due(session, "mail", now=school.services.clock.now())
    for job, subject_id in due:
        assert job == "notify"
        notify.run(school.services, subject_id)
        with school.services.db.begin() as session:
            claim = jobs.claim(session, jobs.NOTIFY, subject_id, now=school.services.clock.now())
            assert claim is not None
            jobs.finish(session, claim)


def send(school: School, due_in: timedelta = timedelta(days=2)) -> int:
    post_id = school.post(due_in=due_in)
    with school.services.db.begin() as session:
        move(session.get_one(Post, post_id), PostState.REQUESTING)
    request.run(school.services, post_id)
    with school.services.db.begin() as session:  # the order of the step above was taken by this very call
        for order in session.scalars(select(jobs.Order).where(jobs.Order.job == "request")):
            session.delete(order)
    work(school)
    return post_id


def subjects(outbox: Outbox) -> list[str]:
    return [str(message["Subject"]) for message in outbox.messages]


def test_the_fourth_post_while_three_wait_unopened_goes_with_the_others(
    school: School, outbox: Outbox, clock: ToldClock
) -> None:
    for _ in range(3):
        send(school)
    assert len(outbox.messages) == 3
    for _ in range(6):
        send(school)
        clock.advance(minutes=5)
    work(school)
    assert subjects(outbox)[3:] == ["1 more post waits for your decision"]  # the first of them went at once
    clock.advance(hours=1)
    work(school)
    assert subjects(outbox)[4:] == ["5 more posts wait for your decision"]
    clock.advance(hours=3)
    work(school)
    assert len(outbox.messages) == 5
    text = parts(outbox.messages[4])[0]
    assert text.count("Wednesday 25 November 2026") == 5
    assert "http://localhost:8000/decisions" in text


def test_fifteen_posts_in_an_hour_cost_five_mails_and_none_is_left_out(
    school: School, outbox: Outbox, clock: ToldClock
) -> None:
    for _ in range(15):
        send(school)
        clock.advance(minutes=4)
    clock.advance(minutes=20)
    work(school)
    assert len(outbox.messages) == 5
    told = sum(int(subject.split()[0]) for subject in subjects(outbox) if subject[0].isdigit())
    assert told == 12


def test_a_post_due_soon_is_never_held_back(school: School, outbox: Outbox) -> None:
    for _ in range(3):
        send(school)
    send(school, timedelta(hours=4, minutes=59))
    assert len(outbox.messages) == 4
    assert "A post is waiting" in subjects(outbox)[3]


def test_what_is_held_back_has_four_hours_left_when_it_goes(school: School, outbox: Outbox, clock: ToldClock) -> None:
    for _ in range(4):
        send(school)
    work(school)
    send(school, timedelta(hours=5))
    assert len(outbox.messages) == 4
    clock.advance(hours=1)
    work(school)
    assert len(outbox.messages) == 5


def test_a_head_who_opens_them_gets_each_one(school: School, outbox: Outbox, clock: ToldClock) -> None:
    for _ in range(3):
        send(school)
    with school.services.db.begin() as session:
        asked = session.scalars(select(ApprovalRequest)).first()
        assert asked is not None
        token = tokens.mint(session, request=asked, person_id=school.head, purpose=tokens.DECIDE, now=clock.now())
        opened = tokens.open_link(session, token, purpose=tokens.DECIDE, now=clock.now())
        assert digest.must_wait(session, asked, school.head, now=clock.now()) is False  # two others wait
        proofs.prove_view(session, opened.view_secret, PIN, now=clock.now()).demand()
    send(school)
    assert "A post is waiting" in subjects(outbox)[3]


def test_opening_the_link_alone_does_not_count_as_seen(school: School, outbox: Outbox, clock: ToldClock) -> None:
    for _ in range(3):
        send(school)
    with school.services.db.begin() as session:
        for asked in session.scalars(select(ApprovalRequest)):
            token = tokens.mint(session, request=asked, person_id=school.head, purpose=tokens.DECIDE, now=clock.now())
            tokens.open_link(session, token, purpose=tokens.DECIDE, now=clock.now())
    send(school)
    assert not any("A post is waiting" in subject for subject in subjects(outbox)[3:])


def test_mail_that_came_back_holds_no_other_back(school: School, outbox: Outbox, clock: ToldClock) -> None:
    for _ in range(3):
        send(school)
    with school.services.db.begin() as session:
        for notice in session.scalars(select(Notice)):
            notice.failed_at = clock.now()
    send(school)
    assert "A post is waiting" in subjects(outbox)[3]


def test_what_was_settled_while_it_was_held_back_is_not_told(school: School, outbox: Outbox, clock: ToldClock) -> None:
    for _ in range(4):
        send(school)
    work(school)
    assert len(outbox.messages) == 4
    post_id = send(school)
    submit.withdraw(school.services, post_id, by=school.author)
    clock.advance(hours=1)
    work(school)
    assert len(outbox.messages) == 4
    with school.services.db.read() as session:
        assert (
            session.scalars(select(Notice).where(Notice.sent_at.is_(None), Notice.kind == "approval_request")).all()
            == []
        )


def test_what_is_held_back_is_not_taken_for_lost_work(school: School, clock: ToldClock) -> None:
    for _ in range(5):
        send(school)
    with school.services.db.read() as session:
        held = session.scalars(select(Notice).where(Notice.problem == digest.HELD)).all()
        assert [one.sent_at for one in held] == [None]  # the fourth has gone, the fifth waits its hour
        assert jobs.due(session, "mail", now=clock.now()) == []
    with school.services.step() as session:  # asked once more to send it, it stays with the others
        notify.tell(
            session, "approval_request", staff_id=school.head, subject=held[0].subject, context={}, now=clock.now()
        )
    with school.services.db.read() as session:
        assert jobs.due(session, "mail", now=clock.now()) == []
