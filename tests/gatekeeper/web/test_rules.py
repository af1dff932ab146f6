"""The pages of the rules: read by everybody, changed by two roles, and refused with what was typed still there."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from gatekeeper.people.own_rules import softened, version_label
from gatekeeper.people.staff import Role
from gatekeeper.workflow.services import Services

Browser = Callable[[Role | None], FlaskClient]
WEIR = """[[rule]]
id = "our-weir"
clause = "3.8"
severity = "block"
sentence = "Leave the place out."
patterns = ["weir"]
hit = "We met at the weir."
miss = "We met at the bridge."
"""
TYPED = {"rules": WEIR, "soft-profanity": "justify", "why": "Agreed by the governors.", "based_on": "0"}


def label(services: Services) -> str:
    with services.db.read() as session:
        return version_label(session)


@pytest.mark.parametrize("role", list(Role))
def test_everybody_on_the_staff_reads_the_rules_and_their_versions(browser: Browser, role: Role) -> None:
    page = browser(role).get("/rules")
    assert "No commenting about or naming pupils." in page.text
    assert "Cannot be softened." in page.text
    assert ("Change the rules" in page.text) is (role in {Role.ADMINISTRATOR, Role.HEADTEACHER})
    assert browser(role).get("/rules/versions/0").status_code == 200


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.HEADTEACHER}))
def test_cannot_change_the_rules_in_another_role(browser: Browser, services: Services, role: Role) -> None:
    assert browser(role).get("/rules/change").status_code == 403
    assert browser(role).post("/rules/change", data=TYPED).status_code == 403
    assert browser(role).post("/rules/versions/0/restore", data=TYPED).status_code == 403
    assert label(services) == "2022-03/0"


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.HEADTEACHER])
def test_a_change_is_in_force_and_shown(browser: Browser, services: Services, role: Role) -> None:
    client = browser(role)
    assert client.post("/rules/change", data=TYPED).status_code == 303
    assert label(services) == "2022-03/1"
    page = client.get("/rules").text
    assert "our-weir" in page
    assert "came as “Must be changed”" in page
    version = client.get("/rules/versions/1").text
    assert "profanity: Give a reason" in version
    assert "Agreed by the governors." in version


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"rules": WEIR + "x = \n"}, "Line 9, column 5 cannot be read"),
        ({"why": ""}, "Say in a sentence why"),
        ({"soft-pupil-name-full": "off"}, "pupil-name-full cannot be softened"),
        ({"soft-no-such-rule": "off"}, "There is no rule called"),
        ({"rules": "x" * 60_000}, "longer than"),
    ],
)
def test_a_refused_change_keeps_what_was_typed_and_the_rules_in_force(
    browser: Browser, services: Services, typed: dict[str, str], says: str
) -> None:
    page = browser(Role.HEADTEACHER).post("/rules/change", data=TYPED | typed)
    assert page.status_code == 422
    assert says in page.text
    assert "our-weir" in page.text or "rules" in typed
    assert '<option value="justify" selected>' in page.text
    assert label(services) == "2022-03/0"


@pytest.mark.parametrize("number", ["", "-1", "1", "99999999999999", "x"])
def test_cannot_save_over_a_version_that_was_not_seen(browser: Browser, services: Services, number: str) -> None:
    page = browser(Role.HEADTEACHER).post("/rules/change", data=TYPED | {"based_on": number})
    assert page.status_code == 409
    assert "Somebody changed the rules" in page.text
    assert "our-weir" in page.text
    assert label(services) == "2022-03/0"


def test_an_earlier_version_is_restored_as_a_new_one(browser: Browser, services: Services) -> None:
    head = browser(Role.HEADTEACHER)
    head.post("/rules/change", data=TYPED)
    refused = head.post("/rules/versions/0/restore", data={"why": "", "based_on": "1"})
    assert refused.status_code == 422
    answer = head.post("/rules/versions/0/restore", data={"why": "It was too mild.", "based_on": "1"})
    assert answer.status_code == 303
    assert label(services) == "2022-03/2"
    with services.db.read() as session:
        assert softened(session) == {}
    assert head.post("/rules/versions/77/restore", data={"why": "It was too mild.", "based_on": "2"}).status_code == 404
    assert head.get("/rules/versions/77").status_code == 404


def test_the_date_of_the_policy_is_part_of_what_a_decision_names(browser: Browser, services: Services) -> None:
    office = browser(Role.ADMINISTRATOR)
    typed = {"name": "Hillside", "colour": "#2f6b4f"}
    for wrong in ("March 2022", "2022-13", "2022-3", "2022-03\nx"):
        assert office.post("/school", data=typed | {"policy_version": wrong}).status_code == 422
    assert label(services) == "2022-03/0"
    assert office.post("/school", data=typed | {"policy_version": "2026-09"}).status_code == 303
    assert label(services) == "2026-09/0"
    assert office.post("/school", data=typed).status_code == 303
    assert label(services) == "2026-09/0"
