"""Taking a post down from its page, and the list of what is not gone yet."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.consent import Purpose
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Audit, Role, Staff, record
from gatekeeper.posts.model import Photo, Post
from gatekeeper.posts.public import ConsentReview, ReviewItem, Takedown, TakedownState
from gatekeeper.settings import Settings
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import consents, erase_post, takedown_removal
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.factories.sending import run

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
As = Callable[[Role], FlaskClient]
OFFICE = {Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR}


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock) -> Services:
    renderer = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary")
    with Simulator(config=SimulatorConfig(clock=clock)) as simulator:
        yield make_services(  # type: ignore[misc]
            sqlite_database, settings.data, clock, settings=settings, render=renderer, simulator=simulator
        )


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock) -> As:
    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


@pytest.fixture
def live(school: School, clock: ToldClock) -> tuple[int, int]:
    """A public post with Wren in it, and its publication on X."""
    post = school.post(pupils=("Wren",), kinds=("x",), due_in=timedelta(seconds=1))
    (publication,) = school.approve(post)
    clock.advance(seconds=2)
    run(school)
    return post, publication


def press(client: FlaskClient, live: tuple[int, int], **form: str) -> int:
    told = {"post": str(live[0]), "why": "mistake", "words": "The wrong picture", **form}
    return client.post(f"/takedowns/publications/{live[1]}", data=told).status_code


def removals(school: School) -> list[Takedown]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Takedown)))


def mail_of(school: School, notice: Notice) -> str:
    """Everything that the e-mail says."""
    render = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary").render
    facts = {"name": "N", "address": "https://g.example", "link": "https://g.example/posts/1", "post": None}
    parts = (f"email/{notice.kind}/{part}" for part in ("subject.txt", "body.txt", "body.html"))
    return "".join(render(part, **facts, **notice.context) for part in parts)


def assert_read_by(as_role: As, live: tuple[int, int], words: str, readers: set[Role]) -> None:
    """Who finds these words on the post's page."""
    assert {role for role in Role if words in as_role(role).get(f"/posts/{live[0]}").text} == readers


def assert_audit_names_nobody(school: School, as_role: As, actions: set[str]) -> None:
    """These were written down, and no line holds a part of the name; nor does the page or the table."""
    with school.services.db.read() as session:
        lines = [(line.action, f"{line.subject} {line.detail}") for line in session.scalars(select(Audit))]
    assert actions <= {action for action, _ in lines}
    auditor = as_role(Role.AUDITOR)
    told = [*(line for _, line in lines), auditor.get("/audit").text, auditor.get("/audit/export.csv").text]
    assert not [one for one in told if "Wren" in one or "Applethwaite" in one]


@pytest.mark.parametrize("role", sorted(OFFICE))
def test_the_office_takes_a_post_down_from_its_page(
    school: School, as_role: As, live: tuple[int, int], role: Role
) -> None:
    client = as_role(role)
    page = client.get(f"/posts/{live[0]}").text
    assert "Take it down" in page
    assert press(client, live) == 303
    (one,) = removals(school)
    assert (one.why, one.words, one.asked_by) == ("mistake", "The wrong picture", school.staff[role])
    assert "Being taken down" in client.get(f"/posts/{live[0]}").text
    takedown_removal.carry_out(school.services, one.id)
    page = client.get(f"/posts/{live[0]}").text
    assert "as read on the platform" in page
    assert "Take it down" not in page
    assert "Nothing is waiting" in client.get("/takedowns/").text


def test_the_audit_of_a_post_tells_of_its_photos_its_faces_and_its_removal(
    school: School, as_role: As, live: tuple[int, int], clock: ToldClock
) -> None:
    press(as_role(Role.HEADTEACHER), live)
    other = school.post(pupils=("Wren",))
    with school.services.db.begin() as session:
        for post in (live[0], other):
            photo = session.scalars(select(Photo).where(Photo.post_id == post)).one()
            for subject in (f"photo:{photo.id}", f"face:{photo.faces[0].id}"):
                about = {"post": post}
                record(
                    session,
                    at=clock.now(),
                    staff_id=school.author,
                    action="photo.cropped",
                    subject=subject,
                    detail=about,
                )
    mine = as_role(Role.AUDITOR).get(f"/audit?kind=post&number={live[0]}").text
    theirs = as_role(Role.AUDITOR).get(f"/audit?kind=post&number={other}").text
    for kind, there in (("photo", 1), ("face", 1), ("takedown", 0)):
        mine_about, others = (set(re.findall(rf">{kind} (\d+)", page)) for page in (mine, theirs))
        assert (len(mine_about), len(others)) == (1, there), kind
        assert not mine_about & others


