"""The photos of a draft: taken in one at a time, put in order, taken out.

The original is kept privately; what may become public is made anew from bare pixels by a limited child process. The
slow part is done before the transaction, so that nobody waits for a picture to be opened.
"""

from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import record
from gatekeeper.policy import limits
from gatekeeper.posts import media
from gatekeeper.posts.model import Photo, Post
from gatekeeper.posts.status import EDITABLE, VOIDED_BY_EDIT, PostState
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.own_post import own_post
from gatekeeper.workflow.services import Services

_FULL: Final = f"A post takes {limits.MAX_PHOTOS} photos at most. Remove one before you add another."
_TWICE: Final = "This photo is in the post already."


def add_photo(services: Services, post_id: int, by: int, *, data: bytes, file_name: str) -> int:
    """Take one photo into a saved draft; its id is given back.

    Raises:
        BadInput: the file is no picture that can be published, it is here already, or there are four.
        Conflict: the post has been sent.
    """
    with services.db.read() as session:
        _check_room(_editable(own_post(session, post_id, by)))
    try:
        kind = media.identify(data)
        (width, height), rendition = media.publishable(data)
    except media.PictureRefused as refused:
        raise _bad(str(refused)) from refused
    original = services.media.put(data, f".{kind.value}")
    shown = services.media.put(rendition.data, ".jpg")
    now = services.clock.now()
    with services.step() as session:
        post = _editable(own_post(session, post_id, by))
        if any(photo.original_sha256 == original for photo in post.photos):
            raise _bad(_TWICE)
        _check_room(post)
        touch(session, post, by=by, now=now)
        photo = Photo(
            post_id=post.id,
            position=max((photo.position for photo in post.photos), default=-1) + 1,
            file_name=_plain_name(file_name),
            original_sha256=original,
            preview_sha256=shown,
            width=width,
            height=height,
            rendition_sha256=shown,
            rendition_width=rendition.width,
            rendition_height=rendition.height,
            added_at=now,
        )
        post.photos.append(photo)
        session.flush()
        return photo.id


def remove_photo(services: Services, photo_id: int, by: int) -> int:
    """Take a photo out of the post, with its boxes and answers; the post's id is given back."""
    now = services.clock.now()
    with services.step() as session:
        photo, post = own_photo(session, photo_id, by)
        touch(session, post, by=by, now=now)
        post.photos.remove(photo)
        for position, left in enumerate(post.photos):
            left.position = position
        about = {"post": post.id}
        record(session, at=now, staff_id=by, action="photo.removed", subject=f"photo:{photo_id}", detail=about)
        return post.id


def move_photo(services: Services, photo_id: int, by: int, *, later: bool) -> int:
    """Swap the photo with its neighbour before or after it; the post's id is given back. At the end nothing moves."""
    now = services.clock.now()
    with services.step() as session:
        photo, post = own_photo(session, photo_id, by)
        order = sorted(post.photos, key=lambda one: one.position)
        at = order.index(photo)
        to = at + (1 if later else -1)
        if 0 <= to < len(order):
            touch(session, post, by=by, now=now)
            order[at], order[to] = order[to], order[at]
            for position, one in enumerate(order):
                one.position = position
        return post.id


def own_photo(session: Session, photo_id: int, by: int) -> tuple[Photo, Post]:
    """A photo of the author's own post that may be changed now."""
    photo = session.get(Photo, photo_id)
    if photo is None:
        raise NotFound("There is no such photo, or it is not yours to see.")
    return photo, _editable(own_post(session, photo.post_id, by))


def _editable(post: Post) -> Post:
    state = PostState(post.state)
    if state not in EDITABLE:
        raise Conflict("This post can no longer be changed: it has been sent.")
    if state in VOIDED_BY_EDIT or state is PostState.SCANNING:
        raise Conflict("This post has been sent. Take it back to change its photos.")
    return post


def _check_room(post: Post) -> None:
    if len(post.photos) >= limits.MAX_PHOTOS:
        raise _bad(_FULL)


def _plain_name(file_name: str) -> str:
    """The name as it was on the person's computer, without its folder; it is only ever read, never a path."""
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in name if sign.isprintable())[:200]


def _bad(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"photo": sentence})
