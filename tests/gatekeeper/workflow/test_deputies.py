"""A deputy decides while the head says so: not before, not after, not about everything, and never by their own word."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from approvals import deputies as appointments
from approvals import ledger, ledger_check, proofs, tokens
from approvals.errors import (
    AlreadyDecided,
    AuthorCannotDecide,
    DeciderRefused,
    LinkRefused,
    LinkSpent,
    NotTheApprover,
    QuestionClosed,
    StaysWithTheHead,
)
from approvals.tables import ApprovalRequest, Decision, DeputyAppointment, LedgerEntry, RequestStatus, Verdict
from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Finding, Post, Publication
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import FindingState, PostState
from gatekeeper.workflow import decide, deputies, handover, request
from gatekeeper.workflow.capacity import capacity_of, capacity_words
from gatekeeper.workflow.deputies import Naming
from gatekeeper.workflow.due import TypedDue
from gatekeeper.workflow.post_history import history_of
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

WHY = "I am at the heads' conference."


@pytest.fixture
def school(sqlite_database: Database, tmp_path, clock: ToldClock) -> School:  # noqa: ANN001 - pytest's own
    school = School(make_services(sqlite_database, tmp_path, clock))
    with school.services.db.begin() as session:
        for role in (Role.DEPUTY, Role.AUTHOR):
            proofs.set_pin(session, school.staff[role], PIN, now=clock.now())
    return school


def deputy(school: School) -> int:
    return school.staff[Role.DEPUTY]


def naming(school: School, *, starts: str = "", ends: str = "2026-11-27 17:00", reason: str = WHY) -> Naming:
    return Naming(deputy_id=deputy(school), starts=TypedDue.read(starts), ends=TypedDue.read(ends), reason=reason)


def name(school: School, **more: str) -> str:
    return deputies.name_deputy(school.services, naming(school, **more), by=school.head, proof_method="pin")


def sent(school: School, *, author: int | None = None, due_in: timedelta = timedelta(days=20), **more: object) -> int:
    """A post that is on its way to whoever decides."""
    post_id = school.post(due_in=due_in, **more)  # type: ignore[arg-type]
    with school.services.step() as session:
        post = session.get_one(Post, post_id)
        post.author_id = author or post.author_id
        move(post, PostState.REQUESTING)
    return post_id


def asked(school: School, **more: object) -> int:
    """A post about which somebody was asked by the real step."""
    post_id = sent(school, **more)  # type: ignore[arg-type]
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.WAITING
    return post_id


def ask_all(school: School) -> None:
    """What the worker does with every post on its way."""
    with school.services.db.read() as session:
        due = session.scalars(select(Post.id).where(Post.state == PostState.REQUESTING)).all()
    for post_id in due:
        request.run(school.services, post_id)


def the_request(school: School, post_id: int) -> ApprovalRequest:
    with school.services.db.read() as session:
        query = select(ApprovalRequest).where(ApprovalRequest.subject == f"post:{post_id}")
        return session.scalars(query.order_by(ApprovalRequest.opened_seq.desc())).all()[0]


def link_for(school: School, post_id: int, person_id: int) -> str:
    """A link's secret with the second proof given, made past every question who may have one."""
    now = school.services.clock.now()
    with school.services.db.begin() as session:
        found = session.get_one(ApprovalRequest, the_request(school, post_id).id)
        token = tokens.mint(session, request=found, person_id=person_id, purpose=tokens.DECIDE, now=now)
        secret = tokens.open_link(session, token, purpose=tokens.DECIDE, now=now).view_secret
    return decide.prove(school.services, secret, PIN).view_secret or ""


def form(school: School, post_id: int, verdict: Verdict = Verdict.APPROVE, **answers: str) -> decide.DecisionForm:
    return decide.DecisionForm(
        verdict=verdict,
        digest_shown=school.digest(post_id),
        typed_name="Deputy Quarry",
        statement="I have read this and decide so.",
        answers=answers,
    )


def press(school: School, secret: str, post_id: int, verdict: Verdict = Verdict.APPROVE, **answers: str) -> Decision:
    outcome = decide.decide(school.services, secret, form(school, post_id, verdict, **answers))
    assert outcome.decision is not None, outcome.sentence
    return outcome.decision


