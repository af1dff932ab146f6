"""What the posts hold about one child: where it was shown or named, in which words, and what became of each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.columns import utc_text
from approvals.tables import Decision
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, FaceAnswer, Photo, Post, Publication, Version
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.posts.status import BADGE, PUBLICATION_WORDS, FaceState, PostState, PublicationState
from gatekeeper.workflow.appearances import CLEARED, NAMED, Appearance
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.subject_pictures import Plan, plan
from gatekeeper.workflow.subject_reasons import reasons_part
from gatekeeper.workflow.withheld import Withholder

_VERDICTS: Final = {"approve": "approved", "refuse": "refused", "changes": "changes asked for"}
_OTHERS: Final = "withheld: other people are in this post, and the words may be about them"
_NOT_ABOUT: Final = "Somebody said once that a face in this post is the child, and took it back. Its words and pictures are about others."


def post_part(
    session: Session, found: Appearance, pupil_id: int, names: Mapping[int, str], words: Withholder
) -> tuple[dict[str, Any], list[Plan]]:
    """What is told of one post, and how its pictures have to be covered."""
    post = session.get_one(Post, found.post_id)
    told: dict[str, Any] = {
        "post": post.id,
        "state": "Taken down" if found.taken_down and not found.live else BADGE[PostState(post.state)][0],
        "how": sorted(found.how),
        "written_by": names.get(post.author_id, ""),
        "begun_at": utc_text(post.created_at),
        "for": utc_text(post.due_at) if post.due_at else None,
        "said_of_faces": _answers(session, found, pupil_id, names),
    }
    if not found.how & {CLEARED, NAMED}:
        return told | {"note": _NOT_ABOUT}, []
    photos = [photo for photo in post.photos if photo.id in found.photo_ids]
    told |= {
        "title": words.clean(post.title),
        "words": words.clean(post.text),
        "words_for_one_channel": {key: words.clean(str(own)) for key, own in (post.wordings or {}).items()},
        "published": [_publication(session, one, words, gone=one.id in found.gone) for one in found.publications],
        "decisions": _decisions(session, post, names, words, alone=_is_alone(session, post, pupil_id, words)),
    }
    plans = [plan(session, photo, pupil_id) for photo in photos]
    descriptions = {photo.id: words.clean(photo.alt) for photo in photos}
    told["pictures"] = [
        {"photo": one.photo_id, "description": descriptions[one.photo_id], "file": None, "why_not": one.why_not}
        for one in plans
    ]
    told["reasons"] = reasons_part(session, post, pupil_id, names, words, photo_ids=found.photo_ids)
    return told, plans


def _answers(session: Session, found: Appearance, pupil_id: int, names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Who said of a face that it is this child, and when."""
    faces = [
        face for photo in session.scalars(select(Photo).where(Photo.id.in_(found.photo_ids))) for face in photo.faces
    ]
    ids = [face.id for face in faces]
    rows = session.scalars(
        select(FaceAnswer).where(FaceAnswer.face_id.in_(ids), FaceAnswer.pupil_id == pupil_id).order_by(FaceAnswer.id)
    )
    said = [{"face": one.face_id, "at": utc_text(one.at), "by": names.get(one.by, "")} for one in rows]
    answered = {one["face"] for one in said}
    return said + [
        {"face": face.id, "at": _moment(face.resolved_at), "by": names.get(face.resolved_by or 0, "")}
        for face in faces
        if face.pupil_id == pupil_id and face.state == FaceState.PUPIL and face.id not in answered
    ]


def _publication(session: Session, one: Publication, words: Withholder, *, gone: bool) -> dict[str, Any]:
    account = session.get_one(ChannelAccount, one.account_id)
    version = session.get_one(Version, one.version_id)
    content = Content.from_canonical(version.canonical)
    removals = session.scalars(select(Takedown).where(Takedown.publication_id == one.id).order_by(Takedown.id)).all()
    return {
        "channel": f"{label_of(account.kind)} ({account.name})",
        "state": "Taken down" if gone else PUBLICATION_WORDS[PublicationState(one.state)],
        "published_at": _moment(one.published_at),
        "link": one.permalink,
        "words": words.clean(content.text_for(one.account_id)),
        # of the other pictures only a description that names the child: the rest are of other people
        "descriptions": [words.clean(photo.alt) for photo in content.photos if words.names_the_child(photo.alt)],
        "taken_down": [
            {
                "asked_at": utc_text(removal.asked_at),
                "gone_at": _moment(removal.confirmed_at) if removal.state == TakedownState.GONE else None,
                "why": words.clean(removal.words),
            }
            for removal in removals
        ],
    }


def _decisions(
    session: Session, post: Post, names: Mapping[int, str], words: Withholder, *, alone: bool
) -> list[dict[str, Any]]:
    """Each decision; its words only where nobody else is in the post, because they may be about anybody in it."""
    rows = session.scalars(
        select(Decision).where(Decision.subject == subject_of(post.id)).order_by(Decision.ledger_seq)
    ).all()
    return [
        {
            "decided_at": utc_text(one.decided_at),
            "by": names.get(one.approver_id, ""),
            "verdict": _VERDICTS.get(one.verdict, one.verdict),
            "words": words.clean(one.statement) if alone else _OTHERS,
        }
        for one in rows
    ]


def _is_alone(session: Session, post: Post, pupil_id: int, words: Withholder) -> bool:
    """Whether nobody but this child is in the post, in any picture or word of it, now or in a version of it."""
    faces = [face for photo in post.photos for face in photo.faces]
    if any(face.pupil_id != pupil_id or face.state != FaceState.PUPIL for face in faces):
        return False
    earlier = select(FaceAnswer.id).where(
        FaceAnswer.face_id.in_([face.id for face in faces]), FaceAnswer.pupil_id != pupil_id
    )
    if session.scalar(earlier.limit(1)) is not None:
        return False
    sealed = session.scalars(select(Version.canonical).where(Version.post_id == post.id)).all()
    decided = session.scalars(select(Decision).where(Decision.subject == subject_of(post.id))).all()
    said: Sequence[str | None] = [
        post.title, post.text, *map(str, (post.wordings or {}).values()), *(photo.alt for photo in post.photos),
        *sealed, *(one.statement for one in decided),
    ]  # fmt: skip
    return not any(words.names_others(one) for one in said)


def _moment(moment: datetime | None) -> str | None:
    return utc_text(moment) if moment else None
