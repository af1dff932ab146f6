"""Rows of a school that lie some days back, for tests about what is kept for how long."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from gatekeeper.cases.model import Case, CaseEntry
from gatekeeper.posts.model import Photo, Post, Publication, Version
from gatekeeper.posts.public import Takedown
from gatekeeper.posts.status import PostState, PublicationState
from tests.factories.school import School


def aged_post(school: School, *, days: float, state: PostState = PostState.WITHDRAWN, **more: Any) -> int:
    """A post that ended in this state so many days ago and never went out."""
    post_id = school.post(**more)
    _set(school, post_id, state=state, changed_at=_ago(school, days), due_at=_ago(school, days))
    return post_id


def published_post(school: School, *, days: float, **more: Any) -> int:
    """A post that was approved, and published so many days ago."""
    post_id = school.post(**more)
    ids = school.approve(post_id)
    when = _ago(school, days)
    with school.services.db.begin() as session:
        for number in ids:
            session.execute(
                update(Publication)
                .where(Publication.id == number)
                .values(
                    state=PublicationState.PUBLISHED, remote_id=f"r{number}", published_at=when, sent_at=when,
                    permalink=f"https://x.example/{number}", problem="Wren was asked about",
                )
            )  # fmt: skip
    _set(school, post_id, state=PostState.PUBLISHED, changed_at=when, due_at=when)
    return post_id


def taken_down(school: School, post_id: int, *, days: float, state: str = "gone") -> None:
    """Removals of every publication of a post, confirmed so many days ago."""
    when = _ago(school, days)
    with school.services.db.begin() as session:
        rows = select(Publication).join(Version, Version.id == Publication.version_id).where(Version.post_id == post_id)
        for one in session.scalars(rows):
            session.add(
                Takedown(
                    account_id=one.account_id, publication_id=one.id, remote_id=one.remote_id, why="consent",
                    words="Wren's mother asked", asked_at=when, state=state, next_at=when,
                    confirmed_at=when if state == "gone" else None,
                )
            )  # fmt: skip


def aged_case(school: School, *, days: float, kind: str = "complaint", **more: Any) -> int:
    """A case that was closed so many days ago."""
    when = _ago(school, days)
    with school.services.db.begin() as session:
        case = Case(
            kind=kind, state="closed", title="About Wren", words="Wren was seen", link="https://x.example/1",
            facts={"by": "her mother"}, opened_by=school.head, opened_at=when, outcome="Taken down",
            closed_at=when, closed_by=school.head,
        )  # fmt: skip
        for name, value in more.items():
            setattr(case, name, value)
        session.add(case)
        session.flush()
        session.add(CaseEntry(case_id=case.id, at=when, by=school.head, kind="note", words="Wren's mother rang"))
        return case.id


def open_case(school: School, **more: Any) -> int:
    """A case that is open, and was for long."""
    return aged_case(school, days=4000, **{"state": "open", "closed_at": None, "closed_by": None, **more})


def files_of(school: School, post_id: int) -> set[str]:
    """The published pictures of a post."""
    with school.services.db.read() as session:
        rows = session.scalars(select(Photo.rendition_sha256).where(Photo.post_id == post_id))
        return {sha for sha in rows if sha}


def _set(school: School, post_id: int, **values: Any) -> None:
    with school.services.db.begin() as session:
        session.execute(update(Post).where(Post.id == post_id).values(**values))


def _ago(school: School, days: float) -> datetime:
    return school.services.clock.now() - timedelta(days=days)
