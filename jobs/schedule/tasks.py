"""What a task of the schedule is, and the list of all of them (settings.JOBS_SCHEDULE names it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from . import cron as crons


@dataclass(frozen=True)
class Task:
    """A job that is started by the clock.

    cron: UTC; five fields, or six with seconds last. kind: of the job, registered with `jobs.registry`. params: its
    parameters. queue: its kind's unless told. catch_up: a due time that was missed (no scheduler ran) is made up for
    up to this late, after that it is left out; of several only the latest. A due time at which the run before is not
    done is skipped, and says so. each_time: neither holds, every due time is started; for tasks whose work depends on
    it (the job's `scheduled_run.due_at`).
    """

    name: str
    cron: str
    kind: str
    description: str
    params: Mapping[str, Any] = field(default_factory=dict)
    queue: str | None = None
    catch_up: timedelta = timedelta(days=1)
    each_time: bool = False

    def __post_init__(self) -> None:
        if not crons.is_valid(self.cron):
            raise ValueError(f"{self.cron!r} of task {self.name!r} is no cron expression of five or six fields.")

    @property
    def dedupe_key(self) -> str | None:
        """One active job a task, whoever starts it: the clock, a person, the endpoint."""
        return None if self.each_time else f"schedule:{self.name}"


def listed() -> Sequence[Task]:
    """The tasks of the file. Raises ValueError: one name twice."""
    tasks: Sequence[Task] = import_string(settings.JOBS_SCHEDULE)
    names = [task.name for task in tasks]
    if len(set(names)) < len(names):
        raise ValueError(f"A task of {settings.JOBS_SCHEDULE} is listed twice: {sorted(names)}.")
    return tasks
