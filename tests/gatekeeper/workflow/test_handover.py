"""When somebody may no longer decide, what they were asked goes to whoever may; nothing is lost and no link stays."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import ledger_check, proofs, tokens
from approvals.errors import LinkSpent, RequestClosed
from approvals.tables import ApprovalRequest, RequestStatus, Verdict
from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.errors import Conflict
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.staff import Category, Role, Staff
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import decide, handover, notify, request, roles, staff, submit, sweep
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
WHY = "Margaret retires at Christmas."


class Outbox:
    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    def send(self, message: EmailMessage) -> None:
        self.messages.append(message)

    def to(self, role: Role) -> list[EmailMessage]:
        mine = (message for message in self.messages if message["To"] == f"{role}@quarrybank.example")
        return [message for message in mine if "the record of decisions" not in message["Subject"]]  # comes each day


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock, outbox: Outbox) -> School:
    renderer = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary")
    return School(make_services(database, tmp_path, clock, mailer=outbox, render=renderer))


def waiting(school: School, *, author: int | None = None, due_in: timedelta = timedelta(days=3)) -> int:
    """A post about which somebody has been asked by the real step."""
    post_id = school.post(due_in=due_in, photos=1)
    with school.services.step() as session:
        post = session.get_one(Post, post_id)
        post.author_id = author or post.author_id
        move(post, PostState.REQUESTING)
        jobs.order(session, jobs.REQUEST, post_id, now=school.services.clock.now())
    work(school)
    assert school.state(post_id) == PostState.WAITING
    return post_id


def work(school: School) -> None:
    """What the workers do: every order that stands, until none is left."""
    services = school.services
    steps = {jobs.REQUEST: request.run, jobs.NOTIFY: notify.run}
    while True:
        with services.step() as session:
            found = jobs.due(session, "mail", now=services.clock.now())
            claims = [
                jobs.claim(session, jobs.JOBS[name], subject, now=services.clock.now()) for name, subject in found
            ]
        if not claims:
            return
        for claim in claims:
            assert claim is not None
            steps[jobs.JOBS[claim.job]](services, claim.subject_id)
            with services.step() as session:
                jobs.finish(session, claim)


def new_head(school: School, clock: ToldClock, role: Role = Role.LINE_MANAGER) -> int:
    """Somebody else becomes the headteacher after the wait, by the worker's timer."""
    details = staff.Details(name="New Head", role=Role.HEADTEACHER, category=Category.EMPLOYEE)
    change = staff.edit(school.services, school.staff[role], details, reason=WHY, by=school.staff[Role.ADMINISTRATOR])
    assert change is not None
    delivered(school)
    clock.advance(hours=24)
    sweep.run(school.services)
    with school.services.db.read() as session:
        assert session.get_one(Staff, school.staff[role]).role == Role.HEADTEACHER
    return school.staff[role]


def delivered(school: School) -> None:
    """The e-mail about the change went out: its wait counts from then on."""
    with school.services.step() as session:
        for notice in session.scalars(select(Notice).where(Notice.kind == "role_change")):
            notice.sent_at = notice.sent_at or school.services.clock.now()


def requests_of(school: School, post_id: int) -> list[ApprovalRequest]:
    with school.services.db.read() as session:
        query = select(ApprovalRequest).where(ApprovalRequest.subject == f"post:{post_id}")
        return list(session.scalars(query.order_by(ApprovalRequest.opened_seq)))


def told(school: School, post_id: int) -> list[tuple[int, str]]:
    """Who was written to about the way of this post, the request itself aside."""
    with school.services.db.read() as session:
        rows = session.scalars(select(Notice).where(Notice.kind != "approval_request").order_by(Notice.id))
        return [(row.staff_id, row.kind) for row in rows if row.context.get("post_id") == post_id]


def link_in(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"/a/([A-Za-z0-9_-]{43})\b", body.get_content())
    assert found
    return found.group(1)


def close_head(school: School) -> None:
    """The head's seat is empty: the role was given up, which waits like every such change."""
    details = staff.Details(name="Former Head", role=Role.AUTHOR, category=Category.EMPLOYEE)
    staff.edit(school.services, school.head, details, reason=WHY, by=school.staff[Role.ADMINISTRATOR])
    delivered(school)


