"""The form of a post in a real browser: nothing typed is lost, photos come in every way, and no script is needed."""

import base64
import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, JSHandle, Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Face, Photo, Post
from gatekeeper.posts.status import PostState
from gatekeeper.text.weight import x_weight
from tests.factories.pictures import saved, scene
from tests.journeys.conftest import Site
from tests.journeys.test_accessibility import open_post

pytestmark = pytest.mark.browser

TEXT = "Our harvest table is full. Thank you to every family!"
ALT = "A table full of vegetables"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A photo on the author's disk."""
    path = tmp_path / "harvest.jpg"
    path.write_bytes(saved(scene(640, 480), "JPEG"))
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Six photos, no two alike: the same photo is taken into a post only once."""
    paths = [tmp_path / f"harvest-{number}.jpg" for number in range(6)]
    for number, path in enumerate(paths):
        path.write_bytes(saved(scene(400 + 20 * number, 300), "JPEG"))
    return paths


@pytest.fixture
def not_a_picture(tmp_path: Path) -> Path:
    path = tmp_path / "notes.jpg"
    path.write_text("Bring wellingtons on Friday.")
    return path


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A phone's browser in which no script runs."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, locale="en-GB", timezone_id="Europe/London", java_script_enabled=False
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def begin(site: Site, page: Page) -> None:
    site.sign_in(page.context, Role.AUTHOR)
    page.goto(f"{site.url}/posts/new")


def is_saved(page: Page) -> None:
    expect(page.locator("#save-state")).to_contain_text(re.compile(r"Saved at \d\d:\d\d"))


def newest(site: Site) -> Post:
    with site.school.services.db.read() as session:
        post = session.scalars(select(Post).order_by(Post.id.desc())).first()
        assert post is not None
        return post


def photos_of(site: Site) -> list[Photo]:
    with site.school.services.db.read() as session:
        return list(session.scalars(select(Photo).order_by(Photo.post_id, Photo.position)))


def handed(page: Page, path: Path, *, kind: str = "image/jpeg") -> JSHandle:
    """A DataTransfer that holds a real file, as the system's file manager or clipboard hands one over."""
    return page.evaluate_handle(
        """([name, kind, content]) => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type: kind }));
            return transfer;
        }""",
        [path.name, kind, base64.b64encode(path.read_bytes()).decode()],
    )


def drop(page: Page, path: Path) -> None:
    transfer = handed(page, path)
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("#add-photo", event, {"dataTransfer": transfer})


def paste(page: Page, path: Path) -> None:
    page.evaluate(
        """(transfer) => document.getElementById("text").dispatchEvent(
            new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }))""",
        handed(page, path),
    )


def thumbnail(page: Page, number: int = 1) -> Locator:
    """The photo's card once its picture is really drawn."""
    card = page.locator(".photo-card").nth(number - 1)
    expect(card).to_be_visible()
    page.wait_for_function(
        "(n) => document.querySelectorAll('.photo-card img')[n]?.naturalWidth > 0", arg=number - 1, timeout=15_000
    )
    return card


def last_sunday(month: int) -> datetime:
    """The next night on which the clocks change in this month."""
    today = london(datetime.now(UTC)).date()
    for year in (today.year, today.year + 1):
        day = datetime(year, month, 31)
        day -= timedelta(days=(day.weekday() + 1) % 7)
        if day.date() > today:
            return day
    raise AssertionError(month)


def fill_words(page: Page) -> None:
    page.get_by_label("Title").fill("Harvest")
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.locator("input[name=channels]").first.check()


def test_autosave_keeps_what_was_typed_over_a_reload(site: Site, page: Page) -> None:
    begin(site, page)
    fill_words(page)
    page.get_by_label("Day").fill("2026-12-24")
    is_saved(page)
    assert re.search(r"/posts/\d+/edit$", page.url)
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Harvest")
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    expect(page.get_by_label("Day")).to_have_value("2026-12-24")
    expect(page.locator("input[name=channels]").first).to_be_checked()
    page.get_by_label("Title").fill("Harvest, again")
    is_saved(page)
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Harvest, again")


