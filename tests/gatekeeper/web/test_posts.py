"""The form and the page of a post, as a browser without scripts uses them."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage

from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelAccount, Face, Finding, PhotoScan, PictureReading, Post, Publication, Version
from gatekeeper.posts.repository import seal
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import submit
from gatekeeper.workflow.due import TypedDue
from gatekeeper.workflow.services import Services
from tests.factories.approved import approval_of
from tests.factories.pictures import saved, scene

Browser = Callable[[Role | None], FlaskClient]
JPEG = saved(scene(), "JPEG")


@pytest.fixture
def channel(services: Services, people: dict[Role, int]) -> int:
    with services.db.begin() as session:
        account = ChannelAccount(
            kind="x",
            name="@hillside",
            remote_id="42",
            status="open",
            declared_own=True,
            opened_by=people[Role.HEADTEACHER],
            opened_at=services.clock.now(),
            created_by=people[Role.HEADTEACHER],
            created_at=services.clock.now(),
        )
        session.add(account)
        session.flush()
        return account.id


@pytest.fixture
def author(browser: Browser) -> FlaskClient:
    return browser(Role.AUTHOR)


@pytest.fixture
def typed(channel: int) -> dict[str, Any]:
    return {
        "title": "Harvest",
        "text": "Our table is full.",
        "channels": str(channel),
        "due_date": "2026-11-24",
        "due_time": "15:30",
        "window": "120",
    }


@pytest.fixture
def draft(services: Services, people: dict[Role, int], channel: int) -> int:
    edit = submit.DraftEdit(
        title="Harvest", text="Our table is full.", channels=(channel,), due=TypedDue(date="2026-11-24", time="15:30")
    )
    return submit.create_draft(services, people[Role.AUTHOR], edit)


@pytest.fixture
def opened(services: Services, people: dict[Role, int], draft: int) -> dict[str, int]:
    """A post whose check found one face and one claim."""
    photo = submit.add_photo(services, draft, people[Role.AUTHOR], data=JPEG, file_name="hall.jpg")
    with services.db.begin() as session:
        post = session.get_one(Post, draft)
        post.due_at = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
        (one,) = post.photos
        one.alt, one.people, one.scanned_sha256 = "A table", "none", one.original_sha256
        face = Face(x1=20, y1=20, x2=80, y2=90, score=0.9, source="detector")
        one.faces.append(face)
        now, public = services.clock.now(), one.rendition_sha256 or ""
        session.add(PhotoScan(sha256=public, engine="test", faces=[], width=320, height=240, scanned_at=now))
        session.add(PictureReading(sha256=public, engine="test", words=[], codes=[], read_at=now))
        version = seal(session, post, now=services.clock.now())
        words = {"rule": "claim", "clause": "3.3c", "severity": "justify", "field": "text", "message": "A claim."}
        finding = Finding(version_id=version.id, start=0, end=3, quote="Our", **words)
        session.add(finding)
        post.state = PostState.OPEN
        session.flush()
        return {"post": draft, "photo": photo, "face": face.id, "finding": finding.id}


def file(data: bytes = JPEG, name: str = "hall.jpg") -> FileStorage:
    return FileStorage(io.BytesIO(data), filename=name)


def number_of_posts(services: Services) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).select_from(Post)) or 0


def state(services: Services, post_id: int) -> str:
    with services.db.read() as session:
        return session.get_one(Post, post_id).state


def test_an_empty_list_says_what_to_do(author: FlaskClient) -> None:
    page = author.get("/").text
    assert "Write the first post" in page
    assert "Nothing is published before the headteacher has agreed" in page


def test_an_auditor_cannot_write(browser: Browser) -> None:
    assert "Write" not in browser(Role.AUDITOR).get("/").text
    assert browser(Role.AUDITOR).get("/posts/new").status_code == 403


def test_saving_makes_the_draft_and_sending_has_it_checked(
    author: FlaskClient, services: Services, typed: dict[str, Any]
) -> None:
    answer = author.post("/posts/new", data={**typed, "do": "save"})
    assert (answer.status_code, answer.location) == (303, "/posts/1/edit")
    page = author.get("/posts/1/edit").text
    assert "Our table is full." in page
    assert 'value="2026-11-24"' in page
    answer = author.post("/posts/1/edit", data={**typed, "revision": "0", "do": "submit"})
    assert (answer.status_code, answer.location) == (303, "/posts/1")
    assert state(services, 1) == PostState.SCANNING
    assert "Being checked" in author.get("/posts/1").text


def test_sending_an_incomplete_post_keeps_everything_and_ties_each_error_to_its_field(
    author: FlaskClient, services: Services, typed: dict[str, Any]
) -> None:
    sent = author.post("/posts/new", data={**typed, "text": "é" * 300, "due_time": "later", "do": "submit"})
    assert (sent.status_code, sent.location) == (303, "/posts/1/edit")
    answer = author.get(sent.location)
    assert "é" * 300 in answer.text
    assert 'value="later"' in answer.text
    assert 'href="#text"' in answer.text
    assert "20 characters too long for X" in answer.text
    assert re.search(r'id="due_time"[^>]*aria-invalid="true"|aria-invalid="true"[^>]*id="due_time"', answer.text)
    assert 'action="/posts/1/edit"' in answer.text  # it is saved, and the next press changes the same draft
    assert state(services, 1) == PostState.DRAFT
    again = author.get("/posts/1/edit").text  # a reload begins nothing
    assert "é" * 300 in again
    assert "too long for X" not in again.partition('id="post-form"')[0]
    assert number_of_posts(services) == 1


def test_what_was_wrong_with_one_new_post_is_not_said_of_another(
    author: FlaskClient, draft: int, typed: dict[str, Any]
) -> None:
    author.post("/posts/new", data={**typed, "title": "", "do": "submit"})
    assert "Please look at this again" not in author.get(f"/posts/{draft}/edit").text


@pytest.mark.parametrize("action", ["save", "submit", "add-photo", "ask-first", ""])
def test_an_empty_form_begins_no_draft(author: FlaskClient, services: Services, action: str) -> None:
    empty = {"title": " ", "text": "", "window": "120", "due_date": "", "due_time": "", "do": action}
    answer = author.post("/posts/new", data=empty)
    assert answer.status_code == 422
    assert "nothing to keep or to send yet" in answer.text
    assert 'href="#text"' in answer.text
    assert number_of_posts(services) == 0


@pytest.mark.parametrize("one", ["title", "text", "channels", "due_date", "due_time"])
def test_whatever_was_put_into_the_form_begins_a_draft(
    author: FlaskClient, services: Services, typed: dict[str, Any], one: str
) -> None:
    assert author.post("/posts/new", data={one: typed[one]}).status_code == 303
    assert number_of_posts(services) == 1


def test_a_photo_alone_begins_a_draft_with_and_without_a_script(author: FlaskClient, services: Services) -> None:
    assert author.post("/posts/new", data={"photo": file(), "do": "add-photo"}).status_code == 303
    assert author.post("/posts/new", data={"do": "begin"}).location == "/posts/2/edit"
    assert number_of_posts(services) == 2


def test_a_title_too_long_to_keep_is_refused_with_the_form_as_typed(author: FlaskClient, typed: dict[str, Any]) -> None:
    answer = author.post("/posts/new", data={**typed, "title": "x" * 121})
    assert answer.status_code == 422
    assert "x" * 121 in answer.text
    assert "120 characters at most" in answer.text


@pytest.mark.parametrize(
    "nonsense",
    [
        {"channels": "x"},
        {"channels": "999999999999999999999"},
        {"window": "eternity"},
        {"revision": "²"},
        {"revision": "9" * 40},
        {"fold": "third"},
        {"due_date": "\x00", "due_time": "🕒"},
        {"text": "\ud83d\x00"},
        {"do": "remove-99999"},
        {"do": "remove-999999999999999999999999"},
    ],
)
def test_no_nonsense_in_the_form_breaks_it(
    author: FlaskClient, draft: int, typed: dict[str, Any], nonsense: dict[str, Any]
) -> None:
    text = {name: value.encode("utf-8", "surrogatepass") for name, value in {**typed, **nonsense}.items()}
    answer = author.post(f"/posts/{draft}/edit", data=text)
    assert answer.status_code in {303, 404, 409, 422}


def test_add_photo_without_a_script_saves_first(author: FlaskClient, typed: dict[str, Any]) -> None:
    answer = author.post("/posts/new", data={**typed, "text": "Typed before", "photo": file(), "do": "add-photo"})
    assert (answer.status_code, answer.location) == (303, "/posts/1/edit#photos")
    page = author.get("/posts/1/edit").text
    assert "Typed before" in page
    assert 'src="/media/photos/1"' in page
    assert "Describe photo 1 in words" in page


def test_a_refused_photo_keeps_what_was_typed(author: FlaskClient, typed: dict[str, Any]) -> None:
    answer = author.post("/posts/new", data={**typed, "photo": file(b"%PDF-1.7", "a.pdf"), "do": "add-photo"})
    assert (answer.status_code, answer.location) == (303, "/posts/1/edit")
    page = author.get("/posts/1/edit").text
    assert "Our table is full." in page
    assert 'href="#photo"' in page


def test_a_chosen_photo_is_never_forgotten_whatever_button_is_pressed(
    author: FlaskClient, services: Services, draft: int, typed: dict[str, Any]
) -> None:
    author.post(f"/posts/{draft}/edit", data={**typed, "photo": file(), "do": "save"})
    with services.db.read() as session:
        assert len(session.get_one(Post, draft).photos) == 1


def test_add_photo_without_a_photo_says_so(author: FlaskClient, draft: int, typed: dict[str, Any]) -> None:
    answer = author.post(f"/posts/{draft}/edit", data={**typed, "do": "add-photo"})
    assert answer.status_code == 422
    assert "Choose a photo first" in answer.text


def test_autosave_answers_with_the_servers_count(author: FlaskClient, draft: int, typed: dict[str, Any]) -> None:
    told = author.post(f"/posts/{draft}/autosave", data={**typed, "text": "🎃 https://hillside.sch.uk/a-long-way"})
    assert told.json == {"revision": 1, "counts": {"x": 26, "facebook": 36, "linkedin": 36}, "doubled": False}


def test_autosave_cannot_overwrite_another_window(author: FlaskClient, draft: int, typed: dict[str, Any]) -> None:
    assert author.post(f"/posts/{draft}/autosave", data={**typed, "text": "One", "revision": "0"}).status_code == 200
    told = author.post(f"/posts/{draft}/autosave", data={**typed, "text": "Two", "revision": "0"})
    assert told.status_code == 409
    assert "another window" in told.json["error"]  # type: ignore[index]


def test_the_script_gets_a_photos_part_of_the_form(author: FlaskClient, draft: int) -> None:
    told = author.post(f"/posts/{draft}/photos", data={"photo": file(name="<b>.jpg")})
    assert told.status_code == 201
    assert "&lt;b&gt;.jpg" in told.json["card"]  # type: ignore[index]
    again = author.post(f"/posts/{draft}/photos", data={"photo": file()})
    assert again.status_code == 422
    assert again.json == {"error": "This photo is in the post already."}
    assert author.post(f"/posts/{draft}/photos", data={}).status_code == 422


def test_a_post_that_was_sent_is_taken_back_before_it_is_edited(
    author: FlaskClient, services: Services, draft: int, typed: dict[str, Any]
) -> None:
    author.post(f"/posts/{draft}/edit", data={**typed, "do": "submit"})
    assert author.get(f"/posts/{draft}/edit").location == f"/posts/{draft}"
    answer = author.post(f"/posts/{draft}/edit", data={**typed, "text": "A late thought"})
    assert answer.status_code == 409
    assert "A late thought" in answer.text
    assert "Save and take it back" in answer.text
    answer = author.post(f"/posts/{draft}/edit", data={**typed, "text": "A late thought", "take_back": "yes"})
    assert answer.status_code == 303
    assert state(services, draft) == PostState.DRAFT


def test_the_page_shows_boxes_words_and_what_is_left(author: FlaskClient, opened: dict[str, int]) -> None:
    page = author.get(f"/posts/{opened['post']}").text
    assert f'href="#face-{opened["face"]}"' in page
    assert "Face 1 in photo 1: say who this is, or cover it." in page
    assert "<mark>Our" in page
    assert "About 1 covered or turned-away face in 10 is not found" in page
    assert "Lists cannot know everything: you and the headteacher decide." in page
    assert re.search(r"<button[^>]*disabled[^>]*>Send to the headteacher", page)


def test_resolving_without_a_script(author: FlaskClient, services: Services, opened: dict[str, int]) -> None:
    at = f"/posts/{opened['post']}"
    seen = re.search(r'name="seen" value="(\w{16})"', author.get(at).text)
    assert seen
    adult = {"as": "adult", "seen": seen[1]}
    refused = author.post(f"{at}/faces/{opened['face']}/say", data={**adult, "who": "x"})
    assert refused.status_code == 422
    assert 'value="x"' in refused.text
    answer = author.post(f"{at}/faces/{opened['face']}/say", data={**adult, "who": "A visitor, was asked"})
    assert answer.status_code == 303
    about = re.search(r'name="about" value="(\w{16})"', author.get(at).text)
    assert about
    of = {"about": about[1]}
    refused = author.post(f"{at}/findings/{opened['finding']}/reason", data={**of, "reason": "Because"})
    assert refused.status_code == 422
    assert ">Because</textarea>" in refused.text
    unsaid = author.post(f"{at}/findings/{opened['finding']}/reason", data={"reason": "It was counted on the day."})
    assert unsaid.status_code == 409  # a reason for what?
    author.post(f"{at}/findings/{opened['finding']}/reason", data={**of, "reason": "It was counted on the day."})
    page = author.get(at).text
    assert "Ready for the headteacher" in page
    assert author.post(f"{at}/send").status_code == 303
    assert state(services, opened["post"]) == PostState.REQUESTING


def test_sending_with_something_open_says_what(author: FlaskClient, services: Services, opened: dict[str, int]) -> None:
    answer = author.post(f"/posts/{opened['post']}/send")
    assert answer.status_code == 422
    assert "say who this is, or cover it" in answer.text
    assert state(services, opened["post"]) == PostState.OPEN


@pytest.mark.parametrize(
    "box",
    [
        {},
        {"left": "a", "top": "0", "right": "10", "bottom": "10"},
        {"left": "nan", "top": "0", "right": "10", "bottom": "10"},
        {"left": "50", "top": "0", "right": "10", "bottom": "10"},
        {"left": "-1", "top": "0", "right": "10", "bottom": "10"},
        {"left": "0", "top": "0", "right": "inf", "bottom": "10"},
        {"left": "0", "top": "0", "right": "1", "bottom": "1"},
    ],
)
def test_cannot_draw_nonsense(author: FlaskClient, opened: dict[str, int], box: dict[str, str]) -> None:
    answer = author.post(f"/posts/{opened['post']}/photos/{opened['photo']}/box", data={**box, "do": "face"})
    assert answer.status_code == 422
    assert "That did not work" in answer.text


def test_drawing_and_cropping_by_numbers(author: FlaskClient, services: Services, opened: dict[str, int]) -> None:
    at = f"/posts/{opened['post']}/photos/{opened['photo']}"
    corners = {"left": "50", "top": "50%", "right": "75,5", "bottom": "100"}
    assert author.post(f"{at}/box", data={**corners, "do": "face"}).status_code == 303
    with services.db.read() as session:
        drawn = session.get_one(Post, opened["post"]).photos[0].faces[1]
        assert (drawn.x1, drawn.y1, drawn.x2, drawn.y2, drawn.source) == (160, 120, pytest.approx(241.6), 240, "hand")
    assert author.post(f"{at}/box", data={**corners, "left": "0", "do": "crop"}).status_code == 303
    assert state(services, opened["post"]) == PostState.SCANNING


STEPS = (
    "faces/{face}/say",
    "faces/{face}/cover",
    "faces/{face}/undo",
    "faces/{face}/no-face",
    "faces/{face}/remove",
    "cover-all",
    "photos/{photo}/box",
    "photos/{photo}/whole",
    "photos/{photo}/remove",
    "findings/{finding}/reason",
    "findings/{finding}/override",
    "submit",
    "send",
    "withdraw",
    "reopen",
    "use-again",
    "edit",
    "autosave",
    "photos",
)


@pytest.mark.parametrize("role", [Role.LINE_MANAGER, Role.HEADTEACHER, Role.ADMINISTRATOR, Role.CONSENT_LEAD])
def test_cannot_do_anything_to_anothers_post(
    browser: Browser, services: Services, opened: dict[str, int], role: Role
) -> None:
    data = {"as": "adult", "who": "Somebody", "reason": "A reason that is long enough."}
    data |= {"left": "0", "top": "0", "right": "50", "bottom": "50"}
    other = browser(role)
    for step in STEPS:
        answer = other.post(f"/posts/{opened['post']}/{step.format(**opened)}", data={**data, "photo": file()})
        assert answer.status_code in {403, 404}, step
        assert state(services, opened["post"]) == PostState.OPEN, step


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.AUTHOR, True),
        (Role.HEADTEACHER, True),
        (Role.DEPUTY, False),  # while they do not decide about it
        (Role.CONSENT_LEAD, True),
        (Role.ADMINISTRATOR, False),
        (Role.LINE_MANAGER, False),
        (Role.AUDITOR, False),
    ],
)
def test_who_gets_the_photos_themselves(browser: Browser, opened: dict[str, int], role: Role, *, allowed: bool) -> None:
    for address in (f"/media/photos/{opened['photo']}", f"/media/photos/{opened['photo']}/public"):
        answer = browser(role).get(address)
        assert answer.status_code == (200 if allowed else 404)
        if allowed:
            assert answer.mimetype == "image/jpeg"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.data.startswith(b"\xff\xd8")


def test_cannot_get_a_photo_without_signing_in(browser: Browser, opened: dict[str, int]) -> None:
    assert browser(None).get(f"/media/photos/{opened['photo']}").status_code == 303


def test_the_administrators_page_holds_no_words_and_no_photo(browser: Browser, opened: dict[str, int]) -> None:
    page = browser(Role.ADMINISTRATOR).get(f"/posts/{opened['post']}")
    assert page.status_code == 200
    assert "Our table is full." not in page.text
    assert "/media/" not in page.text


def test_progress_tells_a_script_where_the_post_is(author: FlaskClient, opened: dict[str, int]) -> None:
    told = author.get(f"/posts/{opened['post']}/progress").json
    assert told["state"] == "open"  # type: ignore[index]
    assert told["moving"] is False  # type: ignore[index]


def test_a_page_that_is_being_checked_looks_again_without_a_script(
    author: FlaskClient, services: Services, opened: dict[str, int]
) -> None:
    author.post(f"/posts/{opened['post']}/faces/{opened['face']}/cover")
    page = author.get(f"/posts/{opened['post']}")
    assert '<noscript><meta http-equiv="refresh"' in page.text
    assert page.headers["Cache-Control"].startswith("no-store")


def test_no_page_holds_inline_script_or_style(author: FlaskClient, opened: dict[str, int]) -> None:
    for address in ("/", "/posts/new", f"/posts/{opened['post']}", f"/posts/{opened['post']}/edit"):
        page = author.get(address).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page), address


def test_a_person_says_whether_an_uncertain_post_is_there(
    browser: Browser, services: Services, opened: dict[str, int], channel: int, people: dict[Role, int]
) -> None:
    with services.db.begin() as session:
        post = session.get_one(Post, opened["post"])
        post.state = PostState.NEEDS_PERSON
        now = services.clock.now()
        version = session.get_one(Version, post.version_id)
        publication = Publication(
            version_id=post.version_id,
            account_id=channel,
            decision_id=approval_of(session, version, author=post.author_id, head=people[Role.HEADTEACHER], now=now),
            digest=version.digest,
            state="needs_person",
            due_at=now,
            closes_at=now,
            next_at=now,
        )
        session.add(publication)
        session.flush()
        at = f"/posts/{post.id}/publications/{publication.id}/seen"
    office = browser(Role.ADMINISTRATOR)
    assert "I looked, and it is not there" in office.get(f"/posts/{opened['post']}").text
    refused = office.post(at, data={"there": "yes", "link": "I saw it"})
    assert refused.status_code == 422
    assert 'value="I saw it"' in refused.text
    assert office.post(at, data={}).status_code == 422
    assert browser(Role.LINE_MANAGER).post(at, data={"there": "yes"}).status_code in {403, 404}
    assert office.post(at, data={"there": "yes", "link": "https://x.com/hill/status/77"}).status_code == 303
    assert state(services, opened["post"]) == PostState.PUBLISHED


# ---- words for one channel alone ----


def own_words_of(services: Services, post_id: int) -> dict[str, str]:
    with services.db.read() as session:
        return dict(session.get_one(Post, post_id).wordings)


def test_a_channels_own_words_are_kept_with_the_draft_and_shown_again(
    author: FlaskClient, services: Services, typed: dict[str, Any], channel: int
) -> None:
    name = f"wording_{channel}"
    made = author.post("/posts/new", data=typed | {name: "A full table!\r\nThank you."})
    post_id = int(re.findall(r"/posts/(\d+)/edit", made.location)[0])
    assert own_words_of(services, post_id) == {str(channel): "A full table!\nThank you."}
    page = author.get(f"/posts/{post_id}/edit").text
    assert re.search(rf'<details class="own-words-one" id="own-words-{channel}"[^>]* open>', page)
    assert re.search(rf'<textarea[^>]*name="{name}"[^>]*>\s*A full table!\nThank you.</textarea>', page)
    assert re.search(r'<li data-count-for="x" hidden>', page), "the common text does not go to X"
    shown = author.get(f"/posts/{post_id}").text
    assert "Words for X" in shown
    assert "A full table!" in shown


def test_own_words_are_saved_while_typing_and_given_up_by_emptying_them(
    author: FlaskClient, services: Services, draft: int, typed: dict[str, Any], channel: int
) -> None:
    name = f"wording_{channel}"
    told = author.post(f"/posts/{draft}/autosave", data=typed | {name: "A full table!"})
    assert told.status_code == 200
    assert own_words_of(services, draft) == {str(channel): "A full table!"}
    author.post(f"/posts/{draft}/autosave", data=typed)  # a form without the field empties nothing
    assert own_words_of(services, draft) == {str(channel): "A full table!"}
    author.post(f"/posts/{draft}/autosave", data=typed | {name: " \r\n"})
    assert own_words_of(services, draft) == {}


def test_one_button_gives_the_channel_the_common_text_again(
    author: FlaskClient, services: Services, draft: int, typed: dict[str, Any], channel: int
) -> None:
    words = typed | {f"wording_{channel}": "A full table!"}
    author.post(f"/posts/{draft}/edit", data=words)
    assert own_words_of(services, draft) == {str(channel): "A full table!"}
    assert author.post(f"/posts/{draft}/edit", data=words | {"do": f"common-{channel}"}).status_code == 303
    assert own_words_of(services, draft) == {}
    assert author.post(f"/posts/{draft}/edit", data=words | {"do": "common-999"}).status_code == 303
    assert own_words_of(services, draft) == {str(channel): "A full table!"}


def test_own_words_that_are_too_long_are_refused_at_their_field_and_kept(
    author: FlaskClient, services: Services, draft: int, typed: dict[str, Any], channel: int
) -> None:
    long = "Apples. " * 60
    refused = author.post(f"/posts/{draft}/edit", data=typed | {f"wording_{channel}": long, "do": "submit"})
    assert refused.status_code == 422
    assert f'href="#wording_{channel}"' in refused.text
    assert "too long for X" in refused.text
    assert own_words_of(services, draft) == {str(channel): long}
    far = author.post(f"/posts/{draft}/edit", data=typed | {f"wording_{channel}": "a" * 20_001})
    assert far.status_code == 422
    assert "a" * 20_001 in far.text, "what was typed stays in the form"


def test_own_words_of_an_unticked_channel_stay_while_editing_and_are_forgotten_when_it_is_sent(
    author: FlaskClient, services: Services, draft: int, typed: dict[str, Any], channel: int
) -> None:
    with services.db.begin() as session:
        first = session.get_one(ChannelAccount, channel)
        other = ChannelAccount(
            kind="facebook", name="Hillside", remote_id="111", status="open", declared_own=True,
            opened_by=first.opened_by, opened_at=first.opened_at, created_by=first.created_by, created_at=first.created_at,
        )  # fmt: skip
        session.add(other)
        session.flush()
        words = typed | {f"wording_{channel}": "A full table!", "channels": str(other.id)}
    author.post(f"/posts/{draft}/edit", data=words)
    assert own_words_of(services, draft) == {str(channel): "A full table!"}
    author.post(f"/posts/{draft}/edit", data=words | {"do": "submit"})
    with services.db.read() as session:
        post = session.get_one(Post, draft)
        assert (post.state, post.wordings) == (PostState.SCANNING, {})
