"""How several channels are named beside each other."""

from collections.abc import Sequence

from gatekeeper.policy.limits import label_of


def names_of(channels: Sequence[tuple[str, str]]) -> list[str]:
    """Each of these (kind, name) by its platform; by its own name too where there are two of a kind."""
    kinds = [kind for kind, _ in channels]
    return [label_of(kind) if kinds.count(kind) == 1 else f"{label_of(kind)} ({name})" for kind, name in channels]


def listed(names: Sequence[str]) -> str:
    """The names in one breath: "X, Facebook and LinkedIn"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