def test_the_consent_lead_takes_down_for_consent_alone(school: School, as_role: As, live: tuple[int, int]) -> None:
    client = as_role(Role.CONSENT_LEAD)
    assert press(client, live) == 403
    assert removals(school) == []
    assert press(client, live, why="consent") == 303
    assert [one.why for one in removals(school)] == ["consent"]


def test_the_author_asks_and_the_head_hears_of_it(school: School, as_role: As, live: tuple[int, int]) -> None:
    client = as_role(Role.AUTHOR)
    assert press(client, live) == 403
    assert "Ask to take it down" in client.get(f"/posts/{live[0]}").text
    told = {"post": live[0], "words": "A parent rang me"}
    assert client.post(f"/takedowns/publications/{live[1]}/ask", data=told).status_code == 303
    assert removals(school) == []
    with school.services.db.read() as session:
        (notice,) = session.scalars(select(Notice).where(Notice.kind == "takedown_asked"))
    assert notice.staff_id == school.head
    assert mail_of(school, notice)
    assert "parent" not in mail_of(school, notice)
    assert_read_by(as_role, live, "A parent rang me", {*OFFICE, Role.AUTHOR})
    press(as_role(Role.HEADTEACHER), live)
    assert_read_by(as_role, live, "A parent rang me", set())  # it was granted
    assert_read_by(as_role, live, "The wrong picture", OFFICE)


def test_what_an_author_asked_goes_with_the_post(
    school: School, as_role: As, live: tuple[int, int], clock: ToldClock
) -> None:
    for words in ("A parent rang me", "A parent rang me again"):
        clock.advance(seconds=1)
        told = {"post": live[0], "words": words}
        assert as_role(Role.AUTHOR).post(f"/takedowns/publications/{live[1]}/ask", data=told).status_code == 303
    with school.services.db.begin() as session:
        erase_post.erase(session, session.get_one(Post, live[0]), why="taken_down", now=clock.now())
    with school.services.db.read() as session:
        asked = session.scalars(select(Notice).where(Notice.kind == "takedown_asked")).all()
    assert len(asked) == 2
    assert "parent" not in str([notice.context for notice in asked])


def test_where_there_is_no_headteacher_whoever_else_may_order_it_hears(
    school: School, as_role: As, live: tuple[int, int]
) -> None:
    client = as_role(Role.AUTHOR)
    with school.services.db.begin() as session:
        session.get_one(Staff, school.head).active = False
    told = {"post": live[0], "words": "A parent rang me"}
    assert client.post(f"/takedowns/publications/{live[1]}/ask", data=told).status_code == 303
    with school.services.db.read() as session:
        told_to = session.scalars(select(Notice.staff_id).where(Notice.kind == "takedown_asked")).all()
    assert set(told_to) == {school.staff[Role.DEPUTY], school.staff[Role.ADMINISTRATOR]}


def test_what_is_typed_about_a_removal_names_nobody_in_the_audit(
    school: School, as_role: As, live: tuple[int, int]
) -> None:
    words = "The mother of Wren Applethwaite rang me"
    form = {"post": live[0], "why": "request", "words": words}
    assert as_role(Role.AUTHOR).post(f"/takedowns/publications/{live[1]}/ask", data=form).status_code == 303
    head, auditor = as_role(Role.HEADTEACHER), as_role(Role.AUDITOR)
    assert head.post(f"/takedowns/publications/{live[1]}", data=form).status_code == 303
    (one,) = removals(school)
    assert words in head.get("/takedowns/").text
    assert "Wren" not in auditor.get("/takedowns/").text
    takedown_removal.give_up(school.services, one.id, "")
    seen = "Wren Applethwaite is gone from it"
    assert head.post(f"/takedowns/{one.id}/by-hand", data={"words": seen}).status_code == 303
    assert words in head.get(f"/posts/{live[0]}").text
    assert f": <q>{seen}</q>" in head.get(f"/posts/{live[0]}").text
    page = auditor.get("/takedowns/").text
    assert "said by Mx Headteacher Quarry" in page
    assert "Wren" not in page
    assert_read_by(as_role, live, words, OFFICE)
    assert_read_by(as_role, live, seen, OFFICE)
    assert_audit_names_nobody(school, as_role, {"takedown.asked", "takedown.ordered", "takedown.by_hand"})


