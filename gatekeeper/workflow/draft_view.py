"""A draft as its form needs it, and the channels there are to choose from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from gatekeeper.errors import NotFound
from gatekeeper.people.staff import Staff
from gatekeeper.policy import limits
from gatekeeper.posts.model import ChannelAccount, Photo
from gatekeeper.posts.status import EDITABLE, PostState
from gatekeeper.workflow.due import TypedDue, is_doubled
from gatekeeper.workflow.own_post import may_see_pictures, own_post, readable_post
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.submit import HELD

_CLOSED: Final = {
    "new": "Not open yet: its connection has not been checked.",
    "checked": "Not open yet: the headteacher has still to open it.",
    "held": "Held for now.",
    "closed": "Closed.",
}


@dataclass(frozen=True, kw_only=True)
class ChannelChoice:
    """One channel on the form; `why` says why it cannot be chosen, when it cannot."""

    id: int
    kind: str
    label: str
    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class DraftPhoto:
    """One photo on the form."""

    id: int
    number: int
    file_name: str
    width: int
    height: int
    alt: str
    people: str
    basis: str


@dataclass(frozen=True, kw_only=True)
class DraftView:
    """The draft's fields as they were typed."""

    id: int
    revision: int
    state: PostState
    title: str
    text: str
    channels: tuple[int, ...]
    wordings: Mapping[int, str]  # what is typed for single channels, chosen or not
    due: TypedDue
    doubled: bool
    window: int
    photos: tuple[DraftPhoto, ...]
    note: str

    @property
    def held(self) -> bool:
        """Whether it has to be taken back before it can be changed."""
        return self.state in HELD or self.state is PostState.WITHDRAWN

    @property
    def over(self) -> bool:
        """Whether it can no longer be changed at all."""
        return self.state not in EDITABLE


def draft_view(services: Services, post_id: int, by: int) -> DraftView:
    """The author's own post, as the form shows it.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    with services.db.read() as session:
        post = own_post(session, post_id, by)
        due = TypedDue.read(post.due_wall)
        return DraftView(
            id=post.id,
            revision=post.revision,
            state=PostState(post.state),
            title=post.title,
            text=post.text,
            channels=tuple(post.channels),
            wordings={int(account): str(words) for account, words in post.wordings.items()},
            due=due,
            doubled=is_doubled(due),
            window=post.window_minutes,
            photos=tuple(_photo(photo, number) for number, photo in enumerate(post.photos, start=1)),
            note=post.note,
        )


def channel_choices(services: Services) -> tuple[ChannelChoice, ...]:
    """Every channel account the school has, closed ones with the reason."""
    with services.db.read() as session:
        accounts = session.scalars(select(ChannelAccount).order_by(ChannelAccount.kind.desc(), ChannelAccount.id)).all()
        return tuple(
            ChannelChoice(
                id=account.id,
                kind=account.kind,
                label=limits.label_of(account.kind),
                name=account.name,
                why="" if account.status == "open" else account.held_reason or _CLOSED.get(account.status, "Not open."),
            )
            for account in accounts
            if account.status != "closed"
        )


@dataclass(frozen=True)
class Picture:
    """A photo's bytes and the post it belongs to."""

    post_id: int
    data: bytes


def photo_bytes(services: Services, photo_id: int, by: Staff, *, public: bool) -> Picture:
    """What would be published of a photo (`public`), or the whole of it, uncovered, for those who resolve and decide.

    Raises:
        NotFound: there is no such picture for this person.
    """
    with services.db.read() as session:
        photo = session.get(Photo, photo_id)
        post = readable_post(session, photo.post_id, by) if photo else None
        if photo is None or post is None or not may_see_pictures(session, post, by, now=services.clock.now()):
            raise NotFound("There is no such photo, or it is not yours to see.")
        # a while after publishing only the published picture is kept
        digest = photo.rendition_sha256 if public or photo.original_gone_at else photo.preview_sha256
        post_id = post.id
    if digest is None:
        raise NotFound("This photo is being made anew. Reload the page in a moment.")
    return Picture(post_id, services.media.read(digest))


def _photo(photo: Photo, number: int) -> DraftPhoto:
    return DraftPhoto(
        id=photo.id,
        number=number,
        file_name=photo.file_name,
        width=photo.width,
        height=photo.height,
        alt=photo.alt,
        people=photo.people,
        basis=photo.basis,
    )
