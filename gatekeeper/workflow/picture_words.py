"""What there is to say about the letters, codes and marks in a post's photos, each at its place in the original."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.own_rules import softened
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import school_settings
from gatekeeper.policy.photo_rules import Region, photo_rules, severity_of
from gatekeeper.posts.model import Mark, Photo, Post
from gatekeeper.posts.picture_rendition import unmap_box, whole_pixels
from gatekeeper.scanners.lettering import LoneNames, words_in
from gatekeeper.text.checker import Checker
from gatekeeper.workflow.legible import Looked, reading_of


@dataclass(frozen=True, kw_only=True)
class Told:
    """One finding before it is written down. A box is in pixels of the upright original."""

    rule: str
    clause: str
    severity: str
    field: str
    quote: str
    message: str
    start: int | None = None
    end: int | None = None
    box: Region | None = None
    pupil_ids: tuple[str, ...] = ()


def told_of_photos(session: Session, post: Post, checker: Checker, looked: Iterable[Looked] = ()) -> list[Told]:
    """The findings about what was read in the renditions as they stand, and about the marks that were seen."""
    if not post.photos:
        return []
    own, soft = school_settings(session), softened(session)
    domains = [*own["domains"], *own["trusted_domains"]]
    lone: LoneNames | None = None
    told: list[Told] = []
    for index, photo in enumerate(post.photos):
        reading = reading_of(session, photo.rendition_sha256)
        if reading is None or not (reading.lines or reading.codes):
            continue
        lone = lone or _lone_names(session, own)
        told += [
            Told(
                rule=seen.rule,
                clause=seen.clause,
                severity=seen.severity,
                field=f"images[{index}].{'code' if seen.is_code else 'lettering'}",
                quote=seen.quote,
                message=seen.message,
                box=_in_original(photo, seen.box),
                pupil_ids=seen.pupil_ids,
            )
            for seen in words_in(reading, checker=checker, lone=lone, domains=domains, softened=soft)
        ]
    severity = severity_of("photo-mark", soft)
    return told if severity == "off" else told + _marks(session, post, looked, severity)


def _marks(session: Session, post: Post, looked: Iterable[Looked], severity: str) -> list[Told]:
    rule = photo_rules()["photo-mark"]
    marks = {one.photo_id: one for one in looked}
    told: list[Told] = []
    for index, photo in enumerate(post.photos):
        one = marks.get(photo.id)
        if one is None or one.rendition != photo.rendition_sha256:
            continue
        for seen in one.marks:
            mark = session.get(Mark, seen.mark_id)
            if mark is None or mark.retired_at is not None:
                continue
            told.append(
                Told(
                    rule=rule.id,
                    clause=rule.clause,
                    severity=severity,
                    field=f"images[{index}].mark",
                    quote=mark.name,
                    message=rule.message(mark.name),
                    box=_in_original(photo, seen.box),
                )
            )
    return told


def _lone_names(session: Session, own: dict[str, object]) -> LoneNames:
    rows = session.execute(
        select(Pupil.id, Pupil.first_name, Pupil.known_as).where(Pupil.first_name != "").order_by(Pupil.id)
    )
    classes, houses = own["classes"], own["houses"]
    also = [*(classes if isinstance(classes, (dict, list)) else ()), *(houses if isinstance(houses, list) else ())]
    return LoneNames(
        ((str(number), (first_name, known_as or "")) for number, first_name, known_as in rows),
        also_words=[str(word) for word in also],
    )


def _in_original(photo: Photo, box: Region) -> Region:
    cut = whole_pixels(tuple(photo.crop) if photo.crop else None, width=photo.width, height=photo.height)
    return unmap_box(box, crop=cut, scale=photo.rendition_width / (cut[2] - cut[0]))
