"""What the keys of an account must allow, as each platform names it, and what to say when something is missing.

X tells one level for a whole app ("read-write"); Facebook and LinkedIn name every permission. A platform that tells
nothing proves nothing: then the first call that needs the permission says so.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from gatekeeper.policy.limits import label_of


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One thing that keys must allow.

    Attributes:
        name: as the platform names it.
        needed_for: what Gatekeeper cannot do without it.
        where: where it is given.
    """

    name: str
    needed_for: str
    where: str


_IN_APP: Final = "Allow it for the school's app on Meta's developer site, make a new Page access token, and type it in."
_IN_PRODUCT: Final = (
    "Ask for it under the app's products on LinkedIn's developer site, make a new token, and type it in."
)

NEEDED: Final[Mapping[str, tuple[Permission, ...]]] = {
    "x": (
        Permission(
            name="write",
            needed_for="publish",
            where=(
                "On X's developer site set the app's user permissions to “Read and write”, then make the access token "
                "and its secret anew: the old ones keep what they allowed."
            ),
        ),
    ),
    "facebook": (
        Permission(name="pages_manage_posts", needed_for="publish", where=_IN_APP),
        Permission(name="pages_read_engagement", needed_for="look up what was published", where=_IN_APP),
    ),
    "linkedin": (
        Permission(name="w_organization_social", needed_for="publish", where=_IN_PRODUCT),
        Permission(name="r_organization_social", needed_for="look up what was published", where=_IN_PRODUCT),
    ),
}


def missing(kind: str, allowed: Collection[str]) -> tuple[Permission, ...]:
    """What keys that allow this do not allow and should; nothing where the platform told nothing."""
    return tuple(one for one in NEEDED.get(kind, ()) if one.name not in allowed) if allowed else ()


def missing_sentence(kind: str, allowed: Collection[str]) -> str:
    """Why keys that allow this are not enough, and what to do; empty where they are."""
    lacking = missing(kind, allowed)
    if not lacking:
        return ""
    label = label_of(kind)
    names = " and ".join(f"“{one.name}” (to {one.needed_for})" for one in lacking)
    return f"The school's keys for {label} do not allow {names}. {lacking[0].where}"
