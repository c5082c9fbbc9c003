"""Which workers and schedulers are alive. In the table, not in Redis: it must be known while Redis is away."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone


class Process(models.Model):
    """A worker or scheduler, from its start until it says goodbye; one that was killed is known by its silence
    (`seen_at`), and its row is removed by whoever notices."""

    class Kind(models.TextChoices):
        WORKER = "worker", "Worker"
        SCHEDULER = "scheduler", "Scheduler"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list, blank=True, help_text="Of a worker, most urgent first.")
    release = models.CharField(max_length=80, blank=True, help_text="What version of the program it runs.")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    is_stopping = models.BooleanField(default=False)
    jobs_run = models.PositiveBigIntegerField(default=0)
    busy_with = models.JSONField(default=list, blank=True, help_text="Numbers of the jobs at hand.")

    class Meta:
        ordering = ["kind", "host", "pid"]
        # Health checks and the operations page: who was seen lately?
        indexes = [models.Index(fields=["kind", "seen_at"], name="process_seen")]
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.host}:{self.pid}"
