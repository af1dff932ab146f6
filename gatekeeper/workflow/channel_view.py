"""One channel as its page shows it: the steps of connecting it, each check with what to do, its limits and its cost.

What a platform does not tell by its keys is said to be so, and asked of a person instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.staff import Audit, Staff
from gatekeeper.policy import api_versions
from gatekeeper.policy.channel_keys import NEEDED, missing
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Publication
from gatekeeper.posts.status import PublicationState
from gatekeeper.settings import Settings
from gatekeeper.workflow import connect, cost, key_check, key_ending, key_silence, limits_seen
from gatekeeper.workflow.key_ending import ending_sentence

#: yes: in order. no: somebody must act. soon: somebody should act. wait: it is being found out. unknown: nobody tells.
Sign = Literal["yes", "no", "soon", "wait", "unknown"]
_WAITS: Final = (
    (limits_seen.PUBLISHING, "publishing"),
    (("list_posts",), "looking up what was published"),
)
_BY_HAND: Final = {
    "facebook": (
        "Whether the school's app is live cannot be asked by its keys. While it is in development, posts look published "
        "to the people of the app and to nobody else."
    ),
    "x": "Whether the account's posts are protected cannot be asked by its keys. Protected posts reach followers alone.",
    "linkedin": "Whether visitors see the page's posts cannot be asked by its keys.",
}
_LOOK: Final = (
    "After the first post, open the page in a browser where nobody is signed in there, and see that the post is shown."
)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One check: how it stands, in words, and what to do where something is to be done."""

    sign: Sign
    words: str
    do: str = ""


@dataclass(frozen=True, kw_only=True)
class ChannelView:
    """What the page shows beside the account itself.

    Attributes:
        points: everything that can be asked of the platform.
        by_hand: what only a person can see.
        seen: whether a person said so, since the keys were last typed in.
        waiting: how many approved posts wait for this channel.
        pauses: what must wait, as the platform asked.
        month: what was paid for this month, where anything is.
    """

    points: tuple[Point, ...]
    by_hand: Point
    seen: bool
    waiting: int
    pauses: tuple[str, ...]
    month: cost.Month | None

    @property
    def to_do(self) -> int:
        """How many checks ask somebody to act."""
        return sum(point.sign in ("no", "soon") for point in self.points)


def view_of(session: Session, account: ChannelAccount, *, settings: Settings, now: datetime) -> ChannelView:
    """How one channel stands at this moment."""
    by_hand = _by_hand(session, account)
    return ChannelView(
        points=tuple(_points(session, account, settings=settings, now=now)),
        by_hand=by_hand,
        seen=by_hand.sign == "yes",
        waiting=session.scalar(
            select(func.count())
            .select_from(Publication)
            .where(Publication.account_id == account.id, Publication.state == PublicationState.SCHEDULED)
        )
        or 0,
        pauses=tuple(_pauses(session, account, now=now)),
        month=cost.month_of(session, account, now=now),
    )


def _points(session: Session, account: ChannelAccount, *, settings: Settings, now: datetime) -> Iterator[Point]:
    label = label_of(account.kind)
    if not account.sealed:
        yield Point(sign="no", words="No keys are stored.", do="Type in new keys to connect the account again.")
        return
    yield _answer(account, label)
    if account.identity and account.status != "new":
        yield _permissions(account, label)
        yield _end(account, label, now=now)
    yield from _silence(account, label, now=now)
    yield from _version(account.kind, settings, now=now)
    yield from _trial(session, account, label)


def _answer(account: ChannelAccount, label: str) -> Point:
    if account.status == "new":
        said = account.check_result or f"{label} is being asked whose the keys are. Reload the page in a moment."
        return Point(sign="wait", words=said)
    if account.status == "held" and (account.opened_at is not None or account.held_reason == account.check_result):
        return Point(  # a person's hold takes the declaration away: this one is the platform's
            sign="no",
            words=account.held_reason,
            do="Once it is mended, press “Check the keys again”. If the keys themselves are wrong, type in new ones.",
        )
    return Point(sign="yes", words=f"{label} says the keys belong to {account.identity}, the account registered here.")


