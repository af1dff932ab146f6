"""How long every page takes in a school after some years: 20,000 posts and 100,000 lines of audit and of ledger.

    python tests/benchmarks/bench_pages.py [--posts 20000] [--lines 100000] [--times 20] [--only audit] [--keep FOLDER]

Walks the site's own list of routes: every GET route is asked as every role that may open it, with numbers of things that
are there. Prints p50 and p95 of each page, the slowest first, and fails where one is over 300 ms. What is a download by
its nature is listed apart. In one process without a network, so it is the page itself that is measured.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[2]))

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from approvals import tokens
from approvals.tables import ApprovalRequest, RequestStatus
from gatekeeper.cases.model import Case
from gatekeeper.clock import SystemClock
from gatekeeper.db.schema import upgrade
from gatekeeper.db.session import Database
from gatekeeper.people.policy_editions import PolicyEdition
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelAccount, Face, Photo, Post, Publication
from gatekeeper.posts.public import ConsentReview, Incident
from gatekeeper.posts.status import PostState
from gatekeeper.web.access import access_of
from gatekeeper.web.app import create_app
from gatekeeper.web.decide_link import COOKIE
from gatekeeper.web.limits import limiter
from gatekeeper.workflow import decide
from gatekeeper.workflow.services import Services
from tests.benchmarks import page_school
from tests.factories.school import PIN, School, make_services, make_settings
from tests.fixtures.signing import SIGNER

_BOUND_MS: Final = 300
#: made to be taken away, and as long as what is taken
_DOWNLOADS: Final = ("export", "paper", "assessment", "letter", "bundle", "package")
_WARM: Final = 2


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One page as one role: how long it took each time in milliseconds, and how much of that this process worked."""

    address: str
    endpoint: str
    role: Role
    status: int
    times: tuple[float, ...]
    work: tuple[float, ...]

    def at(self, share: float) -> float:
        """The time that so many of them were within."""
        return _within(self.times, share)


def _within(times: tuple[float, ...], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def main() -> int:
    """Build the school, ask every page, tell the times."""
    told = _arguments()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="gk-pages-") as temporary:
        folder = Path(told.keep or temporary)
        services = _services(folder)
        began = time.perf_counter()
        if _is_empty(services):
            page_school.furnish(
                School(services), posts=told.posts, lines=told.lines, signer=SIGNER, now=services.clock.now()
            )
            print(f"built in {time.perf_counter() - began:.0f} s", flush=True)
        asked = list(_ask_everything(services, told))
        services.db.engine.dispose()
    return _tell(asked)


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description="Measure every page of a school after some years.")
    asked.add_argument("--posts", type=int, default=20_000)
    asked.add_argument("--lines", type=int, default=100_000)
    asked.add_argument("--times", type=int, default=20)
    asked.add_argument("--only", default="", help="pages with this in their endpoint")
    asked.add_argument("--keep", default="", help="build the school in this folder, and use the one that is there")
    return asked.parse_args()


def _services(folder: Path) -> Services:
    url = f"sqlite:///{folder / 'school.db'}"
    upgrade(url)
    settings = make_settings(folder, url, secrets={"WEB_KEY": "only for this measurement, only for it"})
    return make_services(Database(url, signer=SIGNER), folder, SystemClock(), settings=settings)


def _is_empty(services: Services) -> bool:
    with services.db.read() as session:
        return session.scalar(select(Post.id).limit(1)) is None


def _ask_everything(services: Services, told: argparse.Namespace) -> Iterator[Asked]:
    app = create_app(services)
    limiter.enabled = False
    browsers = _browsers(app, services)
    samples = _samples(services)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        access = access_of(app, rule.endpoint)
        if "GET" not in (rule.methods or ()) or access is None or told.only not in rule.endpoint:
            continue
        if rule.endpoint.endswith("static") or rule.endpoint == "theme":
            continue
        address = _address(app, rule, samples)
        for role, client in browsers.items():
            if address and access.allows(role):
                yield _ask(client, address, rule.endpoint, role, times=told.times)


def _browsers(app: Flask, services: Services) -> dict[Role, FlaskClient]:
    """One for each role; the author's is that of somebody with two thousand posts."""
    found = {}
    with services.db.begin() as session:
        post = session.scalars(select(Post).where(Post.state == PostState.PUBLISHED).limit(1)).one()
        people = {role: session.scalars(_first(role)).one() for role in Role}
        people[Role.AUTHOR] = post.author_id
        for role, staff_id in people.items():
            found[role] = app.test_client()
            found[role].set_cookie("gatekeeper", begin_session(session, staff_id, now=services.clock.now()))
    _let_decide(services, found[Role.HEADTEACHER])
    return found


def _asked_head(session: Session) -> ApprovalRequest | None:
    """A question that waits for the headteacher; none in a school that was built hours ago."""
    waiting = ApprovalRequest.status == RequestStatus.OPEN, ApprovalRequest.expires_at > SystemClock().now()
    return session.scalars(select(ApprovalRequest).where(*waiting).limit(1)).first()


