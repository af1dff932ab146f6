"""Writing into the consent register. Nothing is overwritten: each answer is a new row, each withdrawal signed.

The register is asked again right before a post goes out, so a "no" written here stops what is on its way by itself.
In the same transaction the review begins that holds such posts and lists what is public already.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.biometric import BiometricFacts, Said
from gatekeeper.people.consent import Basis, Consent, Purpose, answer_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.roll import ANY_CHANNEL, newest_consent
from gatekeeper.people.staff import record
from gatekeeper.policy.limits import LIMITS
from gatekeeper.posts.model import Face, Photo, Post
from gatekeeper.posts.status import VOIDED_BY_EDIT
from gatekeeper.workflow.consent_review import given_again, open_review
from gatekeeper.workflow.recognition import forget_unfounded
from gatekeeper.workflow.services import Services

CHANGED_NOTE: Final = (
    "The consent register changed for a pupil in this post. The register is asked again before anything goes out."
)
_SHORTEST_REASON: Final = 5
_SHORTEST_NAME: Final = 2


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One answer as it is typed in."""

    allowed: bool
    basis: Basis
    given_on: date
    expires_on: date | None = None
    note: str = ""


def record_consent(services: Services, pupil_id: int, channel_kind: str, permission: Permission, *, by: int) -> None:
    """Record whether a child may be shown on a kind of channel.

    Raises:
        BadInput: a date cannot be right, or the channel is unknown.
        NotFound: there is no such child.
    """
    if channel_kind not in LIMITS:
        sentence = "Please choose one of the channels."
        raise BadInput(sentence, fields={"channel_kind": sentence})
    _record(services, pupil_id, channel_kind, Purpose.SOCIAL_MEDIA, permission, by=by)


@dataclass(frozen=True, kw_only=True)
class FamilyAnswer:
    """What came of asking a family and the child whether the face may be matched, as it is typed in."""

    said: Said
    given_on: date
    written_by: str = ""
    told: str = ""
    each_told: bool = False
    nobody_objects: bool = False
    expires_on: date | None = None
    note: str = ""


def record_biometric(services: Services, pupil_id: int, answer: FamilyAnswer, *, by: int) -> None:
    """Record whether the child's face may be matched automatically (Protection of Freedoms Act 2012, section 26).

    Raises:
        BadInput: a yes that leaves out one of the facts the law asks for, or a wrong date.
        NotFound: there is no such child.
    """
    if answer.said is Said.YES:
        _check_facts(answer)
    permission = Permission(
        allowed=answer.said is Said.YES,
        basis=Basis.CONSENT,  # nothing else will do for biometric data of a child
        given_on=answer.given_on,
        expires_on=answer.expires_on,
        note=answer.note,
    )
    facts = BiometricFacts(said=answer.said, written_by=answer.written_by.strip(), told=answer.told.strip())
    _record(services, pupil_id, ANY_CHANNEL, Purpose.BIOMETRIC, permission, by=by, facts=facts)


def _check_facts(answer: FamilyAnswer) -> None:
    fields = {}
    if len(answer.written_by.strip()) < _SHORTEST_NAME:
        fields["written_by"] = "Name the parent who consented in writing."
    if len(answer.told.strip()) < _SHORTEST_REASON:
        fields["told"] = "Write who was told, and how."
    if not answer.each_told:
        fields["each_told"] = "The law asks that each parent is told first."
    if not answer.nobody_objects:
        fields["nobody_objects"] = "If a parent or the pupil objects, the answer is no. Choose which above."
    if fields:
        raise BadInput("A yes needs all of this on record.", fields=fields)