def test_a_reason_that_names_a_pupil_stands_in_the_audit_without_the_name(
    school: School, as_role: As, live: tuple[int, int]
) -> None:
    reason = {"reason": "The mother of Wren Applethwaite asked on the telephone"}
    head, wren = as_role(Role.HEADTEACHER), school.pupils["Wren"]
    assert head.post(f"/pupils/{wren}/posts", data=reason).status_code == 303
    assert head.post(f"/pupils/{wren}/subject-access", data=reason).status_code == 200
    assert head.post(f"/posts/{live[0]}/evidence", data={"names": "yes", **reason}).status_code == 200
    period = {"days": "60", "shown": "30", **reason}
    assert head.post("/retention/classes/rejected", data=period).status_code == 303
    assert as_role(Role.AUDITOR).get("/audit/export.csv?action=Wren+Applethwaite").status_code == 200
    actions = {"pupil.found", "subject_access.exported", "evidence.exported", "retention.changed"}
    assert_audit_names_nobody(school, as_role, actions)
    page = as_role(Role.AUDITOR).get("/audit").text
    assert page.count("The mother of [name withheld] asked on the telephone") == len(actions)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.AUTHOR}))
def test_nobody_asks_about_somebody_elses_post(as_role: As, live: tuple[int, int], role: Role) -> None:
    told = {"post": live[0], "words": "A parent rang me"}
    assert as_role(role).post(f"/takedowns/publications/{live[1]}/ask", data=told).status_code == 404


@pytest.mark.parametrize("form", [{"words": " "}, {"why": "nonsense"}, {"words": "x" * 1001}])
def test_a_refusal_keeps_what_was_typed(
    school: School, as_role: As, live: tuple[int, int], form: dict[str, str]
) -> None:
    client = as_role(Role.HEADTEACHER)
    told = {"post": str(live[0]), "why": "request", "words": "They rang us", **form}
    answer = client.post(f"/takedowns/publications/{live[1]}", data=told)
    assert answer.status_code == 422
    assert told["words"].strip() in answer.text
    assert removals(school) == []


def test_what_is_not_public_cannot_be_taken_down(school: School, as_role: As) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    client = as_role(Role.HEADTEACHER)
    assert "Take it down" not in client.get(f"/posts/{post}").text
    assert press(client, (post, publication)) == 409
    assert press(client, (post, 4711)) == 404


def test_a_person_confirms_what_the_platform_does_not_do(school: School, as_role: As, live: tuple[int, int]) -> None:
    client = as_role(Role.ADMINISTRATOR)
    press(client, live)
    (one,) = removals(school)
    takedown_removal.give_up(school.services, one.id, "")
    page = client.get("/takedowns/").text
    assert "A person must take it down" in page
    assert "does not let a program remove this" in page
    assert client.post(f"/takedowns/{one.id}/by-hand", data={"words": ""}).status_code == 422
    assert client.post(f"/takedowns/{one.id}/again").status_code == 303
    assert removals(school)[0].state == TakedownState.ORDERED
    assert client.post(f"/takedowns/{one.id}/by-hand", data={"words": "Removed it in the app"}).status_code == 303
    assert removals(school)[0].confirmed_by == school.staff[Role.ADMINISTRATOR]
    for action in ("by-hand", "again"):
        assert client.post(f"/takedowns/{one.id}/{action}", data={"words": "Once more"}).status_code == 303
    assert "said by" in client.get("/takedowns/").text


