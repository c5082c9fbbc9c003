"""System checks of the schedule: a mistake in the file is told at the start, not by a night on which nothing ran."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from ..registry import kinds
from .tasks import listed

SHORTEST_SECRET = 24


@register()
def schedule_is_sound(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """jobs.E010: the file can't be read as a schedule. jobs.E011: a task starts a kind that nobody registered."""
    try:
        tasks = listed()
    except (ImportError, ValueError) as error:
        return [Error(f"The schedule can't be read: {error}", hint=settings.JOBS_SCHEDULE, id="jobs.E010")]
    known = {kind.name for kind in kinds()}
    return [
        Error(f"Task {task.name!r} starts jobs of the unknown kind {task.kind!r}.", id="jobs.E011")
        for task in tasks
        if task.kind not in known
    ]


@register(Tags.security, deploy=True)
def cron_secret_is_long(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """jobs.W010: anybody may try it against the endpoint."""
    if not settings.CRON_SECRET or len(settings.CRON_SECRET) >= SHORTEST_SECRET:
        return []
    return [Warning(f"CRON_SECRET is shorter than {SHORTEST_SECRET} characters and may be guessed.", id="jobs.W010")]
