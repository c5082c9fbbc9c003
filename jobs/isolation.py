"""Running a handler in a forked child with limits, so that a parser's crash, greed or endless loop takes nothing else
along.

The parent must have one thread only and no open connections at the fork: a lock held by another thread would stay
held in the child for ever, and a shared connection would be talked on from both ends.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable

from django.db import connections

from . import stopping
from .exceptions import Crashed, OutOfTime
from .registry import Kind

# The child stops itself at its time limit; the parent waits this much longer before it kills.
GRACE_S = 5.0
PR_SET_PDEATHSIG = 1
# Not 0: a handler (or a library) that calls os._exit(0) has not finished its job.
IN_GOOD_ORDER = 97
EX_SOFTWARE = 70
STOPS = (signal.SIGTERM, signal.SIGINT)


def run_in_child(work: Callable[[], None], *, kind: Kind, after_fork: Callable[[], None]) -> Crashed | OutOfTime | None:
    """Run `work` in a child and wait for it; None when the child ended in good order. `after_fork` is called here once
    the child is on its way: threads may live again.

    The child writes the job's end by itself. What is returned is the reason why it could not.
    """
    connections.close_all()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    # A stop that was asked for just now is passed on at once: until the child has handlers of its own it would leave by
    # the worker's, which takes that for the second time of asking.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        pid = os.fork()
        if pid == 0:
            _be_the_child(work, kind, parent, before)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    after_fork()
    return _verdict(_wait_for(pid, kind), kind)


def _be_the_child(work: Callable[[], None], kind: Kind, parent: int, mask: set[int | signal.Signals]) -> None:
    """Never returns: what comes after the fork in the parent must not run twice. `mask`: signals that wait later on."""
    code = EX_SOFTWARE
    try:
        for signum in STOPS:  # the worker's stop: the next report hands the job back
            signal.signal(signum, lambda *_: stopping.ask())
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _die_with(parent)
        if kind.memory_mb:
            _limit_memory(kind.memory_mb * 1024 * 1024)
        work()
        code = IN_GOOD_ORDER
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _die_with(parent: int) -> None:
    """Linux: be killed when the worker dies, so that a job taken back is not still running here."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(EX_SOFTWARE)


def _limit_memory(limit: int) -> None:
    """On top of what the worker has mapped already, which the child shares and does not fill."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - read between fork and work
            mapped = int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        mapped = 0
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mapped + limit
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _wait_for(pid: int, kind: Kind) -> int | None:
    """The child's wait status; None when it had to be killed for its time. A stop of this process is passed on."""
    began = time.monotonic()
    pause, was_told = 0.002, False
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        if kind.timeout_s > 0 and time.monotonic() - began > kind.timeout_s + GRACE_S:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
        if stopping.is_asked() and not was_told:
            was_told = True
            os.kill(pid, signal.SIGTERM)
        time.sleep(pause)
        pause = min(0.05, pause * 1.5)


def _verdict(status: int | None, kind: Kind) -> Crashed | OutOfTime | None:
    if status is None:
        return OutOfTime(f"The job took longer than {kind.timeout_s:g} s, the limit of its kind, and was stopped.")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        hint = " It probably ran out of memory." if number == signal.SIGKILL else ""
        return Crashed(f"The job's process was ended by {name} before it could finish.{hint}")
    code = os.waitstatus_to_exitcode(status)
    if code == IN_GOOD_ORDER:
        return None
    return Crashed(f"The job's process ended by itself with code {code} before it had finished.")
