"""A school after some years: twenty thousand posts, a hundred thousand lines of audit and of ledger, written in bulk."""

import random
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import String, cast, func, insert, select, update
from sqlalchemy.orm import Session

from approvals.signing import Signer
from approvals.tables import LedgerEntry
from gatekeeper.cases.model import CaseKind
from gatekeeper.mail.model import Notice
from gatekeeper.people.consent import Basis, Consent, Purpose
from gatekeeper.people.policy_editions import Acknowledgement, PolicyEdition
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import Attempt, Face, Photo, Post, Publication, Version
from gatekeeper.posts.public import (
    AccountWatch,
    ConsentReview,
    Incident,
    IncidentKind,
    RemotePublicPost,
    ReviewItem,
    Takedown,
    TakedownState,
)
from gatekeeper.posts.status import FaceState, PostState, PublicationState
from gatekeeper.workflow import cases
from gatekeeper.workflow.audit_words import WORDS
from tests.benchmarks import publish_school
from tests.factories.school import School

AUTHORS, PUPILS, CASES, LETTERS, REVIEWS = 10, 500, 200, 20_000, 20
_ITEMS: Final = 40
_WAITING: Final = 10
_SCHEDULED, _STUCK, _DRAFTS = 100, 5, 150
_FIRST: Final = ("Amina", "Bethan", "Callum", "Daisy", "Eesa", "Florence", "Gethin", "Harriet", "Ibrahim", "Rose")
_LAST: Final = ("Ashdown", "Blenkinsop", "Chaudhry", "Drummond", "Fairbrother", "Grantham", "Kinsella", "Osgood")
_CHUNK: Final = 5_000


def furnish(school: School, *, posts: int, lines: int, signer: Signer, now: datetime) -> None:
    """Fill the school: `posts` posts, `lines` lines of audit and as many entries in the ledger."""
    dice = random.Random(20_261_123)
    db = school.services.db
    with db.begin() as session:
        authors = _authors(session, now)
        pupils = _pupils(session, school, dice, now)
    ids = {Role.AUTHOR: authors[0], Role.HEADTEACHER: school.head, "account": school.accounts["facebook"]}
    dues = _dues(posts, _SCHEDULED, now=now)
    publish_school.approve_many(db, ids, dues, signer=signer, now=now - timedelta(days=1500))
    with db.begin() as session:
        for place, author in enumerate(authors):
            session.execute(update(Post).where(Post.id % AUTHORS == place).values(author_id=author))
        _publish(session, now)
        _photos(session, school, pupils, dice, now)
        _drafts(session, [school.author, *authors], now)
        _public(session, school, now)
        _reviews(session, school, pupils, now)
        _policy(session, school, now)
        _letters(session, [school.head, *authors], now)
        _audit(session, [*school.staff.values(), *authors], dice, lines=lines, posts=posts, now=now)
        _ledger(session, signer, entries=lines, now=now)
    for _ in range(_WAITING):
        school.ask(school.post(photos=1))
    with db.begin() as session:
        kinds = tuple(kind for kind in CaseKind if kind is not CaseKind.REMOVAL)
        for number in range(CASES):
            words = "Somebody asked about the harvest table, and what the school says to it."
            kind = kinds[number % len(kinds)]
            cases.open_case(session, kind=kind, title=f"Matter {number}", words=words, by=authors[0], now=now)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")


def _authors(session: Session, now: datetime) -> list[int]:
    people = [
        Staff(email=f"author{number}@bench.example", name=f"Author {number}", role=Role.AUTHOR, created_at=now)
        for number in range(AUTHORS)
    ]
    session.add_all(people)
    session.flush()
    return [one.id for one in people]


def _pupils(session: Session, school: School, dice: random.Random, now: datetime) -> list[int]:
    pupils = [
        Pupil(
            reference=f"B{number:05}", first_name=dice.choice(_FIRST), last_name=dice.choice(_LAST),
            year=f"Year {number % 6 + 1}", class_name=f"Class {number % 18}", born_on=date(2017, 1 + number % 12, 1),
            left_on=date(2026, 7, 20) if number % 25 == 0 else None, created_at=now,
        )
        for number in range(PUPILS)
    ]  # fmt: skip
    session.add_all(pupils)
    session.flush()
    answers = [
        {
            "pupil_id": one.id, "channel_kind": kind, "purpose": Purpose.SOCIAL_MEDIA, "allowed": dice.random() < 0.8,
            "basis": Basis.CONSENT, "given_on": date(2026, 9, 1), "note": "",
            "recorded_by": school.staff[Role.CONSENT_LEAD], "recorded_at": now,
        }
        for one in pupils
        for kind in ("x", "facebook")
    ]  # fmt: skip
    session.execute(insert(Consent), answers)
    return [one.id for one in pupils]


