"""Somebody goes round the gate: within one reading it stands before the headteacher, and one press takes it down."""

import base64
import io
import time
from dataclasses import replace

import pytest
from PIL import Image
from playwright.sync_api import Page
from sqlalchemy import select

from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelAccount, Publication
from gatekeeper.posts.public import Takedown
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import watch
from tests.factories import watching
from tests.factories.school import channels_of
from tests.journeys.conftest import Site
from tests.journeys.test_accessibility import check, follow

pytestmark = pytest.mark.browser


def test_what_goes_round_the_gate_is_seen_and_taken_down(site: Site, phone: Page) -> None:
    school = site.school
    account, clock = school.accounts["facebook"], school.services.clock
    with Simulator() as simulator:
        services = replace(school.services, channel_for=channels_of(simulator, clock))

        def outside(text: str, **order: object) -> str:
            with simulator.state.changing():
                return str(simulator.control.external_post({"kind": "facebook", "text": text, **order})["id"])

        outside("There before")
        time.sleep(1)  # Facebook tells whole seconds; what has the watch's own is not "before"
        ours = outside("Our harvest table is full. Thank you to every family!")
        (publication,) = school.approve(school.post(kinds=("facebook",)))
        with services.db.begin() as session:
            session.get_one(ChannelAccount, account).sealed = "keys"
            row = session.get_one(Publication, publication)
            row.state, row.remote_id, row.published_at = PublicationState.PUBLISHED, ours, clock.now()
        watch.order_due(services)
        watch.read(services, account)
        file = io.BytesIO()
        Image.new("RGB", (320, 200), "seagreen").save(file, "JPEG")
        outside("Cake sale! 🎂", images=[base64.b64encode(file.getvalue()).decode()])
        with simulator.state.changing():
            simulator.control.edit_post({"id": ours, "text": "Our harvest table is empty."})
        watch.read(services, account)

        site.sign_in(phone.context, Role.HEADTEACHER)
        phone.goto(f"{site.url}/watch")
        assert phone.get_by_text("older post was there before").is_visible()
        check(phone)
        follow(phone, phone.get_by_role("link", name="Changed", exact=True))
        assert phone.get_by_text("As it was approved").is_visible()
        check(phone)
        phone.set_viewport_size({"width": 1280, "height": 800})
        phone.emulate_media(color_scheme="dark")
        check(phone)
        phone.goto(f"{site.url}/watch")
        phone.get_by_role("link", name="Not through Gatekeeper").click()
        copy = phone.get_by_role("img", name="Picture 1 of the post as it was found")
        assert copy.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320
        phone.get_by_role("button", name="It is all right").click()  # without a reason
        assert phone.get_by_text("Please say why this is all right").first.is_visible()
        phone.get_by_role("button", name="Take it down").click()
        assert phone.get_by_text("Ordered; the platform is asked until it is gone").is_visible()
        with services.db.read() as session:
            removal = session.scalars(select(Takedown.id)).one()
        watching.removed(services, removal)
        watch.read(services, account)
        phone.reload()
        assert phone.get_by_text("“It was taken down.”").is_visible()
        assert [post.text for post in simulator.posts("facebook")] == ["There before", "Our harvest table is empty."]
