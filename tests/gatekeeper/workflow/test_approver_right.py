"""Who decided must have had the right to at that moment: the ledger is believed, not the table of staff."""

from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from approvals import deputies, ledger, proofs
from approvals.tables import Decision, DeputyAppointment, drop_triggers
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Publication
from gatekeeper.posts.status import PostState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import roles
from gatekeeper.workflow.approver_right import had_the_right
from tests.conftest import ToldClock
from tests.factories.school import PIN, School
from tests.factories.sending import live, run


def write_down_the_head(school: School) -> None:
    """As every real school has it: the ledger says who the headteacher is."""
    with school.services.db.begin() as session:
        body = {"person": school.head, "by": None, "from": "", "to": str(Role.HEADTEACHER)}
        ledger.append(session, at=school.services.clock.now(), kind="role.changed", body=body)


def make_head(session: Session, staff_id: int, role: Role) -> None:
    session.execute(text("UPDATE staff SET role = :role WHERE id = :id"), {"role": str(role), "id": staff_id})


def right(school: School) -> bool:
    with school.services.db.begin() as session:
        return had_the_right(session, session.scalars(select(Decision)).one(), author_id=school.author)


def test_what_the_headteacher_of_the_ledger_approved_goes_out(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    write_down_the_head(school)
    school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    run(school)
    assert live(simulator)["x"] == 1


def test_what_somebody_approved_who_was_made_headteacher_behind_the_programs_back_does_not(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    write_down_the_head(school)
    real, false = school.head, school.staff[Role.LINE_MANAGER]
    with school.services.db.begin() as session:
        make_head(session, real, Role.AUTHOR)
        make_head(session, false, Role.HEADTEACHER)
        proofs.set_pin(session, false, PIN, now=clock.now())
    school.staff[Role.HEADTEACHER] = false
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    with school.services.db.begin() as session:  # and the traces are covered
        make_head(session, real, Role.HEADTEACHER)
        make_head(session, false, Role.LINE_MANAGER)
    clock.advance(hours=1)
    run(school)
    assert live(simulator)["x"] == 0
    assert school.state(post) == PostState.FAILED
    assert "no right to decide" in school.publication(publication).problem


def test_a_headteacher_who_has_left_since_had_the_right_when_they_decided(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    write_down_the_head(school)
    school.approve(school.post(kinds=("x",)))
    with school.services.db.begin() as session:
        other = session.get_one(roles.Staff, school.staff[Role.LINE_MANAGER])
        roles.appoint(session, other, Role.HEADTEACHER, by=None, now=clock.now())
    assert right(school)
    clock.advance(hours=1)
    run(school)
    assert live(simulator)["x"] == 1


def test_the_author_never_had_the_right(school: School) -> None:
    write_down_the_head(school)
    school.approve(school.post(kinds=("x",)))
    with school.services.db.begin() as session:
        assert not had_the_right(session, session.scalars(select(Decision)).one(), author_id=school.head)


def appointed(school: School, clock: ToldClock) -> str:
    """The deputy decides for the head from now until tomorrow, and is asked from here on."""
    deputy = school.staff[Role.DEPUTY]
    with school.services.db.begin() as session:
        proofs.set_pin(session, deputy, PIN, now=clock.now())
        named = deputies.name(
            session,
            head_id=school.head,
            deputy_id=deputy,
            starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=1),
            reason="I am at a conference in Leeds.",
            proof_method="pin",
            now=clock.now(),
        )
    school.staff[Role.HEADTEACHER] = deputy
    return named.id


def test_what_a_deputy_approved_under_an_appointment_goes_out(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    write_down_the_head(school)
    appointment = appointed(school, clock)
    school.approve(school.post(kinds=("x",)))
    with school.services.db.read() as session:
        assert session.scalars(select(Decision.appointment_id)).one() == appointment
    clock.advance(hours=1)
    run(school)
    assert live(simulator)["x"] == 1


def test_an_appointment_stretched_behind_the_programs_back_gives_nobody_the_right(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    write_down_the_head(school)
    appointed(school, clock)
    school.approve(school.post(kinds=("x",)))
    assert right(school)
    with school.services.db.begin() as session:
        for statement in drop_triggers(session.get_bind().dialect.name):
            session.execute(text(statement))
        session.scalars(select(DeputyAppointment)).one().ends_at += timedelta(days=30)
    assert not right(school)
    clock.advance(hours=1)
    run(school)
    assert live(simulator)["x"] == 0


def test_an_appointment_that_the_ledger_ended_before_the_decision_gives_nobody_the_right(
    school: School, clock: ToldClock
) -> None:
    write_down_the_head(school)
    appointment = appointed(school, clock)
    with school.services.db.begin() as session:
        body = {"appointment": appointment, "by": None, "how": "by hand"}
        ledger.append(session, at=clock.now(), kind="deputy.ended", body=body)  # the table still says that it stands
    school.approve(school.post(kinds=("x",)))
    assert not right(school)
    with school.services.db.read() as session:
        assert session.scalars(select(Publication)).one()
    with school.services.db.begin() as session:  # nor does it help to make that entry speak of another appointment
        for statement in drop_triggers(session.get_bind().dialect.name):
            session.execute(text(statement))
        session.execute(
            text("UPDATE ledger SET body = replace(body, :it, 'another') WHERE kind = 'deputy.ended'"),
            {"it": appointment},
        )
    assert not right(school)
