"""An invented school in a database: its staff, a few pupils, two open channels, and posts on any step of their way."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import proofs, requests, tokens
from approvals.tables import Verdict
from gatekeeper import bootstrap  # noqa: F401 - knows every table, and what its rows refer to
from gatekeeper.channels import registry
from gatekeeper.channels.base import Channel
from gatekeeper.clock import Clock
from gatekeeper.db.session import Database
from gatekeeper.faces.boxes import Face as SeenFace
from gatekeeper.lettering.reading import Reading
from gatekeeper.people.consent import Basis, Consent, Purpose
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.media import MediaStore, render
from gatekeeper.posts.model import ChannelAccount, Face, Photo, PhotoScan, PictureReading, Post, Publication, Version
from gatekeeper.posts.repository import move, seal
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.scanners.photo import ENGINE
from gatekeeper.settings import Settings, load_settings
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import decide
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.legible import READER
from gatekeeper.workflow.services import Services

PIN = "482915"


class NoLetters:
    """A reader that reads nothing, for tests about other things."""

    def read(self, pixels: np.ndarray) -> Reading:
        return Reading()


class NoFaces:
    """A face finder that sees an empty room: for tests about something else."""

    def detect(self, pixels: np.ndarray) -> list[SeenFace]:
        assert pixels.ndim == 3
        return []


class PlainRender:
    """Renders any e-mail template as its own name."""

    def render(self, template: str, **context: object) -> str:
        return f"{template} {context.get('link', '')}"


def make_settings(tmp_path: Path, url: str, *, process: str = "web", **changes: Any) -> Settings:
    """One process's settings in a folder of the test's own."""
    settings = load_settings(process, {"GATEKEEPER_DATA": str(tmp_path)})
    return replace(settings, database_url=url, **changes)


def make_services(
    db: Database, tmp_path: Path, clock: Clock, *, simulator: Simulator | None = None, **more: Any
) -> Services:
    """Services whose channels, if any, are the real ones speaking to the simulator."""
    settings = more.pop("settings", None) or make_settings(tmp_path, db.url)
    parts: dict[str, Any] = {
        "faces": NoFaces(),
        "reader": NoLetters(),
        "render": PlainRender(),
        "wake": lambda _orders: None,
    }
    return Services(
        settings=settings,
        db=db,
        clock=clock,
        media=MediaStore(tmp_path / "media"),
        channel_for=channels_of(simulator, clock) if simulator else None,
        **{**parts, **more},
    )


def channels_of(simulator: Simulator, clock: Clock) -> Callable[[ChannelAccount], Channel]:
    """Builds the real channel of an account, pointed at the simulator."""
    keys = {
        "x": simulator.x_credentials(),
        "facebook": simulator.facebook_credentials(),
        "linkedin": simulator.config.credentials("linkedin"),
    }

    def channel_for(account: ChannelAccount) -> Channel:
        return registry.build_channel(keys[account.kind], clock=clock, base_url=simulator.base_url)

    return channel_for


class School:
    """The school of a test. Every part can be reached by name; ids stay valid between transactions."""

    def __init__(self, services: Services) -> None:
        self.services = services
        now = services.clock.now()
        with services.db.begin() as session:
            people = {role: _person(role, now=now) for role in Role}
            session.add_all(people.values())
            session.flush()
            self.staff = {role: person.id for role, person in people.items()}
            proofs.set_pin(session, self.staff[Role.HEADTEACHER], PIN, now=now)
            self.accounts = {
                kind: _account(session, kind, remote, head=self.staff[Role.HEADTEACHER], now=now)
                for kind, remote in (("x", "42"), ("facebook", "111"))
            }
            pupils = {name: _pupil(number, name, now=now) for number, name in enumerate(("Wren", "Jonty", "Isolde"), 1)}
            session.add_all(pupils.values())
            session.flush()
            self.pupils = {name: pupil.id for name, pupil in pupils.items()}
            for name in ("Wren", "Jonty"):
                for kind in ("x", "facebook"):
                    self.permit(session, name, kind)

    def open_linkedin(self) -> None:
        """The third channel, which most tests do without."""
        with self.services.db.begin() as session:
            now = self.services.clock.now()
            self.accounts["linkedin"] = _account(session, "linkedin", "2001", head=self.head, now=now)

    @property
    def author(self) -> int:
        return self.staff[Role.AUTHOR]

    @property
    def head(self) -> int:
        return self.staff[Role.HEADTEACHER]

    def permit(self, session: Session, name: str, kind: str, *, allowed: bool = True) -> None:
        """Record an answer in the register."""
        session.add(
            Consent(
                pupil_id=self.pupils[name],
                channel_kind=kind,
                purpose=Purpose.SOCIAL_MEDIA,
                allowed=allowed,
                basis=Basis.CONSENT,
                given_on=date(2026, 9, 1),
                recorded_by=self.staff[Role.CONSENT_LEAD],
                recorded_at=self.services.clock.now(),
            )
        )
        session.flush()

    def post(
        self,
        *,
        text: str = "Our harvest table is full. Thank you to every family!",
        photos: int = 0,
        kinds: tuple[str, ...] = ("x", "facebook"),
        due_in: timedelta = timedelta(hours=1),
        pupils: tuple[str, ...] = (),
        wordings: Mapping[str, str] | None = None,
    ) -> int:
        """A post that has been checked and found clear, waiting for its author's next step; returns its id."""
        services, now = self.services, self.services.clock.now()
        with services.db.begin() as session:
            post = Post(
                author_id=self.author,
                title="Harvest",
                text=text,
                channels=[self.accounts[kind] for kind in kinds],
                wordings={str(self.accounts[kind]): words for kind, words in (wordings or {}).items()},
                due_at=now + due_in,
                window_minutes=120,
                state=PostState.DRAFT,
                created_at=now,
                changed_at=now,
            )
            session.add(post)
            session.flush()
            for number in range(max(photos, 1 if pupils else 0)):
                self._photo(session, post, number, pupils=pupils if number == 0 else ())
            move(post, PostState.SCANNING)
            session.flush()
            seal(session, post, now=now)
            move(post, PostState.OPEN)
            return post.id

    def _photo(self, session: Session, post: Post, number: int, *, pupils: tuple[str, ...]) -> None:
        services, now = self.services, self.services.clock.now()
        pixels = np.full((300, 400, 3), (40 * number + 30, 120, 90), np.uint8)
        made = render(pixels)
        sha = services.media.put(made.data, ".jpg")
        photo = Photo(
            position=number,
            file_name="table.jpg",
            original_sha256=f"{post.id:032x}{number:032x}",
            width=400,
            height=300,
            rendition_sha256=sha,
            rendition_width=made.width,
            rendition_height=made.height,
            alt=f"A table full of vegetables, picture {number + 1}",
            people="pupils" if pupils else "none",
            basis="Permission on record" if pupils else "",
            scanned_sha256=f"{post.id:032x}{number:032x}",
            added_at=now,
        )
        for place, name in enumerate(pupils):
            photo.faces.append(
                Face(
                    x1=20 + 90 * place, y1=40, x2=70 + 90 * place, y2=100, score=0.95, source="detector",
                    state=FaceState.PUPIL, pupil_id=self.pupils[name], resolved_by=self.author, resolved_at=now,
                )
            )  # fmt: skip
        post.photos.append(photo)
        session.merge(
            PhotoScan(sha256=sha, engine=ENGINE, faces=[], width=made.width, height=made.height, scanned_at=now)
        )
        session.merge(PictureReading(sha256=sha, engine=READER, words=[], codes=[], read_at=now))

    def ask(self, post_id: int, *, override: bool = False, approver: int = 0) -> str:
        """Put the post before the headteacher, or somebody else; returns the opened link's secret, without a proof yet."""
        now = self.services.clock.now()
        with self.services.db.begin() as session:
            post = session.get_one(Post, post_id)
            move(post, PostState.REQUESTING)
            version = session.get_one(Version, post.version_id)
            request = requests.open_request(
                session,
                subject=subject_of(post.id),
                version_ref=str(version.id),
                digest=version.digest,
                title=post.title,
                summary=requests.Summary(channels=("X",), due_at=post.due_at or now),
                override_asked=override,
                author_id=post.author_id,
                approver_id=approver or self.head,
                now=now,
                expires_at=post.due_at or now,
            )
            move(post, PostState.WAITING)
            token = tokens.mint(
                session, request=request, person_id=approver or self.head, purpose=tokens.DECIDE, now=now
            )
            return tokens.open_link(session, token, purpose=tokens.DECIDE, now=now).view_secret

    def approve(self, post_id: int) -> list[int]:
        """The headteacher proves who they are and approves in writing; returns the publications' ids."""
        secret = self.ask(post_id)
        proof = decide.prove(self.services, secret, PIN)
        outcome = decide.decide(
            self.services,
            proof.view_secret or secret,
            decide.DecisionForm(
                verdict=Verdict.APPROVE,
                digest_shown=self.digest(post_id),
                typed_name="Head Teacher",
                statement="I approve this post for both pages.",
                answers={},
            ),
        )
        assert outcome.decision is not None, outcome.sentence
        with self.services.db.read() as session:
            version_id = session.get_one(Post, post_id).version_id
            rows = select(Publication.id).where(Publication.version_id == version_id).order_by(Publication.account_id)
            return list(session.scalars(rows))

    def digest(self, post_id: int) -> str:
        """The digest of the post's present version."""
        with self.services.db.read() as session:
            return session.get_one(Version, session.get_one(Post, post_id).version_id).digest

    def state(self, post_id: int) -> str:
        """The post's state."""
        with self.services.db.read() as session:
            return session.get_one(Post, post_id).state

    def publication(self, publication_id: int) -> Publication:
        """One publication as it stands."""
        with self.services.db.read() as session:
            return session.get_one(Publication, publication_id)


def _person(role: Role, *, now: datetime) -> Staff:
    return Staff(email=f"{role}@quarrybank.example", name=f"Mx {role.title()} Quarry", role=role, created_at=now)


def _account(session: Session, kind: str, remote_id: str, *, head: int, now: datetime) -> int:
    account = ChannelAccount(
        kind=kind,
        name=f"Quarry Bank on {kind}",
        remote_id=remote_id,
        status="open",
        declared_own=True,
        opened_by=head,
        opened_at=now,
        created_by=head,
        created_at=now,
    )
    session.add(account)
    session.flush()
    return account.id


def _pupil(number: int, name: str, *, now: datetime) -> Pupil:
    return Pupil(
        reference=f"Q{number:04}",
        first_name=name,
        last_name="Applethwaite",
        year="Year 3",
        class_name="Heron",
        created_at=now,
    )
