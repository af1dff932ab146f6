"""The page of words to look at, and the two buttons that lead to it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from gatekeeper.people.own_rules import TaughtPhrase, WordQuestion
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import accounts_of, findings_of, move, seal
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.words import check_words

Browser = Callable[[Role | None], FlaskClient]
TYPED = {"phrase": "Isolde the Invincible", "why": "The heroine of a picture book."}


@pytest.fixture
def finding(services: Services, people: dict[Role, int]) -> str:
    """The address of a finding in the author's checked post."""
    now = services.clock.now()
    with services.db.begin() as session:
        session.add(Pupil(reference="P1", first_name="Isolde", last_name="Farah", created_at=now))
        post = Post(
            author_id=people[Role.AUTHOR], title="Books", text="We read Isolde the Invincible.", channels=[],
            state=PostState.DRAFT, due_at=now + timedelta(hours=3), created_at=now, changed_at=now,
        )  # fmt: skip
        session.add(post)
        session.flush()
        move(post, PostState.SCANNING)
        version = seal(session, post, now=now)
        check_words(session, post, version, accounts_of(session, post))
        move(post, PostState.OPEN)
        [found] = findings_of(session, version.id)
        return f"/posts/{post.id}/findings/{found.id}"


def test_the_author_asks_and_the_consent_lead_answers(browser: Browser, services: Services, finding: str) -> None:
    author, lead = browser(Role.AUTHOR), browser(Role.CONSENT_LEAD)
    post = finding.partition("/findings")[0]
    assert "Ask the consent lead" in author.get(post).text
    assert "This is not a pupil" not in author.get(post).text
    assert author.post(f"{finding}/ask-lead").status_code == 303
    asked = author.get(post).text
    assert "The consent lead is asked whether this is a pupil" in asked
    assert f"{finding}/ask-lead" not in asked
    assert "asked about these words already" in author.post(f"{finding}/ask-lead", follow_redirects=True).text
    assert "This is not a pupil (a book" in lead.get(post).text
    page = lead.get("/words").text
    assert "We read Isolde the Invincible." in page
    assert f"{finding}/teach" in page
    assert "We read Isolde the Invincible." in browser(Role.HEADTEACHER).get("/words").text
    assert "We read Isolde the Invincible." not in browser(Role.DEPUTY).get("/words").text
    assert 'value="Isolde the Invincible"' in lead.get(f"{finding}/teach").text
    assert lead.post(f"{finding}/teach", data=TYPED).status_code == 303
    assert "Isolde the Invincible" in lead.get("/words").text
    with services.db.read() as session:
        assert session.scalars(select(TaughtPhrase.phrase)).all() == ["Isolde the Invincible"]


def test_a_refused_phrase_stays_in_the_form(browser: Browser, services: Services, finding: str) -> None:
    page = browser(Role.CONSENT_LEAD).post(f"{finding}/teach", data={"phrase": "Isolde Farah", "why": "a book"})
    assert page.status_code == 422
    assert 'value="Isolde Farah"' in page.text
    assert "a pupil&#39;s own name" in page.text
    assert "Say in a sentence what it is" in page.text
    with services.db.read() as session:
        assert session.scalars(select(TaughtPhrase)).all() == []


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.CONSENT_LEAD}))
def test_cannot_teach_in_another_role(browser: Browser, services: Services, finding: str, role: Role) -> None:
    client = browser(role)
    assert client.get(f"{finding}/teach").status_code == 403
    assert client.post(f"{finding}/teach", data=TYPED).status_code == 403
    assert client.post("/words/1/retire").status_code == 403
    assert client.post("/words/questions/1/pupil").status_code == 403
    with services.db.read() as session:
        assert session.scalars(select(TaughtPhrase)).all() == []


def test_the_consent_lead_takes_back_and_says_that_it_is_a_pupil(
    browser: Browser, services: Services, finding: str
) -> None:
    lead = browser(Role.CONSENT_LEAD)
    browser(Role.AUTHOR).post(f"{finding}/ask-lead")
    assert lead.post("/words/questions/1/pupil").status_code == 303
    assert "Nobody asks" in lead.get("/words").text
    lead.post(f"{finding}/teach", data=TYPED)
    assert lead.post("/words/1/retire").status_code == 303
    page = browser(Role.HEADTEACHER).get("/words").text
    assert "taken back by Consent lead Person" in page
    assert "Take back" not in page
    with services.db.read() as session:
        assert session.scalars(select(WordQuestion.answer)).all() == ["pupil"]
