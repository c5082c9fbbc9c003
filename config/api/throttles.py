"""How often the API may be called, and what its answers say of it. Figures: config/throttling/policy.py and settings.

DRF's own throttles read a list from the cache and write it back: two calls at once count as one. This one counts all
windows of a call in one step in Redis.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.exceptions import PlumblineError
from accounts.models import User
from accounts.querysets import home_organisation_id
from config.throttling import Standing, Verdict, Window, client_address, count, is_enabled, limits_of, place_of

if TYPE_CHECKING:
    from rest_framework.views import APIView  # its module loads this one, by the settings

INSTEAD_OF_ANONYMOUS = ("tokens", "quiz")  # scopes with a window of their own for callers without sign-in
Handler = TypeVar("Handler", bound=Callable[..., Any])
ATTRIBUTE = "throttle_verdict"
PROBLEM = "application/problem+json"
HOME_KEPT_S = 60.0
MOST_HOMES = 10_000
_homes: dict[UUID, tuple[float, UUID | None]] = {}


def throttle_scope(name: str) -> Callable[[Handler], Handler]:
    """Mark an action or a method of a view: `expensive` counts it in a further window.

    Of a whole view: `throttle_scope = "…"` in its class. KeyError: no throttle has this name.
    """
    limits_of(name)  # a misspelt one fails at import

    def mark(handler: Handler) -> Handler:
        handler.throttle_scope = name  # type: ignore[attr-defined]
        return handler

    return mark


class TooManyCalls(PlumblineError):
    status = 429
    code = "throttled"


class CallsThrottle(BaseThrottle):
    """Counts a call in every window it belongs to. Redis away: the call is served, uncounted."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not is_enabled():
            return True
        self.verdict = count(_windows(request, _scope(request, view)))
        setattr(request._request, ATTRIBUTE, self.verdict)
        return self.verdict is None or self.verdict.is_allowed

    def wait(self) -> float | None:
        return None if self.verdict is None else float(self.verdict.wait_s)


def refused_unknown(request: HttpRequest, error: Exception) -> Exception:
    """DRF asks who is calling before it asks how often: a refused sign-in is counted here, against the address.

    Returns what to answer: the error, or Throttled once the address has had its share.
    """
    if (
        not isinstance(error, NotAuthenticated | AuthenticationFailed)
        or not is_enabled()
        or hasattr(request, ATTRIBUTE)
    ):
        return error
    verdict = count(_anonymous(request))
    setattr(request, ATTRIBUTE, verdict)
    return error if verdict is None or verdict.is_allowed else Throttled(wait=verdict.wait_s)


def begin_unproved(request: HttpRequest, name: str = "anonymous") -> tuple[Window, ...]:
    """For views outside the REST framework, whose callers prove themselves by what they send: counted against the
    address before it is looked at. To be given back to those who did; raises TooManyCalls."""
    windows = _anonymous(request, name) if is_enabled() else []
    return _counted(request, windows)


def begin_proved(request: HttpRequest, name: str, who: str) -> None:
    """Those who have proved to be `who` have a limit of their own. Raises TooManyCalls."""
    _counted(request, [Window(limit, who) for limit in limits_of(name)] if is_enabled() else [])


def _counted(request: HttpRequest, windows: list[Window]) -> tuple[Window, ...]:
    verdict = count(windows)
    if verdict is not None and not verdict.is_allowed:
        setattr(request, ATTRIBUTE, verdict)
        detail, extra = refusal(request)
        raise TooManyCalls(detail, extra=extra)
    return tuple(windows)


