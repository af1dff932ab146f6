"""Gathers, at this instant, the facts that the verdict and the gate are drawn from. Nothing here is remembered."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.consent import answer_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.policy.limits import label_of
from gatekeeper.policy.verdict import (
    ChannelFacts,
    FaceFacts,
    FindingFacts,
    OpenItem,
    PhotoFacts,
    PostFacts,
    open_items,
)
from gatekeeper.posts.model import ChannelAccount, Face, Photo, PhotoScan, PictureReading, Post, SecondLook
from gatekeeper.posts.repository import accounts_of, findings_of
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.consent_hold import held_words
from gatekeeper.workflow.face_place import is_inside
from gatekeeper.workflow.services import Services

__all__ = ["SHOWS_PUPILS", "facts_of", "is_inside", "kinds_of", "open_items_of", "photo_facts", "photos_against"]

#: what an author may declare that means: pupils are in this photo
SHOWS_PUPILS = frozenset({"pupils", "both"})


def facts_of(session: Session, post: Post, *, today: date) -> PostFacts:
    """Everything the verdict about a post is drawn from, with the register asked anew."""
    accounts = accounts_of(session, post)
    return PostFacts(
        photos=photo_facts(session, post, kinds=kinds_of(accounts), today=today),
        findings=tuple(
            FindingFacts(id=f.id, severity=f.severity, state=f.state, rule=f.rule, message=f.message)
            for f in (findings_of(session, post.version_id) if post.version_id else ())
        ),
        channels=tuple(
            ChannelFacts(id=a.id, kind=a.kind, name=a.name, open=a.status == "open", declared_own=a.declared_own)
            for a in accounts
        ),
        held=held_words(session, post, today=today),
    )


def kinds_of(accounts: Sequence[ChannelAccount]) -> tuple[str, ...]:
    """The kinds of channel among these accounts, each once."""
    return tuple(dict.fromkeys(account.kind for account in accounts))


def open_items_of(services: Services, session: Session, post: Post) -> list[OpenItem]:
    """What still stands between this post and the headteacher."""
    return open_items(facts_of(session, post, today=london(services.clock.now()).date()))


def photos_against(session: Session, post: Post, *, kinds: Sequence[str], today: date) -> list[str]:
    """A sentence for everything in the photos that is not positively cleared for these kinds of channel.

    No child is named: the sentences go into records that outlive the post.
    """
    facts = PostFacts(photos=photo_facts(session, post, kinds=kinds, today=today))
    return [item.sentence for item in open_items(facts)]


def photo_facts(session: Session, post: Post, *, kinds: Sequence[str], today: date) -> tuple[PhotoFacts, ...]:
    """What is known of each photo and of every face on it."""
    return tuple(
        PhotoFacts(
            id=photo.id,
            number=number,
            scanned=_is_scanned(session, photo),
            rendered=photo.rendition_sha256 is not None,
            problem=photo.problem,
            declared_pupils=photo.people in SHOWS_PUPILS,
            faces=tuple(
                FaceFacts(
                    id=face.id,
                    photo=number,
                    number=index,
                    state=face.state,
                    words=face.words,
                    answers=_answers(session, face, kinds=kinds, today=today),
                    score=face.score,
                    inside=is_inside(photo, face),
                    by_hand=face.source == "hand",
                    second_look=face.state == FaceState.NOT_A_FACE and _was_confirmed(session, face),
                )
                for index, face in enumerate(photo.faces, start=1)
            ),
        )
        for number, photo in enumerate(post.photos, start=1)
    )


def _is_scanned(session: Session, photo: Photo) -> bool:
    """Whether the original and, where there is one, the rendition were both looked at in full, and the latter read."""
    if photo.scanned_sha256 != photo.original_sha256:
        return False
    if photo.rendition_sha256 is None:
        return True
    looked_at = select(PhotoScan.sha256).where(PhotoScan.sha256 == photo.rendition_sha256)
    read = select(PictureReading.sha256).where(PictureReading.sha256 == photo.rendition_sha256)
    return session.scalars(looked_at).first() is not None and session.scalars(read).first() is not None


def _was_confirmed(session: Session, face: Face) -> bool:
    """Whether a second person looked at this box and saw no face; taken back, it confirms nothing."""
    confirmed = select(SecondLook.id).where(SecondLook.face_id == face.id, SecondLook.no_face.is_(True))
    return session.scalars(confirmed).first() is not None


def _answers(session: Session, face: Face, *, kinds: Sequence[str], today: date) -> tuple[tuple[bool, str], ...]:
    if face.state != FaceState.PUPIL or face.pupil_id is None:
        return ()
    pupil = session.get(Pupil, face.pupil_id, populate_existing=True)
    if pupil is None:
        return ()
    answers = [answer_for(session, pupil, kind, today=today, words=label_of(kind)) for kind in kinds]
    return tuple((answer.allowed, answer.for_authors) for answer in answers)
