"""Who may decide about a post: the headteacher, never its author.

The policy names the headteacher and nobody else (3.4, 3.7, 4.2), and says nothing of a head who writes a post
themselves. Then another headteacher decides, or, where the school has only one, the deputy headteacher. Where there is
neither, nobody decides and nothing is published. The question is asked twice: when somebody is asked, and again at the
moment of deciding, because roles change in between.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gatekeeper.errors import GatekeeperError

HEADTEACHER = "headteacher"
DEPUTY = "deputy"


class NobodyMayDecide(GatekeeperError):
    """There is nobody who may decide about this post. The sentence is for its author and the administrator."""


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """What has to be known of one member of staff: `active` means that the account is open today."""

    id: int
    role: str
    active: bool


def choose_approver(staff: Iterable[Colleague], *, author_id: int) -> Colleague:
    """The one person to be asked about a post of this author.

    Raises:
        NobodyMayDecide: the school has nobody who may; the text says what is missing.
    """
    everyone = list(staff)
    entitled = _entitled(everyone, author_id=author_id)
    if entitled:
        return entitled[0]
    if any(one.id == author_id and one.role == HEADTEACHER for one in everyone):
        raise NobodyMayDecide(
            "The headteacher wrote this post, so a deputy headteacher has to decide about it, and there is no active "
            "account of one. An administrator can invite the deputy headteacher; the post waits until then."
        )
    raise NobodyMayDecide(
        "There is no active account of the headteacher, so nobody can be asked to decide. An administrator can give "
        "the role to somebody; the post waits until then."
    )


def check_may_decide(person_id: int, staff: Iterable[Colleague], *, author_id: int) -> None:
    """Refuse unless this person may decide, today, about a post of this author.

    Raises:
        NobodyMayDecide: this person may not.
    """
    if not any(one.id == person_id for one in _entitled(list(staff), author_id=author_id)):
        raise NobodyMayDecide("This decision is for the headteacher, and never for the author of the post.")


def may_decide(person_id: int, staff: Iterable[Colleague], *, author_id: int) -> bool:
    """Whether this person may decide, today, about a post of this author."""
    try:
        check_may_decide(person_id, staff, author_id=author_id)
    except NobodyMayDecide:
        return False
    return True


def _entitled(staff: list[Colleague], *, author_id: int) -> list[Colleague]:
    """Everybody who may decide, first the one to be asked."""
    others = sorted((one for one in staff if one.active and one.id != author_id), key=lambda one: one.id)
    heads = [one for one in others if one.role == HEADTEACHER]
    author_is_head = any(one.id == author_id and one.active and one.role == HEADTEACHER for one in staff)
    return heads or [one for one in others if author_is_head and one.role == DEPUTY]