def _record(
    services: Services,
    pupil_id: int,
    channel_kind: str,
    purpose: Purpose,
    permission: Permission,
    *,
    by: int,
    facts: BiometricFacts | None = None,
) -> None:
    with services.step() as session:
        now = services.clock.now()
        _check_dates(permission, today=london(now).date())
        _pupil(session, pupil_id)
        row = Consent(
            pupil_id=pupil_id,
            channel_kind=channel_kind,
            purpose=purpose,
            allowed=permission.allowed,
            basis=permission.basis,
            given_on=permission.given_on,
            expires_on=permission.expires_on,
            note=permission.note.strip(),
            recorded_by=by,
            recorded_at=now,
        )
        session.add(row)
        if facts is not None:
            session.flush()
            facts.consent_id = row.id
            session.add(facts)
        what = {"channel": channel_kind, "purpose": str(purpose)}
        record(session, at=now, staff_id=by, action="consent.recorded", subject=f"pupil:{pupil_id}", detail=what)
        kinds = [channel_kind] if purpose is Purpose.SOCIAL_MEDIA else []
        changed(session, pupil_id, kinds=kinds, cause="expired" if permission.allowed else "refused", by=by, now=now)


def _check_dates(permission: Permission, *, today: date) -> None:
    fields = {}
    if permission.given_on > today:
        fields["given_on"] = "This date is in the future. Record a permission once it has been given."
    if permission.expires_on is not None and permission.expires_on < permission.given_on:
        fields["expires_on"] = "It cannot end before it was given."
    if fields:
        raise BadInput("Please look at the dates.", fields=fields)


def withdraw_consent(services: Services, pupil_id: int, channel_kind: str, purpose: Purpose, *, by: int) -> None:
    """Withdraw the answer that counts now.

    Raises:
        Conflict: there is no permission that could be withdrawn.
        NotFound: there is no such child.
    """
    _withdraw(services, pupil_id, [channel_kind], purpose, by=by)


def withdraw_everywhere(services: Services, pupil_id: int, *, by: int) -> None:
    """Withdraw every permission to show this child, on all channels at once: one review lists what is public.

    Raises:
        Conflict, NotFound: as `withdraw_consent`.
    """
    _withdraw(services, pupil_id, list(LIMITS), Purpose.SOCIAL_MEDIA, by=by)


def _withdraw(services: Services, pupil_id: int, channel_kinds: Sequence[str], purpose: Purpose, *, by: int) -> None:
    with services.step() as session:
        now = services.clock.now()
        _pupil(session, pupil_id)
        newest = [newest_consent(session, pupil_id, kind, purpose) for kind in channel_kinds]
        standing = [one for one in newest if one is not None and one.allowed and one.withdrawn_at is None]
        if not standing:
            raise Conflict("There is no permission here that could be withdrawn.")
        for one in standing:
            one.withdrawn_at, one.withdrawn_by = now, by
            what = {"channel": one.channel_kind, "purpose": str(purpose)}
            record(session, at=now, staff_id=by, action="consent.withdrawn", subject=f"pupil:{pupil_id}", detail=what)
        kinds = [one.channel_kind for one in standing] if purpose is Purpose.SOCIAL_MEDIA else []
        changed(session, pupil_id, kinds=kinds, cause="withdrawn", by=by, now=now)


def mark_never(services: Services, pupil_id: int, *, reason: str, by: int) -> None:
    """Set the mark that beats every permission.

    Raises:
        BadInput: no reason was given.
        NotFound: there is no such child.
    """
    words = _reason(reason)
    with services.step() as session:
        now = services.clock.now()
        pupil = _pupil(session, pupil_id)
        pupil.never_publish, pupil.never_reason, pupil.never_by, pupil.never_at = True, words, by, now
        record(session, at=now, staff_id=by, action="never.marked", subject=f"pupil:{pupil_id}")
        changed(session, pupil_id, kinds=list(LIMITS), cause="never", by=by, now=now)


def clear_never(services: Services, pupil_id: int, *, reason: str, by: int) -> None:
    """Take the mark away; the permissions count again as they stand.

    Raises:
        BadInput: no reason was given.
        Conflict: there is no mark.
        NotFound: there is no such child.
    """
    words = _reason(reason)
    with services.step() as session:
        now = services.clock.now()
        pupil = _pupil(session, pupil_id)
        if not pupil.never_publish:
            raise Conflict("There is no such mark any more.")
        pupil.never_publish, pupil.never_reason, pupil.never_by, pupil.never_at = False, words, by, now
        record(session, at=now, staff_id=by, action="never.cleared", subject=f"pupil:{pupil_id}")
        changed(session, pupil_id, kinds=list(LIMITS), cause="", by=by, now=now)


