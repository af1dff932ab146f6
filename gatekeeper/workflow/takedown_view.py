"""What a person sees of removals: on a post's page, and as the list that has to reach zero."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Publication, Version
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.posts.status import PUBLICATION_WORDS, PublicationState
from gatekeeper.workflow.own_post import readable_post
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.takedown import STANDING, WHY
from gatekeeper.workflow.takedown_act import MAY_ORDER, REMOVABLE, reasons_for
from gatekeeper.workflow.takedown_words import Wish, newest_wish, parted

#: state -> (word, tone, sign)
BADGE: Final[dict[TakedownState, tuple[str, str, str]]] = {
    TakedownState.WAITING: ("Waits until it is known whether it went out", "warning", "⏳"),
    TakedownState.ORDERED: ("Being taken down", "warning", "⟳"),
    TakedownState.BY_HAND: ("A person must take it down", "danger", "!"),
    TakedownState.GONE: ("Gone", "success", "✓"),
    TakedownState.NEVER_PUBLIC: ("Never became public", "success", "✓"),
}
_LAST: Final = 30


@dataclass(frozen=True, kw_only=True)
class RemovalLine:
    """One removal as a list shows it."""

    id: int
    channel: str
    state: TakedownState
    why: str
    words: str  # as they were typed; empty for whoever may neither act on it nor typed them
    seen: str  # what a person did or saw on the platform; likewise
    asked_by: str
    asked_at: datetime
    problem: str
    tries: int
    confirmed_at: datetime | None
    confirmed_by: str  # empty: the platform itself
    post_id: int | None
    remote_id: str
    permalink: str
    incident_id: int | None

    @property
    def badge(self) -> tuple[str, str, str]:
        """Word, tone and sign."""
        return BADGE[self.state]

    @property
    def waits_for_person(self) -> bool:
        """Whether a person may say that it is gone."""
        return self.state is TakedownState.BY_HAND or (self.state is TakedownState.ORDERED and bool(self.problem))


@dataclass(frozen=True, kw_only=True)
class ChannelRemoval:
    """One channel of a post on which something may be public: what stands there, and what may be done."""

    publication_id: int
    channel: str
    words: str
    removal: RemovalLine | None
    reasons: dict[str, str]
    can_ask: bool
    wish: Wish | None = None  # of its author, for whoever may act on it and for the author
    wished_by: str = ""


@dataclass(frozen=True)
class Removals:
    """The whole list."""

    open: tuple[RemovalLine, ...]
    ended: tuple[RemovalLine, ...]
    may_act: bool


def removals(services: Services, by: Staff) -> Removals:
    """Every open removal, the oldest first, and the last that ended.

    What was typed is for whoever may act, and for whoever typed it: it may speak of a child.
    """
    role = Role(by.role)
    with services.db.read() as session:
        standing = select(Takedown).where(Takedown.state.in_(STANDING)).order_by(Takedown.id)
        ended = select(Takedown).where(Takedown.state.not_in(STANDING)).order_by(Takedown.id.desc()).limit(_LAST)
        names = _names(session)
        return Removals(
            open=tuple(_line(session, one, names, by) for one in session.scalars(standing)),
            ended=tuple(_line(session, one, names, by) for one in session.scalars(ended)),
            may_act=role in MAY_ORDER,
        )


def removals_of(services: Services, post_id: int, by: Staff) -> tuple[ChannelRemoval, ...]:
    """The channels on which something of this post is or may be public, or was and is gone.

    Raises:
        NotFound: there is no such post for this person.
    """
    role = Role(by.role)
    with services.db.read() as session:
        post = readable_post(session, post_id, by)
        names = _names(session)
        rows = session.scalars(
            select(Publication)
            .join(Version, Version.id == Publication.version_id)
            .where(Version.post_id == post.id)
            .order_by(Publication.account_id, Publication.id)
        ).all()
        shown = []
        for one in rows:
            newest = session.scalars(
                select(Takedown).where(Takedown.publication_id == one.id).order_by(Takedown.id.desc()).limit(1)
            ).first()
            if one.state not in REMOVABLE and newest is None:
                continue
            gone = newest is not None and (newest.state in STANDING or newest.state == TakedownState.GONE)
            removable = one.state in REMOVABLE and not gone
            account = session.get_one(ChannelAccount, one.account_id)
            reasons = reasons_for(role) if removable else {}
            wish = newest_wish(session, one.id) if removable else None
            if wish and (not (role in MAY_ORDER or wish.by == by.id) or (newest and newest.asked_at > wish.at)):
                wish = None
            shown.append(
                ChannelRemoval(
                    publication_id=one.id,
                    channel=f"{label_of(account.kind)} ({account.name})",
                    words=PUBLICATION_WORDS[PublicationState(one.state)],
                    removal=_line(session, newest, names, by) if newest else None,
                    reasons=reasons,
                    can_ask=removable and not reasons and post.author_id == by.id,
                    wish=wish,
                    wished_by=names.get(wish.by, "") if wish else "",
                )
            )
        return tuple(shown)


def _names(session: Session) -> dict[int, str]:
    return {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}


def _line(session: Session, one: Takedown, names: dict[int, str], by: Staff) -> RemovalLine:
    account = session.get_one(ChannelAccount, one.account_id)
    publication = session.get(Publication, one.publication_id) if one.publication_id is not None else None
    version = session.get(Version, publication.version_id) if publication else None
    link = publication.permalink if publication else ""
    may_act = Role(by.role) in MAY_ORDER
    words, seen = parted(one.words)
    return RemovalLine(
        id=one.id,
        channel=f"{label_of(account.kind)} ({account.name})",
        state=TakedownState(one.state),
        why=WHY.get(one.why, one.why),
        words=words if may_act or one.asked_by == by.id else "",
        seen=seen if may_act or one.confirmed_by == by.id else "",
        asked_by=names.get(one.asked_by or 0, "Gatekeeper"),
        asked_at=one.asked_at,
        problem=one.problem,
        tries=one.tries,
        confirmed_at=one.confirmed_at,
        confirmed_by=names.get(one.confirmed_by or 0, ""),
        post_id=version.post_id if version else None,
        remote_id=one.remote_id or "",
        permalink=link if link.startswith(("https://", "http://")) else "",
        incident_id=one.incident_id,
    )
