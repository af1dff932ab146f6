"""What the decision page shows once the PIN was given: exactly what would be public, who is in it, what the checks said.

Everything public is read from the sealed version, never from the working copy. The faces come from the same rows, and
are judged by the same rules, that the decision itself asks again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest
from gatekeeper.clock import london
from gatekeeper.errors import Conflict
from gatekeeper.people.staff import Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, Post, Version
from gatekeeper.posts.repository import findings_of
from gatekeeper.workflow import cost
from gatekeeper.workflow.capacity import capacity_of
from gatekeeper.workflow.decide import never_allowed, post_id_of
from gatekeeper.workflow.decision_findings import FindingShown, MarkShown, findings_shown, marks_shown
from gatekeeper.workflow.decision_neighbours import Neighbour, neighbours_of
from gatekeeper.workflow.decision_photos import Asked, PhotoShown, photo_shown

SHORT: Final = timedelta(hours=1)  # less than this is said as a warning


@dataclass(frozen=True, kw_only=True)
class ChannelShown:
    """One place where it would appear."""

    kind: str
    label: str
    name: str


@dataclass(frozen=True)
class PreviewShown:
    """The words as they would stand in public, and every place where they would stand just so."""

    channels: tuple[ChannelShown, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class DecisionPage:
    """Everything on the page, in the order of the page.

    Attributes:
        now: the moment it was drawn, so that it can say how long there is left.
        capacity: empty for the headteacher; for a deputy one sentence that says for whom, until when and why.
        previews: one, unless a channel has words of its own.
        neighbours: other posts with the same words, or close by in the same place.
        faces: how many of each kind, for the line at the top.
        never: something in it can be allowed by nobody.
    """

    request: ApprovalRequest
    post_id: int
    title: str
    author: str
    text: str
    due: datetime
    closes: datetime
    now: datetime
    channels: tuple[ChannelShown, ...]
    previews: tuple[PreviewShown, ...]
    photos: tuple[PhotoShown, ...]
    findings: tuple[FindingShown, ...]
    marks: tuple[MarkShown, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    faces: dict[str, int] = field(default_factory=dict)
    never: bool = False
    capacity: str = ""
    price: str = ""  # what publishing it costs the school, where a platform charges

    @property
    def can_be_approved(self) -> bool:
        """Whether a yes could be recorded at all."""
        return not self.against and not self.never

    @property
    def is_short(self) -> bool:
        """Whether there is so little time left that it has to be said."""
        return self.due - self.now <= SHORT

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the pupils who can be seen."""
        seen = (face.class_name for photo in self.photos for face in photo.faces if face.class_name)
        return tuple(sorted(set(seen)))

    @property
    def grounds(self) -> tuple[str, ...]:
        """On what the register's permissions rest, all of them together."""
        return tuple(dict.fromkeys(ground for photo in self.photos for face in photo.faces for ground in face.grounds))

    @property
    def adults(self) -> int:
        """How many adults can be seen."""
        return self.faces.get("staff", 0) + self.faces.get("adult", 0)

    @property
    def against(self) -> int:
        """How many faces may not, or not any longer, be shown. A yes to them is never recorded."""
        return sum(not face.allowed for photo in self.photos for face in photo.faces)

    @property
    def same_day(self) -> bool:
        """Whether its window closes on the day it opens, so that the hour says enough."""
        return london(self.due).date() == london(self.closes).date()

    @property
    def asked(self) -> tuple[FindingShown, ...]:
        """The overrides to be answered one by one."""
        return tuple(finding for finding in self.findings if finding.asked)

    @property
    def explained(self) -> tuple[FindingShown, ...]:
        """What the author gave a reason for, in the words or in a photo."""
        return tuple(finding for finding in self.findings if finding.explained and not finding.is_mark)

    @property
    def advice(self) -> tuple[FindingShown, ...]:
        """What may stand, and is good to know."""
        return tuple(finding for finding in self.findings if finding.severity == "advice" and not finding.is_mark)

    def marks_in(self, photo: int) -> tuple[MarkShown, ...]:
        """The logos that were seen in this photo."""
        return tuple(mark for mark in self.marks if any(where == photo for _, where in mark.seen))


def page_for(session: Session, request: ApprovalRequest, *, person_id: int, now: datetime) -> DecisionPage:
    """The page of one request, for the person who decides it.

    Raises:
        Conflict: the post is no longer the one that is asked about.
    """
    version = session.get_one(Version, int(request.version_ref))
    post = session.get_one(Post, post_id_of(request))
    content = Content.from_canonical(version.canonical)
    pictures = [photo.rendition_sha256 for photo in post.photos]
    if post.version_id != version.id or pictures != [photo.sha256 for photo in content.photos]:
        raise Conflict("This post was changed after you were asked. Its author has to send it to you again.")
    names = _staff_names(session)
    found = findings_of(session, version.id)
    findings = findings_shown(found, names)
    kinds = tuple(dict.fromkeys(channel.kind for channel in content.channels))
    asked = Asked(kinds=kinds, today=london(now).date(), names=names, findings=findings)
    photos = tuple(
        photo_shown(session, number, photo, sealed.alt, asked)
        for number, (photo, sealed) in enumerate(zip(post.photos, content.photos, strict=True), start=1)
    )
    channels = _channels(session, content)
    counts: dict[str, int] = {}
    for face in (face for photo in photos for face in photo.faces):
        counts[face.state] = counts.get(face.state, 0) + 1
    return DecisionPage(
        request=request,
        post_id=post.id,
        title=post.title or f"Post {post.id}",
        author=names.get(request.author_id, ""),
        text=content.text,
        due=content.due,
        closes=content.due + timedelta(minutes=content.window_minutes),
        now=now,
        channels=channels,
        previews=_previews(content, channels),
        photos=photos,
        findings=findings,
        marks=marks_shown(found, findings),
        neighbours=neighbours_of(session, post.id, content),
        never=bool(never_allowed(session, version.id)),
        capacity=capacity_of(session, request, person_id, now=now),
        faces=counts,
        price=cost.sentence_for(content),
    )


def picture_of(session: Session, request: ApprovalRequest, sha256: str) -> bool:
    """Whether this picture is part of what the request asks about."""
    version = session.get_one(Version, int(request.version_ref))
    return any(photo.sha256 == sha256 for photo in Content.from_canonical(version.canonical).photos)


def _channels(session: Session, content: Content) -> tuple[ChannelShown, ...]:
    accounts = {account.id: account for account in session.scalars(select(ChannelAccount))}
    return tuple(
        ChannelShown(kind=one.kind, label=label_of(one.kind), name=accounts[one.account_id].name)
        for one in content.channels
    )


def _previews(content: Content, channels: tuple[ChannelShown, ...]) -> tuple[PreviewShown, ...]:
    """The channels that get the same words share one preview: reading them twice helps nobody."""
    alike: dict[str, list[ChannelShown]] = {}
    for sealed, channel in zip(content.channels, channels, strict=True):
        alike.setdefault(content.text_for(sealed.account_id), []).append(channel)
    return tuple(PreviewShown(tuple(group), text) for text, group in alike.items())


def _staff_names(session: Session) -> Mapping[int, str]:
    return {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
