"""Has this process been told to stop? One flag, set by a signal and read by whoever is about to begin something."""

from __future__ import annotations

_asked = False


def ask() -> None:
    """To be called by a signal handler: does nothing but set the flag."""
    global _asked  # noqa: PLW0603 - the state of the process itself
    _asked = True


def is_asked() -> bool:
    return _asked


def forget() -> None:
    """At the start of a worker, which in tests is not the first of its process."""
    global _asked  # noqa: PLW0603
    _asked = False
