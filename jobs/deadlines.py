"""Ending a handler whose time is up: by a signal in the main thread, from another thread elsewhere."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .exceptions import TimedOut


class Alarm:
    """Raises TimedOut in the thread that made it, some time after `until` (monotonic) when another thread asks.

    Python delivers it between two steps of its own: a call that blocks in C is not interrupted, so what waits on the
    network needs a timeout there too.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self.until = time.monotonic() + timeout_s
        self._thread = ctypes.c_ulong(threading.get_ident())
        self._lock = threading.Lock()
        self._is_off = False
        self._has_rung = False

    def has_rung(self) -> bool:
        """Ring if it is time; once."""
        with self._lock:
            if not (self._is_off or self._has_rung) and time.monotonic() >= self.until:
                self._has_rung = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, ctypes.py_object(TimedOut))
            return self._has_rung

    def switch_off(self) -> None:
        """After this nothing is raised any more, also not what is under way."""
        with self._lock:
            self._is_off = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, None)


@contextmanager
def by_signal(timeout_s: float) -> Iterator[None]:
    """Raise TimedOut in the block when its time is up. Signals reach the main thread only: elsewhere there is no
    limit."""
    if timeout_s <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(signum: int, frame: Any) -> None:
        raise TimedOut

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def by_alarm(timeout_s: float) -> Iterator[Alarm | None]:
    """The same in any thread, if another one asks the alarm now and then whether it is time."""
    if timeout_s <= 0:
        yield None
        return
    alarm = Alarm(timeout_s=timeout_s)
    try:
        yield alarm
    finally:
        alarm.switch_off()
