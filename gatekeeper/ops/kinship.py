"""A process never outlives the one that started it, even when that one is killed without warning.

Linux keeps this promise itself (PR_SET_PDEATHSIG): the signal comes from the kernel, so no tidy-up code has to run.
Elsewhere the supervisor's ordered stop is all there is.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# loaded before any fork: a freshly forked child must not search for libraries
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def die_with(parent: int, *, by: signal.Signals = signal.SIGKILL) -> None:
    """Called in a child: from now on the kernel ends this process when `parent`, which started it, ends."""
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if os.getppid() != parent:  # it was gone before the kernel knew of the wish
        os._exit(1)


def bound_to_me(*, by: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """What to hand to `subprocess.Popen(preexec_fn=...)` so that the child ends with this process.

    The caller must be the thread that lives as long as the process: Linux means the thread that forked.
    """
    parent = os.getpid()

    def bind() -> None:
        die_with(parent, by=by)

    return bind