def add_finding(school: School, post_id: int, **more: object) -> int:
    values: dict[str, object] = {
        "rule": "topic", "clause": "3.5", "severity": "justify", "field": "text", "message": "A point.",
        "state": FindingState.ANSWERED, "reason": "It is public.", "resolved_by": school.author,
        "resolved_at": school.services.clock.now(),
    }  # fmt: skip
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        finding = Finding(version_id=post.version_id, **{**values, **more})
        session.add(finding)
        session.flush()
        return finding.id


def reference(school: School, post_id: int) -> int:
    return add_finding(school, post_id, rule="staff-reference", clause="3.7")


def override(school: School, post_id: int) -> int:
    return add_finding(school, post_id, severity="block", state=FindingState.OVERRIDE)


def decisions(school: School) -> list[Decision]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Decision)))


def notices(school: School, kind: str) -> list[Notice]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)))


def entries(school: School, kind: str) -> list[LedgerEntry]:
    with school.services.db.read() as session:
        return list(session.scalars(select(LedgerEntry).where(LedgerEntry.kind == kind)))


def refuses(school: School, secret: str, post_id: int, error: type[Exception]) -> Exception:
    before = len(decisions(school))
    with pytest.raises(error) as refused:
        decide.decide(school.services, secret, form(school, post_id))
    assert len(decisions(school)) == before
    return refused.value


# while it is in force


def test_the_deputy_is_asked_and_decides_and_the_decision_says_under_which_appointment(
    school: School, clock: ToldClock
) -> None:
    appointment = name(school)
    post_id = asked(school)
    assert the_request(school, post_id).approver_id == deputy(school)
    with school.services.db.read() as session:
        sentence = capacity_of(session, the_request(school, post_id), deputy(school), now=clock.now())
        assert sentence.startswith("You decide for Mx Headteacher Quarry until Friday 27 November 2026 at 17:00")
        assert "I am at the heads' conference" in sentence
        assert capacity_of(session, the_request(school, post_id), school.head, now=clock.now()) == ""
    decision = press(school, link_for(school, post_id, deputy(school)), post_id)
    assert (decision.approver_id, decision.appointment_id) == (deputy(school), appointment)
    assert school.state(post_id) == PostState.SCHEDULED
    with school.services.db.read() as session:
        words = capacity_words(session, decision)
        history = history_of(session, session.get_one(Post, post_id), words=False)
        assert any(words in line.words for line in history)
        assert "as the deputy of Mx Headteacher Quarry, appointed from Monday 23 November 2026 at 09:00" in words
        assert ledger_check.verify(session).ok
    assert f'"appointment":"{appointment}"' in entries(school, "decision.recorded")[0].body


def test_the_head_may_decide_what_the_deputy_was_asked(school: School) -> None:
    name(school)
    post_id = asked(school)
    decision = press(school, link_for(school, post_id, school.head), post_id)
    assert (decision.approver_id, decision.appointment_id) == (school.head, None)
    with school.services.db.read() as session:
        assert capacity_words(session, decision) == ""


def test_each_inbox_shows_what_its_person_may_decide(school: School, clock: ToldClock) -> None:
    name(school)
    plain, hers = asked(school), asked(school, author=deputy(school))
    with school.services.db.read() as session:
        deputys = [decide.post_id_of(one) for one in decide.waiting_for(session, deputy(school), now=clock.now())]
        heads = {decide.post_id_of(one) for one in decide.waiting_for(session, school.head, now=clock.now())}
    assert deputys == [plain]
    assert heads == {plain, hers}
    opened = decide.open_for(school.services, the_request(school, plain).id, person_id=school.head)
    assert opened is not None
    assert decide.open_for(school.services, the_request(school, hers).id, person_id=deputy(school)) is None


def test_two_tabs_of_deputy_and_head_make_one_decision(school: School) -> None:
    name(school)
    post_id = asked(school)
    tabs = [link_for(school, post_id, one) for one in (deputy(school), school.head, deputy(school))]
    first = press(school, tabs[0], post_id, Verdict.REFUSE)
    for other in tabs[1:]:
        with pytest.raises((AlreadyDecided, LinkSpent)):
            decide.decide(school.services, other, form(school, post_id))
    assert [one.id for one in decisions(school)] == [first.id]
    with school.services.db.read() as session:
        assert session.scalars(select(Publication)).all() == []


