"""The wiring's own app: system checks, and what watches the rest: slow statements, request lines, Sentry."""

from __future__ import annotations

from django.apps import AppConfig


class WiringConfig(AppConfig):
    name = "config"
    verbose_name = "Platform"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created
        from django_structlog.signals import bind_extra_request_finished_metadata

        from jobs.services.overview.reading import register_cache

        from . import checks, sentry, slowqueries, tracing  # noqa: F401
        from .cache import cache_health

        connection_created.connect(slowqueries.watch, dispatch_uid="slow queries")
        bind_extra_request_finished_metadata.connect(tracing.finished, dispatch_uid="request lines")
        register_cache(cache_health)
        sentry.start()
