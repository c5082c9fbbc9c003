"""/metrics, in Prometheus' text format."""

from __future__ import annotations

import os

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from .access import has_token, is_operator, refusal
from .collectors import SharedCollector


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """With METRICS_TOKEN: for whoever has it (or staff who may see jobs). Without: 404 on a server, open in
    development."""
    if not settings.METRICS_TOKEN and not settings.DEBUG:
        raise Http404
    if settings.METRICS_TOKEN and not has_token(request) and not is_operator(request):
        return refusal()
    return HttpResponse(generate_latest(counted()) + generate_latest(shared()), content_type=CONTENT_TYPE_LATEST)


def counted() -> CollectorRegistry:
    """What processes count: of this one, or, where several answer on one port and share PROMETHEUS_MULTIPROC_DIR, of
    all of them."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def shared() -> CollectorRegistry:
    """What is the same whichever process answers: it is read from the database and Redis."""
    registry = CollectorRegistry()
    registry.register(SharedCollector())
    return registry