# what stays with the head


@pytest.mark.parametrize("point", [reference, override], ids=["reference", "override"])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_cannot_decide_a_reference_or_an_override_as_a_deputy(
    school: School, point: Callable[[School, int], int], verdict: Verdict
) -> None:
    name(school)
    post_id = sent(school)
    finding = point(school, post_id)
    request.run(school.services, post_id)
    assert the_request(school, post_id).approver_id == school.head
    secret = link_for(school, post_id, deputy(school))
    with pytest.raises(StaysWithTheHead, match="Only the headteacher may decide"):
        decide.decide(
            school.services, secret, form(school, post_id, verdict, **{str(finding): "It may well stand like this."})
        )
    assert decisions(school) == []
    head = link_for(school, post_id, school.head)
    assert press(school, head, post_id, verdict, **{str(finding): "The family asked us for it."}).verdict == verdict


def test_cannot_decide_as_a_deputy_what_became_the_heads_after_it_was_asked(school: School) -> None:
    name(school)
    post_id = asked(school)
    secret = link_for(school, post_id, deputy(school))
    reference(school, post_id)
    refuses(school, secret, post_id, StaysWithTheHead)
    handover.run(school.services)
    ask_all(school)
    assert the_request(school, post_id).approver_id == school.head


def test_a_logo_does_not_stay_with_the_head(school: School) -> None:
    name(school)
    post_id = sent(school)
    add_finding(school, post_id, rule="photo-mark", clause="3.6", field="images[0].mark", quote="Our crest")
    request.run(school.services, post_id)
    assert the_request(school, post_id).approver_id == deputy(school)


@pytest.mark.parametrize("point", [reference, override], ids=["reference", "override"])
def test_nobody_is_asked_about_the_heads_own_post_that_stays_with_the_head(
    school: School, point: Callable[[School, int], int]
) -> None:
    post_id = sent(school, author=school.head)
    point(school, post_id)
    request.run(school.services, post_id)
    assert school.state(post_id) == PostState.REQUESTING
    with school.services.db.read() as session:
        assert "have somebody else write the post" in session.get_one(Post, post_id).note


def test_cannot_decide_ones_own_post_as_a_deputy(school: School) -> None:
    name(school)
    post_id = asked(school, author=deputy(school))
    assert the_request(school, post_id).approver_id == school.head
    with school.services.db.begin() as session, pytest.raises(AuthorCannotDecide):
        tokens.mint(
            session,
            request=the_request(school, post_id),
            person_id=deputy(school),
            purpose=tokens.DECIDE,
            now=school.services.clock.now(),
        )


def test_the_heads_own_post_is_the_deputys_by_the_standing_rule_and_says_so(school: School, clock: ToldClock) -> None:
    post_id = asked(school, author=school.head)
    with school.services.db.read() as session:
        sentence = capacity_of(session, the_request(school, post_id), deputy(school), now=clock.now())
    assert sentence == "You decide because Mx Headteacher Quarry, the headteacher, wrote this post."
    decision = press(school, link_for(school, post_id, deputy(school)), post_id)
    assert decision.appointment_id is None
    with school.services.db.read() as session:
        assert "in the place of the headteacher, who wrote this post" in capacity_words(session, decision)


# before, after, and when it is gone


def test_cannot_decide_before_it_begins(school: School, clock: ToldClock) -> None:
    name(school, starts="2026-11-24 09:00")
    post_id = asked(school)
    assert the_request(school, post_id).approver_id == school.head
    secret = link_for(school, post_id, deputy(school))
    refuses(school, secret, post_id, NotTheApprover)
    clock.advance(hours=24, minutes=-1)
    refuses(school, link_for(school, post_id, deputy(school)), post_id, NotTheApprover)


