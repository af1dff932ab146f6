"""Puts a version's words through the text engine and writes the findings down.

An author's reason survives a later version only where the very same rule found the very same words in the same place
of the post; anything else is asked anew.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Staff
from gatekeeper.posts.model import ChannelAccount, Finding, Post, Version
from gatekeeper.posts.status import FindingState
from gatekeeper.text import checker
from gatekeeper.text.draft import Draft, Picture, SchoolWords, StaffName
from gatekeeper.text.draft import Pupil as RollName


def check_words(session: Session, post: Post, version: Version, accounts: Sequence[ChannelAccount]) -> None:
    """Write down what the engine has to say about the version's text, descriptions and file names."""
    earlier = _earlier_reasons(session, post, version)
    session.execute(delete(Finding).where(Finding.version_id == version.id))
    draft = Draft(
        text=post.text,
        pictures=tuple(Picture(file=photo.file_name, alt=photo.alt) for photo in post.photos),
        platform=accounts[0].kind if accounts else "",
        account="school",
    )
    for hit in build_checker(session).check(draft):
        kept = earlier.get((hit.rule, hit.field, hit.quote or ""))
        session.add(
            Finding(
                version_id=version.id,
                rule=hit.rule,
                clause=hit.clause,
                severity=hit.severity,
                field=hit.field,
                start=hit.start,
                end=hit.end,
                quote=hit.quote or "",
                message=hit.message,
                state=kept.state if kept else FindingState.OPEN,
                reason=kept.reason if kept else "",
                resolved_by=kept.resolved_by if kept else None,
                resolved_at=kept.resolved_at if kept else None,
            )
        )
    session.flush()


def build_checker(session: Session) -> checker.Checker:
    """The text engine, told of this school's pupils, staff and own words."""
    pupils = session.scalars(select(Pupil))  # leavers too: a child does not become nameable by leaving
    staff = session.scalars(select(Staff).where(Staff.active))
    return checker.Checker(
        [
            RollName(
                id=str(p.id),
                first_name=p.first_name,
                last_name=p.last_name,
                known_as=p.known_as,
                year=p.year,
                class_name=p.class_name,
                dob=_iso(p.born_on),
            )
            for p in pupils
        ],
        [_staff_name(person.name) for person in staff],
        _school_words(session),
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _staff_name(name: str) -> StaffName:
    """A member of staff's name as typed on the staff page: an optional title, first names, last name."""
    parts = name.split()
    title = parts.pop(0) if len(parts) > 1 and parts[0].rstrip(".") in {"Mr", "Mrs", "Miss", "Ms", "Mx", "Dr"} else ""
    return StaffName(title=title, first_name=" ".join(parts[:-1]), last_name=parts[-1] if parts else "")


def _school_words(session: Session) -> SchoolWords:
    own = school_settings(session)
    return SchoolWords(
        name=own["name"],
        short_names=tuple(own["short_names"]),
        town=own["town"],
        address=own["address"],
        postcodes=tuple(own["postcodes"]),
        phones=tuple(own["phones"]),
        emails=tuple(own["emails"]),
        domains=tuple(own["domains"]),
        trusted_domains=tuple(own["trusted_domains"]),
        handles=tuple(own["handles"]),
        houses=tuple(own["houses"]),
        classes=tuple(own["classes"]),
    )


def _earlier_reasons(session: Session, post: Post, version: Version) -> dict[tuple[str, str, str], Finding]:
    answered = session.scalars(
        select(Finding)
        .join(Version, Version.id == Finding.version_id)
        .where(Version.post_id == post.id, Version.number <= version.number, Finding.state != FindingState.OPEN)
        .order_by(Version.number)
    )
    return {(finding.rule, finding.field, finding.quote): finding for finding in answered}
