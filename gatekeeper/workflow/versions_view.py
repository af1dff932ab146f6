"""The page that compares two versions of a post, for whoever may read the post.

Who may see no photo and no face reads no words either: they are told which version was made by whom and when, and what
was said of it, and what kind of thing changed.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.errors import NotFound
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.asked_changes import Exchange, exchanges_of
from gatekeeper.workflow.compare import Comparison, VersionShown, compare, last_asked, versions_of
from gatekeeper.workflow.own_post import may_see_pictures, readable_post
from gatekeeper.workflow.services import Services

_NONE: Final = "There is no such post, or it is not yours to see."


@dataclass(frozen=True, kw_only=True)
class VersionsView:
    """Everything on the page.

    Attributes:
        words: whether this person may read the words and see the photos.
        can_open: whether this person may open the post itself.
        pictures: digest of a picture -> the photo whose picture it still is, so that it can be shown.
        exchanges: what was asked for and answered, the last first.
    """

    post_id: int
    title: str
    can_open: bool
    words: bool
    versions: tuple[VersionShown, ...]
    comparison: Comparison | None
    pictures: dict[str, int]
    exchanges: tuple[Exchange, ...]


def versions_view(services: Services, post_id: int, by: Staff, *, before: str = "", after: str = "") -> VersionsView:
    """The page for this reader; without a choice, what was last asked about beside the newest.

    Raises:
        NotFound: there is no such post or version, or none for this person.
    """
    with services.db.read() as session:
        post = _post(session, post_id, by)
        versions = versions_of(session, post)
        words = may_see_pictures(session, post, by, now=services.clock.now())
        found = None
        if len(versions) > 1 or before or after:
            found = compare(session, post, before or last_asked(session, post) or "", after or versions[0].key)
        return VersionsView(
            post_id=post.id,
            title=(post.title if Role(by.role) is not Role.AUDITOR else "") or f"Post {post.id}",
            can_open=Role(by.role) is not Role.AUDITOR,
            words=words,
            versions=versions,
            comparison=found,
            pictures={photo.rendition_sha256: photo.id for photo in post.photos if photo.rendition_sha256}
            if words
            else {},
            exchanges=exchanges_of(session, post, by=by.id) if words else (),
        )


def _post(session: Session, post_id: int, by: Staff) -> Post:
    """A post whose versions this person may look through. The auditor may, without its words."""
    if Role(by.role) is not Role.AUDITOR:
        return readable_post(session, post_id, by)
    post = session.get(Post, post_id)
    if post is None or (post.state == PostState.DRAFT and post.version_id is None):
        raise NotFound(_NONE)
    return post
