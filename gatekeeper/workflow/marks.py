"""The school's list of logos and trade marks: registered, shown, taken off the list, and handed to the check.

Policy 3.6: no logo without leave. A mark that is taken off the list is kept, because findings and decisions of the
past speak of it; it is only looked for no longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.errors import BadInput, Conflict, NotFound, NotScanned
from gatekeeper.people.staff import Staff, record
from gatekeeper.posts.media import MediaDamaged, MediaStore, PictureRefused, decode, publishable
from gatekeeper.posts.model import Mark
from gatekeeper.workflow.services import Services

if TYPE_CHECKING:
    from gatekeeper.lettering.marks import KnownMark, Learnt

OWNERS: Final = {"school": "The school's own", "other": "Somebody else's"}
MOST: Final = 20  # looked for at a time: each costs every photo a moment
_LONGEST: Final = 120


@dataclass(frozen=True, kw_only=True)
class MarkView:
    """One line of the list."""

    id: int
    name: str
    owner: str
    registered_by: str
    registered_at: datetime
    retired_by: str
    retired_at: datetime | None


def register_mark(services: Services, *, name: str, owner: str, data: bytes, by: int) -> int:
    """Put a mark on the list; its number is given back.

    Raises:
        BadInput: no name, no picture, or none that the mark could be found by.
    """
    name = " ".join(name.split())
    wrong = {}
    if not 1 < len(name) <= _LONGEST:
        wrong["name"] = "Please give the logo a name, such as “School crest”."
    if owner not in OWNERS:
        wrong["owner"] = "Please say whose it is."
    if not data:
        wrong["picture"] = "Please choose a picture of the logo."
    if wrong:
        raise BadInput(" ".join(wrong.values()), fields=wrong)
    digest = _taken_in(services.media, data)
    with services.step() as session:
        now = services.clock.now()
        active = _active(session)
        if any(mark.sha256 == digest for mark in active):
            raise _bad("This picture is on the list already.")
        if len(active) >= MOST:
            raise _bad(f"{MOST} logos are looked for at most. Take one off the list before you add another.")
        mark = Mark(name=name, owner=owner, sha256=digest, registered_by=by, registered_at=now)
        session.add(mark)
        session.flush()
        record(session, at=now, staff_id=by, action="mark.registered", subject=f"mark:{mark.id}")
        return mark.id


def retire_mark(services: Services, mark_id: int, *, by: int) -> str:
    """Look for this mark no longer; its name is given back. What was found before stays.

    Raises:
        NotFound: there is no such mark.
        Conflict: it is off the list already.
    """
    with services.step() as session:
        now = services.clock.now()
        mark = session.get(Mark, mark_id, with_for_update=True)
        if mark is None:
            raise NotFound("There is no such logo.")
        if mark.retired_at is not None:
            raise Conflict("This logo is off the list already.")
        mark.retired_by, mark.retired_at = by, now
        record(session, at=now, staff_id=by, action="mark.retired", subject=f"mark:{mark.id}")
        return mark.name


def listed_marks(session: Session) -> list[MarkView]:
    """Every mark: those that are looked for first, then those taken off the list, each by name."""
    names = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
    views = [
        MarkView(
            id=mark.id,
            name=mark.name,
            owner=mark.owner,
            registered_by=names.get(mark.registered_by, ""),
            registered_at=mark.registered_at,
            retired_by=names.get(mark.retired_by or 0, ""),
            retired_at=mark.retired_at,
        )
        for mark in session.scalars(select(Mark))
    ]
    return sorted(views, key=lambda mark: (mark.retired_at is not None, mark.name.casefold(), mark.id))


def picture_of_mark(services: Services, mark_id: int) -> bytes:
    """The stored picture of a mark, also of one that is off the list.

    Raises:
        NotFound: there is no such mark, or its picture is gone.
    """
    with services.db.read() as session:
        mark = session.get(Mark, mark_id)
    if mark is None:
        raise NotFound("There is no such logo.")
    try:
        return services.media.read(mark.sha256)
    except MediaDamaged:
        raise NotFound("The picture of this logo cannot be shown.") from None


def known_marks(services: Services) -> "Sequence[KnownMark]":
    """Every mark that is to be looked for. What was learnt from a picture is kept, by its digest, while the process lives.

    Raises:
        NotScanned: the picture of one cannot be read; photos would seem to be free of it.
    """
    from gatekeeper.lettering.marks import CannotLearn, KnownMark  # the pages show the list without the engine

    with services.db.read() as session:
        marks = [(mark.id, mark.name, mark.owner, mark.sha256) for mark in _active(session)]
    known = []
    for mark_id, name, owner, digest in marks:
        try:
            known.append(KnownMark(mark_id, name, owner, _learnt(services.media, digest)))
        except (MediaDamaged, PictureRefused, CannotLearn) as damage:
            raise NotScanned(
                f"The registered picture of the logo “{name}” cannot be read. An administrator can take it off the "
                "list under School, Logos and marks, and register it again."
            ) from damage
    return known


@lru_cache(maxsize=64)
def _learnt(media: MediaStore, digest: str) -> "Learnt":
    from gatekeeper.lettering.marks import learn

    return learn(decode(media.read(digest)).pixels)


def _taken_in(media: MediaStore, data: bytes) -> str:
    """The digest of the stored picture, made anew like every picture, once it is sure that the mark can be found by it."""
    from gatekeeper.lettering.marks import CannotLearn, learn

    try:
        _, rendition = publishable(data)
        learn(decode(rendition.data).pixels)
    except (PictureRefused, CannotLearn) as refused:
        raise _bad(str(refused)) from refused
    return media.put(rendition.data, ".jpg")


def _active(session: Session) -> list[Mark]:
    return list(session.scalars(select(Mark).where(Mark.retired_at.is_(None)).order_by(Mark.id)))


def _bad(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"picture": sentence})
