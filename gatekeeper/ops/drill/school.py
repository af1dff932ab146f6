"""The school of a drill: its posts are sealed, asked about and decided by the very steps that a real one takes."""

from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from approvals import proofs, requests, tokens
from approvals.errors import QuestionClosed
from approvals.tables import ApprovalRequest, RequestStatus, Verdict
from gatekeeper.bootstrap import build_services
from gatekeeper.channels import seal
from gatekeeper.channels.base import Credentials
from gatekeeper.errors import Conflict
from gatekeeper.ops.drill.schedule import Ordeal
from gatekeeper.people.consent import Basis, Consent, Purpose
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.media import render
from gatekeeper.posts.model import ChannelAccount, Face, Photo, PhotoScan, PictureReading, Post, Publication, Version
from gatekeeper.posts.repository import move
from gatekeeper.posts.repository import seal as seal_version
from gatekeeper.posts.status import FaceState, PostState, PublicationState
from gatekeeper.scanners.photo import ENGINE
from gatekeeper.settings import Settings
from gatekeeper.workflow import answer, decide, stop, submit
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.legible import READER
from gatekeeper.workflow.roles import write_new_decider
from gatekeeper.workflow.school_checker import checker_for

_DUE_IN: Final = timedelta(seconds=3)  # time enough to ask and to decide; the first post loads much, and takes longer
_LATELY: Final = 9  # posts
_ALT: Final = "A table full of vegetables"


def words_of(number: int) -> str:
    """What a post says; its number is in it once, and no other post says the same.

    Every platform hands some of it back in another form: X its "&", LinkedIn its brackets and its tag.
    """
    return f"Our table is full & ready (thank you to every family!) #Harvest. Basket {number} of many."


