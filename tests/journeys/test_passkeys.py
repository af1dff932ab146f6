"""Passkeys in a real browser, with Chromium's virtual authenticator: made, used, cancelled, and done without."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Page, expect
from sqlalchemy import select

from approvals.assertions import check_assertion
from approvals.tables import Decision
from gatekeeper.people.staff import Role
from gatekeeper.posts.status import PostState
from tests.factories.school import PIN
from tests.journeys.conftest import Site
from tests.journeys.test_accessibility import check, follow
from tests.journeys.test_decision_pages import link_to

pytestmark = pytest.mark.browser


class Device:
    """The virtual authenticator of one page: by default it checks who it is and answers at once."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        self._id: str = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def set_verified(self, *, verified: bool) -> None:
        """Whether a finger is recognised from now on; when not, the browser tells the page that it was cancelled."""
        self._send("WebAuthn.setUserVerified", isUserVerified=verified)

    def _send(self, what: str, **more: Any) -> None:
        self._session.send(what, {"authenticatorId": self._id, **more})


@pytest.fixture
def head(site: Site, phone: Page) -> tuple[Page, Device]:
    """The head's telephone, signed in, with a passkey that stands beside the PIN."""
    site.sign_in(phone.context, Role.HEADTEACHER)
    device = Device(phone.context.new_cdp_session(phone))
    phone.goto(f"{site.url}/account/proofs/passkey")
    phone.get_by_label("What you call it").fill("My telephone")
    phone.get_by_label("Your PIN").fill(PIN)
    phone.get_by_role("button", name="Make the passkey").click()
    expect(phone.get_by_text("Your passkey is added.")).to_be_visible()
    return phone, device


def fill_in(page: Page) -> None:
    page.get_by_role("link", name="Approve").first.click()
    page.get_by_label("In your words").fill("I approve this post as shown.")
    page.get_by_label("Your name").fill("Head Quarry")


def decision(site: Site) -> Decision:
    with site.school.services.db.read() as session:
        return session.scalars(select(Decision)).one()


def cancelled(page: Page) -> None:
    """The dialog says, beside the button, that it was cancelled, and the PIN is offered."""
    said = page.locator("[data-passkey-said]")
    expect(said).to_contain_text("Your passkey was not used")
    expect(said).to_contain_text("or use your PIN")
    expect(page.get_by_label("Your PIN")).to_be_visible()


def test_a_passkey_opens_the_post_and_signs_exactly_what_is_approved(site: Site, head: tuple[Page, Device]) -> None:
    page, _ = head
    post_id = site.school.post(photos=1, pupils=("Wren",))
    page.goto(link_to(site, post_id))
    page.get_by_role("button", name="Show me the post, by passkey").click()
    expect(page.get_by_text("This would be public")).to_be_visible()
    fill_in(page)
    page.get_by_role("button", name="Approve this post").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("recorded|approved", re.IGNORECASE))
    made = decision(site)
    assert (made.proof_method, site.school.state(post_id)) == ("passkey", PostState.SCHEDULED)
    assert made.assertion is not None
    assert check_assertion(made.assertion, made.digest)
    assert not check_assertion(made.assertion, "ab" * 32)


def test_refusing_needs_no_signature(site: Site, head: tuple[Page, Device]) -> None:
    page, _ = head
    post_id = site.school.post()
    page.goto(link_to(site, post_id))
    page.get_by_role("button", name="Show me the post, by passkey").click()
    page.get_by_role("link", name="Refuse").first.click()
    page.get_by_label("In your words").fill("Not this week, please.")
    page.get_by_label("Your name").fill("Head Quarry")
    page.get_by_role("button", name="Refuse this post").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("recorded|refused", re.IGNORECASE))
    assert (decision(site).assertion, site.school.state(post_id)) == (None, PostState.REFUSED)


def test_a_cancelled_dialog_says_so_keeps_what_was_typed_and_offers_the_pin(
    site: Site, head: tuple[Page, Device]
) -> None:
    page, device = head
    post_id = site.school.post()
    page.goto(link_to(site, post_id))
    device.set_verified(verified=False)
    page.get_by_role("button", name="Show me the post, by passkey").click()
    cancelled(page)
    check(page)
    device.set_verified(verified=True)
    page.get_by_role("button", name="Show me the post, by passkey").click()
    fill_in(page)
    device.set_verified(verified=False)
    page.get_by_role("button", name="Approve this post").click()
    cancelled(page)
    check(page)
    assert site.school.state(post_id) == PostState.WAITING
    page.get_by_label("Your PIN").fill(PIN)
    page.get_by_role("button", name="Go on with my PIN").click()
    expect(page.get_by_label("In your words")).to_have_value("I approve this post as shown.")
    page.get_by_role("button", name="Approve this post").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("recorded|approved", re.IGNORECASE))
    assert (decision(site).proof_method, decision(site).assertion) == ("pin", None)


def test_the_pin_still_opens_the_post_for_who_has_a_passkey(site: Site, head: tuple[Page, Device]) -> None:
    page, _ = head
    page.goto(link_to(site, site.school.post()))
    page.get_by_text("Use your PIN instead").click()
    page.get_by_label("Your PIN").fill(PIN)
    page.get_by_role("button", name="Show me the post", exact=True).click()
    expect(page.get_by_text("This would be public")).to_be_visible()


def test_a_passkey_changes_proofs_and_the_pin_is_given_up(site: Site, head: tuple[Page, Device]) -> None:
    page, _ = head
    page.goto(f"{site.url}/account/proofs")
    expect(page.get_by_text("My telephone").first).to_be_visible()
    check(page)
    follow(page, page.get_by_role("link", name="End"))
    check(page)
    page.go_back()
    page.get_by_role("link", name="Accept no PIN any more").click()
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_text("Your passkey has answered")).to_be_visible()
    page.get_by_role("button", name="Remove my PIN").click()
    expect(page.get_by_text("Your PIN is removed.")).to_be_visible()
    page.goto(link_to(site, site.school.post()))
    expect(page.get_by_label("Your PIN")).to_have_count(0)
    expect(page.get_by_role("button", name="Show me the post, by passkey")).to_be_visible()


def test_another_address_gets_a_sentence_instead_of_a_browsers_error(site: Site, head: tuple[Page, Device]) -> None:
    page, _ = head
    context: BrowserContext = page.context
    number = site.url.replace("localhost", "127.0.0.1")
    cookie = next(one for one in context.cookies() if one.get("name") == "gatekeeper")
    context.add_cookies([{"name": "gatekeeper", "value": cookie.get("value", ""), "url": number}])
    page.goto(f"{number}/account/proofs/passkey")
    expect(page.get_by_text(f"A passkey works only at {site.url}")).to_be_visible()
    expect(page.get_by_role("button", name="Make the passkey")).to_have_count(0)
