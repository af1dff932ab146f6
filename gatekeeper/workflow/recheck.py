"""Looks again, before the headteacher is asked and before a yes counts, whether the sealed version still stands.

Between the check and the decision a family may withdraw its permission, a channel may be closed, a stored picture may
be damaged, a child may have come whose name stands in the post. Whatever no longer stands takes the post back to where
somebody can mend it; it never goes on regardless.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import requests
from gatekeeper import jobs
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.verdict import is_pupil_name
from gatekeeper.posts.digest import Content, digest_of
from gatekeeper.posts.model import Post, Version
from gatekeeper.posts.repository import accounts_of, content_of, findings_of, move
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import incident
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.facts import open_items_of
from gatekeeper.workflow.legible import reading_of
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.sharpness import is_too_large
from gatekeeper.workflow.wise import sync_wise
from gatekeeper.workflow.words import found_in

CHANGED = "Something changed since this post was checked, so it went back to its author."
DAMAGED = "A stored photo was damaged. It is being prepared and checked again."
NAMED_SINCE = "A name in this post is a pupil's name on the register now. It is being checked again."
STRICTER = "The rules became stricter since this post was checked. It is being checked again."
NOT_READ = "The reader of letters was replaced since this post was checked. It is being checked again."
TOO_SHARP = "Somebody was found in a photo after it was prepared, so it is made again at a lower resolution."


@dataclass(frozen=True)
class Seen:
    """The stored pictures of one version, read and hashed from the disk before the transaction began."""

    version_id: int
    whole: frozenset[str]


@dataclass(frozen=True)
class Against:
    """Why a version no longer stands: sentences for the author, and what has to be done again before anybody can mend it.

    Attributes:
        damaged: the pictures that are no longer what they were.
        check_again: it has to be checked again, for somebody is named or shown in it who was not known of before.
    """

    sentences: tuple[str, ...]
    damaged: frozenset[str] = frozenset()
    check_again: bool = False


def look_at_pictures(services: Services, version: Version) -> Seen:
    """Read every picture of the version from the disk and hash it. Slow, so it is done outside any transaction."""
    wanted = {photo.sha256 for photo in Content.from_canonical(version.canonical).photos}
    return Seen(version.id, frozenset(wanted - incident.damaged(services.media, wanted)))


def find_against(services: Services, session: Session, post: Post, version: Version, seen: Seen) -> Against | None:
    """Everything that no longer stands, or None: content, pictures, permissions, channels and names, at this instant."""
    content = Content.from_canonical(version.canonical)
    wanted = frozenset(photo.sha256 for photo in content.photos)
    if seen.version_id != version.id or not wanted <= seen.whole:
        return Against((DAMAGED,), damaged=wanted - seen.whole)
    if (
        digest_of(version.canonical) != version.digest
        or version.revision != post.revision
        or content_of(session, post).canonical() != version.canonical
    ):
        return Against(("The stored post is not the one that was checked. Please send it for checking again.",))
    if any(is_too_large(photo) for photo in post.photos):
        return Against((TOO_SHARP,), check_again=True)
    sync_wise(services, session, post)
    if items := open_items_of(services, session, post):
        return Against(tuple(item.sentence for item in items))
    if since := _found_since(session, post, version):
        return Against((since,), check_again=True)
    return None


def _found_since(session: Session, post: Post, version: Version) -> str:
    """What the roll and the rules of this moment find in the post that blocks, and that the check did not know.

    A rule that was softened since changes nothing: what was found under the stricter one stays for the headteacher.
    """
    if any(reading_of(session, photo.rendition_sha256) is None for photo in post.photos):
        return NOT_READ  # an unread picture would be met with silence below
    known = {
        (finding.rule, finding.field, finding.quote)
        for finding in findings_of(session, version.id)
        if finding.severity == "block"  # what was milder then was never put to the headteacher
    }
    fresh = [
        told
        for told in found_in(session, post, accounts_of(session, post))
        if told.severity == "block" and (told.rule, told.field, told.quote) not in known
    ]
    if any(is_pupil_name(told.rule) for told in fresh):
        return NAMED_SINCE
    return STRICTER if fresh else ""


def take_back(session: Session, post: Post, against: Against, *, now: datetime) -> None:
    """Close the question, put the post back where it can be mended, and tell its author (of damage, the office too).

    The sentences may say which permission is gone, so they stand on the post's page and not in the e-mail.
    """
    requests.void_requests(session, subject_of(post.id), reason=CHANGED, now=now)
    post.note = " ".join(against.sentences)
    people = {post.author_id}
    if against.damaged:
        incident.report(session, post, against.damaged, found_at="decision", now=now)
        for photo in post.photos:
            if photo.rendition_sha256 in against.damaged:
                photo.rendition_sha256 = None  # the check makes it again from the original, and looks at it again
        move(post, PostState.SCANNING)
        jobs.order(session, jobs.SCAN, post.id, now=now)
        people.update(session.scalars(select(Staff.id).where(Staff.role == Role.ADMINISTRATOR, Staff.active)))
    elif against.check_again:
        move(post, PostState.SCANNING)
        jobs.order(session, jobs.SCAN, post.id, now=now)
    else:
        move(post, PostState.OPEN)
    for staff_id in sorted(people):
        tell(
            session,
            "cannot_request",
            staff_id=staff_id,
            subject=f"post:{post.id}:back:{now:%Y%m%dT%H%M%S}",
            context={"post_id": post.id, "sentence": DAMAGED if against.damaged else CHANGED},
            now=now,
        )
