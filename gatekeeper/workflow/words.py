"""Puts a version's words, and what stands in its photos, through the text engine and writes the findings down.

An author's reason survives a later version only where a rule says the very same of the very same words, at the same
place of the same sentence, or of the very same photo; anything else is asked anew. A pupil who must never be published
cannot be named, whoever allows it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gatekeeper.people.pupils import Pupil
from gatekeeper.policy.verdict import NEVER, NOBODY_CAN
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Finding, Post, Version
from gatekeeper.posts.status import FindingState
from gatekeeper.posts.wordings import own_texts, sealed_texts
from gatekeeper.text.draft import Draft, Picture
from gatekeeper.workflow.legible import Looked
from gatekeeper.workflow.picture_words import Told, told_of_photos
from gatekeeper.workflow.school_checker import checker_for

_Key = tuple[str, str, str, str, str, str, int]
_IN_PHOTO: Final = re.compile(r"images\[(\d{1,3})\]\.")
_ENDS: Final = re.compile(r"[.!?\n]")


def check_words(
    session: Session,
    post: Post,
    version: Version,
    accounts: Sequence[ChannelAccount],
    looked: Iterable[Looked] = (),
) -> None:
    """Write down what there is to say about the version's text, descriptions, file names, and letters in its photos.

    What is said of the photos beyond their letters follows the answers about faces and is left alone here.
    """
    earlier = _earlier_reasons(session, post, version)
    texts = _texts(version)
    session.execute(delete(Finding).where(Finding.version_id == version.id, Finding.field.not_like("images[%].photo")))
    for told in found_in(session, post, accounts, looked):
        about = _photo_of(post, told.field)
        kept = earlier.get(_key(told, told.message, about, texts))
        session.add(
            Finding(
                version_id=version.id,
                rule=told.rule,
                clause=told.clause,
                severity=told.severity,
                field=told.field,
                start=told.start,
                end=told.end,
                quote=told.quote,
                box=list(told.box) if told.box else None,
                about=about,
                # what was said of a name beside a face goes on being said of both
                alone=[told.severity, told.message] if kept and kept.alone else None,
                message=told.message,
                state=kept.state if kept else FindingState.OPEN,
                reason=kept.reason if kept else "",
                resolved_by=kept.resolved_by if kept else None,
                resolved_at=kept.resolved_at if kept else None,
            )
        )
    session.flush()


def found_in(
    session: Session, post: Post, accounts: Sequence[ChannelAccount], looked: Iterable[Looked] = ()
) -> list[Told]:
    """Everything the engine finds in the post as it stands, with the roll as it stands now."""
    checker = checker_for(session)
    draft = Draft(
        text=post.text,
        pictures=tuple(Picture(file=photo.file_name, alt=photo.alt) for photo in post.photos),
        platform=accounts[0].kind if accounts else "",
        account="school",
        wordings=tuple(own_texts(post, accounts).items()),
    )
    told = [
        Told(
            rule=hit.rule,
            clause=hit.clause,
            severity=hit.severity,
            field=hit.field,
            start=hit.start,
            end=hit.end,
            quote=hit.quote or "",
            message=hit.message,
            pupil_ids=hit.pupil_ids,
        )
        for hit in checker.check(draft)
    ]
    told += told_of_photos(session, post, checker, looked)
    never = _never(session, {pupil_id for one in told for pupil_id in one.pupil_ids})
    return [_beyond_allowing(one) if never & set(one.pupil_ids) else one for one in told]


def _never(session: Session, pupil_ids: set[str]) -> set[str]:
    """Those of these pupils who carry the mark "never publish"."""
    if not pupil_ids:
        return set()
    marked = session.scalars(
        select(Pupil.id).where(Pupil.id.in_([int(number) for number in pupil_ids]), Pupil.never_publish)
    )
    return {str(number) for number in marked}


def _beyond_allowing(told: Told) -> Told:
    """The finding as one that no headteacher can allow; what only asks for a reason may be somebody else, and stays."""
    if told.severity != "block":
        return told
    return replace(told, rule=NEVER + told.rule, message=f"{told.message} {NOBODY_CAN}")


def _earlier_reasons(session: Session, post: Post, version: Version) -> dict[_Key, Finding]:
    answered = session.execute(
        select(Finding, Version)
        .join(Version, Version.id == Finding.version_id)
        .where(Version.post_id == post.id, Version.number <= version.number, Finding.state != FindingState.OPEN)
        .order_by(Version.number)
    )
    return {
        _key(finding, finding.alone[1] if finding.alone else finding.message, finding.about, _texts(of)): finding
        for finding, of in answered
    }


def _texts(version: Version) -> dict[str, str]:
    """What was typed, by the field that findings name."""
    content = Content.from_canonical(version.canonical)
    alts = {f"images[{at}].alt": photo.alt for at, photo in enumerate(content.photos)}
    return {"text": content.text} | sealed_texts(content) | alts


def _key(found: Told | Finding, message: str, about: str, texts: Mapping[str, str]) -> _Key:
    """What a reason belongs to. The same name elsewhere may be another child, so its sentence is a part of it."""
    text, start, end = texts.get(found.field, ""), found.start, found.end
    sentence, at = "", 0
    if text and start is not None and end is not None:
        first = max((sign.end() for sign in _ENDS.finditer(text, 0, start)), default=0)
        closing = _ENDS.search(text, end)
        last = closing.start() if closing else len(text)
        sentence = text[first:last].strip()
        at = start - first - (len(text[first:start]) - len(text[first:start].lstrip()))
    return (found.rule, found.field, found.quote, about, message, sentence, at)


def _photo_of(post: Post, field: str) -> str:
    """The photo that a field speaks of, by the digest of its original; empty for what belongs to none."""
    found = _IN_PHOTO.match(field)
    number = int(found[1]) if found else -1
    return post.photos[number].original_sha256 if 0 <= number < len(post.photos) else ""
