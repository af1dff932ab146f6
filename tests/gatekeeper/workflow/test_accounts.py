"""Signing in, links, and what a wrong guess costs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed
from gatekeeper.mail.model import Notice
from gatekeeper.people import passwords
from gatekeeper.people.accounts import TRIES, count_try, mint_invitation
from gatekeeper.people.sessions import find_session
from gatekeeper.people.staff import Invitation, Role, Staff, StaffSession
from gatekeeper.workflow import accounts, staff
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import make_services

WORD = "three quiet green hills"
MAIL = "ben@hillside.example"


@pytest.fixture
def services(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Services:
    return make_services(sqlite_database, tmp_path, clock)


@pytest.fixture
def ben(services: Services) -> int:
    return accounts.add_user(
        services, name="Ben Whitlock", email="Ben@Hillside.example ", role=Role.AUTHOR, password=WORD
    )


def is_in(services: Services, token: str) -> bool:
    with services.db.read() as session:
        return find_session(session, token, now=services.clock.now()) is not None


def enter(services: Services, password: str = WORD, email: str = MAIL) -> str:
    return accounts.sign_in(services, email=email, password=password).token


def test_the_right_password_opens_a_session_and_only_its_hash_is_stored(services: Services, ben: int) -> None:
    token = enter(services, email=" BEN@hillside.example")
    assert is_in(services, token)
    with services.db.read() as session:
        assert token not in str(session.scalars(select(StaffSession.id_hash)).all())


def test_every_refusal_is_the_same_sentence_and_takes_one_computation(
    services: Services, ben: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def counted(stored: str | None, password: str) -> bool:
        asked.append(stored)
        return False

    monkeypatch.setattr(accounts, "is_password", counted)
    sentences = set()
    for email in (MAIL, "nobody@hillside.example", "not an address"):
        with pytest.raises(NotAllowed) as caught:
            enter(services, "wrong wrong wrong", email)
        sentences.add(str(caught.value))
    assert sentences == {accounts.NOT_SIGNED_IN}
    assert len(asked) == 3


def test_ten_wrong_tries_rest_the_account_even_for_the_right_password(
    services: Services, ben: int, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as quick:
        quick.setattr(accounts, "is_password", lambda _stored, _password: False)
        for _ in range(10):
            with pytest.raises(NotAllowed):
                enter(services, "wrong wrong wrong")
    with pytest.raises(NotAllowed):
        enter(services)
    clock.advance(minutes=14)
    with pytest.raises(NotAllowed):
        enter(services)
    clock.advance(minutes=2)
    assert is_in(services, enter(services))


def test_a_right_password_forgets_earlier_slips(services: Services, ben: int) -> None:
    with pytest.raises(NotAllowed):
        enter(services, "wrong wrong wrong")
    enter(services)
    with services.db.read() as session:
        assert session.get_one(Staff, ben).failed_logins == 0


def test_a_session_ends_when_idle_and_after_half_a_day(services: Services, ben: int, clock: ToldClock) -> None:
    token = enter(services)
    clock.advance(minutes=29)
    assert is_in(services, token)
    clock.advance(minutes=2)
    assert not is_in(services, token)


def test_closing_an_account_ends_its_sessions_and_its_links(services: Services, ben: int) -> None:
    token = enter(services)
    with services.step() as session:
        link = mint_invitation(session, ben, services.clock.now())
    with services.step() as session:
        session.add(
            Staff(id=99, email="a@x.example", name="A", role=Role.ADMINISTRATOR, created_at=services.clock.now())
        )
    staff.deactivate(services, ben, by=99)
    assert not is_in(services, token)
    with pytest.raises(NotAllowed):
        enter(services)
    with pytest.raises(NotAllowed):
        accounts.invited(services, link)


def test_an_account_ends_by_itself_after_its_last_day(services: Services, ben: int, clock: ToldClock) -> None:
    with services.step() as session:
        session.get_one(Staff, ben).ends_on = clock.now().date()
    token = enter(services)
    clock.advance(days=1)
    assert not is_in(services, token)
    with pytest.raises(NotAllowed):
        enter(services)


def test_looking_at_a_link_changes_nothing_and_using_it_once_uses_it_up(services: Services, ben: int) -> None:
    token = enter(services)
    with services.step() as session:
        link = mint_invitation(session, ben, services.clock.now())
    for _ in range(3):
        assert accounts.invited(services, link).id == ben
    with pytest.raises(BadInput):
        accounts.set_password_by_link(services, link, password="short")
    accounts.set_password_by_link(services, link, password="four loud purple rivers")
    assert not is_in(services, token)
    assert is_in(services, enter(services, "four loud purple rivers"))
    with pytest.raises(NotAllowed):
        accounts.set_password_by_link(services, link, password="five soft yellow lakes")


def test_a_link_ends_after_seven_days_and_when_a_newer_one_is_made(
    services: Services, ben: int, clock: ToldClock
) -> None:
    with services.step() as session:
        first = mint_invitation(session, ben, clock.now())
    with services.step() as session:
        second = mint_invitation(session, ben, clock.now())
        assert second not in str(session.scalars(select(Invitation.token_hash)).all())
    with pytest.raises(NotAllowed):
        accounts.invited(services, first)
    clock.advance(days=7, seconds=1)
    with pytest.raises(NotAllowed):
        accounts.invited(services, second)


def test_asking_for_a_link_says_nothing_about_who_is_known_here(services: Services, ben: int) -> None:
    accounts.ask_for_link(services, email="nobody@hillside.example")
    accounts.ask_for_link(services, email=MAIL)
    accounts.ask_for_link(services, email=MAIL)
    with services.db.read() as session:
        assert [notice.staff_id for notice in session.scalars(select(Notice))] == [ben]


def test_changing_the_password_needs_the_old_one_and_ends_other_sessions(services: Services, ben: int) -> None:
    here, elsewhere = enter(services), enter(services)
    with pytest.raises(BadInput) as caught:
        accounts.change_password(services, ben, current="not it, not it", password="four loud purple rivers", here="")
    assert "current" in caught.value.fields
    with services.db.read() as session:
        found = find_session(session, here, now=services.clock.now())
    assert found is not None
    accounts.change_password(services, ben, current=WORD, password="four loud purple rivers", here=found[0].id_hash)
    assert is_in(services, here)
    assert not is_in(services, elsewhere)


def test_cannot_add_the_same_address_twice_or_a_second_headteacher(services: Services, ben: int) -> None:
    with pytest.raises(Conflict):
        accounts.add_user(services, name="B", email=MAIL, role=Role.AUTHOR, password=WORD)
    accounts.add_user(services, name="H", email="h@hillside.example", role=Role.HEADTEACHER, password=WORD)
    with pytest.raises(Conflict):
        accounts.add_user(services, name="I", email="i@hillside.example", role=Role.HEADTEACHER, password=WORD)
    with pytest.raises(BadInput):
        accounts.add_user(services, name="I", email="no address", role=Role.AUTHOR, password=WORD)


def test_no_more_than_two_passwords_are_computed_at_once() -> None:
    assert passwords._AT_ONCE._value == 2  # type: ignore[attr-defined]


def test_many_tries_at_once_do_not_outrun_the_counter(database: Database, clock: ToldClock) -> None:
    with database.begin() as session:
        session.add(Staff(id=1, email=MAIL, name="Ben", role=Role.AUTHOR, created_at=clock.now()))

    def try_once(_number: int) -> bool:
        with database.begin() as session:
            return count_try(session, session.get_one(Staff, 1), now=clock.now())

    with ThreadPoolExecutor(8) as pool:
        let_through = sum(pool.map(try_once, range(24)))
    assert let_through == TRIES