def _permissions(account: ChannelAccount, label: str) -> Point:
    lacking = missing(account.kind, account.scopes)
    if lacking:
        names = ", ".join(one.name for one in lacking)
        return Point(sign="no", words=f"The keys do not allow: {names}.", do=lacking[0].where)
    if not account.scopes:
        return Point(sign="unknown", words=f"{label} does not say what the keys allow. The first post will show it.")
    names = ", ".join(one.name for one in NEEDED[account.kind])
    return Point(sign="yes", words=f"The keys allow everything that is needed: {names}.")


def _end(account: ChannelAccount, label: str, *, now: datetime) -> Point:
    if account.expires_at is None:
        return Point(sign="yes", words=f"{label} names no end of the keys.")
    words = f"The keys have an end. {ending_sentence(account.expires_at, now=now)}"
    if key_ending.stage_of(account.expires_at, now=now) is None:
        return Point(sign="yes", words=words)
    return Point(
        sign="no" if account.expires_at <= now else "soon",
        words=words,
        do=f"Make new keys on {label}'s developer site and type them in here. The channel stays the headteacher's.",
    )


def _silence(account: ChannelAccount, label: str, *, now: datetime) -> Iterator[Point]:
    if key_silence.is_silent(account, now=now):
        yield Point(sign="soon", words=key_silence.sentence(label), do=key_silence.ADVICE)


def _version(kind: str, settings: Settings, *, now: datetime) -> Iterator[Point]:
    version = {"facebook": settings.graph_version, "linkedin": settings.linkedin_version}.get(kind)
    if version is None:
        return
    alarm = api_versions.alarm(kind, version, today=london(now).date())
    words = api_versions.version_sentence(kind, version)
    yield Point(sign="soon", words=words, do=alarm) if alarm else Point(sign="yes", words=words)


def _trial(session: Session, account: ChannelAccount, label: str) -> Iterator[Point]:
    if account.kind != "facebook":
        yield Point(sign="unknown", words=f"No trial is made: {label} has no post that nobody sees.")
        return
    details = session.scalars(
        select(Audit.detail)
        .where(Audit.subject == f"channel:{account.id}", Audit.action == key_check.CHECKED)
        .order_by(Audit.id.desc())
        .limit(400)
    )
    found = next((detail["trial"] for detail in details if detail.get("trial")), None)
    if found is None:
        return
    if found["read_back"] and found["removed"]:
        words = "A plain picture was handed over unpublished, read back and removed. No visitor saw it."
        yield Point(sign="yes", words=words)
    elif found["removed"]:
        yield Point(
            sign="soon",
            words="A plain picture could be handed over and removed, but not read back.",
            do="Posts can go out, but what became of one may not be found out. Check the permission to read.",
        )
    else:
        yield Point(
            sign="soon",
            words="A plain green picture was handed over unpublished and could not be removed again.",
            do="No visitor sees it. Somebody may remove it among the page's photos.",
        )


def _by_hand(session: Session, account: ChannelAccount) -> Point:
    rows = session.execute(
        select(Audit.action, Audit.at, Staff.name)
        .join(Staff, Staff.id == Audit.staff_id)
        .where(
            Audit.subject == f"channel:{account.id}",
            Audit.action.in_((connect.SEEN, connect.REGISTERED, connect.RENEWED)),
        )
        .order_by(Audit.id.desc())
        .limit(1)
    )
    last = rows.first()
    if last is not None and last.action == connect.SEEN:
        day = london(last.at)
        words = f"{last.name} saw a post on the page without being signed in, on {day.day} {day:%B %Y}."
        return Point(sign="yes", words=words)
    return Point(sign="unknown", words=_BY_HAND.get(account.kind, ""), do=_LOOK)


def _pauses(session: Session, account: ChannelAccount, *, now: datetime) -> Iterator[str]:
    label = label_of(account.kind)
    for routes, what in _WAITS:
        if (until := limits_seen.waits_until(session, account.id, routes, now=now)) is not None:
            end = london(until)
            yield f"{label} asks to wait with {what} until {end:%H:%M} on {end.day} {end:%B}. Posts wait until then."
