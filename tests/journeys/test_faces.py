"""Answering faces in a real browser: by the keyboard alone, and on a phone with a zoomed photo."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Face, Patch, Photo, Post
from gatekeeper.posts.status import FaceState
from tests.journeys.conftest import Site

pytestmark = pytest.mark.browser


def post_with_faces(site: Site, count: int) -> int:
    post_id = site.school.post(photos=1, kinds=("x",))
    with site.school.services.db.begin() as session:
        (photo,) = session.get_one(Post, post_id).photos
        photo.preview_sha256 = photo.rendition_sha256
        for number in range(count):
            x = 40 + 120 * number
            photo.faces.append(Face(x1=x, y1=60, x2=x + 60, y2=140, score=0.9, source="detector"))
    return post_id


def test_two_faces_are_cleared_by_the_keyboard_alone(site: Site, page: Page) -> None:
    post_id = post_with_faces(site, 2)
    site.sign_in(page.context, Role.AUTHOR)
    page.goto(f"{site.url}/posts/{post_id}#photos")
    press = page.keyboard.press
    page.locator("#photos").focus()
    press("n")  # the first face is open already: on through its fields
    expect(page.locator("#face-1 summary")).to_be_focused()
    press("Tab")
    name = page.get_by_label("Pupil's name").first
    expect(name).to_be_focused()
    page.keyboard.type("n")  # a letter in a field is a letter
    expect(name).to_have_value("n")
    for _ in range(2):
        press("Tab")
    expect(page.get_by_label("or a class").first).to_be_focused()
    page.keyboard.type("Heron")
    press("Tab")
    press("Enter")
    expect(page.get_by_role("button", name="Isolde Applethwaite")).to_be_focused()  # names, and no answers
    press("Tab")
    press("Tab")
    expect(page.get_by_role("button", name="Wren Applethwaite")).to_be_focused()
    press("Enter")
    expect(page.get_by_text("May be shown on X.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Yes, that is who it is"))).to_be_focused()
    press("Enter")

    # the next face comes up, opened, and what is left is told
    page.wait_for_url(re.compile("#face-2$"))
    expect(page.locator("#face-2 summary")).to_be_focused()
    expect(page.locator("#left-count")).to_have_text(re.compile("1 of 2 still to answer"))
    page.locator("#face-2").get_by_label("who is this").focus()
    page.keyboard.type("Mr Reid")
    press("Tab")
    press("Enter")
    expect(page.locator("#left-count")).to_contain_text("Every face found is answered")
    with site.school.services.db.read() as session:
        faces = session.execute(select(Face.state, Face.pupil_id, Face.words).order_by(Face.id)).all()
    assert [tuple(face) for face in faces] == [
        (FaceState.PUPIL, site.school.pupils["Wren"], ""),
        (FaceState.STAFF, None, "Mr Reid"),
    ]


def test_a_part_is_covered_on_a_phone_in_a_zoomed_photo(site: Site, phone: Page) -> None:
    post_id = post_with_faces(site, 1)
    site.sign_in(phone.context, Role.AUTHOR)
    phone.goto(f"{site.url}/posts/{post_id}")
    photo = phone.locator("[data-photo]")
    for _ in range(2):
        photo.get_by_role("button", name="Larger").tap()
    expect(photo.get_by_text("200 %")).to_be_visible()
    sheet, picture = photo.locator("svg.shapes").bounding_box(), photo.locator("[data-figure] img").bounding_box()
    assert sheet is not None
    assert picture is not None
    for side in ("x", "y", "width", "height"):
        assert sheet[side] == pytest.approx(picture[side], abs=1)  # what is drawn stays on what it belongs to
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360  # the photo scrolls, the page does not

    photo.locator("summary", has_text="cover a part").tap()
    photo.get_by_role("button", name="Draw on the photo").tap()
    frame = photo.locator("[data-window]")
    frame.evaluate("window => window.scrollTo(0, 0)")
    corner = frame.bounding_box()
    assert corner is not None
    phone.mouse.move(corner["x"] + 20, corner["y"] + 100)
    phone.mouse.down()
    phone.mouse.move(corner["x"] + 150, corner["y"] + 160, steps=4)
    phone.mouse.up()
    photo.get_by_role("button", name="Cover this part").tap()
    expect(phone.get_by_text("Covered part 1, by")).to_be_visible()
    with site.school.services.db.read() as session:
        patch, width = session.scalars(select(Patch)).one(), session.scalars(select(Photo.width)).one()
    scale = width / picture["width"]
    assert [patch.x1, patch.y1] == pytest.approx([20 * scale, 100 * scale], abs=4)
    assert [patch.x2, patch.y2] == pytest.approx([150 * scale, 160 * scale], abs=4)
