"""Asking for changes in a real browser: the head marks words and a face, the author finds them, answers, and sends again."""

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from approvals.tables import Decision
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChangeReply, Photo
from gatekeeper.posts.status import PostState
from tests.factories.school import PIN
from tests.journeys.conftest import Site
from tests.journeys.test_accessibility import check
from tests.journeys.test_decision_pages import link_to

pytestmark = pytest.mark.browser

SELECT = """([selector, words]) => {
  const node = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT).nextNode();
  const at = node.data.indexOf(words);
  getSelection().setBaseAndExtent(node, at, node, at + words.length);
}"""


def open_page(site: Site, page: Page, post_id: int) -> None:
    page.goto(link_to(site, post_id))
    page.get_by_label("Your PIN").fill(PIN)
    page.get_by_role("button", name="Show me the post").click()
    page.locator(".glance").wait_for()


def sign(page: Page) -> None:
    page.get_by_label("Your name, typed as a signature").fill("Head Quarry")


def send_back(page: Page) -> None:
    page.get_by_role("button", name="Send it back for changes").click()


def the_decision(site: Site) -> Decision:
    with site.school.services.db.read() as session:
        return session.scalars(select(Decision)).one()


def test_the_head_marks_the_words_of_one_channel_and_they_are_not_taken_for_the_common_ones(
    site: Site, phone: Page
) -> None:
    post_id = site.school.post(text="👍🏽 Our harvest table is full.", wordings={"x": "A full harvest table!"})
    open_page(site, phone, post_id)
    phone.evaluate(SELECT, [".sketch-text", "harvest table"])  # the preview for X stands first
    phone.get_by_role("button", name="Mark these words").click()
    phone.keyboard.type("Say autumn.")
    expect(phone.locator(".remark-place").first).to_contain_text("Words for X")
    sign(phone)
    send_back(phone)
    phone.get_by_text("Your decision is recorded").wait_for()
    account = site.school.accounts["x"]
    assert the_decision(site).marks == [{"where": f"wording:x:{account}:7-20", "words": "Say autumn."}]
    phone.context.clear_cookies()
    site.sign_in(phone.context, Role.AUTHOR)
    phone.goto(f"{site.url}/posts/{post_id}")
    expect(phone.locator("#asked mark").first).to_contain_text("harvest table")
    phone.get_by_role("link", name="Go to the words").click()
    expect(phone.locator(f"#wording_{account}")).to_be_in_viewport()


def test_the_head_marks_words_and_a_face_and_the_author_finds_both(site: Site, phone: Page) -> None:
    post_id = site.school.post(photos=1, pupils=("Wren",), text="👍🏽 Our harvest table is full. Thank you!")
    with site.school.services.db.begin() as session:
        photo = session.scalars(select(Photo)).one()
        photo.preview_sha256 = photo.rendition_sha256
    open_page(site, phone, post_id)
    phone.evaluate(SELECT, [".sketch-text", "harvest table"])
    phone.get_by_role("button", name="Mark these words").click()
    expect(phone.get_by_label("What should change here?")).to_be_focused()
    phone.keyboard.type("Say autumn.")
    phone.get_by_role("button", name="Mark face 1 in photo 1").click()
    phone.keyboard.type("Cover her, please.")
    expect(phone.locator("a.shape.lit")).to_have_count(1)
    check(phone)
    send_back(phone)
    expect(phone.get_by_role("alert")).to_contain_text("name")  # nothing is lost by what is missing
    assert phone.get_by_label("What should change here?").first.input_value() == "Say autumn."
    sign(phone)
    send_back(phone)
    phone.get_by_text("Your decision is recorded").wait_for()
    assert the_decision(site).marks == [
        {"where": "text:7-20", "words": "Say autumn."},
        {"where": "photo:1:face:1", "words": "Cover her, please."},
    ]
    phone.context.clear_cookies()
    site.sign_in(phone.context, Role.AUTHOR)
    phone.goto(f"{site.url}/posts/{post_id}")
    asked = phone.locator("#asked")
    expect(asked.locator("mark").first).to_contain_text("harvest table")
    expect(asked.get_by_role("img", name="Face 1, mark 2")).to_be_visible()
    asked.get_by_label("Your answer").first.fill("It says autumn now.")
    asked.get_by_role("button", name="Keep my answers").click()
    phone.get_by_text("Your answers are kept.").wait_for()
    assert phone.locator("#asked").get_by_label("Your answer").first.input_value() == "It says autumn now."
    phone.locator("#asked").get_by_role("link", name="Go to the text").click()
    phone.wait_for_url(f"**/posts/{post_id}/edit#text")
    phone.locator("#asked").get_by_label("Your answer").nth(1).fill("She is covered.")
    phone.get_by_label("Text", exact=True).fill("👍🏽 Our autumn table is full. Thank you!")
    phone.get_by_role("button", name="Save draft").click()
    phone.get_by_text("The draft is saved.").wait_for()
    with site.school.services.db.read() as session:
        replies = {reply.mark: reply.words for reply in session.scalars(select(ChangeReply))}
    assert replies == {1: "It says autumn now.", 2: "She is covered."}
    phone.goto(f"{site.url}/posts/{post_id}/versions")
    expect(phone.locator(".diff del").first).to_contain_text("harvest")
    expect(phone.locator(".diff ins").first).to_contain_text("autumn")


