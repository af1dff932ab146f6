"""Who may decide about a post: the headteacher, a deputy the head has named for a time, never its author.

The policy names the headteacher and nobody else (3.4, 3.7, 4.2), and says nothing of a head who writes a post
themselves. Then another headteacher decides, or, where the school has only one, the deputy headteacher. Where there is
neither, nobody decides and nothing is published. While an appointment of the head is in force, its deputy is asked,
and the head may decide all the same; but what stays with the head (a reference, an override) no deputy decides.

The question is asked twice: when somebody is asked, and again at the moment of deciding, because roles change and
appointments end in between.
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


@dataclass(frozen=True, kw_only=True)
class Appointed:
    """An appointment whose time it is: who named whom. Whether it counts is asked of their roles, each time."""

    id: str
    head_id: int
    deputy_id: int


def choose_approver(
    staff: Iterable[Colleague], *, author_id: int, deputy: Appointed | None = None, head_only: str = ""
) -> Colleague:
    """The one person to be asked about a post of this author.

    Args:
        staff: everybody with an account.
        author_id: who wrote it.
        deputy: the appointment whose time it is.
        head_only: why a deputy is not enough for it; empty where one is.

    Raises:
        NobodyMayDecide: the school has nobody who may; the text says what is missing.
    """
    everyone = list(staff)
    entitled = _entitled(everyone, author_id=author_id, deputy=deputy, head_only=head_only)
    if entitled:
        return entitled[0]
    if any(one.id == author_id and one.role == HEADTEACHER for one in everyone):
        if head_only:
            raise NobodyMayDecide(
                f"{head_only} The headteacher wrote this post, and nobody decides about their own, so nobody can. Take "
                "that point out, or have somebody else write the post."
            )
        raise NobodyMayDecide(
            "The headteacher wrote this post, so a deputy headteacher has to decide about it, and there is no active "
            "account of one. An administrator can invite the deputy headteacher; the post waits until then."
        )
    raise NobodyMayDecide(
        "There is no active account of the headteacher, so nobody can be asked to decide. An administrator can give "
        "the role to somebody; the post waits until then."
    )


def check_may_decide(
    person_id: int,
    staff: Iterable[Colleague],
    *,
    author_id: int,
    deputy: Appointed | None = None,
    head_only: str = "",
) -> None:
    """Refuse unless this person may decide, today, about a post of this author.

    Raises:
        NobodyMayDecide: this person may not.
    """
    entitled = _entitled(list(staff), author_id=author_id, deputy=deputy, head_only=head_only)
    if not any(one.id == person_id for one in entitled):
        raise NobodyMayDecide("This decision is for the headteacher, and never for the author of the post.")


def may_decide(
    person_id: int,
    staff: Iterable[Colleague],
    *,
    author_id: int,
    deputy: Appointed | None = None,
    head_only: str = "",
) -> bool:
    """Whether this person may decide, today, about a post of this author."""
    try:
        check_may_decide(person_id, staff, author_id=author_id, deputy=deputy, head_only=head_only)
    except NobodyMayDecide:
        return False
    return True


def decides_as_deputy(
    person_id: int, staff: Iterable[Colleague], *, author_id: int, deputy: Appointed | None
) -> Appointed | None:
    """The appointment by which this person decides about a post of this author; None where it is by their role."""
    everyone = list(staff)
    named = _named(everyone, author_id=author_id, deputy=deputy)
    return deputy if named is not None and named.id == person_id and _heads(everyone, author_id=author_id) else None


def stands(deputy: Appointed, staff: Iterable[Colleague]) -> bool:
    """Whether the two still are what they were: nobody but the headteacher names, nobody but a deputy is named."""
    active = {one.id: one.role for one in staff if one.active}
    return active.get(deputy.head_id) == HEADTEACHER and active.get(deputy.deputy_id) == DEPUTY


def _entitled(staff: list[Colleague], *, author_id: int, deputy: Appointed | None, head_only: str) -> list[Colleague]:
    """Everybody who may decide, first the one to be asked."""
    heads = _heads(staff, author_id=author_id)
    if head_only:
        return heads
    named = _named(staff, author_id=author_id, deputy=deputy)
    if heads:
        # an author who is a headteacher has no say in who decides about their post
        return [named, *heads] if named and deputy and deputy.head_id != author_id else heads
    if not any(one.id == author_id and one.active and one.role == HEADTEACHER for one in staff):
        return []
    deputies = sorted((one for one in staff if one.active and one.role == DEPUTY), key=lambda one: one.id)
    return sorted(deputies, key=lambda one: one != named)


def _heads(staff: list[Colleague], *, author_id: int) -> list[Colleague]:
    heads = (one for one in staff if one.active and one.role == HEADTEACHER and one.id != author_id)
    return sorted(heads, key=lambda one: one.id)


def _named(staff: list[Colleague], *, author_id: int, deputy: Appointed | None) -> Colleague | None:
    if deputy is None or deputy.deputy_id == author_id or not stands(deputy, staff):
        return None
    return next(one for one in staff if one.id == deputy.deputy_id)