def _dues(posts: int, scheduled: int, *, now: datetime) -> list[datetime]:
    """Moments over four years, the last few still to come."""
    past = [now - timedelta(days=1460) * (1 - number / posts) for number in range(posts - scheduled)]
    return [*past, *(now + timedelta(hours=7 * (number + 1)) for number in range(scheduled))]


def _publish(session: Session, now: datetime) -> None:
    """What was due is public; a few need a person."""
    session.execute(
        update(Publication)
        .where(Publication.due_at < now)
        .values(
            state=PublicationState.PUBLISHED, sent_at=Publication.due_at, published_at=Publication.due_at, fence=1,
            remote_id="9" + cast(Publication.id, String), permalink="https://platform.example/1",
        )
    )  # fmt: skip
    session.execute(update(Post).where(Post.due_at < now).values(state=PostState.PUBLISHED, changed_at=Post.due_at))
    long_ago = now - timedelta(days=1095)  # those that show nobody were erased since, as each night does
    session.execute(update(Post).where(Post.due_at < long_ago, Post.id % 2 == 1).values(erased_at=now))
    stuck = session.scalars(select(Post.id).where(Post.due_at < now).order_by(Post.id).limit(_STUCK)).all()
    session.execute(update(Post).where(Post.id.in_(stuck)).values(state=PostState.NEEDS_PERSON))
    sent = session.execute(select(Publication.id, Publication.digest, Publication.due_at).where(Publication.fence == 1))
    attempts = [
        {"publication_id": row.id, "fence": 1, "started_at": row.due_at, "digest": row.digest, "outcome": "published", "detail": ""}
        for row in sent
    ]  # fmt: skip
    session.execute(insert(Attempt), attempts)


def _photos(session: Session, school: School, pupils: list[int], dice: random.Random, now: datetime) -> None:
    """One photo in every second post, with two pupils who were cleared."""
    posts = session.scalars(select(Post.id).where(Post.id % 2 == 0)).all()
    rows = [
        {
            "post_id": post, "position": 0, "file_name": "table.jpg", "original_sha256": f"{post:064x}", "width": 400,
            "height": 300, "rendition_sha256": f"{post:064x}", "rendition_width": 400, "rendition_height": 300,
            "alt": "A table full of vegetables", "people": "pupils", "basis": "Permission on record", "classes": [],
            "full_size": False, "full_size_reason": "", "problem": "", "scanned_sha256": f"{post:064x}", "added_at": now,
        }
        for post in posts
    ]  # fmt: skip
    session.execute(insert(Photo), rows)
    old = select(Post.id).where(Post.due_at < now - timedelta(days=30))  # whose originals a purge took since
    session.execute(update(Photo).where(Photo.post_id.in_(old)).values(original_gone_at=now))
    photos = session.scalars(select(Photo.id).where(Photo.post_id.in_(select(Post.id).where(Post.id % 2 == 0)))).all()
    faces = [
        {
            "photo_id": photo, "x1": 20.0 + 90 * place, "y1": 40.0, "x2": 70.0 + 90 * place, "y2": 100.0, "score": 0.95,
            "source": "detector", "state": FaceState.PUPIL, "pupil_id": dice.choice(pupils), "words": "",
            "resolved_by": school.author, "resolved_at": now,
        }
        for photo in photos
        for place in range(2)
    ]  # fmt: skip
    session.execute(insert(Face), faces)


def _drafts(session: Session, authors: list[int], now: datetime) -> None:
    session.add_all(
        Post(author_id=authors[n % len(authors)], title=f"Draft {n}", text="Not yet.", channels=[], state=PostState.DRAFT,
             created_at=now, changed_at=now)
        for n in range(_DRAFTS)
    )  # fmt: skip