def marked(number: int) -> str:
    """The part of those words that no other post has."""
    return f"Basket {number} of many"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One approved post as the drill knows it."""

    ordeal: Ordeal
    post: int
    publication: int
    due: datetime


class DrillSchool:
    """The people, the three channels and the posts."""

    def __init__(self, settings: Settings, keys: list[Credentials], *, platform: str) -> None:
        self.services = build_services(replace(settings, platform_url=platform, simulator_page=platform))
        now = self.services.clock.now()
        with self.services.db.begin() as session:
            self._author, self.head, self._lead = (
                _person(session, role, now=now) for role in (Role.AUTHOR, Role.HEADTEACHER, Role.CONSENT_LEAD)
            )
            self._accounts = {key.kind: _account(session, settings, key, head=self.head, now=now) for key in keys}
            made = render(np.full((240, 320, 3), 120, np.uint8))
            self.picture = self.services.media.put(made.data, ".jpg")
            self._pupils: dict[int, int] = {}
            self.due_in = _DUE_IN
            self._took: deque[timedelta] = deque(maxlen=_LATELY)
            self._size = (made.width, made.height)
            session.add(
                PhotoScan(
                    sha256=self.picture, engine=ENGINE, faces=[], width=made.width, height=made.height, scanned_at=now
                )
            )
            session.add(PictureReading(sha256=self.picture, engine=READER, words=[], codes=[], read_at=now))

    @property
    def took(self) -> timedelta:
        """How long a post took lately, up to its approval: the measure of how busy the computer is."""
        return sorted(self._took)[len(self._took) // 2] if self._took else timedelta(0)

    def at(self, settings: Settings) -> "DrillSchool":
        """The same school in another database, where it was put back from a backup."""
        there = copy(self)
        there.services = build_services(settings)
        return there

    def enrol(self, ordeals: Sequence[Ordeal]) -> None:
        """Put the pupils on the roll who will be seen in these posts: all at once, as each new roll is read anew."""
        now = self.services.clock.now()
        with self.services.db.begin() as session:
            for ordeal in ordeals:
                if ordeal.change == "consent":
                    pupil = Pupil(
                        reference=f"D{ordeal.number}", first_name="Wrenlin", last_name="Applethwaite", year="Year 3",
                        class_name="Heron", created_at=now,
                    )  # fmt: skip
                    session.add(pupil)
                    session.flush()
                    self._permit(session, pupil.id, ordeal.kind, allowed=True, now=now)
                    self._pupils[ordeal.number] = pupil.id
        with self.services.db.read() as session:
            checker_for(session)  # loads what reads the words, so that the first post is no slower than the others

    def send(self, ordeal: Ordeal) -> Sent | None:
        """A post that was checked, asked about, and approved in writing by the headteacher.

        None where a computer under great load was too slow, and its time came before the headteacher was asked.
        """
        began = self.services.clock.now()
        post_id, due = self._checked(ordeal)
        try:
            self._approve(post_id)
        except (QuestionClosed, NoResultFound):
            return None
        finally:
            self._took.append(self.services.clock.now() - began)
        with self.services.db.read() as session:
            version_id = session.get_one(Post, post_id).version_id
            publication = session.scalars(select(Publication.id).where(Publication.version_id == version_id)).one()
        return Sent(ordeal=ordeal, post=post_id, publication=publication, due=due)

    def _checked(self, ordeal: Ordeal) -> tuple[int, datetime]:
        now = self.services.clock.now()
        due = now + max(self.due_in, 3 * self.took)
        with self.services.db.begin() as session:
            post = Post(
                author_id=self._author,
                title="Harvest",
                text=words_of(ordeal.number),
                channels=[self._accounts[ordeal.kind]],
                due_at=due,
                window_minutes=120,
                state=PostState.DRAFT,
                created_at=now,
                changed_at=now,
            )
            session.add(post)
            session.flush()
            if ordeal.change == "consent":
                self._add_photo(post, ordeal, now=now)
            move(post, PostState.SCANNING)
            session.flush()
            seal_version(session, post, now=now)
            move(post, PostState.REQUESTING)
            version = session.get_one(Version, post.version_id)
            requests.open_request(
                session, subject=subject_of(post.id), version_ref=str(version.id), digest=version.digest,
                title=post.title, summary=requests.Summary(channels=(ordeal.kind,), due_at=due), override_asked=False,
                author_id=self._author, approver_id=self.head, now=now, expires_at=due,
            )  # fmt: skip
            move(post, PostState.WAITING)
            return post.id, due

    def _add_photo(self, post: Post, ordeal: Ordeal, *, now: datetime) -> None:
        original = f"{post.id:064x}"
        photo = Photo(
            position=0, file_name="table.jpg", original_sha256=original, width=320, height=240,
            rendition_sha256=self.picture, rendition_width=self._size[0], rendition_height=self._size[1], alt=_ALT,
            people="pupils", basis="Permission on record", scanned_sha256=original, added_at=now,
        )  # fmt: skip
        photo.faces.append(
            Face(
                x1=20, y1=40, x2=44, y2=70, score=0.95, source="detector", state=FaceState.PUPIL, pupil_id=self._pupils[ordeal.number],
                resolved_by=self._author, resolved_at=now,
            )
        )  # fmt: skip
        post.photos.append(photo)

    def _permit(self, session: Session, pupil_id: int, kind: str, *, allowed: bool, now: datetime) -> None:
        session.add(
            Consent(
                pupil_id=pupil_id, channel_kind=kind, purpose=Purpose.SOCIAL_MEDIA, allowed=allowed,
                basis=Basis.CONSENT, given_on=date(2026, 9, 1), recorded_by=self._lead, recorded_at=now,
            )
        )  # fmt: skip

    def _approve(self, post_id: int) -> None:
        services, now = self.services, self.services.clock.now()
        with services.step() as session:
            asked = session.scalars(
                select(ApprovalRequest).where(
                    ApprovalRequest.subject == subject_of(post_id), ApprovalRequest.status == RequestStatus.OPEN
                )
            ).one()
            token = tokens.mint(session, request=asked, person_id=self.head, purpose=tokens.DECIDE, now=now)
            opened = tokens.open_link(session, token, purpose=tokens.DECIDE, now=now)
            # the PIN itself takes half a second to try, by design, and is tried by tests of its own
            proved = proofs.prove_browser(session, opened.view_secret, method=proofs.PIN, now=now)
            digest = asked.digest
        decide.decide(
            services,
            proved.view_secret or "",
            decide.DecisionForm(
                verdict=Verdict.APPROVE, digest_shown=digest, typed_name="Head Teacher",
                statement="I approve this post for this page.", answers={},
            ),
        )  # fmt: skip

    def change(self, sent: Sent) -> bool:
        """Do to the post what its ordeal says; whether from now on it must never be seen, because it had not begun."""
        services = self.services
        try:
            if sent.ordeal.change == "stop":
                return stop.stop(services, sent.post, by=self.head) == PostState.WITHDRAWN
            if sent.ordeal.change == "edit":
                submit.reopen(services, sent.post, self._author)
                with services.step() as session:
                    session.get_one(Post, sent.post).text = f"Changed after the approval. {marked(sent.ordeal.number)}."
                return True
        except Conflict:
            return False  # it is being sent already: too late for second thoughts
        with services.step() as session:
            self._permit(
                session, self._pupils[sent.ordeal.number], sent.ordeal.kind, allowed=False, now=services.clock.now()
            )
        return True

    def states(self, publications: list[int]) -> dict[int, PublicationState]:
        """Where each of these stands."""
        with self.services.db.read() as session:
            rows = session.execute(
                select(Publication.id, Publication.state).where(Publication.id.in_(publications))
            ).all()
        return {row.id: PublicationState(row.state) for row in rows}

    def remote_ids(self) -> dict[int, str]:
        """What the school's own record takes for published, and under which number."""
        with self.services.db.read() as session:
            rows = session.execute(
                select(Publication.id, Publication.remote_id).where(Publication.remote_id.is_not(None))
            )
            return {row.id: str(row.remote_id) for row in rows}

    def answer(self, publication: int, *, seen: str | None) -> None:
        """A person looked at the page and says what is there."""
        answer.answer(self.services, publication, by=self.head, there=seen is not None, link=seen or "")


def _person(session: Session, role: Role, *, now: datetime) -> int:
    person = Staff(email=f"{role}@drill.example", name=f"Mx {role.title()} Drill", role=role, created_at=now)
    session.add(person)
    session.flush()
    write_new_decider(session, person, by=None, now=now)
    return person.id


def _account(session: Session, settings: Settings, keys: Credentials, *, head: int, now: datetime) -> int:
    account = ChannelAccount(
        kind=keys.kind, name=f"The drill on {keys.kind}", remote_id=keys.account_id, status="open", declared_own=True,
        opened_by=head, opened_at=now, created_by=head, created_at=now,
    )  # fmt: skip
    session.add(account)
    session.flush()
    account.sealed = seal.seal(settings.seal_public, keys.to_json().encode(), context=seal.account_context(account.id))
    return account.id


def read_keys(lines: str) -> list[Credentials]:
    """The keys of the simulated accounts, as the simulator prints them."""
    return [Credentials.from_json(line) for line in lines.splitlines() if line.strip()]


def folder_of(settings: Settings) -> Path:
    """Where the simulator keeps what its public sees."""
    return settings.data / "simulator"
