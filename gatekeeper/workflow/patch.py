"""Covering a part of a photo that is no face: a name badge, a certificate, a screen, a code.

A patch only ever shows less. It lies in the published picture alone, and like a covered face it has the photo made
again and checked again, so that what was legible before is read again and found gone.
"""

from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.errors import Conflict, NotFound
from gatekeeper.people.staff import record
from gatekeeper.posts.model import Finding, Patch, Photo, Post, Version
from gatekeeper.posts.repository import findings_of
from gatekeeper.workflow.answerable import Box, bad, look_again, own_photo, said, within
from gatekeeper.workflow.own_post import own_post
from gatekeeper.workflow.photo_findings import photo_number
from gatekeeper.workflow.services import Services

SMALLEST: Final = 8  # pixels a side
MOST: Final = 60
SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 300
_MARGIN: Final = 0.15  # of the shorter side: letters run a little beyond the box they were read in
_LEAST_MARGIN: Final = 4.0


def add_patch(services: Services, photo_id: int, *, by: int, box: Box) -> int:
    """Cover this part of the photo in what will be published; the patch's id is given back.

    Raises:
        BadInput: the box holds nothing.
        Conflict: the post is not with its author.
    """
    with services.step() as session:
        photo, post = own_photo(session, photo_id, by)
        return _place(services, session, post, photo, box, by=by)


def cover_finding(services: Services, finding_id: int, *, by: int) -> int:
    """Cover the place in a photo that a finding speaks of.

    Raises:
        BadInput: the finding is not about a place in a photo.
        Conflict: the post was changed since.
    """
    with services.step() as session:
        finding = session.get(Finding, finding_id)
        version = session.get(Version, finding.version_id) if finding else None
        if finding is None or version is None:
            raise NotFound("There is no such finding, or it is not yours to see.")
        post = own_post(session, version.post_id, by)
        if finding not in findings_of(session, post.version_id or 0) or version.revision != post.revision:
            raise Conflict("The post was changed since this was found. Reload the page and look again.")
        number = photo_number(finding.field)
        if number is None or not finding.box or number > len(post.photos):
            raise bad("box", "This is not about one place in a photo. Draw a box around what should be covered.")
        photo, post = own_photo(session, post.photos[number - 1].id, by)
        x1, y1, x2, y2 = finding.box
        margin = max(min(x2 - x1, y2 - y1) * _MARGIN, _LEAST_MARGIN)
        return _place(services, session, post, photo, (x1 - margin, y1 - margin, x2 + margin, y2 + margin), by=by)


def remove_patch(services: Services, patch_id: int, *, by: int) -> None:
    """Take a patch off again; what is under it is looked at again and may be found again."""
    now = services.clock.now()
    with services.step() as session:
        patch = session.get(Patch, patch_id)
        if patch is None:
            raise NotFound("There is no such cover, or it is not yours to see.")
        photo, post = own_photo(session, patch.photo_id, by)
        session.refresh(photo)
        patch = next((one for one in photo.patches if one.id == patch_id), None)
        if patch is None:
            raise NotFound("There is no such cover, or it is not yours to see.")
        photo.patches.remove(patch)
        about = {"post": post.id}
        record(session, at=now, staff_id=by, action="patch.removed", subject=f"photo:{photo.id}", detail=about)
        look_again(session, post, (photo,), by=by, now=now)


def set_sharpness(services: Services, photo_id: int, *, by: int, full_size: bool, reason: str = "") -> None:
    """Publish a photo as sharp as may be, with a reason for the headteacher, or at the lower size again.

    Raises:
        BadInput: there is no reason.
        Conflict: the post is not with its author.
    """
    now = services.clock.now()
    with services.step() as session:
        photo, post = own_photo(session, photo_id, by)
        ask = "Say in a sentence why everybody has to see it this sharp."
        words = (
            said(reason, "sharp", least=SHORTEST_REASON, most=LONGEST_REASON, ask=ask) if full_size else ""
        )  # the same sentence again is no change
        if (photo.full_size, photo.full_size_reason) == (full_size, words):
            return
        made_again = photo.full_size != full_size
        photo.full_size, photo.full_size_reason = full_size, words
        action = "photo.kept_sharp" if full_size else "photo.made_smaller"
        record(session, at=now, staff_id=by, action=action, subject=f"photo:{photo_id}", detail={"post": post.id})
        if made_again:
            look_again(session, post, (photo,), by=by, now=now)


def _place(services: Services, session: Session, post: Post, photo: Photo, box: Box, *, by: int) -> int:
    now = services.clock.now()
    x1, y1, x2, y2 = within(photo, box)
    if min(x2 - x1, y2 - y1) < SMALLEST:
        raise bad("box", "This box is too small. Draw it around the whole of what should be covered.")
    if len(photo.patches) >= MOST:
        raise bad("box", "Very much of this photo is covered already. Crop it, or choose another photo.")
    patch = Patch(photo_id=photo.id, x1=x1, y1=y1, x2=x2, y2=y2, placed_by=by, placed_at=now)
    photo.patches.append(patch)
    session.flush()
    about = {"post": post.id}
    record(session, at=now, staff_id=by, action="patch.placed", subject=f"photo:{photo.id}", detail=about)
    look_again(session, post, (photo,), by=by, now=now)
    return patch.id
