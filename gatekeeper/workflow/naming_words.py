"""Finds the posts whose words name one child, however many posts there are.

The database picks out what holds a form of the name at all; the engine of the name rules then says whether that is the
child, so that "Rose" the flower counts only where the check before publishing would count it too. A disguised name is
found where that check found it.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from gatekeeper.people.pupils import Pupil
from gatekeeper.policy.verdict import NEVER
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import Finding, Photo, Post, Version
from gatekeeper.text.checker import Checker
from gatekeeper.text.fold import fold_word
from gatekeeper.workflow.school_checker import checker_for

_SURE: Final = 4  # a form so long is looked for inside words too ("#teamwren"); a shorter one stands alone
_PARTS: Final = re.compile(r"[^\W\d_]+")
_IN_A_PICTURE: Final = re.compile(r"images\[\d+\]\.(?:lettering|code)")
_NAMED: Final = or_(Finding.rule.like("pupil-name%"), Finding.rule.like(f"{NEVER}pupil-name%"))


@dataclass
class NamedWords:
    """Where one child is named in one post.

    Attributes:
        working: in what the post would publish now.
        aside: in its title or the name of a file, which nobody outside reads.
        sealed: version id -> the accounts whose words name the child; None stands for what every account gets.
    """

    working: bool = False
    aside: bool = False
    sealed: dict[int, set[int | None]] = field(default_factory=dict)

    def publishes(self, version_id: int, account_id: int) -> bool:
        """Whether what this version gives that account names the child."""
        accounts = self.sealed.get(version_id, ())
        return None in accounts or account_id in accounts


class _Reader:
    """Asks the engine about each text once."""

    def __init__(self, checker: Checker, pupil_id: int) -> None:
        self._checker, self._id = checker, str(pupil_id)
        forms = checker.forms_of(self._id)
        inside = "|".join(sorted(re.escape(form) for form in forms if len(form) >= _SURE))
        alone = "|".join(sorted(re.escape(form) for form in forms if len(form) < _SURE))
        patterns = [inside] * bool(inside) + [rf"(?<![a-z])(?:{alone})(?![a-z])"] * bool(alone)
        self._worth = re.compile("|".join(patterns) or r"(?!)")
        self._said: dict[tuple[str, str], bool] = {}

    def names(self, where: str, words: str, *, anyhow: bool = False) -> bool:
        """Whether these words name the child. `anyhow`: also where no form of the name stands in them plainly."""
        if not words or not (anyhow or self._worth.search(fold_word(words))):
            return False
        if (where, words) not in self._said:
            self._said[where, words] = self._id in self._checker.named_in(where, words)
        return self._said[where, words]


def naming_words(session: Session, pupil: Pupil, *, only: Collection[int] | None = None) -> dict[int, NamedWords]:
    """Every post whose words name this child, by its id.

    Args:
        session: the caller's transaction.
        pupil: the child.
        only: look at these posts alone.
    """
    checker = checker_for(session)
    reader, likes = _Reader(checker, pupil.id), _patterns(pupil, checker.forms_of(str(pupil.id)))
    found: dict[int, NamedWords] = {}
    posts = select(Post.id, Post.title, Post.text, Post.wordings).where(
        or_(
            *(column.ilike(like) for column in (Post.title, Post.text) for like in likes),
            # JSON may write such a letter as six characters
            *(cast(Post.wordings, Text).ilike(re.sub("_+", "%", like)) for like in likes),
        )
    )
    for post_id, title, text, wordings in session.execute(posts if only is None else posts.where(Post.id.in_(only))):
        spoken = (text, *(str(words) for words in (wordings or {}).values()))
        if any(reader.names("text", words) for words in spoken):
            found.setdefault(post_id, NamedWords()).working = True
        if reader.names("text", title):
            found.setdefault(post_id, NamedWords()).aside = True
    photos = select(Photo.post_id, Photo.alt, Photo.file_name).where(
        or_(*(column.ilike(like) for column in (Photo.alt, Photo.file_name) for like in likes))
    )
    for post_id, alt, file in session.execute(photos if only is None else photos.where(Photo.post_id.in_(only))):
        if reader.names("images[0].alt", alt):
            found.setdefault(post_id, NamedWords()).working = True
        if reader.names("images[0].file", file):
            found.setdefault(post_id, NamedWords()).aside = True
    _read_versions(session, reader, likes, only, found)
    return found


def _read_versions(
    session: Session, reader: _Reader, likes: Sequence[str], only: Collection[int] | None, found: dict[int, NamedWords]
) -> None:
    doubted: dict[int, list[tuple[str, str]]] = {}
    findings = select(Finding.version_id, Finding.field, Finding.quote).where(_NAMED)
    if only is not None:
        findings = findings.where(Finding.version_id.in_(select(Version.id).where(Version.post_id.in_(only))))
    for version_id, place, quote in session.execute(findings):
        doubted.setdefault(version_id, []).append((place, quote))
    versions = select(Version.id, Version.post_id, Version.canonical).where(
        Version.canonical != "",  # its words were erased
        or_(
            *(Version.canonical.ilike(like) for like in likes),
            Version.id.in_(select(Finding.version_id).where(_NAMED)),
        ),
    )
    for version_id, post_id, canonical in session.execute(
        versions if only is None else versions.where(Version.post_id.in_(only))
    ):
        if named := _named_by(reader, Content.from_canonical(canonical), doubted.get(version_id, ())):
            found.setdefault(post_id, NamedWords()).sealed[version_id] = named


def _named_by(reader: _Reader, content: Content, findings: Collection[tuple[str, str]]) -> set[int | None]:
    """Which accounts get the name with this content. `findings`: where the check saw some child's, maybe disguised."""
    anyhow = bool(findings)
    named: set[int | None] = {
        channel.account_id
        for channel in content.channels
        if reader.names("text", content.text_for(channel.account_id), anyhow=anyhow)
    }
    if any(reader.names("images[0].alt", photo.alt, anyhow=anyhow) for photo in content.photos) or any(
        reader.names("text", quote, anyhow=True) for place, quote in findings if _IN_A_PICTURE.match(place)
    ):
        named.add(None)
    return named


def _patterns(pupil: Pupil, forms: Iterable[str]) -> list[str]:
    """What the database looks for: the forms as folded, and the words of the name as the register writes them."""
    wanted = {form for form in forms if form.isascii()}
    for word in _PARTS.findall(f"{pupil.first_name} {pupil.known_as} {pupil.last_name}"):
        if not word.isascii():  # neither database folds these letters alike
            wanted.add("".join(letter if letter.isascii() else "_" for letter in word.lower()))
    least = [one for one in wanted if not any(other != one and other in one for other in wanted)]
    return [f"%{one}%" for one in sorted(least)]
