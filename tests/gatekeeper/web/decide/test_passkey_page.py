"""The decision pages and the Staff page for who has a passkey, through the web client: offers, refusals, nothing written."""

import json

from flask.testing import FlaskClient
from sqlalchemy import select

from approvals import challenges, passkeys
from approvals.assertions import from_base64url
from approvals.tables import Decision
from gatekeeper.people.staff import Role
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.passkey_place import place_of
from gatekeeper.workflow.second_proofs import enrolment
from tests.factories.authenticator import Authenticator
from tests.factories.school import PIN, School
from tests.gatekeeper.web.decide.asking import WORDS, Browser, everything, link_to, opened


def enrolled(school: School) -> Authenticator:
    """A passkey of the head's."""
    services = school.services
    with services.db.begin() as session:
        place = place_of(services, session)
        made = Authenticator(place=place)
        occasion, now = enrolment(school.head), services.clock.now()
        sent = made.enrol(challenges.give(place.key, occasion, now=now))
        passkeys.add(session, sent, occasion, label="Telephone", place=place, now=now)
    return made


def asked(client: FlaskClient, address: str) -> bytes:
    """The challenge that the script would hand to the passkey."""
    options = json.loads(client.get(address).text)
    assert options["rpId"] == "localhost"
    assert options["userVerification"] == "required"
    return from_base64url(options["challenge"])


def open_by_passkey(head: FlaskClient, school: School, passkey: Authenticator, post_id: int) -> str:
    address = opened(head, link_to(school, post_id))
    sent = passkey.answer(asked(head, f"{address}/challenge"))
    assert head.post(f"{address}/prove", data={"assertion": sent}).status_code == 303
    return address


def test_a_passkey_is_offered_first_and_the_pin_unfolds(head: FlaskClient, school: School) -> None:
    address = opened(head, link_to(school, school.post()))
    before = head.get(address).text
    assert "data-passkey=" not in before
    assert "A passkey is safer than a PIN" in before
    enrolled(school)
    after = head.get(address).text
    assert after.index("data-passkey=") < after.index("Use your PIN instead") < after.index('name="pin"')
    assert "A passkey is safer than a PIN" not in after


def test_looking_changes_nothing_with_a_passkey_either(head: FlaskClient, school: School) -> None:
    enrolled(school)
    address = opened(head, link_to(school, school.post()))
    before = everything(school)
    for _ in range(10):
        for part in ("", "/challenge", "/signing"):
            for method in ("GET", "HEAD", "OPTIONS"):
                assert head.open(f"{address}{part}", method=method).status_code in (200, 403)
    assert everything(school) == before


def test_a_page_opened_by_a_passkey_asks_for_its_signature(head: FlaskClient, school: School) -> None:
    passkey, post_id = enrolled(school), school.post()
    address = open_by_passkey(head, school, passkey, post_id)
    assert "data-passkey-sign" in head.get(address).text
    form = {**WORDS, "verdict": "approve", "digest": school.digest(post_id)}
    unsigned = head.post(address, data=form)
    assert unsigned.status_code == 400
    assert "your passkey has to sign exactly this version" in unsigned.text
    assert WORDS["statement"] in unsigned.text
    wrong = head.post(address, data={**form, "assertion": passkey.answer(b"\0" * 32)})
    assert "used already" in wrong.text
    assert school.state(post_id) == PostState.WAITING
    assert asked(head, f"{address}/signing") == bytes.fromhex(school.digest(post_id))
    signed = passkey.answer(asked(head, f"{address}/signing"))
    assert head.post(address, data={**form, "assertion": signed}).status_code == 303
    with school.services.db.read() as session:
        assert session.scalars(select(Decision)).one().proof_method == "passkey"


def test_nothing_is_given_to_sign_before_the_page_is_open(head: FlaskClient, school: School) -> None:
    enrolled(school)
    address = opened(head, link_to(school, school.post()))
    refused = head.get(f"{address}/signing")
    assert refused.status_code == 403
    assert "error" in json.loads(refused.text)


def test_a_refused_passkey_keeps_what_was_typed_and_leaves_the_pin(head: FlaskClient, school: School) -> None:
    passkey = enrolled(school)
    address = opened(head, link_to(school, school.post()))
    used = passkey.answer(asked(head, f"{address}/challenge"))
    head.post(f"{address}/prove", data={"assertion": used})
    again = head.post(f"{address}/prove", data={"assertion": used, "statement": "Half a sentence"})
    assert again.status_code == 400
    assert "used already" in again.text
    assert 'value="Half a sentence"' in again.text
    page = head.post(f"{address}/prove", data={"pin": PIN, "statement": "Half a sentence"})
    assert page.status_code == 200
    assert "Half a sentence" in page.text


def test_a_passkey_opens_the_post_while_the_pin_is_locked(head: FlaskClient, school: School) -> None:
    passkey, post_id = enrolled(school), school.post()
    address = opened(head, link_to(school, post_id))
    for number in range(5):
        stuck = head.post(f"{address}/prove", data={"pin": f"90510{number}"})
    assert "Use your passkey" in stuck.text
    open_by_passkey(head, school, passkey, post_id)


def test_an_administrator_asks_a_recovery_and_the_head_stops_it(as_role: Browser, school: School) -> None:
    office, head = as_role(Role.ADMINISTRATOR), as_role(Role.HEADTEACHER)
    address = f"/staff/{school.head}"
    empty = office.post(f"{address}/recovery", data={"recovery_reason": " "})
    assert (empty.status_code, "Please say why" in empty.text) == (422, True)
    done = office.post(f"{address}/recovery", data={"recovery_reason": "Lost the telephone."}, follow_redirects=True)
    assert "may choose a new PIN or passkey without the old one" in done.text
    twice = office.post(f"{address}/recovery", data={"recovery_reason": "Lost the telephone."})
    assert (twice.status_code, "asked already" in twice.text) == (422, True)
    page = head.get("/account/proofs").text
    assert "Lost the telephone." in page
    stop = page.split('action="/account/proofs/recoveries/')[1].split("/stop")[0]
    assert as_role(Role.AUTHOR).post(f"/account/proofs/recoveries/{stop}/stop").status_code == 403
    stopped = head.post(f"/account/proofs/recoveries/{stop}/stop", follow_redirects=True)
    assert "It is stopped." in stopped.text


def test_the_pages_for_proofs_refuse_with_a_sentence_and_set_a_pin(as_role: Browser, school: School) -> None:
    head = as_role(Role.HEADTEACHER)
    for data, sentence in (
        ({"new_pin": "123456", "pin": PIN}, "one of the first anybody would try"),
        ({"new_pin": "905177"}, "Please give your second proof"),
        ({"new_pin": "905177", "pin": "000001"}, "That PIN is not right"),
    ):
        refused = head.post("/account/proofs/pin", data=data)
        assert refused.status_code == 422
        assert sentence in refused.text
    assert head.post("/account/proofs/pin", data={"new_pin": "905177", "pin": PIN}).status_code == 303
    assert head.post("/account/proofs/pin/remove", data={"pin": "905177"}).status_code == 409
    nothing = head.post("/account/proofs/passkey", data={"label": "", "pin": "905177"})
    assert "Please give it a name" in nothing.text
    author = as_role(Role.AUTHOR)
    assert "You need neither." in author.get("/account/proofs").text