def test_cannot_decide_from_the_very_moment_it_ends(school: School, clock: ToldClock) -> None:
    name(school, ends="2026-11-23 12:00")
    post_id = asked(school)
    clock.advance(hours=2, minutes=59)
    secret = link_for(school, post_id, deputy(school))
    clock.advance(minutes=1)
    refuses(school, secret, post_id, NotTheApprover)


def test_cannot_decide_after_the_head_ended_it(school: School) -> None:
    appointment = name(school)
    post_id = asked(school)
    secret = link_for(school, post_id, deputy(school))
    deputies.end_early(school.services, appointment, by=school.head)
    refuses(school, secret, post_id, LinkRefused)
    ask_all(school)
    assert the_request(school, post_id).approver_id == school.head
    refuses(school, link_for(school, post_id, deputy(school)), post_id, NotTheApprover)


@pytest.mark.parametrize("hours", [2, 30], ids=["into the appointment", "to before it was named"])
def test_cannot_decide_after_it_ended_because_the_clock_was_set_back(
    school: School, clock: ToldClock, hours: int
) -> None:
    name(school, ends="2026-11-23 12:00")
    post_id = asked(school)
    clock.advance(hours=3)
    handover.run(school.services)
    ask_all(school)
    clock.advance(hours=-hours)
    refuses(school, link_for(school, post_id, deputy(school)), post_id, DeciderRefused)


def test_cannot_decide_on_a_clock_set_back_even_before_anybody_closed_it(school: School, clock: ToldClock) -> None:
    """The ledger knows that it was later already."""
    name(school, ends="2026-11-23 12:00")
    post_id = asked(school)
    clock.advance(hours=4)
    with school.services.db.begin() as session:
        ledger.append(session, at=clock.now(), kind="test.written", body={})
    clock.advance(hours=-2)
    refuses(school, link_for(school, post_id, deputy(school)), post_id, NotTheApprover)


@pytest.mark.parametrize(
    "loss",
    [{"role": Role.AUTHOR}, {"active": False}, {"ends_on": datetime(2026, 11, 22, tzinfo=UTC).date()}],
    ids=["role", "account", "last day"],
)
@pytest.mark.parametrize("who", [Role.HEADTEACHER, Role.DEPUTY])
def test_cannot_decide_once_either_is_no_longer_what_they_were(
    school: School, who: Role, loss: dict[str, object]
) -> None:
    name(school)
    post_id = asked(school)
    secret = link_for(school, post_id, deputy(school))
    with school.services.db.begin() as session:
        for field, value in loss.items():
            setattr(session.get_one(Staff, school.staff[who]), field, value)
    refuses(school, secret, post_id, NotTheApprover)
    handover.run(school.services)
    with school.services.db.begin() as session:  # given back, it does not come to life again
        member = session.get_one(Staff, school.staff[who])
        member.role, member.active, member.ends_on = who, True, None
    assert '"how":"role"' in entries(school, "deputy.ended")[0].body
    ask_all(school)
    assert the_request(school, post_id).approver_id == school.head


def test_cannot_decide_as_a_deputy_of_a_deputy(school: School, clock: ToldClock) -> None:
    """A row that a deputy's word made, past every form, counts for nothing."""
    with school.services.db.begin() as session:
        other = Staff(email="two@quarrybank.example", name="Second", role=Role.DEPUTY, created_at=clock.now())
        session.add(other)
        session.flush()
        second = other.id
        proofs.set_pin(session, second, PIN, now=clock.now())
    name(school)
    with pytest.raises(NotAllowed, match="Only the headteacher"):
        deputies.name_deputy(school.services, naming(school), by=deputy(school), proof_method="pin")
    with school.services.db.begin() as session:
        (standing,) = appointments.standing(session, clock.now())
        appointments.end(session, standing, by_person=school.head, how=appointments.Ending.BY_HAND, now=clock.now())
        appointments.name(
            session,
            head_id=deputy(school),
            deputy_id=second,
            starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=3),
            reason=WHY,
            proof_method="pin",
            now=clock.now(),
        )
    post_id = asked(school)
    assert the_request(school, post_id).approver_id == school.head
    refuses(school, link_for(school, post_id, second), post_id, NotTheApprover)


