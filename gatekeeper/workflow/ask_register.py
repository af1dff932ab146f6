"""Finding the pupil behind one face of one's own draft.

An author never gets a list of who may be shown and who may not: that list is itself sensitive. A class is listed by
names alone; the register answers for one pupil when that one is chosen, and beside a name that was typed when few are
left. Every question is audited, without names.
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
from gatekeeper.people.roll import class_names
from gatekeeper.people.staff import Staff, record
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Face, Photo, Post
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
        post = _post_of(session, face_id, by)
        # compared here and not in the database: one roll is small, and no two databases fold "Zoë" alike
        pupils = [pupil for pupil in _roll(session, today=today) if _is_meant(pupil, words)]
        by_class = any(_is_class(pupil, words) for pupil in pupils)
        shown = pupils[:MOST]
        accounts = accounts_of(session, post)
        asked = len(shown) <= FEW and bool(accounts) and not by_class
        found = [_match(session, pupil, accounts if asked else (), today=today) for pupil in shown]
        detail = {"post": post.id, "matches": len(shown), "answered": len(shown) if asked else 0}
        record(session, at=now, staff_id=by, action="register.asked", subject=f"face:{face_id}", detail=detail)
        return PupilMatches(" ".join(words), tuple(found), len(pupils) > MOST)


def class_list(services: Services, face_id: int, *, by: int, class_name: str) -> PupilMatches:
    """The names of one class and nothing more: a list of a class's permissions would tell who may not be shown.

    Raises:
        BadInput: there is no such class.
        NotFound: the face is in nobody's or another's post.
    """
    now = services.clock.now()
    with services.step() as session:
        post = _post_of(session, face_id, by)
        if class_name not in class_names(session):
            sentence = "Choose a class from the list."
            raise BadInput(sentence, fields={"class": sentence})
        pupils = [one for one in _roll(session, today=london(now).date()) if one.class_name == class_name]
        detail = {"post": post.id, "matches": len(pupils), "answered": 0}
        record(session, at=now, staff_id=by, action="register.class_listed", subject=f"face:{face_id}", detail=detail)
        found = tuple(PupilMatch(pupil.id, pupil.full_name, pupil.class_name, "", None) for pupil in pupils)
        return PupilMatches(class_name, found, more=False)


def pupil_answer(services: Services, face_id: int, *, by: int, pupil_id: int | None) -> PupilMatches:
    """The register's answer for one pupil and this post's channels. It clears nothing; the next press does.

    Raises:
        BadInput: nobody was chosen, or the post goes nowhere yet.
        NotFound: the face is in nobody's or another's post.
    """
    now = services.clock.now()
    with services.step() as session:
        post = _post_of(session, face_id, by)
        pupil = session.get(Pupil, pupil_id) if pupil_id is not None else None
        if pupil is None:
            raise _bad("Choose the pupil from the list.")
        accounts = accounts_of(session, post)
        if not accounts:
            raise _bad("Choose the post's channels first: permission is given per channel.")
        match = _match(session, pupil, accounts, today=london(now).date())
        detail = {"post": post.id, "matches": 1, "answered": 1}
        record(session, at=now, staff_id=by, action="register.asked", subject=f"face:{face_id}", detail=detail)
        return PupilMatches(pupil.full_name, (match,), more=False)


def classes_on_roll(session: Session) -> tuple[str, ...]:
    """Every class, for choosing one."""
    return tuple(class_names(session))


def staff_names(session: Session, *, today: date) -> tuple[str, ...]:
    """Everybody who works here now, for choosing one instead of typing."""
    staff = session.scalars(select(Staff).order_by(Staff.name, Staff.id))
    return tuple(dict.fromkeys(member.name for member in staff if member.may_sign_in(today)))


def register_answers(
    session: Session, pupil: Pupil, accounts: Sequence[ChannelAccount], *, today: date
) -> tuple[Answer, ...]:
    """The register's answer for one child, for each kind of channel the post goes to."""
    return tuple(answer_for(session, pupil, kind, today=today, words=label_of(kind)) for kind in kinds_of(accounts))


def _post_of(session: Session, face_id: int, by: int) -> Post:
    face = session.get(Face, face_id)
    photo = session.get(Photo, face.photo_id) if face else None
    if photo is None:
        raise NotFound("There is no such box, or it is not yours to see.")
    return own_post(session, photo.post_id, by)


def _roll(session: Session, *, today: date) -> Sequence[Pupil]:
    return session.scalars(
        select(Pupil)
        .where(or_(Pupil.left_on.is_(None), Pupil.left_on >= today))
        .order_by(Pupil.first_name, Pupil.last_name, Pupil.id)  # as they are shown
    ).all()


def _match(session: Session, pupil: Pupil, accounts: Sequence[ChannelAccount], *, today: date) -> PupilMatch:
    """One pupil, with the register's answer where accounts are given."""
    answers = register_answers(session, pupil, accounts, today=today)
    against = " ".join(dict.fromkeys(a.for_authors for a in answers if not a.allowed))
    sentence = against or " ".join(a.sentence for a in answers)
    return PupilMatch(pupil.id, pupil.full_name, pupil.class_name, sentence, (not against) if accounts else None)


def _is_meant(pupil: Pupil, words: list[str]) -> bool:
    """Every word begins one of the pupil's names, or all of them are the name of the class."""
    if _is_class(pupil, words):
        return True
    names = re.split(r"[\s\-]+", _folded(f"{pupil.first_name} {pupil.known_as} {pupil.last_name}"))
    return all(
        any(name.startswith(_folded(word)) for name in names) for word in " ".join(words).replace("-", " ").split()
    )


def _is_class(pupil: Pupil, words: list[str]) -> bool:
    return bool(pupil.class_name) and _folded(" ".join(words)) == _folded(pupil.class_name)


def _bad(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"pupil": sentence})


def _folded(text: str) -> str:
    """Without accents and capitals, so that "zoe" finds Zoë."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
