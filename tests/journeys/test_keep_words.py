"""Two forms on one page in a real browser: sending one loses nothing that was typed in the other."""

import pytest
from playwright.sync_api import Page, expect

from gatekeeper.cases.model import CaseKind
from gatekeeper.people.staff import Role
from gatekeeper.workflow.cases import open_case
from tests.journeys.conftest import Site

pytestmark = pytest.mark.browser

STORED = "sessionStorage.getItem('unsent-words')"
OUTCOME = "We spoke with everybody,\nand the photo was changed."
#: fields that no page of ours has here, but that must be left out wherever they stand
SECRETS = """() => {
  const form = document.getElementById("outcome").form;
  for (const type of ["password", "hidden"]) {
    form.append(Object.assign(document.createElement("input"), { type, name: "pin", value: "" }));
    form.lastChild.value = "739284";
  }
}"""


def test_what_was_typed_in_one_form_outlives_sending_another_until_it_is_sent_or_somebody_signs_out(
    site: Site, phone: Page
) -> None:
    school = site.school
    with school.services.step() as session:
        now = school.services.clock.now()
        case = open_case(session, kind=CaseKind.CONCERN, title="A photo", words="Look.", by=school.head, now=now)
    site.sign_in(phone.context, Role.HEADTEACHER)
    phone.goto(f"{site.url}/cases/{case}")
    phone.evaluate(SECRETS)
    phone.get_by_text("Close it", exact=True).click()
    outcome, note = phone.locator("#outcome"), phone.locator("#words")
    phone.locator("#result input[type=radio]").first.check()
    outcome.fill(OUTCOME)
    note.fill("   ")
    phone.get_by_role("button", name="Add the note").click()  # refused: the page stands at the note's address
    phone.locator(".errors-summary").wait_for()
    expect(outcome).to_have_value(OUTCOME)
    note.fill("Rang the parents.")
    phone.get_by_role("button", name="Add the note").click()
    phone.get_by_text("Rang the parents.").wait_for()
    expect(outcome).to_have_value(OUTCOME)
    expect(outcome).to_be_visible()
    expect(phone.locator("#result input[type=radio]").first).to_be_checked()
    expect(note).to_have_value("")
    assert phone.evaluate("document.activeElement === document.body")
    assert "739284" not in (phone.evaluate(STORED) or "")

    phone.reload()  # it was put back once, and is not held any longer
    expect(outcome).to_have_value("")
    phone.get_by_text("Close it", exact=True).click()
    outcome.fill(OUTCOME)
    phone.evaluate("sessionStorage.setItem('unsent-words', JSON.stringify({ person: 'x', fields: [] }))")
    phone.get_by_text("Menu", exact=True).click()
    phone.locator(".small-person").get_by_role("button", name="Sign out").click()
    phone.get_by_role("heading", name="Sign in").wait_for()
    assert phone.evaluate(STORED) is None


def test_nobody_is_shown_what_somebody_else_typed_in_the_same_tab(site: Site, phone: Page) -> None:
    school = site.school
    with school.services.step() as session:
        now = school.services.clock.now()
        case = open_case(session, kind=CaseKind.CONCERN, title="A photo", words="Look.", by=school.head, now=now)
    site.sign_in(phone.context, Role.HEADTEACHER)
    phone.goto(f"{site.url}/cases/{case}")
    field = {"path": f"/cases/{case}/note", "name": "#words", "value": "Only for me.", "at": 1e15}
    phone.evaluate(
        "field => sessionStorage.setItem('unsent-words', JSON.stringify({ person: '99999', fields: [field] }))", field
    )
    phone.reload()
    expect(phone.locator("#words")).to_have_value("")
    assert phone.evaluate(STORED) is None