def test_the_new_headteacher_gets_the_mail_and_decides(school: School, clock: ToldClock, outbox: Outbox) -> None:
    post_id = waiting(school)
    head = new_head(school, clock)
    assert school.state(post_id) == PostState.REQUESTING
    work(school)
    assert school.state(post_id) == PostState.WAITING
    old, new = requests_of(school, post_id)
    assert (old.status, new.status, new.approver_id) == (RequestStatus.VOID, RequestStatus.OPEN, head)
    assert (new.digest, new.version_ref) == (old.digest, old.version_ref)
    (mail,) = outbox.to(Role.LINE_MANAGER)
    services = school.services
    with services.db.begin() as session:
        proofs.set_pin(session, head, PIN, now=clock.now())
        opened = tokens.open_link(session, link_in(mail), purpose=tokens.DECIDE, now=clock.now())
    proof = decide.prove(services, opened.view_secret, PIN)
    form = decide.DecisionForm(
        verdict=Verdict.APPROVE, digest_shown=new.digest, typed_name="New Head", statement="I approve it.", answers={}
    )
    assert decide.decide(services, proof.view_secret or "", form).decision is not None
    assert school.state(post_id) == PostState.SCHEDULED
    with services.db.read() as session:
        assert ledger_check.verify(session).ok


def test_the_old_link_is_dead_even_where_the_pin_was_given_already(
    school: School, clock: ToldClock, outbox: Outbox
) -> None:
    post_id = waiting(school)
    (mail,) = outbox.to(Role.HEADTEACHER)
    clock.advance(hours=23, minutes=55)
    services = school.services
    with services.db.begin() as session:
        opened = tokens.open_link(session, link_in(mail), purpose=tokens.DECIDE, now=clock.now())
    secret = decide.prove(services, opened.view_secret, PIN).view_secret or ""
    with services.step() as session:
        roles.appoint(
            session, session.get_one(Staff, school.staff[Role.DEPUTY]), Role.HEADTEACHER, by=None, now=clock.now()
        )
    form = decide.DecisionForm(
        verdict=Verdict.APPROVE,
        digest_shown=school.digest(post_id),
        typed_name="Old Head",
        statement="I approve it.",
        answers={},
    )
    with pytest.raises((RequestClosed, LinkSpent)):
        decide.decide(services, secret, form)
    with services.db.begin() as session, pytest.raises((RequestClosed, LinkSpent)) as refused:
        tokens.open_link(session, link_in(mail), purpose=tokens.DECIDE, now=clock.now())
    assert handover.PASSED_ON in str(refused.value)
    work(school)
    assert school.state(post_id) == PostState.WAITING


def test_the_author_is_not_bothered(school: School, clock: ToldClock, outbox: Outbox) -> None:
    post_id = waiting(school)
    new_head(school, clock)
    work(school)
    assert told(school, post_id) == []
    assert outbox.to(Role.AUTHOR) == []
    with school.services.db.read() as session:
        assert session.get_one(Post, post_id).note == ""


def test_the_reason_names_nobody(school: School, clock: ToldClock) -> None:
    post_id = waiting(school)
    new_head(school, clock)
    reason = requests_of(school, post_id)[0].closed_reason or ""
    with school.services.db.read() as session:
        names = {word for one in session.scalars(select(Staff)) for word in one.name.split()}
    assert reason == handover.PASSED_ON
    assert not names & set(re.findall(r"\w+", reason))


def test_the_question_the_mail_and_the_change_stand_or_fall_together(school: School, clock: ToldClock) -> None:
    post_id = waiting(school)
    with pytest.raises(RuntimeError), school.services.step() as session:
        person = session.get_one(Staff, school.staff[Role.DEPUTY])
        roles.appoint(session, person, Role.HEADTEACHER, by=None, now=clock.now())
        assert session.get_one(Post, post_id).state == PostState.REQUESTING
        raise RuntimeError
    assert school.state(post_id) == PostState.WAITING
    assert [one.status for one in requests_of(school, post_id)] == [RequestStatus.OPEN]


