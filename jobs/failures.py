"""What an error means for a job: try again later, or fail; and how it is told."""

from __future__ import annotations

import traceback
from typing import Any

import django.db
import redis.exceptions

from accounts.exceptions import PlumblineError, Temporary

from . import tuning
from .exceptions import OutOfMemory, OutOfTime, TimedOut

# What goes away by itself: a server that restarts, a deadlock, a connection cut.
TRANSIENT: tuple[type[BaseException], ...] = (
    Temporary,
    django.db.OperationalError,
    django.db.InterfaceError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    ConnectionError,
    TimeoutError,
)
UNEXPECTED = "Something went wrong on our side. The details below help whoever looks into it."
LONGEST_TRACEBACK = 20_000


def is_transient(error: BaseException) -> bool:
    return isinstance(error, TRANSIENT)


def wait_asked_s(error: BaseException) -> float:
    """Seconds that a server asked to be left alone (its Retry-After), at most `tuning.RETRY_AFTER_S`; 0: it did not."""
    asked = getattr(error, "retry_after_s", None) if isinstance(error, Temporary) else None
    return min(max(0.0, float(asked)), tuning.RETRY_AFTER_S) if asked is not None else 0.0


def as_told(error: BaseException, *, timeout_s: float = 0) -> BaseException:
    """The error to tell people of, in place of one that only the runner understands."""
    if isinstance(error, TimedOut):
        return OutOfTime(f"The job took longer than {timeout_s:g} s, the limit of its kind, and was stopped.")
    if isinstance(error, MemoryError):
        return OutOfMemory("The job needed more memory than its kind may use, and was stopped.")
    return error


def describe(error: BaseException, *, with_traceback: bool = True) -> dict[str, str]:
    """`{class, message, code, traceback}` as stored in Job.error; message is for people. Never raises: an error may
    refuse to be printed, and PostgreSQL refuses NUL characters and lone surrogates."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, PlumblineError):
        message, code = _text(lambda: str(error)), str(error.code)
    elif is_transient(error):
        message, code = "A service that the job needs could not be reached.", "temporarily_unavailable"
    else:
        message, code = UNEXPECTED, "unexpected_error"
    lines = _text(lambda: "".join(traceback.format_exception(error))) if with_traceback else ""
    return {"class": name, "message": message, "code": code, "traceback": lines[-LONGEST_TRACEBACK:]}


def _text(make: Any) -> str:
    try:
        text = str(make())
    except Exception as unprintable:
        text = f"(the error can't be printed: {type(unprintable).__name__})"
    return text.encode("utf-8", "replace").decode().replace("\x00", "�")