def set_leaver(services: Services, pupil_id: int, *, left_on: date | None, by: int) -> None:
    """Record a child's last day, or that they stay after all. From the day after it every answer is no.

    Raises:
        NotFound: there is no such child.
    """
    with services.step() as session:
        now = services.clock.now()
        pupil = _pupil(session, pupil_id)
        if pupil.left_on == left_on:
            return
        pupil.left_on = left_on
        action = "pupil.leaves" if left_on else "pupil.stays"
        record(session, at=now, staff_id=by, action=action, subject=f"pupil:{pupil_id}")
        over = left_on is not None and left_on < london(now).date()  # else the day itself begins the review
        changed(session, pupil_id, kinds=list(LIMITS), cause="left" if over else "", by=by, now=now)


def note_look(services: Services, pupil_id: int, *, by: int) -> None:
    """Write down that somebody looked at a child's page."""
    with services.step() as session:
        record(session, at=services.clock.now(), staff_id=by, action="pupil.seen", subject=f"pupil:{pupil_id}")


def changed(
    session: Session, pupil_id: int, *, kinds: Collection[str] = (), cause: str = "", by: int | None, now: datetime
) -> None:
    """Let everything follow that the register's new answers call for, in the transaction that changed them.

    Templates that lost their ground are deleted. What is no longer allowed is reviewed: held, or listed to be taken
    down. What is allowed again ends its review. The authors of other posts on their way which show this child hear that
    the register changed; nobody is named.

    Args:
        session: the caller's transaction.
        pupil_id: the child.
        kinds: the kinds of channel about which something may have changed.
        cause: why a kind may not be allowed any more, as `consent_review.CAUSES` names it; without one nothing is
            reviewed.
        by: who changed it.
        now: the moment.
    """
    session.flush()
    pupil = _pupil(session, pupil_id)
    today = london(now).date()
    yes = [kind for kind in kinds if answer_for(session, pupil, kind, today=today, words=kind).allowed]
    no = [kind for kind in kinds if kind not in yes]
    shown = select(Photo.post_id).join(Face, Face.photo_id == Photo.id).where(Face.pupil_id == pupil_id)
    told = (Post.id.in_(shown), Post.state.in_(VOIDED_BY_EDIT), ~Post.held_for_consent)
    numbers = session.scalars(select(Post.id).where(*told)).all()
    if no and cause:
        open_review(session, pupil_id, cause=cause, kinds=no, by=by, now=now, also=numbers)
    if yes and by is not None:
        given_again(session, pupil_id, kinds=yes, by=by, now=now, also=numbers)
    for post in session.scalars(select(Post).where(*told, Post.id.in_(numbers)).order_by(Post.id).with_for_update()):
        post.note, post.changed_at = CHANGED_NOTE, now
    forget_unfounded(session, pupil_id=pupil_id, now=now)


def told_now(session: Session, pupil_id: int, *, now: datetime) -> list[str]:
    """The kinds of channel whose answer about this child was written in this step."""
    rows = select(Consent.channel_kind).where(
        Consent.pupil_id == pupil_id, Consent.purpose == Purpose.SOCIAL_MEDIA, Consent.recorded_at == now
    )
    return sorted(set(session.scalars(rows)))


def _reason(words: str) -> str:
    words = words.strip()
    if len(words) < _SHORTEST_REASON:
        sentence = "Please give the reason in a few words."
        raise BadInput(sentence, fields={"reason": sentence})
    return words


def _pupil(session: Session, pupil_id: int) -> Pupil:
    """The child's row, locked: two who change it at once do so one after the other."""
    pupil = session.scalars(
        select(Pupil)
        .where(Pupil.id == pupil_id)
        .with_for_update(key_share=True)  # whoever only names the child in a post need not wait
        .execution_options(populate_existing=True)
    ).first()
    if pupil is None:
        raise NotFound("There is no such pupil on the roll.")
    return pupil
