"""Answering what the check found: each face by a person, each finding about the words in writing.

One request answers for one box; only covering, which shows less, is offered for all at once. Every answer is kept
beside the ones before it. Covering and cropping change what would be published, so the photo is made again and looked
at again; saying who somebody is changes nothing and keeps the post where it is.
"""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from gatekeeper import jobs
from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import record
from gatekeeper.policy import verdict
from gatekeeper.posts.model import Face, Finding, Post, Version
from gatekeeper.posts.repository import accounts_of, findings_of, move
from gatekeeper.posts.status import FaceState, FindingState, PostState
from gatekeeper.workflow.answerable import (
    Box,
    answerable,
    bad,
    check_is_seen,
    look_again,
    own_face,
    own_photo,
    said,
    within,
)
from gatekeeper.workflow.ask_register import register_answers
from gatekeeper.workflow.case_freeze import check_not_frozen
from gatekeeper.workflow.face_answer import write_answer
from gatekeeper.workflow.facts import facts_of, is_inside
from gatekeeper.workflow.own_post import own_post
from gatekeeper.workflow.policy_gate import check_has_read
from gatekeeper.workflow.readiness import problems_with
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.sharpness import is_too_large
from gatekeeper.workflow.wise import sync_wise
from gatekeeper.workflow.words_view import seen_as

P = PostState
SHORTEST_REASON: Final = 10
LONGEST_WORDS: Final = 300
LONGEST_REASON: Final = 1_000
SMALLEST_CROP: Final = 100  # pixels a side of the upright original
SMALLEST_BOX: Final = 8
MOST_BOXES: Final = 100


def clear_face(
    services: Services,
    face_id: int,
    *,
    by: int,
    state: FaceState,
    pupil_id: int | None = None,
    words: str = "",
    seen: str | None = None,
) -> None:
    """Say who one face is: a pupil whose family allows it here, a member of staff, or another adult who was asked.

    Args:
        seen: the picture and box the answer was given to, as the page had them (`seen_as`).

    Raises:
        BadInput: nobody was named, or the register does not allow this pupil here; the sentence is the register's.
        Conflict: the face is covered, or the post is not with its author.
    """
    now = services.clock.now()
    refused = ""
    with services.step() as session:
        face, post = own_face(session, face_id, by)
        check_is_seen(face, seen)
        if face.state == FaceState.COVERED:
            raise Conflict("This face is covered. Take the cover off first.")
        if state is FaceState.PUPIL:
            refused = _ask_register(session, post, face, pupil_id, by=by, now=now)
            words = ""
        elif state in {FaceState.STAFF, FaceState.ADULT}:
            words, pupil_id = said(words, "words", least=2, most=LONGEST_WORDS, ask="Write who this is."), None
        else:
            raise BadInput("Choose who this is.", fields={"state": "Choose who this is."})
        if not refused:
            write_answer(session, face, state, by=by, now=now, pupil_id=pupil_id, words=words)
            sync_wise(services, session, post)
    if refused:  # raised only now, so that the question stays in the audit
        raise BadInput(refused, fields={"pupil": refused})


def not_a_face(services: Services, face_id: int, *, by: int, seen: str | None = None) -> None:
    """Say that a box holds no face; refused where the detector is sure, for that takes a second person, or by hand."""
    now = services.clock.now()
    with services.step() as session:
        face, post = own_face(session, face_id, by)
        check_is_seen(face, seen)
        if face.state == FaceState.COVERED:
            raise Conflict("This face is covered. Take the cover off first.")
        if face.source == "hand":
            raise bad("state", "A person drew this box around a face. Say who it is, cover it, or take the box away.")
        if face.score >= verdict.SURE_SCORE:
            raise bad("state", "This is clearly a face to the check. Ask a second person to look at it.")
        write_answer(session, face, FaceState.NOT_A_FACE, by=by, now=now)
        sync_wise(services, session, post)


def cover_face(services: Services, face_id: int, *, by: int) -> None:
    """Cover one face for good in what will be published; the photo is then looked at again."""
    now = services.clock.now()
    with services.step() as session:
        face, post = own_face(session, face_id, by)
        if face.state != FaceState.COVERED:
            write_answer(session, face, FaceState.COVERED, by=by, now=now)
            look_again(session, post, (face.photo,), by=by, now=now)


