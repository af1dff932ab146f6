"""What publishing costs where a platform charges for it: counted by the day, shown before a post is approved.

X charges for each post, more for one with a link, and for each post that is read back. The prices are data in
`policy.limits`; X's own bill is what counts, so every figure here is an estimate, and never one that is too low.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gatekeeper.policy.limits import PRICES, dollars, label_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import ChannelAccount, ChannelCost
from gatekeeper.text.weight import x_links

POST: Final = "post"
LINK_POST: Final = "link_post"
READ: Final = "read"


@dataclass(frozen=True, kw_only=True)
class Month:
    """What one account's calls came to in one month, by UTC days as X counts them."""

    posts: int
    link_posts: int
    reads: int
    price: str


def is_paid(kind: str) -> bool:
    """Whether this kind of channel charges for calls."""
    return kind in PRICES


def kind_of_post(text: str) -> str:
    """What a post with these words is charged as."""
    return LINK_POST if x_links(text) else POST


def sentence_for(content: Content) -> str:
    """What publishing exactly this costs, for whoever approves it; empty where nothing is charged."""
    return " ".join(
        f"Publishing this costs the school about {dollars(total)} on {label_of(kind)}"
        f"{', because it has a link' if linked else ''}."
        for kind, total, linked in _charged(content)
    )


def price_of(content: Content) -> str:
    """The same in a few words, for a list; empty where nothing is charged."""
    return ", ".join(f"about {dollars(total)} on {label_of(kind)}" for kind, total, _ in _charged(content))


def _charged(content: Content) -> Iterator[tuple[str, int, bool]]:
    """Of each kind of channel that charges: the kind, the price, and whether a link is part of it."""
    for kind in dict.fromkeys(channel.kind for channel in content.channels if is_paid(channel.kind)):
        charged = [
            kind_of_post(content.text_for(channel.account_id)) for channel in content.channels if channel.kind == kind
        ]
        yield kind, sum(PRICES[kind][each] for each in charged), LINK_POST in charged


def count_post(session: Session, account_id: int, kind: str, content: Content, *, now: datetime) -> None:
    """Count a post that went out, in the transaction that writes it down; so it is counted once."""
    if is_paid(kind):
        count(session, account_id, kind_of_post(content.text_for(account_id)), 1, now=now)


def count(session: Session, account_id: int, kind: str, many: int, *, now: datetime) -> None:
    """Add so many to the day's count."""
    if not many:
        return
    key = (account_id, now.astimezone(UTC).date(), kind)
    row = session.get(ChannelCost, key, with_for_update=True)
    if row is None:
        try:
            with session.begin_nested():
                session.add(ChannelCost(account_id=key[0], day=key[1], kind=kind, count=many))
        except IntegrityError:  # another process began the day's count in between
            session.get_one(ChannelCost, key, with_for_update=True).count += many
        return
    row.count += many


def month_of(session: Session, account: ChannelAccount, *, now: datetime) -> Month | None:
    """What this account's calls came to in the present month; None where nothing is charged."""
    if not is_paid(account.kind):
        return None
    today = now.astimezone(UTC).date()
    rows = session.execute(
        select(ChannelCost.kind, func.sum(ChannelCost.count))
        .where(ChannelCost.account_id == account.id, ChannelCost.day >= date(today.year, today.month, 1))
        .group_by(ChannelCost.kind)
    )
    counts: dict[str, int] = {kind: int(many) for kind, many in rows}
    total = sum(many * PRICES[account.kind].get(kind, 0) for kind, many in counts.items())
    return Month(
        posts=counts.get(POST, 0), link_posts=counts.get(LINK_POST, 0), reads=counts.get(READ, 0), price=dollars(total)
    )
