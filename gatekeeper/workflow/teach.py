"""Teaching the check that words are no pupil: a book, a place, somebody well known.

An author asks, the consent lead says: nobody clears their own post. What is taught is a phrase, never a pupil's own
name; the name alone is still found, and a phrase gives way to a child who comes to bear it.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.own_rules import TaughtPhrase, WordQuestion
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.model import Finding, Post, Version
from gatekeeper.posts.repository import findings_of, move, post_for_update
from gatekeeper.posts.status import EDITABLE, PostState
from gatekeeper.posts.wordings import text_in
from gatekeeper.text.taught import TEACHABLE
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.own_post import own_post, readable_post
from gatekeeper.workflow.school_checker import checker_for
from gatekeeper.workflow.services import Services

LONGEST_PHRASE: Final = 120
SHORTEST_WHY: Final = 10
LONGEST_WHY: Final = 500
_LONGEST_SENTENCE: Final = 300
_REACH: Final = 4  # words that a suggested phrase may take in on each side
_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_BETWEEN: Final = frozenset({"the", "of", "in", "de", "van"})
_OPENS: Final = frozenset({"", ".", "!", "?", ":", "\n"})
_OF_ALT: Final = re.compile(r"images\[(\d{1,3})\]\.alt")
_OWN_POST: Final = "This is your own post, so somebody else has to say that these words are no pupil."


@dataclass(frozen=True, kw_only=True)
class Words:
    """What was found, and the sentence it stands in, other names left out."""

    post_id: int
    finding_id: int
    quote: str
    sentence: str
    phrase: str  # suggested: the quote with the names beside it


@dataclass(frozen=True, kw_only=True)
class Question:
    """One author's question that waits for the consent lead."""

    id: int
    post_id: int
    finding_id: int | None  # None once the post was changed or checked again and the words are gone
    quote: str
    sentence: str
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True, kw_only=True)
class Taught:
    """One phrase, and whether the check passes over it now."""

    id: int
    phrase: str
    why: str
    taught_by: str
    taught_at: datetime
    retired_by: str
    retired_at: datetime | None
    in_force: bool


def ask_lead(services: Services, post_id: int, finding_id: int, *, by: int) -> None:
    """The author asks the consent lead whether these words are a pupil.

    Raises:
        NotFound: no such finding in a post of this author's.
        Conflict: the post was changed since, or the question waits already.
    """
    now = services.clock.now()
    with services.step() as session:
        post = own_post(session, post_id, by)
        finding = _finding(session, post, finding_id)
        words = _words(session, post, finding)
        waiting = select(WordQuestion.id).where(
            WordQuestion.post_id == post.id, WordQuestion.quote == words.quote, WordQuestion.answer == ""
        )
        if session.scalars(waiting).first() is not None:
            raise Conflict("The consent lead was asked about these words already.")
        question = WordQuestion(post_id=post.id, quote=words.quote, sentence=words.sentence, asked_by=by, asked_at=now)
        session.add(question)
        session.flush()
        record(session, at=now, staff_id=by, action="words.asked", subject=f"post:{post.id}")
        for lead in session.scalars(select(Staff.id).where(Staff.role == Role.CONSENT_LEAD, Staff.active)):
            tell(
                session,
                "words_asked",
                staff_id=lead,
                subject=f"words:{question.id}",
                context={"post_id": post.id},
                now=now,
            )


def words_to_teach(services: Services, post_id: int, finding_id: int, by: Staff) -> Words:
    """The finding as the consent lead looks at it.

    Raises:
        NotFound, NotAllowed, Conflict: no such finding; it is their own post; the post was changed since.
    """
    with services.db.read() as session:
        post = readable_post(session, post_id, by)
        if post.author_id == by.id:
            raise NotAllowed(_OWN_POST)
        return _words(session, post, _finding(session, post, finding_id))