def cover_all_uncleared(services: Services, post_id: int, *, by: int) -> int:
    """Cover every face that still blocks; says how many. Showing less is always safe, so this goes for all at once."""
    now = services.clock.now()
    with services.step() as session:
        post = answerable(own_post(session, post_id, by))
        facts = facts_of(session, post, today=london(now).date())
        against = {face.id for photo in facts.photos for face in photo.faces if verdict.face_against(face)}
        faces = [face for photo in post.photos for face in photo.faces if face.id in against]
        for face in faces:
            write_answer(session, face, FaceState.COVERED, by=by, now=now)
        if faces:
            look_again(session, post, tuple({face.photo.id: face.photo for face in faces}.values()), by=by, now=now)
        return len(faces)


def undo_face(services: Services, face_id: int, *, by: int) -> None:
    """Take back the answer about one face; it is unknown again and blocks. What was said stays on record."""
    now = services.clock.now()
    with services.step() as session:
        face, post = own_face(session, face_id, by)
        covered = face.state == FaceState.COVERED
        if face.state != FaceState.UNKNOWN:
            write_answer(session, face, FaceState.UNKNOWN, by=by, now=now)
        if covered or is_too_large(face.photo):
            look_again(session, post, (face.photo,), by=by, now=now)
        else:
            sync_wise(services, session, post)


def add_face(services: Services, photo_id: int, *, by: int, box: Box) -> int:
    """Draw a box that the detector missed; it blocks like any other until it is answered. Its id is given back."""
    now = services.clock.now()
    with services.step() as session:
        photo, post = own_photo(session, photo_id, by)
        x1, y1, x2, y2 = within(photo, box)
        if min(x2 - x1, y2 - y1) < SMALLEST_BOX:
            raise bad("box", "This box is too small. Draw it around the whole face.")
        if len(photo.faces) >= MOST_BOXES:
            raise bad("box", "This photo has very many boxes. Crop it, or choose another photo.")
        face = Face(x1=x1, y1=y1, x2=x2, y2=y2, score=1.0, source="hand", state=FaceState.UNKNOWN, words="")
        photo.faces.append(face)
        session.flush()
        if not is_inside(photo, face):
            raise bad("box", "This part of the photo is cropped away, so nobody there will be seen.")
        about = {"post": post.id}
        record(session, at=now, staff_id=by, action="face.drawn", subject=f"face:{face.id}", detail=about)
        if is_too_large(photo):  # somebody is in it after all, and people are published smaller
            look_again(session, post, (photo,), by=by, now=now)
        else:
            sync_wise(services, session, post)
        return face.id


def remove_box(services: Services, face_id: int, *, by: int, seen: str | None = None) -> None:
    """Take away a box that was drawn by hand; one that a detector found stays until it is answered."""
    now = services.clock.now()
    with services.step() as session:
        face, post = own_face(session, face_id, by)
        check_is_seen(face, seen)
        if face.source != "hand":
            raise bad("state", "This box was found by the check and cannot be taken away.")
        photo, covered = face.photo, face.state == FaceState.COVERED
        photo.faces.remove(face)
        about = {"post": post.id}
        record(session, at=now, staff_id=by, action="face.box_removed", subject=f"face:{face_id}", detail=about)
        if covered:
            look_again(session, post, (photo,), by=by, now=now)
        else:
            sync_wise(services, session, post)


def crop_photo(services: Services, photo_id: int, *, by: int, box: Box | None) -> None:
    """Publish only this part of the photo, or all of it again; the photo is then looked at again."""
    now = services.clock.now()
    with services.step() as session:
        photo, post = own_photo(session, photo_id, by)
        crop = [round(side) for side in within(photo, box)] if box else None
        if crop and min(crop[2] - crop[0], crop[3] - crop[1]) < min(SMALLEST_CROP, photo.width, photo.height):
            raise bad("box", "What is left would be too small to be seen. Choose a larger part.")
        if crop == [0, 0, photo.width, photo.height]:
            crop = None
        if crop != photo.crop:
            photo.crop = crop
            about = {"post": post.id}
            record(session, at=now, staff_id=by, action="photo.cropped", subject=f"photo:{photo_id}", detail=about)
            look_again(session, post, (photo,), by=by, now=now)


