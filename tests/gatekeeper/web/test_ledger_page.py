"""The page of the ledger: what it says of a whole one and of a broken one; and who is named to get its seal each day."""

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select, text

from approvals import ledger
from approvals.ledger_entries import latest
from approvals.triggers import drop_triggers
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Audit, Role
from gatekeeper.workflow import anchor
from gatekeeper.workflow.ledger_view import standing
from gatekeeper.workflow.services import Services
from tests.fixtures.signing import SIGNER

Browser = Callable[[Role], FlaskClient]
SCHOOL = {"name": "Hillside", "colour": "#2f6b4f"}


def write(services: Services, count: int = 1) -> list[str]:
    with services.db.begin() as session:
        for number in range(count):
            ledger.append(session, at=services.clock.now(), kind="test.written", body={"number": number})
        return [entry.hash for entry in latest(session, limit=100)][::-1]


def run(services: Services, statement: str) -> None:
    with services.db.begin() as session:
        for guard in drop_triggers("sqlite"):
            session.execute(text(guard))
        session.execute(text(statement))


def test_the_page_shows_seal_key_and_command(browser: Browser, services: Services) -> None:
    seals = write(services, 3)
    page = browser(Role.AUDITOR).get("/audit/ledger").text
    assert "The chain is whole: 4 entries" in page
    assert f"the key <code>{SIGNER.key_id}</code>. There is no list of keys outside the database" in page
    assert f"gatekeeper ledger verify --anchor {seals[-1]}" in page
    assert "none yet" in page


def test_a_seal_from_an_e_mail_is_found_or_missed(browser: Browser, services: Services) -> None:
    seals = write(services, 3)
    client = browser(Role.AUDITOR)
    asked = {"seal": f" {seals[2][:32].upper()} {seals[2][32:]}\n"}
    assert "The seal you put in is that of entry 3." in client.get("/audit/ledger", query_string=asked).text
    run(services, "DELETE FROM ledger WHERE seq > 2")
    assert "The chain is whole: 2 entries" in client.get("/audit/ledger").text
    page = client.get("/audit/ledger", query_string=asked).text
    assert "The chain is broken at entry 3." in page
    assert "the end of the ledger was cut off" in page


def test_a_seal_that_is_none_is_said_so(browser: Browser, services: Services) -> None:
    write(services)
    page = browser(Role.AUDITOR).get("/audit/ledger?seal=%3Cb%3Ehello").text
    assert "This is not a whole seal" in page
    assert 'value="&lt;b&gt;hello"' in page
    assert "The chain is whole" in page


def test_what_was_mailed_last_is_looked_for_without_being_asked(
    browser: Browser, services: Services, people: dict[Role, int]
) -> None:
    assert people
    write(services, 3)
    assert anchor.run(services) == 1
    client = browser(Role.ADMINISTRATOR)
    assert "4 entries; no mail server has taken it yet" in client.get("/audit/ledger").text
    run(services, "DELETE FROM ledger WHERE seq = 4")
    assert "The chain is broken at entry 4." in client.get("/audit/ledger").text


def test_a_page_of_forged_entries_is_shown_and_not_stumbled_over(browser: Browser, services: Services) -> None:
    write(services, 5)
    run(services, "UPDATE ledger SET at = 'never', body = '{\"by\": [1], \"person\": {}}', kind = '<b>' WHERE seq = 3")
    run(services, "UPDATE ledger SET body = '[1]' WHERE seq = 4")
    run(services, "UPDATE ledger SET kind = CAST(x'ff41' AS TEXT) WHERE seq = 5")
    answer = browser(Role.HEADTEACHER).get("/audit/ledger")
    assert answer.status_code == 200
    assert "The chain is broken at entry 3." in answer.text
    assert "cannot be read" in answer.text
    assert "<b>" not in answer.text


def test_older_pages_show_entries_alone(browser: Browser, services: Services) -> None:
    write(services, 60)
    client = browser(Role.AUDITOR)
    older = client.get("/audit/ledger?page=2").text
    assert "Check a seal" not in older
    assert "ledger key" in older


def test_with_a_list_of_keys_a_ledger_of_a_strangers_is_broken(services: Services) -> None:
    write(services)
    with services.db.read() as session:
        assert standing(session, keys=(SIGNER.public,)).verified.pinned
        found = standing(session, keys=("AAAA",)).verified
    assert (found.ok, found.broken_at) == (False, 1)


# the governor


def test_a_governor_is_named_and_that_stands_in_the_ledger(
    browser: Browser, services: Services, people: dict[Role, int]
) -> None:
    client = browser(Role.ADMINISTRATOR)
    page = client.get("/school").text
    assert "Who gets the seal of the record each day" in page
    for person in (people[Role.AUDITOR], 0):
        assert client.post("/school", data={**SCHOOL, "governor": str(person)}).status_code == 303
        with services.db.read() as session:
            assert school_settings(session)["governor"] == (person or None)
            (entry,) = latest(session, limit=1)
            assert entry.kind == "school.governor_named"
            assert entry.said() == {"by": people[Role.ADMINISTRATOR], "person": person or None}
            changed = session.scalars(select(Audit).where(Audit.action == "school.changed")).all()[-1]
            assert "governor" in changed.detail["changed"]
    assert client.post("/school", data={**SCHOOL, "governor": str(people[Role.AUDITOR])}).status_code == 303
    assert client.post("/school", data=SCHOOL).status_code == 303  # a form without the field changes nothing
    with services.db.read() as session:
        assert school_settings(session)["governor"] == people[Role.AUDITOR]


def test_cannot_name_somebody_who_is_not_there(browser: Browser, services: Services, people: dict[Role, int]) -> None:
    client = browser(Role.ADMINISTRATOR)
    for wrong in ("999", "nobody", "-1", str(people[Role.HEADTEACHER])):
        assert client.post("/school", data={**SCHOOL, "governor": wrong}).status_code == 422
    with services.db.read() as session:
        assert school_settings(session)["governor"] is None
