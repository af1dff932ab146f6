"""What the consent lead and the headteacher see of the reviews: thumbnails of what is public, and a list that reaches zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.errors import NotFound
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Face, FaceAnswer, Photo, Post, Publication, Version
from gatekeeper.posts.picture_rendition import map_box, whole_pixels
from gatekeeper.posts.public import ConsentReview, ReviewItem, Takedown, TakedownState
from gatekeeper.workflow.consent_review import CAUSES
from gatekeeper.workflow.photo_shapes import Shape, shape
from gatekeeper.workflow.review_letter import drafted
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.takedown_view import BADGE

_ENDS = {
    "open": ("Public: decide", "danger", "!"),
    "gone": ("Gone", "success", "✓"),
    "kept": ("Stays", "secondary", "–"),
    "held": ("Held back", "success", "✓"),
}


@dataclass(frozen=True, kw_only=True)
class ReviewLine:
    """One review in the list."""

    id: int
    child: str
    cause: str
    opened_at: datetime
    closed_at: datetime | None
    left: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """One published picture with the child's face outlined."""

    number: int
    width: int
    height: int
    alt: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """One public post of the review."""

    id: int
    post_id: int
    channel: str
    named: bool
    text: str  # where the child is named in it
    published_at: datetime | None
    permalink: str
    thumbnails: tuple[Thumbnail, ...]
    badge: tuple[str, str, str]
    problem: str
    open: bool
    ordered: bool
    words: str
    ended_by: str
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ReviewView:
    """One review."""

    id: int
    pupil_id: int
    child: str
    cause: str
    channels: tuple[str, ...]
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str
    items: tuple[ItemView, ...]
    held: tuple[tuple[int, str], ...]  # posts that were held, with their authors
    may_keep: bool
    writes_letter: bool

    @property
    def left(self) -> int:
        """How many are not at their end."""
        return sum(item.open for item in self.items)

    @property
    def to_order(self) -> int:
        """How many nobody has ordered down yet."""
        return sum(item.open and not item.ordered for item in self.items)

    @property
    def can_close(self) -> bool:
        """Whether only a person's word is missing."""
        return self.closed_at is None and not self.left


def reviews(services: Services) -> tuple[list[ReviewLine], list[ReviewLine]]:
    """The open reviews, the oldest first, and the last that were closed."""
    with services.db.read() as session:
        rows = select(ConsentReview, Pupil).join(Pupil, Pupil.id == ConsentReview.pupil_id)
        open_ones = session.execute(rows.where(ConsentReview.closed_at.is_(None)).order_by(ConsentReview.id))
        closed = session.execute(
            rows.where(ConsentReview.closed_at.is_not(None)).order_by(ConsentReview.id.desc()).limit(30)
        )
        return [_line(session, *row) for row in open_ones], [_line(session, *row) for row in closed]


def open_review_of(services: Services, pupil_id: int) -> int | None:
    """The open review of a child, if there is one."""
    with services.db.read() as session:
        return session.scalars(
            select(ConsentReview.id).where(ConsentReview.pupil_id == pupil_id, ConsentReview.closed_at.is_(None))
        ).first()


def review_view(services: Services, review_id: int, by: Staff) -> ReviewView:
    """One review for its page; the look is written into the audit.

    Raises:
        NotFound: there is none.
    """
    with services.step() as session:
        review = _review(session, review_id)
        now = services.clock.now()
        record(session, at=now, staff_id=by.id, action="review.seen", subject=f"pupil:{review.pupil_id}")
        names = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
        rows = session.scalars(
            select(ReviewItem).where(ReviewItem.review_id == review.id).order_by(ReviewItem.id)
        ).all()
        pupil = session.get_one(Pupil, review.pupil_id)
        role = Role(by.role)
        return ReviewView(
            id=review.id,
            pupil_id=pupil.id,
            child=pupil.full_name,
            cause=CAUSES.get(review.cause, review.cause),
            channels=tuple(label_of(kind) for kind in review.kinds),
            opened_at=review.opened_at,
            opened_by=names.get(review.opened_by or 0, ""),
            closed_at=review.closed_at,
            closed_by=names.get(review.closed_by or 0, ""),
            items=tuple(_item(session, item, pupil, names) for item in rows if item.publication_id is not None),
            held=tuple(
                (item.post_id, names.get(session.get_one(Post, item.post_id).author_id, ""))
                for item in rows
                if item.publication_id is None
            ),
            may_keep=role is Role.HEADTEACHER,
            writes_letter=role is Role.CONSENT_LEAD,
        )


