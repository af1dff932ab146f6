"""Asks the person who is to decide, in writing, about the sealed version of a post.

It runs in the background and may run twice: only a post that is on its way to the headteacher is asked about, and
asking moves it on in the same transaction.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import requests
from approvals.requests import Summary
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.approvers import NobodyMayDecide
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Post, Version
from gatekeeper.posts.repository import current_version, findings_of, move, post_for_update
from gatekeeper.posts.status import FindingState, PostState
from gatekeeper.text.fold import fold_word
from gatekeeper.workflow.case_freeze import why_frozen
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.deciders import deciders
from gatekeeper.workflow.facts import is_inside
from gatekeeper.workflow.head_only import head_only
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.recheck import find_against, look_at_pictures, take_back
from gatekeeper.workflow.services import Services

_INNER_CAPITAL = re.compile(r"(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
_WORD = re.compile(r"[^\W\d_]+")

TOO_LATE = "Its time came before the headteacher could be asked. Choose a later time and send it again."


def run(services: Services, post_id: int) -> None:
    """Ask about one post that is on its way to the headteacher; anything else is left alone."""
    with services.db.read() as session:
        post = session.get(Post, post_id)
        if post is None or post.state != PostState.REQUESTING:
            return
        version = current_version(session, post)
    if version is None:
        return
    seen = look_at_pictures(services, version)
    now = services.clock.now()
    with services.step() as session:
        post = post_for_update(session, post_id)
        if post.state != PostState.REQUESTING or post.version_id != version.id:
            return  # it was edited or withdrawn while the pictures were read
        version = session.get_one(Version, version.id)
        due = Content.from_canonical(version.canonical).due
        if sentence := why_frozen(session, post):
            move(post, PostState.OPEN)
            post.note = sentence
        elif due <= now:
            expire(session, post, sentence=TOO_LATE, now=now)
        elif against := find_against(services, session, post, version, seen):
            take_back(session, post, against, now=now)
        else:
            _ask(session, post, version, now=now)


def expire(session: Session, post: Post, *, sentence: str, now: datetime) -> None:
    """Its time came without a decision: nothing is published, and the author is told."""
    move(post, PostState.EXPIRED)
    post.note = sentence
    tell(
        session,
        "expired",
        staff_id=post.author_id,
        subject=f"post:{post.id}:expired:{post.version_id}",
        context={"post_id": post.id, "sentence": sentence},
        now=now,
    )


def account_words(kind: str, name: str) -> str:
    """A channel as the head reads it."""
    return f"{label_of(kind)} ({name})"


def _ask(session: Session, post: Post, version: Version, *, now: datetime) -> None:
    try:
        why = head_only(session, version.id)
        approver = deciders(session, now=now).asked(author_id=post.author_id, head_only=why)
    except NobodyMayDecide as nobody:
        _say_nobody(session, post, str(nobody), now=now)
        return
    content = Content.from_canonical(version.canonical)
    request = requests.open_request(
        session,
        subject=subject_of(post.id),
        version_ref=str(version.id),
        digest=version.digest,
        title=_title(session, post),
        summary=_summary(session, post, content),
        override_asked=any(f.state == FindingState.OVERRIDE for f in findings_of(session, version.id)),
        author_id=post.author_id,
        approver_id=approver.id,
        now=now,
        expires_at=content.due,
    )
    move(post, PostState.WAITING)
    post.note = ""
    tell(
        session,
        "approval_request",
        staff_id=approver.id,
        subject=f"request:{request.id}",
        context={"request_id": request.id},
        now=now,
    )


def _say_nobody(session: Session, post: Post, sentence: str, *, now: datetime) -> None:
    """The post stays on its way; whoever can mend it is told, once for each version."""
    post.note = sentence
    administrators = session.scalars(select(Staff.id).where(Staff.role == Role.ADMINISTRATOR, Staff.active))
    for staff_id in sorted({post.author_id, *administrators}):
        tell(
            session,
            "cannot_request",
            staff_id=staff_id,
            subject=f"post:{post.id}:nobody:{post.version_id}",
            context={"post_id": post.id, "sentence": sentence},
            now=now,
        )


def _summary(session: Session, post: Post, content: Content) -> Summary:
    findings = findings_of(session, post.version_id or 0)
    faces = sum(is_inside(photo, face) for photo in post.photos for face in photo.faces)
    counts = {
        "photos": len(content.photos),
        "faces in them": faces if content.photos else 0,
        "points with a reason": sum(f.state == FindingState.ANSWERED for f in findings),
        "overrides asked": sum(f.state == FindingState.OVERRIDE for f in findings),
    }
    accounts = {account.id: account for account in _accounts(session, content)}
    return Summary(
        channels=tuple(account_words(c.kind, accounts[c.account_id].name) for c in content.channels),
        due_at=content.due,
        window_ends_at=content.due + timedelta(minutes=content.window_minutes),
        counts={what: number for what, number in counts.items() if number or what == "photos"},
    )


def _accounts(session: Session, content: Content) -> Sequence[ChannelAccount]:
    ids = [channel.account_id for channel in content.channels]
    return session.scalars(select(ChannelAccount).where(ChannelAccount.id.in_(ids))).all()


def _title(session: Session, post: Post) -> str:
    """The post's title, unless it names a pupil: it is shown to whoever holds the link, before the PIN.

    Accents, capitals, hidden signs and names that are run together, as in a hashtag, do not hide a name.
    """
    words = set(_words(post.title))
    run_together = "".join(_words(post.title))
    for names in session.execute(select(Pupil.first_name, Pupil.last_name, Pupil.known_as)).all():
        parts = {part for name in names for part in _words(name)}
        whole = ["".join(_words(f"{first} {names.last_name}")) for first in (names.first_name, names.known_as) if first]
        if words & parts or any(name in run_together for name in whole):
            return f"Post {post.id}"
    return post.title if words else f"Post {post.id}"


def _words(text: str) -> list[str]:
    """The words in plain small letters; a capital inside a word begins another."""
    apart = _INNER_CAPITAL.sub(" ", unicodedata.normalize("NFKC", text))
    return _WORD.findall(fold_word(apart))
