"""A system check: limits that can't be made are found at the start, not by the first job that needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .registry import make


@register()
def limits_can_be_made(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """jobs.E020."""
    found: list[CheckMessage] = []
    for name, options in settings.JOBS_LIMITS.items():
        try:
            make(name, options)
        except (TypeError, ValueError) as error:
            found.append(Error(f"JOBS_LIMITS[{name!r}] makes no limit: {error}", id="jobs.E020"))
    return found
