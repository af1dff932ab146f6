"""Finding the pupil behind one face of one's own draft.

An author never gets a list of who may be shown and who may not: that list is itself sensitive. Names are looked up by
name or class; the register's answer comes with them only when few are left, and otherwise when one is chosen. Every
question is audited, without names.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.errors import BadInput, NotFound
from gatekeeper.people.consent import Answer, answer_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import record
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Face, Photo
from gatekeeper.posts.repository import accounts_of
from gatekeeper.workflow.facts import kinds_of
from gatekeeper.workflow.own_post import own_post
from gatekeeper.workflow.services import Services

MOST: Final = 12
FEW: Final = 3
_SHORTEST: Final = 2


@dataclass(frozen=True)
class PupilMatch:
    """One pupil who may be meant. `allowed` is None while too many are listed for the register to answer."""

    pupil_id: int
    name: str
    class_name: str
    sentence: str
    allowed: bool | None


@dataclass(frozen=True)
class PupilMatches:
    """The first pupils found; `more` when there are others."""

    query: str
    found: tuple[PupilMatch, ...]
    more: bool


def pupil_search(services: Services, face_id: int, *, by: int, query: str) -> PupilMatches:
    """The pupils whose name begins with these words, or who are in this class; twelve at most.

    Raises:
        BadInput: the question is too short to be one.
        NotFound: the face is in nobody's or another's post.
    """
    words = query.split()
    if sum(len(word) for word in words) < _SHORTEST and not any(word.isdigit() for word in words):
        sentence = "Type at least two letters of the name, or the class."
        raise BadInput(sentence, fields={"query": sentence})
    now = services.clock.now()
    today = london(now).date()
    with services.step() as session:
        face = session.get(Face, face_id)
        photo = session.get(Photo, face.photo_id) if face else None
        if photo is None:
            raise NotFound("There is no such box, or it is not yours to see.")
        post = own_post(session, photo.post_id, by)
        roll = session.scalars(
            select(Pupil)
            .where(or_(Pupil.left_on.is_(None), Pupil.left_on >= today))
            .order_by(Pupil.last_name, Pupil.first_name, Pupil.id)
        )
        # compared here and not in the database: one roll is small, and no two databases fold "Zoë" alike
        pupils = [pupil for pupil in roll if _is_meant(pupil, words)]
        shown = pupils[:MOST]
        accounts = accounts_of(session, post)
        asked = len(shown) <= FEW and bool(accounts)
        found = []
        for pupil in shown:
            answers = register_answers(session, pupil, accounts, today=today) if asked else ()
            sentence = " ".join(dict.fromkeys(a.sentence for a in answers if not a.allowed))
            allowed = (not sentence) if asked else None
            found.append(
                PupilMatch(
                    pupil.id,
                    pupil.full_name,
                    pupil.class_name,
                    sentence or (" ".join(a.sentence for a in answers)),
                    allowed,
                )
            )
        detail = {"matches": len(shown), "answered": len(shown) if asked else 0}
        record(session, at=now, staff_id=by, action="register.asked", subject=f"face:{face_id}", detail=detail)
        return PupilMatches(" ".join(words), tuple(found), len(pupils) > MOST)


def register_answers(
    session: Session, pupil: Pupil, accounts: Sequence[ChannelAccount], *, today: date
) -> tuple[Answer, ...]:
    """The register's answer for one child, for each kind of channel the post goes to."""
    return tuple(answer_for(session, pupil, kind, today=today, words=label_of(kind)) for kind in kinds_of(accounts))


def _is_meant(pupil: Pupil, words: list[str]) -> bool:
    """Every word begins one of the pupil's names, or all of them are the name of the class."""
    if _folded(" ".join(words)) == _folded(pupil.class_name):
        return True
    names = re.split(r"[\s\-]+", _folded(f"{pupil.first_name} {pupil.known_as} {pupil.last_name}"))
    return all(
        any(name.startswith(_folded(word)) for name in names) for word in " ".join(words).replace("-", " ").split()
    )


def _folded(text: str) -> str:
    """Without accents and capitals, so that "zoe" finds Zoë."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