def teach(services: Services, post_id: int, finding_id: int, *, phrase: str, why: str, by: Staff) -> None:
    """Keep a phrase that names no pupil, and have the post checked again.

    Raises:
        BadInput: it is one word, or a pupil's own name, or does not hold what was found, or nobody said why.
        NotFound, NotAllowed, Conflict: as for `words_to_teach`.
    """
    now = services.clock.now()
    phrase, why = _printable(" ".join(phrase.split())), _printable(" ".join(why.split())).strip()
    with services.step() as session:
        readable_post(session, post_id, by)
        post = post_for_update(session, post_id)
        if post.author_id == by.id:
            raise NotAllowed(_OWN_POST)
        words = _words(session, post, _finding(session, post, finding_id))
        _check(session, words, phrase, why)
        taught = TaughtPhrase(phrase=phrase, why=why, taught_by=by.id, taught_at=now)
        session.add(taught)
        session.flush()
        record(session, at=now, staff_id=by.id, action="words.taught", subject=f"phrase:{taught.id}")
        _answer(session, post.id, words.quote, "taught", by=by.id, now=now)
        if post.state == PostState.OPEN:
            post.send_when_clear = False  # its author looks at it again first
            move(post, PostState.SCANNING)
            jobs.order(session, jobs.SCAN, post.id, now=now)


def is_pupil(services: Services, question_id: int, *, by: Staff) -> None:
    """Answer that the words are a pupil: the finding stays.

    Raises:
        NotFound: no such question waits.
    """
    now = services.clock.now()
    with services.step() as session:
        question = session.get(WordQuestion, question_id, with_for_update=True)
        if question is None or question.answer:
            raise NotFound("There is no such question, or somebody has answered it.")
        _answer(session, question.post_id, question.quote, "pupil", by=by.id, now=now)
        record(session, at=now, staff_id=by.id, action="words.pupil", subject=f"post:{question.post_id}")


def retire(services: Services, phrase_id: int, *, by: int) -> None:
    """Take a phrase back; it is found again at the next check of every post.

    Raises:
        NotFound: there is none, or it is taken back already.
    """
    now = services.clock.now()
    with services.step() as session:
        taught = session.get(TaughtPhrase, phrase_id, with_for_update=True)
        if taught is None or taught.retired_at is not None:
            raise NotFound("There is no such phrase, or it was taken back already.")
        taught.retired_by, taught.retired_at = by, now
        record(session, at=now, staff_id=by, action="words.retired", subject=f"phrase:{taught.id}")


def questions(session: Session) -> list[Question]:
    """What waits for the consent lead, the oldest first."""
    rows = session.scalars(
        select(WordQuestion)
        .join(Post, Post.id == WordQuestion.post_id)
        .where(WordQuestion.answer == "", Post.state.in_(EDITABLE - {PostState.WITHDRAWN}))
        .order_by(WordQuestion.id)
    )
    return [
        Question(
            id=row.id,
            post_id=row.post_id,
            finding_id=_still_found(session, row),
            quote=row.quote,
            sentence=row.sentence,
            asked_by=session.get_one(Staff, row.asked_by).name,
            asked_at=row.asked_at,
        )
        for row in rows
    ]


def taught_phrases(session: Session) -> list[Taught]:
    """Every phrase that was ever taught, the newest first."""
    rows = session.scalars(select(TaughtPhrase).order_by(TaughtPhrase.id.desc())).all()
    engine = checker_for(session) if rows else None
    return [
        Taught(
            id=row.id,
            phrase=row.phrase,
            why=row.why,
            taught_by=session.get_one(Staff, row.taught_by).name,
            taught_at=row.taught_at,
            retired_by=session.get_one(Staff, row.retired_by).name if row.retired_by else "",
            retired_at=row.retired_at,
            in_force=row.retired_at is None and engine is not None and not engine.names_a_pupil(row.phrase),
        )
        for row in rows
    ]


def _finding(session: Session, post: Post, finding_id: int) -> Finding:
    """A finding about the post's words as they stand."""
    finding = session.get(Finding, finding_id)
    version = session.get(Version, finding.version_id) if finding else None
    if finding is None or version is None or version.post_id != post.id or finding.rule not in TEACHABLE:
        raise NotFound("There is no such finding any more.")
    if version.id != post.version_id or version.revision != post.revision:
        raise Conflict("The post was changed since. It is checked again first.")
    return finding


def _words(session: Session, post: Post, finding: Finding) -> Words:
    text = _text_of(post, finding.field)
    start, end = finding.start or 0, finding.end or 0
    if finding.start is None or text[start:end] != finding.quote:
        raise NotFound("There is no such finding any more.")
    return Words(
        post_id=post.id,
        finding_id=finding.id,
        quote=finding.quote[:LONGEST_PHRASE],
        sentence=_sentence(session, finding, text),
        phrase=_phrase(text, start, end)[:LONGEST_PHRASE],
    )