def test_a_mark_can_be_taken_away_and_put_back(site: Site, phone: Page) -> None:
    post_id = site.school.post(photos=1)
    open_page(site, phone, post_id)
    phone.get_by_role("button", name="Mark photo 1").click()
    phone.keyboard.type("Crop it, please.")
    phone.get_by_role("button", name="Take this mark away").click()
    phone.get_by_role("button", name="Undo").click()
    assert phone.get_by_label("What should change here?").input_value() == "Crop it, please."
    phone.get_by_label("A place from this list").select_option("Time")
    phone.get_by_role("button", name="Mark it").click()
    phone.keyboard.type("Earlier, please.")
    phone.get_by_label("A place from this list").select_option("Text")
    phone.get_by_label("leave it empty").fill("no such words")
    phone.get_by_label("leave it empty").press("Enter")
    phone.get_by_text("These words are not there.").wait_for()
    phone.get_by_label("leave it empty").fill("thank  YOU")
    phone.get_by_role("button", name="Mark it").click()
    phone.keyboard.type("Thank the cooks, too.")
    phone.get_by_role("button", name="Take this mark away").first.click()
    sign(phone)
    send_back(phone)
    phone.get_by_text("Your decision is recorded").wait_for()
    assert the_decision(site).marks == [
        {"where": "time", "words": "Earlier, please."},
        {"where": "text:27-36", "words": "Thank the cooks, too."},
    ]


def test_a_place_is_chosen_from_a_list_without_a_script(site: Site, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    plain = context.new_page()
    post_id = site.school.post(photos=1, pupils=("Wren",))
    open_page(site, plain, post_id)
    plain.get_by_role("link", name="Ask for changes").click()
    plain.locator(".remark-blank").first.get_by_label("A place in the post").select_option("Text")
    plain.locator(".remark-blank").first.get_by_label("Which words there").fill("harvest tables")
    plain.locator(".remark-blank").first.get_by_label("What should change there?").fill("Say autumn.")
    sign(plain)
    send_back(plain)
    plain.get_by_role("alert").get_by_role("link", name="These words are not there.").wait_for()
    assert plain.locator(".remark-blank").first.get_by_label("What should change there?").input_value() == "Say autumn."
    plain.locator(".remark-blank").first.get_by_label("Which words there").fill("harvest table")
    send_back(plain)
    plain.get_by_text("Your decision is recorded").wait_for()
    assert the_decision(site).marks == [{"where": "text:4-17", "words": "Say autumn."}]
    assert site.school.state(post_id) == PostState.CHANGES
    context.close()
