"""Removes a Facebook post with its photos. They may live on when their post is removed, each under its own address."""

from collections.abc import Callable, Sequence
from typing import Final, Literal

from gatekeeper.channels.errors import ChannelRefused, ContentRejected, PlatformUnavailable

Removed = Literal["deleted", "already_absent"]
_LEFT: Final = "photo {photo} is still there"


def remove_whole(photos: Sequence[str], remove: Callable[[str], Removed], post_id: str, *, platform: str) -> Removed:
    """Remove the photos and the post, each read to be gone.

    The photos are tried first, because once the post is gone nobody can read which they were. Where Facebook does not
    take a photo out of a post that stands, it is tried again after it.

    Args:
        photos: the ids of the post's photos; none where there is no such post.
        remove: removes one thing and reads that it is gone.
        post_id: the post.
        platform: the platform's name, for an error.

    Raises:
        ContentRejected: the post is gone, and one of its photos can still be seen.
    """
    left = [photo for photo in photos if not _is_removed(remove, photo)]
    done = remove(post_id)
    for photo in left:
        if not _is_removed(remove, photo):
            raise ContentRejected(platform=platform, operation="delete_post", detail=_LEFT.format(photo=photo))
    return "deleted" if photos else done


def _is_removed(remove: Callable[[str], Removed], photo: str) -> bool:
    try:
        remove(photo)
    except (ChannelRefused, PlatformUnavailable):
        return False
    return True