def test_with_nobody_to_decide_the_post_stays_on_its_way_and_goes_on_with_the_next_head(
    school: School, clock: ToldClock, outbox: Outbox
) -> None:
    post_id = waiting(school)
    close_head(school)
    clock.advance(hours=24)
    sweep.run(school.services)
    work(school)
    for _ in range(3):
        clock.advance(minutes=1)
        sweep.run(school.services)
        work(school)
    assert school.state(post_id) == PostState.REQUESTING
    assert [one.status for one in requests_of(school, post_id)] == [RequestStatus.VOID]
    assert sorted(told(school, post_id)) == sorted(
        (person, "cannot_request") for person in (school.author, school.staff[Role.ADMINISTRATOR])
    )  # once, however often it is tried
    head = new_head(school, clock)
    work(school)
    assert school.state(post_id) == PostState.WAITING
    assert requests_of(school, post_id)[-1].approver_id == head
    assert len(outbox.to(Role.LINE_MANAGER)) == 1


def test_a_deputy_whose_account_is_closed_hands_the_heads_own_post_to_the_other_deputy(
    school: School, clock: ToldClock
) -> None:
    with school.services.db.begin() as session:
        other = Staff(email="two@quarrybank.example", name="Second", role=Role.DEPUTY, created_at=clock.now())
        session.add(other)
        session.flush()
        second = other.id
    post_id = waiting(school, author=school.head)
    assert requests_of(school, post_id)[0].approver_id == school.staff[Role.DEPUTY]
    staff.deactivate(school.services, school.staff[Role.DEPUTY], by=school.staff[Role.ADMINISTRATOR])
    assert school.state(post_id) == PostState.REQUESTING
    work(school)
    assert [(one.status, one.approver_id) for one in requests_of(school, post_id)] == [
        (RequestStatus.VOID, school.staff[Role.DEPUTY]),
        (RequestStatus.OPEN, second),
    ]


def test_an_account_whose_last_day_is_over_hands_over_by_itself(school: School, clock: ToldClock) -> None:
    post_id = waiting(school, author=school.head)
    with school.services.db.begin() as session:
        session.get_one(Staff, school.staff[Role.DEPUTY]).ends_on = date(2026, 11, 23)
    sweep.run(school.services)
    assert school.state(post_id) == PostState.WAITING  # the last day itself still counts
    clock.advance(hours=24)
    sweep.run(school.services)
    assert school.state(post_id) == PostState.REQUESTING
    assert requests_of(school, post_id)[0].closed_reason == handover.PASSED_ON


def test_what_others_are_asked_and_what_is_settled_stays_as_it_is(school: School, clock: ToldClock) -> None:
    approved, asked = school.post(due_in=timedelta(days=3)), waiting(school)
    school.approve(approved)
    staff.deactivate(school.services, school.staff[Role.DEPUTY], by=school.staff[Role.ADMINISTRATOR])
    assert school.state(asked) == PostState.WAITING
    new_head(school, clock)
    assert school.state(approved) == PostState.SCHEDULED  # what the head of that day approved in writing stays approved
    assert [one.status for one in requests_of(school, approved)] == [RequestStatus.DECIDED]


def test_a_question_whose_time_is_over_expires_and_is_not_handed_over(school: School, clock: ToldClock) -> None:
    post_id = waiting(school, due_in=timedelta(hours=1))
    clock.advance(hours=2)
    with school.services.step() as session:
        person = session.get_one(Staff, school.staff[Role.DEPUTY])
        roles.appoint(session, person, Role.HEADTEACHER, by=None, now=clock.now())
    assert school.state(post_id) == PostState.WAITING
    sweep.run(school.services)
    assert school.state(post_id) == PostState.EXPIRED
    assert told(school, post_id) == [(school.author, "expired")]


def test_a_change_of_the_head_and_an_edit_at_once_never_block_each_other(school: School, clock: ToldClock) -> None:
    services = replace(school.services)
    people = [school.staff[Role.DEPUTY], school.head]

    def appoint(person: int) -> None:
        with services.step() as session:
            roles.appoint(session, session.get_one(Staff, person), Role.HEADTEACHER, by=None, now=clock.now())

    def edit(post_id: int) -> None:
        submit.reopen(services, post_id, school.author)

    for round_number in range(6):
        posts = [waiting(school), waiting(school)]
        with ThreadPoolExecutor(3) as crowd:
            done = [crowd.submit(appoint, people[round_number % 2]), *(crowd.submit(edit, one) for one in posts)]
        for one in done:
            if (error := one.exception(timeout=30)) is not None:
                assert isinstance(error, Conflict)
        work(school)
        for post_id in posts:
            assert school.state(post_id) == PostState.DRAFT
            assert {one.status for one in requests_of(school, post_id)} == {RequestStatus.VOID}
