"""A child that must not outlive its parent."""

import ctypes
import os
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(signal_number: int) -> Callable[[], None] | None:
    """For `preexec_fn`: Linux sends the signal when the parent dies, even by SIGKILL. None on other systems, where
    orphans are found and ended at the next start.

    The kernel watches the *thread* that forked: start such children from a thread that lives as long as the process.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl: the signal will never come
            os._exit(1)

    return arrange