def arrives(site: Site, look: Callable[[Session], object]) -> None:
    """Wait for what a page sent while it was left: nobody says when it has come."""
    deadline = time.monotonic() + 10
    found: object = None
    while not found:
        assert time.monotonic() < deadline, "what was typed never came"
        time.sleep(0.05)
        with site.school.services.db.read() as session:
            found = look(session)


def test_what_was_typed_just_before_leaving_is_kept(site: Site, page: Page) -> None:
    """The page is left before the form would have saved by itself."""
    begin(site, page)
    page.get_by_label("Title").fill("Typed and gone")
    page.goto(f"{site.url}/help")
    arrives(site, lambda session: session.scalar(select(Post.id).where(Post.title == "Typed and gone")))
    page.goto(f"{site.url}/")
    expect(page.get_by_text("Typed and gone")).to_be_visible()
    page.get_by_text("Typed and gone").click()
    page.goto(f"{site.url}/posts/{newest(site).id}/edit")
    page.get_by_label("Text", exact=True).fill("And this too")
    page.goto(f"{site.url}/help")
    arrives(site, lambda session: session.scalar(select(Post.id).where(Post.text == "And this too")))
    page.goto(f"{site.url}/posts/{newest(site).id}/edit")
    expect(page.get_by_label("Text", exact=True)).to_have_value("And this too")


def test_somebody_signed_out_meanwhile_reads_so_and_keeps_the_text(site: Site, page: Page) -> None:
    begin(site, page)
    page.get_by_label("Title").fill("Harvest")
    is_saved(page)
    page.context.clear_cookies()
    page.get_by_label("Text", exact=True).fill(TEXT)
    expect(page.locator("#save-state")).to_contain_text("no longer signed in")
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    site.sign_in(page.context, Role.AUTHOR)  # in another tab
    page.get_by_label("Text", exact=True).press("End")
    page.keyboard.type(" All of you!")
    is_saved(page)
    assert newest(site).text == f"{TEXT} All of you!"


COUNTED = [
    "",
    "Plain words, nothing more.",
    "“Quoted” – with dashes… and ½ a café",
    "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁷󠁬󠁳󠁿 🇬🇧 1️⃣ ☺ ☺️ ❤️ ✍🏽",
    "See https://www.example.org/a/very/long/way?to=somewhere&and=back, or example.org.",
    "Look (at school.example/page)! Not me@school.example, nor v1.2.3.",
    "https://hillside.example/a-long-way/to/the/harvest?and=back#now, www.hillside.sch.uk! http://a.b.test:8080/x|y&",
    "(hillside.school) hillside.schools hi.uk/ñandú/жук 🎃hillside.org $hillside.org -hillside.org x_hillside.org/q",
    "👍🏽 👩🏾‍🏫 👨‍❤️‍💋‍👨 🧑‍🤝‍🧑 🏳️‍🌈 🏴‍☠️ 🐕‍🦺 ❤️‍🔥 👁️‍🗨️ 🏋️‍♀️ 🤼‍♂️ ©️ ™ ® ☀ ☀️ ㊗️",
    "🇬🇧🇫🇷🇽🇽🇬 #️⃣ 7️⃣ 12 ½ Ⅷ ٣ ℹ️ \u200d \u20dd \ufe0f 🏿 🏴󠁧󠁢󠁳󠁣󠁴󠁿🏴󠁧󠁢󠁿",
    "日本語 한국어 العربية עברית",
    "e\u0301cole\nand a\nsecond line",
    "Wörter " * 60,
    "𝓕𝓪𝓷𝓬𝔂 and 🎉" * 20,
]


