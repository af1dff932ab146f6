"""What belongs to a post or a pupil in the audit: a line about a photo of post 12 is a line about post 12."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gatekeeper.people.staff import Audit
from gatekeeper.posts.model import Publication, Version
from gatekeeper.posts.public import ConsentReview, Incident, Takedown

#: parts of a post that can be taken away, whose numbers a database then gives to parts of another post: each line about
#: one names its post in its detail, as it was when the line was written
NAMING_THEIR_POST: Final = ("photo", "face", "finding")


def belonging(session: Session, about: str) -> ColumnElement[bool]:
    """Whether a line is about a subject such as "post:12", or about what is or was a part of it.

    Of a post: its photos, faces and findings, also those that were taken away since; its publications, removals and
    incidents, whose rows stay for good. Of a pupil: the reviews of their consent.
    """
    kind, _, number = about.partition(":")
    if kind == "post":
        post_id = int(number)
        named = or_(*(Audit.subject.startswith(f"{part}:") for part in NAMING_THEIR_POST))
        parts = _found(session, _of_post(post_id))
        return or_(Audit.subject.in_([about, *parts]), named & (Audit.detail["post"].as_integer() == post_id))
    if kind == "pupil":
        reviews = _found(session, {"review": (ConsentReview.id, ConsentReview.pupil_id == int(number))})
        return Audit.subject.in_([about, *reviews])
    return Audit.subject == about


_Parts = Mapping[str, tuple[InstrumentedAttribute[int], ColumnElement[bool]]]


def _of_post(post_id: int) -> _Parts:
    versions = select(Version.id).where(Version.post_id == post_id)
    publications = select(Publication.id).where(Publication.version_id.in_(versions))
    return {
        "publication": (Publication.id, Publication.version_id.in_(versions)),
        "takedown": (Takedown.id, Takedown.publication_id.in_(publications)),
        "incident": (Incident.id, Incident.publication_id.in_(publications)),
    }


def _found(session: Session, parts: _Parts) -> list[str]:
    return [
        f"{kind}:{number}"
        for kind, (column, belongs) in parts.items()
        for number in session.scalars(select(column).where(belongs).order_by(column))
    ]
