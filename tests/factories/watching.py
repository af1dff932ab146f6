"""A watched school: one reading as the worker takes it, and what was found."""

import base64
import io
from dataclasses import replace
from pathlib import Path

from PIL import Image
from sqlalchemy import select

from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.posts.public import AccountWatch, Incident, RemotePublicPost
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import takedown_removal, watch
from gatekeeper.workflow.limits_seen import watcher
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.factories.sending import run as publish_due


def watched_school(database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    """With every channel wrapped as it is in the worker, so that what is read back is counted."""
    services = make_services(database, tmp_path, clock, simulator=simulator)
    plain, wrapped = services.channel_for, watcher(database, clock)
    assert plain is not None
    school = School(replace(services, channel_for=lambda account: wrapped(plain(account), account.id)))
    school.open_linkedin()
    return school


def picture(colour: str = "seagreen") -> str:
    """A small picture of nobody, as the simulator takes it."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def begin(school: School, kind: str) -> int:
    """Watching begins: the account's first reading."""
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, school.accounts[kind]).sealed = "keys"
    watch.order_due(school.services)
    watch.read(school.services, school.accounts[kind])
    return school.accounts[kind]


def read(school: School, clock: ToldClock, kind: str, *, minutes: float = 15) -> list[Incident]:
    """The next reading; everything found so far."""
    clock.advance(minutes=minutes)
    watch.read(school.services, school.accounts[kind])
    return incidents(school)


def removed(services: Services, takedown_id: int) -> None:
    """The removal is carried out as the worker does it, and its order is struck off."""
    with services.db.begin() as session:
        claim = jobs.claim(session, jobs.TAKEDOWN, takedown_id, now=services.clock.now())
    assert claim
    takedown_removal.carry_out(services, takedown_id)
    with services.db.begin() as session:
        jobs.finish(session, claim)


def incidents(school: School) -> list[Incident]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Incident).order_by(Incident.id)))


def found(school: School) -> list[str]:
    return [one.kind for one in incidents(school)]


def row_of(school: School, remote_id: str) -> RemotePublicPost | None:
    with school.services.db.read() as session:
        return session.scalars(select(RemotePublicPost).where(RemotePublicPost.remote_id == remote_id)).first()


def watch_of(school: School, kind: str) -> AccountWatch:
    with school.services.db.read() as session:
        return session.get_one(AccountWatch, school.accounts[kind])


def mails(school: School, kind: str = "incident_found") -> list[Notice]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)))


def published(school: School, simulator: Simulator, clock: ToldClock, kind: str, **post: object) -> str:
    """A post that goes out through the gate; the platform's number for it."""
    (publication,) = school.approve(school.post(kinds=(kind,), **post))  # type: ignore[arg-type]
    clock.advance(hours=1)
    publish_due(school)
    remote_id = school.publication(publication).remote_id
    assert remote_id
    assert simulator.state.find_post(remote_id)
    return remote_id


def outside(simulator: Simulator, kind: str, text: str = "Cake sale! 🎂", **order: object) -> str:
    """Somebody posts past the gate."""
    with simulator.state.changing():
        return str(simulator.control.external_post({"kind": kind, "text": text, **order})["id"])


def edited(simulator: Simulator, remote_id: str, text: str) -> str:
    with simulator.state.changing():
        return str(simulator.control.edit_post({"id": remote_id, "text": text})["versions"][-1]["id"])


def deleted(simulator: Simulator, remote_id: str) -> None:
    with simulator.state.changing():
        simulator.control.delete_post({"id": remote_id})
