"""A post that was changed or deleted on the platform says so on its own page, and the e-mail says what was found."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from gatekeeper.db.session import Database
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Publication, Version
from gatekeeper.posts.public import IncidentKind
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import incident_close
from gatekeeper.workflow.found_later import FoundLater
from gatekeeper.workflow.incident_found import WHAT, words_for
from gatekeeper.workflow.post_view import post_view
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.watching import begin, deleted, edited, mails, outside, published, read, watched_school

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


@pytest.fixture
def simulator(clock: ToldClock) -> Iterator[Simulator]:
    with Simulator(config=SimulatorConfig(clock=clock, refuse_duplicates=False)) as running:
        yield running


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return watched_school(sqlite_database, tmp_path, clock, simulator)


def told(school: School, post_id: int, role: Role) -> tuple[FoundLater, ...]:
    with school.services.db.read() as session:
        by = session.get_one(Staff, school.staff[role])
    return post_view(school.services, post_id, by).found_later


def mail_of(school: School) -> dict[str, str]:
    """The last e-mail that was ordered, part by part."""
    renderer = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank")
    more = {**mails(school)[-1].context, "address": "http://localhost:8000", "name": "Mx Quarry", "post": None}
    parts = {
        one: renderer.render(f"email/incident_found/{one}", **more) for one in ("subject.txt", "body.txt", "body.html")
    }
    return parts | {"words": mails(school)[-1].context["there"]}


def post_of(school: School, publication_id: int | None) -> int:
    with school.services.db.read() as session:
        version = session.get_one(Publication, publication_id).version_id
        return session.get_one(Version, version).post_id


def test_a_changed_post_says_so_on_its_page_until_somebody_settled_it(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "x")
    remote_id = published(school, simulator, clock, "x")
    edited(simulator, remote_id, "Wren did it!")
    (one,) = read(school, clock, "x")
    post_id = post_of(school, one.publication_id)
    for role in (Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR):
        (line,) = told(school, post_id, role)
        assert (line.incident_id, line.at) == (one.id, one.seen_at)
        assert line.words.startswith("This post does not stand on X (")
        assert "Wren" not in line.words
    for role in (Role.AUTHOR, Role.CONSENT_LEAD):  # the plain fact, and no way to what was read
        assert [line.incident_id for line in told(school, post_id, role)] == [0]
    mail = mail_of(school)
    assert mail["subject.txt"].strip().startswith("Something on X (")
    assert mail["subject.txt"].strip().endswith("was changed after it was published")
    assert "did not come through" not in "".join(mail.values())
    incident_close.close(school.services, one.id, by=school.head, words="I knew of it and it is fine.")
    assert told(school, post_id, Role.HEADTEACHER) == told(school, post_id, Role.AUTHOR) == ()


def test_a_post_that_vanished_says_so_and_nobody_is_offered_to_take_it_down(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "x")
    remote_id = published(school, simulator, clock, "x")
    read(school, clock, "x")
    deleted(simulator, remote_id)
    while not (found := read(school, clock, "x", minutes=60)):
        assert clock.now().day < 30
    post_id = post_of(school, found[0].publication_id)
    assert [line.words[:17] for line in told(school, post_id, Role.AUTHOR)] == ["This post was not"]
    mail = mail_of(school)
    assert mail["subject.txt"].strip().startswith("A published post is not on X (")
    assert "taken down" not in "".join(mail.values())
    assert "did not come through" not in "".join(mail.values())


def test_what_did_not_come_through_the_gate_says_so_and_belongs_to_no_post(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "x")
    clock.advance(minutes=1)
    outside(simulator, "x")
    read(school, clock, "x")
    mail = mail_of(school)
    assert mail["subject.txt"].strip().endswith("did not come through Gatekeeper")
    assert "taken down" in mail["words"]
    assert told(school, school.post(), Role.AUTHOR) == ()


def test_every_kind_has_words_of_its_own_and_several_kinds_claim_nothing_of_one() -> None:
    subjects = [words_for([kind, kind])[0] for kind in IncidentKind]
    assert len(set(subjects)) == len(WHAT) == len(IncidentKind)
    for pair in combinations(IncidentKind, 2):
        assert words_for(pair)[0] == "Something was found on {where}"
