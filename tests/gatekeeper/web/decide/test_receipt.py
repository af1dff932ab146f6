"""The receipt: for whom it is, and what it says."""

from flask.testing import FlaskClient

from tests.conftest import ToldClock
from tests.factories.school import School
from tests.gatekeeper.web.decide.asking import Browser, link_to, opened, proved, send


def test_what_was_written_is_shown_to_the_browser_that_decided_and_to_no_other(
    head: FlaskClient, as_role: Browser, school: School, clock: ToldClock
) -> None:
    link = link_to(school, school.post())
    other = as_role(None)
    opened(other, link)
    address = proved(head, link)
    send(head, address, school)
    assert "This post was approved on" in other.get(address).text
    assert "I have read it" not in other.get(address).text
    clock.advance(minutes=10)
    assert "I have read it" not in head.get(address).text