def _text_of(post: Post, field: str) -> str:
    if field == "text":
        return post.text
    if own := text_in(post, field):
        return own
    found = _OF_ALT.fullmatch(field)
    return post.photos[int(found[1])].alt if found and int(found[1]) < len(post.photos) else ""


def _sentence(session: Session, finding: Finding, text: str) -> str:
    """The sentence around the quote; whatever else in it was found to name a pupil is left out."""
    start, end = finding.start or 0, finding.end or 0
    first = max(text.rfind(sign, 0, start) for sign in ".!?\n") + 1
    ends = [at for sign in ".!?\n" if (at := text.find(sign, end)) >= 0]
    last = min(ends, default=len(text) - 1) + 1
    others = sorted(
        (one.start, one.end)
        for one in findings_of(session, finding.version_id)
        if one.field == finding.field and "pupil-name" in one.rule and one.start is not None and one.end is not None
        and (one.end <= start or one.start >= end)
    )  # fmt: skip
    told, at = "", first
    for begin, stop in others:
        if begin >= at and stop <= last:
            told, at = f"{told}{text[at:begin]}[…]", stop
    return " ".join((told + text[at:last]).split())[:_LONGEST_SENTENCE]


def _phrase(text: str, start: int, end: int) -> str:
    """The quote with the capitalised words beside it: "Grace" in "the story of Grace Darling" is "Grace Darling"."""
    words = list(_WORD.finditer(text))
    inside = [at for at, word in enumerate(words) if word.start() < end and word.end() > start]
    if not inside:
        return text[start:end]
    first = _stretch(text, words, inside[0], -1)
    last = _stretch(text, words, inside[-1], 1)
    return text[words[first].start() : words[last].end()]


def _stretch(text: str, words: list[re.Match[str]], at: int, step: int) -> int:
    furthest = at
    for _ in range(_REACH):
        near, far = (at, at + step) if step > 0 else (at + step, at)
        if not 0 <= at + step < len(words) or text[words[near].end() : words[far].start()].strip(" "):
            break
        at += step
        if step < 0 and text[: words[at].start()].rstrip(" \"'“‘")[-1:] in _OPENS:
            break  # a capital that opens a sentence says nothing
        if words[at][0][0].isupper():
            furthest = at
        elif words[at][0] not in _BETWEEN:
            break
    return furthest


def _check(session: Session, words: Words, phrase: str, why: str) -> None:
    wrong: dict[str, str] = {}
    if len(phrase) > LONGEST_PHRASE:
        wrong["phrase"] = f"A phrase has at most {LONGEST_PHRASE} characters."
    elif words.quote.casefold() not in phrase.casefold():
        wrong["phrase"] = f"The phrase must hold what was found: “{words.quote}”."
    elif checker_for(session).names_a_pupil(phrase):
        wrong["phrase"] = (
            "This is a pupil's own name, or hardly more. Give the whole name of the book, the place or the person, "
            "such as “Grace Darling”."
        )
    if not SHORTEST_WHY <= len(why) <= LONGEST_WHY:
        wrong["why"] = f"Say in a sentence what it is: at least {SHORTEST_WHY} characters."
    if wrong:
        raise BadInput(next(iter(wrong.values())), fields=wrong)


def _printable(words: str) -> str:
    """The words without signs that nobody sees, and that not every database takes."""
    return "".join(sign for sign in words if sign.isprintable())


def _answer(session: Session, post_id: int, quote: str, answer: str, *, by: int, now: datetime) -> None:
    """Close the questions about these words of this post. The words themselves are no longer kept."""
    open_ones = select(WordQuestion).where(
        WordQuestion.post_id == post_id, WordQuestion.quote == quote, WordQuestion.answer == ""
    )
    for question in session.scalars(open_ones.with_for_update()):
        question.answer, question.answered_by, question.answered_at = answer, by, now
        question.quote = question.sentence = ""


def _still_found(session: Session, question: WordQuestion) -> int | None:
    post = session.get_one(Post, question.post_id)
    if post.version_id is None:
        return None
    version = session.get_one(Version, post.version_id)
    if version.revision != post.revision:
        return None
    return next(
        (one.id for one in findings_of(session, version.id) if one.rule in TEACHABLE and one.quote == question.quote),
        None,
    )
