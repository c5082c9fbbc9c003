"""Brings the kinds of jobs of the fault tests into the processes that they start."""

from __future__ import annotations

from django.apps import AppConfig


class FaultsConfig(AppConfig):
    name = "tests.faults"

    def ready(self) -> None:
        from . import kinds  # noqa: F401
