"""A stored picture whose bytes are no longer those that were put there: it blocks, and people are told.

It may be a failing disk, and it may be somebody who swaps a picture after it was approved. So it is written into the
audit and mailed to whoever looks after the machine and to the headteacher, by the post's number and no word more.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.errors import GatekeeperError
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.digest import Content
from gatekeeper.posts.media import MediaDamaged, MediaStore
from gatekeeper.posts.model import Photo, Post, Publication, Version
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

ACTION = "photo.changed_on_disk"


def damaged(media: MediaStore, digests: Iterable[str]) -> frozenset[str]:
    """Those of the stored pictures that are missing, or are not the bytes that were put."""
    found = set()
    for digest in digests:
        try:
            media.read(digest)
        except MediaDamaged:
            found.add(digest)
    return frozenset(found)


def report(session: Session, post: Post, digests: Iterable[str], *, found_at: str, now: datetime) -> None:
    """Write down and tell that these pictures of a post were changed on the disk. Told of one twice, the mail goes once.

    Args:
        session: the caller's transaction.
        post: whose pictures they are.
        digests: what the bytes should have been.
        found_at: "check", "decision" or "publication".
        now: the moment.
    """
    bad = sorted(set(digests))
    photos = {
        digest: photo for photo in post.photos for digest in (photo.original_sha256, photo.rendition_sha256) if digest
    }
    people = session.scalars(
        select(Staff.id).where(Staff.role.in_((Role.ADMINISTRATOR, Role.HEADTEACHER)), Staff.active).order_by(Staff.id)
    ).all()
    for digest in bad:
        photo = photos.get(digest)
        log.critical("post %d: a stored picture was changed on the disk (found at the %s)", post.id, found_at)
        record(
            session,
            at=now,
            staff_id=None,
            action=ACTION,
            subject=f"photo:{photo.id}" if photo else f"post:{post.id}",
            detail={"post": post.id, "sha256": digest, "found_at": found_at},
        )
        for staff_id in people:
            tell(
                session,
                "photo_changed",
                staff_id=staff_id,
                subject=f"post:{post.id}:disk:{digest[:16]}",
                context={"post_id": post.id},
                now=now,
            )


def at_check(services: Services, photo_id: int, digests: Iterable[str]) -> None:
    """The same for a photo that was about to be looked at."""
    with services.step() as session:
        photo = session.get(Photo, photo_id)
        if photo is not None:
            report(session, photo.post, digests, found_at="check", now=services.clock.now())


def at_publication(services: Services, publication_id: int) -> None:
    """The same for the pictures of a publication that the gate has just refused."""
    with services.db.read() as session:
        publication = session.get_one(Publication, publication_id)
        version = session.get_one(Version, publication.version_id)
        try:
            digests = [photo.sha256 for photo in Content.from_canonical(version.canonical).photos]
        except (GatekeeperError, LookupError, TypeError, ValueError):  # erased, or not written by us
            return
    if bad := damaged(services.media, digests):
        with services.step() as session:
            post = session.get_one(Post, version.post_id)
            report(session, post, bad, found_at="publication", now=services.clock.now())