def picture(services: Services, review_id: int, item_id: int, number: int) -> bytes:
    """One published picture of a line.

    Raises:
        NotFound: there is none.
    """
    with services.db.read() as session:
        item = session.get(ReviewItem, item_id)
        mine = item is not None and item.review_id == review_id and item.publication_id is not None
        publication = session.get(Publication, item.publication_id) if item and mine else None
        version = session.get(Version, publication.version_id) if publication else None
        if version is None or not version.canonical:
            raise NotFound("There is no such picture.")
        photos = Content.from_canonical(version.canonical).photos
    if not 0 < number <= len(photos):
        raise NotFound("There is no such picture.")
    return services.media.read(photos[number - 1].sha256)


def letter(services: Services, review_id: int, *, by: int) -> tuple[str, str]:
    """The child, and the letter to the family: as it was left, else as the facts stand now. The look is audited.

    Raises:
        NotFound: there is no such review.
    """
    with services.step() as session:
        review = _review(session, review_id)
        record(
            session, at=services.clock.now(), staff_id=by, action="review.letter_seen",
            subject=f"pupil:{review.pupil_id}",
        )  # fmt: skip
        child = session.get_one(Pupil, review.pupil_id).full_name
        return child, review.letter or drafted(session, review, by=by)


def _review(session: Session, review_id: int) -> ConsentReview:
    review = session.get(ConsentReview, review_id)
    if review is None:
        raise NotFound("There is no such review.")
    return review


def _line(session: Session, review: ConsentReview, pupil: Pupil) -> ReviewLine:
    states = session.scalars(
        select(ReviewItem.state).where(ReviewItem.review_id == review.id, ReviewItem.publication_id.is_not(None))
    ).all()
    return ReviewLine(
        id=review.id,
        child=pupil.full_name,
        cause=CAUSES.get(review.cause, review.cause),
        opened_at=review.opened_at,
        closed_at=review.closed_at,
        left=states.count("open"),
        total=len(states),
    )


def _item(session: Session, item: ReviewItem, pupil: Pupil, names: dict[int, str]) -> ItemView:
    publication = session.get_one(Publication, item.publication_id)
    account = session.get_one(ChannelAccount, publication.account_id)
    version = session.get_one(Version, publication.version_id)
    content = Content.from_canonical(version.canonical) if version.canonical else None
    removal = session.get(Takedown, item.takedown_id) if item.takedown_id else None
    ordered = removal is not None and item.state == "open"
    link = publication.permalink
    return ItemView(
        id=item.id,
        post_id=item.post_id,
        channel=f"{label_of(account.kind)} ({account.name})",
        named=item.how == "named",
        text=content.text_for(account.id) if content and item.how == "named" else "",
        published_at=publication.published_at,
        permalink=link if link.startswith(("https://", "http://")) else "",
        thumbnails=_thumbnails(session, item.post_id, content, pupil.id) if content and item.how == "shown" else (),
        badge=BADGE[TakedownState(removal.state)] if removal and ordered else _ENDS[item.state],
        problem=removal.problem if removal and ordered else "",
        open=item.state == "open",
        ordered=ordered,
        words=item.words,
        ended_by=names.get(item.ended_by or 0, ""),
        ended_at=item.ended_at,
    )


def _thumbnails(session: Session, post_id: int, content: Content, pupil_id: int) -> tuple[Thumbnail, ...]:
    """The published pictures with the child in them. One that was made anew since is shown without an outline."""
    rows = {photo.rendition_sha256: photo for photo in session.scalars(select(Photo).where(Photo.post_id == post_id))}
    found = []
    for number, sealed in enumerate(content.photos, start=1):
        photo = rows.get(sealed.sha256)
        shapes = _outlines(session, photo, pupil_id) if photo else ()
        if photo is None or shapes:
            width, height = (photo.rendition_width, photo.rendition_height) if photo else (0, 0)
            found.append(Thumbnail(number=number, width=width, height=height, alt=sealed.alt, shapes=shapes))
    return tuple(found)


def _outlines(session: Session, photo: Photo, pupil_id: int) -> tuple[Shape, ...]:
    once = select(FaceAnswer.face_id).where(FaceAnswer.pupil_id == pupil_id)
    faces: Sequence[Face] = session.scalars(
        select(Face).where(Face.photo_id == photo.id, (Face.pupil_id == pupil_id) | Face.id.in_(once)).order_by(Face.id)
    ).all()
    cut = whole_pixels(tuple(photo.crop) if photo.crop else None, width=photo.width, height=photo.height)
    boxes = [
        map_box((face.x1, face.y1, face.x2, face.y2), crop=cut, scale=photo.rendition_width / (cut[2] - cut[0]))
        for face in faces
    ]
    return tuple(shape("open", "!", "The child's face", box) for box in boxes if box)
