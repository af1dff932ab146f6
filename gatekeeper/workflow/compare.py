"""What changed between two versions of a post, who sealed them and when, and what was said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.outcomes import decision_of
from approvals.tables import ApprovalRequest, Decision, Verdict
from gatekeeper.errors import NotFound
from gatekeeper.people.staff import Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.difference import Difference, PhotoSide, Side, difference
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Post, Version
from gatekeeper.posts.wordings import wordings_of
from gatekeeper.workflow.asked_changes import Asked, asked_in, replies_to
from gatekeeper.workflow.change import subject_of

NOW: Final = "now"
_SAID: Final = {
    Verdict.APPROVE: "approved",
    Verdict.REFUSE: "refused",
    Verdict.CHANGES: "changes asked for",
}
_SINCE: Final = {
    Verdict.APPROVE: "approved it",
    Verdict.REFUSE: "refused it",
    Verdict.CHANGES: "asked for changes",
}
#: so much more than a glance takes; it is folded then
_LONG: Final = 240


@dataclass(frozen=True, kw_only=True)
class VersionShown:
    """One version, or the working copy as it is now.

    Attributes:
        key: its number as a word, or "now".
        said: what became of it, such as "asked" and "changes asked for".
    """

    key: str
    number: int | None
    who: str
    at: datetime
    said: tuple[str, ...]

    @property
    def name(self) -> str:
        """As staff call it."""
        return f"Version {self.number}" if self.number else "As it is now"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two versions and what differs between them."""

    before: VersionShown
    after: VersionShown
    difference: Difference
    accounts: Mapping[int, str]  # channel account -> what staff call it


@dataclass(frozen=True, kw_only=True)
class Since:
    """What the decision page says of what was there before.

    Attributes:
        words: such as "you asked for changes".
        asked: what was asked for then, with the author's answers.
    """

    words: str
    at: datetime
    comparison: Comparison
    asked: tuple[Asked, ...]

    @property
    def is_long(self) -> bool:
        """Whether it is folded."""
        return self.comparison.difference.size + sum(len(one.words) + len(one.reply) for one in self.asked) > _LONG


def versions_of(session: Session, post: Post) -> tuple[VersionShown, ...]:
    """Every version, the newest first; before them the working copy, where it was changed since."""
    names = _names(session)
    rows = session.scalars(select(Version).where(Version.post_id == post.id).order_by(Version.number.desc())).all()
    said = _said(session, post)
    shown = [
        VersionShown(
            key=str(row.number),
            number=row.number,
            who=names.get(row.sealed_by, ""),
            at=row.sealed_at,
            said=tuple(said.get(str(row.id), ())),
        )
        for row in rows
    ]
    if rows and rows[0].revision != post.revision:
        now = VersionShown(key=NOW, number=None, who=names.get(post.author_id, ""), at=post.changed_at, said=())
        shown.insert(0, now)
    return tuple(shown)


def last_asked(session: Session, post: Post) -> str | None:
    """The version that somebody was last asked about, other than the newest content; where there is none, the one before."""
    versions = versions_of(session, post)
    older = versions[1:]
    asked = next((one.key for one in older if "asked" in one.said), None)
    return asked or (older[0].key if older else None)


def compare(session: Session, post: Post, before: str, after: str) -> Comparison:
    """The difference between two versions of a post, each given by its key.

    Raises:
        NotFound: the post has no such version.
    """
    shown = {one.key: one for one in versions_of(session, post)}
    if before not in shown or after not in shown:
        raise NotFound("This post has no such version.")
    return Comparison(
        before=shown[before],
        after=shown[after],
        difference=difference(_side(session, post, before), _side(session, post, after)),
        accounts=_accounts(session),
    )


def since_last(session: Session, request: ApprovalRequest, post: Post) -> Since | None:
    """What changed since the last version that was asked about; None for a post that is asked about for the first time."""
    earlier = session.scalars(
        select(ApprovalRequest)
        .where(
            ApprovalRequest.subject == request.subject,
            ApprovalRequest.version_ref != request.version_ref,
            ApprovalRequest.opened_seq < request.opened_seq,
        )
        .order_by(ApprovalRequest.opened_seq.desc())
        .limit(1)
    ).first()
    if earlier is None:
        return None
    decision = decision_of(session, earlier.id)
    before, after = (session.get_one(Version, int(ref)) for ref in (earlier.version_ref, request.version_ref))
    who = decision.approver_id if decision else earlier.approver_id
    name = "you" if who == request.approver_id else _names(session).get(who, "somebody else")
    did = _SINCE[Verdict(decision.verdict)] if decision else "were asked" if name == "you" else "was asked"
    return Since(
        words=f"{name} {did}",
        at=decision.decided_at if decision else earlier.opened_at,
        comparison=compare(session, post, str(before.number), str(after.number)),
        asked=_asked(session, decision, before) if decision else (),
    )


def _asked(session: Session, decision: Decision, version: Version) -> tuple[Asked, ...]:
    if decision.verdict == Verdict.APPROVE:
        return ()
    return asked_in(decision, Content.from_canonical(version.canonical), replies_to(session, decision.id))


def _side(session: Session, post: Post, key: str) -> Side:
    if key == NOW:
        return _working_copy(post)
    found = select(Version).where(Version.post_id == post.id, Version.number == int(key))
    version = session.scalars(found).one()
    return Side.from_canonical(version.canonical, version.originals)


def _working_copy(post: Post) -> Side:
    return Side(
        text=post.text,
        photos=tuple(
            PhotoSide(sha256=photo.rendition_sha256 or "", alt=photo.alt, original=photo.original_sha256)
            for photo in post.photos
        ),
        channels=tuple(sorted(post.channels)),
        due=post.due_at,
        window_minutes=post.window_minutes,
        wordings=wordings_of(post),
    )


def _said(session: Session, post: Post) -> dict[str, list[str]]:
    """What became of each version, by its reference."""
    said: dict[str, list[str]] = {}
    for request in session.scalars(
        select(ApprovalRequest)
        .where(ApprovalRequest.subject == subject_of(post.id))
        .order_by(ApprovalRequest.opened_seq)
    ):
        words = said.setdefault(request.version_ref, ["asked"])
        decision = decision_of(session, request.id)
        if decision is not None:
            words.append(_SAID[Verdict(decision.verdict)])
    return said


def _accounts(session: Session) -> dict[int, str]:
    return {one.id: f"{label_of(one.kind)} ({one.name})" for one in session.scalars(select(ChannelAccount))}


def _names(session: Session) -> dict[int, str]:
    return {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
