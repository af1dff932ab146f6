"""The whole way without any queue server: the database is the truth, and the timers find everything in it.

Real processes with only their own secrets; a Redis address where nobody listens; real mail; both simulated platforms.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from approvals import ledger_check, tokens
from approvals.tables import Verdict
from gatekeeper import jobs
from gatekeeper.bootstrap import build_services, prepare
from gatekeeper.channels import seal
from gatekeeper.clock import london
from gatekeeper.faces.template_seal import make_key
from gatekeeper.posts.model import ChannelAccount, Post, Version
from gatekeeper.posts.status import PostState
from gatekeeper.settings import load_settings
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import connect, decide, submit
from gatekeeper.workflow.due import TypedDue
from gatekeeper.workflow.step_up import Proof
from tests.factories.school import PIN, School
from tests.fixtures.mail import KeptMail
from tests.fixtures.signing import LEDGER_KEY

ROOT = Path(__file__).resolve().parents[2]
NO_REDIS = "unix:///nowhere/valkey.sock"
TEXT = "Our tulips are out. Come and see them on the way to school!"

Wait = Callable[..., None]


@contextmanager
def processes(env: dict[str, str], own: dict[str, dict[str, str]], logs: Path) -> Iterator[None]:
    """The three workers and the publisher, each with its own secrets."""
    commands = {queue: ["workers.process", queue] for queue in jobs.QUEUES} | {"publisher": ["workers.publish"]}
    running = []
    for name, command in commands.items():
        with (logs / f"{name}.log").open("wb") as log:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", *command], env={**env, **own.get(name, {})}, stdout=log, stderr=log, cwd=ROOT
                )
            )
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=20)


@pytest.mark.timeout(300)
def test_a_post_goes_its_whole_way_without_redis(tmp_path: Path, smtp_sink: KeptMail, wait_until: Wait) -> None:
    public, private = seal.make_keypair()
    with Simulator() as simulator:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "GATEKEEPER_DATA": str(tmp_path / "school"),
            "REDIS_URL": NO_REDIS,
            "GATEKEEPER_DEMO": "1",  # so that a time in the next minutes may be chosen
            "GATEKEEPER_PLATFORM_URL": simulator.base_url,
            "GATEKEEPER_SEAL_PUBLIC": public,
        }
        web = {"GATEKEEPER_WEB_KEY": "a key for this test alone, long enough", "GATEKEEPER_LEDGER_KEY": LEDGER_KEY}
        own = {
            "scan": {"GATEKEEPER_TEMPLATE_KEY": make_key()},
            "mail": {**web, "GATEKEEPER_SMTP_URL": smtp_sink.url},
            "platform": {"GATEKEEPER_SEAL_KEY": private, "GATEKEEPER_LEDGER_KEY": LEDGER_KEY},
            "publisher": {"GATEKEEPER_SEAL_KEY": private, "GATEKEEPER_LEDGER_KEY": LEDGER_KEY},
        }
        settings = load_settings("web", {**env, **web})
        prepare(settings)
        services = build_services(settings)
        school = School(services)
        with processes(env, own, tmp_path):
            _connect(school, simulator, wait_until)
            post, due = _submit(school, tmp_path)
            wait_until(lambda: school.state(post) == PostState.WAITING, within=90, what="the check and the question")
            wait_until(lambda: _link(smtp_sink), within=30, what="the mail that asks the headteacher")
            _approve(school, post, smtp_sink)
            wait_until(
                lambda: school.state(post) == PostState.PUBLISHED,
                within=max(5.0, (due - services.clock.now()).total_seconds()) + 40,
                what="the publication",
            )
            wait_until(
                lambda: sum("Published" in one["Subject"] for one in smtp_sink.messages) == 2,  # the author, the head
                within=30,
                what="everybody being told",
            )
        for kind in ("x", "facebook"):
            (seen,) = simulator.posts(kind)
            assert seen.text == TEXT
            (picture,) = simulator.state.pictures_of(seen)
            assert picture.alt == "Tulips in a bed"
            assert picture.sha256 in _canonical(school, post)
        with services.db.read() as session:
            assert ledger_check.verify(session).ok
            assert jobs.due(session, "scan", now=services.clock.now() + timedelta(days=1)) == []


def _connect(school: School, simulator: Simulator, wait_until: Wait) -> None:
    """Let the platform process ask both platforms whose the keys are, then open both channels as the headteacher."""
    services = school.services
    keys = {"x": simulator.x_credentials(), "facebook": simulator.facebook_credentials()}
    with services.step() as session:
        for kind, account_id in school.accounts.items():
            account = session.get_one(ChannelAccount, account_id)
            account.status, account.declared_own, account.opened_by, account.opened_at = "new", False, None, None
            account.sealed = seal.seal(
                services.settings.seal_public, keys[kind].to_json().encode(), context=seal.account_context(account_id)
            )
            jobs.order(session, jobs.CONNECT, account_id, now=services.clock.now())
    for account_id in school.accounts.values():
        wait_until(lambda account_id=account_id: _status(school, account_id) == "checked", what="the check of the keys")
        connect.open_channel(services, account_id, by=school.head, proof=Proof(pin=PIN), declared_own=True)


def _status(school: School, account_id: int) -> str:
    with school.services.db.read() as session:
        return session.get_one(ChannelAccount, account_id).status


def _submit(school: School, folder: Path) -> tuple[int, datetime]:
    services = school.services
    Image.new("RGB", (600, 400), (40, 140, 70)).save(folder / "tulips.png")
    post = submit.create_draft(services, school.author)
    photo = submit.add_photo(
        services, post, school.author, data=(folder / "tulips.png").read_bytes(), file_name="t.png"
    )
    wall = (london(services.clock.now()) + timedelta(seconds=85)).replace(second=0, microsecond=0)
    edit = submit.DraftEdit(
        title="Tulips",
        text=TEXT,
        channels=tuple(school.accounts.values()),
        due=TypedDue(date=f"{wall:%Y-%m-%d}", time=f"{wall:%H:%M}"),
        alts={photo: "Tulips in a bed"},
        people={photo: "none"},
    )
    submit.save_draft(services, post, school.author, edit)
    submit.submit(services, post, school.author)
    return post, wall


def _approve(school: School, post: int, mail: KeptMail) -> None:
    services = school.services
    link = _link(mail)
    assert link is not None
    with services.db.read() as session:
        secret = tokens.open_link(session, link, purpose=tokens.DECIDE, now=services.clock.now()).view_secret
    proof = decide.prove(services, secret, PIN)
    form = decide.DecisionForm(
        verdict=Verdict.APPROVE,
        digest_shown=school.digest(post),
        typed_name="Head Teacher",
        statement="I approve this for both pages.",
        answers={},
    )
    assert decide.decide(services, proof.view_secret or secret, form).decision is not None


def _link(mail: KeptMail) -> str | None:
    """What opens the question; in the morning the headteacher gets other mails too."""
    bodies = [message.get_body(("plain",)) for message in mail.to("headteacher@")]
    found = [re.search(r"/a/(\S+)", body.get_content()) for body in bodies if body is not None]
    return next((one.group(1) for one in found if one), None)


def _canonical(school: School, post: int) -> str:
    with school.services.db.read() as session:
        return session.get_one(Version, session.get_one(Post, post).version_id).canonical