PIECES = [
    *"aéſßı日1½²Ⅷ٣#©ℹ☀❤♀♂ \n./:?@$-_()&|~’🎃🏽🏿👩👨🧑👦🏴🏫💋🤝🇬🇧🇫🇷🇽\ufe0f\u200d\u20e3\u0301\u00a0",
    "http://", "HTTPS://", "www", "school", ".co.uk", ".com", ".museum", ".example", ".ſch", "x.io", "İ.com", "ä.de", ":80",
    "\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
]  # fmt: skip


def test_the_live_count_is_the_servers(site: Site, page: Page) -> None:
    begin(site, page)
    field, over = page.get_by_label("Text", exact=True), page.locator("[data-count-for=x] [data-over]")
    for text in COUNTED:
        field.fill(text)
        shown = {
            kind: page.locator(f"[data-count-for={kind}] [data-number]").text_content() for kind in ("x", "facebook")
        }  # at once, before the server says its own
        assert shown == {"x": f"{x_weight(text):,}", "facebook": f"{len(text):,}"}, text
        expect(over).to_be_visible(visible=x_weight(text) > 280)
    is_saved(page)
    page.reload()
    expect(page.locator("[data-count-for=x] [data-number]")).to_have_text(f"{x_weight(COUNTED[-1]):,}")
    expect(over).to_be_visible()


def test_the_counter_agrees_with_the_server_about_any_jumble(site: Site, page: Page) -> None:
    """Pieces that begin, join and end addresses and emoji, in every order; the seed is fixed."""
    begin(site, page)
    dice = random.Random(7)
    texts = ["".join(dice.choices(PIECES, k=dice.randint(1, 14))) for _ in range(4_000)]
    counted = page.evaluate(
        """async (texts) => {
            const { counter } = await import("/static/post-form-count.js");
            return texts.map(counter(JSON.parse(document.getElementById("post-form").dataset.weights)));
        }""",
        texts,
    )
    assert [(text, said) for text, said in zip(texts, counted, strict=True) if said != x_weight(text)] == []


def test_a_photo_from_the_file_chooser_appears_as_a_thumbnail(site: Site, page: Page, picture: Path) -> None:
    begin(site, page)
    page.get_by_label("Title").fill("Harvest")
    page.get_by_label("Add a photo").set_input_files(picture)
    card = thumbnail(page)
    expect(card.get_by_role("heading")).to_contain_text("harvest.jpg")
    assert newest(site).title == "Harvest"  # saved first
    card.get_by_label("Describe photo 1 in words").fill(ALT)
    is_saved(page)
    page.reload()
    expect(thumbnail(page).get_by_label("Describe photo 1 in words")).to_have_value(ALT)


def test_photos_come_by_drag_and_by_paste(site: Site, page: Page, pictures: list[Path]) -> None:
    begin(site, page)
    fill_words(page)
    drop(page, pictures[0])
    thumbnail(page, 1)
    paste(page, pictures[1])
    thumbnail(page, 2)
    assert len(photos_of(site)) == 2
    expect(page.locator("[data-sketch-photos]:visible img")).to_have_count(2)
    expect(page.get_by_label("Title")).to_have_value("Harvest")


def test_pasting_words_stays_pasting_words(site: Site, page: Page) -> None:
    begin(site, page)
    kept = page.evaluate(
        """() => {
            const words = new DataTransfer();
            words.setData("text/plain", "hello");
            const event = new ClipboardEvent("paste", { clipboardData: words, bubbles: true, cancelable: true });
            document.getElementById("text").dispatchEvent(event);
            return !event.defaultPrevented;
        }"""
    )
    assert kept
    assert page.locator(".upload").count() == 0


def choose(page: Page, path: Path) -> None:
    page.get_by_label("Add a photo").set_input_files(path)


