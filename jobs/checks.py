"""System checks of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from .models import Job
from .registry import kinds


@register()
def kinds_use_known_queues(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """jobs.E001: rows in a queue that no worker listens to would wait for ever."""
    return [
        Error(
            f"Job kind {kind.name!r} uses the unknown queue {kind.queue!r}.",
            hint=f"Use one of {Job.Queue.values}.",
            id="jobs.E001",
        )
        for kind in kinds()
        if kind.queue not in Job.Queue.values
    ]


@register()
def limits_make_sense(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """jobs.E002: a wait that ends before it begins, or a time limit of nothing."""
    return [
        Error(
            f"Job kind {kind.name!r} has senseless limits.",
            hint="0 < backoff_s[0] <= backoff_s[1], timeout_s > 0.",
            id="jobs.E002",
        )
        for kind in kinds()
        if not (0 < kind.backoff_s[0] <= kind.backoff_s[1] and kind.timeout_s > 0)
    ]
