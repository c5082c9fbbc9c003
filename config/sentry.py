"""Sentry, by SENTRY_DSN: unexpected errors of requests and jobs, once each, without anybody's data.

Refusals, 404s and what goes away by itself are not reported (jobs.trace decides for jobs). Nothing of a request's body,
cookies, headers or query goes along, no local variables, no names of people; what could still hold a secret is scrubbed
like a log line. Without a DSN the SDK is not even imported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.http import Http404

from accounts.exceptions import PlumblineError

from .scrubbing import scrub

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

TAGS = ("request_id", "job_id", "kind", "attempt")
REQUEST_KEPT = ("method", "url")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def start(**more: Any) -> bool:
    """Switch it on if a DSN is set; whether it is on. `more` goes to the SDK: a transport, in tests."""
    if not settings.SENTRY_DSN:
        return False
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=settings.RELEASE or None,
        environment=settings.SENTRY_ENVIRONMENT,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        include_source_context=True,
        traces_sample_rate=None,
        # Only these: others (RQ's, redis') would report the same error again, or wrap every call.
        auto_enabling_integrations=False,
        integrations=[
            DjangoIntegration(transaction_style="url", middleware_spans=False, signals_spans=False, cache_spans=False),
            # Errors in the log are not events of their own: whoever logs has dealt with it.
            LoggingIntegration(level=None, event_level=None),
        ],
        before_send=prepare,
        **more,
    )
    return True


def prepare(event: Event, hint: Hint) -> Event | None:
    """Before an event leaves: refusals are dropped, the rest is told of which request and job, and scrubbed."""
    error = (hint.get("exc_info") or (None, None, None))[1]
    if isinstance(error, Http404) or (isinstance(error, PlumblineError) and error.status < 500):
        return None
    told: dict[str, Any] = dict(event)
    bound = structlog.contextvars.get_contextvars()
    told["tags"] = {**told.get("tags", {}), **{name: str(bound[name]) for name in TAGS if name in bound}}
    # The number of the person is enough to find who was affected; it says nothing to outsiders.
    told["user"] = {"id": str(bound["user_id"])} if bound.get("user_id") else {}
    request = told.get("request")
    if isinstance(request, dict):
        told["request"] = {name: request[name] for name in REQUEST_KEPT if name in request}
    told.pop("breadcrumbs", None)
    told.pop("server_name", None)
    cleaned: Any = _without_addresses(scrub(told, -8))
    return cleaned  # type: ignore[no-any-return]


def _without_addresses(value: Any) -> Any:
    """The same without e-mail addresses, which error messages like to quote."""
    if isinstance(value, str):
        return EMAIL.sub("(e-mail address)", value)
    if isinstance(value, dict):
        return {key: _without_addresses(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_addresses(each) for each in value]
    return value
