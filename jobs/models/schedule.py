"""What runs by the clock. The tasks are listed in one file (settings.JOBS_SCHEDULE); here is what happened."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..querysets import ScheduledTaskQuerySet


class ScheduledTask(models.Model):
    """One entry of the schedule, so that people can see it, pause it and run it now. Rows follow the file."""

    name = models.CharField(max_length=80, primary_key=True)
    cron = models.CharField(max_length=80, help_text="Five fields, or six with seconds last; UTC.")
    kind = models.CharField(max_length=80, help_text="Of the job that it starts.")
    description = models.CharField(max_length=300, blank=True)
    is_listed = models.BooleanField(default=True, help_text="Still in the file.")
    is_paused = models.BooleanField(default=False)
    next_due_at = models.DateTimeField(null=True, blank=True)

    objects = ScheduledTaskQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ScheduledRun(models.Model):
    """One start of a task. Of two schedulers at the same minute, the unique constraint lets one insert; the job is
    made in the same transaction. Without a job: it was skipped (`note` says why), or the job has been trimmed since."""

    task = models.ForeignKey(ScheduledTask, on_delete=models.CASCADE, related_name="runs")
    due_at = models.DateTimeField(default=timezone.now)
    job = models.OneToOneField(
        "jobs.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="scheduled_run"
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who ran it by hand; empty: the clock.",
    )
    is_by_hand = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True, help_text="Why there is no job, if there is none.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-due_at"]
        constraints = [
            # Schedulers: a minute of a task is started once.
            models.UniqueConstraint(fields=["task", "due_at"], condition=Q(is_by_hand=False), name="scheduled_once")
        ]
        # The admin's page of a task: its latest runs.
        indexes = [models.Index("task", models.F("due_at").desc(), name="scheduled_latest")]

    def __str__(self) -> str:
        return f"{self.task_id} {self.due_at:%Y-%m-%d %H:%M}"
