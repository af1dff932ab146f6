"""The named places at which a drill kills a publisher. In a school nothing listens, and passing one does nothing.

A listener is told where the program is; it can end the process there, and it can change nothing else.
"""

from collections.abc import Callable

#: C: on a publication's way. C0 before a claim, C1 before and after the claim's commit, C2 the same of the intent's, C3
#: connected and half sent, C4 sent and no reply read (a drill watches the line for these two), C5 reply read and not
#: written down, C6 before and after the record's commit. R: looking up.
POINTS = ("C0", "C1a", "C1b", "C2a", "C2b", "C3a", "C3b", "C4", "C5", "C6a", "C6b", "R0", "R1", "R2")

_listeners: list[Callable[[str, int], None]] = []


def listen(listener: Callable[[str, int], None]) -> None:
    """Have `listener` told of every point that this process passes, and of which publication (0: none yet)."""
    _listeners.append(listener)


def reached(point: str, publication_id: int = 0) -> None:
    """Say that the program has come to this point."""
    for listener in _listeners:
        listener(point, publication_id)
