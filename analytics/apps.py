"""Start of the app: its background jobs."""

from __future__ import annotations

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Demand"

    def ready(self) -> None:
        from . import alarms, handlers, search_handlers, webhooks  # noqa: F401
