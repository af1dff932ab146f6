"""Every post in which one child was shown, tagged or named, and where each of these posts stands.

What a face was said to be when a version went out counts for that version, whatever was said later; so a post whose
rest was put right afterwards is still known to show the child where it went first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from gatekeeper.errors import NotFound
from gatekeeper.people.pupils import Pupil
from gatekeeper.posts.model import Face, FaceAnswer, Photo, Post, Publication, Version
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.posts.status import FaceState, PostState, PublicationState
from gatekeeper.workflow.face_place import is_inside
from gatekeeper.workflow.naming_words import NamedWords, naming_words

CLEARED: Final = "cleared"  # a face in it stands as this child, so that the register answers for it
TAGGED: Final = "tagged"  # a face was said to be this child once; now it is covered, cut off or said to be another
NAMED: Final = "named"
SHOWN: Final = "shown"

#: a working copy in one of these goes nowhere by itself and nobody is asked about it any more
_OVER: Final = frozenset({PostState.PUBLISHED, PostState.PARTLY, PostState.NEEDS_PERSON, PostState.WITHDRAWN})
#: publications of which something may still become public
PENDING: Final = frozenset({
    PublicationState.SCHEDULED, PublicationState.CLAIMED, PublicationState.SENDING, PublicationState.UNKNOWN,
    PublicationState.NEEDS_PERSON,
})  # fmt: skip
_CHUNK: Final = 500


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """One post with the child in it.

    Attributes:
        how: "cleared", "tagged", "named" (one or more).
        photo_ids: the photos with a face that is, or once was said to be, the child.
        publications: those whose version shows or names the child, in the order of their numbers.
        on_its_way: it is a draft or asked about or approved, or its fate is not known yet.
        live: published on a channel at least, and not known to be gone from there.
        gone: those of them that are gone, after it was ordered.
        working: how the working copy would publish the child: "shown" or "named"; empty where it would not.
        sent: publication id -> "shown" or "named".
    """

    post_id: int
    how: frozenset[str]
    photo_ids: tuple[int, ...] = ()
    publications: list[Publication] = field(default_factory=list)
    on_its_way: bool = False
    live: bool = False
    gone: frozenset[int] = frozenset()
    working: str = ""
    sent: Mapping[int, str] = field(default_factory=dict)

    @property
    def taken_down(self) -> bool:
        """Whether it is gone from a channel at least, after it was ordered."""
        return bool(self.gone)


@dataclass(frozen=True)
class _Tag:
    """One face that is, or was, said to be the child, with everything ever said about it."""

    face: Face
    photo: Photo
    answers: Sequence[FaceAnswer]

    def is_now(self, pupil_id: int) -> bool:
        return self.face.state == FaceState.PUPIL and self.face.pupil_id == pupil_id

    def was(self, pupil_id: int, at: datetime | None) -> bool:
        """Whether it was said to be the child at a moment; None is now."""
        if at is None or self.face.resolved_at is None or self.face.resolved_at <= at:
            return self.is_now(pupil_id)
        earlier = [answer for answer in self.answers if answer.at <= at]
        return bool(earlier) and earlier[-1].state == FaceState.PUPIL and earlier[-1].pupil_id == pupil_id


@dataclass(frozen=True)
class _Seen:
    """What was found of the child in one post."""

    post: Post
    tags: Sequence[_Tag]
    words: NamedWords
    sent: Sequence[tuple[Publication, Version]]


def appearances(session: Session, pupil_id: int, *, only: Collection[int] | None = None) -> list[Appearance]:
    """Every post in which this child is or was cleared, tagged or named, the newest first.

    Args:
        session: the caller's transaction.
        pupil_id: the child.
        only: look at these posts alone.

    Raises:
        NotFound: there is no such child.
    """
    pupil = session.get(Pupil, pupil_id)
    if pupil is None:
        raise NotFound("There is no such pupil on the roll.")
    tags = _tags(session, pupil_id, only)
    words = naming_words(session, pupil, only=only)
    numbers = sorted(tags.keys() | words.keys(), reverse=True)
    found = []
    for first in range(0, len(numbers), _CHUNK):
        found += _described(session, pupil_id, numbers[first : first + _CHUNK], tags, words)
    return found


def _described(
    session: Session,
    pupil_id: int,
    numbers: Sequence[int],
    tags: Mapping[int, Sequence[_Tag]],
    words: Mapping[int, NamedWords],
) -> list[Appearance]:
    posts = {post.id: post for post in session.scalars(select(Post).where(Post.id.in_(numbers)))}
    sent: dict[int, list[tuple[Publication, Version]]] = {}
    for publication, version in session.execute(
        select(Publication, Version)
        .join(Version, Version.id == Publication.version_id)
        .where(Version.post_id.in_(numbers))
        .order_by(Publication.id)
    ):
        sent.setdefault(version.post_id, []).append((publication, version))
    of_these = [publication.id for pairs in sent.values() for publication, _ in pairs]
    gone = set(
        session.scalars(
            select(Takedown.publication_id).where(
                Takedown.publication_id.in_(of_these), Takedown.state == TakedownState.GONE
            )
        )
    )
    return [
        _appearance(
            _Seen(posts[number], tags.get(number, ()), words.get(number, NamedWords()), sent.get(number, ())),
            pupil_id,
            gone,
        )
        for number in numbers
        if number in posts
    ]


def _appearance(seen: _Seen, pupil_id: int, gone: Collection[int | None]) -> Appearance:
    post, tags, words, sent = seen.post, seen.tags, seen.words, seen.sent
    shown_now = any(tag.is_now(pupil_id) and is_inside(tag.photo, tag.face) for tag in tags)
    working = SHOWN if shown_now else NAMED if words.working else ""
    ways: dict[int, str] = {}
    for publication, version in sent:
        if any(_is_in(tag, pupil_id, post, publication, version) for tag in tags):
            ways[publication.id] = SHOWN
        elif words.publishes(version.id, publication.account_id):
            ways[publication.id] = NAMED
    publications = [publication for publication, _ in sent if publication.id in ways]
    states = {one.id: PublicationState(one.state) for one in publications}
    how = {
        *([CLEARED] if shown_now or SHOWN in ways.values() else [TAGGED] if tags else []),
        *([NAMED] if words.working or words.aside or words.sealed else []),
    }
    return Appearance(
        post_id=post.id,
        how=frozenset(how),
        photo_ids=tuple(dict.fromkeys(tag.photo.id for tag in tags)),
        publications=publications,
        on_its_way=(bool(working) and post.state not in _OVER) or not PENDING.isdisjoint(states.values()),
        live=any(state is PublicationState.PUBLISHED and number not in gone for number, state in states.items()),
        gone=frozenset(number for number in states if number in gone),
        working=working,
        sent=ways,
    )


def _is_in(tag: _Tag, pupil_id: int, post: Post, publication: Publication, version: Version) -> bool:
    """Whether this version was sent, or would be, with that face as the child's."""
    if version.originals is not None and tag.photo.original_sha256 not in version.originals:
        return False
    if post.version_id == version.id and post.revision == version.revision and not is_inside(tag.photo, tag.face):
        return False  # of an older version nobody knows any more how it was cut
    return tag.was(pupil_id, publication.sent_at)


def _tags(session: Session, pupil_id: int, only: Collection[int] | None) -> dict[int, list[_Tag]]:
    """Every face that is, or was once, said to be the child, by post."""
    once = select(FaceAnswer.face_id).where(FaceAnswer.pupil_id == pupil_id)
    rows = (
        select(Face)
        .join(Photo, Photo.id == Face.photo_id)
        .where((Face.pupil_id == pupil_id) | Face.id.in_(once))
        .options(selectinload(Face.photo))
        .order_by(Face.id)
    )
    if only is not None:
        rows = rows.where(Photo.post_id.in_(only))
    faces = session.scalars(rows).all()
    said: dict[int, list[FaceAnswer]] = {}
    for first in range(0, len(faces), _CHUNK):
        numbers = [face.id for face in faces[first : first + _CHUNK]]
        for answer in session.scalars(
            select(FaceAnswer).where(FaceAnswer.face_id.in_(numbers)).order_by(FaceAnswer.id)
        ):
            said.setdefault(answer.face_id, []).append(answer)
    tags: dict[int, list[_Tag]] = {}
    for face in faces:
        tags.setdefault(face.photo.post_id, []).append(_Tag(face, face.photo, said.get(face.id, [])))
    return tags
