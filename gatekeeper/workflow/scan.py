"""The check of one post: make the renditions that are missing, seal the version, look at every photo and every word.

Nothing is called clean by default. A photo that could not be looked at in full keeps its problem and blocks; a crash
in the middle leaves the post in *being checked*, to be checked again. Photos are looked at side by side; one that fails
never keeps what was found in the others from being written down.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.posts.model import Photo, Post
from gatekeeper.posts.repository import accounts_of, move, post_for_update, seal
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.facts import open_items_of
from gatekeeper.workflow.legible import Looked
from gatekeeper.workflow.look import Task, look_at_photo, task_of
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.wise import sync_wise
from gatekeeper.workflow.words import check_words

log = logging.getLogger(__name__)

AT_ONCE: Final = 2  # the work is done by children, one for each core; here it is mostly waited
LARGE: Final = 24_000_000  # pixels; such a photo is looked at alone, so that two never fill the memory


def scan(services: Services, post_id: int) -> None:
    """Check one post that is waiting for it; anything else is left alone."""
    with services.db.read() as session:
        post = session.get(Post, post_id)
        if post is None or post.state != PostState.SCANNING:
            return
        revision = post.revision
        tasks = [task_of(photo) for photo in post.photos]
    looked = _look_at_all(services, post_id, tasks)
    _tell_progress(services, post_id, "Reading the words")
    _conclude(services, post_id, revision, looked)


def give_up(services: Services, post_id: int, reason: str) -> None:
    """Say that the check did not come to an end. The post stays blocked; the author can start it again."""
    with services.step() as session:
        post = post_for_update(session, post_id)
        if post.state == PostState.SCANNING:
            move(post, PostState.SCAN_FAILED)
            post.note, post.progress = reason, ""


def _look_at_all(services: Services, post_id: int, tasks: list[Task]) -> list[Looked]:
    """Every photo looked at, small ones side by side. A crash in one is raised once the others are written down."""
    done = 0

    def one(task: Task) -> Looked | None:
        nonlocal done
        found = look_at_photo(services, task)
        done += 1
        _tell_progress(services, post_id, f"Looked at {done} of {len(tasks)} photos")
        return found

    if tasks:
        _tell_progress(
            services, post_id, "Looking at the photo" if len(tasks) == 1 else f"Looking at {len(tasks)} photos"
        )
    at_once = 1 if any(task.width * task.height > LARGE for task in tasks) else AT_ONCE
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="look") as pool:
        futures = [pool.submit(one, task) for task in tasks]
    return [found for future in futures if (found := future.result()) is not None]


def _tell_progress(services: Services, post_id: int, words: str) -> None:
    with services.step() as session:
        post = session.get_one(Post, post_id)
        if post.state == PostState.SCANNING:
            post.progress = words


def _conclude(services: Services, post_id: int, revision: int, looked: Sequence[Looked]) -> None:
    """Seal what was looked at, write down the findings, and say whose turn it is."""
    now = services.clock.now()
    with services.step() as session:
        post = post_for_update(session, post_id)
        if post.state != PostState.SCANNING:
            return
        if post.revision != revision:  # it changed under the check: check what it is now
            jobs.order(session, jobs.SCAN, post.id, now=now)
            return
        post.progress = ""
        if problem := _first_problem(session, post):
            move(post, PostState.SCAN_FAILED)
            post.note = problem
            return
        in_hand = {one.photo_id: one.rendition for one in looked}
        if any(in_hand.get(photo.id) != photo.rendition_sha256 for photo in post.photos):  # made again meanwhile
            jobs.order(session, jobs.SCAN, post.id, now=now)
            return
        version = seal(session, post, now=now)
        check_words(session, post, version, accounts_of(session, post), looked)
        sync_wise(services, session, post)
        if post.send_when_clear and post.asked_first is None and not open_items_of(services, session, post):
            move(post, PostState.REQUESTING)
            jobs.order(session, jobs.REQUEST, post.id, now=now)
        else:
            move(post, PostState.OPEN)


def _first_problem(session: Session, post: Post) -> str:
    for number, photo in enumerate(
        session.scalars(select(Photo).where(Photo.post_id == post.id).order_by(Photo.position)), 1
    ):
        if photo.rendition_sha256 is None or photo.scanned_sha256 != photo.original_sha256:
            return f"Photo {number} could not be scanned: {photo.problem or 'try again.'}"
    return ""
