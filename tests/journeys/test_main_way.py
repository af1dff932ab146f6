"""A post's whole way, as people walk it: the demo's real processes, a real browser, real mail, the real detectors.

A teacher posts two photos, answers for every face but one and sees that it still blocks, covers the last; the
headteacher opens the link out of the e-mail that arrived by SMTP and decides in writing; at its time the post is on
each simulated platform, once, with its descriptions and without a trace of what was hidden in the files.
"""

import email
import email.policy
import hashlib
import io
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from json import loads
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

CANARY = "Canary Applethwaite"
TEXT = "A visitor told us about the very first computers. Thank you for coming!"
#: one of the evaluation photos with several faces in good light; without that data a portrait beside itself serves
GROUP = "faces/detect/dlib__2009_004587.jpg"


@dataclass(frozen=True)
class Demo:
    """The running demo and what its box says."""

    data: Path
    site: str
    timelines: str
    password: str
    pin: str
    process: subprocess.Popen[str]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    data = tmp_path / "school"
    running = subprocess.Popen(
        [sys.executable, "-m", "gatekeeper", "demo", "--data", str(data), "--port", "8100"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
    )
    assert running.stdout is not None
    box = ""
    for line in running.stdout:
        box += line
        if "└" in line:
            break
    else:
        pytest.fail(f"the demo did not start:\n{box}")
    yield Demo(
        data=data,
        site=_found(r"Site\s+(http://\S+)", box),
        timelines=_found(r"Timelines\s+(http://\S+)", box),
        password=_found(r"Password for each: (\S+)", box),
        pin=_found(r"PIN for decisions: (\d+)", box),
        process=running,
    )
    if running.poll() is None:
        running.send_signal(signal.SIGINT)
    running.wait(timeout=30)
    running.stdout.close()


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, f"{pattern!r} is not in:\n{text}"
    return match.group(1)


def _until(true: Callable[[], object], *, seconds: float = 60, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.3)


def _portrait() -> Image.Image:
    package = find_spec("matplotlib")  # never imported: only this one file of it is used
    assert package is not None
    assert package.origin is not None
    with Image.open(Path(package.origin).parent / "mpl-data/sample_data/grace_hopper.jpg") as stored:
        return stored.convert("RGB")


def _save(image: Image.Image, path: Path) -> Path:
    """A picture with a name and a place hidden in every corner of the file."""
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = CANARY
    image.save(path, "JPEG", quality=92, exif=exif, comment=CANARY.encode())
    assert CANARY.encode() in path.read_bytes()
    return path


def _group(folder: Path) -> Path:
    evaluation = os.environ.get("GATEKEEPER_EVAL_DATA")
    if evaluation:
        with Image.open(Path(evaluation) / GROUP) as stored:
            return _save(stored.convert("RGB"), folder / "group.jpg")
    portrait = _portrait()
    pair = Image.new("RGB", (portrait.width * 2, portrait.height))
    pair.paste(portrait, (0, 0))
    pair.paste(portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (portrait.width, 0))
    return _save(pair, folder / "group.jpg")


def _state(demo: Demo) -> dict[str, Any]:
    with urllib.request.urlopen(f"{demo.timelines}/_sim/state") as answer:
        state: dict[str, Any] = loads(answer.read())
    return state


def _mails(demo: Demo, words: str) -> list[email.message.EmailMessage]:
    found = []
    for path in sorted((demo.data / "mail").glob("*.eml")):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(mail, email.message.EmailMessage)
        if words in str(mail["Subject"]):
            found.append(mail)
    return found


def test_a_post_goes_its_whole_way(demo: Demo, page: Page, tmp_path: Path) -> None:
    _sign_in(page, demo, "teacher")
    due = _write(page, demo, _group(tmp_path), _save(_portrait(), tmp_path / "visitor.jpg"))
    post = page.url

    # every face starts unknown and blocks
    faces = page.locator(".face")
    assert faces.count() >= 3
    assert page.get_by_role("button", name="Send to the headteacher").is_disabled()
    assert page.locator(".face-open").count() == faces.count()

    # all but one are answered for: it still blocks
    while page.locator(".face-open").count() > 1:
        left = page.locator(".face-open").count()
        face = page.locator(".face-open").first
        face.get_by_label("Who is this?").fill("A visitor, was asked")
        face.get_by_role("button", name="Other adult").click()
        page.wait_for_function("n => document.querySelectorAll('.face-open').length < n", arg=left)
    assert page.get_by_role("button", name="Send to the headteacher").is_disabled()

    face = page.locator(".face-open").first
    face.get_by_role("button", name="Cover").click()
    _until(lambda: _ready(page, post), seconds=90, what="the covered photo to be checked again")
    page.get_by_role("button", name="Send to the headteacher").click()

    # the mail that really arrived leads to the decision; opening it any number of times decides nothing
    _until(lambda: _mails(demo, "waiting for your decision"), what="the mail to the headteacher")
    (mail,) = _mails(demo, "waiting for your decision")
    assert str(mail["To"]).startswith("head@")
    body = mail.get_body(("plain",))
    assert body is not None
    link = _found(r"(http://\S+/a/\S+)", body.get_content())
    for _ in range(5):  # a mail scanner that follows the link, keeps cookies and comes back
        scanner = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with scanner.open(link) as answer:
            assert answer.status == 200
    assert datetime.now(ZoneInfo("UTC")) < due, "the machine was too slow for the time that was chosen"
    _decide(page, link, demo.pin)

    # nothing before its time, then once on each platform
    assert not _live(demo)
    _until(lambda: len(_live(demo)) == 3, seconds=max(5.0, (due - datetime.now(ZoneInfo("UTC"))).total_seconds()) + 40,
           what="the post on every platform")  # fmt: skip
    assert datetime.now(ZoneInfo("UTC")) >= due
    time.sleep(3)
    live = _live(demo)
    assert sorted(one["kind"] for one in live) == ["facebook", "linkedin", "x"]
    page.goto(demo.timelines)
    assert page.get_by_text(TEXT).count() == 3

    # what the public got is what was decided on, with its descriptions and nothing hidden
    stored = {picture["id"]: picture for picture in _state(demo)["pictures"]}
    for one in live:
        pictures = [stored[picture_id] for picture_id in one["picture_ids"]]
        assert [picture["alt"] for picture in pictures] == ["Description of photo 1", "Description of photo 2"]
        for picture in pictures:
            with urllib.request.urlopen(f"{demo.timelines}/picture/{picture['id']}") as answer:
                data = answer.read()
            digest = hashlib.sha256(data).hexdigest()
            assert digest == picture["sha256"]
            assert digest in _approved_pictures(demo)
            assert CANARY.encode() not in data
            with Image.open(io.BytesIO(data)) as seen:
                assert not seen.getexif()
                assert not seen.info.get("comment")

    # author and head are told, with the address of the post
    _until(lambda: len(_mails(demo, "ublished")) >= 2, what="the mails about the publication")
    _sign_in(page, demo, "teacher")
    page.goto(post)
    assert page.get_by_role("link", name=re.compile("See it on")).count() == 3
    assert not _names_in_logs(demo)


def _sign_in(page: Page, demo: Demo, who: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{demo.site}/signin")
    page.get_by_label("E-mail").fill(f"{who}@merrowfold.example")
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{demo.site}/")


def _write(page: Page, demo: Demo, *photos: Path) -> datetime:
    page.goto(f"{demo.site}/posts/new")
    page.get_by_label("Title").fill("A visitor in Year 4")
    page.get_by_label("Text").fill(TEXT)
    for box in page.locator("input[name=channels]").all():
        box.check()
    for number, photo in enumerate(photos, start=1):
        page.set_input_files("#photo", photo)
        page.locator(".photo-card").nth(number - 1).wait_for(timeout=30_000)
    for number, card in enumerate(page.locator(".photo-card").all(), start=1):
        card.locator("textarea").fill(f"Description of photo {number}")
        card.locator("input[value=adults]").check()
        card.locator("input[name^=basis]").fill("They were asked and agreed")
    soon = datetime.now(ZoneInfo("Europe/London")) + timedelta(seconds=240)  # three minutes at least
    due = soon.replace(second=0, microsecond=0)
    page.locator("#due_date").fill(f"{due:%Y-%m-%d}")
    page.locator("#due_time").fill(f"{due:%H:%M}")
    page.get_by_role("button", name="Send to be checked").click()
    page.wait_for_url(re.compile(r"/posts/\d+$"))
    page.get_by_text("Needs your answers").wait_for(timeout=90_000)
    return due.astimezone(ZoneInfo("UTC"))


def _ready(page: Page, post: str) -> bool:
    page.goto(post)
    return (
        page.locator(".face-open").count() == 0
        and page.get_by_role("button", name="Send to the headteacher").is_enabled()
    )


def _decide(page: Page, link: str, pin: str) -> None:
    page.context.clear_cookies()
    page.goto(link)
    assert "/a/" not in page.url, "the token is out of the address"
    assert page.get_by_text(TEXT).count() == 0, "before the PIN nothing of the post is shown"
    page.get_by_label("PIN").fill(pin)
    page.get_by_role("button", name="Show me the post").click()
    assert page.get_by_text(TEXT).count() >= 1
    page.get_by_role("link", name="Approve", exact=True).click()
    page.get_by_label("In your words").fill("I have looked at both photos and approve this.")
    page.get_by_label("Your name, typed as a signature").fill("The headteacher")
    page.get_by_role("button", name="Approve this post").click()
    page.get_by_text("Your decision is recorded").wait_for()


def _live(demo: Demo) -> list[dict[str, Any]]:
    return [post for post in _state(demo)["posts"] if post["live"]]


def _approved_pictures(demo: Demo) -> str:
    """The canonical content that was decided on, as the database holds it."""
    with closing(sqlite3.connect(demo.data / "gatekeeper.db")) as database:
        rows = database.execute(
            "SELECT version.canonical FROM version JOIN decision ON decision.digest = version.digest"
        ).fetchall()
    (canonical,) = {row[0] for row in rows}
    return str(canonical)


def _names_in_logs(demo: Demo) -> list[str]:
    """Words of the draft or pupils' names that reached a log."""
    with closing(sqlite3.connect(demo.data / "gatekeeper.db")) as database:
        names = [" ".join(row) for row in database.execute("SELECT first_name, last_name FROM pupil")]
    assert names
    hits = []
    for path in (demo.data / "logs").glob("*.log"):
        text = path.read_text(errors="replace")
        hits += [f"{word} in {path.name}" for word in (TEXT, CANARY, *names) if word in text]
    return hits
