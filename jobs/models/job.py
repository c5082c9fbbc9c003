"""The durable record of background work. The row is the truth; Redis only makes it fast."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..querysets import JobQuerySet

BATCH_KIND = "jobs.batch"


class Job(models.Model):
    """One piece of background work, from the asking to its result.

        queued ──claim──> running ──finish──> completed
          │ ^                │  ├──refused, crashed, no retries left──> failed
          │ │                │  ├──temporary error, worker lost──> retrying ──due──> queued
          │ │                │  └──cancel asked, seen at the next report──> cancelled
          │ │                └─(a batch: running until its last child has ended)
          │ └──retry by a person── failed, cancelled
          └──cancel──> cancelled  (retrying too)

    Every transition is one conditional UPDATE (services.lifecycle), so two workers never both make it. `attempt`
    grows with each claim and is the fencing token: whatever a worker writes carries `WHERE attempt = token AND status
    = 'running'`. A batch is a row of kind "jobs.batch" whose children point at it; no worker claims it.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        RETRYING = "retrying", "Waiting to retry"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Priority(models.IntegerChoices):
        LOW = 1, "Low"
        NORMAL = 2, "Normal"
        HIGH = 3, "High"
        CRITICAL = 4, "Critical"

    class Queue(models.TextChoices):
        HIGH = "high", "High"
        DEFAULT = "default", "Default"
        LOW = "low", "Low"

    ACTIVE = (Status.QUEUED, Status.RUNNING, Status.RETRYING)
    ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=80)
    queue = models.CharField(max_length=12, choices=Queue.choices, default=Queue.DEFAULT)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)

    subject_type = models.CharField(
        max_length=40, blank=True, help_text='What the job works on, for example "project".'
    )
    subject_id = models.UUIDField(null=True, blank=True)
    about = models.CharField(max_length=200, blank=True, help_text="What it works on, for people: a name")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs", db_index=False
    )
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, blank=True, on_delete=models.CASCADE, related_name="jobs", db_index=False
    )
    batch = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="children", db_index=False
    )
    channels = models.JSONField(default=list, blank=True, help_text="Further channels that its events go to.")
    request_id = models.CharField(
        max_length=64, blank=True, help_text="Of the request that asked for it: finds both in the log."
    )

    params = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    result = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    error = models.JSONField(
        null=True, blank=True, encoder=DjangoJSONEncoder, help_text="class, message (for people), code, traceback"
    )
    dedupe_key = models.CharField(max_length=200, null=True, blank=True)

    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent.")
    current_step = models.CharField(max_length=500, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    detail = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    eta_s = models.FloatField(null=True, blank=True)
    last_event_seq = models.BigIntegerField(default=0)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    scheduled_for = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text="Of the latest attempt.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    worker_id = models.UUIDField(null=True, blank=True, help_text="The process that claimed it last.")
    attempt = models.PositiveIntegerField(default=0, help_text="Claims so far; also the fencing token.")
    attempts_before = models.PositiveIntegerField(
        default=0, help_text="Attempts that do not count against max_retries: those before somebody asked again."
    )
    max_retries = models.PositiveSmallIntegerField(default=3)
    next_retry_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # services.enqueue: of two requests for the same work at once, one inserts and the other finds it.
            models.UniqueConstraint(
                fields=["dedupe_key"],
                condition=Q(status__in=["queued", "running", "retrying"], dedupe_key__isnull=False),
                name="job_dedupe_active",
            ),
            # Whoever draws a bar from it.
            models.CheckConstraint(condition=Q(progress__lte=100), name="job_progress_percent"),
        ]
        indexes = [
            # Workers, at every claim.
            models.Index(
                F("queue"), F("priority").desc(), F("created_at"), name="job_claim", condition=Q(status="queued")
            ),
            # The scheduler, every second: retries that are due; running rows whose lease has run out.
            models.Index(fields=["next_retry_at"], name="job_due", condition=Q(status="retrying")),
            models.Index(fields=["lease_until"], name="job_lease", condition=Q(status="running")),
            # A subject's page and its channel's snapshot.
            models.Index(F("subject_type"), F("subject_id"), F("created_at").desc(), name="job_subject"),
            # The jobs page and API: own ones, the organisation's.
            models.Index(F("actor"), F("created_at").desc(), name="job_actor"),
            models.Index(F("organisation"), F("created_at").desc(), name="job_organisation"),
            # Counting a batch's children; "is any still active?".
            models.Index(fields=["batch", "status"], name="job_batch", condition=Q(batch__isnull=False)),
            # Operators: what failed lately, and of what kind?
            models.Index(F("finished_at").desc(), name="job_failed", condition=Q(status="failed")),
            # estimate_seconds: the latest runs of a kind.
            models.Index(F("kind"), F("finished_at").desc(), name="job_history", condition=Q(status="completed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.id)[:8]}"

    @property
    def is_batch(self) -> bool:
        return self.kind == BATCH_KIND

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def fraction(self) -> float:
        """Progress from 0 to 1; finer than the stored percent, which a bill of 100,000 positions sees move 100 times
        only."""
        if self.status == self.Status.COMPLETED:
            return 1.0
        return round(min(1.0, self.done / self.total), 4) if self.total else self.progress / 100

    @property
    def retries_used(self) -> int:
        """Retries of the present round: 0 during the first attempt."""
        return max(0, self.attempt - self.attempts_before - 1)

    @property
    def duration(self) -> timedelta | None:
        """Of the latest attempt; None until it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at
