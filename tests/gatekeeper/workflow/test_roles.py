"""Who becomes the headteacher, and who can stop it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import ledger_check
from approvals.ledger import KEY_NAMED
from approvals.tables import LedgerEntry
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed
from gatekeeper.mail.model import Notice
from gatekeeper.people.sessions import begin_session, find_session
from gatekeeper.people.staff import Category, Role, RoleChange, Staff
from gatekeeper.workflow import roles, staff
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import make_services

WHY = "Margaret retires at Christmas."


@pytest.fixture
def services(database: Database, tmp_path: Path, clock: ToldClock) -> Services:
    return make_services(database, tmp_path, clock)


@pytest.fixture
def people(services: Services) -> dict[Role, int]:
    """An administrator who can sign in, an author, and the first headteacher, appointed at once."""
    with services.db.begin() as session:
        for number, role in ((1, Role.ADMINISTRATOR), (2, Role.AUTHOR)):
            now = services.clock.now()
            session.add(
                Staff(email=f"{number}@x.example", name=str(role), role=role, password_hash="set", created_at=now)
            )
        session.flush()
        ids = {Role(row.role): row.id for row in session.scalars(select(Staff))}
    ids[Role.HEADTEACHER] = staff.invite(
        services, details(Role.HEADTEACHER), email="head@x.example", by=ids[Role.ADMINISTRATOR]
    )
    return ids


def details(role: Role, name: str = "Somebody") -> staff.Details:
    return staff.Details(name=name, role=role, category=Category.EMPLOYEE)


def role_of(services: Services, staff_id: int) -> Role:
    with services.db.read() as session:
        return Role(session.get_one(Staff, staff_id).role)


def sweep(services: Services) -> int:
    with services.step() as session:
        return roles.apply_due_role_changes(session, services.clock.now())


def ask(services: Services, people: dict[Role, int], role: Role = Role.HEADTEACHER) -> RoleChange:
    change = staff.edit(services, people[Role.AUTHOR], details(role), reason=WHY, by=people[Role.ADMINISTRATOR])
    assert change is not None
    delivered(services)
    return change


def delivered(services: Services, problem: str = "") -> None:
    """The e-mails about it went out at once, or did not."""
    with services.step() as session:
        for notice in session.scalars(select(Notice).where(Notice.kind == "role_change", Notice.sent_at.is_(None))):
            notice.sent_at, notice.problem = services.clock.now(), problem


def test_the_first_headteacher_is_appointed_at_once_and_stands_in_the_ledger(
    services: Services, people: dict[Role, int]
) -> None:
    with services.db.read() as session:
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind != KEY_NAMED)).one()
        assert entry.kind == "role.changed"
        assert ledger_check.verify(session).ok
    assert role_of(services, people[Role.HEADTEACHER]) is Role.HEADTEACHER


def test_a_new_headteacher_waits_a_day_and_the_present_one_is_told(
    services: Services, people: dict[Role, int], clock: ToldClock
) -> None:
    change = ask(services, people)
    assert change.effective_at == clock.now() + timedelta(hours=24)
    with services.db.read() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "role_change")).one()
    assert notice.staff_id == people[Role.HEADTEACHER]
    clock.advance(hours=23, minutes=59)
    assert sweep(services) == 0
    assert role_of(services, people[Role.AUTHOR]) is Role.AUTHOR


def test_after_a_day_it_takes_effect_and_everybody_concerned_signs_in_again(
    services: Services, people: dict[Role, int], clock: ToldClock
) -> None:
    ask(services, people)
    clock.advance(hours=24)
    with services.step() as session:
        token = begin_session(session, people[Role.HEADTEACHER], now=clock.now())
    assert sweep(services) == 1
    assert sweep(services) == 0
    assert role_of(services, people[Role.AUTHOR]) is Role.HEADTEACHER
    assert role_of(services, people[Role.HEADTEACHER]) is Role.AUTHOR
    with services.db.read() as session:
        assert find_session(session, token, now=clock.now()) is None
        kinds = session.scalars(
            select(LedgerEntry.kind).where(LedgerEntry.kind != KEY_NAMED).order_by(LedgerEntry.seq)
        ).all()
        assert ledger_check.verify(session).ok
    assert list(kinds) == ["role.changed", "role.asked", "role.changed"]


def test_the_present_headteacher_can_stop_it_for_good(
    services: Services, people: dict[Role, int], clock: ToldClock
) -> None:
    change = ask(services, people)
    with services.step() as session:
        roles.stop_change(session, change.id, by=session.get_one(Staff, people[Role.HEADTEACHER]), now=clock.now())
    clock.advance(hours=25)
    assert sweep(services) == 0
    assert role_of(services, people[Role.AUTHOR]) is Role.AUTHOR
    with pytest.raises(Conflict), services.step() as session:
        roles.stop_change(session, change.id, by=session.get_one(Staff, people[Role.HEADTEACHER]), now=clock.now())


def test_nobody_else_can_stop_it(services: Services, people: dict[Role, int], clock: ToldClock) -> None:
    change = ask(services, people)
    with pytest.raises(NotAllowed), services.step() as session:
        roles.stop_change(session, change.id, by=session.get_one(Staff, people[Role.AUTHOR]), now=clock.now())


def test_only_one_such_change_waits_at_a_time_and_it_needs_a_reason(
    services: Services, people: dict[Role, int]
) -> None:
    with pytest.raises(BadInput):
        staff.edit(services, people[Role.AUTHOR], details(Role.DEPUTY), reason=" no ", by=people[Role.ADMINISTRATOR])
    ask(services, people)
    with pytest.raises(Conflict):
        ask(services, people, Role.DEPUTY)


def test_a_deputy_is_made_by_the_same_wait_and_unmade_at_once(
    services: Services, people: dict[Role, int], clock: ToldClock
) -> None:
    ask(services, people, Role.DEPUTY)
    clock.advance(hours=24)
    sweep(services)
    assert role_of(services, people[Role.AUTHOR]) is Role.DEPUTY
    assert (
        staff.edit(services, people[Role.AUTHOR], details(Role.AUTHOR), reason="", by=people[Role.ADMINISTRATOR])
        is None
    )
    assert role_of(services, people[Role.AUTHOR]) is Role.AUTHOR


def test_there_is_no_way_around_the_wait(services: Services, people: dict[Role, int], clock: ToldClock) -> None:
    """Emptying the seat first would let an administrator appoint a first headteacher once more."""
    admin, head = people[Role.ADMINISTRATOR], people[Role.HEADTEACHER]
    for refused in (
        lambda: staff.deactivate(services, head, by=admin),
        lambda: staff.invite(services, details(Role.HEADTEACHER), email="new@x.example", by=admin),
        lambda: staff.invite(services, details(Role.DEPUTY), email="new@x.example", by=admin),
    ):
        with pytest.raises((Conflict, BadInput)):
            refused()
    last_day = staff.Details(name="H", role=Role.HEADTEACHER, category=Category.EMPLOYEE, ends_on=clock.now().date())
    with pytest.raises(BadInput):
        staff.edit(services, head, last_day, reason=WHY, by=admin)
    leaving = staff.edit(services, head, details(Role.AUTHOR), reason=WHY, by=admin)
    assert leaving is not None  # even giving the role up waits
    delivered(services)
    clock.advance(hours=24)
    sweep(services)
    assert ask(services, people) is not None  # and a vacant seat is no first one


def test_a_closed_deputy_does_not_come_back_as_a_deputy(
    services: Services, people: dict[Role, int], clock: ToldClock
) -> None:
    ask(services, people, Role.DEPUTY)
    clock.advance(hours=24)
    sweep(services)
    staff.deactivate(services, people[Role.AUTHOR], by=people[Role.ADMINISTRATOR])
    staff.reactivate(services, people[Role.AUTHOR], by=people[Role.ADMINISTRATOR])
    assert role_of(services, people[Role.AUTHOR]) is Role.AUTHOR


def test_cannot_close_ones_own_account_or_lose_the_last_administrator(
    services: Services, people: dict[Role, int]
) -> None:
    admin = people[Role.ADMINISTRATOR]
    with pytest.raises(Conflict):
        staff.deactivate(services, admin, by=admin)
    with pytest.raises(Conflict):
        staff.deactivate(services, admin, by=people[Role.AUTHOR])
    with pytest.raises(Conflict):
        staff.edit(services, admin, details(Role.AUTHOR), reason="", by=admin)


@pytest.mark.parametrize("spoilt", ["never sent", "sent late", "came back", "put away"])
def test_cannot_become_headteacher_unseen_while_the_e_mail_about_it_is_not_delivered(
    services: Services, people: dict[Role, int], clock: ToldClock, spoilt: str
) -> None:
    ask(services, people)
    with services.step() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "role_change")).one()
        if spoilt in ("never sent", "sent late"):
            notice.sent_at = None
        elif spoilt == "came back":
            notice.failed_at, notice.problem = clock.now(), "The e-mail came back."
        else:
            notice.problem = "It was not delivered, and an administrator put it away."
    clock.advance(hours=30)
    assert sweep(services) == 0
    if spoilt == "sent late":
        delivered(services)
        clock.advance(hours=23)
        assert sweep(services) == 0
        clock.advance(hours=1)
        assert sweep(services) == 1
        return
    clock.advance(days=5)
    assert sweep(services) == 0
    clock.advance(days=1)  # a mailbox that is closed for good must not keep a school without a headteacher
    assert sweep(services) == 1


def test_a_clock_set_back_for_a_while_does_not_shorten_the_wait(
    services: Services, people: dict[Role, int], clock: ToldClock
) -> None:
    real = clock.now()
    clock.advance(days=-2)
    assert ask(services, people).effective_at >= real + timedelta(hours=24)
