"""Findings while typing, in a real browser: marked, told in a sentence, taken back with one key, and never in the way."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from gatekeeper.people.staff import Role
from tests.journeys.conftest import Site

pytestmark = pytest.mark.browser

NAME = "Wren Applethwaite"
#: what lies under the words, told by its own words and its place
MARKED = """() => [...document.querySelectorAll("#text")].flatMap((field) => {
    const box = field.parentElement.querySelector(".marks");
    return [...box.querySelectorAll("mark")].map((mark) => mark.textContent);
})"""
CHOSEN = "() => { const f = document.activeElement; return f.value?.slice(f.selectionStart, f.selectionEnd); }"


def begin(site: Site, page: Page) -> None:
    site.sign_in(page.context, Role.AUTHOR)
    page.goto(f"{site.url}/posts/new")
    expect(page.locator(".live-calm").first).to_have_text("What is found in your words is shown here.")


def test_a_name_is_marked_told_and_replaced_and_the_key_for_undo_brings_it_back(site: Site, page: Page) -> None:
    begin(site, page)
    field, lines = page.get_by_label("Text", exact=True), page.locator(".live-finding")
    field.press_sequentially(f"🎂🎂 Well done {NAME}")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("Must be changed")
    expect(lines).to_contain_text("is a pupil's name")
    expect(page.locator("#live-spoken")).to_have_text("1 finding in your words.")
    assert page.evaluate(MARKED) == [NAME]

    field.press("Home")
    page.keyboard.type("New: ")  # the mark goes along with its words, before any answer
    assert page.evaluate(MARKED) == [NAME]
    lines.get_by_role("button", name="Show").press("Enter")
    assert page.evaluate(CHOSEN) == NAME

    lines.get_by_role("button", name="Use this wording").press("Enter")
    expect(field).to_have_value("New: 🎂🎂 Well done to a pupil in our school")
    expect(lines).to_have_count(0)
    expect(page.locator(".live-calm").first).to_have_text("Nothing found so far.")
    expect(page.locator("#live-spoken")).to_have_text("Nothing is found in your words any more.")
    assert page.evaluate(MARKED) == []
    page.keyboard.press("Control+z")
    expect(field).to_have_value(f"New: 🎂🎂 Well done {NAME}")
    expect(lines).to_have_count(1)

    page.route("**/posts/words", lambda route: route.abort())
    page.keyboard.press("End")
    page.keyboard.type(" now")
    expect(page.locator("#live-away")).to_contain_text("your post will be checked when you send it")
    expect(field).to_have_value(f"New: 🎂🎂 Well done {NAME} now")
    expect(lines).to_have_count(1)  # what was found keeps its place
    page.unroute("**/posts/words")
    page.keyboard.type("!")
    expect(page.locator("#live-away")).to_have_text("")


def test_words_for_one_channel_alone_are_counted_marked_and_given_up_again(site: Site, page: Page) -> None:
    begin(site, page)
    page.get_by_label("Text", exact=True).fill("Our harvest table is full.")
    part = page.locator(f"#own-words-{site.school.accounts['x']}")
    expect(part).to_be_hidden()  # the channel is not chosen yet
    page.locator(f"#channel-{site.school.accounts['x']}").check()
    part.locator("summary").press("Enter")
    own = part.get_by_role("textbox")
    own.press_sequentially(f"{NAME}: a full table! 🎉")
    expect(part.locator("[data-own-count]")).to_contain_text("35 of 280 for X")
    expect(part.locator(".live-finding")).to_contain_text("is a pupil's name")
    expect(page.locator(".live-finding")).to_have_count(1)  # nothing is said of it at the common text
    assert page.evaluate(MARKED) == []
    assert part.locator(".marks mark").all_text_contents() == [NAME]
    expect(page.locator("[data-count-for=x]")).to_be_hidden()
    expect(page.locator(f"[data-sketch='{site.school.accounts['x']}'] .sketch-text")).to_contain_text(
        "a full table! 🎉"
    )
    page.wait_for_url("**/edit")  # saved by itself

    part.get_by_role("button", name="Use the common text").press("Enter")
    expect(own).to_be_hidden()
    expect(part.locator("summary")).to_be_focused()
    expect(page.locator("[data-count-for=x]")).to_be_visible()
    expect(page.locator(".live-finding")).to_have_count(0)
    expect(page.locator(f"[data-sketch='{site.school.accounts['x']}'] .sketch-text")).to_have_text(
        "Our harvest table is full."
    )


LONG = "שלום 👩‍🏫\n" + "Our garden grows and grows. " * 12 + f"\nThanks to {NAME} and Jonty.\nSee https://hill.example"


def test_the_form_with_findings_fits_a_phone_and_is_accessible(site: Site, phone: Page) -> None:
    begin(site, phone)
    phone.locator("input[name=channels]").first.check()
    phone.locator("input[name=channels]").last.check()
    panel = phone.locator(".live").first
    height = panel.evaluate("(box) => box.offsetHeight")
    phone.get_by_label("Text", exact=True).fill(LONG)
    expect(phone.locator(".live-finding")).to_have_count(4)  # a name, a first name, too long for X, what a link costs
    assert panel.evaluate("(box) => box.offsetHeight") == height  # nothing jumps
    assert phone.evaluate(MARKED) == [NAME, "Jonty"]
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    found = Axe().run(phone, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()


def test_the_words_under_the_text_lie_exactly_where_they_are_typed(site: Site, phone: Page) -> None:
    """The same lines break at the same words, also when the text is scrolled, or marks would point elsewhere."""
    begin(site, phone)
    field = phone.get_by_label("Text", exact=True)
    field.fill(LONG + "\n\nThe end.\n")
    sizes = phone.evaluate(
        """() => {
            const field = document.getElementById("text");
            const words = field.parentElement.querySelector(".marks > div");
            field.scrollTop = 60;
            return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done([
                field.scrollHeight, words.scrollHeight, new DOMMatrix(getComputedStyle(words).transform).f,
                field.getBoundingClientRect().top + field.clientTop, words.parentElement.getBoundingClientRect().top]))));
        }"""
    )
    assert sizes[0] == pytest.approx(sizes[1], abs=2)
    assert sizes[2] == -60
    assert sizes[3] == pytest.approx(sizes[4], abs=0.6)


EDITS = [
    ("by Wren A now", "X by Wren A now", ["Wren A"]),
    ("by Wren A now", "by Wren A nowhere", ["Wren A"]),
    ("by Wren A now", "by 🎂 Wren A now", ["Wren A"]),
    ("by Wren A now", "by Wron A now", []),
    ("by Wren A now", "by Wren  A now", []),
    ("by Wren A now", "", []),
]


def test_marks_go_along_with_their_words(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/signin")
    left = page.evaluate(
        """async (edits) => {
            const { moved } = await import("/static/live-marks.js");
            return edits.map(([before, after]) =>
                moved([{ start: 3, end: 9 }], before, after).map(({ start, end }) => after.slice(start, end)));
        }""",
        EDITS,
    )
    assert left == [words for _, _, words in EDITS]
