from flask.testing import FlaskClient

from gatekeeper.people.staff import Role


def test_signed_out_people_are_sent_to_sign_in(browser) -> None:
    answer = browser(None).post("/signout")
    assert answer.status_code == 303
    assert answer.location == "/signin"


def test_the_sign_in_page_shows(browser) -> None:
    client: FlaskClient = browser(None)
    page = client.get("/signin")
    assert page.status_code == 200
    assert "Sign in" in page.text


def test_signing_out_ends_the_session_in_the_database(browser) -> None:
    client = browser(Role.AUTHOR)
    assert client.post("/signout").location == "/signin"
    assert client.post("/signout").location == "/signin"
    assert "You are signed out" in client.get("/signin").text