def refusal(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """Detail and further members of the problem details of a 429."""
    verdict: Verdict | None = getattr(request, ATTRIBUTE, None)
    if verdict is None or not verdict.full:  # another throttle refused it
        return "Too many calls. Wait a little, then ask again.", {}
    limits = " and ".join(_in_words(standing) for standing in verdict.full)
    detail = f"Too many calls: {limits}. Ask again in {_duration(verdict.wait_s)}."
    return detail, {"retry_after_s": verdict.wait_s, "violated-policies": [each.name for each in verdict.full]}


class RateLimitHeadersMiddleware:
    """`RateLimit`, `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11) and the three headers of its first
    drafts, which most clients still read, on every answer whose call was counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        verdict: Verdict | None = getattr(request, ATTRIBUTE, None)
        if verdict is not None:
            for name, value in headers_of(verdict).items():
                response[name] = value
        return response


def headers_of(verdict: Verdict) -> dict[str, str]:
    tightest = verdict.tightest
    standings = verdict.standings
    return {
        "RateLimit": ", ".join(f'"{each.name}";r={each.remaining};t={each.reset_s}' for each in standings),
        "RateLimit-Policy": ", ".join(
            f'"{each.name}";q={each.window.limit.amount};w={each.window.seconds}' for each in standings
        ),
        "RateLimit-Limit": str(tightest.window.limit.amount),
        "RateLimit-Remaining": str(tightest.remaining),
        "RateLimit-Reset": str(tightest.reset_s),
    }


def document_throttles(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Hook of drf-spectacular: every operation may answer 429."""
    integer = {"type": "integer", "minimum": 0}
    headers = {
        "Retry-After": {"description": "Seconds until the same call is served.", "schema": integer},
        "RateLimit": {
            "description": "What is left in each window, and when calls come back.",
            "schema": {"type": "string"},
        },
        "RateLimit-Policy": {"description": "The windows: calls `q` in seconds `w`.", "schema": {"type": "string"}},
    }
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answer = {"description": "`throttled`: too many calls. Wait.", "headers": headers, "content": content}
    for path in result["paths"].values():
        for method, operation in path.items():
            if method in ("get", "post", "put", "patch", "delete"):
                said = operation["responses"].setdefault("429", answer)
                said.setdefault("headers", headers)
    return result


def _scope(request: Request, view: APIView) -> str:
    handler = getattr(view, getattr(view, "action", None) or str(request.method).lower(), None)
    return str(getattr(handler, "throttle_scope", None) or getattr(view, "throttle_scope", ""))


def _windows(request: Request, scope: str) -> list[Window]:
    user = request.user
    if not isinstance(user, User):
        return _anonymous(request._request, scope if scope in INSTEAD_OF_ANONYMOUS else "anonymous")
    found = [Window(limit, str(user.pk)) for limit in limits_of("user")]
    if scope == "expensive":
        found += [Window(limit, str(user.pk)) for limit in limits_of("expensive")]
    organisation_id = _home_of(user) if (of_organisation := limits_of("organisation")) else None
    if organisation_id is not None:
        found += [Window(limit, str(organisation_id)) for limit in of_organisation]
    return found


def _home_of(user: User) -> UUID | None:
    """Whose sum the user's calls count in: their oldest organisation, so that each call counts in one only.

    Remembered in the process for a minute: else every call would begin with a query.
    """
    now = time.monotonic()
    known = _homes.get(user.pk)
    if known is None or known[0] < now:
        if len(_homes) >= MOST_HOMES:
            _homes.clear()
        known = _homes[user.pk] = (now + HOME_KEPT_S, home_organisation_id(user))
    return known[1]


def _anonymous(request: HttpRequest, name: str = "anonymous") -> list[Window]:
    place = place_of(client_address(request))
    return [Window(limit, place) for limit in limits_of(name)]


def _in_words(standing: Standing) -> str:
    who = {
        "anonymous": "without sign-in",
        "organisation": "for an organisation",
        "expensive": "of this costly kind",
        "by_hand": "of this costly kind",
        "quiz": "quizzes and clauses without sign-in",
        "voice_address": "reports that are refused",
        "voice": "reports of a voice connection",
        "tokens": "to sign in or refresh",
    }.get(standing.window.limit.namespace, "")
    calls = f"at most {standing.window.limit.amount}{' ' + who if who else ''}"
    return f"{calls} in {_duration(standing.window.seconds)}"


def _duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = -(-seconds // 60)
    return f"{minutes} minutes"
