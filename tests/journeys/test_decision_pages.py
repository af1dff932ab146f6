"""The decision pages in a real browser: scripts that run change nothing, Enter decides nothing, no script is needed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from approvals import tokens
from approvals.tables import ApprovalBase, ApprovalRequest
from gatekeeper.db.base import Base
from gatekeeper.posts.status import PostState
from tests.factories.school import PIN, School
from tests.journeys.conftest import Site

pytestmark = pytest.mark.browser


def link_to(site: Site, post_id: int) -> str:
    """The address in the e-mail about this post."""
    school = site.school
    school.ask(post_id)
    with school.services.db.begin() as session:
        asked = session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.opened_seq.desc())).first()
        assert asked is not None
        token = tokens.mint(
            session, request=asked, person_id=school.head, purpose=tokens.DECIDE, now=school.services.clock.now()
        )
    return f"{site.url}/a/{token}"


def everything(school: School) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with school.services.db.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table))]
            for metadata in (Base.metadata, ApprovalBase.metadata)
            for table in metadata.sorted_tables
        }


@contextmanager
def tab(context: BrowserContext, address: str) -> Iterator[Page]:
    """A tab of its own with this page: what a press leads to, and when, is nobody else's trouble."""
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    yield page
    page.wait_for_timeout(200)
    page.wait_for_load_state("networkidle")
    page.close()


def test_a_scanner_that_runs_scripts_and_presses_everything_changes_nothing(site: Site, page: Page) -> None:
    """It opens the link as a browser does, waits for every script, follows every link and presses every button."""
    link = link_to(site, site.school.post(photos=2, pupils=("Wren",)))
    before = everything(site.school)
    page.goto(link, wait_until="networkidle")
    addresses = [anchor.get_attribute("href") or "" for anchor in page.locator("a[href]").all()]
    buttons = page.locator("button").count()
    assert buttons
    for number in range(buttons):
        with tab(page.context, link) as opened:
            button = opened.locator("button").nth(number)
            if button.is_visible():
                button.click(no_wait_after=True)
    with tab(page.context, link) as opened:
        opened.evaluate("document.querySelectorAll('form').forEach(form => form.requestSubmit())")
    for address in addresses:
        if address.startswith("/"):
            page.goto(f"{site.url}{address}", wait_until="networkidle")
    assert everything(site.school) == before


def test_enter_in_a_field_decides_nothing(site: Site, phone: Page) -> None:
    """There are three answers and none of them is the one that a slip of the finger gives."""
    post_id = site.school.post()
    phone.goto(link_to(site, post_id))
    phone.get_by_label("Your PIN").fill(PIN)
    phone.get_by_label("Your PIN").press("Enter")
    answer(phone, "Approve")
    phone.get_by_label("In your words").fill("I approve this.")
    phone.get_by_label("Your name").fill("Head Quarry")
    phone.get_by_label("Your name").press("Enter")
    expect(phone.get_by_role("alert")).to_contain_text("Please choose one of the three answers.")
    answer(phone, "Approve")
    assert phone.get_by_label("In your words").input_value() == "I approve this."
    assert site.school.state(post_id) == PostState.WAITING
    phone.get_by_role("button", name="Approve this post").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Your decision is recorded")
    assert site.school.state(post_id) == PostState.SCHEDULED


