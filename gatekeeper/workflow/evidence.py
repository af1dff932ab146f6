"""Hands out an evidence bundle: one zip that proves years later who decided what about a post, and what became of it.

The same state of the database gives the same bytes. Who took it out, when, and whether with names, is written into
the audit before anybody gets it.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import deputies
from approvals.bundle_program import program
from approvals.ledger import SIGNER, present_key
from approvals.signing import Signer
from approvals.tables import Decision, Verdict
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.model import Post
from gatekeeper.posts.picture_errors import MediaDamaged
from gatekeeper.workflow.audit_reason import nameless
from gatekeeper.workflow.capacity import capacity_words
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.decide import post_id_in
from gatekeeper.workflow.evidence_case import Case, attempts_part, case_of, decided_versions, decision_part
from gatekeeper.workflow.evidence_ledger import slice_for
from gatekeeper.workflow.evidence_pdf import Told, pdf
from gatekeeper.workflow.evidence_people import consents_part, findings_part, names_part
from gatekeeper.workflow.evidence_zip import packed, readme
from gatekeeper.workflow.own_post import may_see_pictures
from gatekeeper.workflow.services import Services

FORMAT: Final = "gatekeeper evidence 1"
SHORTEST_REASON: Final = 10
_WORDS: Final = {Verdict.APPROVE: "approved", Verdict.REFUSE: "refused", Verdict.CHANGES: "changes asked for"}
_NONE: Final = "There is no such post, or its evidence is not yours to take."
_FOR: Final = frozenset({Role.HEADTEACHER, Role.ADMINISTRATOR, Role.AUDITOR})
_WITH_NAMES: Final = frozenset({Role.HEADTEACHER, Role.AUDITOR})
_UNSEEN: Final = (
    "This version never went out. Its words and pictures are for the headteacher and the author, and for an auditor "
    "who says why."
)


@dataclass(frozen=True, kw_only=True)
class Leave:
    """What somebody may have of a post's evidence."""

    consents: bool
    names: bool


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What the page offers: the post, the versions that were decided about, and whether with consents and names."""

    title: str
    versions: tuple[int, ...]
    leave: Leave


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The finished zip."""

    file_name: str
    data: bytes
    version: int


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for: which version (None: the one decided about last), and names only with a written reason."""

    version: int | None = None
    names: bool = False
    reason: str = ""


def may_have(session: Session, services: Services, post: Post, by: Staff) -> Leave | None:
    """What this person may have of the evidence about a post; None: nothing.

    The headteacher, an administrator, an auditor, and the deputy while appointed may have all but names; the author
    their own without the consents. Names are for the headteacher and an auditor. What never went out an administrator
    may not have, and an auditor only with a reason.
    """
    role = Role(by.role)
    appointment = deputies.in_force(session, services.clock.now()) if role is Role.DEPUTY else None
    if role in _FOR or (appointment is not None and appointment.deputy_id == by.id):
        return Leave(consents=True, names=role in _WITH_NAMES)
    return Leave(consents=False, names=False) if post.author_id == by.id else None


def offer(services: Services, post_id: int, by: Staff) -> Offer:
    """What this person is offered.

    Raises:
        NotFound: there is no such post, or nothing of it for this person.
    """
    with services.db.read() as session:
        post = session.get(Post, post_id)
        leave = may_have(session, services, post, by) if post else None
        if post is None or leave is None:
            raise NotFound(_NONE)
        return Offer(title=post.title or f"Post {post.id}", versions=decided_versions(session, post_id), leave=leave)


def is_offered(services: Services, post_id: int, by: Staff) -> bool:
    """Whether something was decided about this post, and this person may have the proof of it."""
    try:
        return bool(offer(services, post_id, by).versions)
    except NotFound:
        return False


def reads_posts(by: Staff) -> bool:
    """Whether this person has pages of posts to go back to; an auditor has none."""
    return by.role != Role.AUDITOR


@dataclass(frozen=True)
class DecidedLine:
    """One decision in a list, without a word that may name a pupil."""

    post_id: int
    words: str
    at: datetime


def decided_lately(session: Session, *, most: int = 50) -> tuple[DecidedLine, ...]:
    """What was decided last, the newest first."""
    of_posts = Decision.subject.startswith("post:")
    newest = select(Decision).where(of_posts).order_by(Decision.ledger_seq.desc()).limit(most)
    return tuple(
        DecidedLine(post_id_in(one.subject), _WORDS[Verdict(one.verdict)], one.decided_at)
        for one in session.scalars(newest)
    )


def export(services: Services, post_id: int, wish: Wish, *, by: Staff | None, account: str = "") -> Bundle:
    """Make the bundle, and write into the audit that it was taken out.

    Args:
        services: what the step is handed.
        post_id: the post.
        wish: which version, and whether with names.
        by: who asks; None where it is done by command on the computer itself.
        account: then, the account there.

    Raises:
        NotFound: no such post or version, or nothing of it for this person.
        NotAllowed: names, or what never went out, are not for this person.
        BadInput: names, or what never went out, without a reason.
        Conflict: nothing was decided, or this process cannot sign the bundle.
    """
    leave = Leave(consents=True, names=True)
    if by is not None:
        leave = offer(services, post_id, by).leave
    reason = " ".join(wish.reason.split())
    if wish.names and not leave.names:
        raise NotAllowed("The names of pupils are handed out to the headteacher and to an auditor only.")
    if wish.names and sum(sign.isalnum() for sign in reason) < SHORTEST_REASON:
        sentence = "Please say in a sentence why the names of pupils are needed."
        raise BadInput(sentence, fields={"reason": sentence})
    with services.db.read() as session:
        case = case_of(session, post_id, wish.version)
        reasoned = _check_may_see(session, case, by, reason, now=services.clock.now())
        files, bounds, told = _collect(session, case, leave=leave, names=wish.names)
    missing = _add_pictures(services, case, files)
    files["evidence.pdf"] = pdf(told, {name: data for name, data in files.items() if name.startswith("images/")})
    manifest = {
        "format": FORMAT,
        "post": post_id,
        "version": case.version.number,
        "digest": case.version.digest,
        "ledger": bounds,
        "missing": missing,
        "left_out": [] if leave.consents else ["consents.json"],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    files["manifest.json"] = plain(manifest)
    with services.step() as session:
        files["manifest.sig"] = plain(_seal(session, files["manifest.json"]))
        detail: dict[str, Any] = {"version": case.version.number, "names": wish.names}
        detail |= {"reason": nameless(session, reason)} if wish.names or reasoned else {}
        detail |= {"by_command": account} if by is None else {}
        record(
            session,
            at=services.clock.now(),
            staff_id=by.id if by else None,
            action="evidence.exported",
            subject=subject_of(post_id),
            detail=detail,
        )
    name = f"evidence-post-{post_id}-version-{case.version.number}.zip"
    return Bundle(file_name=name, data=packed(files), version=case.version.number)


def _check_may_see(session: Session, case: Case, by: Staff | None, reason: str, *, now: datetime) -> bool:
    """Refuse pictures and words that never were public to whoever may not see them in the program; was a reason needed?

    Raises:
        NotAllowed: an administrator sees no pupil, here or elsewhere.
        BadInput: an auditor has to say why.
    """
    if by is None or any(one.published_at for one in case.publications):
        return False
    if may_see_pictures(session, case.post, by, now=now):
        return False
    if Role(by.role) is not Role.AUDITOR:
        raise NotAllowed(_UNSEEN)
    if sum(sign.isalnum() for sign in reason) < SHORTEST_REASON:
        sentence = "This version never went out. Please say in a sentence why its words and pictures are needed."
        raise BadInput(sentence, fields={"reason": sentence})
    return True


def plain(value: Any) -> bytes:
    """JSON as a person reads it, spelt in one way only."""
    return f"{json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False)}\n".encode()


def _collect(
    session: Session, case: Case, *, leave: Leave, names: bool
) -> tuple[dict[str, bytes], dict[str, Any], Told]:
    """Everything that comes out of the database, at one moment."""
    ledger = slice_for(session, case)
    decision = decision_part(session, case, capacity=capacity_words(session, case.decision))
    parts: dict[str, Any] = {
        "findings.json": findings_part(session, case),
        "decision.json": decision,
        "attempts.json": attempts_part(session, case),
        "public_key.json": {"kind": "Ed25519", "keys": ledger.keys},
    }
    if leave.consents:
        parts["consents.json"] = consents_part(session, case)
    if names:
        parts["names.json"] = names_part(session, case)
    files = {name: plain(part) for name, part in parts.items()}
    files |= {"content.json": case.version.canonical.encode(), "ledger.jsonl": ledger.jsonl()}
    files |= {"verify.py": program().encode(), "README.txt": readme(case, ledger).encode()}
    told = Told(
        school=str(school_settings(session)["name"]),
        title=case.post.title if names else "",
        content=case.content,
        channels=tuple(case.accounts[channel.account_id].name for channel in case.content.channels),
        parts=parts,
        ledger=ledger,
    )
    bounds = {"from": ledger.first, "to": ledger.last, "head": {"seq": ledger.head, "hash": ledger.head_hash}}
    return files, bounds, told


def _add_pictures(services: Services, case: Case, files: dict[str, bytes]) -> list[str]:
    """Put the pictures in, and say which are lost: a bundle without them still proves who decided."""
    missing = []
    for photo in case.content.photos:
        try:
            files[f"images/{photo.sha256}.jpg"] = services.media.read(photo.sha256)
        except MediaDamaged:
            missing.append(photo.sha256)
    return missing


def _seal(session: Session, manifest: bytes) -> dict[str, str]:
    """The ledger's key over the list of files, so that nothing beside the ledger can be changed either."""
    signer: Signer | None = session.info.get(SIGNER)
    if signer is None or (present_key(session) or signer.key_id) != signer.key_id:
        raise Conflict("A bundle is signed with the key of the ledger, and this process does not hold it.")
    signature = signer.seal(hashlib.sha256(manifest).hexdigest())
    return {"key": signer.key_id, "public": signer.public, "signature": signature}