def _picture_of(session: Session, asked: ApprovalRequest | None) -> str | None:
    number = int(asked.subject.removeprefix("post:")) if asked else 0
    return session.scalar(select(Photo.rendition_sha256).where(Photo.post_id == number))


def _let_decide(services: Services, client: FlaskClient) -> None:
    """The headteacher has opened the e-mailed link and given the PIN."""
    now = services.clock.now()
    with services.db.begin() as session:
        asked = _asked_head(session)
        if asked is None:
            return
        token = tokens.mint(session, request=asked, person_id=asked.approver_id, purpose=tokens.DECIDE, now=now)
        secret = tokens.open_link(session, token, purpose=tokens.DECIDE, now=now).view_secret
    proved = decide.prove(services, secret, PIN)
    client.set_cookie(COOKIE, proved.view_secret or secret)


def _first(role: Role) -> Any:
    from gatekeeper.people.staff import Staff

    return select(Staff.id).where(Staff.role == role).order_by(Staff.id).limit(1)


def _samples(services: Services) -> Mapping[str, object]:
    """A number for each name in an address; "endpoint:name" where one page needs another."""
    with services.db.read() as session:
        author = session.scalars(select(Post.author_id).where(Post.state == PostState.PUBLISHED).limit(1)).one()
        photo = session.scalars(select(Photo).join(Post).where(Post.author_id == author).limit(1)).one()
        draft = select(Post.id).where(Post.author_id == author, Post.state == PostState.DRAFT).limit(1)
        publication = session.scalars(
            select(Publication.id).join(Post, Post.version_id == Publication.version_id).where(Post.id == photo.post_id)
        ).one()
        firsts = {
            name: session.scalar(select(model.id).order_by(model.id.desc()).limit(1)) or 1
            for name, model in (
                ("pupil_id", Pupil), ("account_id", ChannelAccount), ("edition_id", PolicyEdition), ("case_id", Case),
                ("incident_id", Incident), ("review_id", ConsentReview),
            )
        }  # fmt: skip
        asked = _asked_head(session)
        face = session.scalar(select(Face.id).where(Face.photo_id == photo.id).limit(1))
        return {
            **firsts, "post_id": photo.post_id, "photo_id": photo.id, "face_id": face, "publication_id": publication,
            "posts.edit:post_id": session.scalar(draft), "schedule.move:post_id": session.scalar(draft),
            "number": 0, "class_id": "audit", "request_id": asked.id if asked else None, "sha256": _picture_of(session, asked), "staff_id": author, "kind": "facebook", "name": "posting", "digest": photo.rendition_sha256,
        }  # fmt: skip


def _address(app: Flask, rule: Rule, samples: Mapping[str, object]) -> str:
    """The address with numbers of things that are there; empty where this file knows none for one of its names."""
    values = {name: samples.get(f"{rule.endpoint}:{name}", samples.get(name)) for name in rule.arguments}
    if any(value is None for value in values.values()):
        print(f"not asked, no sample: {rule.rule}")
        return ""
    with app.test_request_context():
        _, address = rule.build(values) or ("", "")
        return address


def _ask(client: FlaskClient, address: str, endpoint: str, role: Role, *, times: int) -> Asked:
    took, work, status = [], [], 0
    for number in range(times + _WARM):
        began, worked = time.perf_counter(), time.process_time()
        answer = client.get(address)
        _ = answer.data
        if number >= _WARM:
            took.append((time.perf_counter() - began) * 1000)
            work.append((time.process_time() - worked) * 1000)
        status = answer.status_code
        if number == _WARM and took[0] > 10 * _BOUND_MS:
            break  # once is enough to see it
    return Asked(address=address, endpoint=endpoint, role=role, status=status, times=tuple(took), work=tuple(work))


def _tell(asked: list[Asked]) -> int:
    pages = [
        one for one in asked if not one.endpoint.endswith(_DOWNLOADS) and not one.address.endswith((".pdf", ".md"))
    ]
    slow = [one for one in pages if one.at(0.95) > _BOUND_MS]
    for title, some in (("page", pages), ("download", [one for one in asked if one not in pages])):
        print(f"{title:52}{'role':15}{'':>5}{'p50 ms':>9}{'p95 ms':>9}{'work p95':>10}")
        for one in sorted(some, key=lambda one: one.at(0.95), reverse=True):
            print(
                f"{one.address[:50]:52}{one.role:15}{one.status:>5}{one.at(0.5):9.1f}{one.at(0.95):9.1f}"
                f"{_within(one.work, 0.95):10.1f}"
            )
    broken = [one for one in asked if one.status >= 500]
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    print(f"{len(pages)} pages asked; {len(slow)} over {_BOUND_MS} ms at p95; {len(broken)} broken; {load}")
    return 1 if slow or broken else 0


if __name__ == "__main__":
    sys.exit(main())
