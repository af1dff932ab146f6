"""Writing a post and sending it for checking.

A draft keeps whatever was typed, sensible or not, so that nothing is ever lost to an error; everything is looked at
when it is sent. Each function is one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.staff import record
from gatekeeper.policy import limits
from gatekeeper.posts.model import ChannelAccount, Photo, Post
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import VOIDED_BY_EDIT, FaceState, PostState
from gatekeeper.posts.wordings import wordings_of
from gatekeeper.workflow.case_freeze import check_not_frozen
from gatekeeper.workflow.change import touch, void
from gatekeeper.workflow.due import TypedDue, resolve
from gatekeeper.workflow.own_post import own_post
from gatekeeper.workflow.photos import add_photo, move_photo, remove_photo
from gatekeeper.workflow.policy_gate import check_has_read
from gatekeeper.workflow.readiness import problems_with
from gatekeeper.workflow.services import Services

__all__ = [
    "DraftEdit",
    "add_photo",
    "create_draft",
    "move_photo",
    "remove_photo",
    "reopen",
    "save_draft",
    "submit",
    "use_again",
    "withdraw",
]

P = PostState
#: out of the author's hands for now: an edit has to be asked for, because it takes the post back
HELD: Final = VOIDED_BY_EDIT | {P.SCANNING}
_PHOTOS_GONE: Final = (
    "Its photos are not in this draft: a while after publishing only the published pictures are kept. Add them again."
)
SUBMITTABLE: Final = frozenset(
    {P.DRAFT, P.SCAN_FAILED, P.OPEN, P.CHANGES, P.REFUSED, P.EXPIRED, P.FAILED, P.MISSED, P.WITHDRAWN}
)


@dataclass(frozen=True, kw_only=True)
class DraftEdit:
    """The form as it was typed. Photos are named by their ids.

    Attributes:
        channels: ids of channel accounts.
        wordings: the own words of single channels, by the ids of their accounts; blank where the common text is to
            be used. What is not named here stays as it is.
        window: minutes after its time during which it may still go out.
        revision: the revision the form was filled from; None from a caller who does not mind what is there.
        take_back: the author was told that the headteacher is asked no longer, and wants to edit all the same.
    """

    title: str = ""
    text: str = ""
    channels: tuple[int, ...] = ()
    wordings: Mapping[int, str] = field(default_factory=dict)
    due: TypedDue = field(default_factory=TypedDue)
    window: int = limits.USUAL_WINDOW
    alts: Mapping[int, str] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)
    basis: Mapping[int, str] = field(default_factory=dict)
    revision: int | None = None
    take_back: bool = False


def create_draft(services: Services, by: int, edit: DraftEdit | None = None) -> int:
    """Begin a post; its id is given back. With `edit`, what was already typed is saved with it.

    Raises:
        PolicyUnread: this person has not confirmed the policy yet.
    """
    now = services.clock.now()
    with services.step() as session:
        check_has_read(session, by)
        post = Post(author_id=by, state=P.DRAFT, channels=[], created_at=now, changed_at=now)
        session.add(post)
        session.flush()
        if edit is not None:
            _apply(session, post, _read(session, post, edit))
        return post.id


def save_draft(services: Services, post_id: int, by: int, edit: DraftEdit) -> int:
    """Keep what was typed, finished or not; the draft's new revision is given back.

    Raises:
        BadInput: something is far longer than any post can be.
        Conflict: it was changed elsewhere meanwhile, or it has gone to the headteacher and `take_back` was not said.
    """
    now = services.clock.now()
    with services.step() as session:
        post = own_post(session, post_id, by)
        wanted = _read(session, post, edit)
        if not _differs(post, wanted):
            return post.revision
        if edit.revision is not None and edit.revision != post.revision:
            raise Conflict(
                "This post was changed in another window after you opened it here. What you typed is still below: "
                "save it again to keep yours."
            )
        if PostState(post.state) in HELD and not edit.take_back:
            raise Conflict("This post has been sent. Saving a change takes it back; then send it again.")
        touch(session, post, by=by, now=now)
        _apply(session, post, wanted)
        return post.revision


def submit(services: Services, post_id: int, by: int) -> None:
    """Send the post for checking; with nothing to answer it goes straight on to the headteacher.

    Raises:
        BadInput: something is missing; `fields` holds a sentence for each field.
        Conflict: it has been sent already, or the policy's present edition is not confirmed yet (`PolicyUnread`).
    """
    now = services.clock.now()
    with services.step() as session:
        post = own_post(session, post_id, by)
        check_has_read(session, by)
        state = PostState(post.state)
        if state not in SUBMITTABLE:
            raise Conflict("This post has been sent already.")
        check_not_frozen(session, post)
        if fields := problems_with(session, post, now=now, demo=services.settings.demo):
            raise BadInput("The post is not ready to be checked.", fields=fields)
        if state is not P.DRAFT:
            touch(session, post, by=by, now=now, reason="The post was sent again.")  # a fresh yes needs a fresh version
        if post.due_wall:
            post.due_at = resolve(TypedDue.read(post.due_wall))
        post.wordings = {str(account): words for account, words in wordings_of(post).items()}  # the rest is forgotten
        post.send_when_clear, post.note = True, ""
        move(post, P.SCANNING)
        jobs.order(session, jobs.SCAN, post.id, now=now)
        record(session, at=now, staff_id=by, action="post.submitted", subject=f"post:{post.id}")


def withdraw(services: Services, post_id: int, by: int) -> None:
    """Take the post out of the way: nothing of it will be published. It can be opened again.

    Raises:
        Conflict: it is being sent, or was sent.
    """
    now = services.clock.now()
    with services.step() as session:
        post = own_post(session, post_id, by)
        if PostState(post.state) in VOIDED_BY_EDIT:
            void(session, post, by=by, now=now, reason="The author withdrew the post.")
        move(post, P.WITHDRAWN)
        post.revision += 1
        post.changed_at = now
        record(session, at=now, staff_id=by, action="post.withdrawn", subject=f"post:{post.id}")


def reopen(services: Services, post_id: int, by: int) -> None:
    """Make it a draft again: what was asked or approved is void.

    Raises:
        Conflict: it is being sent, or was sent.
    """
    now = services.clock.now()
    with services.step() as session:
        post = own_post(session, post_id, by)
        if post.state != P.DRAFT:
            touch(session, post, by=by, now=now, reason="The author took the post back to change it.")
            record(session, at=now, staff_id=by, action="post.reopened", subject=f"post:{post.id}")


def use_again(services: Services, post_id: int, by: int) -> int:
    """A new draft with the same words and photos; its id is given back. Time and answers are not carried over.

    Raises:
        PolicyUnread: as `create_draft`.
    """
    now = services.clock.now()
    with services.step() as session:
        old = own_post(session, post_id, by)
        check_not_frozen(session, old)  # a copy would be a way round
        check_has_read(session, by)
        post = Post(
            author_id=by,
            title=old.title,
            text=old.text,
            channels=list(old.channels),
            wordings=dict(old.wordings),
            window_minutes=old.window_minutes,
            state=P.DRAFT,
            created_at=now,
            changed_at=now,
        )
        kept = [photo for photo in old.photos if photo.original_gone_at is None]
        post.photos = [_copy_of(photo, position) for position, photo in enumerate(kept)]
        post.note = "" if len(kept) == len(old.photos) else _PHOTOS_GONE
        for photo in post.photos:
            photo.added_at = now
        session.add(post)
        session.flush()
        return post.id


def _copy_of(photo: Photo, position: int) -> Photo:
    same = photo.crop is None and not photo.patches and all(face.state != FaceState.COVERED for face in photo.faces)
    return Photo(
        position=position,
        file_name=photo.file_name,
        original_sha256=photo.original_sha256,
        preview_sha256=photo.preview_sha256,
        width=photo.width,
        height=photo.height,
        crop=None,
        rendition_sha256=photo.rendition_sha256 if same else None,  # a cover belongs to an answer, and none is copied
        rendition_width=photo.rendition_width if same else 0,
        rendition_height=photo.rendition_height if same else 0,
        alt=photo.alt,
        people=photo.people,
        basis="",
    )


Wanted = dict[str, object]


def _read(session: Session, post: Post, edit: DraftEdit) -> tuple[Wanted, dict[int, Wanted]]:
    """What the columns would hold: of the post, and of each of its photos."""
    _check_sizes(edit)
    named = {*edit.channels, *edit.wordings}
    known = set(session.scalars(select(ChannelAccount.id).where(ChannelAccount.id.in_(named))))
    typed = {str(account): _clean(words) for account, words in edit.wordings.items() if account in known}
    try:
        due_at = resolve(edit.due)
    except (BadInput, OverflowError):
        due_at = None  # kept as typed; sending it for checking says what is wrong
    of_post: Wanted = {
        "title": _clean(edit.title, lines=False),
        "text": _clean(edit.text),
        "channels": [account for account in dict.fromkeys(edit.channels) if account in known],
        "wordings": {account: words for account, words in (post.wordings | typed).items() if words.strip()},
        "due_wall": edit.due.stored,
        "due_at": due_at,
        "window_minutes": edit.window if edit.window in limits.WINDOWS else post.window_minutes or limits.USUAL_WINDOW,
    }
    of_photos: dict[int, Wanted] = {}
    for photo in post.photos:
        texts = {"alt": edit.alts, "people": edit.people, "basis": edit.basis}
        wanted: Wanted = {name: _clean(typed[photo.id]) for name, typed in texts.items() if photo.id in typed}
        if wanted.get("people") not in limits.PEOPLE:
            wanted.pop("people", None)
        of_photos[photo.id] = wanted
    return of_post, of_photos


def _differs(post: Post, wanted: tuple[Wanted, dict[int, Wanted]]) -> bool:
    of_post, of_photos = wanted
    return any(getattr(post, name) != value for name, value in of_post.items()) or any(
        getattr(photo, name) != value for photo in post.photos for name, value in of_photos[photo.id].items()
    )


def _apply(session: Session, post: Post, wanted: tuple[Wanted, dict[int, Wanted]]) -> None:
    of_post, of_photos = wanted
    for name, value in of_post.items():
        setattr(post, name, value)
    for photo in post.photos:
        for name, value in of_photos[photo.id].items():
            setattr(photo, name, value)
    session.flush()


def _clean(text: str, *, lines: bool = True) -> str:
    """The text without what no keyboard types; browsers' line ends become plain ones."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(sign for sign in plain if sign >= " " or sign in "\n\t")
    return kept if lines else " ".join(kept.split())


def _check_sizes(edit: DraftEdit) -> None:
    fields = {}
    if len(edit.title) > limits.MAX_TITLE:
        fields["title"] = f"The title may have {limits.MAX_TITLE} characters at most."
    if len(edit.text) > limits.MAX_TYPED:
        fields["text"] = f"This is far too long for a post: {limits.MAX_TYPED:,} characters can be kept."
    for texts, name in ((edit.wordings, "wording"), (edit.alts, "alt"), (edit.basis, "basis")):
        fields |= {
            f"{name}_{of}": f"This is far too long: {limits.MAX_TYPED:,} characters can be kept."
            for of, typed in texts.items()
            if len(typed) > limits.MAX_TYPED
        }
    if fields:
        raise BadInput("Something is too long to be kept.", fields=fields)