def test_cannot_decide_as_somebody_the_head_never_named(school: School, clock: ToldClock) -> None:
    name(school)
    post_id = asked(school)
    with school.services.db.begin() as session:
        other = Staff(email="two@quarrybank.example", name="Second", role=Role.DEPUTY, created_at=clock.now())
        session.add(other)
        session.flush()
        proofs.set_pin(session, other.id, PIN, now=clock.now())
    refuses(school, link_for(school, post_id, other.id), post_id, NotTheApprover)


# questions go over


def test_what_the_head_was_asked_goes_to_the_deputy_at_once_and_the_author_is_not_bothered(school: School) -> None:
    post_id = asked(school)
    name(school)
    assert school.state(post_id) == PostState.REQUESTING
    ask_all(school)
    assert the_request(school, post_id).approver_id == deputy(school)
    mails = [(one.staff_id, one.kind) for one in notices(school, "approval_request")]
    assert mails == [(school.head, "approval_request"), (deputy(school), "approval_request")]
    with school.services.db.read() as session:
        assert session.scalars(select(Notice).where(Notice.staff_id == school.author)).all() == []


def test_an_appointment_that_begins_later_takes_over_by_itself_and_gives_back_at_its_end(
    school: School, clock: ToldClock
) -> None:
    name(school, starts="2026-11-24 08:00", ends="2026-11-25 08:00")
    post_id, hers = asked(school), asked(school, author=deputy(school))
    askings = []
    for _ in range(4):
        handover.run(school.services)
        ask_all(school)
        askings.append(the_request(school, post_id).approver_id)
        clock.advance(hours=16)
    assert askings == [school.head, school.head, deputy(school), school.head]  # at 9, at 1, at 17, at 9 o'clock
    assert the_request(school, hers).approver_id == school.head
    assert len(notices(school, "approval_request")) == 4  # three for the one, one for the other
    (entry,) = entries(school, "deputy.ended")
    assert '"how":"time"' in entry.body


def test_a_decision_that_is_being_written_is_not_taken_away_when_it_begins(school: School) -> None:
    post_id = asked(school)
    secret = link_for(school, post_id, school.head)
    name(school)
    assert press(school, secret, post_id).approver_id == school.head


def test_handing_over_twice_asks_once(school: School) -> None:
    asked(school)
    name(school)
    for _ in range(3):
        handover.run(school.services)
        ask_all(school)
    assert len(notices(school, "approval_request")) == 2


# naming and ending


def test_naming_stands_in_the_ledger_with_a_hash_in_place_of_the_reason_and_both_are_told(school: School) -> None:
    appointment = name(school)
    (entry,) = entries(school, "deputy.named")
    assert appointment in entry.body
    assert WHY not in entry.body
    told = notices(school, "deputy_named")
    assert sorted(one.staff_id for one in told) == sorted([school.head, deputy(school)])
    assert all(WHY not in str(one.context) for one in told)


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"ends": ""}, "to_date", "Choose the day"),
        ({"ends": "2026-11-23 -"}, "to_time", "Choose the time"),
        ({"ends": "tomorrow 17:00"}, "to_date", "not a date"),
        ({"ends": "2026-11-23 08:00"}, "to_date", "after the beginning"),
        ({"ends": "2027-02-21 09:01"}, "to_date", "at most 90 days"),
        ({"starts": "2026-11-22 09:00"}, "from_date", "in the past"),
        ({"starts": "2026-11-24 -"}, "from_time", "Choose the time"),
        ({"reason": "Away."}, "reason", "in a sentence"),
        ({"starts": "2027-03-28 01:30", "ends": "2027-04-01 09:00"}, "from_time", "does not exist"),
        ({"starts": "2027-10-31 01:30", "ends": "2027-11-01 09:00"}, "from_time", "comes twice"),
    ],
)
def test_cannot_name_like_this(school: School, more: dict[str, str], field: str, words: str) -> None:
    for step in (
        lambda: deputies.check(school.services, naming(school, **more), by=school.head),
        lambda: name(school, **more),
    ):
        with pytest.raises(BadInput) as refused:
            step()
        assert words in refused.value.fields[field]
    assert entries(school, "deputy.named") == []


