"""A value that is read seldom however often it is asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# What takes a second to read is kept for ten: whoever asks often must not be able to keep the database busy.
TIMES_ITS_COST = 10


class Kept(Generic[T]):
    """Of several threads that ask at once one reads, the others wait for it. An error is not kept."""

    def __init__(self, make: Callable[[], T], *, for_s: float, times_its_cost: float = TIMES_ITS_COST) -> None:
        self._make = make
        self._for_s = for_s
        self._times_its_cost = times_its_cost
        self._lock = threading.Lock()
        self._value: T | None = None
        self._until = float("-inf")

    def get(self) -> T:
        with self._lock:
            if self._value is None or time.monotonic() >= self._until:
                began = time.monotonic()
                self._value = self._make()
                ended = time.monotonic()
                self._until = ended + max(self._for_s, self._times_its_cost * (ended - began))
            return self._value

    def forget(self) -> None:
        """The next call reads anew."""
        with self._lock:
            self._value = None
