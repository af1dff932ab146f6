"""What belongs to a post or a pupil in the audit: a line about a photo of post 12 is a line about post 12."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gatekeeper.posts.model import Face, Finding, Photo, Publication, Version
from gatekeeper.posts.public import ConsentReview, Incident, Takedown


def belonging(session: Session, about: str) -> tuple[str, ...]:
    """A subject such as "post:12" and every subject that is a part of it: photos, faces, findings, removals.

    A photo that was taken out of its post again is no part of it any more.
    """
    kind, _, number = about.partition(":")
    if kind == "post":
        return (about, *_found(session, _of_post(int(number))))
    if kind == "pupil":
        return (about, *_found(session, {"review": (ConsentReview.id, ConsentReview.pupil_id == int(number))}))
    return (about,)


_Parts = Mapping[str, tuple[InstrumentedAttribute[int], ColumnElement[bool]]]


def _of_post(post_id: int) -> _Parts:
    photos = select(Photo.id).where(Photo.post_id == post_id)
    versions = select(Version.id).where(Version.post_id == post_id)
    publications = select(Publication.id).where(Publication.version_id.in_(versions))
    return {
        "photo": (Photo.id, Photo.post_id == post_id),
        "face": (Face.id, Face.photo_id.in_(photos)),
        "finding": (Finding.id, Finding.version_id.in_(versions)),
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
