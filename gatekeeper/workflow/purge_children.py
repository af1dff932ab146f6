"""Which data of children had their time: leavers' names and permissions, and what was noted about face matching.

A leaver's row keeps its number, so that what refers to it stays whole. The name stays while a kept post shows the child.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import Session

from gatekeeper.people.biometric import BiometricFacts
from gatekeeper.people.consent import Consent
from gatekeeper.people.own_rules import WordQuestion
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.templates import Enrolment, FaceTemplate
from gatekeeper.posts.model import Face, FaceAnswer, FaceSuggestion, Post
from gatekeeper.posts.public import ConsentReview, ReviewItem
from gatekeeper.workflow.legal_hold import held_post, held_pupil
from gatekeeper.workflow.purge_rule import Night, Rule, done, still_due


def _leavers(session: Session, night: Night) -> Select[Any] | None:
    day = night.day_before("leavers")
    if day is None:
        return None
    return (
        select(Pupil.id)
        .where(
            Pupil.left_on < day,
            or_(Pupil.first_name != "", Pupil.last_name != ""),
            Pupil.id.not_in(select(Face.pupil_id).where(Face.pupil_id.is_not(None))),
            Pupil.id.not_in(select(FaceAnswer.pupil_id).where(FaceAnswer.pupil_id.is_not(None))),
            Pupil.id.not_in(select(ConsentReview.pupil_id).where(ConsentReview.closed_at.is_(None))),
            ~held_pupil(session),
        )
        .order_by(Pupil.id)
    )


def _forget(session: Session, ids: Sequence[Any], night: Night) -> int:
    # locked as the register locks them: a name that comes back in this moment is either seen or waits
    session.scalars(select(Pupil.id).where(Pupil.id.in_(ids)).with_for_update()).all()
    going = still_due(session, _leavers, night, ids)
    consents = select(Consent.id).where(Consent.pupil_id.in_(going))
    reviews = select(ConsentReview.id).where(ConsentReview.pupil_id.in_(going))
    for statement in (
        delete(FaceSuggestion).where(FaceSuggestion.pupil_id.in_(going)),
        delete(FaceTemplate).where(FaceTemplate.pupil_id.in_(going)),
        delete(Enrolment).where(Enrolment.pupil_id.in_(going)),
        delete(BiometricFacts).where(BiometricFacts.consent_id.in_(consents)),
        delete(Consent).where(Consent.pupil_id.in_(going)),
        update(ConsentReview).where(ConsentReview.pupil_id.in_(going)).values(letter=""),
        update(ReviewItem).where(ReviewItem.review_id.in_(reviews)).values(words=""),
    ):
        done(session, statement)
    for pupil in session.scalars(select(Pupil).where(Pupil.id.in_(going)).execution_options(populate_existing=True)):
        pupil.reference = f"gone-{pupil.id}"
        pupil.first_name = pupil.last_name = pupil.known_as = pupil.year = pupil.class_name = ""
        pupil.born_on, pupil.never_reason = None, None
    session.flush()
    return len(going)


def _enrolments(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("enrolments")
    if before is None:
        return None
    kept = select(Pupil.id).where(held_pupil(session))
    return (
        select(Enrolment.id)
        .where(Enrolment.state != "waiting", Enrolment.ended_at < before, Enrolment.pupil_id.not_in(kept))
        .order_by(Enrolment.id)
    )


def _biometric_facts(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("biometric_facts")
    if before is None:
        return None
    kept = select(Pupil.id).where(held_pupil(session))
    return (
        select(BiometricFacts.consent_id)
        .join(Consent, Consent.id == BiometricFacts.consent_id)
        .where(Consent.withdrawn_at < before, Consent.pupil_id.not_in(kept))
        .order_by(BiometricFacts.consent_id)
    )


def _word_questions(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("word_questions")
    if before is None:
        return None
    kept = select(Post.id).where(held_post(session))
    return (
        select(WordQuestion.id)
        .where(WordQuestion.asked_at < before, WordQuestion.post_id.not_in(kept))
        .order_by(WordQuestion.id)
    )


RULES: Final = (
    Rule(
        id="word_questions",
        due=_word_questions,
        erase=lambda session, ids, _: done(session, delete(WordQuestion).where(WordQuestion.id.in_(ids))),
    ),
    Rule(
        id="enrolments",
        due=_enrolments,
        erase=lambda session, ids, _: done(
            session, delete(Enrolment).where(Enrolment.id.in_(ids), Enrolment.state != "waiting")
        ),
    ),
    Rule(
        id="biometric_facts",
        due=_biometric_facts,
        erase=lambda session, ids, _: done(session, delete(BiometricFacts).where(BiometricFacts.consent_id.in_(ids))),
    ),
    Rule(id="leavers", due=_leavers, erase=_forget, batch=50, asks_again=True),
)