def answer_finding(services: Services, finding_id: int, *, by: int, reason: str, seen: str | None = None) -> None:
    """Give a written reason for a finding that asks for one.

    Raises:
        BadInput: the reason is too short, or this finding cannot be answered with a reason.
    """
    now = services.clock.now()
    with services.step() as session:
        finding = _own_finding(session, finding_id, by, seen)
        if finding.severity == "block":
            raise bad("reason", "This must be changed in the text, or the headteacher asked to allow it.")
        _answer_words(session, finding, FindingState.ANSWERED, reason, by=by, now=now)


def ask_override(services: Services, finding_id: int, *, by: int, reason: str, seen: str | None = None) -> None:
    """Ask the headteacher to allow words that block, with the author's reason. Never possible for a face."""
    now = services.clock.now()
    with services.step() as session:
        finding = _own_finding(session, finding_id, by, seen)
        if not verdict.is_overridable(finding.severity, finding.rule):
            raise bad("reason", "Nobody can allow this. Change the text.")
        _answer_words(session, finding, FindingState.OVERRIDE, reason, by=by, now=now)


def send_to_head(services: Services, post_id: int, *, by: int) -> None:
    """Ask the headteacher, now that nothing is open.

    Raises:
        BadInput: something is still open, or its time is too near.
        Conflict: it is not with its author, or the policy's present edition is not confirmed yet (`PolicyUnread`).
    """
    now = services.clock.now()
    with services.step() as session:
        post = own_post(session, post_id, by)
        check_has_read(session, by)
        if post.state != P.OPEN:
            raise Conflict("This post is not waiting for you. Reload the page to see where it is.")
        check_not_frozen(session, post)
        if fields := problems_with(session, post, now=now, demo=services.settings.demo):
            raise BadInput(" ".join(fields.values()), fields=fields)
        try:
            verdict.check_can_send(facts_of(session, post, today=london(now).date()))
        except verdict.NotClear as open_still:
            raise BadInput(str(open_still), fields={"open": str(open_still)}) from open_still
        move(post, P.REQUESTING)
        jobs.order(session, jobs.REQUEST, post.id, now=now)
        record(session, at=now, staff_id=by, action="post.sent_to_head", subject=f"post:{post.id}")


def _own_finding(session: Session, finding_id: int, by: int, seen: str | None) -> Finding:
    finding = session.get(Finding, finding_id)
    version = session.get(Version, finding.version_id) if finding else None
    if finding is None or version is None:
        raise NotFound("There is no such finding, or it is not yours to see.")
    post = own_post(session, version.post_id, by)
    stale = seen is not None and seen != seen_as(finding)
    if stale or post.state != P.OPEN or finding not in findings_of(session, post.version_id or 0):
        raise Conflict("The post was changed or sent since this was found. Reload the page and look again.")
    return finding


def _ask_register(session: Session, post: Post, face: Face, pupil_id: int | None, *, by: int, now: datetime) -> str:
    """The register's sentence against this pupil here; empty when every answer is yes. The question is audited."""
    pupil = session.get(Pupil, pupil_id) if pupil_id is not None else None
    if pupil is None:
        raise bad("pupil", "Choose the pupil from the list.")
    accounts = accounts_of(session, post)
    if not accounts:
        raise bad("pupil", "Choose the post's channels first: permission is given per channel.")
    answers = register_answers(session, pupil, accounts, today=london(now).date())
    about = {"post": post.id, "matches": 1}
    record(session, at=now, staff_id=by, action="register.asked", subject=f"face:{face.id}", detail=about)
    against = dict.fromkeys(answer.for_authors for answer in answers if not answer.allowed)
    return f"{pupil.full_name}: {' '.join(against)} Cover this face, or crop it away." if against else ""


def _answer_words(
    session: Session, finding: Finding, state: FindingState, reason: str, *, by: int, now: datetime
) -> None:
    finding.reason = said(
        reason, "reason", least=SHORTEST_REASON, most=LONGEST_REASON, ask="Give your reason in a sentence."
    )
    finding.state, finding.resolved_by, finding.resolved_at = state, by, now
    about = {"post": session.get_one(Version, finding.version_id).post_id}
    record(session, at=now, staff_id=by, action=f"finding.{state}", subject=f"finding:{finding.id}", detail=about)
