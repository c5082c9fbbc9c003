"""Counting requests: by route, method and status, how long they take, how many are in flight."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Gauge, Histogram

from ..tracing import route_of
from .ledger import ledger

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUESTS = Counter("plumbline_requests", "Requests answered.", ["route", "method", "status"])
DURATION = Histogram(
    "plumbline_request_duration_seconds",
    "From the first middleware to the answer.",
    ["route", "method"],
    buckets=BUCKETS_S,
)
IN_FLIGHT = Gauge("plumbline_requests_in_flight", "Requests being answered now.", multiprocess_mode="livesum")


class MetricsMiddleware:
    """Stands outside of all that may refuse a request, so that refusals are counted too.

    Labels are bounded: routes are patterns of the code, methods a fixed list, statuses what we answer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        with IN_FLIGHT.track_inprogress():
            response = self.get_response(request)
        took_s = time.perf_counter() - began
        route, method = route_of(request), request.method if request.method in METHODS else "other"
        REQUESTS.labels(route, method, str(response.status_code)).inc()
        DURATION.labels(route, method).observe(took_s)
        ledger.note("route", f"{method} {route}", took_s)
        return response