def test_a_refused_file_says_why_and_everything_typed_stays(
    site: Site, page: Page, picture: Path, not_a_picture: Path
) -> None:
    begin(site, page)
    fill_words(page)
    choose(page, picture)
    thumbnail(page).get_by_label("Describe photo 1 in words").fill(ALT)
    for way in (choose, drop, paste):
        way(page, not_a_picture)
        told = page.get_by_role("alert")
        expect(told).to_contain_text("notes.jpg: This is a text file, not a picture.")
        expect(page.get_by_label("Title")).to_have_value("Harvest")
        expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
        expect(page.get_by_label("Describe photo 1 in words")).to_have_value(ALT)
        assert len(photos_of(site)) == 1
        told.get_by_role("button", name="Dismiss").click()
        expect(told).to_have_count(0)


def test_cannot_add_more_than_four_photos(site: Site, page: Page, pictures: list[Path]) -> None:
    begin(site, page)
    fill_words(page)
    page.get_by_label("Add a photo").set_input_files(pictures[:3])
    thumbnail(page, 3)
    page.get_by_label("Add a photo").set_input_files(pictures[3:5])
    expect(page.get_by_role("alert")).to_contain_text("4 photos at most")
    thumbnail(page, 4)
    expect(page.locator("#add-photo")).to_be_hidden()
    drop(page, pictures[5])
    expect(page.get_by_role("alert")).to_have_count(2)
    assert len(photos_of(site)) == 4
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)


def test_photos_move_and_go_and_the_words_stay_with_them(site: Site, page: Page, pictures: list[Path]) -> None:
    begin(site, page)
    fill_words(page)
    page.get_by_label("Add a photo").set_input_files(pictures[:2])
    thumbnail(page, 2)
    page.get_by_label("Describe photo 1 in words").fill("First")
    page.get_by_label("Describe photo 2 in words").fill("Second")
    page.get_by_role("button", name="Move photo 1 later").click()
    expect(page.get_by_label("Describe photo 1 in words")).to_have_value("Second")
    page.locator("summary", has_text="Remove photo 1").click()
    page.get_by_role("button", name="Take it out").first.click()
    expect(page.get_by_label("Describe photo 1 in words")).to_have_value("First")
    expect(page.locator(".photo-card")).to_have_count(1)
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)


def test_the_doubled_hour_in_october_is_asked_about(site: Site, page: Page) -> None:
    night = last_sunday(10)
    begin(site, page)
    fill_words(page)
    page.get_by_label("Day").fill(f"{night:%Y-%m-%d}")
    page.get_by_label("Time", exact=True).fill("01:30")
    is_saved(page)
    question = page.get_by_role("group", name="Which of the two?")
    if not question.is_visible():  # the first saving made the draft; the next one brings the question
        page.get_by_label("Title").fill("Harvest!")
    expect(question).to_be_visible()
    page.get_by_role("button", name="Send to be checked").click()
    expect(page.locator(".errors-summary")).to_contain_text("comes twice that night")
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    page.get_by_label("The second, after they went back").check()
    page.get_by_role("button", name="Send to be checked").click()
    page.wait_for_url(re.compile(r"/posts/\d+$"))
    post = newest(site)
    assert post.state == PostState.SCANNING
    assert post.due_at == night.replace(hour=1, minute=30, tzinfo=UTC)


def test_the_skipped_hour_in_march_is_refused(site: Site, page: Page) -> None:
    night = last_sunday(3)
    begin(site, page)
    fill_words(page)
    page.get_by_label("Day").fill(f"{night:%Y-%m-%d}")
    page.get_by_label("Time", exact=True).fill("01:30")
    page.get_by_role("button", name="Send to be checked").click()
    expect(page.locator(".errors-summary")).to_contain_text("01:30 does not exist that night")
    field = page.get_by_label("Time", exact=True)
    expect(field).to_have_value("01:30")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    assert newest(site).state == PostState.DRAFT