@pytest.fixture
def review(school: School, live: tuple[int, int]) -> int:
    school.post(pupils=("Wren",), text="A draft")
    consents.withdraw_consent(
        school.services, school.pupils["Wren"], "x", Purpose.SOCIAL_MEDIA, by=school.staff[Role.CONSENT_LEAD]
    )
    return live[0]


def test_the_review_shows_the_face_and_takes_all_down_at_once(school: School, as_role: As, review: int) -> None:
    client = as_role(Role.CONSENT_LEAD)
    assert "Wren Applethwaite" in client.get("/reviews/").text
    page = client.get("/reviews/1").text
    assert "1 of 1 still public" in page
    assert "The child&#39;s face" in page
    assert "Keep it" not in page
    assert client.get("/reviews/1/pictures/1/1").mimetype == "image/jpeg"
    assert client.get("/reviews/1/pictures/1/2").status_code == 404
    assert client.get("/reviews/2/pictures/1/1").status_code == 404
    assert client.get("/reviews/4711").status_code == 404
    assert client.post("/reviews/1/take-down").status_code == 303
    (one,) = removals(school)
    assert "Being taken down" in client.get("/reviews/1").text
    takedown_removal.carry_out(school.services, one.id)
    page = client.get("/reviews/1").text
    assert "Done" in page
    assert "Gone" in page
    assert client.post("/reviews/1/take-down").status_code == 303  # nothing left: says so
    assert client.post("/reviews/1/close").status_code == 303
    with school.services.db.read() as session:
        looks = session.scalars(select(Audit.subject).where(Audit.action == "review.seen")).all()
    assert set(looks) == {f"pupil:{school.pupils['Wren']}"}


def test_the_head_keeps_one_with_a_reason(school: School, as_role: As, review: int) -> None:
    client = as_role(Role.HEADTEACHER)
    with school.services.db.read() as session:
        item = session.scalars(select(ReviewItem.id).where(ReviewItem.publication_id.is_not(None))).one()
    assert "Keep it, because" in client.get("/reviews/1").text
    answer = client.post(f"/reviews/1/keep/{item}", data={"words": "too"})
    assert answer.status_code == 422
    assert ">too</textarea>" in answer.text
    told = {"words": "The newsletter rests on public task"}
    assert as_role(Role.CONSENT_LEAD).post(f"/reviews/1/keep/{item}", data=told).status_code == 403
    assert client.post(f"/reviews/1/keep/{item}", data=told).status_code == 303
    assert client.post(f"/reviews/1/keep/{item}", data=told).status_code == 303  # ended: says so
    assert "public task" in client.get("/reviews/1").text


def test_the_letter_is_the_consent_leads_and_says_what_was_done(school: School, as_role: As, review: int) -> None:
    client = as_role(Role.CONSENT_LEAD)
    client.post("/reviews/1/take-down")
    takedown_removal.carry_out(school.services, removals(school)[0].id)
    page = client.get("/reviews/1/letter").text
    for words in (
        "Dear family of Wren Applethwaite", "you withdrew your permission", "was removed from X",
        "We read there that it is gone", "were not published yet were held back",
    ):  # fmt: skip
        assert words in page
    assert client.post("/reviews/1/letter", data={"letter": " "}).status_code == 422
    assert client.post("/reviews/1/letter", data={"letter": "Dear Mr and Mrs A"}).status_code == 303
    assert "Dear Mr and Mrs A" in client.get("/reviews/1/letter").text
    assert client.post("/reviews/1/letter", data={"letter": "", "do": "anew"}).status_code == 303
    assert "you withdrew your permission" in client.get("/reviews/1/letter").text
    with school.services.db.read() as session:
        assert session.scalars(select(ConsentReview.letter)).all() == [""]
    for role in set(Role) - {Role.CONSENT_LEAD}:
        assert as_role(role).get("/reviews/1/letter").status_code == 403


def test_an_author_reads_that_a_photo_cannot_be_used_and_not_whose_permission_it_was(
    school: School, as_role: As, review: int
) -> None:
    client = as_role(Role.AUTHOR)
    page = client.get("/posts/2").text
    assert "cannot be used now" in page
    assert client.get("/reviews/").status_code == 403
    assert client.get("/takedowns/").status_code == 403
