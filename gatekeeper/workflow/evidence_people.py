"""Who is in the pictures of a bundle and on what basis: row numbers of the register, and names only where asked for.

A permission is told as it stood at the moment of the decision and at each publication. The register keeps every row,
so this can be said years later; which face was whose is told by the answers given up to the decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.columns import utc_text
from gatekeeper.clock import london
from gatekeeper.people.consent import Consent, Purpose
from gatekeeper.people.pupils import Pupil
from gatekeeper.policy.verdict import is_pupil_name
from gatekeeper.posts.model import Face, FaceAnswer, Finding, Photo
from gatekeeper.posts.repository import findings_of
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.evidence_case import Case
from gatekeeper.workflow.facts import is_inside

_WITHHELD = "withheld: it may name a pupil"


@dataclass(frozen=True)
class _Said:
    """What had been said of a face by the moment of the decision."""

    state: str
    pupil_id: int | None
    words: str
    by: int | None
    at: datetime | None


def findings_part(session: Session, case: Case) -> dict[str, Any]:
    """What the checks found in this version, and the reasons given. What may name a pupil is left out."""
    return {"findings": [_finding(finding) for finding in findings_of(session, case.version.id)]}


def consents_part(session: Session, case: Case) -> dict[str, Any]:
    """For every face in the published pictures: what was said of it, and the permissions relied on, by row number."""
    moments = {"decision": case.decision.decided_at} | {
        f"publication {one.id}": one.published_at for one in case.publications if one.published_at
    }
    kinds = {f"publication {one.id}": case.accounts[one.account_id].kind for one in case.publications}
    photos = []
    for number, (sealed, photo) in enumerate(_photos(session, case), start=1):
        faces = [
            {
                "face": index,
                "is": said.state,
                "said_by": said.by,
                "said_at": utc_text(said.at) if said.at else None,
                "permissions": _permissions(session, said.pupil_id, case, moments, kinds),
            }
            for index, said in _faces(session, photo, case)
        ]
        declared = photo.people if photo else None
        photos.append(
            {"photo": number, "sha256": sealed, "known": photo is not None, "people": declared, "faces": faces}
        )
    return {"moments": {name: utc_text(at) for name, at in moments.items()}, "photos": photos}


def names_part(session: Session, case: Case) -> dict[str, Any]:
    """The names behind `consents.json` and what was left out of `findings.json`. Only where asked for with a reason."""
    people: list[dict[str, Any]] = []
    bases: list[dict[str, Any]] = []
    for number, (_, photo) in enumerate(_photos(session, case), start=1):
        if photo is not None and photo.basis:
            bases.append({"photo": number, "basis": photo.basis})
        for index, said in _faces(session, photo, case):
            pupil = session.get(Pupil, said.pupil_id) if said.pupil_id else None
            if pupil is not None:
                known = {"pupil": pupil.full_name, "class": pupil.class_name, "reference": pupil.reference}
                people.append({"photo": number, "face": index, **known})
            elif said.words:
                people.append({"photo": number, "face": index, "words": said.words})
    found = [
        {"id": finding.id, "quote": finding.quote, "message": finding.message, "reason": finding.reason}
        for finding in findings_of(session, case.version.id)
        if is_pupil_name(finding.rule)
    ]
    return {"people": people, "photos": bases, "findings": found}


def _finding(finding: Finding) -> dict[str, Any]:
    named = is_pupil_name(finding.rule)
    return {
        "id": finding.id,
        "rule": finding.rule,
        "clause": finding.clause,
        "severity": finding.severity,
        "field": finding.field,
        "start": finding.start,
        "end": finding.end,
        "quote": _WITHHELD if named else finding.quote,
        "message": _WITHHELD if named else finding.message,
        "state": str(finding.state),
        "reason": _WITHHELD if named and finding.reason else finding.reason,
        "answered_by": finding.resolved_by,
        "answered_at": utc_text(finding.resolved_at) if finding.resolved_at else None,
    }


def _photos(session: Session, case: Case) -> list[tuple[str, Photo | None]]:
    """The pictures as published, each with its row where the post still has it."""
    rows = {one.rendition_sha256: one for one in session.scalars(select(Photo).where(Photo.post_id == case.post.id))}
    return [(sealed.sha256, rows.get(sealed.sha256)) for sealed in case.content.photos]


def _faces(session: Session, photo: Photo | None, case: Case) -> list[tuple[int, _Said]]:
    if photo is None:
        return []
    inside = [(index, face) for index, face in enumerate(photo.faces, start=1) if is_inside(photo, face)]
    return [(index, _said_of(session, face, case.decision.decided_at)) for index, face in inside]


def _said_of(session: Session, face: Face, by_then: datetime) -> _Said:
    if face.resolved_at is None or face.resolved_at <= by_then:
        return _Said(face.state, face.pupil_id, face.words, face.resolved_by, face.resolved_at)
    earlier = select(FaceAnswer).where(FaceAnswer.face_id == face.id, FaceAnswer.at <= by_then)
    answer = session.scalars(earlier.order_by(FaceAnswer.id.desc()).limit(1)).first()
    if answer is None:
        return _Said(FaceState.UNKNOWN, None, "", None, None)
    return _Said(answer.state, answer.pupil_id, answer.words, answer.by, answer.at)


def _permissions(
    session: Session, pupil_id: int | None, case: Case, moments: Mapping[str, datetime], kinds: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The permission for each kind of channel at the decision, and at the publications on that kind (`kinds`)."""
    if pupil_id is None:
        return []
    rows = session.scalars(
        select(Consent)
        .where(Consent.pupil_id == pupil_id, Consent.purpose == Purpose.SOCIAL_MEDIA)
        .order_by(Consent.id)
    ).all()
    found: list[dict[str, Any]] = []
    for kind in dict.fromkeys(channel.kind for channel in case.content.channels):
        for moment, at in moments.items():
            if kinds.get(moment, kind) == kind:
                known = [row for row in rows if row.channel_kind == kind and row.recorded_at <= at]
                found.append({"channel": kind, "at": moment, **_as_it_stood(known[-1] if known else None, at)})
    return found


def _as_it_stood(row: Consent | None, at: datetime) -> dict[str, Any]:
    if row is None:
        return {"row": None, "answer": "none on record"}
    day = london(at).date()
    return {
        "row": row.id,
        "answer": _answer(row, at, day),
        "basis": row.basis,
        "given_on": row.given_on.isoformat(),
        "expires_on": row.expires_on.isoformat() if row.expires_on else None,
        "recorded_at": utc_text(row.recorded_at),
        "recorded_by": row.recorded_by,
        "withdrawn_at": utc_text(row.withdrawn_at) if row.withdrawn_at else None,
    }


def _answer(row: Consent, at: datetime, day: date) -> str:
    if row.withdrawn_at is not None and row.withdrawn_at <= at:
        return "withdrawn"
    if not row.allowed:
        return "no"
    if row.given_on > day or (row.expires_on is not None and row.expires_on < day):
        return "not in force"
    return "yes"