def test_the_whole_way_without_a_script(site: Site, plain_page: Page, picture: Path, not_a_picture: Path) -> None:
    page = plain_page
    begin(site, page)
    fill_words(page)
    page.get_by_role("button", name="Add this photo").click()
    expect(page.locator(".errors-summary")).to_contain_text("Choose a photo first")
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    page.get_by_label("Title").fill("Harvest festival")
    page.get_by_label("Add a photo").set_input_files(not_a_picture)
    page.get_by_role("button", name="Add this photo").click()
    expect(page.locator(".errors-summary")).to_contain_text("This is a text file, not a picture.")
    expect(page.get_by_label("Title")).to_have_value("Harvest festival")
    page.get_by_label("Title").fill("Harvest table")
    page.get_by_label("Add a photo").set_input_files(picture)
    page.get_by_role("button", name="Add this photo").click()
    expect(page.locator(".photo-card img")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("Harvest table")
    assert newest(site).title == "Harvest table"
    page.get_by_role("button", name="Send to be checked").click()
    expect(page.locator(".errors-summary")).to_contain_text("Describe photo 1 in words")
    page.get_by_label("Describe photo 1 in words").fill(ALT)
    page.get_by_role("group", name="Who is in photo 1?").get_by_label("Nobody").check()
    tomorrow = london(datetime.now(UTC)) + timedelta(days=1)
    page.get_by_label("Day").fill(f"{tomorrow:%Y-%m-%d}")
    page.get_by_label("Time", exact=True).fill("15:30")
    page.get_by_role("button", name="Send to be checked").click()
    page.wait_for_url(re.compile(r"/posts/\d+$"))
    expect(page.get_by_text("Being checked").first).to_be_visible()
    post, (photo,) = newest(site), photos_of(site)
    assert (post.state, post.text, post.title) == (PostState.SCANNING, TEXT, "Harvest table")
    assert london(post.due_at or post.created_at).replace(tzinfo=None) == tomorrow.replace(
        hour=15, minute=30, second=0, microsecond=0, tzinfo=None
    )
    assert (photo.alt, photo.people) == (ALT, "none")


#: whether the place that holds the focus is under nothing else, such as the bar at the bottom
_IS_SEEN = """() => {
    const here = document.activeElement;
    const box = here.getBoundingClientRect();
    const at = document.elementFromPoint(box.x + Math.min(box.width, 40) / 2, box.y + Math.min(box.height, 30) / 2);
    return here.contains(at);
}"""


class Keys:
    """Somebody who has a keyboard and nothing else."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, selector: str) -> None:
        """Tab on until the field is reached; whatever holds the focus can be seen."""
        for _ in range(90):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("(s) => document.activeElement.matches(s)", selector):
                self.page.wait_for_function(_IS_SEEN, timeout=3_000)  # the page may still be gliding there
                return
        pytest.fail(f"the keyboard never reaches {selector}")

    def type(self, words: str) -> None:
        self.page.keyboard.type(words)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)


def test_the_whole_way_by_keyboard_on_a_narrow_screen(site: Site, phone: Page, picture: Path) -> None:
    phone.on("filechooser", lambda _: None)  # from here on the system's own window stays shut
    begin(site, phone)
    keys = Keys(phone)
    keys.to("#title")
    keys.type("Harvest")
    keys.to("#text")
    keys.type(TEXT)
    keys.to("input[name=channels]")
    keys.press("Space")
    keys.to("#photo")
    with phone.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files(picture)
    thumbnail(phone)
    phone.locator("#title").focus()  # the chooser is the system's own; the way goes on from the top
    keys.to("textarea[name^=alt_]")
    keys.type(ALT)
    keys.to("input[name^=people_]")
    keys.press("Space")
    tomorrow = london(datetime.now(UTC)) + timedelta(days=1)
    keys.to("#due_date")
    for order in ("%d%m%Y", "%m%d%Y"):  # the field's own order is the computer's
        keys.type(f"{tomorrow:{order}}")
        if phone.locator("#due_date").input_value() == f"{tomorrow:%Y-%m-%d}":
            break
        keys.press("ArrowLeft")
        keys.press("ArrowLeft")
    keys.to("#due_time")
    keys.type("1530")
    keys.to("button[value=submit]")
    keys.press("Enter")
    phone.wait_for_url(re.compile(r"/posts/\d+$"))
    post, (photo,) = newest(site), photos_of(site)
    assert (post.state, post.title, post.text) == (PostState.SCANNING, "Harvest", TEXT)
    assert (photo.alt, photo.people) == (ALT, "none")
    assert post.due_at is not None
    assert f"{london(post.due_at):%Y-%m-%d %H:%M}" == f"{tomorrow:%Y-%m-%d} 15:30"


def faces_of(site: Site, post_id: int) -> list[Face]:
    with site.school.services.db.read() as session:
        return list(session.scalars(select(Face).join(Photo).where(Photo.post_id == post_id).order_by(Face.id)))


def test_n_and_p_go_from_open_face_to_open_face(site: Site, page: Page) -> None:
    post_id = open_post(site.school)
    with site.school.services.db.begin() as session:
        photo = session.scalars(select(Photo).where(Photo.post_id == post_id, Photo.position == 1)).one()
        session.add(Face(photo_id=photo.id, x1=40, y1=60, x2=100, y2=140, score=0.9, source="detector"))
    site.sign_in(page.context, Role.AUTHOR)
    page.goto(f"{site.url}/posts/{post_id}")
    still_open = page.locator("[data-face-panel][data-open]")
    assert still_open.count() == 2
    first, second = (still_open.nth(index).get_attribute("id") for index in (0, 1))

    def here() -> str:
        place: str = page.evaluate("document.activeElement.closest('[data-face-panel]').id")
        return place

    page.locator("[data-face-panel]").first.focus()
    page.keyboard.press("n")
    assert here() == first
    page.keyboard.press("n")
    assert here() == second
    page.keyboard.press("n")
    assert here() == first
    page.keyboard.press("p")
    assert here() == second
    page.keyboard.press("p")
    assert here() == first
    page.keyboard.press("j")
    assert here() == second
    page.keyboard.press("Enter")  # it opens, ready to be typed into
    page.keyboard.type("Penny")  # a name is typed, and the page does not run away
    expect(page.locator(f"#{second}").get_by_label("Pupil's name")).to_have_value("Penny")
    done = page.locator("[data-face-panel]:not([data-open])").last
    done.focus()  # from an answered face the next one on the page follows
    page.keyboard.press("p")
    assert here() == first


def test_a_box_drawn_with_the_mouse_is_a_face(site: Site, page: Page) -> None:
    post_id = open_post(site.school)
    before = len(faces_of(site, post_id))
    site.sign_in(page.context, Role.AUTHOR)
    page.goto(f"{site.url}/posts/{post_id}")
    photo = page.locator("[data-photo]").first
    photo.locator("summary", has_text="Draw a missed face").click()
    photo.get_by_role("button", name="Draw on the photo").click()
    page.wait_for_timeout(200)
    photo.locator("svg.shapes").scroll_into_view_if_needed()
    frame = photo.locator("svg.shapes").bounding_box()
    assert frame is not None
    page.mouse.move(frame["x"] + 0.9 * frame["width"], frame["y"] + 0.9 * frame["height"])
    page.mouse.down()
    page.mouse.move(frame["x"] + 0.5 * frame["width"], frame["y"] + 0.7 * frame["height"], steps=5)
    page.mouse.move(frame["x"] + 0.2 * frame["width"], frame["y"] + 0.4 * frame["height"], steps=5)
    page.mouse.up()
    expect(photo.get_by_label("Left")).to_have_value(re.compile(r"^(19|20)\.\d$"))
    page.keyboard.press("Enter")  # the button has the focus
    page.wait_for_url(re.compile(r"#face-\d+$"))
    faces = faces_of(site, post_id)
    assert len(faces) == before + 1
    drawn = faces[-1]
    assert (drawn.source, drawn.state) == ("hand", "unknown")
    assert [drawn.x1, drawn.y1, drawn.x2, drawn.y2] == pytest.approx([80, 120, 360, 270], abs=3)
    expect(page.locator(f"#face-{drawn.id}")).to_have_attribute("data-open", "")
