"""Start of the app: its checks and its background job."""

from __future__ import annotations

from django.apps import AppConfig


class AiConfig(AppConfig):
    name = "ai"
    verbose_name = "Language models"

    def ready(self) -> None:
        from . import checks, handlers  # noqa: F401
