"""Errors that people cause or can mend: the base of every app's own. Free of Django.

`str(error)` says, to a person, what is wrong and what to do next; `code` is stable, for clients.
"""

from __future__ import annotations

from typing import Any


class PlumblineError(Exception):
    """Base. `status` is the HTTP status it becomes; `extra` are further members of the problem details (JSON)."""

    status = 400
    code = "refused"

    def __init__(self, message: str, *, code: str | None = None, extra: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.extra = extra or {}


class Refused(PlumblineError):
    """The request can't be carried out as it is: asking again unchanged is pointless."""


class Conflict(Refused):
    """The state has changed meanwhile, or forbids it now."""

    status = 409
    code = "conflict"


class Missing(PlumblineError):
    """There is no such thing, or not for this user: the two are not told apart."""

    status = 404
    code = "not_found"


class Temporary(PlumblineError):
    """It may work later: jobs retry it. `retry_after_s`: not before that, as a server's Retry-After says."""

    status = 503
    code = "temporarily_unavailable"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        extra: dict[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, code=code, extra=extra)
        self.retry_after_s = retry_after_s


class NotSignedIn(Refused):
    """These credentials open nothing: wrong, expired, revoked, or of somebody suspended."""

    status = 401
    code = "wrong_credentials"


class TooManyAttempts(Temporary):
    """Sign-in is being tried too often, for this address or from this place."""

    status = 429
    code = "too_many_attempts"
