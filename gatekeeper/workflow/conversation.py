"""Asking for changes, read off the decision page: what the headteacher marked, and whether it is there to be marked.

A mark that points at nothing would be evidence of nothing, so every place is looked up in exactly the version that is
decided about. What cannot be used is told at its field, and nothing typed is lost.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from approvals.statements import SHORTEST_MARK, Mark
from approvals.tables import ApprovalRequest
from gatekeeper.errors import BadInput
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import Post, Version
from gatekeeper.posts.places import Place, find
from gatekeeper.posts.wordings import sealed_texts
from gatekeeper.workflow.decide import post_id_of
from gatekeeper.workflow.facts import is_inside
from gatekeeper.workflow.words_view import place_of

MOST_MARKS: Final = 40
_FIELD: Final = re.compile(r"mark-(where|words|quote|drop)-(\d{1,3})", re.ASCII)
_EMPTY_ROWS: Final = 3  # for browsers without scripts

_NOWHERE: Final = "This place is not in this version of the post. Please mark it again."
_NOT_CHOSEN: Final = "Please choose which part of the post this is about."
_NO_QUOTE: Final = "These words are not there. Please copy them exactly, or leave the field empty to mean all of it."
_NO_WORDS: Final = "Please write in a few words what should change here, or take the mark away."
_TOO_MANY: Final = f"{MOST_MARKS} marks are the most. Please say the rest in your own words below."

Faces = Mapping[int, Collection[int]]


class MarksUnclear(BadInput):
    """A mark points at nothing, or does not say what should change. `fields` says which."""


@dataclass(frozen=True, kw_only=True)
class MarkRow:
    """One mark on the form, as it was typed; `label` is empty while its place is not settled."""

    number: int
    where: str
    quote: str
    words: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class MarkForm:
    """The part of the decision page where changes are asked for.

    Attributes:
        rows: the marks so far.
        blank: rows whose place is chosen from a list; browsers with scripts hide those that are empty.
        choices: (spelling, words) for that list.
        texts: what words can be marked in, by the spelling of the field.
    """

    rows: tuple[MarkRow, ...]
    blank: tuple[MarkRow, ...]
    choices: tuple[tuple[str, str], ...]
    texts: dict[str, str]

    @property
    def next_number(self) -> int:
        """The first number that no row has."""
        return 1 + max((row.number for row in (*self.rows, *self.blank)), default=0)


def read_marks(content: Content, fields: Mapping[str, str], *, faces: Faces) -> tuple[Mark, ...]:
    """The marks on the form, each with a place that exists and words that say what should change.

    Raises:
        MarksUnclear: one of them has no such place, or hardly a word.
    """
    rows, marks, refused = _typed(fields), [], {}
    for row in rows:
        place = _place(row, content)
        if not row.where:
            refused[f"mark-where-{row.number}"] = _NOT_CHOSEN
        elif place is None and row.quote:
            refused[f"mark-quote-{row.number}"] = _NO_QUOTE
        elif place is None or not place.is_in(content, faces=faces):
            refused[f"mark-where-{row.number}"] = _NOWHERE
        elif sum(sign.isalnum() for sign in row.words) < SHORTEST_MARK:
            refused[f"mark-words-{row.number}"] = _NO_WORDS
        else:
            marks.append(Mark(place.spelling, row.words))
    if len(rows) > MOST_MARKS:
        refused["statement"] = _TOO_MANY
    if refused:
        raise MarksUnclear("Some marks are not clear yet.", fields=refused)
    return tuple(marks)


def marks_asked(session: Session, request: ApprovalRequest, fields: Mapping[str, str]) -> tuple[Mark, ...]:
    """The marks typed on this request's page.

    Raises:
        MarksUnclear: as `read_marks`.
    """
    content, faces = _shown(session, request)
    return read_marks(content, fields, faces=faces)


def mark_form(session: Session, request: ApprovalRequest, fields: Mapping[str, str]) -> MarkForm:
    """What the decision page shows for asking for changes, with everything that was typed there already."""
    content, faces = _shown(session, request)
    rows: list[MarkRow] = []
    blank: list[MarkRow] = []
    for row in _typed(fields)[: 2 * MOST_MARKS]:
        place = _place(row, content)
        if place is not None and place.is_in(content, faces=faces):
            words = place.words(content)
            rows.append(
                MarkRow(number=row.number, where=place.spelling, quote=words, words=row.words, label=place.label)
            )
        else:
            blank.append(row)
    first = 1 + max((row.number for row in (*rows, *blank)), default=0)
    blank += [MarkRow(number=first + more, where="", quote="", words="") for more in range(_EMPTY_ROWS)]
    alts = {f"alt:{number}": photo.alt for number, photo in enumerate(content.photos, start=1)}
    return MarkForm(
        rows=tuple(rows),
        blank=tuple(blank),
        choices=_choices(content, faces),
        texts={"text": content.text} | sealed_texts(content) | alts,
    )


def faces_on(post: Post) -> dict[int, list[int]]:
    """The numbers of the faces that can lie in what is published of each photo."""
    return {
        number: [index for index, face in enumerate(photo.faces, start=1) if is_inside(photo, face)]
        for number, photo in enumerate(post.photos, start=1)
    }


def _shown(session: Session, request: ApprovalRequest) -> tuple[Content, Faces]:
    version = session.get_one(Version, int(request.version_ref))
    post = session.get_one(Post, post_id_of(request))
    return Content.from_canonical(version.canonical), faces_on(post)


def _typed(fields: Mapping[str, str]) -> list[MarkRow]:
    """Every row in which something stands, in the order of the page."""
    rows: dict[int, dict[str, str]] = {}
    for name, typed in fields.items():
        if (found := _FIELD.fullmatch(name)) and typed.strip():
            rows.setdefault(int(found[2]), {})[found[1]] = typed.strip()
    return [
        MarkRow(number=number, where=row.get("where", ""), quote=row.get("quote", ""), words=row.get("words", ""))
        for number, row in sorted(rows.items())
        if "drop" not in row
    ]


def _place(row: MarkRow, content: Content) -> Place | None:
    return Place.read(row.where) or find(row.where, row.quote, content)


def _choices(content: Content, faces: Faces) -> tuple[tuple[str, str], ...]:
    choices = [("text", "Text")] if content.text else []
    choices += [(field, place_of(field)) for field in sealed_texts(content)]
    for number, photo in enumerate(content.photos, start=1):
        choices.append((f"photo:{number}", f"Photo {number}"))
        choices += [(f"photo:{number}:face:{face}", f"Photo {number}, face {face}") for face in faces.get(number, ())]
        if photo.alt:
            choices.append((f"alt:{number}", f"Description of photo {number}"))
    return (*choices, ("time", "Time"), ("channels", "Channels"))
