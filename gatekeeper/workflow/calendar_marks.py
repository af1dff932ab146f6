"""What keeps a planned post from going out, or kept it, channel by channel: for whoever looks at the schedule.

A post that goes to several channels has one state, and one of its channels may be held or have missed its time all the
same. While everything is stopped the badge of the post says so; here stands what concerns one channel.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.posts.model import ChannelAccount, Publication
from gatekeeper.posts.status import PostState
from gatekeeper.posts.status import PublicationState as S

#: posts of which some channel may have ended otherwise than the others, or be held
MARKED: Final = frozenset(
    {PostState.SCHEDULED, PostState.PARTLY, PostState.NEEDS_PERSON, PostState.MISSED, PostState.FAILED}
)
_ENDED: Final[Mapping[S, str]] = {
    S.NEEDS_PERSON: "{channel}: a person must look",
    S.MISSED: "{channel}: missed its time",
    S.FAILED: "{channel}: not published",
}


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What is marked at one post.

    Attributes:
        held: whether it waits for a channel that is held.
        words: one line for each channel that is held, or that ended otherwise than as planned.
    """

    held: bool = False
    words: tuple[str, ...] = ()


NONE: Final = Marks()


def marks_of(session: Session, versions: Collection[int], names: Mapping[int, str]) -> dict[int, Marks]:
    """What is marked, by the version that was to be published; a version without any mark is left out."""
    found = session.execute(
        select(Publication.version_id, Publication.state, Publication.account_id, ChannelAccount.status)
        .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
        .where(Publication.version_id.in_(versions))
        .order_by(Publication.account_id)
    ).all()
    by_version: dict[int, list[tuple[S, str, bool]]] = {}
    for version_id, state, account_id, status in found:
        channel = names.get(account_id, "A channel")
        held = state == S.SCHEDULED and status != "open"
        by_version.setdefault(version_id, []).append((S(state), channel, held))
    marked = {version_id: _marks(lines) for version_id, lines in by_version.items()}
    return {version_id: marks for version_id, marks in marked.items() if marks != NONE}


def _marks(lines: list[tuple[S, str, bool]]) -> Marks:
    words, alike = [], len({state for state, _, _ in lines}) == 1  # then the post's own state says it
    for state, channel, held in lines:
        if held:
            words.append(f"{channel} is held: the post waits for it")
        elif state in _ENDED and not alike:
            words.append(_ENDED[state].format(channel=channel))
    return Marks(held=any(held for _, _, held in lines), words=tuple(words))