def _public(session: Session, school: School, now: datetime) -> None:
    """What was read on the page, and thirty things that were wrong there."""
    account = school.accounts["facebook"]
    session.add(AccountWatch(account_id=account, began_at=now - timedelta(days=1460), next_at=now, read_at=now))
    sent = session.execute(select(Publication).where(Publication.remote_id.is_not(None))).scalars()
    rows: list[dict[str, Any]] = [
        {
            "account_id": one.account_id, "remote_id": one.remote_id, "publication_id": one.id, "text": "Our harvest table",
            "media_count": 0, "permalink": one.permalink, "posted_at": one.published_at, "first_seen_at": one.published_at,
            "seen_at": now,
        }
        for one in sent
    ]  # fmt: skip
    session.execute(insert(RemotePublicPost), rows)
    session.add_all(
        Incident(account_id=account, kind=IncidentKind.UNGATED, remote_id=f"8{number}", text="Not ours", pictures=[],
                 permalink="https://platform.example/8", seen_at=now - timedelta(days=number), posted_at=now)
        for number in range(30)
    )  # fmt: skip


def _reviews(session: Session, school: School, pupils: list[int], now: datetime) -> None:
    """Twenty reviews of consent with forty public posts each, and two hundred removals that are done."""
    sent = session.execute(
        select(Publication.id, Publication.account_id, Publication.remote_id, Version.post_id)
        .join(Version, Version.id == Publication.version_id)
        .where(Publication.remote_id.is_not(None))
        .limit(REVIEWS * _ITEMS)
    ).all()
    for number in range(min(REVIEWS, len(sent) // _ITEMS)):
        review = ConsentReview(pupil_id=pupils[number], cause="withdrawn", kinds=["facebook"], opened_at=now)
        session.add(review)
        session.flush()
        some = sent[number * _ITEMS : (number + 1) * _ITEMS]
        session.add_all(
            ReviewItem(review_id=review.id, post_id=one.post_id, publication_id=one.id, how="shown") for one in some
        )
        session.add_all(
            Takedown(
                account_id=one.account_id, publication_id=one.id, remote_id=one.remote_id, why="consent",
                asked_by=school.head, asked_at=now, state=TakedownState.GONE, next_at=now, confirmed_at=now,
            )
            for one in some[:10]
        )  # fmt: skip


def _policy(session: Session, school: School, now: datetime) -> None:
    edition = PolicyEdition(label="2022-03", words="# Policy\n\n" + "Be kind. " * 500, section_two="2C", adopted_at=now)
    session.add(edition)
    session.flush()
    everybody = session.scalars(select(Staff.id)).all()
    session.add_all(Acknowledgement(staff_id=one, edition_id=edition.id, at=now) for one in everybody)


def _letters(session: Session, people: list[int], now: datetime) -> None:
    rows = [
        {
            "kind": "published", "staff_id": people[number % len(people)], "subject": f"post:{number}", "context": {},
            "created_at": now - timedelta(hours=number), "sent_at": now, "message_id": f"<{number}@gatekeeper>",
            "problem": "", "tries": 1,
        }
        for number in range(LETTERS)
    ]  # fmt: skip
    session.execute(insert(Notice), rows)


def _audit(session: Session, people: list[int], dice: random.Random, *, lines: int, posts: int, now: datetime) -> None:
    actions = sorted(WORDS)
    for begin in range(0, lines, _CHUNK):
        rows = []
        for number in range(begin, min(begin + _CHUNK, lines)):
            action = dice.choice(actions)
            kind = "pupil" if action.startswith(("pupil", "register", "consent")) else "post"
            rows.append({
                "at": now - timedelta(days=1460) * (1 - number / lines), "staff_id": dice.choice(people), "action": action,
                "subject": f"{kind}:{dice.randint(1, PUPILS if kind == 'pupil' else posts)}", "detail": {},
            })  # fmt: skip
        session.execute(insert(Audit), rows)


def _ledger(session: Session, signer: Signer, *, entries: int, now: datetime) -> None:
    present = session.scalar(select(func.count(LedgerEntry.seq))) or 0
    chain = publish_school._Chain(session, signer, now)
    for number in range(present, entries):
        chain.append("published", {"publication": number, "account": 1, "by": None})
    for begin in range(0, len(chain.rows), _CHUNK):
        session.execute(insert(LedgerEntry), chain.rows[begin : begin + _CHUNK])
