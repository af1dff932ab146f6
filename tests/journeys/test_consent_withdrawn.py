"""A consent is withdrawn: the draft is held, the public posts are listed, and three platforms show them no more."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelAccount, Post, Publication
from gatekeeper.posts.public import Takedown
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import takedown_removal
from tests.factories.school import channels_of
from tests.journeys.conftest import Site
from tests.journeys.test_accessibility import check

pytestmark = pytest.mark.browser

KINDS = ("x", "facebook", "linkedin")


def test_a_withdrawn_consent_holds_the_draft_and_empties_three_platforms(site: Site, phone: Page) -> None:
    school = site.school
    school.open_linkedin()
    with school.services.db.begin() as session:
        school.permit(session, "Wren", "linkedin")
    with Simulator() as simulator:
        services = replace(school.services, channel_for=channels_of(simulator, school.services.clock))
        ids = school.approve(school.post(kinds=KINDS, pupils=("Wren",)))
        with services.db.begin() as session:
            for publication_id, kind in zip(ids, KINDS, strict=True):
                with simulator.state.changing():
                    remote = simulator.control.external_post({"kind": kind, "text": "As approved"})["id"]
                row = session.get_one(Publication, publication_id)
                assert session.get_one(ChannelAccount, row.account_id).kind == kind
                row.state, row.remote_id = PublicationState.PUBLISHED, str(remote)
                row.published_at = services.clock.now()
            session.get_one(Post, 1).state = "published"
        draft = school.post(pupils=("Wren",), text="Sports day", kinds=("x",))
        school.approve(draft)

        site.sign_in(phone.context, Role.CONSENT_LEAD)
        for _ in KINDS:
            phone.goto(f"{site.url}/pupils/{school.pupils['Wren']}")
            phone.get_by_text("Withdraw", exact=True).first.click()
            phone.get_by_role("button", name="Withdraw the permission").first.click()
        expect(phone.get_by_role("heading", name="3 of 3 still public")).to_be_visible()
        face = phone.get_by_role("img", name="A table full of vegetables, picture 1").first
        assert face.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        check(phone)
        phone.locator("summary", has_text="Take down all 3").click()
        phone.get_by_role("button", name="Take down all 3").click()
        expect(phone.locator(".state", has_text="Being taken down")).to_have_count(3)
        with services.db.read() as session:
            numbers = session.scalars(select(Takedown.id).order_by(Takedown.id)).all()
        for number in numbers:
            takedown_removal.carry_out(services, number)
        assert [simulator.posts(kind) for kind in KINDS] == [[], [], []]
        phone.reload()
        expect(phone.get_by_role("heading", name="Done")).to_be_visible()
        phone.get_by_role("link", name="Letter to the family").click()
        assert "was removed from LinkedIn" in phone.get_by_label("The letter about").input_value()
        check(phone)

        site.sign_in(phone.context, Role.AUTHOR)
        phone.goto(f"{site.url}/posts/{draft}")
        assert phone.get_by_text("cannot be used now").first.is_visible()
        assert not phone.get_by_role("button", name="Send to the headteacher").is_enabled()