@pytest.mark.parametrize(
    ("choice", "button", "state"),
    [
        ("Ask for changes", "Send it back for changes", PostState.CHANGES),
        ("Refuse", "Refuse this post", PostState.REFUSED),
    ],
)
def test_the_whole_way_works_without_a_script_on_a_phone(
    site: Site, browser: Browser, choice: str, button: str, state: PostState
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    plain = context.new_page()
    post_id = site.school.post(photos=1, pupils=("Wren",))
    plain.goto(link_to(site, post_id))
    assert re.fullmatch(rf"{site.url}/decide/[0-9a-f]{{32}}", plain.url)
    plain.get_by_label("Your PIN").fill(PIN)
    plain.get_by_role("button", name="Show me the post").click()
    picture = plain.locator(".who-picture img").first
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    answer(plain, choice)
    expect(plain.get_by_role("button", name="Approve this post")).to_be_hidden()
    plain.get_by_label("In your words").fill("Please leave the last sentence out.")
    plain.get_by_label("Your name").fill("Head Quarry")
    plain.get_by_role("button", name=button).click()
    expect(plain.get_by_text("Your decision is recorded")).to_be_visible()
    assert site.school.state(post_id) == state
    context.close()


def test_what_matters_is_on_the_first_screen_of_a_phone(site: Site, phone: Page) -> None:
    """Whose, where, when, who, what the checks said, how it begins, and the three answers, before anything is scrolled."""
    phone.goto(link_to(site, site.school.post(photos=1, pupils=("Wren",))))
    expect(phone.get_by_role("button", name="Show me the post")).to_be_in_viewport()
    prove(phone)
    for word in ("Where", "When", "Who", "Checks"):
        expect(phone.locator(".glance").get_by_text(word, exact=True)).to_be_in_viewport(ratio=1)
    for words in ("Mx Author Quarry asks you", "Harvest", "permission for each: consent", "Nothing open"):
        expect(phone.get_by_text(words).first).to_be_in_viewport(ratio=1)
    expect(phone.locator(".sketch-text")).to_be_in_viewport()
    for choice in ("Approve", "Ask for changes", "Refuse"):
        expect(phone.get_by_role("link", name=choice, exact=True)).to_be_in_viewport(ratio=1)


def test_each_answer_unfolds_the_fields_that_it_needs_and_keeps_what_was_typed(site: Site, phone: Page) -> None:
    phone.goto(link_to(site, site.school.post(photos=1, pupils=("Wren",))))
    prove(phone)
    expect(phone.get_by_label("In your words")).to_be_hidden()
    for choice, button in (
        ("Approve", "Approve this post"), ("Ask for changes", "Send it back for changes"), ("Refuse", "Refuse this post"),
    ):  # fmt: skip
        answer(phone, choice)
        expect(phone.get_by_role("button", name=button)).to_be_visible()
        assert phone.locator(".verdict:visible").count() == 1
        assert phone.locator(".decide-form h2:visible").count() == 1
    phone.get_by_label("In your words").fill("It names a street.")
    phone.locator("a.shape").first.click()  # another part of the page is looked at
    expect(phone.get_by_role("button", name="Refuse this post")).to_be_visible()
    assert phone.get_by_label("In your words").input_value() == "It names a street."


@pytest.mark.parametrize(("width", "height"), [(640, 400), (320, 300)], ids=["zoomed", "keyboard"])
def test_the_bar_hides_nothing_that_has_the_keyboards_focus(site: Site, phone: Page, width: int, height: int) -> None:
    """At 200 % zoom, and with a telephone's keyboard open, there is hardly any height."""
    phone.set_viewport_size({"width": width, "height": height})
    phone.goto(link_to(site, site.school.post(photos=1, pupils=("Wren",))))
    prove(phone)
    answer(phone, "Approve")
    hidden = []
    for _ in range(14):
        phone.keyboard.press("Tab")
        hidden += phone.evaluate(
            """() => {
              const at = document.activeElement, bar = document.querySelector(".decide-bar");
              if (at === document.body || bar.contains(at) || getComputedStyle(bar).position !== "sticky") return [];
              const a = at.getBoundingClientRect(), b = bar.getBoundingClientRect();
              return a.top >= b.top ? [at.id || at.textContent] : [];
            }"""
        )
    assert hidden == []
    sticking_out = phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sticking_out <= 0


def test_pressing_everything_on_the_page_itself_decides_nothing(site: Site, page: Page) -> None:
    """Even after the proof: every link and every button once, with nothing written."""
    post_id = site.school.post(photos=1, pupils=("Wren",))
    page.goto(link_to(site, post_id))
    prove(page)
    address = page.url
    for choice in ("Approve", "Ask for changes", "Refuse"):
        answer(page, choice)
        page.locator(".verdict:visible").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was recorded yet")
        page.goto(address)
    assert site.school.state(post_id) == PostState.WAITING


def prove(page: Page) -> None:
    """Give the PIN and wait for the post."""
    page.get_by_label("Your PIN").fill(PIN)
    page.get_by_role("button", name="Show me the post").click()
    page.locator(".glance").wait_for()


def answer(page: Page, choice: str) -> None:
    """Choose one of the three answers in the bar."""
    page.get_by_role("link", name=choice, exact=True).click()
