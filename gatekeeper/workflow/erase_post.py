"""Erases one post: its words, pictures, answers and findings go; that it was, and was decided about, stays.

A version keeps its digest, the ledger its hashes, a publication its place and time. What has no words left can never be
sent (`db/guards`). The files go afterwards, once nobody refers to them (`purge_files`).
"""

from datetime import datetime

from sqlalchemy import delete, null, select, update
from sqlalchemy.orm import Session

from approvals import erasure
from gatekeeper.people.own_rules import WordQuestion
from gatekeeper.posts.model import Attempt, ChangeReply, Finding, Photo, Post, Publication, Version
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.purge_rule import done
from gatekeeper.workflow.takedown_words import forget_wishes


def erase(session: Session, post: Post, *, why: str, now: datetime) -> None:
    """Erase this post in the caller's transaction, which holds it locked and has asked whether it may go.

    Args:
        session: the caller's transaction.
        post: the post.
        why: the class of data whose time is over, for the ledger.
        now: the moment.
    """
    post.erased_at = now
    post.title = post.text = post.note = post.progress = ""
    post.wordings, post.held_for_consent = {}, False
    session.flush()  # the database lets go of a version's words only once its post is marked
    versions = select(Version.id).where(Version.post_id == post.id)
    publications = select(Publication.id).where(Publication.version_id.in_(versions))
    for table, condition in (
        (Photo, Photo.post_id == post.id),  # with its faces, every answer about them, and what was covered
        (Finding, Finding.version_id.in_(versions)),
        (ChangeReply, ChangeReply.post_id == post.id),
        (WordQuestion, WordQuestion.post_id == post.id),
    ):
        done(session, delete(table).where(condition))
    forget_wishes(session, session.scalars(publications).all())
    done(session, update(Version).where(Version.post_id == post.id).values(canonical="", originals=null()))
    done(session, update(Publication).where(Publication.id.in_(publications)).values(problem=""))
    done(session, update(Attempt).where(Attempt.publication_id.in_(publications)).values(detail=""))
    erasure.erase_words(session, subject_of(post.id), why=why, now=now)
    session.expire(post)
