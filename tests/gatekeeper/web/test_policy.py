"""The pages of the policy: reading and confirming it, adopting an edition, chasing, and the cards."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from gatekeeper.mail.model import Notice
from gatekeeper.people.policy_editions import Acknowledgement, PolicyEdition
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Post
from gatekeeper.web.views.policy import rendered
from gatekeeper.workflow.services import Services

Browser = Callable[[Role | None], FlaskClient]
FORM = {
    "label": "2022-03",
    "words": "# Social media\n\nNever name a pupil.",
    "review_on": "01/03/2025",
    "line": "I adopt this policy for our school.",
    "based_on": "0",
}


@pytest.fixture
def adopted(browser: Browser) -> None:
    assert browser(Role.HEADTEACHER).post("/policy/adopt", data=FORM).status_code == 303


def test_who_chose_about_personal_use_stands_apart_from_where(browser: Browser) -> None:
    head, chosen = browser(Role.HEADTEACHER), {"section_two": "2B", "place": "the staff room"}
    assert head.post("/policy/adopt", data={**FORM, **chosen}).status_code == 303
    assert 'the staff room <span class="sub">chosen by ' in head.get("/policy").text


def posts(services: Services) -> list[str]:
    with services.db.read() as session:
        return list(session.scalars(select(Post.text)))


def test_only_the_headteacher_adopts(browser: Browser) -> None:
    for role in set(Role) - {Role.HEADTEACHER}:
        assert browser(role).post("/policy/adopt", data=FORM).status_code == 403


def test_what_was_typed_stays_when_an_edition_cannot_be_adopted(browser: Browser, services: Services) -> None:
    page = browser(Role.HEADTEACHER).post("/policy/adopt", data={**FORM, "section_two": "2B", "line": ""})
    assert page.status_code == 422
    assert "Please name the designated place." in page.text
    assert "Never name a pupil." in page.text
    with services.db.read() as session:
        assert session.scalar(select(func.count(PolicyEdition.id))) == 0


@pytest.mark.usefixtures("adopted")
def test_a_form_that_was_open_too_long_replaces_nothing_unseen(browser: Browser) -> None:
    again = {**FORM, "label": "2026-11", "changes": "New."}
    page = browser(Role.HEADTEACHER).post("/policy/adopt", data=again)
    assert page.status_code == 409
    assert "Another edition was adopted" in page.text
    assert 'name="based_on" type="hidden" value="1"' in page.text


@pytest.mark.usefixtures("adopted")
def test_the_page_says_what_is_not_decided_and_what_is_overdue(browser: Browser) -> None:
    head = browser(Role.HEADTEACHER).get("/policy").text
    assert "Not decided" in head
    assert "was to be looked at again by" in head
    assert "was to be looked at again by" in browser(Role.ADMINISTRATOR).get("/").text
    author = browser(Role.AUTHOR).get("/").text
    assert "was to be looked at again by" not in author
    assert "Please read the school&#39;s social media policy" in author or "Please read the school's" in author


@pytest.mark.usefixtures("adopted")
def test_the_school_page_follows_the_edition(browser: Browser, services: Services) -> None:
    client = browser(Role.ADMINISTRATOR)
    assert 'name="policy_version"' not in client.get("/school").text
    typed = {"name": "Hillside", "colour": "#2f6b4f", "policy_version": "2030-01"}
    assert client.post("/school", data=typed).status_code == 303
    with services.db.read() as session:
        assert school_settings(session)["policy_version"] == "2022-03"


@pytest.mark.usefixtures("adopted")
def test_cannot_write_a_post_before_the_policy_is_read_and_loses_nothing(browser: Browser, services: Services) -> None:
    client = browser(Role.AUTHOR)
    instead = client.get("/posts/new").text
    assert "Never name a pupil." in instead
    assert "I, Author Person, have read it" in instead
    typed = {"text": "Harvest & <thanks>", "channels": ["1", "2"], "do": "save"}
    refused = client.post("/posts/new", data=typed)
    assert refused.status_code == 409
    assert 'name="text" value="Harvest &amp; &lt;thanks&gt;"' in refused.text
    assert refused.text.count('name="channels"') == 2
    assert posts(services) == []
    confirmed = client.post("/posts/new", data={**typed, "edition": "1", "begun": "post"})
    assert confirmed.status_code == 303
    assert posts(services) == ["Harvest & <thanks>"]


@pytest.mark.usefixtures("adopted")
def test_one_button_confirms_it_and_leads_to_the_form(browser: Browser, services: Services) -> None:
    client = browser(Role.AUTHOR)
    assert client.post("/policy/acknowledge", data={"edition": "1", "begun": "post"}).location == "/posts/new"
    assert "Write a post" in client.get("/posts/new").text
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Acknowledgement)) == 2


@pytest.mark.parametrize("edition", ["", "2", "x", "999999999999999999999"], ids=["none", "next", "letters", "huge"])
@pytest.mark.usefixtures("adopted")
def test_cannot_confirm_an_edition_that_does_not_count(browser: Browser, edition: str) -> None:
    assert browser(Role.AUTHOR).post("/policy/acknowledge", data={"edition": edition}).status_code == 409


def test_a_draft_begun_earlier_stays_in_reach_but_is_not_sent(browser: Browser, services: Services) -> None:
    client = browser(Role.AUTHOR)
    client.post("/posts/new", data={"text": "Harvest"})
    browser(Role.HEADTEACHER).post("/policy/adopt", data=FORM)
    assert client.get("/posts/1/edit").status_code == 200
    sent = client.post("/posts/1/edit", data={"text": "Harvest feast", "do": "submit"})
    assert (sent.status_code, sent.location) == (303, "/policy?post=1")
    assert posts(services) == ["Harvest feast"]
    assert "Your draft is kept." in client.get(sent.location).text
    assert client.post("/posts/1/submit").location == "/policy?post=1"
    assert client.post("/posts/1/use-again").location == "/policy?post=1"
    assert client.post("/policy/acknowledge", data={"edition": "1", "post": "1"}).location == "/posts/1"


def test_without_an_edition_nobody_is_asked_and_the_office_is_told(browser: Browser) -> None:
    assert "Write a post" in browser(Role.AUTHOR).get("/posts/new").text
    assert "not in Gatekeeper yet" in browser(Role.HEADTEACHER).get("/").text
    assert "not in Gatekeeper yet" not in browser(Role.AUTHOR).get("/").text


@pytest.mark.usefixtures("adopted")
def test_the_administrator_chases_by_one_button(browser: Browser, services: Services) -> None:
    client = browser(Role.ADMINISTRATOR)
    assert "6 of 7 people have not confirmed it yet." in client.get("/policy/readers").text
    client.post("/policy/remind")
    assert "had an e-mail in the last seven days" in client.get("/policy/readers").text
    client.post("/policy/remind")
    with services.db.read() as session:
        assert session.scalar(select(func.count(Notice.id))) == 6
    assert browser(Role.AUTHOR).post("/policy/remind").status_code == 403


@pytest.mark.usefixtures("adopted")
def test_a_card_is_put_away_on_the_form_and_found_again_on_the_account_page(browser: Browser) -> None:
    client = browser(Role.AUTHOR)
    client.post("/policy/acknowledge", data={"edition": "1"})
    assert "Photograph with a school device" in client.get("/posts/new").text
    away = client.post("/policy/cards/photographs/away", data={"place": "post"})
    assert away.location == "/posts/new"
    assert "Photograph with a school device" not in client.get("/posts/new").text
    account = client.get("/account").text
    assert "Put away (1)" in account
    assert "Photograph with a school device" in account
    back = client.post("/policy/cards/photographs/back", data={"place": "account"})
    assert back.location == "/account#guidance"
    assert "Photograph with a school device" in client.get("/posts/new").text
    assert client.post("/policy/cards/nothing/away").status_code == 400


@pytest.mark.parametrize(
    "words",
    ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://elsewhere.example/x.png)"],
    ids=["html", "script-link", "picture"],
)
def test_the_text_brings_nothing_in_but_words(words: str) -> None:
    html = rendered(words)
    assert not any(part in html for part in ("<script", 'href="javascript', "<img"))


def test_headings_of_the_text_stand_under_those_of_the_page() -> None:
    assert "<h3>Social media</h3>" in rendered("# Social media")
