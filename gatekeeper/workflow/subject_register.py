"""What the register, the audit and the reviews hold about one child, without a word about another."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.columns import utc_text
from gatekeeper.people.biometric import biometric_facts
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.roll import consent_history
from gatekeeper.people.staff import Audit
from gatekeeper.people.templates import Enrolment, FaceTemplate
from gatekeeper.posts.public import ConsentReview, ReviewItem
from gatekeeper.workflow.audit_words import words_for
from gatekeeper.workflow.withheld import Withholder

#: what an audit line may tell beside its action: counts and kinds of our own, never a list of others
_TOLD: Final = frozenset({
    "channel", "allowed", "basis", "purpose", "given_on", "expires_on", "left_on", "number", "reason", "cause", "fields",
    "posts", "pictures", "case",
})  # fmt: skip


def roll_part(pupil: Pupil, names: Mapping[int, str], words: Withholder) -> dict[str, Any]:
    """The child's row on the roll, with the mark that beats every permission."""
    return {
        "number": pupil.reference,
        "first_name": pupil.first_name,
        "last_name": pupil.last_name,
        "known_as": pupil.known_as,
        "year": pupil.year,
        "class": pupil.class_name,
        "born_on": _day(pupil.born_on),
        "left_on": _day(pupil.left_on),
        "on_the_roll_since": utc_text(pupil.created_at),
        "never_publish": {
            "reason": words.clean(pupil.never_reason),
            "set_by": names.get(pupil.never_by or 0, ""),
            "set_at": _moment(pupil.never_at),
        }
        if pupil.never_publish
        else None,
    }


def permissions_part(
    session: Session, pupil: Pupil, names: Mapping[int, str], words: Withholder
) -> list[dict[str, Any]]:
    """Every answer ever recorded, the newest first, with who recorded it."""
    facts = biometric_facts(session, pupil.id)
    return [
        {
            "channel": one.channel_kind,
            "purpose": one.purpose,
            "allowed": one.allowed,
            "basis": one.basis,
            "given_on": _day(one.given_on),
            "expires_on": _day(one.expires_on),
            "note": words.clean(one.note),
            "recorded_by": names.get(one.recorded_by, ""),
            "recorded_at": utc_text(one.recorded_at),
            "withdrawn_at": _moment(one.withdrawn_at),
            "withdrawn_by": names.get(one.withdrawn_by or 0, ""),
            "about_matching_the_face": {
                "said": facts[one.id].said,
                "consented_in_writing": words.clean(facts[one.id].written_by),
                "told": words.clean(facts[one.id].told),
            }
            if one.id in facts
            else None,
        }
        for one in consent_history(session, pupil.id)
    ]


def matching_part(session: Session, pupil: Pupil, names: Mapping[int, str], words: Withholder) -> dict[str, Any]:
    """What exists of the child for matching faces. The numbers themselves are sealed and can be read by no person."""
    templates = select(FaceTemplate).where(FaceTemplate.pupil_id == pupil.id).order_by(FaceTemplate.id)
    enrolments = select(Enrolment).where(Enrolment.pupil_id == pupil.id).order_by(Enrolment.id)
    return {
        "templates": [
            {
                "engine": one.engine,
                "made_at": utc_text(one.made_at),
                "made_by": names.get(one.made_by, ""),
                "expires_on": _day(one.expires_on),
            }
            for one in session.scalars(templates)
        ],
        "photos_taken_for_it": [
            {
                "asked_at": utc_text(one.asked_at),
                "asked_by": names.get(one.asked_by, ""),
                "became": one.state,
                "told": words.clean(one.sentence),
            }
            for one in session.scalars(enrolments)
        ],
    }


def reviews_part(session: Session, pupil: Pupil, names: Mapping[int, str], words: Withholder) -> list[dict[str, Any]]:
    """Each review that began because the child may not be shown any more, with the letter and each post's end."""
    told = []
    for review in session.scalars(
        select(ConsentReview).where(ConsentReview.pupil_id == pupil.id).order_by(ConsentReview.id)
    ):
        items = session.scalars(select(ReviewItem).where(ReviewItem.review_id == review.id).order_by(ReviewItem.id))
        told.append(
            {
                "cause": review.cause,
                "opened_at": utc_text(review.opened_at),
                "opened_by": names.get(review.opened_by or 0, "Gatekeeper"),
                "closed_at": _moment(review.closed_at),
                "closed_by": names.get(review.closed_by or 0, ""),
                "letter": words.clean(review.letter),
                "posts": [
                    {
                        "post": item.post_id,
                        "how": item.how,
                        "state": item.state,
                        "words": words.clean(item.words),
                        "ended_at": _moment(item.ended_at),
                        "ended_by": names.get(item.ended_by or 0, ""),
                    }
                    for item in items
                ],
            }
        )
    return told


def audit_part(session: Session, pupil: Pupil, names: Mapping[int, str], words: Withholder) -> list[dict[str, Any]]:
    """Who looked at or changed what about the child, the oldest first."""
    rows = select(Audit).where(Audit.subject == f"pupil:{pupil.id}").order_by(Audit.id)
    return [
        {
            "at": utc_text(row.at),
            "who": names.get(row.staff_id or 0, "Gatekeeper"),
            "did": words_for(row.action),
            "detail": {name: words.clean(str(row.detail[name])) for name in sorted(_TOLD & row.detail.keys())},
        }
        for row in session.scalars(rows)
    ]


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _moment(moment: datetime | None) -> str | None:
    return utc_text(moment) if moment else None