def test_ninety_days_across_a_change_of_the_clocks_are_ninety_days(school: School, clock: ToldClock) -> None:
    clock.moment = datetime(2027, 8, 23, 8, 0, tzinfo=UTC)  # 09:00 in summer
    name(school, ends="2027-11-21 09:00")
    with school.services.db.read() as session:
        (one,) = appointments.standing(session, clock.now())
        assert one.ends_at == datetime(2027, 11, 21, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("who", [Role.AUTHOR, Role.LINE_MANAGER, Role.ADMINISTRATOR, Role.HEADTEACHER])
def test_cannot_name_anybody_but_a_deputy_headteacher(school: School, who: Role) -> None:
    wanted = replace(naming(school), deputy_id=school.staff[who])
    with pytest.raises(BadInput) as refused:
        deputies.name_deputy(school.services, wanted, by=school.head, proof_method="pin")
    assert "from the list" in refused.value.fields["deputy"]


@pytest.mark.parametrize("who", sorted(set(Role) - {Role.HEADTEACHER}))
def test_cannot_name_or_end_without_being_the_headteacher(school: School, who: Role) -> None:
    appointment = name(school)
    for step in (
        lambda: deputies.name_deputy(school.services, naming(school), by=school.staff[who], proof_method="pin"),
        lambda: deputies.end_early(school.services, appointment, by=school.staff[who]),
    ):
        with pytest.raises(NotAllowed):
            step()


def test_several_may_lie_ahead_but_no_two_may_overlap(school: School) -> None:
    name(school, starts="2026-12-01 08:00", ends="2026-12-05 17:00")
    name(school, starts="2026-12-05 17:00", ends="2026-12-09 17:00")
    name(school)
    for starts, ends in (("2026-12-05 16:59", "2026-12-06 09:00"), ("2026-11-30 08:00", "2026-12-20 09:00")):
        with pytest.raises(BadInput, match="may not overlap"):
            name(school, starts=starts, ends=ends)


def test_cannot_end_twice_and_the_time_of_one_that_was_ended_is_free_again(school: School) -> None:
    appointment = name(school)
    deputies.end_early(school.services, appointment, by=school.head)
    with pytest.raises(Conflict, match="over already"):
        deputies.end_early(school.services, appointment, by=school.head)
    assert len(notices(school, "deputy_ended")) == 2
    assert name(school) != appointment


def test_the_row_of_an_appointment_cannot_be_prolonged(school: School) -> None:
    name(school)
    for change in ("ends_at = '2027-12-01 00:00:00.000000'", "deputy_id = 1", "head_id = 1"):
        with pytest.raises(Exception, match="evidence"), school.services.db.begin() as session:
            session.connection().exec_driver_sql(f"UPDATE deputy_appointment SET {change}")


def test_both_see_it_with_its_reason_and_nobody_else_is_shown_as_named(school: School, clock: ToldClock) -> None:
    name(school)
    with school.services.db.read() as session:
        heads = deputies.page_for(session, session.get_one(Staff, school.head), now=clock.now())
        deputys = deputies.page_for(session, session.get_one(Staff, deputy(school)), now=clock.now())
    for page in (heads, deputys):
        assert [(one.state, one.reason) for one in page.standing] == [("now", WHY)]
    assert [one.id for one in heads.candidates] == [deputy(school)]
    assert deputys.candidates == ()


def test_nobody_decides_so_nothing_is_published(school: School, clock: ToldClock) -> None:
    name(school)
    post_id = asked(school, due_in=timedelta(hours=3))
    clock.advance(hours=3)
    decide.expire_due(school.services)
    assert school.state(post_id) == PostState.EXPIRED
    assert the_request(school, post_id).status == RequestStatus.EXPIRED
    with school.services.db.read() as session:
        assert session.scalars(select(Publication)).all() == []
        assert session.scalars(select(DeputyAppointment)).one().ended_at is None
    with pytest.raises((QuestionClosed, LinkRefused)):
        press(school, link_for(school, post_id, school.head), post_id)


def test_the_worker_hears_of_questions_that_go_over(school: School) -> None:
    post_id = asked(school)
    name(school)
    with school.services.db.read() as session:
        assert ("request", post_id) in jobs.due(session, "mail", now=school.services.clock.now())
