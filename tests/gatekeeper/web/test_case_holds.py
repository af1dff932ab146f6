"""Legal holds on the page of their case and on the page of all holds, as each reader finds them."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from gatekeeper.cases.model import Case, LegalHold
from gatekeeper.people.staff import Role
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock

Browser = Callable[[Role | None], FlaskClient]
WHY = "Nadia may be dismissed over this"


def concern(services: Services, people: dict[Role, int], clock: ToldClock, about: Role, owner: Role) -> int:
    with services.db.begin() as session:
        case = Case(
            kind="concern", title="A photo", opened_by=people[Role.AUTHOR], opened_at=clock.now(),
            about_id=people[about], owner_id=people[owner],
        )  # fmt: skip
        session.add(case)
        session.flush()
        return case.id


@pytest.fixture
def about_the_lead(services: Services, people: dict[Role, int], clock: ToldClock) -> int:
    return concern(services, people, clock, Role.CONSENT_LEAD, Role.HEADTEACHER)


@pytest.fixture
def about_the_head(services: Services, people: dict[Role, int], clock: ToldClock) -> int:
    return concern(services, people, clock, Role.HEADTEACHER, Role.DEPUTY)


def standing(services: Services) -> list[int]:
    with services.db.read() as session:
        return list(session.scalars(select(LegalHold.id).where(LegalHold.ended_at.is_(None))))


def test_the_person_a_held_case_is_about_finds_nothing_of_it_on_the_page_of_holds(
    browser: Browser, services: Services, about_the_lead: int
) -> None:
    head, lead = browser(Role.HEADTEACHER), browser(Role.CONSENT_LEAD)
    assert head.post(f"/cases/{about_the_lead}/holds", data={"reason": WHY}).status_code == 303
    (hold_id,) = standing(services)
    assert WHY in head.get("/retention/holds").text
    assert "Legal holds (1)" in head.get("/retention").text
    page = lead.get("/retention/holds").text
    assert WHY not in page
    assert f"Case {about_the_lead}" not in page
    assert "Nothing is held here" in page
    for address in (f"/retention/holds/{hold_id}/end", f"/cases/{about_the_lead}/holds/{hold_id}/end"):
        assert lead.post(address, data={"reason": "I think it may end"}).status_code == 404
    assert standing(services) == [hold_id]
    assert head.post(f"/retention/holds/{hold_id}/end", data={"reason": "The claim was dropped"}).status_code == 303
    assert f"Case {about_the_lead}" not in lead.get("/retention/holds").text
    assert f"Case {about_the_lead}" in head.get("/retention/holds").text


def test_a_hold_for_a_case_one_may_not_see_is_refused_like_one_for_no_case(
    browser: Browser, services: Services, about_the_head: int
) -> None:
    head = browser(Role.HEADTEACHER)
    pages = []
    for number in (about_the_head, 77):
        form = {"case": str(number), "kind": "case", "reason": WHY}
        answer = head.post("/retention/holds", data=form)
        assert answer.status_code == 422
        assert "There is no such case." in answer.text
        secret = re.compile(r'(name="csrf-token" content|name="csrf_token" value)="[^"]*"')  # made anew each second
        pages.append(secret.sub("", answer.text).replace(f'value="{number}"', ""))
        assert head.post(f"/cases/{number}/holds", data={"reason": WHY}).status_code == 404
    assert pages[0] == pages[1]
    assert standing(services) == []


def test_the_deputy_holds_a_concern_about_the_headteacher_from_its_page(
    browser: Browser, services: Services, about_the_head: int
) -> None:
    deputy, where = browser(Role.DEPUTY), f"/cases/{about_the_head}"
    assert "Hold this case" in deputy.get(where).text
    short = deputy.post(f"{where}/holds", data={"reason": "so"})
    assert (short.status_code, "say in a sentence" in short.text) == (422, True)
    assert deputy.post(f"{where}/holds", data={"reason": WHY}).status_code == 303
    assert deputy.post(f"{where}/holds", data={"reason": WHY}).status_code == 409
    (hold_id,) = standing(services)
    shown = deputy.get(where).text
    assert "On legal hold" in shown
    assert WHY in shown
    assert "placed a legal hold" in shown
    assert "/retention/holds" not in shown  # that page is not theirs
    short = deputy.post(f"{where}/holds/{hold_id}/end", data={"reason": "so"})
    assert (short.status_code, "say in a sentence" in short.text) == (422, True)
    assert deputy.post(f"{where}/holds/{hold_id}/end", data={"reason": "The governors closed it"}).status_code == 303
    assert standing(services) == []
    assert "ended a legal hold" in deputy.get(where).text


def test_the_reporter_of_a_held_case_learns_nothing_of_the_hold(
    browser: Browser, services: Services, about_the_lead: int
) -> None:
    browser(Role.HEADTEACHER).post(f"/cases/{about_the_lead}/holds", data={"reason": WHY})
    reporter = browser(Role.AUTHOR)
    shown = reporter.get(f"/cases/{about_the_lead}").text
    assert "legal hold" not in shown.lower()
    assert reporter.post(f"/cases/{about_the_lead}/holds", data={"reason": WHY}).status_code == 403
