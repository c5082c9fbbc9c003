"""The wiring's own app: system checks."""

from __future__ import annotations

from django.apps import AppConfig


class WiringConfig(AppConfig):
    name = "config"
    verbose_name = "Platform"

    def ready(self) -> None:
        from . import checks  # noqa: F401
