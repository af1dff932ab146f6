"""A post that is held because a child in it may not be shown or named any more: it goes no further until that is mended.

Of a face the register's own answer says so already; what is told here is the name in the words, and nobody's name with
it: whose permission it was is the register's business, not the author's.
"""

from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.consent import answer_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Post
from gatekeeper.posts.public import ConsentReview, ReviewItem
from gatekeeper.posts.repository import accounts_of
from gatekeeper.posts.status import EDITABLE, PostState
from gatekeeper.workflow.appearances import NAMED, appearances
from gatekeeper.workflow.services import Services

HELD_NOTE: Final = (
    "A photo or a name in this post cannot be used now. Cover the face, take the photo out, or change the words, and "
    "send it again."
)
_NAMED: Final = "The words name a child who cannot be named now. Change the words."


def held_words(session: Session, post: Post, *, today: date) -> str:
    """What still holds the post beside its faces, as a sentence for its author; empty where nothing does."""
    if not post.held_for_consent:
        return ""
    return _NAMED if NAMED in _against(session, post, today=today) else ""


def run(services: Services) -> None:
    """Let go of the posts in which nobody stands any more who may not: mended, or permitted again. Part of the sweep."""
    today = london(services.clock.now()).date()
    with services.db.read() as session:  # most times nobody has mended anything, and then no writer's place is taken
        held = session.scalars(
            select(Post).where(Post.held_for_consent, Post.state.in_(EDITABLE), Post.state != PostState.WITHDRAWN)
        )
        free = [post.id for post in held if not _against(session, post, today=today)]
    for number in sorted(free):
        with services.step() as session:
            release(session, session.get_one(Post, number, with_for_update=True), today=today)


def release(session: Session, post: Post, *, today: date) -> None:
    """Let go of the post if nobody in it speaks against it any more. The caller has locked it."""
    if post.held_for_consent and not _against(session, post, today=today):
        post.held_for_consent = False
        post.note = "" if post.note == HELD_NOTE else post.note


def _against(session: Session, post: Post, *, today: date) -> set[str]:
    """How the working copy still shows ("shown", "named") a child for whom it was held and who may not be."""
    pupils = select(ConsentReview.pupil_id).join(ReviewItem, ReviewItem.review_id == ConsentReview.id)
    kinds = {account.kind for account in accounts_of(session, post)} or set(
        session.scalars(select(ChannelAccount.kind).distinct())
    )
    ways = set()
    for pupil_id in session.scalars(
        pupils.where(ReviewItem.post_id == post.id, ReviewItem.publication_id.is_(None)).distinct()
    ):
        pupil = session.get_one(Pupil, pupil_id)
        answers = [answer_for(session, pupil, kind, today=today, words=label_of(kind)) for kind in sorted(kinds)]
        if not all(answer.allowed for answer in answers):
            ways |= {one.working for one in appearances(session, pupil_id, only=[post.id])} - {""}
    return ways
